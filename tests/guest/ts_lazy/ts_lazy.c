/* SPDX-License-Identifier: MIT */
/*
 * A guest that switches its FPU lazily by CR0.TS: xfd.md F.71. Before growth
 * each of its #NM exits and comes back to it; after growth none exits.
 */
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/smp.h"

#define SWITCHES 1000

/* SWITCHES task switches, each followed by a use of SSE. */
static bool lazy_switches(void)
{
	nm_watch(NM_CLTS, SWITCHES, false);
	for (u32 i = 0; i < SWITCHES; i++) {
		set_ts();
		asm volatile("movaps %%xmm0, %%xmm0" : : : "memory");
	}
	return same("#NM seen", nm_seen.count, SWITCHES) &&
	       same("CR0.TS", read_cr0() & CR0_TS, 0) &&
	       same("XFD_ERR", nm_seen.xfd_err, 0);
}

static u64 exits_before, exits_after;

static bool before_growth(void)
{
	tiles_start();
	const u64 exits = counted(CALL_NM_EXITS, 0);
	const bool ok   = lazy_switches();

	exits_before = counted(CALL_NM_EXITS, 0) - exits;
	return ok && xfd_is(0, 0);
}

static bool after_growth(void)
{
	tiles_start();
	tiles_load(tile_source());
	const u64 exits = counted(CALL_NM_EXITS, 0);
	const bool ok   = lazy_switches();

	exits_after = counted(CALL_NM_EXITS, 0) - exits;
	return ok && xfd_is(0, 0) && tiles_are(tile_source());
}

/* Each TS #NM with tiles between: TS first, then the tiles' first use. */
static bool mixed(void)
{
	tiles_start();
	nm_watch(NM_CLTS, 1, false);
	set_ts();
	asm volatile("movaps %%xmm0, %%xmm0" : : : "memory");
	const struct trap t = tileload0(tile_source());

	return none(t) && same("#NM seen", nm_seen.count, 1) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static bool counts_before(void)
{
	return same("#NM exits", exits_before,
		    guest.policy == NM || guest.policy == INJECT ? SWITCHES
								 : 0);
}

static bool counts_after(void)
{
	return same("#NM exits", exits_after, 0);
}

const struct claim claims[] = {
	{ "F.71 1000 lazy switches before growth: 1000 #NM", before_growth,
	  NEEDS_AMX | FRESH },
	{ "F.71 1000 lazy switches after growth: 1000 #NM", after_growth,
	  NEEDS_AMX | FRESH | NOT_INJECT },
	{ "F.71 the first use of tiles after one is silent", mixed,
	  NEEDS_AMX | FRESH | NOT_INJECT },
	{ "F.71 #NM exits before growth", counts_before,
	  NEEDS_AMX | ON_HOSTED },
	{ "F.71 #NM exits after growth", counts_after,
	  NEEDS_AMX | ON_NM | ON_WRMSR | ON_EAGER },
};
CLAIMS_END

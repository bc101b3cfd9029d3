/* SPDX-License-Identifier: MIT */
/*
 * xfd.md F.63: growth without memory. With the word starved this guest must
 * be stopped by the hypervisor at its first use of tiles, before its second
 * claim is printed. Without it, it is the neighbour, and goes on.
 */
#include "lib/check.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define ROUNDS 2000

static bool small_state_works(void)
{
	static u8 want[AREA_BYTES] __attribute__((aligned(64)));
	static u8 got[AREA_BYTES] __attribute__((aligned(64)));
	const u64 rest = guest.xcr0_max & ~XCR0_TILES;
	bool ok        = true;

	xstate_enable(false);
	for (u32 i = 0; i < 16 && ok; i++) {
		area_random(want, rest, i);
		ok = none(xrstor(want, rest));
		smp_relax();
		ok = ok && none(xsave(got, rest)) &&
		     same("component that differs",
			  area_difference(want, got, rest), -1);
	}
	return ok;
}

static bool first_use(void)
{
	xstate_start();
	if (guest_flag("starved"))
		printk("# this VM must be stopped now\n");
	const struct trap t = tileload0(tile_source());

	return is("a starved VM is stopped", !guest_flag("starved")) &&
	       none(t) && tile0_is(tile_source());
}

static bool goes_on(void)
{
	bool ok = true;

	xstate_start();
	tiles_load(tile_source());
	for (u32 i = 0; i < ROUNDS; i++)
		smp_relax();
	ok &= tiles_are(tile_source());
	return ok;
}

const struct claim claims[] = {
	{ "F.63 before growth all other state works", small_state_works,
	  NEEDS_AMX },
	{ "F.63 a VM with memory grows and runs on", first_use,
	  NEEDS_AMX | NOT_INJECT },
	{ "F.63 its tiles stay while others are stopped", goes_on,
	  NEEDS_AMX | NOT_INJECT },
};
CLAIMS_END

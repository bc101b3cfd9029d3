/* SPDX-License-Identifier: MIT */
/*
 * A guest that enables the tiles and knows nothing of XFD: xfd.md F.72. It
 * never touches the two MSRs and must not see that they exist.
 */
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/smp.h"

#define USES 1000

static u64 nm_exits, xfd_exits;

static bool works(void)
{
	const u64 nm  = counted(CALL_NM_EXITS, 0);
	const u64 xfd = counted(CALL_XFD_EXITS, 0);
	u64 faults    = 0;

	xstate_start();
	for (u32 i = 0; i < USES; i++) {
		faults += tileload0(tile_source()).vector != TRAP_NONE;
		faults += tdpbssd().vector != TRAP_NONE;
		faults += tileload0(tile_source()).vector != TRAP_NONE;
	}
	nm_exits  = counted(CALL_NM_EXITS, 0) - nm;
	xfd_exits = counted(CALL_XFD_EXITS, 0) - xfd;
	return same("exceptions", faults, 0) && tile0_is(tile_source());
}

static bool saves_and_restores(void)
{
	u8 *area = area_scratch();

	xstate_start();
	tiles_load(tile_source());
	return none(xsave(area, guest.xcr0_max)) && none(tilerelease()) &&
	       none(xrstor(area, guest.xcr0_max)) && tiles_are(tile_source());
}

static bool counts(void)
{
	return same("#NM exits", nm_exits, guest.policy == NM) &&
	       same("XFD exits", xfd_exits, 0);
}

const struct claim claims[] = {
	{ "F.72 tiles work for a guest that does not know XFD", works,
	  NEEDS_AMX | FRESH | NOT_INJECT },
	{ "F.72 its XSAVE and XRSTOR carry them", saves_and_restores,
	  NEEDS_AMX | FRESH | NOT_INJECT },
	{ "F.72 only the first use exits", counts,
	  NEEDS_AMX | ON_NM | ON_WRMSR | ON_EAGER | ON_KVM },
};
CLAIMS_END

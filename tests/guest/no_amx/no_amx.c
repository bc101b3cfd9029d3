/* SPDX-License-Identifier: MIT */
/*
 * A machine without AMX and XFD, real or by amx=off: xfd.md F.24, F.34, F.77.
 * The word lacks_amx on the command line says that it must be absent.
 */
#include "lib/check.h"
#include "lib/smp.h"

static bool lacking(void)
{
	return !guest_flag("lacks_amx") || !guest.has_amx;
}

static bool cpuid_hides(void)
{
	const struct cpuid seven = cpuid(7, 0);

	return same("AMX bits of 7.0:EDX",
		    seven.d & (BIT(22) | BIT(24) | BIT(25)), 0) &&
	       same("7.1:EAX[21]", seven.a >= 1 ? cpuid(7, 1).a & BIT(21) : 0,
		    0) &&
	       same("0DH.0:EAX", guest.xcr0_max & XCR0_TILES, 0) &&
	       same("0DH.1:EAX[4]", guest.has_xfd, 0) &&
	       same("0DH.11H:EAX", guest.component[17].bytes, 0) &&
	       same("0DH.12H:EAX", guest.component[18].bytes, 0) &&
	       same("0DH.12H:ECX", cpuid(0xd, 18).c, 0);
}

static bool msrs_fault(void)
{
	u64 val;

	return took(try_rdmsr(MSR_XFD, &val), TRAP_GP, 0) &
	       took(try_rdmsr(MSR_XFD_ERR, &val), TRAP_GP, 0) &
	       took(try_wrmsr(MSR_XFD, 0), TRAP_GP, 0) &
	       took(try_wrmsr(MSR_XFD_ERR, 0), TRAP_GP, 0);
}

static bool xsetbv_faults(void)
{
	xstate_start();
	return took(try_xsetbv(0, guest.xcr0_max | XCR0_TILES), TRAP_GP, 0) &&
	       same("XCR0", xgetbv(0), guest.xcr0_max);
}

static bool amx_is_ud(void)
{
	xstate_start();
	return took(ldtilecfg(tile_config_full), TRAP_UD, 0) &
	       took(tilerelease(), TRAP_UD, 0) &
	       took(tileload0(tile_source()), TRAP_UD, 0);
}

static bool rest_works(void)
{
	u8 *want = area_scratch();
	static u8 got[AREA_BYTES] __attribute__((aligned(64)));
	const u64 all = guest.xcr0_max & ~XCR0_MPX; /* BNDCSR is picky */

	xstate_start();
	area_random(want, all, 77);
	xrstor(want, all);
	counted(CALL_YIELD, 0);
	xsave(got, all);
	return same("component that differs", area_difference(want, got, all),
		    -1);
}

static bool no_growth(void)
{
	return same("growths", counted(CALL_GROWTHS, 0), 0) &&
	       same("#NM exits", counted(CALL_NM_EXITS, 0), 0);
}

const struct claim claims[] = {
	{ "AMX is absent where it must be", lacking, 0 },
	{ "F.77 CPUID shows neither AMX nor XFD", cpuid_hides, NEEDS_NO_AMX },
	{ "F.24 RDMSR and WRMSR of XFD and XFD_ERR are #GP(0)", msrs_fault,
	  NEEDS_NO_AMX },
	{ "F.35 XSETBV of the tile components is #GP(0)", xsetbv_faults,
	  NEEDS_NO_AMX | NEEDS_XSAVE },
	{ "F.34 AMX instructions are #UD", amx_is_ud,
	  NEEDS_NO_AMX | NEEDS_XSAVE },
	{ "F.77 the other components work", rest_works,
	  NEEDS_NO_AMX | NEEDS_XSAVE },
	{ "F.77 nothing grew", no_growth, ON_HOSTED | NEEDS_NO_AMX },
};
CLAIMS_END

/* SPDX-License-Identifier: MIT */
/*
 * IA32_XFD and IA32_XFD_ERR as registers: xfd.md F.21-F.27, F.29-F.33. What
 * happens to them when vCPUs take turns is in switch.
 */
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/smp.h"

#define TOGGLES 1000000
#define EXITS   1000

static const u32 both[] = { MSR_XFD, MSR_XFD_ERR };

/* Before anything else on this CPU. */
static bool f21(void)
{
	u64 xfd = 1, err = 1;

	return none(try_rdmsr(MSR_XFD, &xfd)) &&
	       none(try_rdmsr(MSR_XFD_ERR, &err)) && same("XFD", xfd, 0) &&
	       same("XFD_ERR", err, 0);
}

/* All single bits, some combinations; only component 18 may be set. */
static bool bits_are_checked(void)
{
	const u64 legal = guest.component[17].bytes && (cpuid(0xd, 17).c & 4)
				  ? XCR0_TILES
				  : TILEDATA;
	u64 cases[64 + 3];
	bool ok = true;

	for (u32 i = 0; i < 64; i++)
		cases[i] = BIT(i);
	cases[64] = ~0ull;
	cases[65] = TILEDATA | BIT(0);
	cases[66] = TILEDATA | BIT(63);
	for (u32 m = 0; m < ARRAY_SIZE(both); m++) {
		for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
			const bool good     = !(cases[i] & ~legal);
			const struct trap t = try_wrmsr(both[m], cases[i]);

			ok &= same("vector", t.vector,
				   good ? TRAP_NONE : TRAP_GP) &
			      same("error code", t.error, 0) &
			      same("value", rdmsr(both[m]),
				   good ? cases[i] : 0);
			if (good)
				wrmsr(both[m], 0);
		}
	}
	return ok;
}

static bool f22_before(void)
{
	tiles_start();
	return bits_are_checked();
}

static bool f22_after(void)
{
	tiles_start();
	tiles_load(tile_source());
	return bits_are_checked() && tiles_are(tile_source());
}

static bool f22_unchanged(void)
{
	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	wrmsr(MSR_XFD_ERR, TILEDATA);
	const bool ok = took(try_wrmsr(MSR_XFD, 1), TRAP_GP, 0) &&
			took(try_wrmsr(MSR_XFD_ERR, 1), TRAP_GP, 0) &&
			xfd_is(TILEDATA, TILEDATA);

	xstate_reset();
	return ok;
}

static u64 user_access(u64 arg)
{
	u64 val;
	const u32 msr = lo32(arg);
	const struct trap t =
		hi32(arg) ? try_wrmsr(msr, 0) : try_rdmsr(msr, &val);

	return t.vector << 16 | t.error;
}

static bool f23(void)
{
	bool ok = true;

	tiles_start();
	for (u32 m = 0; m < ARRAY_SIZE(both); m++)
		for (u64 write = 0; write < 2; write++)
			ok &= same(
				"vector and error code",
				user_call(user_access, write << 32 | both[m]),
				TRAP_GP << 16);
	return ok && xfd_is(0, 0);
}

static bool f25(void)
{
	tiles_start();
	wrmsr(MSR_XFD_ERR, TILEDATA);
	const bool ok = xfd_is(0, TILEDATA) && none(tileload0(tile_source())) &&
			xfd_is(0, TILEDATA) && tile0_is(tile_source());

	wrmsr(MSR_XFD_ERR, 0);
	return ok;
}

static bool f26(void)
{
	tiles_start();
	wrmsr(MSR_XFD_ERR, 0);
	return none(tileload0(tile_source())) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static u64 err_first, err_last;

static bool on_nm_with_exits(struct frame *f)
{
	(void)f;
	err_first = rdmsr(MSR_XFD_ERR);
	for (u32 i = 0; i < EXITS; i++)
		cpuid(0, 0);
	err_last = rdmsr(MSR_XFD_ERR);
	wrmsr(MSR_XFD_ERR, 0);
	wrmsr(MSR_XFD, 0);
	return true;
}

static bool f27(void)
{
	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	trap_set_hook(TRAP_NM, on_nm_with_exits);
	return none(tileload0(tile_source())) &&
	       same("XFD_ERR at first", err_first, TILEDATA) &&
	       same("XFD_ERR after the exits", err_last, TILEDATA) &&
	       xfd_is(0, 0);
}

static bool f29(void)
{
	xstate_enable(false);
	wrmsr(MSR_XFD, TILEDATA);
	const bool early = xfd_is(TILEDATA, 0);

	xstate_start();
	const bool ok = early && took(tileload0(tile_source()), TRAP_NM, 0) &&
			xfd_is(TILEDATA, TILEDATA);

	xstate_reset();
	return ok;
}

static bool f30(void)
{
	tiles_start();
	tiles_load(tile_source());
	wrmsr(MSR_XFD, TILEDATA); /* the first one may still exit */
	wrmsr(MSR_XFD, 0);
	const u64 exits = counted(CALL_XFD_EXITS, 0);
	u32 wrong       = 0;

	for (u32 i = 0; i < TOGGLES; i++) {
		const u64 val = i & 1 ? TILEDATA : 0;

		wrmsr(MSR_XFD, val);
		wrong += rdmsr(MSR_XFD) != val;
	}
	wrmsr(MSR_XFD, 0);
	return same("values that did not read back", wrong, 0) &&
	       same("exits", counted(CALL_XFD_EXITS, 0) - exits, 0);
}

static bool f31(void)
{
	tiles_start();
	tiles_load(tile_source());
	wrmsr(MSR_XFD, TILEDATA);
	const bool ok = took(tileload0(tile_source()), TRAP_NM, 0) &
			xfd_is(TILEDATA, TILEDATA);

	xstate_reset();
	return ok;
}

/* XFD 0 -> 1 -> 0 over live tiles, and EXITS exits in between. */
static bool live_under_xfd(u32 exits, bool save)
{
	static u8 before[AREA_BYTES] __attribute__((aligned(64)));
	static u8 after[AREA_BYTES] __attribute__((aligned(64)));
	const u64 rest = guest.xcr0_max & ~TILEDATA;
	u64 omitted    = 0;

	tiles_start();
	area_random(before, rest & ~TILECFG, 1);
	xrstor(before, rest & ~TILECFG);
	tiles_load(tile_source());
	wrmsr(MSR_XFD, TILEDATA);
	for (u32 i = 0; i < exits; i++)
		cpuid(0, 0);
	if (save) {
		memset(after, 0, sizeof(after));
		xsavec(after, TILEDATA);
		omitted = area_header(after)->xstate_bv & TILEDATA;
	}
	wrmsr(MSR_XFD, 0);
	memset(after, 0, sizeof(after));
	xsave(after, guest.xcr0_max);
	xstate_reset();
	const u8 *tiles = area_component(after, 18);

	return same("component that differs",
		    area_difference(before, after, rest & ~TILECFG), -1) &&
	       same("XSTATE_BV[18] while XFD is set", omitted, 0) &&
	       is("the tiles are as before, or all zero",
		  mem_is(tiles, 0, TILEDATA_BYTES) ||
			  !memcmp(tiles, tile_source(), TILEDATA_BYTES));
}

static bool f32_at_once(void)
{
	return live_under_xfd(0, false);
}

static bool f32_exits(void)
{
	return live_under_xfd(EXITS, false);
}

static bool f33(void)
{
	return live_under_xfd(1, true);
}

#define SEEN   (NEEDS_AMX | FRESH)
#define SILENT (NEEDS_AMX | FRESH | NOT_INJECT)

const struct claim claims[] = {
	{ "F.21 XFD and XFD_ERR are 0 after reset", f21, NEEDS_AMX },
	{ "F.21 and on a CPU just started", f21, SEEN | NEEDS_SMP },
	{ "F.22 only component 18 may be set, before growth", f22_before,
	  SEEN },
	{ "F.22 and after growth", f22_after, SILENT },
	{ "F.22 a refused write changes nothing", f22_unchanged, SEEN },
	{ "F.23 at CPL 3 both are #GP(0)", f23, SEEN },
	{ "F.25 XFD_ERR is still 40000H after the first use", f25, SILENT },
	{ "F.26 XFD_ERR is still 0 after the first use", f26, SILENT },
	{ "F.27 1000 exits do not change XFD_ERR", f27, SILENT },
	{ "F.29 XFD may be set before XCR0", f29, SEEN },
	{ "F.30 10^6 writes after growth read back and do not exit", f30,
	  SILENT },
	{ "F.31 XFD set again after growth: #NM", f31, SILENT },
	{ "F.32 live tiles under XFD are kept or zero", f32_at_once, SILENT },
	{ "F.32 and with 1000 exits in between", f32_exits, SILENT },
	{ "F.33 XSAVEC omits them while XFD is set", f33, SILENT },
};
CLAIMS_END

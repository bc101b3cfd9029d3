/* SPDX-License-Identifier: MIT */
/*
 * XCR0, CR0 and CR4 against tiles: xfd.md F.34-F.43. Validity of the control
 * registers as such is in cr.
 */
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/smp.h"

#define EXITS 100

static struct trap fld(void)
{
	return TRY("fnop", : : : "memory");
}

static struct trap fwait(void)
{
	return TRY("fwait", : : : "memory");
}

static struct trap sse(void)
{
	return TRY("movaps %%xmm0, %%xmm0", : : : "memory");
}

static struct trap avx(void)
{
	return TRY("vmovaps %%ymm0, %%ymm0", : : : "memory");
}

/* Every AMX instruction, in turn, is VECTOR. */
static bool all_amx_are(u64 vector)
{
	static u8 config[TILECFG_BYTES];
	static u8 data[TILE_BYTES];

	return same("LDTILECFG", ldtilecfg(tile_config_full).vector, vector) &
	       same("STTILECFG", sttilecfg(config).vector, vector) &
	       same("TILERELEASE", tilerelease().vector, vector) &
	       same("TILEZERO", tilezero0().vector, vector) &
	       same("TILELOADD", tileload0(data).vector, vector) &
	       same("TILESTORED", tilestore0(data).vector, vector) &
	       same("TDPBSSD", tdpbssd().vector, vector);
}

static bool f34(void)
{
	bool ok = true;

	tiles_start();
	const u64 grown = counted(CALL_GROWTHS, 0);

	for (u32 set = 0; set < 2; set++) {
		wrmsr(MSR_XFD, set ? TILEDATA : 0);
		wrmsr(MSR_XFD_ERR, set ? TILEDATA : 0);
		xstate_enable(false);
		ok &= all_amx_are(TRAP_UD) &
		      xfd_is(set ? TILEDATA : 0, set ? TILEDATA : 0);
	}
	ok &= same("growths", counted(CALL_GROWTHS, 0), grown);
	xstate_reset();
	return ok;
}

/* SDM 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled Features". */
static bool xcr0_is_legal(u64 val)
{
	const u64 mpx    = val & XCR0_MPX;
	const u64 avx512 = val & XCR0_AVX512;
	const u64 tiles  = val & XCR0_TILES;

	if (!(val & XCR0_X87) || (val & ~guest.xcr0_max))
		return false;
	if ((val & XCR0_AVX) && !(val & XCR0_SSE))
		return false;
	if (mpx && mpx != XCR0_MPX)
		return false;
	if (avx512 && (avx512 != XCR0_AVX512 || !(val & XCR0_AVX)))
		return false;
	return !tiles || tiles == XCR0_TILES;
}

/* All combinations of the known bits, with and without an unknown one. */
static bool f35(void)
{
	static const u8 bits[] = { 0, 1, 2, 5, 6, 7, 9, 17, 18, 19 };
	bool ok                = true;

	xstate_start();
	for (u32 n = 0; n < 1u << ARRAY_SIZE(bits); n++) {
		const u64 before = xgetbv(0);
		u64 val          = 0;

		for (u32 i = 0; i < ARRAY_SIZE(bits); i++)
			val |= n & 1u << i ? BIT(bits[i]) : 0;
		const bool legal    = xcr0_is_legal(val);
		const struct trap t = try_xsetbv(0, val);

		if (t.vector == (legal ? TRAP_NONE : TRAP_GP) && !t.error &&
		    xgetbv(0) == (legal ? val : before))
			continue;
		ok = false;
		same("XSETBV of", val, before);
		same("its vector", t.vector, legal ? TRAP_NONE : TRAP_GP);
	}
	xstate_start();
	return ok;
}

static bool f35_single(void)
{
	bool ok = true;

	xstate_start();
	for (u32 i = 0; i < 64; i++) {
		const u64 val       = guest.xcr0_max ^ BIT(i);
		const struct trap t = try_xsetbv(0, val);

		ok &= same("vector", t.vector,
			   xcr0_is_legal(val) ? TRAP_NONE : TRAP_GP);
		xsetbv(guest.xcr0_max);
	}
	return ok;
}

static bool f35_index(void)
{
	static const u32 indexes[] = { 1, 2, 0x80000000, ~0u };
	bool ok                    = true;

	xstate_start();
	for (u32 i = 0; i < ARRAY_SIZE(indexes); i++)
		ok &= took(try_xsetbv(indexes[i], guest.xcr0_max), TRAP_GP, 0);
	return ok && same("XCR0", xgetbv(0), guest.xcr0_max);
}

static u64 user_xsetbv(u64 val)
{
	const struct trap t = try_xsetbv(0, val);

	return t.vector << 16 | t.error;
}

static bool f35_user(void)
{
	xstate_start();
	return same("vector and error code", user_call(user_xsetbv, 3),
		    TRAP_GP << 16) &&
	       same("XCR0", xgetbv(0), guest.xcr0_max);
}

static bool f35_no_osxsave(void)
{
	xstate_start();
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	const struct trap t = try_xsetbv(0, 3);

	write_cr4(read_cr4() | CR4_OSXSAVE);
	return took(t, TRAP_UD, 0) && same("XCR0", xgetbv(0), guest.xcr0_max);
}

/* XCR0 loses the tiles, and has them again after EXITS exits. */
static bool f36(void)
{
	static u8 config[TILECFG_BYTES];

	tiles_start();
	tiles_load(tile_source());
	xstate_enable(false);
	for (u32 i = 0; i < EXITS; i++)
		cpuid(0, 0);
	counted(CALL_YIELD, 0);
	xstate_enable(true);
	return none(sttilecfg(config)) &&
	       is("TILECFG is kept",
		  !memcmp(config, tile_config_full, TILECFG_BYTES)) &&
	       tiles_are(tile_source());
}

static bool f37(void)
{
	xstate_enable(false);
	wrmsr(MSR_XFD, TILEDATA);
	wrmsr(MSR_XFD, 0);
	xstate_start();
	nm_watch(NM_ENABLE, 0, true);
	return none(tileload0(tile_source())) &&
	       same("#NM", nm_seen.count, 0) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static bool f38(void)
{
	tiles_start();
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	const bool ok =
		all_amx_are(TRAP_UD) &
		same("XSAVE", xsave(area_scratch(), 3).vector, TRAP_UD) &
		same("CPUID.1:ECX[27]", cpuid(1, 0).c >> 27 & 1, 0);

	write_cr4(read_cr4() | CR4_OSXSAVE);
	return ok & same("CPUID.1:ECX[27]", cpuid(1, 0).c >> 27 & 1, 1);
}

/* #NM by CR0.TS: one, with XFD_ERR as it was. */
static bool ts_is_seen(struct trap (*insn)(void), u64 err)
{
	wrmsr(MSR_XFD_ERR, err);
	nm_watch(NM_CLTS, 1, false);
	set_ts();
	const struct trap t = insn();

	clts();
	return none(t) && same("#NM", nm_seen.count, 1) &&
	       same("XFD_ERR in the handler", nm_seen.xfd_err, err) &&
	       xfd_is(0, err);
}

static bool f39(void)
{
	tiles_start();
	const u64 grown = counted(CALL_GROWTHS, 0);
	const bool ok   = ts_is_seen(fld, 0) & ts_is_seen(fld, TILEDATA) &
			ts_is_seen(sse, 0) & ts_is_seen(sse, TILEDATA) &
			ts_is_seen(avx, 0) & ts_is_seen(avx, TILEDATA);

	wrmsr(MSR_XFD_ERR, 0);
	return ok && same("growths", counted(CALL_GROWTHS, 0), grown);
}

static bool f40(void)
{
	u8 *area = area_scratch();

	tiles_start();
	area_header(area)->xstate_bv = XCR0_TILES;
	memcpy(area_component(area, 17), tile_config_full, TILECFG_BYTES);
	wrmsr(MSR_XFD, TILEDATA);
	set_ts();
	bool ok = took(xrstor(area, XCR0_TILES), TRAP_NM, 0) &
		  xfd_is(TILEDATA, 0);

	clts();
	ok &= took(xrstor(area, XCR0_TILES), TRAP_NM, 0) &
	      xfd_is(TILEDATA, TILEDATA);
	xstate_reset();
	return ok;
}

static bool f41(void)
{
	tiles_start();
	set_ts();
	const struct trap t = tileload0(tile_source());

	clts();
	return none(t) && xfd_is(0, 0) && tile0_is(tile_source());
}

static bool f42(void)
{
	tiles_start();
	wrmsr(MSR_XFD_ERR, TILEDATA);
	write_cr0(read_cr0() | CR0_EM);
	bool ok = took(fld(), TRAP_NM, 0) & xfd_is(0, TILEDATA);

	write_cr0((read_cr0() & ~CR0_EM) | CR0_MP | CR0_TS);
	ok &= took(fwait(), TRAP_NM, 0) & xfd_is(0, TILEDATA);
	clts();
	wrmsr(MSR_XFD_ERR, 0);
	return ok;
}

/* CPUID.0DH follows XCR0 and XSS, neither XFD nor growth. */
static bool f43(void)
{
	bool ok = true;
	u32 end = 576;

	tiles_start();
	const struct component tiles = guest.component[18];
	const u32 full               = tiles.offset + tiles.bytes;

	for (u32 set = 0; set < 2; set++) {
		wrmsr(MSR_XFD, set ? TILEDATA : 0);
		ok &= same("0DH.0:EBX", cpuid(0xd, 0).b, full) &
		      same("0DH.12H:EAX", cpuid(0xd, 18).a, TILEDATA_BYTES) &
		      same("0DH.12H:EBX", cpuid(0xd, 18).b, tiles.offset);
	}
	wrmsr(MSR_XFD, 0);
	tiles_load(tile_source());
	ok &= same("0DH.0:EBX after use", cpuid(0xd, 0).b, full);
	for (u32 i = 2; i < 17; i++)
		if ((guest.xcr0_max & BIT(i)) &&
		    guest.component[i].offset + guest.component[i].bytes > end)
			end = guest.component[i].offset +
			      guest.component[i].bytes;
	xstate_enable(false);
	ok &= same("0DH.0:EBX without tiles", cpuid(0xd, 0).b, end) &
	      same("0DH.0:ECX", cpuid(0xd, 0).c, full);
	xsetbv(XCR0_X87);
	ok &= same("0DH.0:EBX with x87 alone", cpuid(0xd, 0).b, 576) &
	      same("0DH.1:EBX with x87 alone", cpuid(0xd, 1).b, 576);
	xstate_start();
	return ok;
}

/* 0DH.1:EBX is the compacted size of XCR0 and XSS. */
static bool f43_compacted(void)
{
	u32 end = 576;

	xstate_start();
	for (u32 i = 2; i < 63; i++) {
		if (!(guest.xcr0_max & BIT(i)))
			continue;
		if (cpuid(0xd, i).c & 2)
			end = (end + 63) & ~63u;
		end += guest.component[i].bytes;
	}
	return same("0DH.1:EBX", cpuid(0xd, 1).b, end);
}

#define SEEN   (NEEDS_AMX | FRESH)
#define SILENT (NEEDS_AMX | FRESH | NOT_INJECT)

const struct claim claims[] = {
	{ "F.34 without XCR0[18:17] AMX is #UD, XFD or not", f34, SEEN },
	{ "F.35 XSETBV: all combinations of components", f35, NEEDS_XSAVE },
	{ "F.35 XSETBV: every bit toggled alone", f35_single, NEEDS_XSAVE },
	{ "F.35 XSETBV with ECX not 0 is #GP(0)", f35_index, NEEDS_XSAVE },
	{ "F.35 XSETBV at CPL 3 is #GP(0)", f35_user, NEEDS_XSAVE },
	{ "F.35 XSETBV without CR4.OSXSAVE is #UD", f35_no_osxsave,
	  NEEDS_XSAVE },
	{ "F.36 XCR0 without tiles does not lose them", f36, SILENT },
	{ "F.37 XCR0[18] set last: the first use is silent", f37, SILENT },
	{ "F.38 without CR4.OSXSAVE AMX and XSAVE are #UD", f38, SEEN },
	{ "F.39 CR0.TS: one #NM, XFD_ERR unchanged, no growth", f39, SEEN },
	{ "F.40 CR0.TS comes before XFD in XRSTOR", f40, SEEN },
	{ "F.41 CR0.TS does not stop TILELOADD", f41, SILENT | OPEN(1) },
	{ "F.42 #NM by EM and by WAIT leaves XFD_ERR alone", f42, SEEN },
	{ "F.43 CPUID.0DH.0:EBX follows XCR0 only", f43, SILENT },
	{ "F.43 CPUID.0DH.1:EBX is the compacted size", f43_compacted,
	  NEEDS_AMX },
};
CLAIMS_END

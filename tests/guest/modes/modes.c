/* SPDX-License-Identifier: MIT */
/* AMX and the XSAVE family outside 64-bit mode: xfd.md F.19, A.5.26. */
#include "lib/check.h"
#include "lib/mode.h"
#include "lib/smp.h"

struct code {
	const char *name;
	u8 bytes[8], count;
};

static const struct code amx[] = {
	{ "LDTILECFG", { 0xc4, 0xe2, 0x78, 0x49, 0x01 }, 5 },
	{ "STTILECFG", { 0xc4, 0xe2, 0x79, 0x49, 0x01 }, 5 },
	{ "TILERELEASE", { 0xc4, 0xe2, 0x78, 0x49, 0xc0 }, 5 },
	{ "TILEZERO", { 0xc4, 0xe2, 0x7b, 0x49, 0xc0 }, 5 },
	{ "TILELOADD", { 0xc4, 0xe2, 0x7b, 0x4b, 0x04, 0x01 }, 6 },
	{ "TILESTORED", { 0xc4, 0xe2, 0x7a, 0x4b, 0x04, 0x01 }, 6 },
	{ "TDPBSSD", { 0xc4, 0xe2, 0x6b, 0x5e, 0xc1 }, 5 },
};
static const u8 nop[]        = { 0x90 };
static const u8 ud2[]        = { 0x0f, 0x0b };
static const u8 xrstor_ecx[] = { 0x0f, 0xae, 0x29 };
static const u8 xsave_ecx[]  = { 0x0f, 0xae, 0x21 };
/* xgetbv; mov %eax, LOW_DATA */
static const u8 xinuse[] = { 0x0f, 0x01, 0xd0, 0xa3, 0x00, 0xa0, 0x00, 0x00 };

static bool modes_work(void)
{
	bool ok = true;

	for (u32 m = 0; m < MODE_COUNT; m++)
		ok &= same("NOP, then INT3",
			   mode_run(m, nop, sizeof(nop), 0, 0, 0), TRAP_BP) &
		      same("UD2", mode_run(m, ud2, sizeof(ud2), 0, 0, 0),
			   TRAP_UD);
	return ok;
}

static bool amx_is_ud(u32 mode)
{
	bool ok = true;

	tiles_start();
	const u64 grown = counted(CALL_GROWTHS, 0);

	for (u32 i = 0; i < ARRAY_SIZE(amx); i++)
		ok &= same(amx[i].name,
			   mode_run(mode, amx[i].bytes, amx[i].count, 0, 0,
				    LOW_DATA),
			   TRAP_UD);
	return ok && xfd_is(0, 0) &&
	       same("growths", counted(CALL_GROWTHS, 0), grown);
}

static bool in_compat(void)
{
	return amx_is_ud(MODE_COMPAT);
}

static bool in_protected(void)
{
	return amx_is_ud(MODE_PROTECTED);
}

static bool in_real(void)
{
	return amx_is_ud(MODE_REAL);
}

static bool in_v86(void)
{
	return amx_is_ud(MODE_V86);
}

/* A standard image of live tiles, where 32-bit code reaches it. */
static bool xrstor_in(u32 mode)
{
	u8 *area = (u8 *)LOW_DATA;

	tiles_start();
	memset(area, 0, AREA_BYTES);
	area_header(area)->xstate_bv = XCR0_TILES;
	memcpy(area_component(area, 17), tile_config_full, TILECFG_BYTES);
	memcpy(area_component(area, 18), tile_source(), TILEDATA_BYTES);
	return same("XRSTOR",
		    mode_run(mode, xrstor_ecx, sizeof(xrstor_ecx), XCR0_TILES,
			     0, LOW_DATA),
		    TRAP_BP) &&
	       xfd_is(0, 0) && tiles_are(tile_source());
}

static bool xrstor_protected(void)
{
	return xrstor_in(MODE_PROTECTED);
}

static bool xrstor_compat(void)
{
	return xrstor_in(MODE_COMPAT);
}

static bool xsave_protected(void)
{
	u8 *area = (u8 *)LOW_DATA;

	tiles_start();
	tiles_load(tile_source());
	memset(area, 0, AREA_BYTES);
	return same("XSAVE",
		    mode_run(MODE_PROTECTED, xsave_ecx, sizeof(xsave_ecx),
			     XCR0_TILES, 0, LOW_DATA),
		    TRAP_BP) &&
	       same("XSTATE_BV", area_header(area)->xstate_bv, XCR0_TILES) &&
	       is("all tiles are saved",
		  !memcmp(area_component(area, 18), tile_source(),
			  TILEDATA_BYTES));
}

static bool nm_in_protected(void)
{
	u8 *area = (u8 *)LOW_DATA;

	tiles_start();
	memset(area, 0, AREA_BYTES);
	area_header(area)->xstate_bv = TILEDATA;
	wrmsr(MSR_XFD, TILEDATA);
	const u64 vector = mode_run(MODE_PROTECTED, xrstor_ecx,
				    sizeof(xrstor_ecx), TILEDATA, 0, LOW_DATA);
	const bool ok =
		same("XRSTOR", vector, TRAP_NM) & xfd_is(TILEDATA, TILEDATA);

	xstate_reset();
	return ok;
}

static bool xgetbv_compat(void)
{
	u32 used;

	tiles_start();
	tiles_load(tile_source());
	const u64 vector =
		mode_run(MODE_COMPAT, xinuse, sizeof(xinuse), 0, 0, 1);

	memcpy(&used, (void *)LOW_DATA, sizeof(used));
	return same("XGETBV", vector, TRAP_BP) &&
	       same("XINUSE[18:17]", used & XCR0_TILES, XCR0_TILES) &&
	       tiles_are(tile_source());
}

#define SEEN   (NEEDS_AMX | FRESH)
#define SILENT (NEEDS_AMX | FRESH | NOT_INJECT)

const struct claim claims[] = {
	{ "all modes are reached and left", modes_work, NEEDS_CPL0 },
	{ "F.19 AMX is #UD in compatibility mode", in_compat, SEEN },
	{ "F.19 AMX is #UD in 32-bit protected mode", in_protected, SEEN },
	{ "F.19 AMX is #UD in real mode", in_real, SEEN },
	{ "F.19 AMX is #UD in virtual-8086 mode", in_v86, SEEN },
	{ "F.19 XRSTOR in 32-bit mode is a first use", xrstor_protected,
	  SILENT },
	{ "F.19 XRSTOR in compatibility mode is a first use", xrstor_compat,
	  SILENT },
	{ "A.5.26 XSAVE in 32-bit mode saves all tiles", xsave_protected,
	  SILENT },
	{ "F.19 XFD set: XRSTOR in 32-bit mode is #NM", nm_in_protected, SEEN },
	{ "A.5.26 XGETBV(1) in compatibility mode shows them", xgetbv_compat,
	  SILENT },
};
CLAIMS_END

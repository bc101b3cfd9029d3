/* SPDX-License-Identifier: MIT */
/*
 * The machine itself: what an emulator of AMX and XFD must get right before
 * any other result in it means something. Meant to run bare. Rules from
 * xfd.md part A; each defect once seen in a model has its claim.
 */
#include "lib/check.h"
#include "lib/mode.h"
#include "lib/page.h"

#define MSR_MPERF 0xe7
#define MSR_APERF 0xe8
#define ZMM_HI16  BIT(7)

static u8 before[AREA_BYTES] __attribute__((aligned(64)));
static u8 after[AREA_BYTES] __attribute__((aligned(64)));

static bool reset_state(void)
{
	u8 config[TILECFG_BYTES];
	u8 *area = area_scratch();

	xstate_enable(true);
	sttilecfg(config);
	memset(area, 0xff, AREA_BYTES);
	memset(area_header(area), 0, sizeof(struct xsave_header));
	return is("TILECFG is zero", mem_is(config, 0, TILECFG_BYTES)) &&
	       none(xsave(area, XCR0_TILES)) &&
	       same("XSTATE_BV", area_header(area)->xstate_bv, 0) &&
	       is("TILEDATA is zero",
		  mem_is(area_component(area, 18), 0, TILEDATA_BYTES)) &&
	       xfd_is(0, 0);
}

static bool enumeration(void)
{
	const struct cpuid c = cpuid(0xd, 17);
	const struct cpuid d = cpuid(0xd, 18);

	return same("0DH.1:EAX[4:0]", cpuid(0xd, 1).a & 0x1f, 0x1f) &
	       same("0DH.11H:EAX", c.a, 64) & same("0DH.11H:ECX", c.c, 2) &
	       same("0DH.12H:EAX", d.a, 8192) & same("0DH.12H:ECX", d.c, 6) &
	       same("0DH.12H:EBX", d.b, 2816) &
	       same("7.0:EDX AMX bits",
		    cpuid(7, 0).d & (BIT(22) | BIT(24) | BIT(25)),
		    BIT(22) | BIT(24) | BIT(25));
}

static bool palette(void)
{
	const struct cpuid p = cpuid(0x1d, 1);
	const struct cpuid t = cpuid(0x1e, 0);

	return same("1DH.0:EAX", cpuid(0x1d, 0).a, 1) &
	       same("1DH.1:EAX", p.a, 1024 << 16 | 8192) &
	       same("1DH.1:EBX", p.b, 8 << 16 | 64) &
	       same("1DH.1:ECX", p.c & 0xffff, 16) &
	       same("1EH.0:EBX", t.b & 0xffffff, 64 << 8 | 16);
}

/* Code that was run is changed and run again, at every place in a page. */
static bool self_modifying(void)
{
	u8 *page  = page_alloc(2);
	u32 wrong = 0;

	tiles_start();
	for (u32 at = 0; at < PAGE_BYTES; at += 7) {
		const u8 code[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
		u32 (*fn)(void) = (u32(*)(void))(void *)(page + at);

		memcpy(page + at, code, sizeof(code));
		wrong += fn() != 1;
		*(volatile u8 *)(page + at + 1) = 2;
		wrong += fn() != 2;
	}
	return same("stale results", wrong, 0);
}

static bool in_use(void)
{
	tiles_start();
	const u64 configured = xgetbv(1) & XCR0_TILES;

	tiles_load(tile_source());
	const u64 live = xgetbv(1) & XCR0_TILES;

	tilerelease();
	return same("after LDTILECFG", configured, TILECFG) &
	       same("after TILELOADD", live, XCR0_TILES) &
	       same("after TILERELEASE", xgetbv(1) & XCR0_TILES, 0);
}

/* SAVE, TILERELEASE, XRSTOR: all 8192 bytes and the configuration return. */
static bool round_trip(struct trap (*save)(void *, u64),
		       struct trap (*restore)(void *, u64), u64 mask)
{
	u8 config[TILECFG_BYTES];
	u8 *area = area_scratch();

	tiles_start();
	tiles_load(tile_source());
	return none(save(area, mask)) &&
	       same("XSTATE_BV", area_header(area)->xstate_bv & XCR0_TILES,
		    XCR0_TILES) &&
	       none(tilerelease()) && none(restore(area, mask)) &&
	       none(sttilecfg(config)) &&
	       is("TILECFG",
		  !memcmp(config, tile_config_full, TILECFG_BYTES)) &&
	       tiles_are(tile_source());
}

static bool trip_xsave(void)
{
	return round_trip(xsave, xrstor, guest.xcr0_max);
}

static bool trip_xsaveopt(void)
{
	return round_trip(xsaveopt, xrstor, XCR0_TILES);
}

static bool trip_xsavec(void)
{
	return round_trip(xsavec, xrstor, guest.xcr0_max);
}

static bool trip_xsaves(void)
{
	return round_trip(xsaves, xrstors, guest.xcr0_max);
}

static bool config_is_image(void)
{
	static const u8 odd[TILECFG_BYTES] __attribute__((aligned(64))) = {
		[0] = 1,  [16] = 32, [18] = 8,  [20] = 64,
		[48] = 8, [49] = 3,  [50] = 16,
	};
	u8 config[TILECFG_BYTES];
	u8 *area = area_scratch();

	tiles_start();
	return none(ldtilecfg(odd)) && none(sttilecfg(config)) &&
	       is("STTILECFG stores it", !memcmp(config, odd, sizeof(odd))) &&
	       none(xsave(area, TILECFG)) &&
	       is("XSAVE stores it",
		  !memcmp(area_component(area, 17), odd, sizeof(odd))) &&
	       none(tilerelease()) && none(xrstor(area, TILECFG)) &&
	       none(sttilecfg(config)) &&
	       is("XRSTOR loads it", !memcmp(config, odd, sizeof(odd)));
}

static bool config_alone(void)
{
	u8 *area = area_scratch();

	tiles_start();
	tiles_load(tile_source());
	return none(xsave(area, TILECFG)) && none(xrstor(area, TILECFG)) &&
	       tiles_are(tile_source());
}

static bool config_invalid(void)
{
	u8 config[TILECFG_BYTES];
	u8 *area = area_scratch();

	tiles_start();
	area_header(area)->xstate_bv = TILECFG;
	area_component(area, 17)[0]  = 2; /* no such palette */
	return none(xrstor(area, TILECFG)) && none(sttilecfg(config)) &&
	       is("TILECFG is initial", mem_is(config, 0, sizeof(config)));
}

/* Where component I lies in the compacted format with components MASK. */
static u32 packed_offset(u32 i, u64 mask)
{
	u32 at = 576;

	for (u32 n = 2; n <= i; n++) {
		if (!(mask & BIT(n)))
			continue;
		if (cpuid(0xd, n).c & 2)
			at = (at + 63) & ~63u;
		if (n == i)
			break;
		at += guest.component[n].bytes;
	}
	return at;
}

static bool compacted_places(void)
{
	const u64 all = guest.xcr0_max;
	u8 *area      = area_scratch();

	tiles_start();
	area_random(before, all, 6);
	xrstor(before, all);
	const struct trap t = xsavec(area, all);

	xstate_start();
	for (u32 i = 2; i < 63; i++)
		if ((all & BIT(i)) &&
		    memcmp(area + packed_offset(i, all),
			   area_component(before, i),
			   BIT(i) == XCR0_PKRU ? 4 : guest.component[i].bytes))
			return is("every component has its place", false);
	return none(t) && same("0DH.1:EBX", cpuid(0xd, 1).b,
			       packed_offset(18, all) + (u32)TILEDATA_BYTES);
}

static bool compacted_part(void)
{
	u8 *area = area_scratch();

	tiles_start();
	tiles_load(tile_source());
	return none(xsavec(area, guest.xcr0_max)) && none(tilezero0()) &&
	       none(xrstor(area, TILEDATA)) && tiles_are(tile_source());
}

static bool small_compacted(void)
{
	const u64 small = guest.xcr0_max & ~TILEDATA;
	u8 *area        = area_scratch();

	tiles_start();
	tiles_load(tile_source());
	return none(xsavec(area, small)) &&
	       none(xrstors(area, guest.xcr0_max)) && tiles_are(NULL);
}

static bool whole_state(void)
{
	tiles_start();
	area_random(before, guest.xcr0_max, 3);
	const struct trap in  = xrstor(before, guest.xcr0_max);
	const struct trap out = xsave(after, guest.xcr0_max);

	xstate_start();
	return none(in) && none(out) &&
	       same("component that differs",
		    area_difference(before, after, guest.xcr0_max), -1);
}

/* Outside 64-bit mode ZMM16-31 count as initial. */
static bool hi16_outside(void)
{
	static const u8 code[] = { 0x0f, 0x01, 0xd0, 0xa3,
				   0x00, 0xa0, 0x00, 0x00 };
	u32 used;

	tiles_start();
	area_random(before, ZMM_HI16, 10);
	xrstor(before, ZMM_HI16);
	const u64 vector = mode_run(MODE_COMPAT, code, sizeof(code), 0, 0, 1);
	const u64 inside = xgetbv(1);

	memcpy(&used, (void *)LOW_DATA, sizeof(used));
	return same("XGETBV", vector, TRAP_BP) &&
	       same("XINUSE[7] in 64-bit mode", inside & ZMM_HI16, ZMM_HI16) &&
	       same("XINUSE[7] outside", used & ZMM_HI16, 0);
}

static bool misc_enable(void)
{
	u64 val = 0;

	return none(try_rdmsr(MSR_MISC_ENABLE, &val)) &&
	       same("fast strings", val & 1, 1);
}

static bool perf_clocks(void)
{
	u64 val;

	if (!(cpuid(6, 0).c & 1))
		return true;
	return none(try_rdmsr(MSR_APERF, &val)) &&
	       none(try_rdmsr(MSR_MPERF, &val));
}

static bool apic_again(void)
{
	const u64 base = rdmsr(MSR_APIC_BASE);
	const u64 on   = BIT(11);

	if (base & BIT(10))
		return true;
	wrmsr(MSR_APIC_BASE, base & ~on);
	const u64 off = rdmsr(MSR_APIC_BASE);

	return none(try_wrmsr(MSR_APIC_BASE, base)) &&
	       same("disabled", off & on, 0) &&
	       same("enabled again", rdmsr(MSR_APIC_BASE) & on, on);
}

/* Which instruction takes #NM with XFD set: the table of A.3.14. */
static bool nm_table(void)
{
	static u8 config[TILECFG_BYTES];
	static u8 data[TILE_BYTES];
	u8 *live = area_scratch();
	bool ok  = true;

	tiles_start();
	tiles_load(tile_source());
	xsave(live, XCR0_TILES);
	wrmsr(MSR_XFD, TILEDATA);
#define ROW(insn, vector_)                                                     \
	do {                                                                   \
		wrmsr(MSR_XFD_ERR, 0);                                         \
		ok &= same(#insn, (insn).vector, vector_);                     \
		ok &= same("its XFD_ERR", rdmsr(MSR_XFD_ERR),                  \
			   (vector_) == TRAP_NM ? TILEDATA : 0);               \
	} while (0)
	ROW(ldtilecfg(tile_config_full), TRAP_NONE);
	ROW(sttilecfg(config), TRAP_NONE);
	ROW(tileload0(data), TRAP_NM);
	ROW(tilestore0(data), TRAP_NM);
	ROW(tilezero0(), TRAP_NM);
	ROW(tdpbssd(), TRAP_NM);
	ROW(TRY("tdpbsud %%tmm2, %%tmm1, %%tmm0", : : : "memory"), TRAP_NM);
	ROW(TRY("tdpbusd %%tmm2, %%tmm1, %%tmm0", : : : "memory"), TRAP_NM);
	ROW(TRY("tdpbuud %%tmm2, %%tmm1, %%tmm0", : : : "memory"), TRAP_NM);
	ROW(TRY("tdpbf16ps %%tmm2, %%tmm1, %%tmm0", : : : "memory"), TRAP_NM);
	ROW(TRY("tileloaddt1 (%0,%1,1), %%tmm0",
		:
		: "r"(data), "r"(64ul)
		: "memory"),
	    TRAP_NM);
	ROW(xrstor(live, TILEDATA), TRAP_NM);
	ROW(xrstor(live, TILECFG), TRAP_NONE);
	ROW(xsave(after, XCR0_TILES), TRAP_NONE);
	ROW(xsavec(after, XCR0_TILES), TRAP_NONE);
	ROW(xsaves(after, XCR0_TILES), TRAP_NONE);
	ROW(xrstors(after, XCR0_TILES), TRAP_NONE);
	ROW(tilerelease(), TRAP_NONE);
#undef ROW
	xstate_reset();
	return ok;
}

static bool xfd_needs_xcr0(void)
{
	static u8 data[TILE_BYTES];

	tiles_start();
	xstate_enable(false);
	wrmsr(MSR_XFD, TILEDATA);
	const bool ok = same("TILELOADD", tileload0(data).vector, TRAP_UD) &&
			xfd_is(TILEDATA, 0);

	xstate_reset();
	return ok;
}

static bool header_first(void)
{
	u8 *area = area_scratch();

	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	area_header(area)->xstate_bv   = TILEDATA;
	area_header(area)->reserved[5] = 1;
	area_header(area)->xcomp_bv    = XCOMP_PACKED; /* lacks TILEDATA */
	const bool ok =
		took(xrstor(area, TILEDATA), TRAP_GP, 0) && xfd_is(TILEDATA, 0);

	xstate_reset();
	return ok;
}

static bool bad_config(void)
{
	u8 bad[TILECFG_BYTES] __attribute__((aligned(64)));
	u8 config[TILECFG_BYTES];
	static const struct {
		u8 at, val;
	} spoil[] = {
		{ 0, 2 },  { 2, 1 },  { 15, 1 },  { 16, 65 }, { 17, 1 },
		{ 32, 1 }, { 47, 1 }, { 48, 17 }, { 56, 1 },
	};
	bool ok = true;

	tiles_start();
	for (u32 i = 0; i < ARRAY_SIZE(spoil); i++) {
		memcpy(bad, tile_config_full, sizeof(bad));
		bad[spoil[i].at] = spoil[i].val;
		ok &= took(ldtilecfg(bad), TRAP_GP, 0);
	}
	return ok && none(sttilecfg(config)) &&
	       is("TILECFG unchanged",
		  !memcmp(config, tile_config_full, sizeof(config)));
}

/* One dot product against scalar code. */
static bool dot_product(void)
{
	static signed char a[16][64], b[16][64];
	static int c[16][16];
	u32 wrong = 0;

	tiles_start();
	mem_random(a, sizeof(a), 1);
	mem_random(b, sizeof(b), 2);
	asm volatile("tilezero %%tmm0\n\t"
		     "tileloadd (%0,%2,1), %%tmm1\n\t"
		     "tileloadd (%1,%2,1), %%tmm2\n\t"
		     "tdpbssd %%tmm2, %%tmm1, %%tmm0\n\t"
		     "tilestored %%tmm0, (%3,%2,1)"
		     :
		     : "r"(a), "r"(b), "r"(64ul), "r"(c)
		     : "memory");
	for (u32 m = 0; m < 16; m++) {
		for (u32 n = 0; n < 16; n++) {
			int sum = 0;

			for (u32 k = 0; k < 64; k++)
				sum += a[m][k] * b[k / 4][4 * n + k % 4];
			wrong += c[m][n] != sum;
		}
	}
	return same("wrong elements", wrong, 0);
}

const struct claim claims[] = {
	{ "A.2.8 reset: tiles initial, XFD and XFD_ERR 0", reset_state,
	  NEEDS_AMX },
	{ "A.1 CPUID enumerates XFD and the tile components", enumeration,
	  NEEDS_AMX },
	{ "A.1.7 CPUID describes palette 1 and TMUL", palette, NEEDS_AMX },
	{ "code is run as written while AMX is enabled", self_modifying,
	  NEEDS_AMX },
	{ "A.5.25 XINUSE follows the tiles", in_use, NEEDS_AMX | NOT_INJECT },
	{ "XSAVE and XRSTOR carry all rows", trip_xsave, NEEDS_AMX },
	{ "XSAVEOPT and XRSTOR carry all rows", trip_xsaveopt, NEEDS_AMX },
	{ "XSAVEC and XRSTOR carry all rows", trip_xsavec, NEEDS_AMX },
	{ "XSAVES and XRSTORS carry all rows", trip_xsaves, NEEDS_AMX },
	{ "TILECFG has its image in all instructions", config_is_image,
	  NEEDS_AMX },
	{ "A.5.26 XRSTOR of TILECFG alone keeps the tiles", config_alone,
	  NEEDS_AMX },
	{ "A.5.26 XRSTOR of an invalid TILECFG initialises it", config_invalid,
	  NEEDS_AMX },
	{ "compacted components are where CPUID says", compacted_places,
	  NEEDS_AMX },
	{ "XRSTOR takes one component out of a compacted area", compacted_part,
	  NEEDS_AMX },
	{ "A.5.24 XRSTORS initialises what the area lacks", small_compacted,
	  NEEDS_AMX },
	{ "all components survive XRSTOR and XSAVE", whole_state, NEEDS_AMX },
	{ "ZMM16-31 are initial outside 64-bit mode", hi16_outside, NEEDS_AMX },
	{ "IA32_MISC_ENABLE exists, with fast strings", misc_enable, 0 },
	{ "IA32_APERF and IA32_MPERF exist if enumerated", perf_clocks, 0 },
	{ "the local APIC can be disabled and enabled again", apic_again,
	  ON_BARE | NEEDS_APIC },
	{ "A.3.14 which instructions take #NM from XFD", nm_table,
	  NEEDS_AMX | NOT_INJECT },
	{ "A.3.15 XFD acts only on what XCR0 enables", xfd_needs_xcr0,
	  NEEDS_AMX },
	{ "A.4.18 header #GP comes before #NM", header_first,
	  NEEDS_AMX | OPEN(3) },
	{ "A.4.17 LDTILECFG refuses every bad field", bad_config, NEEDS_AMX },
	{ "TDPBSSD multiplies", dot_product, NEEDS_AMX | NOT_INJECT },
};
CLAIMS_END

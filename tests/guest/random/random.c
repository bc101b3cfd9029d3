/* SPDX-License-Identifier: MIT */
/*
 * Random steps with tiles, XFD, XCR0 and CR0.TS against a small model of the
 * bare machine (xfd.md part A). It predicts every vector, both MSRs and every
 * byte, wherever the first use falls. Live tiles under XFD are predicted to
 * stay, which is more than the architecture promises. The word steps= sets
 * the length, seed= the first seed.
 */
#include "lib/check.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define STEPS    3000
#define PATTERNS 4 /* 0 is all zeros */

/* What the machine must be in. */
struct model {
	bool xcr0, xfd, err, ts, configured;
	u32 tiles; /* the pattern in tile 0 */
	u64 random;
	u8 *area;
};

static u8 patterns[PATTERNS][TILEDATA_BYTES] __attribute__((aligned(64)));

static u32 pick(struct model *m, u32 count)
{
	return (u32)(random_next(&m->random) >> 32) % count;
}

/* The vector of an AMX instruction that touches tile data. */
static u64 tile_vector(struct model *m)
{
	if (!m->xcr0)
		return TRAP_UD;
	if (m->xfd) {
		m->err = true;
		return TRAP_NM;
	}
	return m->configured ? TRAP_NONE : TRAP_UD;
}

static u64 config_vector(const struct model *m)
{
	return m->xcr0 ? TRAP_NONE : TRAP_UD;
}

static bool step_xfd(struct model *m)
{
	m->xfd = pick(m, 2);
	return same("WRMSR XFD",
		    try_wrmsr(MSR_XFD, m->xfd ? TILEDATA : 0).vector,
		    TRAP_NONE);
}

static bool step_err(struct model *m)
{
	m->err = pick(m, 2);
	return same("WRMSR XFD_ERR",
		    try_wrmsr(MSR_XFD_ERR, m->err ? TILEDATA : 0).vector,
		    TRAP_NONE);
}

static bool step_illegal(struct model *m)
{
	const u32 msr = pick(m, 2) ? MSR_XFD : MSR_XFD_ERR;

	return same("illegal WRMSR", try_wrmsr(msr, BIT(pick(m, 18))).vector,
		    TRAP_GP);
}

static bool step_xcr0(struct model *m)
{
	m->xcr0 = pick(m, 4);
	xstate_enable(m->xcr0);
	return true;
}

static bool step_ts(struct model *m)
{
	m->ts = pick(m, 2);
	if (m->ts)
		set_ts();
	else
		clts();
	return true;
}

static bool step_ldtilecfg(struct model *m)
{
	const u64 want = config_vector(m);

	if (want == TRAP_NONE) {
		m->configured = true;
		m->tiles      = 0;
	}
	return same("LDTILECFG", ldtilecfg(tile_config_full).vector, want);
}

static bool step_tilerelease(struct model *m)
{
	const u64 want = config_vector(m);

	if (want == TRAP_NONE) {
		m->configured = false;
		m->tiles      = 0;
	}
	return same("TILERELEASE", tilerelease().vector, want);
}

static bool step_sttilecfg(struct model *m)
{
	static const u8 zeros[TILECFG_BYTES];
	u8 got[TILECFG_BYTES];
	const u64 want = config_vector(m);

	return same("STTILECFG", sttilecfg(got).vector, want) &&
	       (want != TRAP_NONE ||
		is("TILECFG is right",
		   !memcmp(got, m->configured ? tile_config_full : zeros,
			   sizeof(got))));
}

static bool step_tileload(struct model *m)
{
	const u32 which = pick(m, PATTERNS);
	const u64 want  = tile_vector(m);

	if (want == TRAP_NONE)
		m->tiles = which;
	return same("TILELOADD", tileload0(patterns[which]).vector, want);
}

static bool step_tilezero(struct model *m)
{
	const u64 want = tile_vector(m);

	if (want == TRAP_NONE)
		m->tiles = 0;
	return same("TILEZERO", tilezero0().vector, want);
}

static bool step_tilestore(struct model *m)
{
	u8 got[TILE_BYTES];
	const u64 want = tile_vector(m);

	return same("TILESTORED", tilestore0(got).vector, want) &&
	       (want != TRAP_NONE ||
		is("tile 0 is right",
		   !memcmp(got, patterns[m->tiles], sizeof(got))));
}

/* An image of TILEDATA alone, so that a #NM leaves nothing half done. */
static bool step_xrstor(struct model *m)
{
	const u32 which = pick(m, PATTERNS);
	u64 want        = TRAP_NONE;

	memset(m->area, 0, 576);
	area_header(m->area)->xstate_bv = TILEDATA;
	memcpy(area_component(m->area, 18), patterns[which], TILE_BYTES);
	if (m->ts) {
		want = TRAP_NM;
	} else if (!m->xcr0) {
		want = TRAP_GP;
	} else if (m->xfd) {
		want   = TRAP_NM;
		m->err = true;
	} else {
		m->tiles = which;
	}
	return same("XRSTOR", xrstor(m->area, TILEDATA).vector, want);
}

static bool step_xrstor_initial(struct model *m)
{
	memset(m->area, 0, 576);
	if (m->xcr0 && !m->ts)
		m->tiles = 0;
	return same("XRSTOR of nothing", xrstor(m->area, TILEDATA).vector,
		    m->ts ? TRAP_NM : TRAP_NONE);
}

/* Saved is what is there, but nothing while XFD is set. */
static bool step_save(struct model *m)
{
	const bool packed = pick(m, 2);
	u8 *data = packed ? m->area + 576 : area_component(m->area, 18);
	memset(m->area, 0, 576);
	memset(data, 0xee, TILE_BYTES);
	const struct trap t =
		packed ? xsavec(m->area, TILEDATA) : xsave(m->area, TILEDATA);
	const u64 bv    = area_header(m->area)->xstate_bv;
	const u32 tiles = m->xfd ? 0 : m->tiles;

	if (m->ts)
		return same("XSAVE", t.vector, TRAP_NM);
	if (!same("XSAVE", t.vector, TRAP_NONE))
		return false;
	if (!m->xcr0)
		return same("XSTATE_BV", bv, 0);
	if (tiles || bv)
		return same("XSTATE_BV", bv, TILEDATA) &
		       is("XFD is clear", !m->xfd) &
		       is("tile 0 is saved",
			  !memcmp(data, patterns[tiles], TILE_BYTES));
	return is("initial tiles are zeros, or not written",
		  mem_is(data, packed ? 0xee : 0, TILE_BYTES));
}

static bool step_sse(struct model *m)
{
	return same("MOVAPS",
		    TRY("movaps %%xmm0, %%xmm0",
			:
			:
			: "memory")
			    .vector,
		    m->ts ? TRAP_NM : TRAP_NONE);
}

static bool step_away(struct model *m)
{
	if (pick(m, 2))
		smp_relax();
	else
		cpuid(0, 0);
	return true;
}

static bool (*const steps[])(struct model *m) = {
	step_xfd,       step_err,       step_illegal,        step_xcr0,
	step_ts,        step_ldtilecfg, step_ldtilecfg,      step_tilerelease,
	step_sttilecfg, step_tileload,  step_tileload,       step_tilezero,
	step_tilestore, step_tilestore, step_xrstor,         step_save,
	step_save,      step_sse,       step_xrstor_initial, step_away,
};

static bool random_steps(u64 seed)
{
	const u32 count = (u32)guest_number("steps", STEPS);
	struct model m  = { .random = seed, .xcr0 = true };
	bool ok         = true;

	xstate_enable(true);
	asm volatile("tilerelease");
	if (rdmsr(MSR_XFD) || rdmsr(MSR_XFD_ERR)) {
		xstate_reset();
		asm volatile("tilerelease");
	}
	m.area = page_alloc(AREA_BYTES / PAGE_BYTES);
	for (u32 i = 0; i < count && ok; i++) {
		const u32 which = pick(&m, ARRAY_SIZE(steps));

		ok = steps[which](&m) &&
		     xfd_is(m.xfd ? TILEDATA : 0, m.err ? TILEDATA : 0) &&
		     same("CR0.TS", !!(read_cr0() & CR0_TS), m.ts);
		if (!ok)
			printk("# seed %lu, step %u of kind %u\n", seed, i,
			       which);
	}
	clts();
	xstate_reset();
	return ok;
}

static bool one_seed(void)
{
	static u64 seed;

	if (!seed)
		seed = guest_number("seed", 1);
	for (u32 i = 1; i < PATTERNS; i++)
		mem_random(patterns[i], TILE_BYTES, i);
	return random_steps(__atomic_fetch_add(&seed, 1, __ATOMIC_RELAXED));
}

static bool all_cpus(void)
{
	return smp_run_all(one_seed);
}

#define SILENT (NEEDS_AMX | FRESH | NOT_INJECT)

const struct claim claims[] = {
	{ "random steps go as on the bare machine, seed 1", one_seed, SILENT },
	{ "random steps go as on the bare machine, seed 2", one_seed, SILENT },
	{ "random steps go as on the bare machine, seed 3", one_seed, SILENT },
	{ "random steps go as on the bare machine, seed 4", one_seed, SILENT },
	{ "random steps go as on the bare machine, seed 5", one_seed, SILENT },
	{ "random steps go as on the bare machine, seed 6", one_seed, SILENT },
	{ "and on all CPUs at once", all_cpus, NEEDS_AMX | NOT_INJECT },
};
CLAIMS_END

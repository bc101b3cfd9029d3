/* SPDX-License-Identifier: MIT */
/*
 * vCPUs that take turns keep their whole extended state: xfd.md F.28, F.32,
 * F.36, F.57, F.58, F.60, F.61. The word switches= is the total of F.57.
 */
#include "lib/check.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define SWITCHES_BARE 2000
#define NEW_STATE     16 /* rounds between two states */

static struct barrier barrier;
static u32 rounds;
static volatile bool partner_quits;

/* Odd CPUs run with fewer components, so XCR0 differs at every switch. */
static u64 components(void)
{
	return this_cpu()->index & 1 ? guest.xcr0_max & ~XCR0_PKRU
				     : guest.xcr0_max;
}

struct state {
	u8 *want, *got;
	u64 xfd, xfd_err, seed;
};

static bool state_change(struct state *s, u32 round)
{
	const u32 cpu = this_cpu()->index;

	area_random(s->want, components(), ++s->seed);
	wrmsr(MSR_XFD, 0); /* XRSTOR of tiles obeys it */
	const bool ok = none(xrstor(s->want, components()));

	s->xfd     = (cpu + round / NEW_STATE) & 1 ? TILEDATA : 0;
	s->xfd_err = cpu & 1 ? TILEDATA : 0;
	wrmsr(MSR_XFD_ERR, s->xfd_err);
	wrmsr(MSR_XFD, s->xfd);
	return ok;
}

/* Live tiles under XFD are looked at too: our promise is that they stay. */
static bool state_holds(const struct state *s, u32 round)
{
	if (!xfd_is(s->xfd, s->xfd_err) ||
	    !same("XCR0", xgetbv(0), components()))
		return false;
	if (s->xfd)
		wrmsr(MSR_XFD, 0);
	xsave(s->got, components());
	if (s->xfd)
		wrmsr(MSR_XFD, s->xfd);
	const int differs = area_difference(s->want, s->got, components());

	if (differs >= 0)
		printk("# cpu %u round %u: component %d differs\n",
		       this_cpu()->index, round, differs);
	return differs < 0;
}

static bool f57_cpu(void)
{
	struct state s = {
		.want = page_alloc(AREA_BYTES / PAGE_BYTES),
		.got  = page_alloc(AREA_BYTES / PAGE_BYTES),
		.seed = 1000ul * this_cpu()->index,
	};
	bool ok = true;

	tiles_start();
	xsetbv(components());
	smp_barrier(&barrier, guest.vcpus);
	const u64 before = counted(CALL_SWITCHES, 0);

	for (u32 i = 0; i < rounds && ok; i++) {
		if (i % NEW_STATE == 0)
			ok = state_change(&s, i);
		smp_relax();
		ok = ok && state_holds(&s, i);
	}
	const u64 after = counted(CALL_SWITCHES, 0);

	xstate_reset();
	smp_barrier(&barrier, guest.vcpus);
	/* With several CPUs beneath it may have one for itself. */
	return ok &&
	       (!hosted() || guest.vcpus < 2 || guest_number("cpus", 1) > 1 ||
		is("the CPU was given away in most rounds",
		   after - before >= rounds / 2));
}

static bool f57(void)
{
	rounds = (u32)guest_number("switches", SWITCHES_BARE) / guest.vcpus;
	return smp_run_all(f57_cpu);
}

/*
 * LDTILECFG clears the tiles, so the other CPU must run once more behind it:
 * only then can its tiles be the ones a first use would show.
 */
static bool configured_and_away(void)
{
	u8 config[TILECFG_BYTES];

	xstate_enable(true);
	sttilecfg(config);
	const bool ok =
		is("TILECFG is zero", mem_is(config, 0, sizeof(config))) &&
		none(ldtilecfg(tile_config_full));

	for (u32 i = 0; i < 3; i++)
		smp_relax();
	return ok;
}

static bool first_tilestored(void)
{
	return configured_and_away() && tiles_are(NULL);
}

static bool first_xsave(void)
{
	u8 *area = area_scratch();

	memset(area, 0xff, AREA_BYTES);
	memset(area_header(area), 0, sizeof(struct xsave_header));
	return configured_and_away() && none(tilezero0()) &&
	       none(xsave(area, XCR0_TILES)) &&
	       is("8192 bytes are zero",
		  mem_is(area_component(area, 18), 0, TILEDATA_BYTES));
}

static bool unused_xsave(void)
{
	u8 *area = area_scratch();

	xstate_enable(true);
	memset(area, 0xff, AREA_BYTES);
	memset(area_header(area), 0, sizeof(struct xsave_header));
	return none(xsave(area, XCR0_TILES)) &&
	       is("8192 bytes are zero",
		  mem_is(area_component(area, 18), 0, TILEDATA_BYTES)) &&
	       is("TILECFG is zero",
		  mem_is(area_component(area, 17), 0, TILECFG_BYTES));
}

/* TASK on a new CPU while this one has live tiles. */
static bool beside_live_tiles(bool (*task)(void))
{
	const u32 other = smp_fresh();

	if (!other)
		return is("enough CPUs", !guest.fresh);
	tiles_start();
	tiles_load(tile_source());
	return smp_run(other, task) && tiles_are(tile_source());
}

static bool f58_tilestored(void)
{
	return beside_live_tiles(first_tilestored);
}

static bool f58_xsave(void)
{
	return beside_live_tiles(first_xsave);
}

static bool f58_unused(void)
{
	return beside_live_tiles(unused_xsave);
}

static bool has_its_own_zero(void)
{
	xstate_reset();
	smp_relax();
	return xfd_is(0, 0);
}

static bool f28(void)
{
	tiles_start();
	wrmsr(MSR_XFD_ERR, TILEDATA);
	const bool ok = smp_run(1, has_its_own_zero) & xfd_is(0, TILEDATA);

	wrmsr(MSR_XFD_ERR, 0);
	return ok;
}

static bool uses_tiles(void)
{
	tiles_start();
	tiles_load(tile_source() + 1); /* other bytes than CPU 0 */
	smp_relax();
	return true;
}

static bool f32(void)
{
	tiles_start();
	tiles_load(tile_source());
	wrmsr(MSR_XFD, TILEDATA);
	const bool ok = smp_run(1, uses_tiles) & xfd_is(TILEDATA, 0);

	wrmsr(MSR_XFD, 0);
	return ok && tiles_are(tile_source());
}

static bool f36(void)
{
	u8 config[TILECFG_BYTES];

	tiles_start();
	tiles_load(tile_source());
	xstate_enable(false);
	const bool ok = smp_run(1, uses_tiles) &
			same("XCR0", xgetbv(0), guest.xcr0_max & ~XCR0_TILES);

	xstate_enable(true);
	return ok && none(sttilecfg(config)) &&
	       is("TILECFG is kept",
		  !memcmp(config, tile_config_full, TILECFG_BYTES)) &&
	       tiles_are(tile_source());
}

static bool busy_partner(void)
{
	struct state s = {
		.want = page_alloc(AREA_BYTES / PAGE_BYTES),
		.got  = page_alloc(AREA_BYTES / PAGE_BYTES),
	};
	bool ok = true;

	tiles_start();
	xsetbv(components());
	while (!partner_quits && ok) {
		ok = state_change(&s, 0);
		smp_relax();
		ok = ok && state_holds(&s, 0);
	}
	xstate_reset();
	return ok;
}

/* One component after the other changes between two saves of the area. */
static bool f62(void)
{
	u8 *want = page_alloc(AREA_BYTES / PAGE_BYTES);
	u8 *next = page_alloc(AREA_BYTES / PAGE_BYTES);
	u8 *got  = page_alloc(AREA_BYTES / PAGE_BYTES);
	int bad  = -1;

	partner_quits = false;
	smp_start(1, busy_partner);
	tiles_start();
	area_random(want, guest.xcr0_max, 62);
	xrstor(want, guest.xcr0_max);
	for (u32 i = 0; i < 63 * 4 && bad < 0; i++) {
		const u64 one = BIT(i % 63) & guest.xcr0_max & ~TILECFG;

		if (!one)
			continue;
		area_random(next, one, 1000 + i);
		if (one != XCR0_SSE) /* XRSTOR of AVX loads MXCSR as well */
			memcpy(next + 24, want + 24, 4);
		xrstor(next, one);
		area_copy(want, next, i % 63);
		smp_relax();
		xsave(got, guest.xcr0_max);
		bad = area_difference(want, got, guest.xcr0_max);
	}
	xstate_reset();
	partner_quits = true;
	return smp_wait(1) && same("component that differs", bad, -1);
}

static bool f60_cpu(void)
{
	u8 got[TILE_BYTES];
	const u8 *own = tile_source() + this_cpu()->index;

	tiles_start();
	smp_barrier(&barrier, guest.vcpus);
	const bool ok = none(tileload0(own));

	smp_barrier(&barrier, guest.vcpus);
	return none(tilestore0(got)) && ok &&
	       is("its own bytes", !memcmp(got, own, sizeof(got)));
}

static bool f60(void)
{
	return smp_run_all(f60_cpu);
}

/* All of the state is random and live when the tiles are first used. */
static bool f61(void)
{
	u8 *want       = page_alloc(AREA_BYTES / PAGE_BYTES);
	u8 *got        = page_alloc(AREA_BYTES / PAGE_BYTES);
	const u64 rest = guest.xcr0_max & ~TILEDATA;

	tiles_start();
	area_random(want, rest, 61);
	xrstor(want, rest);
	const struct trap t = tilezero0();

	xsave(got, rest);
	const int differs = area_difference(want, got, rest);

	xstate_reset();
	return none(t) && same("component that differs", differs, -1);
}

#define SILENT (NEEDS_AMX | NOT_INJECT)

const struct claim claims[] = {
	{ "F.61 growth leaves all other state alone", f61, SILENT | FRESH },
	{ "F.58 tiles of another vCPU: TILESTORED stores zeros", f58_tilestored,
	  SILENT | NEEDS_SMP },
	{ "F.58 tiles of another vCPU: XSAVE stores zeros", f58_xsave,
	  SILENT | NEEDS_SMP },
	{ "F.58 tiles of another vCPU: XSAVE before any use stores zeros",
	  f58_unused, SILENT | NEEDS_SMP },
	{ "F.28 XFD_ERR is a vCPU's own", f28, SILENT | NEEDS_SMP },
	{ "F.32 live tiles under XFD survive a switch", f32,
	  SILENT | NEEDS_SMP },
	{ "F.36 tiles without XCR0[18] survive a switch", f36,
	  SILENT | NEEDS_SMP },
	{ "F.60 all vCPUs use tiles for the first time at once", f60, SILENT },
	{ "F.62 no save after growth is stale", f62, SILENT | NEEDS_SMP },
	{ "F.57 every vCPU keeps its state over all switches", f57, SILENT },
};
CLAIMS_END

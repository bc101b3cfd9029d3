/* SPDX-License-Identifier: MIT */
/*
 * What things cost, in ticks of the TSC, as lines "bench NAME VALUE UNIT". In
 * an emulator one tick is one instruction, of the hypervisor's too. The only
 * claims are that the measured things happened.
 */
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define ROUNDS   1000
#define THREADS  100
#define SWITCHES 1000

static void report(const char *name, const char *suffix, u64 val,
		   const char *unit)
{
	printk("bench %s%s%s %lu %s\n", name, suffix, policy_name(), val, unit);
}

static u64 smallest(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* The cheapest of ROUNDS, so that a slice that ended does not count. */
static bool cpuid_roundtrip(void)
{
	u64 best = ~0ull;

	for (u32 i = 0; i < ROUNDS; i++) {
		const u64 from = rdtsc();

		cpuid(0, 0);
		best = smallest(best, rdtsc() - from);
	}
	printk("bench cpuid_roundtrip_ticks %lu ticks\n", best);
	return true;
}

static bool msr_roundtrip(void)
{
	u64 best = ~0ull;

	for (u32 i = 0; i < ROUNDS; i++) {
		const u64 from = rdtsc();

		rdmsr(MSR_MISC_ENABLE);
		best = smallest(best, rdtsc() - from);
	}
	printk("bench msr_roundtrip_ticks %lu ticks\n", best);
	return true;
}

static u64 tile_exits(void)
{
	return counted(CALL_NM_EXITS, 0) + counted(CALL_XFD_EXITS, 0);
}

/* Each thread is switched in with XFD set and uses tiles once. */
static bool first_uses(void)
{
	bool ok = true;

	write_cr4(read_cr4() | CR4_OSXSAVE);
	report("area_before_use_bytes", "_", counted(CALL_AREA_BYTES, 0),
	       "bytes");
	wrmsr(MSR_XFD, TILEDATA);
	xsetbv(guest.xcr0_max);
	asm volatile("ldtilecfg (%0)" : : "r"(tile_config_full));
	nm_watch(NM_ENABLE, THREADS, false);
	for (u32 i = 1; i <= THREADS; i++) {
		wrmsr(MSR_XFD, TILEDATA);
		const u8 *from  = tile_source();
		const u64 exits = tile_exits();
		const u64 start = rdtsc();

		asm volatile("tileloadd (%0,%1,1), %%tmm0"
			     :
			     : "r"(from), "r"(64ul)
			     : "memory");
		const u64 ticks = rdtsc() - start;

		if (i != 1 && i != THREADS)
			continue;
		report(i == 1 ? "first_use_1_ticks" : "first_use_100_ticks",
		       "_", ticks, "ticks");
		report(i == 1 ? "first_use_1_exits" : "first_use_100_exits",
		       "_", tile_exits() - exits, "exits");
	}
	ok &= same("#NM seen", nm_seen.count, THREADS);
	report("area_after_use_bytes", "_", counted(CALL_AREA_BYTES, 0),
	       "bytes");
	return ok && tile0_is(tile_source());
}

static bool later_uses(void)
{
	const u8 *from  = tile_source();
	const u64 exits = tile_exits();
	const u64 start = rdtsc();

	for (u32 i = 0; i < ROUNDS; i++)
		asm volatile("tileloadd (%0,%1,1), %%tmm0"
			     :
			     : "r"(from), "r"(64ul)
			     : "memory");
	report("later_use_ticks", "_", (rdtsc() - start) / ROUNDS, "ticks");
	report("later_use_exits", "_", tile_exits() - exits, "exits");
	return tile0_is(from);
}

static bool xfd_toggle(void)
{
	const u64 exits = tile_exits();
	const u64 start = rdtsc();

	for (u32 i = 0; i < ROUNDS; i++) {
		wrmsr(MSR_XFD, TILEDATA);
		wrmsr(MSR_XFD, 0);
	}
	report("xfd_toggle_ticks", "_", (rdtsc() - start) / ROUNDS, "ticks");
	report("xfd_toggle_exits", "_", tile_exits() - exits, "exits");
	return true;
}

static volatile bool quit, ready;
static bool live;

static void state_for_switch(void)
{
	tiles_start();
	if (live)
		tiles_load(tile_source());
	else
		tilerelease();
}

static bool partner(void)
{
	state_for_switch();
	ready = true;
	while (!quit)
		smp_relax();
	return true;
}

/* Two vCPUs hand one CPU to each other; a round is two switches. */
static bool switches(const char *name)
{
	if (!hosted() || guest.vcpus < 2)
		return true;
	quit = ready = false;
	smp_start(1, partner);
	while (!ready)
		smp_relax();
	state_for_switch();
	smp_relax();
	const u64 count = vmcall(CALL_SWITCHES, 0);
	const u64 start = rdtsc();

	for (u32 i = 0; i < SWITCHES; i++)
		vmcall(CALL_YIELD, 0);
	const u64 ticks = rdtsc() - start;
	const u64 away  = vmcall(CALL_SWITCHES, 0) - count;

	quit = true;
	report(name, "_", away ? ticks / (2 * away) : 0, "ticks");
	return smp_wait(1) && is("each yield is a switch", away >= SWITCHES);
}

static bool switch_without(void)
{
	live = false;
	return switches("vcpu_switch_ticks");
}

static bool switch_with(void)
{
	live = true;
	return switches("vcpu_switch_tiles_ticks");
}

static bool yield_alone(void)
{
	if (!hosted())
		return true;
	const u64 start = rdtsc();

	for (u32 i = 0; i < ROUNDS; i++)
		vmcall(CALL_YIELD, 0);
	report("yield_alone_ticks", "_", (rdtsc() - start) / ROUNDS, "ticks");
	return true;
}

static bool root_share(void)
{
	if (hosted())
		report("root_mode_ticks", "_", vmcall(CALL_ROOT_TICKS, 0),
		       "ticks");
	return true;
}

const struct claim claims[] = {
	{ "CPUID", cpuid_roundtrip, 0 },
	{ "RDMSR of a trapped MSR", msr_roundtrip, 0 },
	{ "100 threads use tiles for the first time", first_uses,
	  NEEDS_AMX | NOT_INJECT },
	{ "later uses", later_uses, NEEDS_AMX | NOT_INJECT },
	{ "XFD set and cleared", xfd_toggle, NEEDS_AMX },
	{ "a yield without anybody else", yield_alone, 0 },
	{ "switches without live tiles", switch_without, NEEDS_AMX },
	{ "switches with live tiles", switch_with, NEEDS_AMX | NOT_INJECT },
	{ "time in root mode", root_share, 0 },
};
CLAIMS_END

/* SPDX-License-Identifier: MIT */
/*
 * The TSC's frequency: CPUID 15H, CPUID 16H, the PIT, in this order. A machine
 * that has none of them gets a round number, and the log says so.
 */
#include "boot/lib/clock.h"

#include "boot/lib/x86.h"

#define PIT_HZ       1193182
#define PIT_MODE     0x43
#define PIT_CHANNEL2 0x42
#define PIT_GATE     0x61
#define PIT_COUNT    11932 /* 10 ms */
#define PIT_POLLS    1000000
#define GUESS_HZ     2000000000ULL

/* Written once by clock_init(). */
static struct {
	u64 hz;
	const char *source;
} clock;

u64 clock_scale(u64 units, u64 hz, u64 per_second)
{
	const unsigned __int128 wide = (unsigned __int128)units * hz;
	const u64 whole              = units / per_second;
	const u64 rest               = units % per_second;
	u64 high, low;

	if (!(wide >> 64))
		return (u64)wide / per_second;
	/* REST < PER_SECOND, so the second product fits if HZ is sane. */
	if (__builtin_mul_overflow(whole, hz, &high) ||
	    __builtin_mul_overflow(rest, hz, &low) ||
	    __builtin_add_overflow(high, low / per_second, &high))
		return UINT64_MAX;
	return high;
}

u64 clock_hz_from_cpuid(const u32 leaf15[3], u32 leaf16_eax)
{
	const u32 denominator = leaf15[0];
	const u32 numerator   = leaf15[1];
	const u64 crystal     = leaf15[2];

	if (denominator && numerator && crystal)
		return crystal * numerator / denominator;
	return (u64)(leaf16_eax & 0xffff) * 1000000;
}

/*
 * TSC ticks during PIT_COUNT ticks of the PIT's second counter; 0: there is no
 * PIT, or it does not count.
 */
static u64 measure_by_pit(void)
{
	const u8 gate = inb(PIT_GATE);
	u64 start, end;
	u32 polls = PIT_POLLS;

	outb(PIT_GATE, (u8)((gate & 0xfc) | 1)); /* counting, speaker off */
	outb(PIT_MODE, 0xb0);                    /* channel 2, mode 0 */
	outb(PIT_CHANNEL2, (u8)PIT_COUNT);
	outb(PIT_CHANNEL2, PIT_COUNT >> 8);
	start = rdtsc();
	while (!(inb(PIT_GATE) & 0x20) && --polls)
		;
	end = rdtsc();
	outb(PIT_GATE, gate);
	if (!polls || polls == PIT_POLLS)
		return 0;
	return clock_scale(end - start, PIT_HZ, PIT_COUNT);
}

void clock_init(void)
{
	const u32 max = cpuid(0, 0).eax;
	u32 leaf15[3] = { 0, 0, 0 };
	u32 leaf16    = 0;

	if (max >= 0x15) {
		const struct cpuid_regs r = cpuid(0x15, 0);

		leaf15[0] = r.eax;
		leaf15[1] = r.ebx;
		leaf15[2] = r.ecx;
	}
	if (max >= 0x16)
		leaf16 = cpuid(0x16, 0).eax;
	clock.hz     = clock_hz_from_cpuid(leaf15, leaf16);
	clock.source = leaf15[2] ? "CPUID 15H" : "CPUID 16H";
	if (!clock.hz) {
		clock.hz     = measure_by_pit();
		clock.source = "PIT";
	}
	if (!clock.hz) {
		clock.hz     = GUESS_HZ;
		clock.source = "guess";
	}
}

u64 tsc_hz(void)
{
	return clock.hz;
}

const char *tsc_source(void)
{
	return clock.source;
}

u64 us_to_ticks(u64 us)
{
	return clock_scale(us, clock.hz, 1000000);
}

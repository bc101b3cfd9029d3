/* SPDX-License-Identifier: MIT */
/*
 * Time is the TSC. Its frequency is found once, from CPUID 15H or 16H, else
 * by the PIT; conversions are pure. Keeps no calendar and arms no timer.
 */
#ifndef BOOT_LIB_CLOCK_H
#define BOOT_LIB_CLOCK_H

#include "boot/lib/types.h"

/* Once, on the boot CPU, before the functions below. */
void clock_init(void);

/* TSC ticks per second; never 0 after clock_init(). */
u64 tsc_hz(void);

/* How it was found, for the log: "CPUID 15H", "CPUID 16H", "PIT", "guess". */
const char *tsc_source(void);

u64 us_to_ticks(u64 us);

/* UNITS * HZ / PER_SECOND without overflow on the way; saturates at 2^64-1. */
u64 clock_scale(u64 units, u64 hz, u64 per_second);

/*
 * The TSC frequency that CPUID leaf 15H (EAX, EBX, ECX) and leaf 16H (EAX)
 * give, 0 if neither does. SDM 3A, "Determining the Processor Base Frequency".
 */
u64 clock_hz_from_cpuid(const u32 leaf15[3], u32 leaf16_eax);

#endif

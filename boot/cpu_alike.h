/* SPDX-License-Identifier: MIT */
/*
 * What must be the same on every CPU, for decisions and the guests' features
 * are made from the boot CPU's. Pure; boot/cpu.c executes CPUID.
 */
#ifndef BOOT_CPU_ALIKE_H
#define BOOT_CPU_ALIKE_H

#include "boot/lib/types.h"
#include "boot/lib/x86.h"

#define CPU_ALIKE_COUNT 8

/* CPUID words that are compared; MASK leaves out what may differ. */
extern const struct cpu_alike {
	u32 leaf, subleaf;
	u32 mask[4]; /* of EAX, EBX, ECX, EDX */
	const char *complaint;
} cpu_alike[CPU_ALIKE_COUNT];

/*
 * BOOT and OTHER hold two CPUs' words in the order of cpu_alike; those of a
 * leaf that is not there are 0. What of OTHER is not as it must be, in words;
 * NULL: nothing.
 */
const char *cpu_alike_complaint(const struct cpuid_regs boot[CPU_ALIKE_COUNT],
				const struct cpuid_regs other[CPU_ALIKE_COUNT]);

#endif

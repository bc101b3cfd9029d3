/* SPDX-License-Identifier: MIT */
/*
 * What a CPU needs before anything else runs on it: descriptor tables, stacks,
 * control registers with known values. VMX and extended state have their own
 * set-up (vmx/vmxon.h, fpu/fpu.h).
 */
#ifndef BOOT_CPU_H
#define BOOT_CPU_H

/* Where the boot CPU's first stack pointer lies in struct cpu_stacks. */
#define CPU_STACK_TOP 20480

/* Selectors of the host's GDT, the same on every CPU. */
#define CPU_SEL_CODE 0x08
#define CPU_SEL_DATA 0x10
#define CPU_SEL_TSS  0x18

/* Interrupt stack table entries. */
#define CPU_IST_NMI 1
#define CPU_IST_DF  2
#define CPU_IST_MC  3

#ifndef __ASSEMBLY__

#include "boot/lib/types.h"

/* Page aligned; every stack has a page below it that is not mapped. */
struct cpu_stacks {
	u8 guard[4096];
	u8 main[16384];
	struct {
		u8 guard[4096];
		u8 stack[8192];
	} ist[3];
};
_Static_assert(offsetof(struct cpu_stacks, ist) == CPU_STACK_TOP,
	       "see boot/head.S");

/*
 * Once, on the boot CPU, as the first thing after the console: a per-CPU block,
 * GDT, TSS and IDT, so that faults are reported, and control registers. A
 * machine without a feature that we always need is refused, by its CPUID bit.
 */
void cpu_init(void);

/*
 * On the boot CPU, for each CPU before that runs: stacks with their guard pages
 * (the boot CPU has its stacks) and descriptor tables. Our page tables are
 * loaded. No memory: refuses.
 */
struct percpu;
void cpu_prepare(struct percpu *cpu);

/*
 * On every CPU, prepared, on its own stacks, with the host's page tables
 * loaded: gs, TSS, IDT; CR0, CR4, EFER, PAT get known values; local APIC.
 */
void cpu_init_cpu(void);

/*
 * What of this CPU is not as the boot CPU's: CPUID words that our decisions and
 * the guests' features were made from. NULL: nothing.
 */
const char *cpu_differs(void);

/* The name of the stack whose guard page ADDRESS hit; NULL: none of them. */
const char *cpu_stack_of_guard(u64 address);

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * Everything one physical CPU owns. One block per CPU, allocated at boot;
 * nothing in the tree is sized by a maximum CPU count. Only the owner writes to
 * it after start-up. The pointers name types of higher modules without
 * including them.
 */
#ifndef BOOT_LIB_PERCPU_H
#define BOOT_LIB_PERCPU_H

#include "boot/lib/types.h"

struct vcpu;
struct runq;
struct vmx_cpu;
struct cpu_tables; /* GDT, TSS, stacks: boot/cpu.c */

struct percpu {
	struct percpu *self;  /* first: this_cpu() loads it from gs:0 */
	u32 index;            /* dense, 0 .. cpu_count - 1 */
	u32 apic_id;          /* sparse, any 32-bit value */
	struct vcpu *current; /* its registers are loaded; NULL: idle */
	struct runq *runq;    /* this CPU's vCPUs; carries its own lock */
	struct vmx_cpu *vmx;  /* VMXON region, VMCS revision, last exits */
	struct cpu_tables *tables;
	u64 next_timer;      /* TSC at which an idle CPU must wake up */
	u64 nmis;            /* NMIs taken, by the IDT or by a VM exit */
	u64 interrupts;      /* external interrupts taken, likewise */
	struct percpu *next; /* all blocks, in index order */
};
_Static_assert(offsetof(struct percpu, self) == 0, "this_cpu() reads gs:0");

/* Blocks in index order, linked by next. */
extern struct percpu *cpu_first;
extern u32 cpu_count;

/*
 * Append a zeroed block for a CPU with this APIC id. NULL: no memory. The first
 * one is the boot CPU's and exists before pages_init().
 */
struct percpu *percpu_create(u32 apic_id);

/* The calling CPU's own block; valid after cpu_init_cpu(). */
struct percpu *this_cpu(void);

#endif

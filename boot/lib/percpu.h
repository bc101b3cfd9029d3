/* SPDX-License-Identifier: MIT */
/*
 * Everything one physical CPU owns. One block per CPU, allocated at boot;
 * nothing in the tree is sized by a maximum CPU count. Only the owner writes to
 * it after start-up, but for what is marked atomic. The pointers name types of
 * higher modules without including them.
 */
#ifndef BOOT_LIB_PERCPU_H
#define BOOT_LIB_PERCPU_H

/* Where boot/smp.S finds what it needs. */
#define PERCPU_APIC_ID 12
#define PERCPU_STATE   16
#define PERCPU_STACK   24
#define PERCPU_NEXT    32

/* percpu.state; boot/smp.S takes a CPU from ABSENT to STARTING. */
#define CPU_ABSENT   0 /* it has not answered yet */
#define CPU_STARTING 1
#define CPU_READY    2 /* it waits for work, or works */
#define CPU_LEFT_OUT 3 /* it is not used, whatever it does from now on */

#ifndef __ASSEMBLY__

#include "boot/lib/types.h"

struct vcpu;
struct runq;
struct vmx_cpu;
struct cpu_tables; /* GDT, TSS, stacks: boot/cpu.c */

struct percpu {
	struct percpu *self; /* first: this_cpu() loads it from gs:0 */
	u32 index;           /* dense, 0 .. cpu_count - 1 */
	u32 apic_id;         /* sparse, any 32-bit value */
	u32 state;           /* atomic: CPU_... */
	u64 stack_top;       /* where it starts; 0: the boot CPU */
	struct percpu *next; /* all blocks, in index order */
	struct vcpu
		*current;    /* its registers are loaded; NULL: idle. Atomic:
			      * others look, and only at whether it is theirs */
	struct runq *runq;   /* this CPU's vCPUs; carries its own lock */
	struct vmx_cpu *vmx; /* VMXON region, VMCS revision, last exits */
	struct cpu_tables *tables;
	const char *complaint; /* why it is not used; NULL: it is */
	u64 start_tsc;         /* its own TSC when it answered */
	u64 next_timer;        /* TSC at which an idle CPU must wake up */
	u64 nmis;              /* NMIs taken, by the IDT or by a VM exit */
	u64 nmis_told;         /* of these, what the log knows of */
	u32 nmis_shown;        /* lines about them in the log */
	u64 nmi_rip;           /* where in the host the last one struck */
	u64 interrupts;        /* external interrupts taken, likewise */
	bool stopped;          /* atomic: it has obeyed cpus_stop() */
	bool ibpb;             /* IA32_PRED_CMD is there (boot/mitigation.h) */
};
_Static_assert(offsetof(struct percpu, self) == 0, "this_cpu() reads gs:0");
_Static_assert(offsetof(struct percpu, apic_id) == PERCPU_APIC_ID, "smp.S");
_Static_assert(offsetof(struct percpu, state) == PERCPU_STATE, "smp.S");
_Static_assert(offsetof(struct percpu, stack_top) == PERCPU_STACK, "smp.S");
_Static_assert(offsetof(struct percpu, next) == PERCPU_NEXT, "smp.S");

/* Blocks in index order, linked by next. */
extern struct percpu *cpu_first;
extern u32 cpu_count;

/*
 * Append a zeroed block for a CPU with this APIC id. NULL: no memory. The first
 * one is the boot CPU's and exists before pages_init().
 */
struct percpu *percpu_create(u32 apic_id);

/*
 * Boot only: CPU, which is not the first, leaves the list, and those behind it
 * move up. Its block stays, for it may still answer.
 */
void percpu_remove(struct percpu *cpu);

/* The calling CPU's own block; valid after cpu_init_cpu(). */
struct percpu *this_cpu(void);

#endif
#endif

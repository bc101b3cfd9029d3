/* SPDX-License-Identifier: MIT */
/*
 * One block per CPU of the guest, found through GS, which stays loaded in
 * user mode too. Assembly knows the first fields by the offsets below.
 */
#ifndef LIB_CPU_H
#define LIB_CPU_H

#define CPU_SELF      0
#define CPU_FIXUP     8
#define CPU_INSN      16
#define CPU_STACK_TOP 24
#define CPU_SAVED_RSP 32
#define CPU_RECOVER   40

#define SEL_CODE64    0x08
#define SEL_DATA      0x10
#define SEL_CODE32    0x18
#define SEL_USER_DATA 0x23
#define SEL_USER_CODE 0x2b
#define SEL_CODE16    0x30
#define SEL_DATA16    0x38
#define SEL_TSS       0x40
#define GDT_ENTRIES   16 /* mode.c makes the last six */

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* What an exception looked like to the guest; a value, not an accident. */
struct trap {
	u64 vector; /* or TRAP_NONE */
	u64 error;  /* 0 if the vector has none */
	u64 rip, cs, rflags, rsp;
	u64 cr0, cr2;
	bool at_insn; /* rip is the instruction under test */
};

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3: Task-State Segment");

struct cpu {
	struct cpu *self; /* first: this_cpu() loads it from gs:0 */
	u64 fixup;        /* where an expected exception continues, or 0 */
	u64 insn;         /* the instruction under test */
	u64 stack_top;
	u64 saved_rsp; /* while user mode or another mode runs */
	u64 recover;   /* stack of the claim runner, or 0 */
	u32 index;     /* 0 is the boot CPU; also the APIC id */
	bool up;       /* it runs its task */
	bool used;     /* it has run a claim that may have used tiles */
	volatile bool done;
	bool (*task)(void);
	bool result;
	struct trap trap;       /* the last expected exception */
	struct trap unexpected; /* what ended the claim */
	struct tss tss;
	u64 gdt[GDT_ENTRIES];
	u8 *area; /* XSAVE area, 16 KiB, for the claim that runs */
};
_Static_assert(offsetof(struct cpu, fixup) == CPU_FIXUP, "trap.h");
_Static_assert(offsetof(struct cpu, insn) == CPU_INSN, "trap.h");
_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP, "start.S");
_Static_assert(offsetof(struct cpu, saved_rsp) == CPU_SAVED_RSP, "entry.S");
_Static_assert(offsetof(struct cpu, recover) == CPU_RECOVER, "entry.S");

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* A zeroed block with stacks and a GDT of its own. */
struct cpu *cpu_create(u32 index);

/* Load GDT, TSS, IDT and GS of CPU on the CPU that executes this. */
void cpu_load(struct cpu *cpu);

#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * In place of the tree's boot/lib/x86.h for fuzz targets: the few instructions
 * that exit handlers carry out, on registers of ours. Whatever they have no
 * business with ends the run.
 */
#ifndef BOOT_LIB_X86_H
#define BOOT_LIB_X86_H

#include <stdlib.h>

#include "boot/lib/regs.h"
#include "boot/lib/types.h"

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

struct descriptor_table {
	u16 limit;
	u64 base;
} __attribute__((packed));

extern u64 fake_tsc, fake_cr2; /* the target's */

static inline u64 rdtsc(void)
{
	return fake_tsc++;
}

static inline void write_cr2(u64 v)
{
	fake_cr2 = v;
}

/* The processor's signature, which RESET leaves in EDX. */
static inline struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	(void)subleaf;
	return (struct cpuid_regs){ .eax = leaf == 1 ? 0x806f8 : 0 };
}

/* Host state and MSRs: vmx/vmcs.c has a use for them, no exit handler does. */
#define FAKE_FORBIDDEN(type, name)                                             \
	static inline type name(void)                                          \
	{                                                                      \
		abort();                                                       \
	}
FAKE_FORBIDDEN(struct descriptor_table, sgdt)
FAKE_FORBIDDEN(struct descriptor_table, sidt)
FAKE_FORBIDDEN(u64, read_cr0)
FAKE_FORBIDDEN(u64, read_cr3)
FAKE_FORBIDDEN(u64, read_cr4)
FAKE_FORBIDDEN(u16, read_cs)
FAKE_FORBIDDEN(u16, read_ss)
FAKE_FORBIDDEN(u16, read_ds)
FAKE_FORBIDDEN(u16, read_es)
FAKE_FORBIDDEN(u16, read_tr)

static inline u64 rdmsr(u32 msr)
{
	(void)msr;
	abort();
}

static inline void wrmsr(u32 msr, u64 value)
{
	(void)msr;
	(void)value;
	abort();
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Privileged and special instructions other than those for the extended
 * state (xstate.h). None of them expects an exception: see trap.h for that.
 */
#ifndef LIB_INSN_H
#define LIB_INSN_H

#include "lib/types.h"

#define MSR_TSC             0x10
#define MSR_APIC_BASE       0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_MISC_ENABLE     0x1a0
#define MSR_XFD             0x1c4
#define MSR_XFD_ERR         0x1c5
#define MSR_TSC_DEADLINE    0x6e0
#define MSR_XSS             0xda0
#define MSR_EFER            0xc0000080
#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_PG BIT(31)

#define CR4_OSXSAVE BIT(18)

#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_RF BIT(16)
#define RFLAGS_VM BIT(17)

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 val)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"(lo32(val)), "d"(hi32(val))
		     : "memory");
}

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	asm volatile("cpuid"
		     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
		     : "a"(leaf), "c"(sub));
	return r;
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

#define CR_ACCESSORS(n)                                                        \
	static inline u64 read_cr##n(void)                                     \
	{                                                                      \
		u64 val;                                                       \
                                                                               \
		asm volatile("mov %%cr" #n ", %0" : "=r"(val) : : "memory");   \
		return val;                                                    \
	}                                                                      \
	static inline void write_cr##n(u64 val)                                \
	{                                                                      \
		asm volatile("mov %0, %%cr" #n : : "r"(val) : "memory");       \
	}
CR_ACCESSORS(0)
CR_ACCESSORS(2)
CR_ACCESSORS(3)
CR_ACCESSORS(4)

#define DR_ACCESSORS(n)                                                        \
	static inline u64 read_dr##n(void)                                     \
	{                                                                      \
		u64 val;                                                       \
                                                                               \
		asm volatile("mov %%dr" #n ", %0" : "=r"(val));                \
		return val;                                                    \
	}                                                                      \
	static inline void write_dr##n(u64 val)                                \
	{                                                                      \
		asm volatile("mov %0, %%dr" #n : : "r"(val) : "memory");       \
	}
DR_ACCESSORS(0)
DR_ACCESSORS(6)
DR_ACCESSORS(7)

static inline void clts(void)
{
	asm volatile("clts" : : : "memory");
}

static inline void set_ts(void)
{
	write_cr0(read_cr0() | CR0_TS);
}

static inline void invlpg(u64 va)
{
	asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline u64 read_flags(void)
{
	u64 val;

	asm volatile("pushfq; pop %0" : "=r"(val) : : "memory");
	return val;
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

/* Wait for an interrupt; it is delivered before this returns. */
static inline void sti_hlt(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

static inline void pause(void)
{
	asm volatile("pause" : : : "memory");
}

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outw(u16 port, u16 val)
{
	asm volatile("outw %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outl(u16 port, u32 val)
{
	asm volatile("outl %0, %1" : : "a"(val), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline u16 inw(u16 port)
{
	u16 val;

	asm volatile("inw %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline u32 inl(u16 port)
{
	u32 val;

	asm volatile("inl %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The CPU's instructions as functions: all inline assembly of the tree that is
 * neither VMX (vmx/insn.h) nor extended state (fpu/xsave.h). Decides nothing.
 * The names of registers and bits are boot/lib/regs.h's.
 */
#ifndef BOOT_LIB_X86_H
#define BOOT_LIB_X86_H

#include "boot/lib/regs.h"
#include "boot/lib/types.h"

/*
 * An instruction at FROM that faults continues at TO, with the exception's
 * vector in RCX (boot/trap.c). An instruction without an entry that faults is a
 * panic. FROM and TO are assembler expressions such as "1b". On success the
 * code itself sets ECX to FIXUP_NO_FAULT.
 */
#define FIXUP(from, to)                                                        \
	".pushsection .fixup, \"a\"\n\t"                                       \
	".balign 8\n\t"                                                        \
	".quad " from ", " to "\n\t"                                           \
	".popsection\n\t"
#define FIXUP_NO_FAULT 0xffffffffu

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return make64(high, low);
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"(lo32(value)), "d"(hi32(value))
		     : "memory");
}

/* False: the CPU raised an exception; *VALUE is then 0. */
static inline bool rdmsr_safe(u32 msr, u64 *value)
{
	u32 low = 0, high = 0, vector = msr;

	asm volatile("1: rdmsr\n\t"
		     "mov %[none], %%ecx\n\t"
		     "2:\n\t" FIXUP("1b", "2b")
		     : "+a"(low), "+d"(high), "+c"(vector)
		     : [none] "i"(FIXUP_NO_FAULT));
	*value = vector == FIXUP_NO_FAULT ? make64(high, low) : 0;
	return vector == FIXUP_NO_FAULT;
}

/* False: the CPU raised an exception and the register keeps its value. */
static inline bool wrmsr_safe(u32 msr, u64 value)
{
	u32 vector = msr;

	asm volatile("1: wrmsr\n\t"
		     "mov %[none], %%ecx\n\t"
		     "2:\n\t" FIXUP("1b", "2b")
		     : "+c"(vector)
		     : "a"(lo32(value)),
		       "d"(hi32(value)), [none] "i"(FIXUP_NO_FAULT)
		     : "memory");
	return vector == FIXUP_NO_FAULT;
}

/*
 * Read one u32 at P, which need not be mapped. False: it raised an exception;
 * *VALUE is then 0. For dumps that follow pointers they cannot trust.
 */
static inline bool read32_safe(const void *p, u32 *value)
{
	u32 vector = 0, read = 0;

	asm volatile(
		"1: mov %[p], %[read]\n\t"
		"mov %[none], %%ecx\n\t"
		"2:\n\t" FIXUP("1b", "2b")
		: [read] "+r"(read), "+&c"(vector)
		: [p] "m"(*(const volatile u32 *)p), [none] "i"(
							     FIXUP_NO_FAULT));
	*value = read;
	return vector == FIXUP_NO_FAULT;
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	asm volatile("inw %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 v)
{
	asm volatile("outw %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}

#define X86_CR_ACCESSORS(n)                                                    \
	static inline u64 read_cr##n(void)                                     \
	{                                                                      \
		u64 v;                                                         \
                                                                               \
		asm volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory");     \
		return v;                                                      \
	}                                                                      \
	static inline void write_cr##n(u64 v)                                  \
	{                                                                      \
		asm volatile("mov %0, %%cr" #n : : "r"(v) : "memory");         \
	}
X86_CR_ACCESSORS(0)
X86_CR_ACCESSORS(2)
X86_CR_ACCESSORS(3)
X86_CR_ACCESSORS(4)
X86_CR_ACCESSORS(8)

#define X86_DR_ACCESSORS(n)                                                    \
	static inline u64 read_dr##n(void)                                     \
	{                                                                      \
		u64 v;                                                         \
                                                                               \
		asm volatile("mov %%dr" #n ", %0" : "=r"(v));                  \
		return v;                                                      \
	}                                                                      \
	static inline void write_dr##n(u64 v)                                  \
	{                                                                      \
		asm volatile("mov %0, %%dr" #n : : "r"(v));                    \
	}
X86_DR_ACCESSORS(0)
X86_DR_ACCESSORS(1)
X86_DR_ACCESSORS(2)
X86_DR_ACCESSORS(3)
X86_DR_ACCESSORS(6)
X86_DR_ACCESSORS(7)

static inline u64 rdtsc(void)
{
	u64 low, high; /* the CPU clears their upper halves */

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return high << 32 | low;
}

/* False: the CPU had no random number ready. CPUID.1:ECX[30] must be 1. */
static inline bool rdrand(u64 *value)
{
	bool ok;

	asm volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

static inline void invlpg(const void *p)
{
	asm volatile("invlpg (%0)" : : "r"(p) : "memory");
}

/* For tests of the machine-check handler: its exception without its cause. */
static inline void raise_machine_check(void)
{
	asm volatile("int %0" : : "i"(VEC_MC) : "memory");
}

static inline void wbinvd(void)
{
	asm volatile("wbinvd" : : : "memory");
}

/* COUNT times WORD at TO; returns the end. */
static inline void *store_words(void *to, u64 word, u64 count)
{
	asm volatile("rep stosq"
		     : "+D"(to), "+c"(count)
		     : "a"(word)
		     : "memory");
	return to;
}

/* COUNT words from *FROM to *TO, upward; both are then at their ends. */
static inline void copy_words(u8 **to, const u8 **from, u64 count)
{
	asm volatile("rep movsq"
		     : "+D"(*to), "+S"(*from), "+c"(count)
		     :
		     : "memory");
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	asm volatile("hlt" : : : "memory");
}

/* Every load and store before it is done, for all CPUs, before any after it. */
static inline void fence(void)
{
	asm volatile("mfence; lfence" : : : "memory");
}

static inline void cpu_pause(void)
{
	asm volatile("pause" : : : "memory");
}

/* An instruction that is undefined by definition. */
_Noreturn static inline void ud2(void)
{
	asm volatile("ud2");
	__builtin_unreachable();
}

static inline u64 read_rflags(void)
{
	u64 v;

	asm volatile("pushfq\n\tpop %0" : "=r"(v) : : "memory");
	return v;
}

static inline u64 read_rsp(void)
{
	u64 v;

	asm volatile("mov %%rsp, %0" : "=r"(v));
	return v;
}

static inline u64 read_rbp(void)
{
	u64 v;

	asm volatile("mov %%rbp, %0" : "=r"(v));
	return v;
}

/* Operand of LGDT, LIDT, SGDT and SIDT in 64-bit mode. */
struct descriptor_table {
	u16 limit;
	u64 base;
} __attribute__((packed));
_Static_assert(sizeof(struct descriptor_table) == 10, "SDM 3A: LGDT m16&64");

static inline void lgdt(const struct descriptor_table *t)
{
	asm volatile("lgdt %0" : : "m"(*t) : "memory");
}

static inline void lidt(const struct descriptor_table *t)
{
	asm volatile("lidt %0" : : "m"(*t) : "memory");
}

static inline struct descriptor_table sgdt(void)
{
	struct descriptor_table t;

	asm volatile("sgdt %0" : "=m"(t));
	return t;
}

static inline struct descriptor_table sidt(void)
{
	struct descriptor_table t;

	asm volatile("sidt %0" : "=m"(t));
	return t;
}

static inline void ltr(u16 selector)
{
	asm volatile("ltr %0" : : "r"(selector) : "memory");
}

static inline void lldt(u16 selector)
{
	asm volatile("lldt %0" : : "r"(selector) : "memory");
}

static inline u16 read_tr(void)
{
	u16 v;

	asm volatile("str %0" : "=r"(v));
	return v;
}

#define X86_SELECTOR_READER(reg)                                               \
	static inline u16 read_##reg(void)                                     \
	{                                                                      \
		u16 v;                                                         \
                                                                               \
		asm volatile("mov %%" #reg ", %0" : "=r"(v));                  \
		return v;                                                      \
	}
X86_SELECTOR_READER(cs)
X86_SELECTOR_READER(ss)
X86_SELECTOR_READER(ds)
X86_SELECTOR_READER(es)
X86_SELECTOR_READER(fs)
X86_SELECTOR_READER(gs)

/* DS, ES, SS := DATA, FS, GS := 0, CS := CODE by a far return. */
static inline void load_segments(u16 code, u16 data)
{
	asm volatile(
		"mov %[data], %%ds\n\t"
		"mov %[data], %%es\n\t"
		"mov %[data], %%ss\n\t"
		"mov %[null], %%fs\n\t"
		"mov %[null], %%gs\n\t"
		"pushq %[code]\n\t"
		"lea 1f(%%rip), %%rax\n\t"
		"pushq %%rax\n\t"
		"lretq\n\t"
		"1:"
		:
		: [code] "r"((u64)code), [data] "r"((u32)data), [null] "r"(0)
		: "rax", "memory");
}

/* The u64 at gs:0, where struct percpu keeps its own address. */
static inline void *read_gs_self(void)
{
	void *p;

	asm volatile("mov %%gs:0, %0" : "=r"(p));
	return p;
}

/* Go on at FN(ARG) with the stack pointer at TOP; what was below is lost. */
_Noreturn static inline void call_on_stack(void *top, void (*fn)(void *),
					   void *arg)
{
	asm volatile("mov %[top], %%rsp\n\t"
		     "xor %%ebp, %%ebp\n\t"
		     "call *%[fn]\n\t"
		     "ud2"
		     :
		     : [top] "r"(top), [fn] "r"(fn), "D"(arg)
		     : "memory");
	__builtin_unreachable();
}

#endif

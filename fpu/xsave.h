/* SPDX-License-Identifier: MIT */
/*
 * The instructions of the XSAVE feature set and of AMX as functions: the only
 * place that touches extended state. MASK is the instruction mask EDX:EAX; what
 * XCR0, IA32_XSS and IA32_XFD make of it is the SDM's affair. Nothing here may
 * be called between exits of a loaded vCPU, except XGETBV and XSETBV.
 */
#ifndef FPU_XSAVE_H
#define FPU_XSAVE_H

#include "boot/lib/x86.h"
#include "fpu/xstate.h"

/* ECX = 0: XCR0. ECX = 1: XCR0 & XINUSE, where CPUID.(0DH,1):EAX[2] is 1. */
static inline u64 xgetbv(u32 index)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return make64(high, low);
}

static inline void xsetbv(u32 index, u64 value)
{
	asm volatile("xsetbv"
		     :
		     : "c"(index), "a"(lo32(value)), "d"(hi32(value))
		     : "memory");
}

/* False: #GP, the value is not legal, and XCR0 keeps its own. */
static inline bool xsetbv_safe(u32 index, u64 value)
{
	u32 vector = index;

	asm volatile("1: xsetbv\n\t"
		     "mov %[none], %%ecx\n\t"
		     "2:\n\t" FIXUP("1b", "2b")
		     : "+c"(vector)
		     : "a"(lo32(value)),
		       "d"(hi32(value)), [none] "i"(FIXUP_NO_FAULT)
		     : "memory");
	return vector == FIXUP_NO_FAULT;
}

/* The 64-bit forms: FIP and FDP are whole addresses. */
#define XSAVE_INSN(name)                                                       \
	static inline void name(struct xsave_area *a, u64 mask)                \
	{                                                                      \
		asm volatile(#name "64 (%0)"                                   \
			     :                                                 \
			     : "r"(a), "a"(lo32(mask)), "d"(hi32(mask))        \
			     : "memory");                                      \
	}
XSAVE_INSN(xsave)
XSAVE_INSN(xsaveopt)
XSAVE_INSN(xsavec)
XSAVE_INSN(xsaves)
XSAVE_INSN(xrstor)
XSAVE_INSN(xrstors)

/* The vector of the exception it raised, or FIXUP_NO_FAULT. */
#define XSAVE_INSN_SAFE(name)                                                  \
	static inline u32 name##_safe(struct xsave_area *a, u64 mask)          \
	{                                                                      \
		u32 vector = 0;                                                \
                                                                               \
		asm volatile("1: " #name "64 (%[area])\n\t"                    \
			     "mov %[none], %%ecx\n\t"                          \
			     "2:\n\t" FIXUP("1b", "2b")                        \
			     : "+c"(vector)                                    \
			     : [area] "r"(a), "a"(lo32(mask)),                 \
			       "d"(hi32(mask)), [none] "i"(FIXUP_NO_FAULT)     \
			     : "memory");                                      \
		return vector;                                                 \
	}
XSAVE_INSN_SAFE(xrstor)
XSAVE_INSN_SAFE(xrstors)

/* SDM volume 2, LDTILECFG: the 64-byte memory operand. */
struct tilecfg {
	u8 palette;
	u8 start_row;
	u8 reserved[14];
	u16 colsb[16]; /* bytes per row */
	u8 rows[16];
};
_Static_assert(sizeof(struct tilecfg) == 64, "SDM: LDTILECFG");
_Static_assert(offsetof(struct tilecfg, rows) == 48, "SDM: LDTILECFG");

static inline void ldtilecfg(const struct tilecfg *cfg)
{
	asm volatile("ldtilecfg (%0)" : : "r"(cfg) : "memory");
}

static inline void sttilecfg(struct tilecfg *cfg)
{
	asm volatile("sttilecfg (%0)" : : "r"(cfg) : "memory");
}

static inline void tilerelease(void)
{
	asm volatile("tilerelease" : : : "memory");
}

/* Load TMM0; the vector of the exception it raised, or FIXUP_NO_FAULT. */
static inline u32 tileloadd_safe(const void *rows, u64 stride)
{
	u32 vector = 0;

	asm volatile("1: tileloadd (%[rows],%[stride],1), %%tmm0\n\t"
		     "mov %[none], %%ecx\n\t"
		     "2:\n\t" FIXUP("1b", "2b")
		     : "+c"(vector)
		     : [rows] "r"(rows), [stride] "r"(stride),
		       [none] "i"(FIXUP_NO_FAULT)
		     : "memory");
	return vector;
}

#define FOR_EACH_TILE(insn)                                                    \
	insn(0) insn(1) insn(2) insn(3) insn(4) insn(5) insn(6) insn(7)

/* All eight tiles, one after the other in memory, BYTES of it each. */
static inline void tiles_load(const u8 *p, u64 stride, u64 bytes)
{
#define TILE_LOAD(n)                                                           \
	"tileloadd (%[p],%[stride],1), %%tmm" #n "\n\tadd %[bytes], %[p]\n\t"
	asm volatile(FOR_EACH_TILE(TILE_LOAD)
		     : [p] "+r"(p)
		     : [stride] "r"(stride), [bytes] "r"(bytes)
		     : "memory");
#undef TILE_LOAD
}

#endif

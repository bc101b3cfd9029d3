/* SPDX-License-Identifier: MIT */
/*
 * A few instructions in a mode other than 64-bit. The code is copied below
 * 64 KiB and ends with INT3, so "it completed" is vector 3.
 */
#ifndef LIB_MODE_H
#define LIB_MODE_H

/* Where low memory is used; start.S and smp.c use 8000H for APs. */
#define LOW_BLOB   0x9000
#define LOW_IVT    0x9400
#define LOW_CODE   0x9800
#define LOW_FRAME  0x9f00 /* struct mode_frame, or what real mode has of it */
#define LOW_VECTOR 0x9ff0
#define LOW_DATA   0xa000 /* 16 KiB that every mode reaches */

#define MODE_COMPAT    0
#define MODE_PROTECTED 1 /* 32-bit, no paging */
#define MODE_REAL      2
#define MODE_V86       3
#define MODE_COUNT     4
/* The same for guests that try everything: 16-bit segments, PAE paging. */
#define MODE_PROTECTED16 4
#define MODE_PAE         5

/*
 * 64 KiB that code which may do anything cannot leave, in any mode: segments
 * that begin and end with them, and in real and virtual-8086 mode what a
 * segment reaches. User segments but for the last two.
 */
#define PEN             0x80000
#define PEN_BYTES       0x10000
#define SEL_PEN_CODE32  0x53
#define SEL_PEN_CODE16  0x5b
#define SEL_PEN_DATA32  0x63
#define SEL_PEN_DATA16  0x6b
#define SEL_PEN_KCODE32 0x70
#define SEL_PEN_KDATA32 0x78

#ifndef __ASSEMBLER__
#include "lib/types.h"

/*
 * Run BYTES at CODE in MODE with EAX, EDX and ECX as given, at CPL 0 but for
 * virtual-8086 mode. Returns the vector it ended with. Interrupts must be off.
 */
u64 mode_run(u32 mode, const u8 *code, size_t bytes, u32 eax, u32 edx, u32 ecx);

/* In the order of POPAL and of IRET to virtual-8086 mode. */
struct mode_frame {
	u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
	u32 eip, cs, eflags, esp, ss;
	u32 es, ds, fs, gs;
};

/* The descriptors of the pen, for the CPU that executes this. */
void mode_pen(void);

/*
 * Go on as FRAME says: at CPL 3 of MODE_PROTECTED or MODE_PAE (with EFLAGS.VM
 * in virtual-8086 mode), or in MODE_REAL, where all is in the pen. Returns
 * the vector it ended with. Interrupts must be off.
 */
u64 mode_enter(u32 mode, const struct mode_frame *frame);
#endif
#endif

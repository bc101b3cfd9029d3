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

#ifndef __ASSEMBLER__
#include "lib/types.h"

/*
 * Run BYTES at CODE in MODE with EAX, EDX and ECX as given, at CPL 0 but for
 * virtual-8086 mode. Returns the vector it ended with. Interrupts must be off.
 */
u64 mode_run(u32 mode, const u8 *code, size_t bytes, u32 eax, u32 edx, u32 ecx);
#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * Which MSR accesses of a guest reach the hardware: everything exits but a
 * short table. SDM vol. 3, "MSR-Bitmap Address". Pure: the bitmap is a page of
 * memory.
 */
#ifndef VMX_MSR_BITMAP_H
#define VMX_MSR_BITMAP_H

#include "boot/lib/types.h"

/*
 * BITMAP, one page: deny everything, then open the table's entries, and
 * RDTSCP's IA32_TSC_AUX only if the guest may have it.
 */
void msr_bitmap_init(void *bitmap, bool tsc_aux);

/* Does it exit? OPEN: it does not. MSR: 0 to 1FFFH or C0000000H to C0001FFFH.
 */
void msr_bitmap_set(void *bitmap, u32 msr, bool open_read, bool open_write);
bool msr_bitmap_exits(const void *bitmap, u32 msr, bool write);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Which CPUs may still hold translations of one VM's EPT that are older than
 * its last cut (ept.generation), and so owe an INVEPT. Per CPU and VM, because
 * translations belong to the CPU (SDM vol. 3, "Guidelines for Use of the INVEPT
 * Instruction"). Pure bookkeeping: vcpu.c executes the instruction. Emulators
 * forgive who forgets it, so that a debug build asserts before every entry.
 */
#ifndef VMX_EPT_DUTY_H
#define VMX_EPT_DUTY_H

#include "boot/lib/types.h"

struct ept_duty {
	/* By CPU index, each written by its CPU alone, atomically: 0 if it has
	 * no translation, else 1 + the generation of its last INVEPT. */
	u64 *done;
	u32 cpu_count;
};

/* Must CPU execute INVEPT before it enters a guest with this GENERATION? */
bool ept_duty_owed(const struct ept_duty *d, u32 cpu, u64 generation);

/* It has, having read GENERATION before. */
void ept_duty_done(struct ept_duty *d, u32 cpu, u64 generation);

/* It has, and does not enter this VM any more. */
void ept_duty_left(struct ept_duty *d, u32 cpu);

/* Has every CPU met its duty: may what was mapped before be used otherwise? */
bool ept_duty_all_done(const struct ept_duty *d, u64 generation);

#endif

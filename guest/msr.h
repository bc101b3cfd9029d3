/* SPDX-License-Identifier: MIT */
/*
 * The MSRs of a VM that neither VMX nor the local APIC owns: a table, and
 * #GP(0) for everything that is not in it. Pure.
 */
#ifndef GUEST_MSR_H
#define GUEST_MSR_H

#include "boot/lib/types.h"

#define MTRR_VARIABLE_COUNT 8
#define MTRR_FIXED_COUNT    11

/* One vCPU's. */
struct msr_state {
	u64 microcode;
	u64 misc_enable;
	u64 mcg_status;
	u64 mtrr_def_type;
	u64 mtrr_fixed[MTRR_FIXED_COUNT];
	u64 mtrr_base[MTRR_VARIABLE_COUNT];
	u64 mtrr_mask[MTRR_VARIABLE_COUNT];
};

/*
 * As firmware would leave them: all memory write-back, video uncached.
 * MICROCODE is what IA32_BIOS_SIGN_ID reads.
 */
void msr_reset(struct msr_state *s, u64 microcode);

/* The answer to an access. */
enum msr_answer {
	MSR_OK,
	MSR_GP,      /* the register is there, the value is not legal */
	MSR_UNKNOWN, /* no such register here: #GP(0) as well */
};

enum msr_answer msr_read(struct msr_state *s, u32 index, u64 *value);
enum msr_answer msr_write(struct msr_state *s, u32 index, u64 value,
			  unsigned int phys_bits);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Memory type range registers: the type of a physical address range (SDM vol.
 * 3, "Memory Type Range Registers (MTRRs)"). Pure: the registers are values.
 */
#ifndef VMX_MEMTYPE_H
#define VMX_MEMTYPE_H

#include "vmx/ept.h"

#define MTRR_FIXED_COUNT 11 /* 64K_00000, 16K_80000, 16K_A0000, 4K_C0000.. */
#define MTRR_VAR_MAX     32

struct mtrrs {
	u64 def_type; /* IA32_MTRR_DEF_TYPE: type, FE bit 10, E bit 11 */
	u64 fixed[MTRR_FIXED_COUNT];
	unsigned int var_count;
	u64 base[MTRR_VAR_MAX], mask[MTRR_VAR_MAX];
	u64 address_mask; /* FIELD(MAXPHYADDR - 1, 12) */
};

/*
 * The type of the 4 KiB page at AT, and in *UNTIL the end of the range from AT
 * on that has the same type for sure (at least one page, at most LIMIT).
 */
enum mem_type memtype_at(const struct mtrrs *m, u64 at, u64 limit, u64 *until);

/*
 * As ept_map(), with the host's memory type of every part, so that no page
 * spans a change of type.
 */
bool memtype_map(struct ept *ept, const struct mtrrs *m, gpa_t at, hpa_t to,
		 u64 bytes, unsigned int access);

/* This machine's, after vmx_init(). */
extern struct mtrrs vmx_mtrrs;

#endif

/* SPDX-License-Identifier: MIT */
/* links: guest/msr.c */
/* The MSR policy: what is there, what may be written, and nothing else. */
#include "guest/msr.h"

#include "boot/lib/x86.h"
#include "tests/unit/tap.h"

#define BITS 46 /* physical address width */

/* clang-format off */
static const struct {
	const char *claim;
	u32 index;
	u64 value;
	enum msr_answer answer;
	u64 after; /* read back */
} writes[] = {
	{ "fast strings can be switched off", MSR_IA32_MISC_ENABLE, 0, MSR_OK,
	  BIT(11) | BIT(12) },
	{ "and on; the rest of MISC_ENABLE is fixed", MSR_IA32_MISC_ENABLE,
	  ~0ULL, MSR_OK, BIT(0) | BIT(11) | BIT(12) },
	{ "the microcode revision ignores writes", MSR_IA32_BIOS_SIGN_ID, 0,
	  MSR_OK, 1ULL << 32 },
	{ "FEATURE_CONTROL is locked", MSR_IA32_FEATURE_CONTROL, 5, MSR_GP, 1 },
	{ "MISC_FEATURES_ENABLES takes 0", MSR_MISC_FEATURES_ENABLES, 0, MSR_OK,
	  0 },
	{ "and nothing else", MSR_MISC_FEATURES_ENABLES, 1, MSR_GP, 0 },
	{ "MTRRCAP is read-only", MSR_IA32_MTRRCAP, 0, MSR_GP, 0x508 },
	{ "MCG_STATUS has three bits", MSR_IA32_MCG_STATUS, 7, MSR_OK, 7 },
	{ "and no fourth", MSR_IA32_MCG_STATUS, 8, MSR_GP, 7 },
	{ "MTRRs may be switched off", MSR_IA32_MTRR_DEF_TYPE, 0, MSR_OK, 0 },
	{ "a reserved default type", MSR_IA32_MTRR_DEF_TYPE, 0xc02, MSR_GP, 0 },
	{ "a reserved bit beside it", MSR_IA32_MTRR_DEF_TYPE, 0x1000, MSR_GP,
	  0 },
	{ "a variable base", MSR_IA32_MTRR_PHYSBASE0, 0x80000006, MSR_OK,
	  0x80000006 },
	{ "its type must exist", MSR_IA32_MTRR_PHYSBASE0, 0x80000003, MSR_GP,
	  0x80000006 },
	{ "and its address fit", MSR_IA32_MTRR_PHYSBASE0, 1ULL << BITS, MSR_GP,
	  0x80000006 },
	{ "a variable mask", MSR_IA32_MTRR_PHYSMASK0 + 14,
	  FIELD(BITS - 1, 31) | BIT(11), MSR_OK,
	  FIELD(BITS - 1, 31) | BIT(11) },
	{ "bits 10:0 of a mask are reserved", MSR_IA32_MTRR_PHYSMASK0, 1,
	  MSR_GP, 0 },
	{ "a fixed range", MSR_IA32_MTRR_FIX4K_C0000 + 7,
	  0x0605040100060606ULL, MSR_OK, 0x0605040100060606ULL },
	{ "with a reserved type", MSR_IA32_MTRR_FIX64K_00000,
	  0x0606060602060606ULL, MSR_GP, 0x0606060606060606ULL },
};

static const struct {
	const char *name;
	u32 index;
} absent[] = {
	{ "a ninth variable MTRR", MSR_IA32_MTRR_PHYSBASE0 + 16 },
	{ "VMX_BASIC", MSR_IA32_VMX_BASIC },
	{ "SPEC_CTRL", MSR_IA32_SPEC_CTRL },
	{ "ARCH_CAPABILITIES", MSR_IA32_ARCH_CAPABILITIES },
	{ "a machine-check bank", MSR_IA32_MC0_CTL },
	{ "PERF_GLOBAL_CTRL", MSR_IA32_PERF_GLOBAL_CTRL },
	{ "IA32_XFD, which is not this table's", MSR_IA32_XFD },
	{ "MSR FFFFFFFFH", 0xffffffff },
};
/* clang-format on */

int main(void)
{
	struct msr_state s;
	u64 value;

	msr_reset(&s, 1ULL << 32);
	tap_ok(msr_read(&s, MSR_IA32_MISC_ENABLE, &value) == MSR_OK &&
		       (value & 1),
	       "fast strings are on, as CPUID's FSRM promises");
	tap_ok(msr_read(&s, MSR_IA32_MTRR_DEF_TYPE, &value) == MSR_OK &&
		       value == 0xc06,
	       "MTRRs are on, memory is write-back");
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		const enum msr_answer answer =
			msr_write(&s, writes[i].index, writes[i].value, BITS);

		tap_ok(answer == writes[i].answer &&
			       msr_read(&s, writes[i].index, &value) ==
				       MSR_OK &&
			       value == writes[i].after,
		       "%s", writes[i].claim);
	}
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		tap_ok(msr_read(&s, absent[i].index, &value) == MSR_UNKNOWN &&
			       msr_write(&s, absent[i].index, 0, BITS) ==
				       MSR_UNKNOWN,
		       "there is no %s", absent[i].name);
	return tap_done();
}

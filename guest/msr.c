/* SPDX-License-Identifier: MIT */
/* The MSR policy table and the virtual MTRRs. */
#include "guest/msr.h"

#include "boot/lib/string.h"
#include "boot/lib/x86.h"

/* IA32_MISC_ENABLE. Fast strings must read as on: CPUID says so too. */
#define MISC_FAST_STRINGS BIT(0)
#define MISC_NO_BTS       BIT(11)
#define MISC_NO_PEBS      BIT(12)
#define MISC_FIXED        (MISC_NO_BTS | MISC_NO_PEBS)
#define MISC_WRITABLE     MISC_FAST_STRINGS

#define MTRRCAP_FIXED       BIT(8)
#define MTRRCAP_WC          BIT(10)
#define MTRR_DEF_ENABLED    BIT(11)
#define MTRR_DEF_FIXED      BIT(10)
#define MTRR_DEF_WRITABLE   (MTRR_DEF_ENABLED | MTRR_DEF_FIXED | FIELD(7, 0))
#define MTRR_MASK_VALID     BIT(11)
#define MTRR_TYPE_WB        6
#define MCG_STATUS_WRITABLE FIELD(2, 0)

enum msr_kind {
	KIND_FIXED, /* reads VALUE; writing is #GP(0) */
	KIND_SAME,  /* as KIND_FIXED, but VALUE itself may be written */
};

struct msr_entry {
	u32 index;
	enum msr_kind kind;
	u64 value;
};

/* Registers without state. Why each is here: */
static const struct msr_entry table[] = {
	/* Linux reads the platform id beside the microcode's revision. */
	{ MSR_IA32_PLATFORM_ID, KIND_FIXED, 0 },
	/* Locked with VMX off: says why there is no VMX. */
	{ MSR_IA32_FEATURE_CONTROL, KIND_FIXED, FEATURE_CONTROL_LOCK },
	/* No CPUID faulting, no turbo ratios to set. */
	{ MSR_PLATFORM_INFO, KIND_FIXED, 0 },
	{ MSR_MISC_FEATURES_ENABLES, KIND_SAME, 0 },
	/* CPUID shows MTRRs; see below. */
	{ MSR_IA32_MTRRCAP, KIND_FIXED,
	  MTRR_VARIABLE_COUNT | MTRRCAP_FIXED | MTRRCAP_WC },
	/* CPUID shows MCA; there are no banks. */
	{ MSR_IA32_MCG_CAP, KIND_FIXED, 0 },
	{ MSR_IA32_P5_MC_ADDR, KIND_FIXED, 0 },
	{ MSR_IA32_P5_MC_TYPE, KIND_FIXED, 0 },
};

static const struct msr_entry *find(u32 index)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].index == index)
			return &table[i];
	return NULL;
}

void msr_reset(struct msr_state *s, u64 microcode)
{
	memset(s, 0, sizeof(*s));
	s->microcode     = microcode;
	s->misc_enable   = MISC_FAST_STRINGS | MISC_FIXED;
	s->mtrr_def_type = MTRR_DEF_ENABLED | MTRR_DEF_FIXED | MTRR_TYPE_WB;
	for (unsigned int i = 0; i < MTRR_FIXED_COUNT; i++)
		s->mtrr_fixed[i] = 0x0606060606060606ULL;
	s->mtrr_fixed[2] = 0; /* A0000H-BFFFFH */
}

static const u32 fixed_index[MTRR_FIXED_COUNT] = {
	MSR_IA32_MTRR_FIX64K_00000,    MSR_IA32_MTRR_FIX16K_80000,
	MSR_IA32_MTRR_FIX16K_A0000,    MSR_IA32_MTRR_FIX4K_C0000,
	MSR_IA32_MTRR_FIX4K_C0000 + 1, MSR_IA32_MTRR_FIX4K_C0000 + 2,
	MSR_IA32_MTRR_FIX4K_C0000 + 3, MSR_IA32_MTRR_FIX4K_C0000 + 4,
	MSR_IA32_MTRR_FIX4K_C0000 + 5, MSR_IA32_MTRR_FIX4K_C0000 + 6,
	MSR_IA32_MTRR_FIX4K_C0000 + 7,
};

/* Where the MTRR of this index is kept, NULL: it is none. */
static u64 *mtrr(struct msr_state *s, u32 index)
{
	const u32 pair = index - MSR_IA32_MTRR_PHYSBASE0;

	if (index == MSR_IA32_MTRR_DEF_TYPE)
		return &s->mtrr_def_type;
	if (pair < 2 * MTRR_VARIABLE_COUNT)
		return pair & 1 ? &s->mtrr_mask[pair / 2]
				: &s->mtrr_base[pair / 2];
	for (unsigned int i = 0; i < MTRR_FIXED_COUNT; i++)
		if (fixed_index[i] == index)
			return &s->mtrr_fixed[i];
	return NULL;
}

static bool type_is_legal(u64 type)
{
	return type <= 6 && type != 2 && type != 3;
}

/* SDM vol. 3, "Memory Type Range Registers". */
static bool mtrr_is_legal(u32 index, u64 value, unsigned int phys_bits)
{
	const u32 pair = index - MSR_IA32_MTRR_PHYSBASE0;

	if (index == MSR_IA32_MTRR_DEF_TYPE)
		return !(value & ~MTRR_DEF_WRITABLE) &&
		       type_is_legal(value & 0xff);
	if (pair < 2 * MTRR_VARIABLE_COUNT) {
		const u64 address = FIELD(phys_bits - 1, 12);

		if (pair & 1)
			return !(value & ~(address | MTRR_MASK_VALID));
		return !(value & ~(address | 0xff)) &&
		       type_is_legal(value & 0xff);
	}
	for (; value; value >>= 8)
		if (!type_is_legal(value & 0xff))
			return false;
	return true;
}

enum msr_answer msr_read(struct msr_state *s, u32 index, u64 *value)
{
	const struct msr_entry *e = find(index);
	u64 *at                   = mtrr(s, index);

	if (index == MSR_IA32_MISC_ENABLE)
		at = &s->misc_enable;
	else if (index == MSR_IA32_MCG_STATUS)
		at = &s->mcg_status;
	else if (index == MSR_IA32_BIOS_SIGN_ID)
		at = &s->microcode;
	if (!e && !at)
		return MSR_UNKNOWN;
	*value = e ? e->value : *at;
	return MSR_OK;
}

static enum msr_answer write_entry(const struct msr_entry *e, u64 value)
{
	switch (e->kind) {
	case KIND_SAME:
		return value == e->value ? MSR_OK : MSR_GP;
	default:
		return MSR_GP;
	}
}

enum msr_answer msr_write(struct msr_state *s, u32 index, u64 value,
			  unsigned int phys_bits)
{
	const struct msr_entry *e = find(index);

	if (e)
		return write_entry(e, value);
	if (index == MSR_IA32_BIOS_SIGN_ID)
		return MSR_OK; /* software writes 0 before it asks */
	if (index == MSR_IA32_MISC_ENABLE) {
		/* What cannot be switched keeps its value, as on silicon. */
		s->misc_enable = MISC_FIXED | (value & MISC_WRITABLE);
		return MSR_OK;
	}
	if (index == MSR_IA32_MCG_STATUS) {
		if (value & ~MCG_STATUS_WRITABLE)
			return MSR_GP;
		s->mcg_status = value;
		return MSR_OK;
	}
	u64 *at = mtrr(s, index);

	if (!at)
		return MSR_UNKNOWN;
	if (!mtrr_is_legal(index, value, phys_bits))
		return MSR_GP;
	*at = value;
	return MSR_OK;
}

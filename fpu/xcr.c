/* SPDX-License-Identifier: MIT */
/*
 * The rules for XCR0, IA32_XSS, IA32_XFD and IA32_XFD_ERR as a table:
 * components that come only together with others. No state, no hardware.
 */
#include "fpu/xcr.h"

/*
 * Whoever sets a bit of SOME needs all of ALL. SDM volume 2, XSETBV, and volume
 * 1, "State Components Managed by the XSAVE Feature Set".
 */
static const struct {
	u64 some, all;
} xcr0_rule[] = {
	{ XSTATE_AVX, XSTATE_SSE },
	{ XSTATE_MPX, XSTATE_MPX },
	{ XSTATE_AVX512, XSTATE_AVX512 | XSTATE_AVX },
	{ XSTATE_AMX, XSTATE_AMX },
};

bool xcr0_is_legal(u64 value, u64 allowed)
{
	if (!(value & XSTATE_X87) || (value & ~allowed))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(xcr0_rule); i++)
		if ((value & xcr0_rule[i].some) &&
		    (value & xcr0_rule[i].all) != xcr0_rule[i].all)
			return false;
	return true;
}

/* In the table's order a rule never takes away what an earlier one needs. */
u64 xcr0_legal_subset(u64 allowed)
{
	u64 value = allowed | XSTATE_X87;

	for (size_t i = 0; i < ARRAY_SIZE(xcr0_rule); i++)
		if ((value & xcr0_rule[i].all) != xcr0_rule[i].all)
			value &= ~xcr0_rule[i].some;
	return value;
}

bool xss_is_legal(u64 value, u64 allowed)
{
	return (value & ~allowed) == 0;
}

bool xfd_is_legal(u64 value, u64 allowed)
{
	return (value & ~allowed) == 0;
}

/* SPDX-License-Identifier: MIT */
/* links: vmx/inject.c */
/*
 * Events: encoding, re-injection, double and triple faults, and when a guest
 * can take one. SDM vol. 3, tables of "Interrupt 8, Double Fault Exception".
 */
#include "vmx/inject.h"

#include "tests/unit/tap.h"
#include "vmx/vmcs_field.h"

#define EXCEPTION(v) (EVENT_VALID | (u32)EVENT_HW_EXCEPTION << 8 | (v))

static void encoding(void)
{
	tap_is(event_exception(VEC_NM, 0).info, 0x80000307,
	       "B.12: #NM is 80000307H");
	tap_is(event_exception(VEC_GP, 0).info, 0x80000b0d,
	       "#GP has an error code");
	tap_is(event_exception(VEC_PF, 7).error, 7, "#PF's error code");
	tap_is(event_exception(VEC_UD, 7).error, 0, "#UD has none");
	tap_is(event_exception(VEC_DF, 0).info, 0x80000b08, "#DF");
}

static void again(void)
{
	struct event e = event_again(0x80001b0e, 4, 3);

	tap_is(e.info, 0x80000b0e, "bit 12 is not for the entry");
	tap_is(e.error, 4, "the error code comes along");
	tap_is(e.length, 0, "no length for a hardware exception");
	e = event_again(EVENT_VALID | (u32)EVENT_SW_INTERRUPT << 8 | 0x80, 9,
			2);
	tap_is(e.length, 2, "INT n needs its length");
	tap_is(e.error, 0, "and has no error code");
	e = event_again(EVENT_VALID | (u32)EVENT_SW_EXCEPTION << 8 | 3, 0, 1);
	tap_is(e.length, 1, "so does INT3");
	e = event_again(EVENT_VALID | (u32)EVENT_PRIV_SW_EXCEPTION << 8 | 1, 0,
			1);
	tap_is(e.length, 1, "so does INT1");
}

/* clang-format off */
static const struct {
	const char *claim;
	u32 first;
	u8 second;
	enum compound want;
} pairs[] = {
	{ "benign, then contributory", EXCEPTION(VEC_UD), VEC_GP, COMPOUND_SECOND },
	{ "benign, then page fault", EXCEPTION(VEC_NM), VEC_PF, COMPOUND_SECOND },
	{ "contributory, then benign", EXCEPTION(VEC_GP), VEC_NM, COMPOUND_SECOND },
	{ "contributory, then contributory", EXCEPTION(VEC_NP), VEC_GP, COMPOUND_DOUBLE_FAULT },
	{ "contributory, then page fault", EXCEPTION(VEC_GP), VEC_PF, COMPOUND_SECOND },
	{ "page fault, then contributory", EXCEPTION(VEC_PF), VEC_SS, COMPOUND_DOUBLE_FAULT },
	{ "page fault, then page fault", EXCEPTION(VEC_PF), VEC_PF, COMPOUND_DOUBLE_FAULT },
	{ "page fault, then benign", EXCEPTION(VEC_PF), VEC_NM, COMPOUND_SECOND },
	{ "#DE is contributory", EXCEPTION(VEC_DE), VEC_TS, COMPOUND_DOUBLE_FAULT },
	{ "double fault, then contributory", EXCEPTION(VEC_DF), VEC_GP, COMPOUND_TRIPLE_FAULT },
	{ "double fault, then page fault", EXCEPTION(VEC_DF), VEC_PF, COMPOUND_TRIPLE_FAULT },
	{ "double fault, then benign", EXCEPTION(VEC_DF), VEC_UD, COMPOUND_SECOND },
	{ "contributory, then interrupt", EXCEPTION(VEC_GP), 0x20, COMPOUND_SECOND },
	{ "interrupt, then contributory", EVENT_VALID | 0x20, VEC_GP, COMPOUND_SECOND },
	{ "interrupt of vector 13 is no #GP", EVENT_VALID | 13, VEC_GP, COMPOUND_SECOND },
	{ "NMI, then page fault", EVENT_VALID | 0x202, VEC_PF, COMPOUND_SECOND },
	{ "INT 13 is no #GP", EVENT_VALID | 0x40d, VEC_GP, COMPOUND_SECOND },
};
/* clang-format on */

static void compounds(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		tap_is(event_compound(pairs[i].first, pairs[i].second),
		       pairs[i].want, "%s", pairs[i].claim);
}

static void blocking(void)
{
	tap_ok(can_take_interrupt(RFLAGS_IF, 0), "IF 1: interrupt");
	tap_ok(!can_take_interrupt(0, 0), "IF 0: none");
	tap_ok(!can_take_interrupt(RFLAGS_IF, BLOCKED_BY_STI),
	       "none in the shadow of STI");
	tap_ok(!can_take_interrupt(RFLAGS_IF, BLOCKED_BY_MOV_SS),
	       "none in the shadow of MOV SS");
	tap_ok(can_take_interrupt(RFLAGS_IF, BLOCKED_BY_NMI),
	       "NMI blocking does not block interrupts");
	tap_ok(can_take_nmi(0), "NMI");
	tap_ok(!can_take_nmi(BLOCKED_BY_NMI), "no NMI in an NMI");
	tap_ok(!can_take_nmi(BLOCKED_BY_MOV_SS), "none after MOV SS");
	tap_ok(event_is_fault(VEC_NM) && event_is_fault(VEC_PF),
	       "#NM and #PF are faults: RF is 1 in what they push");
	tap_ok(!event_is_fault(VEC_DF) && !event_is_fault(VEC_DB) &&
		       !event_is_fault(VEC_BP) && !event_is_fault(0x20),
	       "#DF, #DB, #BP and interrupts are not");
}

int main(void)
{
	encoding();
	again();
	compounds();
	blocking();
	return tap_done();
}

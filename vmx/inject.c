/* SPDX-License-Identifier: MIT */
#include "vmx/inject.h"

#include "vmx/vmcs_field.h"

#define CONTRIBUTORY                                                           \
	(BIT(VEC_DE) | BIT(VEC_TS) | BIT(VEC_NP) | BIT(VEC_SS) | BIT(VEC_GP) | \
	 BIT(VEC_CP))

struct event event_exception(u8 vector, u32 error)
{
	const bool has_error = vector < 32 && VEC_HAS_ERROR_CODE & BIT(vector);

	return (struct event){
		.info = EVENT_VALID | (u32)EVENT_HW_EXCEPTION << 8 |
			(has_error ? EVENT_ERROR_VALID : 0) | vector,
		.error = has_error ? error : 0,
	};
}

struct event event_again(u32 idt_info, u32 idt_error, u32 length)
{
	const enum event_type type = EVENT_TYPE(idt_info);
	const bool software        = type == EVENT_SW_INTERRUPT ||
			      type == EVENT_PRIV_SW_EXCEPTION ||
			      type == EVENT_SW_EXCEPTION;

	/* Bit 12 is undefined in the vectoring field and reserved at entry. */
	return (struct event){
		.info   = idt_info & ~EVENT_NMI_UNBLOCKED,
		.error  = idt_info & EVENT_ERROR_VALID ? idt_error : 0,
		.length = software ? length : 0,
	};
}

enum compound event_compound(u32 first, u8 second)
{
	const u32 vector = EVENT_VECTOR(first);
	const u64 bit    = second < 32 ? BIT(second) : 0;

	/* Interrupts and software events are benign. */
	if (EVENT_TYPE(first) != EVENT_HW_EXCEPTION || vector >= 32)
		return COMPOUND_SECOND;
	if (vector == VEC_DF)
		return bit & (CONTRIBUTORY | BIT(VEC_PF))
			       ? COMPOUND_TRIPLE_FAULT
			       : COMPOUND_SECOND;
	if (BIT(vector) & CONTRIBUTORY)
		return bit & CONTRIBUTORY ? COMPOUND_DOUBLE_FAULT
					  : COMPOUND_SECOND;
	if (vector == VEC_PF)
		return bit & (CONTRIBUTORY | BIT(VEC_PF))
			       ? COMPOUND_DOUBLE_FAULT
			       : COMPOUND_SECOND;
	return COMPOUND_SECOND;
}

bool event_is_fault(u8 vector)
{
	const u64 not_faults = BIT(VEC_DB) | BIT(VEC_NMI) | BIT(VEC_BP) |
			       BIT(VEC_OF) | BIT(VEC_DF) | BIT(VEC_MC);

	return vector < 32 && !(not_faults & BIT(vector));
}

bool can_take_interrupt(u64 rflags, u32 interruptibility)
{
	return (rflags & RFLAGS_IF) &&
	       !(interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

bool can_take_nmi(u32 interruptibility)
{
	return !(interruptibility &
		 (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI));
}

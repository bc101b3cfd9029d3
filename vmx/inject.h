/* SPDX-License-Identifier: MIT */
/*
 * Events for the guest: their encoding, what two of them at once become, and
 * whether the guest can take one now. Pure; vcpu.c and exit_event.c write the
 * VMCS. SDM vol. 3, "VM-Entry Controls for Event Injection" and "Interrupt 8,
 * Double Fault Exception".
 */
#ifndef VMX_INJECT_H
#define VMX_INJECT_H

#include "boot/lib/x86.h"

/* Interruption type, bits 10:8 of every interruption-information field. */
enum event_type {
	EVENT_EXTERNAL          = 0,
	EVENT_NMI               = 2,
	EVENT_HW_EXCEPTION      = 3,
	EVENT_SW_INTERRUPT      = 4,
	EVENT_PRIV_SW_EXCEPTION = 5, /* INT1 */
	EVENT_SW_EXCEPTION      = 6, /* INT3, INTO */
	EVENT_OTHER             = 7,
};

#define EVENT_VECTOR(info)  ((info)&0xffu)
#define EVENT_TYPE(info)    ((enum event_type)((info) >> 8 & 7u))
#define EVENT_ERROR_VALID   0x800u
#define EVENT_NMI_UNBLOCKED 0x1000u /* exits: IRET had just unblocked NMIs */
#define EVENT_VALID         0x80000000u

/* An event as the VM entry takes it. */
struct event {
	u32 info;
	u32 error;  /* with EVENT_ERROR_VALID */
	u32 length; /* instruction length, types 4 to 6 */
};

/* A hardware exception; ERROR is ignored where VECTOR has none. */
struct event event_exception(u8 vector, u32 error);

/*
 * The event whose delivery an exit interrupted, to be delivered again:
 * IDT-vectoring information and what belongs to it.
 */
struct event event_again(u32 idt_info, u32 idt_error, u32 length);

/* SECOND, an exception, arises while FIRST is being delivered. */
enum compound {
	COMPOUND_SECOND, /* deliver SECOND; FIRST is lost, as in hardware */
	COMPOUND_DOUBLE_FAULT,
	COMPOUND_TRIPLE_FAULT,
};
enum compound event_compound(u32 first, u8 second);

/* Does VECTOR push an image of RFLAGS with RF=1: a fault, not a trap or abort?
 */
bool event_is_fault(u8 vector);

bool can_take_interrupt(u64 rflags, u32 interruptibility);
bool can_take_nmi(u32 interruptibility);

#endif

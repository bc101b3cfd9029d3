/* SPDX-License-Identifier: MIT */
/*
 * What a host exception or interrupt leaves on the stack, and how higher
 * modules hand on the interrupts that a VM exit delivered to them. The vectors
 * and handlers are boot/trap.S and boot/trap.c.
 */
#ifndef BOOT_LIB_TRAP_H
#define BOOT_LIB_TRAP_H

#include "boot/lib/types.h"

/*
 * Pushed by boot/trap.S, lowest address first; from rip on by the CPU. General
 * registers are in the order of the hardware's register numbers, as in struct
 * gprs; r[4] is unused, RSP is rsp.
 */
struct trap_frame {
	u64 r[16];
	u64 vector;
	u64 error_code; /* 0 where the exception has none */
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};
_Static_assert(sizeof(struct trap_frame) == 23 * 8, "see boot/trap.S");

/*
 * Let interrupts in and wait for one: whichever is pending or comes ends the
 * wait. Interrupts are on when it returns.
 */
void sti_hlt(void);

/*
 * An interrupt with VECTOR has come, by the IDT or by a VM exit that
 * acknowledged it: signals its end to the local APIC. Interrupts are off.
 */
void trap_interrupt(u8 vector);

/*
 * An NMI has come, by the IDT or by a VM exit: counted for this CPU. For
 * the latter FRAME is that of deliver_host_nmi(). Takes no lock.
 */
void trap_nmi(const struct trap_frame *frame);

/*
 * The NMIs since the last call go to the log, the first few times: how many
 * there are and where the last of them struck. It was in GUEST at guest RIP, or
 * in the host if GUEST is NULL. Not from an NMI's handler.
 */
void trap_tell_nmis(const char *guest, u64 rip);

/* A machine check has come, by the IDT or by a VM exit (FRAME NULL): panic. */
_Noreturn void trap_machine_check(const struct trap_frame *frame);

/*
 * Called by trap_nmi() on every NMI, with no lock held and none allowed; NULL:
 * nobody is interested.
 */
extern void (*trap_nmi_hook)(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One vCPU's local APIC, in xAPIC and x2APIC mode, with its timer (SDM vol. 3,
 * "Advanced Programmable Interrupt Controller"). Pure: time is an argument, and
 * what reaches beyond this APIC is returned as an effect, which the caller
 * carries out. IRR, TMR and the pending errors may be written by any CPU, which
 * may also read what says whether a message is for this APIC; everything else
 * is for the CPU that has the vCPU.
 */
#ifndef GUEST_VLAPIC_H
#define GUEST_VLAPIC_H

#include "boot/lib/types.h"

#define VLAPIC_BASE 0xfee00000ULL /* after RESET */

enum apic_mode {
	APIC_FIXED  = 0,
	APIC_LOWEST = 1,
	APIC_SMI    = 2,
	APIC_NMI    = 4,
	APIC_INIT   = 5,
	APIC_SIPI   = 6,
	APIC_EXTINT = 7,
};

/* An interrupt on its way to local APICs. */
struct apic_message {
	u32 destination;
	bool broadcast; /* in either destination mode */
	bool logical;
	bool level;
	u8 mode; /* enum apic_mode, or a reserved value */
	u8 vector;
};

enum apic_shorthand {
	APIC_TO_DESTINATION = 0,
	APIC_TO_SELF        = 1,
	APIC_TO_ALL         = 2,
	APIC_TO_OTHERS      = 3,
};

/* What an access causes outside this APIC. Zeroed by the caller. */
struct vlapic_effect {
	bool ipi; /* send message to shorthand */
	struct apic_message message;
	enum apic_shorthand shorthand;
	bool eoi; /* of a level-triggered interrupt: tell the I/O APIC */
	u8 eoi_vector;
};

enum vlapic_lvt {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PMI,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_COUNT,
};

struct vlapic {
	u32 id;
	u64 base; /* IA32_APIC_BASE */
	u32 tpr, svr, ldr, dfr;
	u32 esr, esr_pending;
	u64 icr;
	u32 lvt[LVT_COUNT];
	u32 irr[8], isr[8], tmr[8];

	/* APIC virtualization: vlapic_page.c */
	bool in_page; /* TPR, ISR and what was taken of IRR are there */
	bool news;    /* something has come into IRR; written by any CPU */

	/* The timer. Times are host TSC, the deadline is guest TSC. */
	u32 tsc_per_tick; /* of the timer's input clock */
	u32 initial, divide;
	u64 due; /* 0: not counting */
	u64 deadline;
};

/* RESET. TSC_PER_TICK is not 0. */
void vlapic_reset(struct vlapic *l, u32 id, u32 tsc_per_tick);

/* What an INIT does: RESET, but the id and IA32_APIC_BASE stay. */
void vlapic_init(struct vlapic *l);

/* What firmware does on the boot CPU: enabled, LINT0 for the 8259s, LINT1 NMI.
 */
void vlapic_virtual_wire(struct vlapic *l);

/* Disabled by IA32_APIC_BASE, xAPIC, x2APIC. */
bool vlapic_is_enabled(const struct vlapic *l);
bool vlapic_is_x2apic(const struct vlapic *l);

/* WRMSR IA32_APIC_BASE. False: #GP(0), nothing was changed. */
bool vlapic_write_base(struct vlapic *l, u64 value, unsigned int phys_bits);

/*
 * x2APIC MSRs: REG is the MSR's index less 800H, below 100H. False: #GP(0),
 * nothing was changed. NOW is the host's TSC.
 */
bool vlapic_read_msr(struct vlapic *l, u32 reg, u64 now, u64 *value);
bool vlapic_write_msr(struct vlapic *l, u32 reg, u64 value, u64 now,
		      struct vlapic_effect *effect);

/* xAPIC's page. Accesses that are not to a register read 0, write nothing. */
u32 vlapic_read(struct vlapic *l, u32 offset, u64 now);
void vlapic_write(struct vlapic *l, u32 offset, u32 value, u64 now,
		  struct vlapic_effect *effect);

/* IA32_TSC_DEADLINE; out of the deadline mode it reads 0 and ignores writes. */
u64 vlapic_read_deadline(const struct vlapic *l);
void vlapic_write_deadline(struct vlapic *l, u64 value);

/* Does this APIC belong to M's destination? */
bool vlapic_matches(const struct vlapic *l, const struct apic_message *m);

/* A fixed interrupt arrives, from any CPU. False: it was not accepted. */
bool vlapic_post(struct vlapic *l, u8 vector, bool level);

/*
 * May VECTOR, edge-triggered, be given to the CPU that has the page, without
 * software? Not if TMR must change, and with it the EOIs that exit.
 */
bool vlapic_can_bypass(const struct vlapic *l, u8 vector);

/* The vectors in IRR have been accepted that way, and were not delivered. */
void vlapic_request_all(struct vlapic *l, const u32 irr[8]);

/* The vector to deliver now, or -1; and its delivery. */
int vlapic_pending(const struct vlapic *l);
void vlapic_accept(struct vlapic *l, u8 vector);

/* Does LINT0 let an 8259's interrupt through (or does nothing stand before)? */
bool vlapic_takes_extint(const struct vlapic *l);

/*
 * APIC virtualization (vmx/apicv.h). PAGE is the virtual-APIC page. While the
 * CPU has it, IRR here holds only what came since; pending, TPR and ISR are
 * known again after vlapic_from_page().
 */

/* Highest vectors in the page's IRR and ISR, 0: none; EOIs that must exit. */
struct vlapic_page {
	u8 requested, serviced;
	u64 eoi_exit[4];
	bool on; /* what comes may be delivered */
};

/* Is there anything in L that the page does not have? */
bool vlapic_is_news(const struct vlapic *l);
void vlapic_to_page(struct vlapic *l, u32 *page, struct vlapic_page *out);
void vlapic_from_page(struct vlapic *l, u32 *page);

/*
 * The CPU has put a write to the register at OFFSET into the page and did no
 * more; L is as after vlapic_from_page().
 */
void vlapic_page_written(struct vlapic *l, const u32 *page, u32 offset, u64 now,
			 struct vlapic_effect *effect);

/* CR8 is TPR[7:4]. */
u64 vlapic_get_cr8(const struct vlapic *l);
void vlapic_set_cr8(struct vlapic *l, u64 cr8);

/* Host TSC when the timer is next due, ~0: never. */
u64 vlapic_next_due(const struct vlapic *l, u64 tsc_offset);

/* What is due at NOW (host TSC) is posted. True: something was. */
bool vlapic_tick(struct vlapic *l, u64 now, u64 tsc_offset);

#endif

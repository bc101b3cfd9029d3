/* SPDX-License-Identifier: MIT */
/*
 * The SDM's checks on guest state and event injection at VM entry, in C: says
 * which field is wrong where the CPU only says that something is (SDM vol. 3,
 * "Checking and Loading Guest State" and "VM-Entry Control Fields"). Pure. Of
 * the checks on control fields those of APIC virtualization are here, because
 * these change; the others and the host fields are not: they come from caps.c.
 */
#ifndef VMX_ENTRY_CHECK_H
#define VMX_ENTRY_CHECK_H

#include "vmx/vmcs_field.h"

struct entry_segment {
	u64 selector, base, limit, access;
};

struct entry_state {
	/* What the CPU demands. */
	u64 cr0_fixed0, cr0_fixed1; /* PE and PG not demanded */
	u64 cr4_fixed0, cr4_fixed1;
	u64 address_mask; /* bits that a physical address may have */

	/* Every exit may move these, of RFLAGS not the bit VM. */
	u64 rip, rsp, rflags;
	u64 interruptibility, activity, pending_debug, link;
	u64 intr_info, intr_error, intr_length;

	u64 cr0, cr3, cr4, dr7, debugctl, efer, pat;
	u64 sysenter_esp, sysenter_eip;
	u64 gdtr_base, gdtr_limit, idtr_base, idtr_limit;
	struct entry_segment seg[SEG_COUNT];
	u64 pdpte[4];

	u64 pin_controls, exit_controls, entry_controls;
	u64 cpu_controls, cpu2_controls;
	u64 virtual_apic, apic_access, tpr_threshold; /* if used, else 0 */
	u64 posted_vector, posted_descriptor;         /* likewise */
};

/* NULL: the CPU will take it; else the first rule that is broken. */
const char *entry_check(const struct entry_state *s);

/*
 * The same of a state that differs in moving fields only from one that
 * entry_check() has passed.
 */
const char *entry_check_moving(const struct entry_state *s);

/* The same for an event alone; PROTECTED_MODE: CR0.PE is 1. */
const char *entry_check_event(u32 info, u32 error, u32 length,
			      bool protected_mode);

/* Who is to blame for an entry that did not happen. */
enum entry_blame {
	ENTRY_BLAME_US,      /* a bug: no guest has a hand in it */
	ENTRY_BLAME_GUEST,   /* or we did not see through what it did */
	ENTRY_BLAME_MACHINE, /* a machine check */
};

/*
 * VMLAUNCH or VMRESUME failed with this VM-instruction error, or 0: there is no
 * current VMCS. Of all that is checked before the guest state only the event to
 * inject is the guest's; BAD_EVENT: entry_check_event() has found it wrong.
 * (SDM vol. 3, "VM-Instruction Error Numbers", "Checks on VMX Controls and
 * Host-State Area")
 */
enum entry_blame entry_blame_refused(u64 error, bool bad_event);

/*
 * The entry ended in an exit for BASIC_REASON, with bit 31 (SDM vol. 3,
 * "VM-Entry Failures During or After Loading Guest State").
 */
enum entry_blame entry_blame_failed(u32 basic_reason);

#endif

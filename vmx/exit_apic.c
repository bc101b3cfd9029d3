/* SPDX-License-Identifier: MIT */
/*
 * Accesses to the local APIC of which the CPU did only a part, or nothing (SDM
 * vol. 3, "APIC Virtualization and Virtual Interrupts").
 */
#include "vmx/exit.h"
#include "vmx/policy.h"

/* Exit qualification of an APIC-access exit. */
enum apic_access {
	APIC_ACCESS_READ  = 0,
	APIC_ACCESS_WRITE = 1,
	APIC_ACCESS_FETCH = 2,
	APIC_ACCESS_EVENT = 3, /* during the delivery of an event */
};

/* Nothing was done: a register that only software has, or an odd access. */
enum verdict exit_apic_access(struct vcpu *v)
{
	const u64 q      = exit_qualification();
	const u64 offset = field_get(q, 11, 0);

	switch (field_get(q, 15, 12)) {
	case APIC_ACCESS_READ:
	case APIC_ACCESS_WRITE:
		return exit_emulate_mmio(v, gpa(policy_apic_base(v) + offset));
	case APIC_ACCESS_FETCH:
		return exit_inject_ud(v);
	case APIC_ACCESS_EVENT:
		return vcpu_stop(v,
				 "an event cannot be delivered: its stack or "
				 "table is the local APIC, offset %#llx",
				 (unsigned long long)offset);
	default:
		return vcpu_stop(v,
				 "a page table lies in the local APIC, "
				 "qualification %#llx",
				 (unsigned long long)q);
	}
}

/* The value is in the page, RIP behind the instruction; the effect is ours. */
enum verdict exit_apic_write(struct vcpu *v)
{
	v->work |= WORK_TIMER | WORK_INTR;
	policy_apic_written(v, (u32)field_get(exit_qualification(), 11, 0));
	return RUN_AGAIN;
}

/* EOI of a vector that apicv_entry.eoi_exit names; the page has it done. */
enum verdict exit_apic_eoi(struct vcpu *v)
{
	policy_apic_eoi(v, (u8)exit_qualification());
	return RUN_AGAIN;
}

/* SPDX-License-Identifier: MIT */
/* Exits without an instruction to emulate: interrupts, timers, waiting. */
#include "boot/lib/trap.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
#include "vmx/insn.h"
#include "vmx/policy.h"

/* The exit acknowledged it; it is the host's. */
enum verdict exit_external_intr(struct vcpu *v)
{
	trap_interrupt((u8)EVENT_VECTOR(vmread32(VMCS_EXIT_INTR_INFO)));
	policy_service(rdtsc());
	/* Without a VMX-preemption timer it may have been the slice's end. */
	v->work |= WORK_TIMER;
	return RUN_AGAIN;
}

/*
 * The VMX-preemption timer: the run loop compares the time with the slice's
 * end; if that is still to come, the vCPU's own timer is due.
 */
enum verdict exit_slice_over(struct vcpu *v)
{
	v->work |= WORK_TIMER;
	return RUN_AGAIN;
}

enum verdict exit_intr_window(struct vcpu *v)
{
	v->work |= WORK_INTR;
	return RUN_AGAIN;
}

enum verdict exit_nmi_window(struct vcpu *v)
{
	v->work |= WORK_INTR;
	return RUN_AGAIN;
}

/* Blocks unless something is there already; see prepare() in vcpu.c. */
enum verdict exit_hlt(struct vcpu *v)
{
	exit_skip(v);
	/* A single-step trap is due before the wait. */
	if (vmread(VMCS_GUEST_PENDING_DEBUG) & PENDING_DEBUG_BS)
		return RUN_AGAIN;
	v->activity = VCPU_HLT;
	v->work |= WORK_TIMER | WORK_INTR;
	return RUN_AGAIN;
}

enum verdict exit_triple_fault(struct vcpu *v)
{
	vcpu_account(v);
	return policy_triple_fault(v);
}

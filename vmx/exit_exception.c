/* SPDX-License-Identifier: MIT */
/*
 * Exception exits: #NM to fpu/, which alone decides that there are any, NMI and
 * machine check to the host. Everything else goes straight to the guest.
 */
#include "boot/lib/trap.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
#include "vmx/insn.h"
#include "vmx/policy.h"
#include "vmx/vcpu_run.h"

/*
 * A forced #NM leaves RIP, RF, interruptibility and pending debug exceptions as
 * they are: the same instruction simply runs again (xfd.md B.13, B.14).
 */
static enum verdict device_not_available(struct vcpu *v)
{
	v->stats.nm_exits++;
	/* No event's delivery uses an XFD component (xfd.md B.15). */
	if (vmread32(VMCS_IDT_VECTORING_INFO) & EVENT_VALID)
		return vcpu_stop(v, "#NM during the delivery of an event");

	const u64 growths        = fpu_growths(&v->fpu);
	const enum fpu_nm answer = fpu_nm_exit(&v->fpu);

	if (answer == FPU_NM_NO_MEMORY)
		return vcpu_stop(v,
				 "no memory for the extended state of vCPU %u: "
				 "need %llu bytes, have %llu",
				 v->index,
				 (unsigned long long)fpu_need_bytes(&v->fpu),
				 (unsigned long long)fpu_have_bytes(&v->fpu));
	vcpu_apply_traps(v);
	if (fpu_growths(&v->fpu) != growths)
		policy_grown(v, v->rip);
	if (answer == FPU_NM_RETRY)
		return RUN_AGAIN;
	return exit_inject(v, VEC_NM, 0);
}

enum verdict exit_exception(struct vcpu *v)
{
	const u32 info  = vmread32(VMCS_EXIT_INTR_INFO);
	const u8 vector = (u8)EVENT_VECTOR(info);

	if (EVENT_TYPE(info) == EVENT_NMI) {
		deliver_host_nmi();
		trap_tell_nmis(v->name, v->rip);
		return RUN_AGAIN;
	}
	if (vector == VEC_NM)
		return device_not_available(v);
	if (vector == VEC_MC)
		trap_machine_check(NULL);
	return vcpu_stop(v, "an exit for exception %u, which was not asked for",
			 vector);
}

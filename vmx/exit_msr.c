/* SPDX-License-Identifier: MIT */
/*
 * RDMSR and WRMSR that exit: what vmx/ and fpu/ own is answered here, the rest
 * is asked above. Nothing reaches a host MSR.
 */
#include "vmx/exit.h"
#include "vmx/insn.h"
#include "vmx/policy.h"
#include "vmx/vcpu_run.h"

#define DEBUGCTL_BTF BIT(1)

/* RUN_AGAIN with *VALUE set; *DONE: the exit has been dealt with otherwise. */
static enum verdict read(struct vcpu *v, u32 msr, u64 *value, bool *done)
{
	enum verdict verdict = RUN_AGAIN;

	*done = false;
	if (exit_xstate_rdmsr(v, msr, value, &verdict)) {
		*done = v->work & WORK_INJECT;
		return verdict;
	}
	switch (msr) {
	case MSR_IA32_TSC_ADJUST:
		*value = v->tsc_adjust;
		return RUN_AGAIN;
	case MSR_IA32_DEBUGCTL:
		*value = vmread(VMCS_GUEST_IA32_DEBUGCTL);
		return RUN_AGAIN;
	default:
		break;
	}
	switch (policy_rdmsr(v, msr, value)) {
	case POLICY_OK:
		return RUN_AGAIN;
	case POLICY_GP:
		*done = true;
		return exit_inject_gp(v);
	case POLICY_STOP:
		break;
	}
	*done = true;
	return RUN_STOP;
}

enum verdict exit_rdmsr(struct vcpu *v)
{
	u64 *r    = v->regs.r;
	u64 value = 0;
	bool done;

	const enum verdict verdict = read(v, lo32(r[RCX]), &value, &done);

	if (done)
		return verdict;
	r[RAX] = lo32(value);
	r[RDX] = hi32(value);
	return exit_skip(v);
}

/* Moving the TSC moves IA32_TSC_ADJUST by as much, and the other way round. */
static enum verdict write_tsc(struct vcpu *v, u64 delta)
{
	v->tsc_adjust += delta;
	vcpu_move_tsc(v, delta);
	return exit_skip(v);
}

/* The guest may single-step branches; everything else would be the host's. */
static enum verdict write_debugctl(struct vcpu *v, u64 value)
{
	if (value & ~DEBUGCTL_BTF)
		return exit_inject_gp(v);
	vmwrite(VMCS_GUEST_IA32_DEBUGCTL, value);
	return exit_skip(v);
}

enum verdict exit_wrmsr(struct vcpu *v)
{
	const u64 *r    = v->regs.r;
	const u32 msr   = lo32(r[RCX]);
	const u64 value = make64(r[RDX], r[RAX]);
	enum verdict verdict;

	if (exit_xstate_wrmsr(v, msr, value, &verdict))
		return verdict;
	switch (msr) {
	case MSR_IA32_TIME_STAMP_COUNTER:
		return write_tsc(v, value - vcpu_tsc(v));
	case MSR_IA32_TSC_ADJUST:
		return write_tsc(v, value - v->tsc_adjust);
	case MSR_IA32_DEBUGCTL:
		return write_debugctl(v, value);
	case MSR_IA32_EFER:
		return exit_write_efer(v, value);
	default:
		break;
	}
	/* A timer, an EOI, a priority: whatever it was, look again. */
	v->work |= WORK_TIMER | WORK_INTR;
	switch (policy_wrmsr(v, msr, value)) {
	case POLICY_OK:
		return exit_skip(v);
	case POLICY_GP:
		return exit_inject_gp(v);
	case POLICY_STOP:
		break;
	}
	return RUN_STOP;
}

/* SPDX-License-Identifier: MIT */
/*
 * XSETBV and the MSRs of the extended state: fpu/ decides, this file carries
 * the answer to the guest and the new traps to the VMCS.
 */
#include "vmx/exit.h"
#include "vmx/policy.h"
#include "vmx/vcpu_run.h"

/* After a write that FPU has judged: traps, #GP or the end, else on. */
static enum verdict conclude(struct vcpu *v, enum fpu_write answer, u64 growths)
{
	switch (answer) {
	case FPU_WRITE_OK:
		vcpu_apply_traps(v);
		if (fpu_growths(&v->fpu) != growths)
			policy_grown(v, v->rip);
		return exit_skip(v);
	case FPU_WRITE_GP:
		return exit_inject_gp(v);
	case FPU_WRITE_NO_MEMORY:
		break;
	}
	return vcpu_stop(v,
			 "no memory for the extended state of vCPU %u: need "
			 "%llu bytes, have %llu",
			 v->index, (unsigned long long)fpu_need_bytes(&v->fpu),
			 (unsigned long long)fpu_have_bytes(&v->fpu));
}

/*
 * The exit comes before the CPU checks privilege, ECX and value (xfd.md B.6),
 * so all three are checked here and in fpu_set_xcr0().
 */
enum verdict exit_xsetbv(struct vcpu *v)
{
	const u64 *r      = v->regs.r;
	const u64 growths = fpu_growths(&v->fpu);

	if (vcpu_cpl(v) != 0 || lo32(r[RCX]) != 0)
		return exit_inject_gp(v);
	vcpu_forget_cpuid(v); /* CPUID.0DH:EBX follows XCR0 */
	return conclude(v, fpu_set_xcr0(&v->fpu, make64(r[RDX], r[RAX])),
			growths);
}

bool exit_xstate_rdmsr(struct vcpu *v, u32 msr, u64 *value,
		       enum verdict *verdict)
{
	const bool is_xfd = msr == MSR_IA32_XFD || msr == MSR_IA32_XFD_ERR;

	if (msr == MSR_IA32_XSS && fpu_machine_has_xsaves()) {
		*value   = fpu_guest_xss(&v->fpu);
		*verdict = RUN_AGAIN;
		return true;
	}
	if (!is_xfd)
		return false;
	v->stats.xfd_exits++;
	if (!fpu_guest_has_xfd(&v->fpu)) {
		*verdict = exit_inject_gp(v);
		return true;
	}
	*value   = msr == MSR_IA32_XFD ? fpu_read_xfd(&v->fpu)
				       : fpu_read_xfd_err(&v->fpu);
	*verdict = RUN_AGAIN;
	return true;
}

bool exit_xstate_wrmsr(struct vcpu *v, u32 msr, u64 value,
		       enum verdict *verdict)
{
	const u64 growths = fpu_growths(&v->fpu);
	enum fpu_write answer;

	switch (msr) {
	case MSR_IA32_XFD:
		v->stats.xfd_exits++;
		answer = fpu_write_xfd(&v->fpu, value);
		break;
	case MSR_IA32_XFD_ERR:
		v->stats.xfd_exits++;
		answer = fpu_write_xfd_err(&v->fpu, value);
		break;
	case MSR_IA32_XSS:
		if (!fpu_machine_has_xsaves())
			return false;
		vcpu_forget_cpuid(v); /* CPUID.(0DH,1):EBX follows it */
		answer = fpu_set_xss(&v->fpu, value);
		break;
	default:
		return false;
	}
	*verdict = conclude(v, answer, growths);
	return true;
}

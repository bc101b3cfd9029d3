/* SPDX-License-Identifier: MIT */
/* Exits whose answer depends on what the guest is: decoded here, asked above.
 */
#include "vmx/exit.h"
#include "vmx/insn.h"
#include "vmx/policy.h"

/*
 * Ask above and remember the answer: it changes only where vcpu_forget_cpuid()
 * says so, and guests ask for the same few leaves again and again.
 */
__attribute__((noinline)) static enum verdict ask_cpuid(struct vcpu *v,
							struct vcpu_cpuid *slot)
{
	const u32 leaf    = lo32(v->regs.r[RAX]);
	const u32 subleaf = lo32(v->regs.r[RCX]);
	struct cpuid_regs answer;

	policy_cpuid(v, leaf, subleaf, &answer);
	*slot = (struct vcpu_cpuid){ leaf,       subleaf,    answer.eax,
				     answer.ebx, answer.ecx, answer.edx };
	return exit_cpuid(v);
}

enum verdict exit_cpuid(struct vcpu *v)
{
	u64 *r                  = v->regs.r;
	const u32 leaf          = lo32(r[RAX]);
	const u32 subleaf       = lo32(r[RCX]);
	struct vcpu_cpuid *slot = &v->cpuid[vcpu_cpuid_slot(leaf, subleaf)];

	if (__builtin_expect(slot->leaf != leaf || slot->subleaf != subleaf, 0))
		return ask_cpuid(v, slot);
	r[RAX] = slot->rax;
	r[RBX] = slot->rbx;
	r[RCX] = slot->rcx;
	r[RDX] = slot->rdx;
	return exit_skip(v);
}

/* Without calls=on a VMCALL is what it is on a machine without a hypervisor. */
enum verdict exit_vmcall(struct vcpu *v)
{
	u64 *r     = v->regs.r;
	u64 result = ~0ULL;

	if (!v->calls || vcpu_cpl(v) != 0)
		return exit_inject_ud(v);

	const bool wide    = vcpu_is_64bit(v);
	const u64 number   = wide ? r[RAX] : lo32(r[RAX]);
	const u64 argument = wide ? r[RBX] : lo32(r[RBX]);

	vcpu_account(v);

	const enum verdict verdict = policy_call(v, number, argument, &result);

	if (verdict == RUN_STOP)
		return verdict;
	r[RAX] = wide ? result : lo32(result);
	exit_skip(v);
	return verdict;
}

/* SPDX-License-Identifier: MIT */
/* Exits whose answer depends on what the guest is: decoded here, asked above. */
#include "vmx/exit.h"
#include "vmx/insn.h"
#include "vmx/policy.h"

/*
 * The answers change only where vcpu_forget_cpuid() says so, and guests ask for
 * the same few leaves again and again.
 */
/* SPDX-License-Identifier: MIT */
/* Exits whose answer depends on what the guest is: decoded here, asked above. */
#include "vmx/exit.h"
#include "vmx/insn.h"
#include "vmx/policy.h"

/*
 * The answers change only where vcpu_forget_cpuid() says so, and guests ask for
 * the same few leaves again and again.
 */
__attribute__((noinline)) static void ask(struct vcpu *v,
					  struct vcpu_cpuid *slot, u32 leaf,
					  u32 subleaf)
{
	struct cpuid_regs answer;

	policy_cpuid(v, leaf, subleaf, &answer);
	slot->leaf       = leaf;
	slot->subleaf    = subleaf;
	slot->generation = v->cpuid_generation;
	slot->rax        = answer.eax;
	slot->rbx        = answer.ebx;
	slot->rcx        = answer.ecx;
	slot->rdx        = answer.edx;
}

enum verdict exit_cpuid(struct vcpu *v)
{
	u64 *r            = v->regs.r;
	const u32 leaf    = lo32(r[RAX]);
	const u32 subleaf = lo32(r[RCX]);
	struct vcpu_cpuid *slot =
		&v->cpuid[(leaf + 5 * subleaf) % VCPU_CPUID_SLOTS];

	if (__builtin_expect(slot->generation != v->cpuid_generation ||
				     slot->leaf != leaf ||
				     slot->subleaf != subleaf,
			     0))
		ask(v, slot, leaf, subleaf);
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

/* SPDX-License-Identifier: MIT */
/* Exits whose answer depends on what the guest is: decoded here, asked above. */
#include "vmx/exit.h"
#include "vmx/insn.h"
#include "vmx/policy.h"

/*
 * The answers change only where vcpu_forget_cpuid() says so, and guests ask for
 * the same few leaves again and again.
 */
static struct vcpu_cpuid *remembered(struct vcpu *v, u32 leaf, u32 subleaf)
{
	struct vcpu_cpuid *slot =
		&v->cpuid[(leaf + 5 * subleaf) % VCPU_CPUID_SLOTS];

	if (slot->generation == v->cpuid_generation && slot->leaf == leaf &&
	    slot->subleaf == subleaf)
		return slot;
	policy_cpuid(v, leaf, subleaf, &slot->answer);
	slot->leaf       = leaf;
	slot->subleaf    = subleaf;
	slot->generation = v->cpuid_generation;
	return slot;
}

enum verdict exit_cpuid(struct vcpu *v)
{
	u64 *r = v->regs.r;
	const struct cpuid_regs *answer =
		&remembered(v, lo32(r[RAX]), lo32(r[RCX]))->answer;

	r[RAX] = answer->eax;
	r[RBX] = answer->ebx;
	r[RCX] = answer->ecx;
	r[RDX] = answer->edx;
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

	/* Not counted until it has answered. */
	v->stats.exits[EXIT_REASON_VMCALL]--;
	v->stats.exits_total--;

	const enum verdict verdict = policy_call(v, number, argument, &result);

	v->stats.exits[EXIT_REASON_VMCALL]++;
	v->stats.exits_total++;
	if (verdict == RUN_STOP)
		return verdict;
	r[RAX] = wide ? result : lo32(result);
	exit_skip(v);
	return verdict;
}

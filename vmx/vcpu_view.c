/* SPDX-License-Identifier: MIT */
/*
 * What exit handlers ask a vCPU whose VMCS is loaded: its registers there, its
 * mode, its TSC, and the CPUID answers kept for it.
 */
#include "vmx/insn.h"
#include "vmx/vcpu.h"
#include "vmx/vcpu_run.h"
#include "vmx/vmcs.h"

u64 vcpu_rip(const struct vcpu *v)
{
	(void)v;
	return vmread(VMCS_GUEST_RIP);
}

u64 vcpu_cr0(const struct vcpu *v)
{
	(void)v;
	return vmcs_read_cr0();
}

u64 vcpu_cr3(const struct vcpu *v)
{
	(void)v;
	return vmread(VMCS_GUEST_CR3);
}

u64 vcpu_cr4(const struct vcpu *v)
{
	(void)v;
	return vmcs_read_cr4();
}

u64 vcpu_efer(const struct vcpu *v)
{
	(void)v;
	return vmread(VMCS_GUEST_IA32_EFER);
}

unsigned int vcpu_cpl(const struct vcpu *v)
{
	(void)v;
	return (unsigned int)field_get(vmread(VMCS_GUEST_SS_ACCESS), 6, 5);
}

bool vcpu_is_64bit(const struct vcpu *v)
{
	return (vcpu_efer(v) & EFER_LMA) &&
	       (vmread(VMCS_GUEST_CS_ACCESS) & ACCESS_L);
}

void vcpu_forget_cpuid(struct vcpu *v)
{
	/* No leaf belongs into a slot that is not its own. */
	for (u32 i = 0; i < VCPU_CPUID_SLOTS; i++) {
		v->cpuid[i].leaf    = i + 1;
		v->cpuid[i].subleaf = 0;
	}
}

u64 vcpu_tsc(const struct vcpu *v)
{
	return rdtsc() + v->tsc_offset;
}

void vcpu_move_tsc(struct vcpu *v, u64 delta)
{
	v->tsc_offset += delta;
	vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
	v->work |= WORK_TIMER;
}

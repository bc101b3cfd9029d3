/* SPDX-License-Identifier: MIT */
#include "vmx/audit.h"

#include "boot/lib/panic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/x86.h"
#include "vmx/policy.h"
#include "vmx/vmcs.h"

#define EPT_EVERY 4096 /* exits of a vCPU; a walk costs more than an exit */

static void same(const char *what, u64 got, u64 want)
{
	if (got != want)
		panic("audit: %s is %#llx, not %#llx", what,
		      (unsigned long long)got, (unsigned long long)want);
}

static void audit_host(void)
{
	same("CR0", read_cr0(), vmread(VMCS_HOST_CR0));
	same("CR3", read_cr3(), vmread(VMCS_HOST_CR3));
	same("CR4", read_cr4(), vmread(VMCS_HOST_CR4));
	same("CS", read_cs(), vmread(VMCS_HOST_CS_SELECTOR));
	same("TR", read_tr(), vmread(VMCS_HOST_TR_SELECTOR));
	same("GDTR", sgdt().base, vmread(VMCS_HOST_GDTR_BASE));
	same("IDTR", sidt().base, vmread(VMCS_HOST_IDTR_BASE));
	same("IA32_EFER", rdmsr(MSR_IA32_EFER), vmread(VMCS_HOST_IA32_EFER));
	same("IA32_PAT", rdmsr(MSR_IA32_PAT), vmread(VMCS_HOST_IA32_PAT));
	same("the GS base", (uintptr_t)this_cpu(), vmread(VMCS_HOST_GS_BASE));
}

/* What a vCPU without room for tiles must never run without, too. */
static void audit_guest(const struct vcpu *v)
{
	same("the EPT pointer", vmread(VMCS_EPT_POINTER), ept_pointer(v->ept));
	same("the link pointer", vmread(VMCS_GUEST_VMCS_LINK), ~0ULL);
	same("what exits for the extended state", v->traps, fpu_traps(&v->fpu));
	if (v->fpu.xfd.missing)
		same("XFD of what has no room",
		     rdmsr(MSR_IA32_XFD) & v->fpu.xfd.missing,
		     v->fpu.xfd.missing);
}

void audit_exit(struct vcpu *v)
{
	audit_host();
	audit_guest(v);
	if (v->stats.exits_total % EPT_EVERY == 0)
		policy_audit(v);
}

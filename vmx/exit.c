/* SPDX-License-Identifier: MIT */
/*
 * Exits are data: a table from the basic reason to its handler. An empty slot
 * stops the VM loudly; it is never skipped.
 */
#include "vmx/exit.h"

#include "boot/lib/trap.h"
#include "vmx/caps.h"
#include "vmx/dump.h"
#include "vmx/inject.h"
#include "vmx/policy.h"
#include "vmx/vcpu_run.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_cpu.h"

#define DEBUGCTL_BTF BIT(1)

/*
 * Instructions that a guest without VMX, SMX, SGX and so on does not have. Some
 * exit before the CPU checks the privilege level, so user code gets here too.
 */
static enum verdict exit_undefined(struct vcpu *v)
{
	return exit_inject_ud(v);
}

/* RDPMC: the guest has no performance counters, so every index is wrong. */
static enum verdict exit_forbidden(struct vcpu *v)
{
	return exit_inject_gp(v);
}

/*
 * INVD and WBINVD: no device writes to guest memory behind the caches, and INVD
 * itself would drop what others have written.
 */
static enum verdict exit_nothing(struct vcpu *v)
{
	return exit_skip(v);
}

/* The 32-bit task switch, in hardware 120 steps; no 64-bit guest has one. */
static enum verdict exit_task_switch(struct vcpu *v)
{
	return vcpu_stop(v,
			 "a hardware task switch to selector %#llx; "
			 "task gates are not supported",
			 (unsigned long long)(exit_qualification() & 0xffff));
}

/* Reasons whose control we never enable: only a broken machine has them. */
static enum verdict exit_not_enabled(struct vcpu *v)
{
	const u32 reason = vmread32(VMCS_EXIT_REASON);

	dump_vmcs(LOG_WARN);
	return vcpu_stop(v, "exit %s, which was not asked for",
			 exit_reason_name((u16)reason));
}

/*
 * INIT in root mode is blocked and shows up here: it was for the machine, not
 * for this guest.
 */
static enum verdict exit_init_signal(struct vcpu *v)
{
	(void)v;
	log_warn("an INIT reached CPU %u; ignored", this_cpu()->index);
	return RUN_AGAIN;
}

/* A reason that the SDM did not have when the table was written. */
static enum verdict exit_unknown(struct vcpu *v)
{
	const u32 reason = vmread32(VMCS_EXIT_REASON);

	if (vcpu_cpl(v) == 3)
		return exit_inject_ud(v);
	dump_vmcs(LOG_WARN);
	return vcpu_stop(v, "unknown exit reason %#x", reason);
}

/* clang-format off */
exit_fn *const exit_table[VCPU_EXIT_REASON_COUNT] = {
	[EXIT_REASON_EXCEPTION_NMI]       = exit_exception,
	[EXIT_REASON_EXTERNAL_INTERRUPT]  = exit_external_intr,
	[EXIT_REASON_TRIPLE_FAULT]        = exit_triple_fault,
	[EXIT_REASON_INIT_SIGNAL]         = exit_init_signal,
	[EXIT_REASON_SIPI_SIGNAL]         = exit_not_enabled,
	[5]                               = exit_not_enabled, /* I/O SMI */
	[6]                               = exit_not_enabled, /* other SMI */
	[EXIT_REASON_INTERRUPT_WINDOW]    = exit_intr_window,
	[EXIT_REASON_NMI_WINDOW]          = exit_nmi_window,
	[EXIT_REASON_TASK_SWITCH]         = exit_task_switch,
	[EXIT_REASON_CPUID]               = exit_cpuid,
	[EXIT_GETSEC]                     = exit_undefined,
	[EXIT_REASON_HLT]                 = exit_hlt,
	[EXIT_REASON_INVD]                = exit_nothing,
	[EXIT_REASON_INVLPG]              = exit_not_enabled,
	[EXIT_REASON_RDPMC]               = exit_forbidden,
	[EXIT_REASON_RDTSC]               = exit_not_enabled,
	[EXIT_RSM]                        = exit_undefined,
	[EXIT_REASON_VMCALL]              = exit_vmcall,
	[EXIT_REASON_VMCLEAR]             = exit_undefined,
	[EXIT_REASON_VMLAUNCH]            = exit_undefined,
	[EXIT_REASON_VMPTRLD]             = exit_undefined,
	[EXIT_REASON_VMPTRST]             = exit_undefined,
	[EXIT_REASON_VMREAD]              = exit_undefined,
	[EXIT_REASON_VMRESUME]            = exit_undefined,
	[EXIT_REASON_VMWRITE]             = exit_undefined,
	[EXIT_REASON_VMOFF]               = exit_undefined,
	[EXIT_REASON_VMON]                = exit_undefined,
	[EXIT_REASON_CR_ACCESS]           = exit_cr,
	[EXIT_REASON_DR_ACCESS]           = exit_not_enabled,
	[EXIT_REASON_IO_INSTRUCTION]      = exit_io,
	[EXIT_REASON_MSR_READ]            = exit_rdmsr,
	[EXIT_REASON_MSR_WRITE]           = exit_wrmsr,
	[EXIT_REASON_INVALID_STATE]       = exit_not_enabled,
	[EXIT_REASON_MSR_LOAD_FAIL]       = exit_not_enabled,
	[35]                              = exit_unknown,
	[EXIT_REASON_MWAIT_INSTRUCTION]   = exit_undefined,
	[EXIT_REASON_MONITOR_TRAP_FLAG]   = exit_not_enabled,
	[38]                              = exit_unknown,
	[EXIT_REASON_MONITOR_INSTRUCTION] = exit_undefined,
	[EXIT_REASON_PAUSE_INSTRUCTION]   = exit_not_enabled,
	[EXIT_REASON_MCE_DURING_VMENTRY]  = exit_not_enabled,
	[42]                              = exit_unknown,
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = exit_not_enabled,
	[EXIT_REASON_APIC_ACCESS]         = exit_apic_access,
	[EXIT_REASON_EOI_INDUCED]         = exit_apic_eoi,
	[EXIT_REASON_GDTR_IDTR]           = exit_not_enabled,
	[EXIT_REASON_LDTR_TR]             = exit_not_enabled,
	[EXIT_REASON_EPT_VIOLATION]       = exit_ept_violation,
	[EXIT_REASON_EPT_MISCONFIG]       = exit_ept_misconfig,
	[EXIT_REASON_INVEPT]              = exit_undefined,
	[EXIT_REASON_RDTSCP]              = exit_not_enabled,
	[EXIT_REASON_PREEMPTION_TIMER]    = exit_slice_over,
	[EXIT_REASON_INVVPID]             = exit_undefined,
	[EXIT_REASON_WBINVD]              = exit_nothing,
	[EXIT_REASON_XSETBV]              = exit_xsetbv,
	[EXIT_REASON_APIC_WRITE]          = exit_apic_write,
	[EXIT_REASON_RDRAND]              = exit_not_enabled,
	[EXIT_REASON_INVPCID]             = exit_not_enabled,
	[EXIT_REASON_VMFUNC]              = exit_undefined,
	[EXIT_REASON_ENCLS]               = exit_undefined,
	[EXIT_REASON_RDSEED]              = exit_not_enabled,
	[EXIT_REASON_PML_FULL]            = exit_not_enabled,
	[EXIT_REASON_XSAVES]              = exit_not_enabled,
	[EXIT_REASON_XRSTORS]             = exit_not_enabled,
	[EXIT_PCONFIG]                    = exit_undefined,
	[EXIT_SPP]                        = exit_not_enabled,
	[EXIT_REASON_UMWAIT]              = exit_undefined,
	[EXIT_REASON_TPAUSE]              = exit_undefined,
	[EXIT_LOADIWKEY]                  = exit_undefined,
	[EXIT_ENCLV]                      = exit_undefined,
	[71]                              = exit_unknown,
	[EXIT_ENQCMD_PASID]               = exit_undefined,
	[EXIT_ENQCMDS_PASID]              = exit_undefined,
	[EXIT_REASON_BUS_LOCK]            = exit_not_enabled,
	[EXIT_REASON_NOTIFY]              = exit_not_enabled,
	[EXIT_SEAMCALL]                   = exit_undefined,
	[EXIT_TDCALL]                     = exit_undefined,
	[EXIT_RDMSRLIST]                  = exit_undefined,
	[EXIT_WRMSRLIST]                  = exit_undefined,
};
/* clang-format on */

enum verdict exit_beyond(struct vcpu *v, u32 reason)
{
	if (reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
		return exit_entry_failed(v, reason);
	return exit_unknown(v);
}

const char *exit_reason_name(u32 basic_reason)
{
	static const struct {
		u32 reason;
		const char *name;
	} names[] = {
		VMX_EXIT_REASONS,
		{ EXIT_GETSEC, "GETSEC" },
		{ EXIT_RSM, "RSM" },
		{ EXIT_PCONFIG, "PCONFIG" },
		{ EXIT_SPP, "SPP" },
		{ EXIT_LOADIWKEY, "LOADIWKEY" },
		{ EXIT_ENCLV, "ENCLV" },
		{ EXIT_ENQCMD_PASID, "ENQCMD_PASID" },
		{ EXIT_ENQCMDS_PASID, "ENQCMDS_PASID" },
		{ EXIT_SEAMCALL, "SEAMCALL" },
		{ EXIT_TDCALL, "TDCALL" },
		{ EXIT_RDMSRLIST, "RDMSRLIST" },
		{ EXIT_WRMSRLIST, "WRMSRLIST" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].reason == basic_reason)
			return names[i].name;
	return "UNKNOWN";
}

/* VM-instruction error numbers that an entry can give (SDM vol. 3). */
static const char *instruction_error(u64 error)
{
	switch (error) {
	case 4:
		return "VMLAUNCH with a VMCS that is not clear";
	case 5:
		return "VMRESUME with a VMCS that was not launched";
	case 7:
		return "invalid control fields";
	case 8:
		return "invalid host-state fields";
	case 26:
		return "VM entry with events blocked by MOV SS";
	default:
		return "unknown VM-instruction error";
	}
}

enum verdict exit_entry_refused(struct vcpu *v)
{
	u64 error;
	const enum vmx_status status =
		vmread_checked(VMCS_VM_INSTRUCTION_ERROR, &error);

	if (status != VMX_OK)
		panic("VM entry of %s refused: there is no current VMCS",
		      v->name);

	struct entry_state s = { 0 };

	vmcs_read_entry_state(&s);

	const char *complaint =
		entry_check_event(lo32(s.intr_info), lo32(s.intr_error),
				  lo32(s.intr_length), s.cr0 & CR0_PE);

	if (entry_blame_refused(error, complaint) != ENTRY_BLAME_GUEST)
		panic("VM entry of %s refused: %s (%llu)", v->name,
		      instruction_error(error), (unsigned long long)error);
	dump_vmcs(LOG_WARN);
	return vcpu_stop(v, "VM entry refused: %s", complaint);
}

enum verdict exit_entry_failed(struct vcpu *v, u32 reason)
{
	const char *name     = exit_reason_name((u16)reason);
	struct entry_state s = { 0 };
	const char *complaint;

	switch (entry_blame_failed((u16)reason)) {
	case ENTRY_BLAME_MACHINE:
		trap_machine_check(NULL);
	case ENTRY_BLAME_US:
		panic("VM entry of %s failed: %s, qualification %llu", v->name,
		      name, (unsigned long long)exit_qualification());
	case ENTRY_BLAME_GUEST:
		break;
	}
	vmcs_read_entry_state(&s);
	complaint = entry_check(&s);
	dump_vmcs(LOG_WARN);
	return vcpu_stop(v, "VM entry failed: %s, qualification %llu: %s", name,
			 (unsigned long long)exit_qualification(),
			 complaint ? complaint : "no rule we check is broken");
}

u64 exit_qualification(void)
{
	const u64 qualification = vmread(VMCS_EXIT_QUALIFICATION);
	struct trace_entry *t   = trace_last(this_cpu()->vmx);

	t->qualification = qualification;
	t->reason |= TRACE_QUALIFIED;
	return qualification;
}

/*
 * The shadow of STI and MOV SS ends, RF is cleared, and under TF a single-step
 * trap is due.
 */
enum verdict exit_retire_slowly(struct vcpu *v)
{
	const u32 shadow  = BLOCKED_BY_STI | BLOCKED_BY_MOV_SS;
	const u32 blocked = vmread32(VMCS_GUEST_INTERRUPTIBILITY);
	const u64 rflags  = vmread(VMCS_GUEST_RFLAGS);

	if (blocked & shadow)
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, blocked & ~shadow);
	if (rflags & RFLAGS_RF)
		vmwrite(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
	if ((rflags & RFLAGS_TF) &&
	    !(vmread(VMCS_GUEST_IA32_DEBUGCTL) & DEBUGCTL_BTF))
		vmwrite(VMCS_GUEST_PENDING_DEBUG,
			vmread(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
	v->work |= WORK_CHECK;
	return RUN_AGAIN;
}

enum verdict exit_skip_wrapping(struct vcpu *v)
{
	const u64 next = v->rip + vmread(VMCS_EXIT_INSTRUCTION_LENGTH);

	vmwrite(VMCS_GUEST_RIP, vcpu_is_64bit(v) ? next : lo32(next));
	return exit_retire(v);
}

static void queue_event(struct vcpu *v, const struct event *e)
{
	v->reinject        = e->info;
	v->reinject_error  = e->error;
	v->reinject_length = e->length;
	v->work |= WORK_INJECT;
}

enum verdict exit_inject(struct vcpu *v, u8 vector, u32 error)
{
	struct event e   = event_exception(vector, error);
	const u64 rflags = vmread(VMCS_GUEST_RFLAGS);

	if (v->work & WORK_INJECT) {
		switch (event_compound(v->reinject, vector)) {
		case COMPOUND_SECOND:
			break;
		case COMPOUND_DOUBLE_FAULT:
			e = event_exception(VEC_DF, 0);
			break;
		case COMPOUND_TRIPLE_FAULT:
			return policy_triple_fault(v);
		}
	}
	/* In real mode nothing pushes an error code. */
	if (!(vmread(VMCS_GUEST_CR0) & CR0_PE))
		e.info &= ~EVENT_ERROR_VALID;
	if (event_is_fault(vector) && !(rflags & RFLAGS_RF))
		vmwrite(VMCS_GUEST_RFLAGS, rflags | RFLAGS_RF);
	queue_event(v, &e);
	return RUN_AGAIN;
}

enum verdict exit_inject_gp(struct vcpu *v)
{
	return exit_inject(v, VEC_GP, 0);
}

enum verdict exit_inject_ud(struct vcpu *v)
{
	return exit_inject(v, VEC_UD, 0);
}

enum verdict exit_inject_pf(struct vcpu *v, u64 address, u32 error)
{
	write_cr2(address);
	this_cpu()->vmx->cr2 = address;
	return exit_inject(v, VEC_PF, error);
}

void exit_keep_event(struct vcpu *v)
{
	const u32 info = vmread32(VMCS_IDT_VECTORING_INFO);

	if (!(info & EVENT_VALID))
		return;

	const struct event e =
		event_again(info, vmread32(VMCS_IDT_VECTORING_ERROR_CODE),
			    vmread32(VMCS_EXIT_INSTRUCTION_LENGTH));

	/* An NMI that is delivered again must not find NMIs blocked. */
	if (EVENT_TYPE(info) == EVENT_NMI)
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKED_BY_NMI);
	queue_event(v, &e);
}

void exit_flush_tlb(const struct vcpu *v)
{
	if (v->vpid && invvpid(vmx_caps.invvpid_single ? INV_SINGLE_CONTEXT
						       : INV_ALL_CONTEXTS,
			       v->vpid) != VMX_OK)
		panic("INVVPID for %s failed", v->name);
}

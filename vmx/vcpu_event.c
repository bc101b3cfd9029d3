/* SPDX-License-Identifier: MIT */
/*
 * What reaches a vCPU from outside: posted events, interrupts, NMI, INIT and
 * SIPI, and the one event that may enter the guest with it.
 */
#include "vmx/vcpu_run.h"

#include "vmx/entry_check.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
#include "vmx/policy.h"
#include "vmx/vmcs.h"

/* INIT: CR0.CD and NW, IA32_XFD, XCR0, the tiles and most MSRs stay as they
 * are. */
static void take_init(struct vcpu *v)
{
	const u64 caching = vmcs_read_cr0() & (CR0_CD | CR0_NW);

	vcpu_save_registers(v->cpu->vmx, v);
	vmcs_reset_guest(v);
	vmcs_write_cr0(caching | CR0_ET);
	v->nmi_pending = false;
	v->reinject    = 0;
	v->work &= ~WORK_INJECT;
	v->activity = v->index == 0 ? VCPU_ACTIVE : VCPU_WAITS_FOR_SIPI;
	vcpu_load_registers(v->cpu->vmx, v);
	exit_flush_tlb(v);
	vcpu_forget_cpuid(v);
	/* What was posted before goes the way of all that is in the APIC. */
	vcpu_take_posted(v);
	policy_init(v);
}

void vcpu_take_posted(struct vcpu *v)
{
	u32 irr[POSTED_WORDS];

	posted_take(&v->posted, irr);
	policy_posted(v, irr);
	v->work |= WORK_INTR;
}

void vcpu_take_events(struct vcpu *v)
{
	const u32 events = __atomic_exchange_n(&v->events, 0, __ATOMIC_SEQ_CST);

	if (events & VCPU_EVENT_INIT)
		take_init(v);
	if ((events & VCPU_EVENT_SIPI) && v->activity == VCPU_WAITS_FOR_SIPI) {
		vmcs_apply_sipi(v->sipi_vector);
		v->activity = VCPU_ACTIVE;
		v->work |= WORK_CHECK;
	}
	if (events & VCPU_EVENT_NMI)
		v->nmi_pending = true;
	if (events & VCPU_EVENT_INTR)
		v->work |= WORK_INTR;
	if (events & VCPU_EVENT_EPT)
		vcpu_meet_ept_duty(v->cpu, v);
	if (events & VCPU_EVENT_STOP)
		__atomic_fetch_or(&v->events, VCPU_EVENT_STOP,
				  __ATOMIC_SEQ_CST);
}

bool vcpu_wakes(struct vcpu *v)
{
	if (v->nmi_pending &&
	    can_take_nmi(vmread32(VMCS_GUEST_INTERRUPTIBILITY)))
		return true;
	return (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
	       policy_interrupt_wakes(v);
}

static void set_windows(struct vcpu *v, u32 windows)
{
	const u32 both  = CPU_INTR_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING;
	const u32 value = (v->cpu_controls & ~both) | windows;

	if (value == v->cpu_controls)
		return;
	v->cpu_controls = value;
	vmwrite(VMCS_CPU_CONTROLS, value);
}

static void enter_with(const struct event *e)
{
	if (TV_DEBUG >= 1) {
		const char *complaint =
			entry_check_event(e->info, e->error, e->length,
					  vmread(VMCS_GUEST_CR0) & CR0_PE);

		if (complaint)
			panic("%s: %#x", complaint, e->info);
	}
	vmwrite(VMCS_ENTRY_INTR_INFO, e->info);
	if (e->info & EVENT_ERROR_VALID)
		vmwrite(VMCS_ENTRY_EXCEPTION_ERROR_CODE, e->error);
	if (e->length)
		vmwrite(VMCS_ENTRY_INSTRUCTION_LENGTH, e->length);
}

static void enter_with_interrupt(int vector)
{
	if (vector >= 0)
		enter_with(
			&(struct event){ .info = EVENT_VALID | (u32)vector });
}

/*
 * At most one event enters with the guest: what was interrupted or raised by an
 * instruction first, then NMI, then interrupt (SDM vol. 3, "Prioritization of
 * Concurrent Events"). What has to wait gets a window.
 */
void vcpu_inject_pending(struct vcpu *v)
{
	apicv_update(v);

	const u32 blocked = vmread32(VMCS_GUEST_INTERRUPTIBILITY);
	u32 windows       = 0;
	bool taken        = false;

	if (v->work & WORK_INJECT) {
		enter_with(&(struct event){ v->reinject, v->reinject_error,
					    v->reinject_length });
		taken       = true;
		v->reinject = 0;
	}
	if (v->nmi_pending && !taken && can_take_nmi(blocked)) {
		enter_with(&(struct event){
			.info = EVENT_VALID | (u32)EVENT_NMI << 8 | VEC_NMI });
		taken          = true;
		v->nmi_pending = false;
	}
	/* The NMI window may open in the shadow of STI; the other one does not.
	 */
	if (v->nmi_pending)
		windows |= blocked & BLOCKED_BY_STI ? CPU_INTR_WINDOW_EXITING
						    : CPU_NMI_WINDOW_EXITING;

	const bool waits = policy_interrupt_pending(v) >= 0;

	if (waits && !taken &&
	    can_take_interrupt(vmread(VMCS_GUEST_RFLAGS), blocked))
		enter_with_interrupt(policy_interrupt_accept(v));
	else if (waits)
		windows |= CPU_INTR_WINDOW_EXITING;
	set_windows(v, windows);
	v->work &= ~(WORK_INJECT | WORK_INTR);
}

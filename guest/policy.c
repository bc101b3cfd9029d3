/* SPDX-License-Identifier: MIT */
/* The answers to vmx/policy.h: which device or table knows. */
#include "vmx/policy.h"

#include "boot/lib/panic.h"
#include "boot/lib/print.h"
#include "boot/lib/string.h"
#include "guest/hypercall.h"
#include "guest/interrupts.h"
#include "guest/pio.h"
#include "guest/report.h"
#include "guest/terminal.h"
#include "guest/vm.h"
#include "guest/vm_audit.h"

#define X2APIC_MSRS 0x100

void policy_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *out)
{
	const struct vlapic *l = &vm_device(v)->lapic;
	u64 components;

	switch (cpuid_find(&v->vm->cpuid, leaf, subleaf, out)) {
	case CPUID_FIXED:
		return;
	case CPUID_FEATURES:
		out->ebx |= l->id << 24;
		if (vcpu_cr4(v) & CR4_OSXSAVE)
			out->ecx |= (u32)CPUID_1_ECX_OSXSAVE;
		if (!vlapic_is_enabled(l))
			out->edx &= (u32)~CPUID_1_EDX_APIC;
		return;
	case CPUID_PKE:
		if (vcpu_cr4(v) & CR4_PKE)
			out->ecx |= (u32)CPUID_7_ECX_OSPKE;
		return;
	case CPUID_STANDARD:
		out->ebx = fpu_size_for(fpu_guest_xcr0(&v->fpu), false);
		return;
	case CPUID_COMPACTED:
		components = fpu_guest_xcr0(&v->fpu) | fpu_guest_xss(&v->fpu);
		out->ebx   = fpu_size_for(components, true);
		return;
	case CPUID_TOPOLOGY:
		out->edx = l->id;
		return;
	}
}

/* V's local APIC, out of the CPU's hands until the next entry. */
static struct vlapic *take_lapic(struct vcpu *v)
{
	struct vlapic *l = &vm_device(v)->lapic;

	if (l->in_page) {
		vlapic_from_page(l, v->virtual_apic);
		v->work |= WORK_INTR;
	}
	return l;
}

static enum policy_answer unknown_msr(struct vcpu *v, u32 index, bool write)
{
	struct vm *vm = v->vm;

	spin_lock(&vm->lock);
	if (seen_first(&vm->msrs, index))
		log_info("%s: %s of MSR %#x, which is not there: #GP%s",
			 vm->config.name, write ? "WRMSR" : "RDMSR", index,
			 seen_is_full(&vm->msrs)
				 ? "; later ones are only counted"
				 : "");
	spin_unlock(&vm->lock);
	return POLICY_GP;
}

enum policy_answer policy_rdmsr(struct vcpu *v, u32 index, u64 *value)
{
	struct vm_vcpu *d = vm_device(v);

	if (index == MSR_IA32_APIC_BASE) {
		*value = d->lapic.base;
		return POLICY_OK;
	}
	if (index == MSR_IA32_TSC_DEADLINE) {
		policy_timers(v, rdtsc()); /* one that has passed reads 0 */
		*value = vlapic_read_deadline(&d->lapic);
		return POLICY_OK;
	}
	if (index - MSR_IA32_X2APIC_BASE < X2APIC_MSRS)
		return vlapic_read_msr(take_lapic(v),
				       index - MSR_IA32_X2APIC_BASE, rdtsc(),
				       value)
			       ? POLICY_OK
			       : POLICY_GP;
	switch (msr_read(&d->msr, index, value)) {
	case MSR_OK:
		return POLICY_OK;
	case MSR_GP:
		return POLICY_GP;
	case MSR_UNKNOWN:
		break;
	}
	return unknown_msr(v, index, false);
}

void policy_audit(struct vcpu *v)
{
	vm_audit(v->vm);
}

static bool is_standard_xapic(const struct vlapic *l)
{
	return vlapic_is_enabled(l) && !vlapic_is_x2apic(l) &&
	       align_down(l->base, PAGE_SIZE) == VLAPIC_BASE;
}

/*
 * The APIC-access page is an APIC only for who has one there; for any other
 * vCPU it would be memory. So the first that has none takes it away from all,
 * whose accesses then are the software's.
 */
static void drop_apic_page(struct vm *vm)
{
	bool mapped;

	spin_lock(&vm->lock);
	mapped = vm->apic_page;
	if (mapped && !ept_unmap(&vm->ept, gpa(VLAPIC_BASE), PAGE_SIZE))
		panic("%s: a page of 4 KiB cannot be unmapped",
		      vm->config.name);
	vm->apic_page = false;
	spin_unlock(&vm->lock);
	if (!mapped)
		return;
	vcpu_shoot_down(&vm->ept, vm->vcpu, vm->config.vcpu_count);
	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		vcpu_post(&vm->vcpu[i], VCPU_EVENT_INTR);
	if (TV_DEBUG >= 2)
		vm_audit(vm);
}

static enum policy_answer write_apic_base(struct vcpu *v, u64 value)
{
	struct vlapic *l = take_lapic(v);

	if (!vlapic_write_base(l, value, v->vm->phys_bits))
		return POLICY_GP;
	if (!is_standard_xapic(l))
		drop_apic_page(v->vm);
	vcpu_forget_cpuid(v);
	return POLICY_OK;
}

enum policy_answer policy_wrmsr(struct vcpu *v, u32 index, u64 value)
{
	struct vm_vcpu *d           = vm_device(v);
	struct vlapic_effect effect = { 0 };

	if (index == MSR_IA32_APIC_BASE)
		return write_apic_base(v, value);
	if (index == MSR_IA32_TSC_DEADLINE) {
		vlapic_write_deadline(&d->lapic, value);
		interrupts_effect(v, &effect);
		return POLICY_OK;
	}
	if (index - MSR_IA32_X2APIC_BASE < X2APIC_MSRS) {
		if (!vlapic_write_msr(take_lapic(v),
				      index - MSR_IA32_X2APIC_BASE, value,
				      rdtsc(), &effect))
			return POLICY_GP;
		interrupts_effect(v, &effect);
		return POLICY_OK;
	}
	switch (msr_write(&d->msr, index, value, v->vm->phys_bits)) {
	case MSR_OK:
		return POLICY_OK;
	case MSR_GP:
		return POLICY_GP;
	case MSR_UNKNOWN:
		break;
	}
	return unknown_msr(v, index, true);
}

enum verdict policy_pio(struct vcpu *v, u16 port, unsigned int bytes, bool in,
			u32 *value)
{
	return pio_access(v, port, bytes, in, value);
}

static bool is_lapic(const struct vlapic *l, gpa_t at)
{
	return vlapic_is_enabled(l) && !vlapic_is_x2apic(l) &&
	       align_down(at.v, PAGE_SIZE) == align_down(l->base, PAGE_SIZE);
}

static bool is_ioapic(gpa_t at)
{
	return align_down(at.v, PAGE_SIZE) == VIOAPIC_BASE;
}

bool policy_is_mmio(struct vcpu *v, gpa_t at)
{
	return is_lapic(&vm_device(v)->lapic, at) || is_ioapic(at);
}

static void lapic_mmio(struct vcpu *v, u32 offset, bool write, u64 *value)
{
	struct vlapic *l            = take_lapic(v);
	struct vlapic_effect effect = { 0 };

	if (write)
		vlapic_write(l, offset, lo32(*value), rdtsc(), &effect);
	else
		*value = vlapic_read(l, offset, rdtsc());
	interrupts_effect(v, &effect);
}

static void ioapic_mmio(struct vm *vm, u32 offset, bool write, u64 *value)
{
	spin_lock(&vm->lock);
	if (write) {
		vioapic_write(&vm->ioapic, offset, lo32(*value));
		interrupts_rescan(vm);
	} else {
		*value = vioapic_read(&vm->ioapic, offset);
	}
	spin_unlock(&vm->lock);
}

enum verdict policy_mmio(struct vcpu *v, gpa_t at, unsigned int bytes,
			 bool write, u64 *value)
{
	const u32 offset = (u32)(at.v % PAGE_SIZE);

	/* Both devices are accessed in 32 bits; of less, the low part counts.
	 */
	(void)bytes;
	if (is_lapic(&vm_device(v)->lapic, at))
		lapic_mmio(v, offset, write, value);
	else
		ioapic_mmio(v->vm, offset, write, value);
	return RUN_AGAIN;
}

void *policy_memory(struct vcpu *v, gpa_t at, u64 bytes)
{
	return memory_host(&v->vm->memory, at, bytes);
}

/* Do the 8259s, which only the first vCPU listens to, reach V now? */
static bool hears_extint(const struct vcpu *v)
{
	return v->index == 0 && vlapic_takes_extint(&vm_device(v)->lapic);
}

int policy_interrupt_pending(struct vcpu *v)
{
	const struct vlapic *l = &vm_device(v)->lapic;
	int vector             = -1;

	if (hears_extint(v)) {
		spin_lock(&v->vm->lock);
		vector = vpic_pending(&v->vm->pic);
		spin_unlock(&v->vm->lock);
	}
	if (vector < 0 && !l->in_page)
		vector = vlapic_pending(l);
	return vector;
}

void policy_posted(struct vcpu *v, const u32 irr[POSTED_WORDS])
{
	vlapic_request_all(&vm_device(v)->lapic, irr);
}

bool policy_interrupt_wakes(struct vcpu *v)
{
	take_lapic(v);
	return policy_interrupt_pending(v) >= 0;
}

bool policy_apic_page(struct vcpu *v, struct apicv_entry *entry)
{
	struct vlapic *l       = &vm_device(v)->lapic;
	enum apicv_mode mode   = APICV_OFF;
	struct vlapic_page out = { 0 };

	if (vlapic_is_x2apic(l))
		mode = APICV_X2APIC;
	else if (is_standard_xapic(l) &&
		 __atomic_load_n(&v->vm->apic_page, __ATOMIC_ACQUIRE))
		mode = APICV_XAPIC;
	if (mode == v->apicv.mode && (mode == APICV_OFF || !vlapic_is_news(l)))
		return false;
	*entry = (struct apicv_entry){ .mode = mode };
	if (mode == APICV_OFF) {
		take_lapic(v);
		return true;
	}
	vlapic_to_page(l, v->virtual_apic, &out);
	entry->requested = out.requested;
	entry->serviced  = out.serviced;
	entry->posted    = out.on;
	memcpy(entry->eoi_exit, out.eoi_exit, sizeof(out.eoi_exit));
	return true;
}

void policy_apic_written(struct vcpu *v, u32 offset)
{
	struct vlapic_effect effect = { 0 };

	vlapic_page_written(take_lapic(v), v->virtual_apic, offset, rdtsc(),
			    &effect);
	interrupts_effect(v, &effect);
}

void policy_apic_eoi(struct vcpu *v, u8 vector)
{
	const struct vlapic_effect effect = { .eoi        = true,
					      .eoi_vector = vector };

	interrupts_effect(v, &effect);
}

u64 policy_apic_base(struct vcpu *v)
{
	return align_down(vm_device(v)->lapic.base, PAGE_SIZE);
}

int policy_interrupt_accept(struct vcpu *v)
{
	struct vlapic *l = &vm_device(v)->lapic;
	int vector       = -1;

	if (hears_extint(v)) {
		spin_lock(&v->vm->lock);
		vector = vpic_accept(&v->vm->pic);
		spin_unlock(&v->vm->lock);
	}
	if (vector < 0 && !l->in_page && (vector = vlapic_pending(l)) >= 0)
		vlapic_accept(l, (u8)vector);
	return vector;
}

u64 policy_get_tpr(struct vcpu *v)
{
	return vlapic_get_cr8(take_lapic(v));
}

void policy_set_tpr(struct vcpu *v, u64 cr8)
{
	struct vlapic *l = take_lapic(v);

	vlapic_set_cr8(l, cr8);
	if (vlapic_pending(l) >= 0)
		vcpu_post(v, VCPU_EVENT_INTR);
}

u64 policy_next_timer(struct vcpu *v)
{
	return vlapic_next_due(&vm_device(v)->lapic, v->tsc_offset);
}

void policy_timers(struct vcpu *v, u64 now)
{
	if (vlapic_tick(&vm_device(v)->lapic, now, v->tsc_offset))
		vcpu_post(v, VCPU_EVENT_INTR);
}

void policy_init(struct vcpu *v)
{
	vlapic_init(&vm_device(v)->lapic);
}

enum verdict policy_triple_fault(struct vcpu *v)
{
	char reason[64];

	tv_snprintf(reason, sizeof(reason), "vCPU %u took a triple fault",
		    v->index);
	policy_stop(v, reason, VM_CODE_STOPPED);
	return RUN_STOP;
}

u64 policy_service(u64 now)
{
	return terminal_service(now);
}

enum verdict policy_call(struct vcpu *v, u64 number, u64 argument, u64 *result)
{
	return hypercall(v, number, argument, result);
}

void policy_stop(struct vcpu *v, const char *reason, int code)
{
	vm_stop(v->vm, reason, code);
}

void policy_grown(struct vcpu *v, u64 rip)
{
	report_grow(v, rip);
}

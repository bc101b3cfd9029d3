/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's life: created, loaded on a CPU, put; and what others may ask about
 * it. vcpu_run.c runs it, vcpu_event.c brings it events.
 */
#include "vmx/vcpu.h"

#include "boot/lib/lapic.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/string.h"
#include "vmx/caps.h"
#include "vmx/dump.h"
#include "vmx/exit.h"
#include "vmx/msr_bitmap.h"
#include "vmx/policy.h"
#include "vmx/sched.h"
#include "vmx/vcpu_run.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_cpu.h"

#define VPID_MAX 0xffff

static const u32 switched_msr[SWITCHED_COUNT] = {
	[SWITCHED_STAR]           = MSR_IA32_STAR,
	[SWITCHED_LSTAR]          = MSR_IA32_LSTAR,
	[SWITCHED_CSTAR]          = MSR_IA32_CSTAR,
	[SWITCHED_FMASK]          = MSR_IA32_FMASK,
	[SWITCHED_KERNEL_GS_BASE] = MSR_IA32_KERNEL_GS_BASE,
	[SWITCHED_TSC_AUX]        = MSR_IA32_TSC_AUX,
};

/* The last VPID given out; they are not given out again. */
static u32 last_vpid;

static u16 take_vpid(void)
{
	if (!vmx_caps.vpid || last_vpid >= VPID_MAX)
		return 0;

	const u32 vpid = __atomic_add_fetch(&last_vpid, 1, __ATOMIC_RELAXED);

	return vpid <= VPID_MAX ? (u16)vpid : 0;
}

/*
 * What a vCPU's RESET means beside its extended state. The VMCS is empty, and
 * is filled when V is first loaded. The TSC is the host's, as if the machine
 * had been on for as long as this one.
 */
static void put_in_reset(struct vcpu *v)
{
	memset(v->vmcs, 0, PAGE_SIZE);
	*(u32 *)v->vmcs = vmx_caps.revision;
	memset(v->msr_bitmap, 0, PAGE_SIZE);
	msr_bitmap_init(v->msr_bitmap, vmx_caps.rdtscp);
	memset(v->msr, 0, sizeof(v->msr));
	v->tsc_offset  = 0;
	v->tsc_adjust  = 0;
	v->cr4_allowed = 0;
	v->apicv       = (struct apicv_entry){ 0 };
	v->posting     = false;
	v->posted      = (struct posted){ 0 };
	v->reinject    = 0;
	v->nmi_pending = false;
	v->delays      = 0;
	v->chore       = false;
	v->start       = (struct vcpu_start){ .kind = VCPU_START_RESET };
	v->fresh       = true;
	v->activity    = VCPU_WAITS_FOR_SIPI;
	v->state       = VCPU_STOPPED;
	vcpu_forget_cpuid(v);
}

bool vcpu_create(struct vcpu *v, const struct vcpu_config *c)
{
	v->vm         = c->vm;
	v->index      = c->index;
	v->cpus       = c->cpus;
	v->cpus_count = c->cpus_count;
	v->cpu        = sched_place(c->cpus, c->cpus_count);
	v->ept        = c->ept;
	v->calls      = c->calls;
	v->device     = c->device;
	tv_snprintf(v->name, sizeof(v->name), "%.16s/%u", c->vm_name, c->index);
	if (!fpu_create(&v->fpu, &c->fpu))
		return false;
	v->vmcs       = pages_alloc(1);
	v->msr_bitmap = pages_alloc(1);
	if (vmx_caps.apicv)
		v->virtual_apic = pages_alloc(1);
	if (!v->vmcs || !v->msr_bitmap ||
	    (vmx_caps.apicv && !v->virtual_apic)) {
		vcpu_destroy(v);
		return false;
	}
	v->vpid = take_vpid();
	put_in_reset(v);
	v->state = VCPU_WAIT_SIPI;
	return true;
}

void vcpu_reset(struct vcpu *v)
{
	ASSERT((v->state == VCPU_STOPPED || v->chore) && !v->vmcs_cpu);
	fpu_reset(&v->fpu);
	put_in_reset(v);
}

void vcpu_destroy(struct vcpu *v)
{
	ASSERT(!v->vmcs_cpu);
	dump_forget(v);
	fpu_destroy(&v->fpu);
	pages_free(v->vmcs, 1);
	pages_free(v->msr_bitmap, 1);
	pages_free(v->virtual_apic, 1);
	v->vmcs         = NULL;
	v->msr_bitmap   = NULL;
	v->virtual_apic = NULL;
	v->chore        = false;
	v->state        = VCPU_STOPPED;
}

void vcpu_start_protected(struct vcpu *v, u32 eip, u32 eax, u32 ebx)
{
	v->activity = VCPU_ACTIVE;
	v->start    = (struct vcpu_start){
		   .kind = VCPU_START_PROTECTED,
		   .rip  = eip,
		   .rax  = eax,
		   .rbx  = ebx,
	};
}

void vcpu_start_long(struct vcpu *v, u64 rip, u64 rsi, u64 cr3, u64 gdt_base,
		     u32 gdt_limit)
{
	v->activity = VCPU_ACTIVE;
	v->start    = (struct vcpu_start){
		   .kind      = VCPU_START_LONG,
		   .rip       = rip,
		   .rsi       = rsi,
		   .cr3       = cr3,
		   .gdt_base  = gdt_base,
		   .gdt_limit = gdt_limit,
	};
}

/* CPU, if it is not this one, leaves the guest or its sleep. */
static void kick(const struct percpu *cpu)
{
	if (cpu && cpu != this_cpu())
		lapic_send(cpu->apic_id, LAPIC_VECTOR_KICK);
}

void vcpu_post(struct vcpu *v, enum vcpu_event event)
{
	/* The bit first, then the lock inside: no wake-up is lost. */
	__atomic_fetch_or(&v->events, (u32)event, __ATOMIC_SEQ_CST);
	kick(sched_wake(v));
}

bool vcpu_is_posting(const struct vcpu *v)
{
	return __atomic_load_n(&v->posting, __ATOMIC_ACQUIRE);
}

void vcpu_post_interrupt(struct vcpu *v, u8 vector)
{
	if (!posted_request(&v->posted, vector))
		return;

	/* As in vcpu_post(): the bits first, then the lock inside. */
	const struct percpu *cpu = sched_wake(v);

	if (cpu == this_cpu())
		__atomic_fetch_or(&v->events, VCPU_EVENT_INTR,
				  __ATOMIC_SEQ_CST);
	else if (cpu)
		lapic_send(cpu->apic_id, LAPIC_VECTOR_POSTED);
}

void vcpu_remove(struct vcpu *v)
{
	__atomic_fetch_or(&v->events, VCPU_EVENT_STOP, __ATOMIC_SEQ_CST);
	kick(sched_remove(v));
}

/* From WAIT_SIPI any event, whoever posts it, puts a vCPU into its queue. */
void vcpu_begin(struct vcpu *v)
{
	ASSERT(v->state == VCPU_STOPPED);
	v->state = VCPU_WAIT_SIPI;
	if (v->activity == VCPU_ACTIVE)
		vcpu_post(v, VCPU_EVENT_INTR);
}

void vcpu_do_chore(struct vcpu *v)
{
	ASSERT(v->state == VCPU_STOPPED);
	v->chore = true;
	v->state = VCPU_WAIT_SIPI;
	vcpu_post(v, VCPU_EVENT_INTR);
}

void vcpu_post_sipi(struct vcpu *v, u8 vector)
{
	v->sipi_vector = vector;
	vcpu_post(v, VCPU_EVENT_SIPI);
}

enum verdict vcpu_stop(struct vcpu *v, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	tv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dump_trace(LOG_DEBUG);
	vcpu_account(v);
	policy_stop(v, text, -1);
	return RUN_STOP;
}

u64 vcpu_cr4_allowed(struct vcpu *v)
{
	static const struct {
		u32 leaf;
		u8 reg, bit; /* EAX, EBX, ECX, EDX: 0 to 3 */
		u64 cr4;
	} offered[] = {
		{ 1, 3, 1, CR4_VME | CR4_PVI }, { 1, 3, 2, CR4_DE },
		{ 1, 3, 3, CR4_PSE },           { 1, 3, 4, CR4_TSD },
		{ 1, 3, 6, CR4_PAE },           { 1, 3, 7, CR4_MCE },
		{ 1, 3, 13, CR4_PGE },          { 1, 3, 24, CR4_OSFXSR },
		{ 1, 3, 25, CR4_OSXMMEXCPT },   { 1, 2, 17, CR4_PCIDE },
		{ 1, 2, 26, CR4_OSXSAVE },      { 7, 1, 0, CR4_FSGSBASE },
		{ 7, 1, 7, CR4_SMEP },          { 7, 1, 20, CR4_SMAP },
		{ 7, 2, 2, CR4_UMIP },          { 7, 2, 3, CR4_PKE },
		{ 7, 2, 16, CR4_LA57 },
	};
	u64 allowed = CR4_PCE;

	if (v->cr4_allowed)
		return v->cr4_allowed;
	for (size_t i = 0; i < ARRAY_SIZE(offered); i++) {
		struct cpuid_regs r;

		policy_cpuid(v, offered[i].leaf, 0, &r);
		const u32 words[4] = { r.eax, r.ebx, r.ecx, r.edx };

		if (words[offered[i].reg] & BIT(offered[i].bit))
			allowed |= offered[i].cr4;
	}
	v->cr4_allowed = allowed & vmx_caps.cr4_fixed1;
	return v->cr4_allowed;
}

void vcpu_apply_traps(struct vcpu *v)
{
	const u32 traps   = fpu_traps(&v->fpu);
	const u32 changed = traps ^ v->traps;

	if (!changed)
		return;
	v->traps = traps;
	if (changed & FPU_TRAP_NM)
		vmwrite(VMCS_EXCEPTION_BITMAP,
			BIT(VEC_MC) | (traps & FPU_TRAP_NM ? BIT(VEC_NM) : 0));
	msr_bitmap_set(v->msr_bitmap, MSR_IA32_XFD,
		       !(traps & FPU_TRAP_XFD_READ),
		       !(traps & FPU_TRAP_XFD_WRITE));
	msr_bitmap_set(v->msr_bitmap, MSR_IA32_XFD_ERR,
		       !(traps & FPU_TRAP_ERR_READ),
		       !(traps & FPU_TRAP_ERR_WRITE));
}

/* The first time on any CPU: a VMCS of its own and the start it was given. */
static void begin(struct vcpu *v)
{
	v->fresh = false;
	vmcs_init_controls(v);
	apicv_begin(v);
	vmcs_reset_guest(v);
	vmcs_apply_start(v);
	/* All four MSR bits change, so that the bitmap is written in full. */
	v->traps = ~fpu_traps(&v->fpu);
	vcpu_apply_traps(v);
}

/* No translation through V's EPT is left on this CPU. */
static void flush_ept(const struct vcpu *v)
{
	if (invept(vmx_caps.invept_single ? INV_SINGLE_CONTEXT
					  : INV_ALL_CONTEXTS,
		   ept_pointer(v->ept)) != VMX_OK)
		panic("INVEPT for %s failed", v->name);
}

void vcpu_meet_ept_duty(struct percpu *cpu, struct vcpu *v)
{
	struct ept *e = v->ept;
	const u64 now = __atomic_load_n(&e->generation, __ATOMIC_SEQ_CST);

	if (!ept_duty_owed(&e->duty, cpu->index, now))
		return;
	flush_ept(v);
	ept_duty_done(&e->duty, cpu->index, now);
}

void vcpu_shoot_down(struct ept *ept, struct vcpu *v, u32 count)
{
	const u64 now = __atomic_load_n(&ept->generation, __ATOMIC_SEQ_CST);

	for (u32 i = 0; i < count; i++)
		vcpu_post(&v[i], VCPU_EVENT_EPT);
	__atomic_store_n(&ept->told, now, __ATOMIC_SEQ_CST);
}

static void activate(struct percpu *cpu, struct vcpu *v)
{
	vmclear(ptr_hpa(v->vmcs));
	if (vmptrld(ptr_hpa(v->vmcs)) != VMX_OK)
		panic("VMPTRLD of %s failed", v->name);
	if (v->fresh)
		begin(v);
	vmcs_write_host(cpu);
	v->regs.r[RSP]   = 0; /* HOST_RSP is to be written again */
	v->vmcs_cpu      = cpu;
	v->regs.launched = 0;
	exit_flush_tlb(v);
}

void vcpu_load_registers(struct vmx_cpu *hw, const struct vcpu *v)
{
	for (int i = 0; i < SWITCHED_COUNT; i++) {
		if (hw->msr[i] != v->msr[i])
			wrmsr(switched_msr[i], v->msr[i]);
		hw->msr[i] = v->msr[i];
	}
	if (hw->cr2 != v->cr2)
		write_cr2(v->cr2);
	if (hw->dr[0] != v->dr[0])
		write_dr0(v->dr[0]);
	if (hw->dr[1] != v->dr[1])
		write_dr1(v->dr[1]);
	if (hw->dr[2] != v->dr[2])
		write_dr2(v->dr[2]);
	if (hw->dr[3] != v->dr[3])
		write_dr3(v->dr[3]);
	if (hw->dr6 != v->dr6)
		write_dr6(v->dr6);
}

void vcpu_save_registers(struct vmx_cpu *hw, struct vcpu *v)
{
	for (int i = 0; i < SWITCHED_COUNT; i++)
		if (i != SWITCHED_TSC_AUX || vmx_caps.rdtscp)
			hw->msr[i] = v->msr[i] = rdmsr(switched_msr[i]);
	hw->cr2 = v->cr2 = read_cr2();
	hw->dr[0] = v->dr[0] = read_dr0();
	hw->dr[1] = v->dr[1] = read_dr1();
	hw->dr[2] = v->dr[2] = read_dr2();
	hw->dr[3] = v->dr[3] = read_dr3();
	hw->dr6 = v->dr6 = read_dr6();
}

/*
 * What another vCPU trained this CPU to predict does not reach V; nor does what
 * V itself did before it was elsewhere (XSA-479).
 */
static void forget_predictions(struct percpu *cpu, struct vcpu *v)
{
	if (!cpu->ibpb || (v->vmcs_cpu == cpu && cpu->vmx->trainer == v))
		return;
	wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	cpu->vmx->trainer = v;
	v->stats.ibpb++;
}

void vcpu_load(struct percpu *cpu, struct vcpu *v)
{
	forget_predictions(cpu, v);
	if (v->vmcs_cpu != cpu)
		activate(cpu, v);
	else if (vmptrld(ptr_hpa(v->vmcs)) != VMX_OK)
		panic("VMPTRLD of %s failed", v->name);
	vcpu_meet_ept_duty(cpu, v);
	vcpu_load_registers(cpu->vmx, v);
}

void vcpu_put(struct percpu *cpu, struct vcpu *v)
{
	vcpu_save_registers(cpu->vmx, v);
	v->stats.switches++;
}

void vcpu_give_up(struct percpu *cpu, struct vcpu *v)
{
	ASSERT(cpu->current != v && (!v->vmcs_cpu || v->vmcs_cpu == cpu));
	if (!v->vmcs_cpu)
		return;
	vmclear(ptr_hpa(v->vmcs));
	v->vmcs_cpu = NULL;
	/* It may have been the last of its VM here, to hear of a cut. */
	flush_ept(v);
	ept_duty_left(&v->ept->duty, cpu->index);
}

void vcpu_move(struct percpu *cpu, struct vcpu *v, struct percpu *to)
{
	vcpu_give_up(cpu, v);
	v->stats.moves++;
	kick(sched_move(v, to));
}

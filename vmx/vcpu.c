/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's life: created, loaded on a CPU, run for a slice, put. Entering the
 * guest is a call that returns; whatever may delay it is a bit in v->work or
 * v->events, so that the way back into the guest is short when there is none.
 */
#include "vmx/vcpu.h"

#include "boot/lib/lapic.h"
#include "boot/lib/pages.h"
#include "boot/lib/string.h"
#include "vmx/caps.h"
#include "vmx/dump.h"
#include "vmx/entry_check.h"
#include "vmx/enter.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
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

bool vcpu_create(struct vcpu *v, const struct vcpu_config *c)
{
	v->vm       = c->vm;
	v->index    = c->index;
	v->cpu      = c->cpu;
	v->ept      = c->ept;
	v->calls    = c->calls;
	v->device   = c->device;
	v->state    = VCPU_WAIT_SIPI;
	v->activity = VCPU_WAITS_FOR_SIPI;
	v->fresh    = true;
	vcpu_forget_cpuid(v);
	tv_snprintf(v->name, sizeof(v->name), "%.16s/%u", c->vm_name, c->index);
	if (!fpu_create(&v->fpu, &c->fpu))
		return false;
	v->vmcs       = pages_alloc(1);
	v->msr_bitmap = pages_alloc(1);
	if (!v->vmcs || !v->msr_bitmap) {
		vcpu_destroy(v);
		return false;
	}
	v->vpid = take_vpid();
	msr_bitmap_init(v->msr_bitmap, vmx_caps.rdtscp);
	*(u32 *)v->vmcs = vmx_caps.revision;
	return true;
}

void vcpu_destroy(struct vcpu *v)
{
	if (v->vmcs_cpu)
		vmclear(ptr_hpa(v->vmcs));
	v->vmcs_cpu = NULL;
	dump_forget(v);
	fpu_destroy(&v->fpu);
	pages_free(v->vmcs, 1);
	pages_free(v->msr_bitmap, 1);
	v->vmcs       = NULL;
	v->msr_bitmap = NULL;
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

void vcpu_post(struct vcpu *v, enum vcpu_event event)
{
	/* The bit first, then the lock inside: no wake-up is lost. */
	__atomic_fetch_or(&v->events, (u32)event, __ATOMIC_SEQ_CST);
	sched_wake(v);
	if (v->cpu != this_cpu())
		lapic_send(v->cpu->apic_id, LAPIC_VECTOR_KICK);
}

void vcpu_post_sipi(struct vcpu *v, u8 vector)
{
	v->sipi_vector = vector;
	vcpu_post(v, VCPU_EVENT_SIPI);
}

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
	vmcs_reset_guest(v);
	vmcs_apply_start(v);
	/* All four MSR bits change, so that the bitmap is written in full. */
	v->traps = ~fpu_traps(&v->fpu);
	vcpu_apply_traps(v);
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

static void load_registers(struct vmx_cpu *hw, const struct vcpu *v)
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

static void save_registers(struct vmx_cpu *hw, struct vcpu *v)
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

void vcpu_load(struct percpu *cpu, struct vcpu *v)
{
	if (v->vmcs_cpu != cpu)
		activate(cpu, v);
	else if (vmptrld(ptr_hpa(v->vmcs)) != VMX_OK)
		panic("VMPTRLD of %s failed", v->name);
	if (v->ept_generation != v->ept->generation) {
		v->ept_generation = v->ept->generation;
		if (invept(vmx_caps.invept_single ? INV_SINGLE_CONTEXT
						  : INV_ALL_CONTEXTS,
			   ept_pointer(v->ept)) != VMX_OK)
			panic("INVEPT for %s failed", v->name);
	}
	load_registers(cpu->vmx, v);
}

void vcpu_put(struct percpu *cpu, struct vcpu *v)
{
	save_registers(cpu->vmx, v);
	v->stats.switches++;
	/* Wherever it runs next: another CPU finds its state in memory. */
	if (v->cpu != cpu || v->state == VCPU_STOPPED) {
		vmclear(ptr_hpa(v->vmcs));
		v->vmcs_cpu = NULL;
	}
}

/* The hardware timer: the slice's end, or the vCPU's own timer before it. */
static void arm_timer(struct vcpu *v)
{
	const u64 now = rdtsc();

	v->timer_end = policy_next_timer(v);
	if (v->timer_end <= now) {
		policy_timers(v, now); /* posts its interrupt */
		v->timer_end = policy_next_timer(v);
	}
	v->timer_end = min_u64(v->timer_end, v->slice_end);
	if (vmx_caps.timer)
		vmwrite(VMCS_GUEST_PREEMPTION_TIMER,
			sched_timer_value(now, v->timer_end,
					  vmx_caps.timer_shift));
	else
		lapic_timer_arm(v->timer_end);
}

/* INIT: the registers' part; IA32_XFD, XCR0 and the tiles stay as they are. */
static void take_init(struct vcpu *v)
{
	save_registers(v->cpu->vmx, v);
	vmcs_reset_guest(v);
	v->nmi_pending = false;
	v->reinject    = 0;
	v->work &= ~WORK_INJECT;
	v->activity = v->index == 0 ? VCPU_ACTIVE : VCPU_WAITS_FOR_SIPI;
	load_registers(v->cpu->vmx, v);
	exit_flush_tlb(v);
	vcpu_forget_cpuid(v);
	policy_init(v);
}

static void take_events(struct vcpu *v)
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
	if (events & VCPU_EVENT_STOP)
		__atomic_fetch_or(&v->events, VCPU_EVENT_STOP,
				  __ATOMIC_SEQ_CST);
}

/* HLT ends by an interrupt that the guest takes, or by an NMI. */
static bool wakes(struct vcpu *v)
{
	if (v->nmi_pending &&
	    can_take_nmi(vmread32(VMCS_GUEST_INTERRUPTIBILITY)))
		return true;
	return (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
	       policy_interrupt_pending(v) >= 0;
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

/*
 * At most one event enters with the guest: what was interrupted or raised by an
 * instruction first, then NMI, then interrupt (SDM vol. 3, "Prioritization of
 * Concurrent Events"). What has to wait gets a window.
 */
static void inject_pending(struct vcpu *v)
{
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
	if (v->nmi_pending)
		windows |= CPU_NMI_WINDOW_EXITING;

	const int vector = policy_interrupt_pending(v);

	if (vector >= 0 && !taken &&
	    can_take_interrupt(vmread(VMCS_GUEST_RFLAGS), blocked)) {
		enter_with(
			&(struct event){ .info = EVENT_VALID | (u32)vector });
		policy_interrupt_accept(v, vector);
	} else if (vector >= 0) {
		windows |= CPU_INTR_WINDOW_EXITING;
	}
	set_windows(v, windows);
	v->work &= ~(WORK_INJECT | WORK_INTR);
}

/* False: the VM has been stopped, its state would not get past the CPU. */
static bool check_entry(struct vcpu *v)
{
	struct entry_state s;

	vmcs_read_entry_state(&s);

	const char *const complaint = entry_check(&s);

	if (!complaint)
		return true;
	dump_vmcs(LOG_WARN);
	vcpu_stop(v, "VM-entry check: %s", complaint);
	return false;
}

/*
 * Everything that keeps V from simply going on. RUN_AGAIN: it may enter.
 */
static enum verdict prepare(struct vcpu *v)
{
	if ((v->work & WORK_TIMER) && v->activity != VCPU_WAITS_FOR_SIPI)
		arm_timer(v);
	v->work &= ~WORK_TIMER;
	if (v->events) {
		take_events(v);
		if (v->events & VCPU_EVENT_STOP)
			return RUN_STOP;
	}
	if (v->activity == VCPU_WAITS_FOR_SIPI)
		return RUN_BLOCK;
	if (v->activity == VCPU_HLT) {
		if (!wakes(v))
			return RUN_BLOCK;
		v->activity = VCPU_ACTIVE;
	}
	if ((v->work & (WORK_INTR | WORK_INJECT)) || v->nmi_pending)
		inject_pending(v);
	if (v->work & WORK_CHECK) {
		if (TV_DEBUG < 2)
			v->work &= ~WORK_CHECK;
		if (TV_DEBUG >= 1 && !check_entry(v))
			return RUN_STOP;
	}
	if (vmx_caps.timer && !vmx_caps.save_timer)
		v->work |= WORK_TIMER;
	return RUN_AGAIN;
}

void vcpu_account(struct vcpu *v)
{
	const u64 now   = rdtsc();
	const u64 guest = v->stats.guest_ticks;

	v->stats.host_ticks +=
		now - v->account_tsc - (guest - v->account_guest);
	v->account_tsc   = now;
	v->account_guest = guest;
}

static void trace(struct vmx_cpu *c, const struct vcpu *v, u64 now, u64 rip,
		  u64 reason)
{
	const u32 slot        = c->trace_next;
	struct trace_entry *t = &c->trace[slot];

	c->trace_next = (slot + 1) % TRACE_COUNT;
	t->tsc        = now;
	t->v          = v;
	t->rip        = rip;
	t->reason     = reason; /* without TRACE_QUALIFIED */
}

/*
 * One stay in the guest and the handling of its exit: the path that every exit
 * takes, so nothing is done here that could be done when something changes.
 */
static enum verdict enter_once(struct vcpu *v, struct vmx_cpu *c)
{
	v->stats.guest_ticks -= rdtsc();
	if (__builtin_expect(vmx_enter(&v->regs) != VMX_OK, 0)) {
		v->stats.guest_ticks += rdtsc();
		return exit_entry_refused(v);
	}

	const u64 now    = rdtsc();
	const u64 reason = vmread(VMCS_EXIT_REASON);
	const u64 rip    = vmread(VMCS_GUEST_RIP);

	v->stats.guest_ticks += now;
	v->stats.exits_total++;
	v->last_exit_tsc = now;
	v->rip           = rip;
	trace(c, v, now, rip, reason);

	const enum verdict verdict = exit_dispatch(v, lo32(reason));

	if (__builtin_expect(now >= v->timer_end, 0) && verdict == RUN_AGAIN) {
		if (now >= v->slice_end)
			return RUN_YIELD;
		v->work |= WORK_TIMER;
	}
	return verdict;
}

enum verdict vcpu_run(struct vcpu *v, u64 slice_end)
{
	struct vmx_cpu *c = v->cpu->vmx;
	enum verdict verdict;

	v->slice_end     = slice_end;
	v->account_tsc   = rdtsc();
	v->account_guest = v->stats.guest_ticks;
	v->work |= WORK_TIMER;
	if (TV_DEBUG >= 2)
		v->work |= WORK_CHECK;
	do {
		if (__builtin_expect(v->delays != 0, 0)) {
			verdict = prepare(v);
			if (verdict != RUN_AGAIN)
				break;
		}
		verdict = enter_once(v, c);
	} while (verdict == RUN_AGAIN);
	vcpu_account(v);
	return verdict;
}

/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's time on the CPU. Entering the guest is a call that returns; whatever
 * may delay it is a bit in v->work or v->events, so that the way back into the
 * guest is short when there is none.
 */
#include "vmx/vcpu_run.h"

#include "boot/lib/lapic.h"
#include "vmx/audit.h"
#include "vmx/caps.h"
#include "vmx/dump.h"
#include "vmx/enter.h"
#include "vmx/entry_check.h"
#include "vmx/exit.h"
#include "vmx/fail_entry.h"
#include "vmx/policy.h"
#include "vmx/sched.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_cpu.h"

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

/* False: the VM has been stopped, its state would not get past the CPU. */
static bool check_entry(struct vcpu *v)
{
	struct vmx_cpu *c           = v->cpu->vmx;
	const bool settled          = vmcs_read_entry_state(&c->entry);
	const char *const complaint = settled && c->entry_passed
					      ? entry_check_moving(&c->entry)
					      : entry_check(&c->entry);

	c->entry_passed = !complaint;
	if (!complaint)
		return true;
	dump_vmcs(LOG_WARN);
	vcpu_stop(v, "VM-entry check: %s", complaint);
	return false;
}

/* Every CPU that was told of a cut has no older translation by now. */
static void assert_no_ept_duty(const struct vcpu *v)
{
	const u64 told = __atomic_load_n(&v->ept->told, __ATOMIC_SEQ_CST);

	if (ept_duty_owed(&v->ept->duty, v->cpu->index, told))
		panic("%s would run on stale translations", v->name);
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
		vcpu_take_events(v);
		if (v->events & VCPU_EVENT_STOP)
			return RUN_STOP;
	}
	if (posted_is_on(&v->posted))
		vcpu_take_posted(v);
	if (v->activity == VCPU_WAITS_FOR_SIPI)
		return RUN_BLOCK;
	if (v->activity == VCPU_HLT) {
		if (!vcpu_wakes(v))
			return RUN_BLOCK;
		v->activity = VCPU_ACTIVE;
	}
	if ((v->work & (WORK_INTR | WORK_INJECT)) || v->nmi_pending)
		vcpu_inject_pending(v);
	if (v->work & WORK_CHECK) {
		if (TV_DEBUG < 2)
			v->work &= ~WORK_CHECK;
		if (TV_DEBUG >= 1 && !check_entry(v))
			return RUN_STOP;
	}
	if (TV_DEBUG >= 1)
		fail_entry(v);
	if (TV_DEBUG >= 1 && !v->events)
		assert_no_ept_duty(v);
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

/* The time since the last exit, or since V has the CPU, was that reason's. */
static void count_root_ticks(struct vcpu *v, u64 now)
{
	v->stats.root_ticks[v->last_reason] += now - v->last_exit_tsc;
	v->last_exit_tsc = now;
}

/*
 * One stay in the guest and the handling of its exit: the path that every exit
 * takes, so nothing is done here that could be done when something changes.
 */
static enum verdict enter_once(struct vcpu *v, struct vmx_cpu *c)
{
	count_root_ticks(v, rdtsc());
	v->stats.guest_ticks -= v->last_exit_tsc;
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
	if (TV_DEBUG >= 2)
		audit_exit(v);

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
	v->last_exit_tsc = v->account_tsc;
	v->last_reason   = VCPU_EXIT_NONE;
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
	count_root_ticks(v, v->account_tsc);
	return verdict;
}

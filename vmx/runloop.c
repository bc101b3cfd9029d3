/* SPDX-License-Identifier: MIT */
#include "vmx/runloop.h"

#include "boot/lib/lapic.h"
#include "vmx/dump.h"
#include "vmx/policy.h"
#include "vmx/sched.h"
#include "vmx/vcpu_run.h"

static u64 first_entry_tsc;

u64 runloop_first_entry_tsc(void)
{
	return first_entry_tsc;
}

/* While the same vCPU keeps the CPU nothing moves. */
static void vcpu_switch(struct percpu *cpu, struct vcpu *to)
{
	struct vcpu *from = cpu->current;

	if (from == to)
		return;
	if (from) {
		fpu_put(&from->fpu);
		vcpu_put(cpu, from);
	}
	cpu->current = to;
	if (to) {
		vcpu_load(cpu, to);
		fpu_load(&to->fpu);
	}
	if (from && from->state == VCPU_STOPPED)
		policy_left(from);
}

/*
 * Nothing to run: the last vCPU's state goes to memory, live tiles would keep
 * the core awake, and the local APIC's timer ends the wait at the next timer of
 * a blocked vCPU.
 */
static void cpu_idle(struct percpu *cpu)
{
	fpu_idle();
	cpu->next_timer = sched_next_timer(cpu->runq);
	if (cpu->next_timer <= rdtsc())
		return;
	if (cpu->next_timer != ~0ULL)
		lapic_timer_arm(cpu->next_timer);
	/* A wake-up between the look and HLT is pending and ends the HLT. */
	if (!sched_others_wait(cpu->runq))
		sti_hlt();
	cli();
	lapic_timer_disarm();
}

/* The slice of V; a blocked vCPU's timer that is due earlier cuts it short. */
static u64 slice_end(struct runq *q, const struct vcpu *v, u64 now)
{
	const u64 end = sched_slice_end(q, v, now);

	return q->idle_first ? min_u64(end, sched_next_timer(q)) : end;
}

_Noreturn void runloop(void)
{
	struct percpu *cpu = this_cpu();

	for (;;) {
		if (cpu->runq->idle_first)
			sched_run_timers(cpu->runq, rdtsc());

		struct vcpu *v = sched_pick(cpu->runq);

		vcpu_switch(cpu, v);
		if (!v) {
			cpu_idle(cpu);
			continue;
		}

		const u64 now = rdtsc();

		if (!first_entry_tsc)
			first_entry_tsc = now;
		sched_done(cpu->runq, v,
			   vcpu_run(v, slice_end(cpu->runq, v, now)));
	}
}

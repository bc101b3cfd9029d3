/* SPDX-License-Identifier: MIT */
#include "vmx/runloop.h"

#include "boot/lib/lapic.h"
#include "boot/lib/trap.h"
#include "vmx/dump.h"
#include "vmx/policy.h"
#include "vmx/sched.h"
#include "vmx/vcpu_run.h"

static u64 first_entry_tsc; /* atomic */

u64 runloop_first_entry_tsc(void)
{
	return __atomic_load_n(&first_entry_tsc, __ATOMIC_RELAXED);
}

static void note_first_entry(u64 now)
{
	u64 none = 0;

	if (__builtin_expect(!first_entry_tsc, 0))
		__atomic_compare_exchange_n(&first_entry_tsc, &none, now, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
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
}

/* Stopped vCPUs go out of this CPU's hands; the last one's VM may vanish. */
static void part(struct percpu *cpu)
{
	struct vcpu *v;

	while ((v = sched_take_left(cpu->runq))) {
		if (cpu->current == v)
			vcpu_switch(cpu, NULL);
		vcpu_give_up(cpu, v);
		policy_left(v);
	}
}

/*
 * Nothing to run: the last vCPU's state goes to memory, live tiles would keep
 * the core awake, and the local APIC's timer ends the wait at the next timer of
 * a blocked vCPU, or when policy_service() wants to be called.
 */
static void cpu_idle(struct percpu *cpu, u64 service)
{
	fpu_idle();
	cpu->next_timer = min_u64(sched_next_timer(cpu->runq), service);
	if (cpu->next_timer <= rdtsc())
		return;
	if (cpu->next_timer != ~0ULL)
		lapic_timer_arm(cpu->next_timer);
	/* A wake-up between the look and HLT is pending and ends the HLT. */
	if (!sched_has_work(cpu->runq))
		sti_hlt();
	cli();
	lapic_timer_disarm();
}

/* The slice of V; what is due earlier cuts it short. */
static u64 slice_end(struct runq *q, const struct vcpu *v, u64 now, u64 service)
{
	const u64 end = min_u64(sched_slice_end(q, v, now), service);

	return q->idle_first ? min_u64(end, sched_next_timer(q)) : end;
}

/* V has had its turn. */
static void done(struct percpu *cpu, struct vcpu *v, enum verdict verdict)
{
	struct percpu *to = NULL;

	if (verdict == RUN_YIELD)
		to = sched_destination(cpu, v);
	if (!to || to == cpu) {
		sched_done(cpu->runq, v, verdict);
		return;
	}
	vcpu_switch(cpu, NULL);
	vcpu_move(cpu, v, to);
}

_Noreturn void runloop(void)
{
	struct percpu *cpu = this_cpu();
	struct runq *q     = cpu->runq;

	for (;;) {
		const u64 service = policy_service(rdtsc());

		trap_tell_nmis(NULL, 0);

		if (q->idle_first)
			sched_run_timers(q, rdtsc());
		if (q->left_first)
			part(cpu);

		struct vcpu *v = sched_pick(q);

		if (v && v->chore) {
			if (policy_chore(v))
				sched_done(q, v, RUN_YIELD);
			continue;
		}
		vcpu_switch(cpu, v);
		if (!v) {
			cpu_idle(cpu, service);
			continue;
		}

		const u64 now = rdtsc();

		note_first_entry(now);
		const u64 end              = slice_end(q, v, now, service);
		const enum verdict verdict = vcpu_run(v, end);

		sched_charge(q, v, rdtsc());
		done(cpu, v, verdict);
	}
}

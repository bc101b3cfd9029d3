/* SPDX-License-Identifier: MIT */
/*
 * Which vCPU runs when: a round-robin queue per CPU, equal slices, HLT gives
 * the CPU up. Decides only; runloop.c acts.
 */
#ifndef VMX_SCHED_H
#define VMX_SCHED_H

#include "boot/lib/percpu.h"
#include "boot/lib/spinlock.h"
#include "vmx/vcpu.h"

struct runq {
	struct spinlock lock;
	struct vcpu *head, *tail; /* VCPU_RUNNABLE ones, in turn */
	struct vcpu *idle_first;  /* blocked ones, for their timers */
	u64 slice_ticks;
};

void sched_init(void); /* once: a run queue in each CPU's block */

/* V, created and started, may run from now on: to the back of its CPU's queue.
 */
void sched_add(struct vcpu *v);

/* The vCPU to run now, taken off the queue; NULL: none. */
struct vcpu *sched_pick(struct runq *q);

/* V has run and gave the CPU back with VERDICT: requeue, block or drop it. */
void sched_done(struct runq *q, struct vcpu *v, enum verdict verdict);

/* V has an event: back to the queue if it was blocked. Callable from any CPU.
 */
void sched_wake(struct vcpu *v);

/* Out of every queue, for ever (its VM has stopped). */
void sched_remove(struct vcpu *v);

/* True if another vCPU waits for this CPU. */
bool sched_others_wait(struct runq *q);

/* Host TSC at which the slice that begins NOW ends. */
u64 sched_slice_end(const struct runq *q, const struct vcpu *v, u64 now);

/*
 * Timers of blocked vCPUs: when the next is due (host TSC; ~0: none), and let
 * those that are due at NOW post their interrupts and wake their vCPUs.
 */
u64 sched_next_timer(struct runq *q);
void sched_run_timers(struct runq *q, u64 now);

/*
 * VMX-preemption timer value for the time from NOW to END in TSC ticks. The
 * timer counts once per 2^SHIFT ticks, rounded up; 0 makes the guest exit at
 * once.
 */
u32 sched_timer_value(u64 now, u64 end, unsigned int shift);

#endif

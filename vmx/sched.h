/* SPDX-License-Identifier: MIT */
/*
 * Which vCPU runs when and where: a round-robin queue per CPU, equal slices,
 * HLT gives the CPU up, and at a slice's end a vCPU goes to where there is more
 * room. Decides only; runloop.c acts. Every queue has its lock; no two are
 * held at once.
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
	struct vcpu *left_first;  /* stopped ones that this CPU still holds */
	u32 waiting;              /* how many are behind head */
	bool idle;                /* the last pick found nothing */
	u32 placed;               /* boot only: vCPUs that begin here */
	u64 slice_ticks;
	bool wander; /* migrate=: whoever has run goes on elsewhere */
};

void sched_init(void); /* once: a run queue in each CPU's block */

/*
 * Where one more vCPU begins, of COUNT CPUs that it may use: where the fewest
 * have been placed, the first of these. Boot only.
 */
struct percpu *sched_place(struct percpu *const *cpus, u32 count);

/* V, created and started, may run from now on: to the back of its CPU's queue.
 * Its CPU is not told.
 */
void sched_add(struct vcpu *v);

/* The vCPU to run now, taken off the queue; NULL: none. */
struct vcpu *sched_pick(struct runq *q);

/*
 * V has run on Q's CPU until NOW. What it took beyond its slice while others
 * waited, by exits that take long (a line for the host's console), it owes
 * them: sched_pick() passes it over for as long.
 */
void sched_charge(const struct runq *q, struct vcpu *v, u64 now);

/*
 * V has run on Q's CPU and gave it back with VERDICT: requeue, block or drop
 * it. A vCPU that blocks with an event posted before is requeued: no wake-up is
 * lost, for who posts sets the event before it takes the lock.
 */
void sched_done(struct runq *q, struct vcpu *v, enum verdict verdict);

/*
 * V has an event: back to the queue if it was blocked. Callable from any CPU.
 * Returns the CPU that must be kicked, which runs V or sleeps; NULL: none.
 */
struct percpu *sched_wake(struct vcpu *v);

/*
 * V never runs again. Callable from any CPU; returns whom to kick, as
 * sched_wake(). Once V's CPU has it out of its hands, sched_take_left() returns
 * it there, once.
 */
struct percpu *sched_remove(struct vcpu *v);

/* On Q's own CPU: a stopped vCPU that has left the queue; NULL: none. */
struct vcpu *sched_take_left(struct runq *q);

/*
 * V, which has run on CPU and wants to go on: the CPU where it should do so.
 * NULL: here. Elsewhere only if fewer wait there, V included; but with migrate=
 * on the next of its CPUs.
 */
struct percpu *sched_destination(const struct percpu *cpu,
				 const struct vcpu *v);

/*
 * On the CPU that V leaves, whose state is in memory by now: to the back of
 * TO's queue, instead of sched_done(). Returns whom to kick.
 */
struct percpu *sched_move(struct vcpu *v, struct percpu *to);

/* True if something is to be done in Q. */
bool sched_has_work(struct runq *q);

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

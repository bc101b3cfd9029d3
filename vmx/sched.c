/* SPDX-License-Identifier: MIT */
#include "vmx/sched.h"

#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "vmx/policy.h"

void sched_init(void)
{
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next) {
		cpu->runq = pages_alloc(1);
		if (!cpu->runq)
			refuse("no memory for the run queue of CPU %u",
			       cpu->index);
		cpu->runq->slice_ticks = us_to_ticks(host_options()->slice_us);
	}
}

static void enqueue(struct runq *q, struct vcpu *v)
{
	v->state      = VCPU_RUNNABLE;
	v->queue_next = NULL;
	if (q->tail)
		q->tail->queue_next = v;
	else
		q->head = v;
	q->tail = v;
}

/* Take V out of the list at *HEAD. False: it is not there. */
static bool unlink(struct vcpu **head, struct vcpu *v)
{
	for (struct vcpu **at = head; *at; at = &(*at)->queue_next) {
		if (*at != v)
			continue;
		*at           = v->queue_next;
		v->queue_next = NULL;
		return true;
	}
	return false;
}

static void dequeue(struct runq *q, struct vcpu *v)
{
	if (!unlink(&q->head, v))
		return;
	q->tail = q->head;
	while (q->tail && q->tail->queue_next)
		q->tail = q->tail->queue_next;
}

void sched_add(struct vcpu *v)
{
	struct runq *q = v->cpu->runq;

	spin_lock(&q->lock);
	enqueue(q, v);
	spin_unlock(&q->lock);
}

struct vcpu *sched_pick(struct runq *q)
{
	spin_lock(&q->lock);

	struct vcpu *v = q->head;

	if (v) {
		q->head = v->queue_next;
		if (!q->head)
			q->tail = NULL;
		v->queue_next = NULL;
		v->state      = VCPU_RUNNING;
	}
	spin_unlock(&q->lock);
	return v;
}

static void block(struct runq *q, struct vcpu *v)
{
	v->state      = VCPU_BLOCKED;
	v->queue_next = q->idle_first;
	q->idle_first = v;
}

void sched_done(struct runq *q, struct vcpu *v, enum verdict verdict)
{
	spin_lock(&q->lock);
	/* Stopped by somebody else while it ran: it is in no queue any more. */
	if (v->state == VCPU_STOPPED || verdict == RUN_STOP)
		v->state = VCPU_STOPPED;
	else if (verdict == RUN_BLOCK &&
		 !__atomic_load_n(&v->events, __ATOMIC_SEQ_CST))
		block(q, v);
	else
		enqueue(q, v);
	spin_unlock(&q->lock);
}

void sched_wake(struct vcpu *v)
{
	struct runq *q = v->cpu->runq;

	spin_lock(&q->lock);
	if (v->state == VCPU_BLOCKED) {
		unlink(&q->idle_first, v);
		enqueue(q, v);
	} else if (v->state == VCPU_WAIT_SIPI) {
		enqueue(q, v);
	}
	spin_unlock(&q->lock);
}

void sched_remove(struct vcpu *v)
{
	struct runq *q = v->cpu->runq;

	spin_lock(&q->lock);
	if (v->state == VCPU_BLOCKED)
		unlink(&q->idle_first, v);
	else if (v->state == VCPU_RUNNABLE)
		dequeue(q, v);
	v->state = VCPU_STOPPED;
	spin_unlock(&q->lock);
}

bool sched_others_wait(struct runq *q)
{
	return __atomic_load_n(&q->head, __ATOMIC_RELAXED) != NULL;
}

u64 sched_next_timer(struct runq *q)
{
	u64 next = ~0ULL;

	spin_lock(&q->lock);
	for (struct vcpu *v = q->idle_first; v; v = v->queue_next)
		next = min_u64(next, policy_next_timer(v));
	spin_unlock(&q->lock);
	return next;
}

/* A blocked vCPU whose timer is due; NULL: none. */
static struct vcpu *find_due(struct runq *q, u64 now)
{
	struct vcpu *v;

	spin_lock(&q->lock);
	for (v = q->idle_first; v; v = v->queue_next)
		if (policy_next_timer(v) <= now)
			break;
	spin_unlock(&q->lock);
	return v;
}

void sched_run_timers(struct runq *q, u64 now)
{
	struct vcpu *v;

	/* Posting takes the lock again, so it comes after the search. */
	while ((v = find_due(q, now))) {
		policy_timers(v, now);
		/* A masked timer is due and posts nothing; look once. */
		sched_wake(v);
	}
}

u64 sched_slice_end(const struct runq *q, const struct vcpu *v, u64 now)
{
	(void)v; /* equal slices */
	return now + q->slice_ticks;
}

u32 sched_timer_value(u64 now, u64 end, unsigned int shift)
{
	if (end <= now)
		return 0;

	/* Rounded up: a timer that ends early would only be armed again. */
	const u64 count = ((end - now - 1) >> shift) + 1;

	return count < UINT32_MAX ? (u32)count : UINT32_MAX;
}

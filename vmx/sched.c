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
		cpu->runq->wander      = host_options()->migrate != 0;
		if (cpu->runq->wander)
			cpu->runq->slice_ticks =
				min_u64(cpu->runq->slice_ticks,
					host_options()->migrate);
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
	q->waiting++;
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
	q->waiting--;
	q->tail = q->head;
	while (q->tail && q->tail->queue_next)
		q->tail = q->tail->queue_next;
}

/*
 * The queue that V belongs to now, locked: V may move while we wait for it.
 */
static struct runq *lock_home(const struct vcpu *v)
{
	for (;;) {
		struct percpu *cpu = __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE);

		spin_lock(&cpu->runq->lock);
		if (cpu == __atomic_load_n(&v->cpu, __ATOMIC_RELAXED))
			return cpu->runq;
		spin_unlock(&cpu->runq->lock);
	}
}

/* Who must hear of a change in Q that its CPU, if it sleeps, would miss. */
static struct percpu *sleeper(const struct runq *q, const struct vcpu *v)
{
	return q->idle ? v->cpu : NULL;
}

void sched_add(struct vcpu *v)
{
	struct runq *q = lock_home(v);

	enqueue(q, v);
	spin_unlock(&q->lock);
}

/*
 * The front of Q. Who owes the others a slice has it taken off and goes to the
 * back; if all do, the last one looked at runs all the same.
 */
static struct vcpu *solvent(struct runq *q)
{
	struct vcpu *v = q->head;

	for (u32 n = q->waiting; n > 1 && v->debt >= q->slice_ticks; n--) {
		v->debt -= q->slice_ticks;
		dequeue(q, v);
		enqueue(q, v);
		v = q->head;
	}
	return v;
}

struct vcpu *sched_pick(struct runq *q)
{
	spin_lock(&q->lock);

	struct vcpu *v = solvent(q);

	if (v) {
		q->head = v->queue_next;
		if (!q->head)
			q->tail = NULL;
		v->queue_next = NULL;
		v->state      = VCPU_RUNNING;
		q->waiting--;
	}
	q->idle = !v;
	spin_unlock(&q->lock);
	return v;
}

void sched_charge(const struct runq *q, struct vcpu *v, u64 now)
{
	if (now > v->slice_end && __atomic_load_n(&q->head, __ATOMIC_RELAXED))
		v->debt += now - v->slice_end;
}

static void block(struct runq *q, struct vcpu *v)
{
	v->state      = VCPU_BLOCKED;
	v->queue_next = q->idle_first;
	q->idle_first = v;
}

/* For ever: V's CPU will give up what it holds of it. */
static void leave(struct runq *q, struct vcpu *v)
{
	v->state      = VCPU_STOPPED;
	v->queue_next = q->left_first;
	q->left_first = v;
}

void sched_done(struct runq *q, struct vcpu *v, enum verdict verdict)
{
	spin_lock(&q->lock);
	/* It may have been stopped by somebody else while it ran. */
	if (v->state == VCPU_STOPPED || verdict == RUN_STOP)
		leave(q, v);
	else if (verdict == RUN_BLOCK &&
		 !__atomic_load_n(&v->events, __ATOMIC_SEQ_CST) &&
		 !posted_is_on(&v->posted))
		block(q, v);
	else
		enqueue(q, v);
	spin_unlock(&q->lock);
}

struct percpu *sched_wake(struct vcpu *v)
{
	struct runq *q       = lock_home(v);
	struct percpu *whose = NULL;

	if (v->state == VCPU_BLOCKED || v->state == VCPU_WAIT_SIPI) {
		if (v->state == VCPU_BLOCKED)
			unlink(&q->idle_first, v);
		enqueue(q, v);
		whose = sleeper(q, v);
	} else if (v->state == VCPU_RUNNING) {
		whose = v->cpu;
	}
	spin_unlock(&q->lock);
	return whose;
}

struct percpu *sched_remove(struct vcpu *v)
{
	struct runq *q       = lock_home(v);
	struct percpu *whose = NULL;

	switch (v->state) {
	case VCPU_RUNNING: /* sched_done() sees it */
		v->state = VCPU_STOPPED;
		whose    = v->cpu;
		break;
	case VCPU_RUNNABLE:
	case VCPU_BLOCKED:
	case VCPU_WAIT_SIPI:
		if (v->state == VCPU_BLOCKED)
			unlink(&q->idle_first, v);
		else if (v->state == VCPU_RUNNABLE)
			dequeue(q, v);
		leave(q, v);
		whose = sleeper(q, v);
		break;
	case VCPU_STOPPED:
		break;
	}
	spin_unlock(&q->lock);
	return whose;
}

struct vcpu *sched_take_left(struct runq *q)
{
	spin_lock(&q->lock);

	struct vcpu *v = q->left_first;

	if (v)
		q->left_first = v->queue_next;
	spin_unlock(&q->lock);
	return v;
}

struct percpu *sched_move(struct vcpu *v, struct percpu *to)
{
	struct runq *q = lock_home(v);

	/*
	 * It is in no queue: who looks for it finds it running, and posts.
	 * What is posted now is seen where it arrives, for it is queued there.
	 */
	__atomic_store_n(&v->cpu, to, __ATOMIC_RELEASE);
	spin_unlock(&q->lock);

	q = to->runq;
	spin_lock(&q->lock);
	if (v->state == VCPU_STOPPED)
		leave(q, v);
	else
		enqueue(q, v);

	struct percpu *const whose = sleeper(q, v);

	spin_unlock(&q->lock);
	return whose;
}

/* vCPUs that want Q's CPU. Not locked: a guess is enough. */
static u32 load_of(const struct runq *q)
{
	const bool runs = !__atomic_load_n(&q->idle, __ATOMIC_RELAXED);

	return __atomic_load_n(&q->waiting, __ATOMIC_RELAXED) + runs;
}

/* The CPU behind FROM in V's list. */
static struct percpu *next_in_turn(const struct vcpu *v,
				   const struct percpu *from)
{
	for (u32 i = 0; i < v->cpus_count; i++)
		if (v->cpus[i] == from)
			return v->cpus[(i + 1) % v->cpus_count];
	return v->cpus[0];
}

struct percpu *sched_destination(const struct percpu *cpu, const struct vcpu *v)
{
	const u32 here      = load_of(cpu->runq);
	struct percpu *best = NULL;
	u32 least           = here - 1;

	if (v->cpus_count < 2)
		return NULL;
	if (cpu->runq->wander)
		return next_in_turn(v, cpu);
	/* With V there it must be better off than here. */
	for (u32 i = 0; here > 1 && i < v->cpus_count; i++) {
		const u32 there = load_of(v->cpus[i]->runq);

		if (there < least) {
			least = there;
			best  = v->cpus[i];
		}
	}
	return best;
}

struct percpu *sched_place(struct percpu *const *cpus, u32 count)
{
	struct percpu *best = cpus[0];

	for (u32 i = 1; i < count; i++)
		if (cpus[i]->runq->placed < best->runq->placed)
			best = cpus[i];
	best->runq->placed++;
	return best;
}

bool sched_has_work(struct runq *q)
{
	return __atomic_load_n(&q->head, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&q->left_first, __ATOMIC_RELAXED);
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

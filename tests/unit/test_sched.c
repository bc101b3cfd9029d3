/* SPDX-License-Identifier: MIT */
/* links: vmx/sched.c */
/*
 * The run queue: turns, blocking, waking without losing a wake-up, timers of
 * blocked vCPUs, and the arithmetic of slices.
 */
#include "vmx/sched.h"

#include <stdlib.h>
#include <string.h>

#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "tests/unit/tap.h"
#include "vmx/policy.h"

static struct percpu cpu, other, stranger;
static struct percpu *both[] = { &cpu, &other };
static struct vcpu vcpus[3];
static u64 timers[3];
static unsigned int timer_calls;
static u64 migrate;

struct percpu *cpu_first = &cpu;
u32 cpu_count            = 2;

u64 policy_next_timer(struct vcpu *v)
{
	return timers[v - vcpus];
}

void policy_timers(struct vcpu *v, u64 now)
{
	timer_calls++;
	if (timers[v - vcpus] <= now)
		timers[v - vcpus] = ~0ULL;
	v->events |= VCPU_EVENT_INTR;
	sched_wake(v);
}

u64 us_to_ticks(u64 us)
{
	return us * 2200;
}

const struct host_options *host_options(void)
{
	static struct host_options o = { .slice_us = 1000 };

	o.migrate = migrate;
	return &o;
}

void *pages_alloc(u64 page_count)
{
	return calloc(page_count, PAGE_SIZE);
}

void refuse(const char *fmt, ...)
{
	printf("Bail out! %s\n", fmt);
	exit(1);
}

/* A queue with all three vCPUs, in order. */
static struct runq *start(void)
{
	free(cpu.runq);
	free(other.runq);
	cpu.next    = &other;
	other.index = 1;
	sched_init();
	memset(vcpus, 0, sizeof(vcpus));
	timer_calls = 0;
	for (int i = 0; i < 3; i++) {
		vcpus[i].cpu        = &cpu;
		vcpus[i].cpus       = both;
		vcpus[i].cpus_count = 2;
		timers[i]           = ~0ULL;
		sched_add(&vcpus[i]);
	}
	return cpu.runq;
}

/* The index of the next vCPU to run; -1: none. */
static int pick(struct runq *q)
{
	struct vcpu *v = sched_pick(q);

	return v ? (int)(v - vcpus) : -1;
}

static void turns(void)
{
	struct runq *q = start();
	bool in_order  = true;

	for (int i = 0; i < 9; i++) {
		const int n = pick(q);

		in_order &= n == i % 3 && vcpus[n].state == VCPU_RUNNING;
		sched_done(q, &vcpus[n], RUN_YIELD);
	}
	tap_ok(in_order, "three vCPUs take turns");
	tap_ok(sched_has_work(q), "others wait");
	for (int i = 0; i < 3; i++)
		pick(q);
	tap_is((u64)pick(q), (u64)-1, "an empty queue gives none");
	tap_ok(!sched_has_work(q), "and nobody waits");
}

static void blocking(void)
{
	struct runq *q = start();

	sched_done(q, &vcpus[pick(q)], RUN_BLOCK);
	tap_ok(vcpus[0].state == VCPU_BLOCKED, "HLT blocks");
	tap_is((u64)pick(q), 1, "the next one runs");
	tap_is((u64)pick(q), 2, "and the one after it");
	tap_is((u64)pick(q), (u64)-1, "the blocked one does not");
	sched_wake(&vcpus[0]);
	tap_is((u64)pick(q), 0, "until it is woken");
	sched_wake(&vcpus[0]);
	tap_is((u64)pick(q), (u64)-1, "waking a running one does nothing");
	vcpus[0].events = VCPU_EVENT_INTR;
	sched_done(q, &vcpus[0], RUN_BLOCK);
	tap_is((u64)pick(q), 0, "an event that came before the block counts");
	vcpus[0].events = 0;
	posted_request(&vcpus[0].posted, 0x41);
	sched_done(q, &vcpus[0], RUN_BLOCK);
	tap_is((u64)pick(q), 0, "so does an interrupt posted before it");
	vcpus[0].posted = (struct posted){ 0 };
}

static void waiting_for_sipi(void)
{
	struct runq *q = start();

	for (int i = 0; i < 3; i++)
		pick(q);
	vcpus[2].state = VCPU_WAIT_SIPI;
	sched_wake(&vcpus[2]);
	tap_is((u64)pick(q), 2, "an event starts a vCPU that waits for SIPI");
}

/* Who must be kicked, or not. */
static void kicks(void)
{
	struct runq *q = start();

	tap_ok(!sched_wake(&vcpus[0]),
	       "one that waits for its turn needs no kick");
	for (int i = 0; i < 3; i++)
		pick(q);
	tap_ok(sched_wake(&vcpus[0]) == &cpu, "one that runs is kicked");
	sched_done(q, &vcpus[0], RUN_BLOCK);
	tap_ok(!sched_wake(&vcpus[0]), "nobody, while its CPU runs another");
	pick(q);
	sched_done(q, &vcpus[0], RUN_BLOCK);
	pick(q);
	tap_ok(sched_wake(&vcpus[0]) == &cpu, "a CPU that found no work");
	sched_done(q, &vcpus[pick(q)], RUN_BLOCK);
	pick(q);
	tap_ok(sched_remove(&vcpus[0]) == &cpu, "... to part with a vCPU, too");
}

/* Each stopped vCPU leaves once, by its own CPU. */
static void parting(void)
{
	struct runq *q = start();

	pick(q);
	sched_done(q, &vcpus[pick(q)], RUN_BLOCK);
	for (int i = 0; i < 3; i++) {
		sched_remove(&vcpus[i]);
		sched_remove(&vcpus[i]);
	}
	tap_ok(sched_has_work(q), "to part is work");
	tap_ok(sched_take_left(q) == &vcpus[2], "the queued one leaves");
	tap_ok(sched_take_left(q) == &vcpus[1], "the blocked one leaves");
	tap_ok(!sched_take_left(q), "the running one does not yet");
	sched_done(q, &vcpus[0], RUN_BLOCK);
	tap_ok(sched_take_left(q) == &vcpus[0], "but when it is done");
	tap_ok(!sched_take_left(q), "and only once");
	tap_is((u64)pick(q), (u64)-1, "nobody is left");
	q = start();
	pick(q);
	vcpus[1].state = VCPU_STOPPED;
	vcpus[2].state = VCPU_WAIT_SIPI;
	sched_remove(&vcpus[2]);
	tap_ok(sched_take_left(q) == &vcpus[2], "so does one that never ran");
}

static void placing(void)
{
	start();
	tap_ok(sched_place(both, 2) == &cpu, "the first goes to the first CPU");
	tap_ok(sched_place(both, 2) == &other, "the next to the other one");
	tap_ok(sched_place(&both[1], 1) == &other, "only where it may");
	tap_ok(sched_place(both, 2) == &cpu, "where the fewest are");
	tap_ok(sched_place(both, 2) == &cpu, "the first of several");
	tap_ok(sched_place(both, 2) == &other, "and so on");
}

static void moving(void)
{
	struct runq *q = start();

	tap_ok(!sched_pick(other.runq), "the other CPU has nothing to do");
	pick(q);
	tap_ok(sched_destination(&cpu, &vcpus[0]) == &other,
	       "a vCPU goes where there is room");
	tap_ok(sched_move(&vcpus[0], &other) == &other, "who sleeps is kicked");
	tap_ok(vcpus[0].cpu == &other, "it is there");
	tap_is((u64)pick(other.runq), 0, "and runs there");
	tap_ok(sched_wake(&vcpus[0]) == &other, "who wakes it kicks that CPU");
	pick(q);
	tap_ok(!sched_destination(&cpu, &vcpus[1]),
	       "two here and one there: nobody is better off there");
	tap_ok(!sched_destination(&other, &vcpus[0]), "nor here");
	vcpus[1].cpus_count = 1;
	sched_done(other.runq, &vcpus[0], RUN_BLOCK);
	pick(other.runq);
	tap_ok(!sched_destination(&cpu, &vcpus[1]), "it stays where it must");
	vcpus[1].cpus_count = 2;
	q->wander           = true;
	sched_remove(&vcpus[2]);
	tap_ok(sched_destination(&cpu, &vcpus[1]) == &other,
	       "migrate=: to the next CPU");
	tap_ok(sched_destination(&cpu, &vcpus[0]) == &other, "room or not");
	stranger.runq = q;
	tap_ok(sched_destination(&stranger, &vcpus[0]) == &cpu,
	       "from a CPU that is not its own: to its first");
	sched_remove(&vcpus[1]);
	sched_take_left(q);
	sched_move(&vcpus[1], &other);
	tap_ok(sched_take_left(other.runq) == &vcpus[1] && !sched_take_left(q),
	       "stopped on the way it leaves where it arrives");
}

/* Who takes more than its slice gives it back. */
static void debts(void)
{
	struct runq *q  = start();
	const u64 slice = q->slice_ticks;
	u32 turns[3]    = { 0 };

	for (u32 i = 0; i < 300; i++) {
		const int n = pick(q);

		turns[n]++;
		vcpus[n].slice_end = 1000;
		/* The first one's exits take three slices more each time. */
		sched_charge(q, &vcpus[n], n == 0 ? 1000 + 3 * slice : 1000);
		sched_done(q, &vcpus[n], RUN_YIELD);
	}
	tap_ok(turns[0] * 4 <= turns[1] + 4 && turns[1] <= turns[0] * 4,
	       "a turn of four slices in four rounds");
	tap_is(turns[1] - turns[2] < 2, 1, "the others are equals");
	q = start();
	for (u32 i = 0; i < 3; i++)
		vcpus[i].debt = 100 * slice;
	tap_ok(pick(q) >= 0, "if all are in debt one runs all the same");
	q = start();
	pick(q);
	pick(q);
	vcpus[pick(q)].slice_end = 1000;
	sched_charge(q, &vcpus[2], 1000 + 9 * slice);
	tap_is(vcpus[2].debt, 0, "nobody waited: nothing is owed");
}

static void stopping(void)
{
	struct runq *q = start();

	sched_remove(&vcpus[1]);
	tap_is((u64)pick(q), 0, "a removed vCPU is skipped: the first");
	tap_is((u64)pick(q), 2, "and the last");
	sched_wake(&vcpus[1]);
	tap_is((u64)pick(q), (u64)-1, "it cannot be woken");
	sched_remove(&vcpus[2]);
	sched_done(q, &vcpus[2], RUN_YIELD);
	tap_is((u64)pick(q), (u64)-1, "nor does one come back that ran");
	sched_done(q, &vcpus[0], RUN_STOP);
	tap_ok(vcpus[0].state == VCPU_STOPPED, "RUN_STOP is for ever");
	tap_ok(sched_has_work(q), "its CPU has to give them up");
	u32 left = 0;

	for (struct vcpu *v; (v = sched_take_left(q));)
		left |= 1u << (v - vcpus);
	tap_is(left, 7, "each of them once");
	tap_ok(!sched_has_work(q), "and nothing more");
	sched_remove(&vcpus[1]);
	tap_ok(!sched_take_left(q), "nor again when it is removed again");
	q = start();
	sched_remove(&vcpus[pick(q)]);
	tap_ok(!sched_take_left(q), "one that runs is not given up yet");
	sched_done(q, &vcpus[0], RUN_BLOCK);
	tap_ok(sched_take_left(q) == &vcpus[0], "but when it has run");
	q = start();
	sched_remove(&vcpus[2]);
	sched_done(q, &vcpus[pick(q)], RUN_YIELD);
	tap_is((u64)pick(q), 1, "removing the last keeps the queue whole");
	tap_is((u64)pick(q), 0, "... to its new end");
	q = start();
	sched_done(q, &vcpus[pick(q)], RUN_BLOCK);
	sched_remove(&vcpus[0]);
	tap_ok(!q->idle_first, "a blocked one leaves its list as well");
}

static void blocked_timers(void)
{
	struct runq *q = start();

	for (int i = 0; i < 3; i++)
		pick(q);
	tap_is(sched_next_timer(q), ~0ULL, "nobody is blocked: no timer");
	timers[0] = 500;
	timers[1] = 300;
	sched_done(q, &vcpus[0], RUN_BLOCK);
	sched_done(q, &vcpus[1], RUN_BLOCK);
	sched_done(q, &vcpus[2], RUN_BLOCK);
	tap_is(sched_next_timer(q), 300, "the earliest of the blocked ones");
	sched_run_timers(q, 299);
	tap_is(timer_calls, 0, "not early");
	sched_run_timers(q, 300);
	tap_is((u64)pick(q), 1, "its vCPU wakes");
	tap_is((u64)pick(q), (u64)-1, "the others sleep on");
	sched_run_timers(q, 1000);
	tap_is((u64)pick(q), 0, "until their time");
}

static void arithmetic(void)
{
	struct runq *q = start();

	migrate = 5000;
	tap_is(start()->slice_ticks, 5000, "migrate= ends slices");
	migrate = 5000000;
	tap_is(start()->slice_ticks, 2200000, "but makes none longer");
	migrate = 0;
	q       = start();
	tap_is(q->slice_ticks, 2200000, "a slice of slice= microseconds");
	tap_is(sched_slice_end(q, &vcpus[0], 10), 2200010, "from now on");
	tap_is(sched_timer_value(100, 100, 5), 0, "no time left: exit at once");
	tap_is(sched_timer_value(200, 100, 5), 0, "too late: exit at once");
	tap_is(sched_timer_value(0, 1, 5), 1, "rounded up");
	tap_is(sched_timer_value(0, 32, 5), 1, "exactly one tick");
	tap_is(sched_timer_value(0, 33, 5), 2, "just more than one");
	tap_is(sched_timer_value(5, 7, 0), 2, "a timer as fast as the TSC");
	tap_is(sched_timer_value(0, ~0ULL, 0), UINT32_MAX, "no overflow");
}

int main(void)
{
	turns();
	blocking();
	waiting_for_sipi();
	kicks();
	parting();
	placing();
	moving();
	debts();
	stopping();
	blocked_timers();
	arithmetic();
	return tap_done();
}

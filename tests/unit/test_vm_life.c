/* SPDX-License-Identifier: MIT */
/* links: guest/vm_life.c */
/*
 * Stops and resets of a VM whose vCPUs are on several CPUs, in every order: the
 * VM is taken over once, by the last one to let go, and is reported once.
 */
#include <stdio.h>
#include <string.h>

#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/print.h"
#include "guest/report.h"
#include "guest/terminal.h"
#include "guest/vm_parts.h"
#include "tests/unit/tap.h"
#include "vmx/policy.h"
#include "vmx/sched.h"

#define VCPUS 3
#define SCRUB 4 /* calls until memory is zero */

static struct vcpu vcpus[VCPUS];
static struct vm_vcpu devices[VCPUS];
static struct vm vm;
static struct {
	u32 removed[VCPUS], begun[VCPUS], started;
	u32 chores, scrubs, rebuilt, released, stops, resets, ended;
	bool rebuild_fails;
	bool leaves_at_once; /* vcpu_remove() finds them on no CPU */
} seen;

void page_move_cancel(struct vm *v)
{
	(void)v;
}

void report_vm_start(const struct vm *v)
{
	(void)v;
}

void report_vm_stop(const struct vm *v)
{
	(void)v;
	seen.stops++;
}

void report_vm_reset(const struct vm *v)
{
	(void)v;
	seen.resets++;
}

void terminal_vm_stopped(struct vm *v)
{
	(void)v;
}

void console_flush(struct console *c)
{
	(void)c;
}

void sched_add(struct vcpu *v)
{
	(void)v;
	seen.started++;
}

u32 fpu_area_bytes(const struct fpu *f)
{
	(void)f;
	return 2560;
}

void vm_ended(const struct vm *v)
{
	(void)v;
	seen.ended++;
}

void vcpu_do_chore(struct vcpu *v)
{
	seen.chores++;
	v->chore = true;
}

void vcpu_remove(struct vcpu *v)
{
	seen.removed[v->index]++;
	if (seen.leaves_at_once)
		policy_left(v);
}

void vcpu_begin(struct vcpu *v)
{
	seen.begun[v->index]++;
	v->chore = false;
}

bool vm_rebuild(struct vm *v, char *why)
{
	(void)v;
	strcpy(why, "it does not fit any more");
	seen.rebuilt++;
	return !seen.rebuild_fails;
}

void vm_release(struct vm *v)
{
	(void)v;
	seen.released++;
}

bool memory_scrub(struct memory *m, u64 bytes)
{
	(void)m;
	(void)bytes;
	return ++seen.scrubs % SCRUB == 0;
}

const struct host_options *host_options(void)
{
	static const struct host_options o = { .slice_us = 0 };

	return &o;
}

u64 us_to_ticks(u64 us)
{
	return us;
}

u64 tsc_hz(void)
{
	return 1000000000;
}

u64 pages_free_count(void)
{
	return 0;
}

int tv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int n = vsnprintf(buf, size, fmt, ap);

	va_end(ap);
	return n;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(&seen, 0, sizeof(seen));
	memset(vcpus, 0, sizeof(vcpus));
	vm.vcpu              = vcpus;
	vm.device            = devices;
	vm.config.vcpu_count = VCPUS;
	vm.config.reboots    = 2;
	for (u32 i = 0; i < VCPUS; i++) {
		vcpus[i].vm    = &vm;
		vcpus[i].index = i;
	}
	vm_start(&vm);
}

static void leave(u32 from, u32 to)
{
	for (u32 i = from; i < to; i++)
		policy_left(&vcpus[i]);
}

/* Turns until the chore is done; how many. */
static u32 chore(void)
{
	u32 turns = 1;

	while (policy_chore(&vcpus[0]))
		turns++;
	return turns;
}

static void test_stop(void)
{
	start();
	vm_stop(&vm, "why", VM_CODE_STOPPED);
	vm_stop(&vm, "another why", VM_CODE_SUCCESS);
	vm_reset(&vm, "a reset");
	leave(0, VCPUS - 1);
	tap_ok(!seen.stops && !seen.chores, "while one is there nothing ends");
	leave(VCPUS - 1, VCPUS);
	tap_is(seen.stops, 1, "the last one's leaving is reported");
	tap_is(seen.ended, 1, "once");
	tap_ok(!strcmp(vm.reason, "why") && vm.code == VM_CODE_STOPPED,
	       "the first reason counts");
	tap_is(chore(), SCRUB, "memory is zeroed in turns");
	tap_is(seen.released, 1, "and goes back");
	tap_is(seen.rebuilt, 0, "nothing begins again");
	tap_is(seen.removed[0] + seen.removed[1] + seen.removed[2], VCPUS,
	       "each was called off once");
}

static void test_reset(void)
{
	start();
	vm_reset(&vm, "why");
	vm_reset(&vm, "again");
	leave(0, VCPUS);
	tap_ok(seen.chores == 1 && !seen.stops, "a reset is no stop");
	tap_is(chore(), SCRUB, "memory is zeroed in turns");
	tap_ok(seen.rebuilt == 1 && seen.resets == 1 && vm.resets == 1,
	       "it is built again, once");
	tap_ok(seen.begun[0] == 1 && seen.begun[1] == 1 && seen.begun[2] == 1,
	       "all begin again");
	tap_ok(!vm.resetting && vm.present == VCPUS, "as after the start");
	vm_reset(&vm, "why");
	leave(0, VCPUS);
	chore();
	tap_is(vm.resets, 2, "and so the next time");
	vm_stop(&vm, "enough", VM_CODE_SUCCESS);
	leave(0, VCPUS);
	tap_is(seen.stops, 1, "until it stops");
}

/* While the caller still calls them off, the others have left already. */
static void test_fast_leavers(void)
{
	start();
	seen.leaves_at_once = true;
	vm_reset(&vm, "why");
	tap_is(seen.chores, 1, "all leave before the call is over: one chore");
	chore();
	vm_stop(&vm, "why", VM_CODE_STOPPED);
	tap_is(seen.stops, 1, "likewise at the end");
}

static void test_stop_in_reset(void)
{
	for (u32 when = 0; when <= VCPUS + SCRUB; when++) {
		bool more = true;

		start();
		vm_reset(&vm, "why");
		for (u32 i = 0; i < VCPUS; i++) {
			if (i == when)
				vm_stop(&vm, "killed", VM_CODE_STOPPED);
			leave(i, i + 1);
		}
		for (u32 i = VCPUS; more; i++) {
			if (i == when)
				vm_stop(&vm, "killed", VM_CODE_STOPPED);
			more = policy_chore(&vcpus[0]);
		}
		/* The last time it runs again already. */
		if (when == VCPUS + SCRUB) {
			vm_stop(&vm, "killed", VM_CODE_STOPPED);
			leave(0, VCPUS);
			chore();
		}
		if (seen.stops != 1 || seen.ended != 1 || seen.released != 1 ||
		    seen.resets != (when == VCPUS + SCRUB) ||
		    strcmp(vm.reason, "killed") != 0) {
			tap_ok(false, "killed in a reset, at step %u", when);
			return;
		}
	}
	tap_ok(true, "killed at any step of a reset it stops, once");
}

static void test_misfit(void)
{
	start();
	seen.rebuild_fails = true;
	vm_reset(&vm, "why");
	leave(0, VCPUS);
	chore();
	tap_ok(seen.stops == 1 && seen.released == 1 && !seen.resets &&
		       !strcmp(vm.reason, "it does not fit any more"),
	       "what cannot be built again stops, and says why");
}

static void test_limit(void)
{
	start();
	for (u32 i = 0; i < 2; i++) {
		vm_reset_by_guest(&vm, "it asked");
		vm_reset_by_guest(&vm, "another vCPU asked too");
		leave(0, VCPUS);
		chore();
	}
	tap_is(vm.resets, 2, "reboot=2: two resets, whoever asks at once");
	vm_reset_by_guest(&vm, "it asked");
	leave(0, VCPUS);
	chore();
	tap_ok(seen.stops == 1 && vm.code == VM_CODE_RESET &&
		       strstr(vm.reason, "it asked, once more than reboot=2"),
	       "the third is one too many");
	start();
	for (u32 i = 0; i < 9; i++) {
		vm_reset(&vm, "at the monitor");
		leave(0, VCPUS);
		chore();
	}
	tap_is(vm.resets, 9, "whoever operates the machine has no limit");
}

int main(void)
{
	test_stop();
	test_reset();
	test_fast_leavers();
	test_stop_in_reset();
	test_misfit();
	test_limit();
	return tap_done();
}

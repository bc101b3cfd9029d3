/* SPDX-License-Identifier: MIT */
/*
 * One function per way to fail. Each ends in a panic that names it; one that
 * returns is reported as a protection that does not work.
 */
#include "boot/selftest.h"

#include "boot/lib/clock.h"
#include "boot/lib/lapic.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/string.h"
#include "boot/lib/x86.h"

#define LATE_US 2500

static void fail_panic(void)
{
	panic("selftest: a panic was asked for");
}

static void fail_nx(void)
{
	u8 *page = pages_alloc(1);

	page[0] = 0xc3; /* RET */
	((void (*)(void))(uintptr_t)page)();
}

static void fail_write(void)
{
	*(volatile u8 *)(uintptr_t)&fail_nx = 0xcc;
}

static void fail_null(void)
{
	void *volatile nowhere = NULL;

	*(volatile u8 *)nowhere = 0; /* NOLINT: the fault is the point */
}

static void fail_divide(void)
{
	volatile u32 one = 1, zero = 0;
	volatile u32 result;

	result = one / zero; /* NOLINT: the same */
	(void)result;
}

/* Deeper than any stack; the compiler must not make a loop of it. */
__attribute__((noinline)) static u64 recurse(volatile u64 *depth)
{
	volatile u64 here[64];

	here[0] = ++*depth;
	return *depth ? recurse(depth) + here[0] : 0;
}

/* The first push beyond the stack cannot push its #PF: a double fault. */
static void fail_guard(void)
{
	volatile u64 depth = 0;

	recurse(&depth);
}

/* A double fault without an overflow: #PF while the stack is nowhere. */
static void fail_double(void)
{
	call_on_stack((void *)(uintptr_t)16, (void (*)(void *))fail_panic,
		      NULL);
}

__attribute__((noinline)) static void smash(size_t bytes)
{
	char small[16];
	char *volatile p = small;

	memset(p, 'x', bytes);
}

static void fail_stack(void)
{
	smash(64);
}

static bool late; /* selftest=late was given */

/* Once guests run: selftest_timer() ends it. */
static void fail_late(void)
{
	late = true;
	lapic_timer_arm(rdtsc() + us_to_ticks(LATE_US));
}

void selftest_timer(void)
{
	if (late)
		panic("selftest: a panic while guests run was asked for");
}

static void fail_machine_check(void)
{
	raise_machine_check();
}

/* The run loop tells of it; nothing fails. */
static void come_nmi(void)
{
	lapic_send_nmi(lapic_id());
	for (u64 end = rdtsc() + us_to_ticks(LATE_US);
	     !this_cpu()->nmis && rdtsc() < end;)
		cpu_pause();
}

static const struct {
	const char *name;
	void (*fail)(void);
} way[] = {
	{ "panic", fail_panic },   { "nx", fail_nx },
	{ "write", fail_write },   { "guard", fail_guard },
	{ "double", fail_double }, { "divide", fail_divide },
	{ "null", fail_null },     { "stack", fail_stack },
	{ "late", fail_late },     { "mc", fail_machine_check },
	{ "nmi", come_nmi },
};

void selftest(void)
{
	const char *name = host_options()->selftest;

	for (size_t i = 0; *name && i < ARRAY_SIZE(way); i++) {
		if (strcmp(name, way[i].name) != 0)
			continue;
		log_info("selftest: %s", name);
		way[i].fail();
		if (!late && way[i].fail != come_nmi)
			panic("selftest: %s did not fail", name);
	}
}

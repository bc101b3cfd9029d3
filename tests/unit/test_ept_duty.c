/* SPDX-License-Identifier: MIT */
/* links: vmx/ept_duty.c */
/*
 * Who owes an INVEPT, by CPU: first entries, cuts, CPUs that leave; and random
 * orders of all that against a model that keeps what each CPU may remember.
 */
#include "vmx/ept_duty.h"

#include <string.h>

#include "tests/unit/tap.h"

#define CPUS 4

static u64 done[CPUS];
static struct ept_duty duty;

static void start(void)
{
	memset(done, 0, sizeof(done));
	duty = (struct ept_duty){ done, CPUS };
}

static void rules(void)
{
	start();
	tap_ok(ept_duty_owed(&duty, 0, 0), "a first entry owes one");
	tap_ok(ept_duty_all_done(&duty, 0), "but nobody remembers anything");
	ept_duty_done(&duty, 0, 0);
	tap_ok(!ept_duty_owed(&duty, 0, 0), "it was executed");
	tap_ok(ept_duty_owed(&duty, 1, 0), "by that CPU alone");
	tap_ok(ept_duty_owed(&duty, 0, 1), "a cut asks for another");
	tap_ok(!ept_duty_all_done(&duty, 1), "and memory has to wait");
	ept_duty_done(&duty, 0, 1);
	tap_ok(ept_duty_all_done(&duty, 1), "until then");
	tap_ok(!ept_duty_owed(&duty, 0, 0), "an older cut was met with it");
	ept_duty_done(&duty, 1, 1);
	ept_duty_left(&duty, 1);
	tap_ok(ept_duty_all_done(&duty, 2) == false, "CPU 0 owes for a third");
	ept_duty_done(&duty, 0, 2);
	tap_ok(ept_duty_all_done(&duty, 2), "a CPU that has left owes nothing");
	tap_ok(ept_duty_owed(&duty, 1, 2), "unless it comes back");
}

static u32 random_state = 7;
static u32 random_below(u32 n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

/* The oldest generation that CPU may have translations of; ~0: none at all. */
static u64 remembers[CPUS];

static bool any_older_than(u64 generation)
{
	for (u32 i = 0; i < CPUS; i++)
		if (remembers[i] < generation)
			return true;
	return false;
}

static void against_model(void)
{
	u64 generation = 0, stale = 0, early = 0, late = 0;

	start();
	memset(remembers, 0xff, sizeof(remembers));
	for (u32 step = 0; step < 100000; step++) {
		const u32 cpu = random_below(CPUS);

		switch (random_below(4)) {
		case 0:
			generation++;
			break;
		case 1:
			remembers[cpu] = ~0ULL; /* INVEPT */
			ept_duty_left(&duty, cpu);
			break;
		default: /* it enters, and remembers from then on */
			if (ept_duty_owed(&duty, cpu, generation)) {
				remembers[cpu] = ~0ULL;
				ept_duty_done(&duty, cpu, generation);
			}
			stale += remembers[cpu] < generation;
			if (remembers[cpu] == ~0ULL)
				remembers[cpu] = generation;
		}
		const bool said = ept_duty_all_done(&duty, generation);

		early += said && any_older_than(generation);
		late += !said && !any_older_than(generation);
	}
	tap_is(stale, 0, "no entry on stale translations");
	tap_is(early, 0, "memory never goes back early");
	tap_is(late, 0, "nor is it held back");
}

int main(void)
{
	rules();
	against_model();
	return tap_done();
}

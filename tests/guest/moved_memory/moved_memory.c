/* SPDX-License-Identifier: MIT */
/*
 * A page that all CPUs write to is moved to another place in the host's memory
 * and back, again and again. A CPU that used a translation of before would find
 * or leave its numbers in the wrong place. SDM 3, "Guidelines for Use of the
 * INVEPT Instruction". The word rounds= says how often.
 */
#include "lib/check.h"
#include "lib/page.h"
#include "lib/smp.h"

#define ROUNDS 50
#define SLOT   64 /* a cache line for each CPU */

static volatile u64 *page;
static volatile bool quit;
static struct barrier barrier;

/* Nobody else writes to this CPU's slot: it counts without a gap. */
static bool count(u64 *next)
{
	volatile u64 *slot = &page[this_cpu()->index * SLOT / sizeof(u64)];
	const u64 got      = *slot;

	if (got != *next)
		return same("the number left here", got, *next);
	*slot = ++*next;
	return true;
}

static bool counting_cpu(void)
{
	u64 next = 0;
	bool ok  = true;

	smp_barrier(&barrier, guest.vcpus);
	sti();
	while (!quit && ok)
		ok = count(&next);
	cli();
	return ok && is("it counted", next > 0);
}

static bool moves(void)
{
	const u32 rounds = (u32)guest_number("rounds", ROUNDS);
	u64 next = 0, result = 0;
	bool ok = true;

	page = page_alloc(1);
	quit = false;
	for (u32 i = 1; i < guest.vcpus; i++)
		smp_start(i, counting_cpu);
	smp_barrier(&barrier, guest.vcpus);
	for (u32 i = 0; i < rounds && ok; i++) {
		/* A write here would wait for the next step, which is ours. */
		do
			result = vmcall(CALL_MOVE_PAGE, (u64)page);
		while (result == 1);
		ok = same("the last step", result, 0) && count(&next);
	}
	quit = true;
	for (u32 i = 1; i < guest.vcpus; i++)
		ok &= smp_wait(i);
	return ok;
}

static bool refused(void)
{
	return same("not a page", vmcall(CALL_MOVE_PAGE, (u64)page + 8), 2) &
	       same("not RAM", vmcall(CALL_MOVE_PAGE, 0xd0000000), 2);
}

/* The VM ends, or is reset, while a page is away. */
static bool left_away(void)
{
	bool ok = true;

	for (u32 i = 0; i < 2; i++)
		ok &= same("a step", vmcall(CALL_MOVE_PAGE, (u64)page), 1);
	return ok;
}

const struct claim claims[] = {
	{ "a page that moves loses nothing that CPUs write to it", moves,
	  ON_HOSTED | NEEDS_COUNT },
	{ "only pages of RAM move", refused, ON_HOSTED | NEEDS_COUNT },
	{ "a page may be away at the end", left_away, ON_HOSTED | NEEDS_COUNT },
};
CLAIMS_END

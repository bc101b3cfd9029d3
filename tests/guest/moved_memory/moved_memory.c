/* SPDX-License-Identifier: MIT */
/*
 * A page that all CPUs write to is moved to another place in the host's memory
 * and back, again and again. A CPU that used a translation of before would find
 * or leave its numbers in the wrong place. SDM 3, "Guidelines for Use of the
 * INVEPT Instruction". The word rounds= says how often. A #NM is
 * delivered while its stack cannot be written and its tables move: F.51.
 */
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/page.h"
#include "lib/smp.h"

#define ROUNDS 50
#define SLOT   64 /* a cache line for each CPU */
#define NM_IST 3  /* a stack that nothing else uses */

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

static u64 violations;
static u32 delivered;

/* One #NM after the other; each is answered and never seen again. */
static bool faulting_cpu(void)
{
	bool ok = true;

	tiles_start();
	const u64 before = vmcall(CALL_EXITS, EXIT_EPT_VIOLATION);

	smp_barrier(&barrier, 2);
	while (!quit && ok) {
		nm_watch(NM_ENABLE, 1, false);
		wrmsr(MSR_XFD, TILEDATA);
		ok = none(tileload0(tile_source())) &&
		     same("#NM", nm_seen.count, 1) &&
		     same("XFD_ERR in its handler", nm_seen.xfd_err,
			  TILEDATA) &&
		     xfd_is(0, 0);
		delivered++;
	}
	violations = vmcall(CALL_EXITS, EXIT_EPT_VIOLATION) - before;
	return ok && tile0_is(tile_source());
}

static bool page_moves(u64 at)
{
	u64 result;

	do
		result = vmcall(CALL_MOVE_PAGE, at & -PAGE_BYTES);
	while (result == 1);
	return same("the last step", result, 0);
}

static u64 idt_base(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) p;

	asm volatile("sidt %0" : "=m"(p));
	return p.base + TRAP_NM * 16;
}

/* The pages of #NM's stack, its gate, and the GDT, which holds the TSS too. */
static bool f51(void)
{
	const u32 rounds = (u32)guest_number("rounds", ROUNDS);
	bool ok          = true;

	quit      = false;
	delivered = 0;
	trap_set_gate(TRAP_NM, true, NM_IST);
	smp_start(1, faulting_cpu);
	smp_barrier(&barrier, 2);
	for (u32 i = 0; i < rounds && ok; i++)
		ok = page_moves(smp_cpu(1)->tss.ist[NM_IST - 1] - 1) &&
		     page_moves(idt_base()) && page_moves((u64)smp_cpu(1)->gdt);
	quit = true;
	ok &= smp_wait(1);
	trap_set_gate(TRAP_NM, true, 0);
	return ok && is("#NM came", delivered > 0) &&
	       is("EPT violations came", violations > 0);
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
	{ "F.51 #NM whose stack, IDT and GDT move: exactly one", f51,
	  NEEDS_COUNT | NEEDS_SMP | NEEDS_AMX | ON_HOSTED },
	{ "only pages of RAM move", refused, ON_HOSTED | NEEDS_COUNT },
	{ "a page may be away at the end", left_away, ON_HOSTED | NEEDS_COUNT },
};
CLAIMS_END

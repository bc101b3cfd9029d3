/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from CPU 0 to a CPU 1 that goes on running: when they come, when
 * they wait, and whether they make it exit. The word posted: they must not; the
 * word kicked: each does. SDM 3, "Posted-Interrupt Processing" and "Interrupt
 * Acceptance for Fixed Interrupts".
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/smp.h"

#define LOW    0x41
#define MIDDLE 0x61
#define HIGH   0x91
#define ROUNDS 200
#define SPINS  2000

static volatile u32 order[64], count;
static volatile bool go, quit;
static volatile u64 exits;

static bool on_irq(struct frame *f)
{
	order[count % ARRAY_SIZE(order)] = (u32)f->vector;
	count++;
	apic_eoi();
	return true;
}

static void begin(bool (*task)(void))
{
	count = 0;
	go = quit = false;
	trap_set_hook(LOW, on_irq);
	trap_set_hook(MIDDLE, on_irq);
	trap_set_hook(HIGH, on_irq);
	apic_enable();
	smp_start(1, task);
	while (!go)
		pause();
}

static void spin(u32 n)
{
	for (u32 i = 0; i < n; i++)
		pause();
}

static void run_until(const volatile bool *flag)
{
	while (!*flag)
		pause();
}

static bool runs(void)
{
	apic_enable();
	sti();
	const u64 before = counted(CALL_EXITS, EXIT_EXTERNAL);

	go = true;
	run_until(&quit);
	exits = counted(CALL_EXITS, EXIT_EXTERNAL) - before;
	cli();
	return true;
}

static bool reach_all(void)
{
	begin(runs);
	for (u32 i = 1; i <= ROUNDS; i++) {
		apic_send(1, i & 1 ? LOW : HIGH);
		while (count < i)
			pause();
	}
	quit = true;
	return smp_wait(1) & same("interrupts", count, ROUNDS);
}

static bool reach(void)
{
	const bool ok = reach_all();

	if (guest_flag("posted"))
		return ok & same("exits of the target", exits, 0);
	if (guest_flag("kicked"))
		return ok & same("exits of the target", exits, ROUNDS);
	return ok;
}

/* More are sent than are taken one by one: none is lost, none comes twice. */
static bool bursts(void)
{
	u32 want = 0;

	begin(runs);
	for (u32 i = 0; i < ROUNDS; i++) {
		apic_send(1, LOW);
		apic_send(1, HIGH);
		apic_send(1, MIDDLE);
		want += 3;
		while (count < want)
			pause();
	}
	quit = true;
	return smp_wait(1) & same("interrupts", count, want);
}

static bool requested(u32 vector)
{
	return apic_read(APIC_REG_IRR + vector / 32) & 1u << vector % 32;
}

/* IF=0, and no exit until all are there. */
static bool masked(void)
{
	bool ok;

	apic_enable();
	cli();
	go = true;
	run_until(&quit);
	while (!requested(LOW) || !requested(MIDDLE) || !requested(HIGH))
		pause();
	spin(SPINS);
	ok = same("interrupts with IF=0", count, 0);
	sti();
	spin(SPINS);
	cli();
	return ok & same("interrupts", count, 3) &
	       same("the first", order[0], HIGH) &
	       same("the second", order[1], MIDDLE) &
	       same("the third", order[2], LOW);
}

static bool sent_apart(void)
{
	static const u32 vectors[] = { MIDDLE, LOW, HIGH };

	begin(masked);
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		apic_send(1, vectors[i]);
		spin(SPINS);
	}
	quit = true;
	return smp_wait(1);
}

/* By priority: TPR lets through what is above it. */
static bool held_by_tpr(void)
{
	bool ok;

	apic_enable();
	apic_write(APIC_REG_TPR, MIDDLE);
	sti();
	go = true;
	run_until(&quit);
	while (!requested(LOW) || !requested(MIDDLE) || !count)
		pause();
	spin(SPINS);
	ok = same("interrupts above TPR", count, 1) &
	     same("which is", order[0], HIGH);
	apic_write(APIC_REG_TPR, 0);
	spin(SPINS);
	cli();
	return ok & same("interrupts", count, 3) &
	       same("the second", order[1], MIDDLE) &
	       same("the third", order[2], LOW);
}

static bool priority(void)
{
	begin(held_by_tpr);
	apic_send(1, LOW);
	apic_send(1, MIDDLE);
	apic_send(1, HIGH);
	quit = true;
	return smp_wait(1);
}

static bool deaf(void)
{
	apic_enable();
	cli();
	go = true;
	run_until(&quit); /* INIT ends it */
	return false;
}

static bool listens(void)
{
	apic_enable();
	const bool none = !requested(LOW) & !requested(HIGH);

	sti();
	spin(SPINS);
	cli();
	return is("IRR is empty", none) & same("interrupts", count, 0);
}

static bool dropped_by_init(void)
{
	begin(deaf);
	apic_send(1, LOW);
	apic_send(1, HIGH);
	return smp_run(1, listens);
}

const struct claim claims[] = {
	{ "interrupts reach a CPU that runs, which exits or not", reach,
	  NEEDS_SMP },
	{ "several at once: none is lost", bursts, NEEDS_SMP },
	{ "with IF=0 they wait, and then come by priority", sent_apart,
	  NEEDS_SMP },
	{ "TPR holds back what is not above it", priority, NEEDS_SMP },
	{ "INIT drops what has not been taken", dropped_by_init, NEEDS_SMP },
};
CLAIMS_END

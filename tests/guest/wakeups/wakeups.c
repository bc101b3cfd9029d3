/* SPDX-License-Identifier: MIT */
/*
 * CPUs that sleep in HLT and wake each other: every interrupt that is sent ends
 * a HLT or keeps one from beginning, whenever it comes. A wake-up that is lost
 * shows as a guest that never ends. The word rounds= is the number of IPIs of
 * each claim. SDM 2, "HLT"; SDM 3, "Maskable Hardware Interrupts".
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/smp.h"

#define VECTOR       0x41
#define VECTOR_TIMER 0x51
#define ROUNDS       2000
#define DELAYS       61 /* a prime: delays and rounds drift */
#define DIVIDE_1     0xb
#define TIMER_COUNT  500

static volatile u32 received[64], timers[64];
static struct barrier barrier;
static u32 rounds;

static bool on_irq(struct frame *f)
{
	(void)f;
	received[this_cpu()->index]++;
	apic_eoi();
	return true;
}

static bool on_timer(struct frame *f)
{
	(void)f;
	timers[this_cpu()->index]++;
	apic_eoi();
	return true;
}

static void sleep_until(const volatile u32 *count, u32 want)
{
	while (*count < want)
		sti_hlt();
}

static void delay(u32 n)
{
	for (u32 i = 0; i < n; i++)
		pause();
}

static void begin(void)
{
	const u32 me = this_cpu()->index;

	received[me] = timers[me] = 0;
	apic_enable();
	smp_barrier(&barrier, guest.vcpus);
}

/* Everybody's count is final before anybody looks at it or starts again. */
static bool all_received(u32 want)
{
	const u32 me = this_cpu()->index;

	sleep_until(&received[me], want);
	smp_barrier(&barrier, guest.vcpus);
	return same("interrupts", received[me], want);
}

/* One token goes round: whoever has none sleeps. */
static bool ring_cpu(void)
{
	const u32 me = this_cpu()->index, next = (me + 1) % guest.vcpus;
	const u32 turns = rounds / guest.vcpus;

	begin();
	for (u32 i = 1; i <= turns; i++) {
		if (me != 0)
			sleep_until(&received[me], i);
		delay(i % DELAYS);
		apic_send(next, VECTOR);
		if (me == 0)
			sleep_until(&received[me], i);
	}
	return all_received(turns);
}

/*
 * Both of a pair send and go to sleep, each now sooner, now later. The other
 * one may be a turn behind, so that two vectors take turns: one that is pending
 * already would swallow the next.
 */
static bool crossing_cpu(void)
{
	const u32 me = this_cpu()->index, other = me ^ 1;
	const u32 turns = rounds / guest.vcpus;

	begin();
	for (u32 i = 1; i <= turns && other < guest.vcpus; i++) {
		delay(i * (me + 1) % DELAYS);
		apic_send(other, VECTOR + i % 2);
		sleep_until(&received[me], i);
	}
	return all_received(other < guest.vcpus ? turns : 0);
}

/* As ring_cpu(), and a timer of its own interrupts every sleep as well. */
static bool timer_cpu(void)
{
	const u32 me = this_cpu()->index, next = (me + 1) % guest.vcpus;
	const u32 turns = rounds / guest.vcpus;
	u32 fired       = 0;

	begin();
	apic_write(APIC_REG_DIVIDE, DIVIDE_1);
	apic_write(APIC_REG_TIMER, VECTOR_TIMER);
	for (u32 i = 1; i <= turns; i++) {
		apic_write(APIC_REG_INITIAL, TIMER_COUNT + i % DELAYS);
		sleep_until(&timers[me], ++fired);
		if (me != 0)
			sleep_until(&received[me], i);
		apic_send(next, VECTOR);
		if (me == 0)
			sleep_until(&received[me], i);
	}
	return all_received(turns) && same("timers", timers[me], turns);
}

static bool on_all(bool (*task)(void))
{
	rounds = (u32)guest_number("rounds", ROUNDS);
	trap_set_hook(VECTOR, on_irq);
	trap_set_hook(VECTOR + 1, on_irq);
	trap_set_hook(VECTOR_TIMER, on_timer);
	return smp_run_all(task);
}

static bool ring(void)
{
	return on_all(ring_cpu);
}

static bool crossing(void)
{
	return on_all(crossing_cpu);
}

static bool timer(void)
{
	return on_all(timer_cpu);
}

const struct claim claims[] = {
	{ "a token sent round by IPIs wakes each CPU in turn", ring,
	  NEEDS_SMP },
	{ "IPIs that cross wake both CPUs", crossing, NEEDS_SMP },
	{ "a timer in every sleep changes nothing", timer, NEEDS_SMP },
};
CLAIMS_END

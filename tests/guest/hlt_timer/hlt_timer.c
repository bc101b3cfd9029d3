/* SPDX-License-Identifier: MIT */
/*
 * HLT and the local APIC timer in its three modes, by MMIO and by MSR; live
 * tiles over HLT (xfd.md F.67). SDM 3, "Local APIC Timer". No claim is about
 * how long anything takes, only about order and number.
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/smp.h"

#define VECTOR      0x41
#define VECTOR_LOW  0x31
#define COUNT       20000
#define PERIODS     20
#define WAIT_TICKS  3000000
#define LIMIT_TICKS 400000000ul /* what comes at all comes earlier */
#define DIVIDE_1    0xb

static volatile u32 irq_count, low_count;

static bool on_irq(struct frame *f)
{
	(void)f;
	irq_count++;
	apic_eoi();
	return true;
}

static bool on_low(struct frame *f)
{
	(void)f;
	low_count++;
	apic_eoi();
	return true;
}

static void start(bool x2)
{
	apic_enable_mode(x2);
	irq_count = low_count = 0;
	trap_set_hook(VECTOR, on_irq);
	trap_set_hook(VECTOR_LOW, on_low);
	apic_write(APIC_REG_TPR, 0);
	apic_write(APIC_REG_DIVIDE, DIVIDE_1);
}

static void stop(void)
{
	apic_write(APIC_REG_TIMER, APIC_MASKED);
	apic_write(APIC_REG_INITIAL, 0);
}

static void spin(u64 ticks)
{
	const u64 end = rdtsc() + ticks;

	while (rdtsc() < end)
		pause();
}

/* Interrupts on, until *COUNT is WANT; false if it never is. */
static bool comes(volatile u32 *count, u32 want)
{
	const u64 end = rdtsc() + LIMIT_TICKS;

	sti();
	while (*count < want && rdtsc() < end)
		pause();
	cli();
	return *count >= want;
}

/* Before a HLT: a timer that never fires would not end it. */
static bool fires(bool x2, u32 mode)
{
	start(x2);
	apic_write(APIC_REG_TIMER, mode | VECTOR);
	asm volatile("mfence" : : : "memory");
	if (mode == APIC_TIMER_DEADLINE)
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + COUNT);
	else
		apic_write(APIC_REG_INITIAL, COUNT);
	const bool ok = is("the timer fires", comes(&irq_count, 1));

	stop();
	irq_count = 0;
	return ok;
}

static bool one_shot(bool x2)
{
	if (!fires(x2, APIC_TIMER_ONE_SHOT))
		return false;
	apic_write(APIC_REG_TIMER, APIC_TIMER_ONE_SHOT | VECTOR);
	apic_write(APIC_REG_INITIAL, COUNT);
	while (!irq_count)
		sti_hlt();
	sti();
	spin(WAIT_TICKS);
	cli();
	const bool ok = same("interrupts", irq_count, 1) &
			same("current count", apic_read(APIC_REG_CURRENT), 0);

	stop();
	return ok;
}

static bool periodic(bool x2)
{
	if (!fires(x2, APIC_TIMER_PERIODIC))
		return false;
	apic_write(APIC_REG_TIMER, APIC_TIMER_PERIODIC | VECTOR);
	apic_write(APIC_REG_INITIAL, COUNT);
	while (irq_count < PERIODS)
		sti_hlt();
	stop();
	const u32 at_stop = irq_count;

	sti();
	spin(WAIT_TICKS);
	cli();
	return is("at most one is still under way", irq_count <= at_stop + 1);
}

/* In time, that is: a CPU that others use as well needs more of it. */
static bool taken_back(void)
{
	for (u64 ticks = COUNT; ticks < LIMIT_TICKS; ticks *= 4) {
		const u64 due = rdtsc() + ticks;

		irq_count = 0;
		wrmsr(MSR_TSC_DEADLINE, due);
		wrmsr(MSR_TSC_DEADLINE, 0);
		const bool in_time = rdtsc() < due;

		sti();
		spin(ticks + WAIT_TICKS);
		cli();
		if (in_time)
			return same("interrupts of a deadline taken back",
				    irq_count, 0);
	}
	return is("a deadline can be taken back in time", false);
}

static bool deadline(bool x2)
{
	if (!fires(x2, APIC_TIMER_DEADLINE))
		return false;
	apic_write(APIC_REG_TIMER, APIC_TIMER_DEADLINE | VECTOR);
	asm volatile("mfence" : : : "memory");
	const u64 due = rdtsc() + COUNT;

	wrmsr(MSR_TSC_DEADLINE, due);
	while (!irq_count)
		sti_hlt();
	const u64 woken = rdtsc();
	bool ok         = is("not before the deadline", woken >= due) &
		  same("the MSR is disarmed", rdmsr(MSR_TSC_DEADLINE), 0);

	wrmsr(MSR_TSC_DEADLINE, 1); /* long past: at once */
	comes(&irq_count, 2);
	ok &= same("a deadline in the past counts", irq_count, 2);
	ok &= taken_back();
	stop();
	return ok;
}

static bool masked(bool x2)
{
	start(x2);
	apic_write(APIC_REG_TIMER, APIC_TIMER_ONE_SHOT | APIC_MASKED | VECTOR);
	apic_write(APIC_REG_INITIAL, 100);
	sti();
	spin(WAIT_TICKS);
	cli();
	stop();
	return same("interrupts", irq_count, 0);
}

/* TPR holds back its class; lowering it lets the interrupt in. */
static bool priority(bool x2)
{
	start(x2);
	apic_write(APIC_REG_TPR, 0x30);
	apic_send(this_cpu()->index, VECTOR_LOW);
	apic_send(this_cpu()->index, VECTOR);
	comes(&irq_count, 1);
	const bool held =
		same("class 3", low_count, 0) & same("class 4", irq_count, 1);

	apic_write(APIC_REG_TPR, 0);
	comes(&low_count, 1);
	return held & same("class 3 after TPR 0", low_count, 1);
}

static bool registers(bool x2)
{
	start(x2);
	const u32 id = apic_read(APIC_REG_ID);

	apic_write(APIC_REG_TIMER, APIC_TIMER_PERIODIC | APIC_MASKED | 0x55);
	apic_write(APIC_REG_INITIAL, 0x12345678);
	const u32 current = apic_read(APIC_REG_CURRENT);
	const bool ok =
		same("id", x2 ? id : id >> 24, this_cpu()->index) &
		same("LVT timer", apic_read(APIC_REG_TIMER) & ~0x1000u,
		     APIC_TIMER_PERIODIC | APIC_MASKED | 0x55) &
		same("initial count", apic_read(APIC_REG_INITIAL), 0x12345678) &
		is("the current count goes down",
		   current <= 0x12345678 &&
			   apic_read(APIC_REG_CURRENT) < current) &
		same("SVR", apic_read(APIC_REG_SVR) & 0x1ff, 0x1ff) &
		is("the version is an integrated APIC's",
		   (apic_read(APIC_REG_VERSION) & 0xf0) == 0x10);

	stop();
	return ok;
}

static bool f67(void)
{
	if (!fires(guest.has_x2apic, APIC_TIMER_ONE_SHOT))
		return false;
	tiles_start();
	tiles_load(tile_source());
	for (u32 i = 0; i < PERIODS; i++) {
		start(guest.has_x2apic);
		apic_write(APIC_REG_TIMER, APIC_TIMER_ONE_SHOT | VECTOR);
		apic_write(APIC_REG_INITIAL, COUNT);
		while (!irq_count)
			sti_hlt();
	}
	stop();
	return tiles_are(tile_source());
}

/* With IF=0 and an interrupt pending, STI; HLT must not sleep for ever. */
static bool pending_at_hlt(void)
{
	start(guest.has_x2apic);
	apic_send(this_cpu()->index, VECTOR);
	if (!is("an IPI to itself", comes(&irq_count, 1)))
		return false;
	irq_count = 0;
	apic_send(this_cpu()->index, VECTOR);
	sti_hlt();
	return same("interrupts", irq_count, 1);
}

#define MODES(name)                                                            \
	static bool name##_mmio(void)                                          \
	{                                                                      \
		return name(false);                                            \
	}                                                                      \
	static bool name##_x2(void)                                            \
	{                                                                      \
		return name(true);                                             \
	}
MODES(one_shot)
MODES(periodic)
MODES(deadline)
MODES(masked)
MODES(priority)
MODES(registers)

/* MMIO first: x2APIC mode cannot go back. */
const struct claim claims[] = {
	{ "xAPIC: the registers read back", registers_mmio, NEEDS_APIC },
	{ "xAPIC: a one-shot timer wakes HLT once", one_shot_mmio, NEEDS_APIC },
	{ "xAPIC: a periodic timer wakes HLT until stopped", periodic_mmio,
	  NEEDS_APIC },
	{ "xAPIC: a TSC deadline wakes HLT, not early", deadline_mmio,
	  NEEDS_APIC | NEEDS_TSC_DL },
	{ "xAPIC: a masked timer is silent", masked_mmio, NEEDS_APIC },
	{ "xAPIC: TPR holds lower classes back", priority_mmio, NEEDS_APIC },
	{ "x2APIC: the registers read back", registers_x2, NEEDS_X2APIC },
	{ "x2APIC: a one-shot timer wakes HLT once", one_shot_x2,
	  NEEDS_X2APIC },
	{ "x2APIC: a periodic timer wakes HLT until stopped", periodic_x2,
	  NEEDS_X2APIC },
	{ "x2APIC: a TSC deadline wakes HLT, not early", deadline_x2,
	  NEEDS_X2APIC | NEEDS_TSC_DL },
	{ "x2APIC: a masked timer is silent", masked_x2, NEEDS_X2APIC },
	{ "x2APIC: TPR holds lower classes back", priority_x2, NEEDS_X2APIC },
	{ "STI; HLT with an interrupt pending does not sleep", pending_at_hlt,
	  NEEDS_APIC },
	{ "F.67 live tiles survive HLT", f67, NEEDS_AMX | NOT_INJECT },
};
CLAIMS_END

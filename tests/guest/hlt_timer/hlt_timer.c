/* SPDX-License-Identifier: MIT */
/*
 * HLT and the local APIC timer in its three modes, by MMIO and by MSR; live
 * tiles over HLT (xfd.md F.67). SDM 3, "Local APIC Timer". No claim is about
 * how long anything takes, only about order and number.
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/smp.h"

#define VECTOR         0x41
#define VECTOR_LOW     0x31
#define COUNT          20000
#define PERIODS        20
#define WAIT_TICKS     3000000
#define DIVIDE_1       0xb
#define DEADLINE_CPUID BIT(24)

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

static bool one_shot(bool x2)
{
	start(x2);
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
	start(x2);
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

static bool deadline(bool x2)
{
	if (!(cpuid(1, 0).c & DEADLINE_CPUID))
		return true;
	start(x2);
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
	sti();
	spin(COUNT);
	cli();
	ok &= same("a deadline in the past counts", irq_count, 2);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + COUNT);
	wrmsr(MSR_TSC_DEADLINE, 0);
	sti();
	spin(WAIT_TICKS);
	cli();
	ok &= same("a deadline taken back does not", irq_count, 2);
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
	sti();
	spin(COUNT);
	const bool held =
		same("class 3", low_count, 0) & same("class 4", irq_count, 1);

	apic_write(APIC_REG_TPR, 0);
	spin(COUNT);
	cli();
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
	{ "xAPIC: the registers read back", registers_mmio, 0 },
	{ "xAPIC: a one-shot timer wakes HLT once", one_shot_mmio, 0 },
	{ "xAPIC: a periodic timer wakes HLT until stopped", periodic_mmio, 0 },
	{ "xAPIC: a TSC deadline wakes HLT, not early", deadline_mmio, 0 },
	{ "xAPIC: a masked timer is silent", masked_mmio, 0 },
	{ "xAPIC: TPR holds lower classes back", priority_mmio, 0 },
	{ "x2APIC: the registers read back", registers_x2, NEEDS_X2APIC },
	{ "x2APIC: a one-shot timer wakes HLT once", one_shot_x2,
	  NEEDS_X2APIC },
	{ "x2APIC: a periodic timer wakes HLT until stopped", periodic_x2,
	  NEEDS_X2APIC },
	{ "x2APIC: a TSC deadline wakes HLT, not early", deadline_x2,
	  NEEDS_X2APIC },
	{ "x2APIC: a masked timer is silent", masked_x2, NEEDS_X2APIC },
	{ "x2APIC: TPR holds lower classes back", priority_x2, NEEDS_X2APIC },
	{ "STI; HLT with an interrupt pending does not sleep", pending_at_hlt,
	  0 },
	{ "F.67 live tiles survive HLT", f67, NEEDS_AMX | NOT_INJECT },
};
CLAIMS_END

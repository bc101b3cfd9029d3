/* SPDX-License-Identifier: MIT */
#include "boot/lib/stop.h"

#include "boot/lib/lapic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/x86.h"

#define STOP_POLLS 10000000

static struct percpu *survivor; /* atomic; NULL: all CPUs run */

_Noreturn static void park(struct percpu *cpu)
{
	__atomic_store_n(&cpu->stopped, true, __ATOMIC_RELEASE);
	for (;;) {
		cli();
		hlt();
	}
}

static bool has_stopped(const struct percpu *cpu)
{
	for (u32 i = 0; i < STOP_POLLS; i++) {
		if (__atomic_load_n(&cpu->stopped, __ATOMIC_ACQUIRE))
			return true;
		cpu_pause();
	}
	return false;
}

/* A CPU that was never started has no interrupt table: it is let alone. */
static bool runs(const struct percpu *cpu)
{
	return __atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) == CPU_READY;
}

u32 cpus_stop(void)
{
	struct percpu *nobody = NULL;
	u32 count             = 0;

	if (cpu_count < 2)
		return 0;

	struct percpu *me = this_cpu();

	if (!__atomic_compare_exchange_n(&survivor, &nobody, me, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
	    nobody != me)
		park(me);
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		if (cpu != me && runs(cpu) && !cpu->stopped)
			lapic_send_nmi(cpu->apic_id);
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		if (cpu != me && runs(cpu))
			count += has_stopped(cpu);
	return count;
}

void cpus_stop_here(void)
{
	struct percpu *who = __atomic_load_n(&survivor, __ATOMIC_ACQUIRE);

	if (who && who != this_cpu())
		park(this_cpu());
}

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

static void wait_for(const struct percpu *cpu)
{
	for (u32 i = 0; i < STOP_POLLS; i++) {
		if (__atomic_load_n(&cpu->stopped, __ATOMIC_ACQUIRE))
			return;
		cpu_pause();
	}
}

/* A CPU that was never started has no interrupt table: it is let alone. */
static bool runs(const struct percpu *cpu)
{
	return __atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) == CPU_READY;
}

void cpus_stop(void)
{
	struct percpu *nobody = NULL;

	if (cpu_count < 2)
		return;

	struct percpu *me = this_cpu();

	if (!__atomic_compare_exchange_n(&survivor, &nobody, me, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (nobody != me)
			park(me);
		return;
	}
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		if (cpu != me && runs(cpu))
			lapic_send_nmi(cpu->apic_id);
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		if (cpu != me && runs(cpu))
			wait_for(cpu);
}

void cpus_stop_here(void)
{
	struct percpu *who = __atomic_load_n(&survivor, __ATOMIC_ACQUIRE);

	if (who && who != this_cpu())
		park(this_cpu());
}

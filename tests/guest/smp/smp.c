/* SPDX-License-Identifier: MIT */
/*
 * Starting CPUs and interrupting them; what INIT leaves alone (xfd.md F.64,
 * F.65, A.2.13). SDM 3, "Multiple-Processor (MP) Initialization".
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/smp.h"

#define VECTOR    0x41
#define TO_SELF   (1u << 18)
#define TO_ALL    (2u << 18)
#define TO_OTHERS (3u << 18)
#define ROUNDS    100

static volatile u32 irq_count[64], nmi_count[64];
static volatile bool quit;
static struct barrier barrier;

static bool on_irq(struct frame *f)
{
	(void)f;
	irq_count[this_cpu()->index]++;
	apic_eoi();
	return true;
}

static bool on_nmi(struct frame *f)
{
	(void)f;
	nmi_count[this_cpu()->index]++;
	return true;
}

static bool knows_its_id(void)
{
	const u32 index = this_cpu()->index;

	apic_enable();
	const u32 id = apic_read(APIC_REG_ID);

	return same("APIC id", guest.has_x2apic ? id : id >> 24, index) &
	       same("CPUID.1:EBX[31:24]", cpuid(1, 0).b >> 24, index) &
	       same("BSP flag", rdmsr(MSR_APIC_BASE) >> 8 & 1, index == 0);
}

static bool all_start(void)
{
	return smp_run_all(knows_its_id);
}

static bool again(void)
{
	bool ok = true;

	for (u32 i = 0; i < 10; i++)
		ok &= smp_run(1, knows_its_id);
	return ok;
}

/* Takes what comes until told to quit. */
static bool listener(void)
{
	apic_enable();
	sti();
	smp_barrier(&barrier, guest.vcpus);
	while (!quit)
		smp_relax();
	cli();
	return true;
}

static void listeners_start(void)
{
	quit = false;
	for (u32 i = 0; i < guest.vcpus; i++)
		irq_count[i] = nmi_count[i] = 0;
	trap_set_hook(VECTOR, on_irq);
	trap_set_hook(TRAP_NMI, on_nmi);
	for (u32 i = 1; i < guest.vcpus; i++)
		smp_start(i, listener);
	apic_enable();
	smp_barrier(&barrier, guest.vcpus);
}

static void listeners_stop(void)
{
	quit = true;
	for (u32 i = 1; i < guest.vcpus; i++)
		smp_wait(i);
}

static void wait_until(volatile u32 *count, u32 want)
{
	while (*count < want)
		smp_relax();
}

static bool fixed(void)
{
	bool ok = true;

	listeners_start();
	for (u32 n = 1; n <= ROUNDS; n++) {
		for (u32 i = 1; i < guest.vcpus; i++) {
			apic_send(i, VECTOR);
			wait_until(&irq_count[i], n);
		}
	}
	listeners_stop();
	for (u32 i = 1; i < guest.vcpus; i++)
		ok &= same("interrupts", irq_count[i], ROUNDS);
	return ok & same("interrupts at the sender", irq_count[0], 0);
}

static bool shorthands(void)
{
	bool ok = true;

	listeners_start();
	apic_send(0, TO_OTHERS | VECTOR);
	for (u32 i = 1; i < guest.vcpus; i++)
		wait_until(&irq_count[i], 1);
	sti();
	apic_send(0, TO_SELF | VECTOR);
	wait_until(&irq_count[0], 1);
	apic_send(0, TO_ALL | VECTOR);
	for (u32 i = 0; i < guest.vcpus; i++)
		wait_until(&irq_count[i], 2);
	cli();
	listeners_stop();
	for (u32 i = 0; i < guest.vcpus; i++)
		ok &= same("interrupts", irq_count[i], 2);
	return ok;
}

static bool nmis(void)
{
	bool ok = true;

	listeners_start();
	for (u32 n = 1; n <= ROUNDS; n++) {
		for (u32 i = 1; i < guest.vcpus; i++) {
			apic_send(i, APIC_NMI);
			wait_until(&nmi_count[i], n);
		}
	}
	listeners_stop();
	for (u32 i = 1; i < guest.vcpus; i++)
		ok &= same("NMIs", nmi_count[i], ROUNDS);
	return ok & same("NMIs at the sender", nmi_count[0], 0);
}

static bool sleeper(void)
{
	apic_enable();
	smp_barrier(&barrier, 2);
	while (!irq_count[this_cpu()->index])
		sti_hlt();
	return true;
}

static bool wakes_hlt(void)
{
	irq_count[1] = 0;
	trap_set_hook(VECTOR, on_irq);
	smp_start(1, sleeper);
	smp_barrier(&barrier, 2);
	for (u32 i = 0; i < ROUNDS; i++)
		smp_relax();
	apic_send(1, VECTOR);
	return smp_wait(1) && same("interrupts", irq_count[1], 1);
}

/* A CPU keeps these over INIT; the second task looks. */
static bool leaves_state(void)
{
	tiles_start();
	tiles_load(tile_source());
	wrmsr(MSR_XFD_ERR, TILEDATA);
	wrmsr(MSR_XFD, TILEDATA);
	return true;
}

static bool finds_state(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	const bool ok = same("XCR0", xgetbv(0), guest.xcr0_max) &
			xfd_is(TILEDATA, TILEDATA);

	wrmsr(MSR_XFD, 0);
	wrmsr(MSR_XFD_ERR, 0);
	return ok & tiles_are(tile_source());
}

static bool f64(void)
{
	return smp_run(1, leaves_state) && smp_run(1, finds_state);
}

static bool armed(void)
{
	xstate_start();
	return true;
}

static bool silent_first_use(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("ldtilecfg (%0)" : : "r"(tile_config_full));
	return none(tileload0(tile_source())) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static bool f65(void)
{
	const u32 cpu = smp_fresh();

	if (!cpu)
		return is("enough CPUs", !guest.fresh);
	return smp_run(cpu, armed) && smp_run(cpu, silent_first_use);
}

const struct claim claims[] = {
	{ "F.65 INIT of a CPU before its first use of tiles", f65,
	  NEEDS_SMP | NEEDS_AMX | NOT_INJECT },
	{ "every CPU starts and knows its id", all_start, NEEDS_SMP },
	{ "a CPU starts again after INIT", again, NEEDS_SMP },
	{ "fixed interrupts reach the CPU they name", fixed, NEEDS_SMP },
	{ "the three shorthands reach whom they should", shorthands,
	  NEEDS_SMP },
	{ "NMIs reach the CPU they name", nmis, NEEDS_SMP },
	{ "an interrupt wakes a CPU from HLT", wakes_hlt, NEEDS_SMP },
	{ "F.64 INIT leaves XCR0, XFD, XFD_ERR and tiles alone", f64,
	  NEEDS_SMP | NEEDS_AMX | NOT_INJECT | OPEN(5) },
};
CLAIMS_END

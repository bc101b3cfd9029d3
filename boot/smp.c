/* SPDX-License-Identifier: MIT */
/*
 * All CPUs get their INIT at once and then their SIPIs, so that a large machine
 * waits once. Whoever has not answered in time is left out; its block keeps it
 * parked should it come later.
 */
#include "boot/smp.h"

#include "boot/acpi.h"
#include "boot/cpu.h"
#include "boot/lib/clock.h"
#include "boot/lib/lapic.h"
#include "boot/lib/paging.h"
#include "boot/lib/panic.h"
#include "boot/lib/string.h"
#include "boot/lib/trap.h"
#include "boot/lib/x86.h"
#include "boot/machine_test.h"
#include "boot/main.h"

/* SDM 3, "Multiple-Processor (MP) Initialization": the waits between IPIs. */
#define INIT_US   10000
#define SIPI_US   200
#define ANSWER_US 1000000 /* for all of them together */

#define LOW_END 0xa0000ULL /* video memory begins */

extern const u8 smp_trampoline[], smp_trampoline_end[]; /* boot/smp.S */

/* Read by boot/smp.S with paging off. */
extern u32 smp_cr3;
u32 smp_cr3;

static bool released; /* atomic */

/* On the new CPU's own stack; its block is found and its state is STARTING. */
_Noreturn void smp_entry(struct percpu *cpu);
void smp_entry(struct percpu *cpu)
{
	__atomic_store_n(&cpu->start_tsc, rdtsc(), __ATOMIC_RELEASE);
	wrmsr(MSR_IA32_GS_BASE, (u64)(uintptr_t)cpu);
	cpu_main();
}

static bool is_known(u32 apic_id)
{
	for (const struct percpu *c = cpu_first; c; c = c->next)
		if (c->apic_id == apic_id)
			return true;
	return false;
}

static void add_cpus(const u8 *madt, u32 length)
{
	u32 at = 0, apic_id;

	for (;;) {
		switch (acpi_next_cpu(madt, length, &at, &apic_id)) {
		case ACPI_NEXT_END:
			return;
		case ACPI_NEXT_BROKEN:
			log_warn("ACPI: the MADT's entry at offset %u is "
				 "broken; CPUs behind it are not used",
				 at);
			return;
		case ACPI_NEXT_CPU:
			if (!is_known(apic_id) && !percpu_create(apic_id))
				refuse("no memory for the block of CPU %u",
				       cpu_count);
		}
	}
}

void smp_init(const struct boot_info *bi)
{
	const struct acpi_window low = ACPI_FIRST_WINDOW;
	enum acpi_fault fault        = ACPI_ABSENT;
	const u8 *madt               = NULL;
	u32 length;

	if (bi->rsdp)
		madt = acpi_table(&low, bi->rsdp_copy, "APIC", &length, &fault);
	if (madt)
		add_cpus(madt, length);
	else
		log_warn("ACPI's table of CPUs (MADT): %s; the boot CPU alone "
			 "is used",
			 acpi_fault_text[fault]);
	if (bi->rsdp && acpi_table(&low, bi->rsdp_copy, "DMAR", &length, NULL))
		log_debug("ACPI: DMAR is there; no device is given to a guest, "
			  "so VT-d stays as it is");
}

static bool is_free(const struct boot_info *bi, u64 page)
{
	for (u32 i = 0; i < bi->module_count; i++)
		if (bi->module[i].start < page + PAGE_SIZE &&
		    bi->module[i].end > page)
			return false;
	for (u32 i = 0; i < bi->region_count; i++)
		if (bi->region[i].kind == BOOT_REGION_RAM &&
		    bi->region[i].start <= page &&
		    bi->region[i].end >= page + PAGE_SIZE)
			return true;
	return false;
}

u8 smp_trampoline_page(const struct boot_info *bi)
{
	for (u64 page = LOW_END - PAGE_SIZE; page; page -= PAGE_SIZE)
		if (is_free(bi, page))
			return (u8)(page / PAGE_SIZE);
	return 0;
}

static void wait_us(u64 us)
{
	const u64 end = rdtsc() + us_to_ticks(us);

	while (rdtsc() < end)
		cpu_pause();
}

static u32 state_of(const struct percpu *cpu)
{
	return __atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE);
}

static bool move_state(struct percpu *cpu, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(&cpu->state, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* INIT and two SIPIs for all; the second one is for those who missed the first.
 */
static void call_all(u8 page)
{
	struct percpu *const others = cpu_first->next;

	for (struct percpu *c = others; c; c = c->next)
		if (lapic_reaches(c->apic_id))
			lapic_send_init(c->apic_id);
	wait_us(INIT_US);
	for (int round = 0; round < 2; round++) {
		for (struct percpu *c = others; c; c = c->next)
			if (lapic_reaches(c->apic_id) &&
			    state_of(c) == CPU_ABSENT)
				lapic_send_sipi(c->apic_id, page);
		wait_us(SIPI_US);
	}
}

static bool all_answered(void)
{
	for (const struct percpu *c = cpu_first->next; c; c = c->next)
		if (state_of(c) == CPU_ABSENT || state_of(c) == CPU_STARTING)
			return false;
	return true;
}

/* Its clock must be ours: what lies between two of our reads is between them.
 */
static const char *judge(const struct percpu *c, u64 before, u64 after)
{
	if (c->complaint)
		return c->complaint;
	if (!lapic_reaches(c->apic_id))
		return "only x2APIC can name it, which this machine lacks";
	if (state_of(c) == CPU_ABSENT)
		return "it does not answer";
	if (state_of(c) == CPU_STARTING)
		return "it does not get ready in time";
	if (c->start_tsc < before || c->start_tsc > after)
		return "its TSC differs from the boot CPU's";
	return NULL;
}

void smp_start(const struct boot_info *bi)
{
	const u8 page    = smp_trampoline_page(bi);
	const u64 before = rdtsc();
	const u64 end    = before + us_to_ticks(ANSWER_US);
	u32 left_out     = 0;

	if (cpu_count == 1)
		return;
	if (paging_root() > UINT32_MAX || !page)
		log_warn("there is no memory below %s to start CPUs from",
			 page ? "4 GiB" : "640 KiB");
	for (struct percpu *c = cpu_first->next; c; c = c->next)
		cpu_prepare(c);
	if (paging_root() <= UINT32_MAX && page) {
		smp_cr3 = lo32(paging_root());
		memcpy((void *)(page * PAGE_SIZE), smp_trampoline,
		       (size_t)(smp_trampoline_end - smp_trampoline));
		call_all(page);
		while (!all_answered() && rdtsc() < end)
			cpu_pause();
	}

	const u64 after = rdtsc();

	for (struct percpu *c = cpu_first->next, *next; c; c = next) {
		const char *why = judge(c, before, after);

		next = c->next;
		if (!why)
			continue;
		__atomic_store_n(&c->state, CPU_LEFT_OUT, __ATOMIC_SEQ_CST);
		log_warn("the CPU with APIC id %u is not used: %s", c->apic_id,
			 why);
		percpu_remove(c);
		left_out++;
	}
	log_info("%u CPUs run%s, %s", cpu_count,
		 left_out ? ", others are left out" : "", lapic_mode());
}

_Noreturn static void leave_out(struct percpu *cpu)
{
	__atomic_store_n(&cpu->state, CPU_LEFT_OUT, __ATOMIC_SEQ_CST);
	for (;;) {
		cli();
		hlt();
	}
}

void smp_wait(const char *why)
{
	struct percpu *cpu = this_cpu();

	cpu->complaint = why;
	if (why || !move_state(cpu, CPU_STARTING, CPU_READY))
		leave_out(cpu);
	/* The IPI of smp_release() stays pending until STI. */
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE)) {
		if (state_of(cpu) == CPU_LEFT_OUT)
			leave_out(cpu);
		machine_test_turn();
		sti_hlt();
		cli();
	}
}

void smp_release(void)
{
	__atomic_store_n(&released, true, __ATOMIC_SEQ_CST);
	for (const struct percpu *c = cpu_first->next; c; c = c->next)
		lapic_send(c->apic_id, LAPIC_VECTOR_KICK);
}

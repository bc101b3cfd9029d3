/* SPDX-License-Identifier: MIT */
/*
 * One function for each claim: NULL, or what is wrong. Each CPU makes the
 * claims about itself, all at the same time, so that they get into each other's
 * way if they can; the boot CPU prints them in order.
 */
#include "boot/machine_test.h"

#include "boot/acpi.h"
#include "boot/cpu.h"
#include "boot/lib/addr.h"
#include "boot/lib/clock.h"
#include "boot/lib/lapic.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/paging.h"
#include "boot/lib/panic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/power.h"
#include "boot/lib/x86.h"

#define TIMER_US    500
#define OPEN_PAUSES 100      /* after STI, which still holds back for one */
#define ANSWER_US   5000000  /* for an interrupt */
#define ALL_US      60000000 /* for all CPUs, on however slow a machine */
#define TSC_READS   10000
#define RUNS_HELD   8
#define RUN_ROUNDS  40
#define RUN_PAGES   9
#define WORDS       (PAGE_SIZE / sizeof(u64))
#define IMAGE_GRACE (2 * MIB) /* the first MiB and partial pages */

extern const char image_start[], image_end[]; /* linker.ld */
extern const char text_start[], text_end[], rodata_end[];

/* ---- Of each CPU, by itself. */

/* A contiguous run that this CPU has filled with its TAG. */
struct run {
	u64 *at;
	u64 pages;
	u64 tag;
};

/* First and last word of each page; whoever else got it would write there. */
static bool run_holds(const struct run *r, u64 tag)
{
	for (u64 i = 0; i < r->pages; i++)
		if (r->at[i * WORDS] != tag ||
		    r->at[i * WORDS + WORDS - 1] != tag)
			return false;
	return true;
}

static const char *take_run(struct run *r, u64 random, u64 tag)
{
	const u64 align = PAGE_SIZE << (random >> 8) % 4;

	r->pages = 1 + random % RUN_PAGES;
	r->tag   = tag;
	r->at    = pages_alloc_aligned(r->pages, align);
	if (!r->at)
		return "there is no memory";
	if (!is_aligned(ptr_hpa(r->at).v, align))
		return "a run is not aligned as asked for";
	if (!run_holds(r, 0))
		return "pages are not handed out zeroed";
	for (u64 i = 0; i < r->pages; i++)
		r->at[i * WORDS] = r->at[i * WORDS + WORDS - 1] = tag;
	return NULL;
}

static const char *give_run(struct run *r)
{
	const bool holds = !r->at || run_holds(r, r->tag);

	pages_free(r->at, r->pages);
	r->at = NULL;
	return holds ? NULL : "a page was handed out twice";
}

static const char *test_allocator(void)
{
	struct run run[RUNS_HELD] = { 0 };
	const char *wrong         = NULL;
	u64 random                = this_cpu()->index;

	for (u64 i = 0; i < RUN_ROUNDS && !wrong; i++) {
		struct run *r = &run[random >> 40 & (RUNS_HELD - 1)];

		wrong  = give_run(r);
		random = random * 6364136223846793005 + 1442695040888963407;
		if (!wrong)
			wrong = take_run(r, random >> 33,
					 (u64)this_cpu()->index << 32 | i |
						 BIT(63));
	}
	for (u32 i = 0; i < RUNS_HELD; i++) {
		const char *late = give_run(&run[i]);

		wrong = wrong ? wrong : late;
	}
	return wrong;
}

static const char *test_protection(void)
{
	const struct percpu *cpu = this_cpu();
	const u64 top            = cpu->stack_top ? cpu->stack_top
						  : align_up(read_rbp(), PAGE_SIZE);
	u32 value;

	if (read_cr3() != paging_root())
		return "its page tables are not ours";
	if (!(read_cr0() & CR0_WP) || !(rdmsr(MSR_IA32_EFER) & EFER_NXE))
		return "CR0.WP or EFER.NXE is off";
	if (read32_safe(NULL, &value))
		return "address 0 is mapped";
	if (cpu->stack_top &&
	    read32_safe((const void *)(top - CPU_STACK_TOP), &value))
		return "there is no guard page below its stack";
	if (!read32_safe(text_start, &value))
		return "its own code cannot be read";
	return NULL;
}

static const char *test_tsc(void)
{
	u64 last = rdtsc();

	for (u32 i = 0; i < TSC_READS; i++) {
		const u64 now = rdtsc();

		if (now < last)
			return "the TSC goes backwards";
		last = now;
	}
	return NULL;
}

/* Interrupts are let in until COUNT is no longer what it was; false: in vain.
 */
static bool comes(const u64 *count, u64 was)
{
	const u64 end = rdtsc() + us_to_ticks(ANSWER_US);
	bool came     = false;

	while (!came && rdtsc() < end) {
		sti();
		for (u32 i = 0; i < OPEN_PAUSES; i++)
			cpu_pause();
		cli();
		came = __atomic_load_n(count, __ATOMIC_ACQUIRE) != was;
	}
	return came;
}

static const char *test_timer(void)
{
	const u64 was = this_cpu()->interrupts;

	lapic_timer_arm(rdtsc() + us_to_ticks(TIMER_US));
	const bool came = comes(&this_cpu()->interrupts, was);

	lapic_timer_disarm();
	return came ? NULL : "the local APIC's timer does not fire";
}

static const char *test_ipi(void)
{
	const u64 was = this_cpu()->interrupts;

	lapic_send(lapic_id(), LAPIC_VECTOR_KICK);
	return comes(&this_cpu()->interrupts, was)
		       ? NULL
		       : "an IPI to itself does not arrive";
}

static const char *test_nmi(void)
{
	const u64 was = this_cpu()->nmis;

	lapic_send_nmi(lapic_id());
	return comes(&this_cpu()->nmis, was)
		       ? NULL
		       : "an NMI to itself does not arrive";
}

static const struct {
	const char *claim;
	const char *(*test)(void);
} each_cpu[] = {
	{ "pages: zeroed, aligned, nobody else's", test_allocator },
	{ "page tables: ours, page 0 and the guard page missing",
	  test_protection },
	{ "the TSC never goes backwards", test_tsc },
	{ "the timer fires", test_timer },
	{ "an IPI arrives", test_ipi },
	{ "an NMI arrives", test_nmi },
};

/* What one CPU found out; DONE is atomic and set last. */
struct result {
	bool done;
	const char *wrong[ARRAY_SIZE(each_cpu)];
};

/* By CPU index; NULL: nobody was asked yet. Atomic. */
static struct result *results;

static void test_here(struct result *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(each_cpu); i++)
		r->wrong[i] = each_cpu[i].test();
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
}

static bool is_done(const struct result *r)
{
	return __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
}

void machine_test_turn(void)
{
	struct result *all = __atomic_load_n(&results, __ATOMIC_ACQUIRE);

	if (all && !is_done(&all[this_cpu()->index]))
		test_here(&all[this_cpu()->index]);
}

/* ---- Of the machine, by the boot CPU. */

/* What has been claimed so far; the boot CPU's. */
static struct {
	u32 claims;
	u32 failed;
	u32 cpus_named;   /* by ACPI, before any was left out */
	const char *acpi; /* what is wrong with ACPI's tables */
	bool has_acpi;
} said;

static void claim(const char *who, const char *what, const char *wrong)
{
	said.claims++;
	said.failed += wrong ? 1 : 0;
	log_line(LOG_ERROR, "%sok %u - %s: %s%s%s", wrong ? "not " : "",
		 said.claims, who, what, wrong ? " # " : "",
		 wrong ? wrong : "");
}

void machine_test_acpi(const struct boot_info *bi)
{
	static const char *const needed[] = { "FACP", "APIC" };
	const struct acpi_window low      = ACPI_FIRST_WINDOW;

	if (!host_options()->test_machine)
		return;
	said.cpus_named = cpu_count;
	said.has_acpi   = bi->rsdp != 0;
	for (size_t i = 0; bi->rsdp && i < ARRAY_SIZE(needed); i++) {
		enum acpi_fault fault;
		u32 length;

		if (!acpi_table(&low, bi->rsdp_copy, needed[i], &length,
				&fault))
			said.acpi = acpi_fault_text[fault];
	}
}

/* Every page of RAM is managed, but for what was taken before. */
static const char *test_memory(const struct boot_info *bi)
{
	const u64 managed = pages_total_count() * PAGE_SIZE;
	u64 ram           = 0;
	u64 taken         = (u64)(image_end - image_start) + IMAGE_GRACE;

	for (u32 i = 0; i < bi->region_count; i++) {
		const struct boot_region *r = &bi->region[i];

		if (r->kind == BOOT_REGION_RAM && r->start < paging_limit())
			ram += min_u64(r->end, paging_limit()) - r->start;
	}
	for (u32 i = 0; i < bi->module_count; i++)
		taken +=
			bi->module[i].end - bi->module[i].start + 2 * PAGE_SIZE;
	if (managed > ram)
		return "more pages are managed than there is RAM";
	return managed + taken < ram ? "RAM is not used" : NULL;
}

static const char *test_page_tables(void)
{
	const u64 code = (u64)(text_end - image_start) / PAGE_SIZE;
	struct paging_count n;

	paging_audit(&n);
	if (n.writable_executable)
		return "pages are writable and executable";
	return n.executable == code
		       ? NULL
		       : "other pages than our code are executable";
}

static const char *test_others_answer(void)
{
	for (const struct percpu *c = cpu_first->next; c; c = c->next) {
		const u64 was =
			__atomic_load_n(&c->interrupts, __ATOMIC_ACQUIRE);

		lapic_send(c->apic_id, LAPIC_VECTOR_KICK);
		if (!comes(&c->interrupts, was))
			return "an IPI to another CPU does not arrive";
	}
	return NULL;
}

/* All CPUs at once, this one too. */
static void test_each(void)
{
	const u64 bytes    = cpu_count * sizeof(struct result);
	struct result *all = pages_alloc((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
	char who[16];

	if (!all)
		refuse("no memory for the results of %u CPUs", cpu_count);
	__atomic_store_n(&results, all, __ATOMIC_SEQ_CST);
	for (const struct percpu *c = cpu_first->next; c; c = c->next)
		lapic_send(c->apic_id, LAPIC_VECTOR_KICK);
	test_here(&all[0]);

	const u64 end = rdtsc() + us_to_ticks(ALL_US);

	for (const struct percpu *c = cpu_first; c; c = c->next) {
		const struct result *r = &all[c->index];

		while (!is_done(r) && rdtsc() < end)
			cpu_pause();
		tv_snprintf(who, sizeof(who), "CPU %u", c->index);
		for (size_t i = 0; i < ARRAY_SIZE(each_cpu); i++)
			claim(who, each_cpu[i].claim,
			      is_done(r) ? r->wrong[i]
					 : "it does not finish in time");
	}
}

void machine_test(const struct boot_info *bi)
{
	if (!host_options()->test_machine)
		return;

	const u64 free_before = pages_free_count();

	if (said.has_acpi)
		claim("ACPI", "tables are readable and sum up to 0", said.acpi);
	claim("machine", "every CPU that ACPI names runs",
	      cpu_count == said.cpus_named ? NULL : "some are left out");
	claim("machine", "every page of RAM is managed", test_memory(bi));
	claim("machine", "only our code is executable", test_page_tables());
	test_each();
	claim("machine", "IPIs reach every CPU", test_others_answer());
	pages_free(results, (cpu_count * sizeof(struct result) + PAGE_SIZE -
			     1) / PAGE_SIZE);
	claim("machine", "no page is lost",
	      pages_free_count() == free_before ? NULL : "the count differs");
	log_line(LOG_ERROR, "1..%u", said.claims);
	log_event("\"event\":\"selftest\",\"verdict\":\"%s\",\"cpus\":%u,"
		  "\"claims\":%u,\"failed\":%u",
		  said.failed ? "failed" : "ok", cpu_count, said.claims,
		  said.failed);
	power_end(said.failed ? 1 : 0);
}

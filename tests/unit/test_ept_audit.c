/* SPDX-License-Identifier: MIT */
/* links: vmx/ept_audit.c vmx/ept.c vmx/ept_duty.c */
/*
 * The auditor of EPTs: maps as ept.c makes them pass, and each way to be wrong
 * is found and named.
 */
#include "vmx/ept_audit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

#define RWX   (EPT_READ | EPT_WRITE | EPT_EXEC)
#define RX    (EPT_READ | EPT_EXEC)
#define RAM   0x40000000ULL /* of the machine */
#define BYTES (3 * 0x200000ULL)
#define ROM   0xfffff000ULL

static const struct ept_region regions[] = {
	{ 0, RAM, BYTES, RWX, MEM_WB },
	{ ROM, RAM + 0xff000, PAGE_SIZE, RX, MEM_WB },
};

static void *take(void *context)
{
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	(void)context;
	return memset(page, 0, PAGE_SIZE);
}

static void give(void *context, void *page)
{
	(void)context;
	free(page);
}

/* A page that was unmapped and mapped again: 4 KiB pages in the first 2 MiB. */
static void make(struct ept *e)
{
	ept_init(e, (struct ept_source){ take, give, NULL }, true, false);
	ept_map(e, gpa(0), hpa(RAM), BYTES, RWX, MEM_WB);
	ept_map(e, gpa(ROM), hpa(RAM + 0xff000), PAGE_SIZE, RX, MEM_WB);
	ept_unmap(e, gpa(0x1000), PAGE_SIZE);
	ept_map(e, gpa(0x1000), hpa(RAM + 0x1000), PAGE_SIZE, RWX, MEM_WB);
}

static struct ept_audit rules(void)
{
	return (struct ept_audit){
		.region       = regions,
		.region_count = ARRAY_SIZE(regions),
		.address_mask = FIELD(46, 12),
	};
}

static u64 *below(const u64 *table, unsigned int i)
{
	return hpa_ptr(hpa(table[i] & FIELD(51, 12)));
}

/* Entry I of the table of LEVEL for the guest's first addresses. */
static u64 *entry(struct ept *e, unsigned int level, unsigned int i)
{
	u64 *table = e->root;

	for (unsigned int l = 4; l > level; l--)
		table = below(table, 0);
	return &table[i];
}

static void passes(void)
{
	struct ept_audit a = rules();
	u64 done[1]        = { 1 };
	struct ept e;

	make(&e);
	tap_ok(!ept_audit(&e, &a), "what ept.c has made passes");
	tap_is(a.mapped_bytes, BYTES + PAGE_SIZE, "all of it was seen");
	tap_is(a.table_count, e.table_pages, "and every table");

	/* A CPU that has not heard of the cut: the table is not given back. */
	e.duty.done      = done;
	e.duty.cpu_count = 1;
	ept_map(&e, gpa(0), hpa(RAM), 0x200000, RWX, MEM_WB);
	tap_ok(e.retired && !ept_audit(&e, &a),
	       "a table that is cut off is counted");
	tap_is(a.table_count, e.table_pages, "as one of them");
	ept_fini(&e);
}

static const struct {
	unsigned int level, index;
	u64 keep, set; /* of the entry */
	const char *complaint;
} table[] = {
	{ 1, 5, ~0ULL, BIT(13), "a page that leads elsewhere" },
	{ 1, 5, ~0ULL, BIT(45), "a page that leads elsewhere" },
	{ 1, 5, ~BIT(1), 0, "other permissions" },
	{ 1, 5, ~BIT(0), 0, "other permissions" },
	{ 1, 5, ~FIELD(5, 3), MEM_WC << 3, "another memory type" },
	{ 1, 5, ~0ULL, 7 << 3, "another memory type" },
	{ 1, 5, 0, 0, "bytes that are not mapped" },
	{ 1, 5, ~FIELD(2, 0), 0, "other permissions" },
	{ 1, 5, ~0ULL, BIT(47), "an address that is too wide" },
	{ 1, 5, ~0ULL, BIT(6), "a bit that no page has" },
	{ 1, 5, ~0ULL, BIT(8), "a bit that no page has" },
	{ 1, 5, ~0ULL, BIT(63), "a bit that no page has" },
	{ 2, 1, ~0ULL, BIT(12), "a large page that is not aligned" },
	{ 2, 1, ~0ULL, BIT(22), "a page that leads elsewhere" },
	{ 2, 1, ~BIT(7), 0, "a bit that no reference to a table has" },
	{ 2, 3, 0, RAM | 0xb7, "a page that should not be there" },
	{ 3, 0, ~0ULL, BIT(7), "a page of a size that the CPU does not have" },
	{ 3, 0, ~BIT(1), 0, "a bit that no reference to a table has" },
	{ 4, 0, ~0ULL, BIT(3), "a bit that no reference to a table has" },
	{ 4, 0, ~0ULL, BIT(7), "a page of a size that the CPU does not have" },
	{ 2, 0, 0, RAM | 0xb7, "another number of tables than was taken" },
};

static void broken_entries(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct ept_audit a = rules();
		struct ept e;

		make(&e);

		u64 *at       = entry(&e, table[i].level, table[i].index);
		const u64 old = *at;

		*at = (old & table[i].keep) | table[i].set;

		const char *bad = ept_audit(&e, &a);

		tap_ok(bad && !strcmp(bad, table[i].complaint), "%zu: %s", i,
		       bad ? bad : "not found");
		*at = old;
		ept_fini(&e);
	}
}

/* The map is right, what it is held against is not. */
static void broken_rules(void)
{
	struct ept_audit a = rules();
	struct ept_range range;
	struct ept e;

	make(&e);
	a.region_count = 1;
	tap_ok(ept_audit(&e, &a) && a.at == ROM, "a page of nobody");

	const u64 pd = ptr_hpa(below(below(e.root, 0), 0)).v;

	a             = rules();
	range         = (struct ept_range){ pd, pd + PAGE_SIZE };
	a.taken       = &range;
	a.taken_count = 1;
	tap_ok(ept_audit(&e, &a) && a.entry == pd, "a table in memory");
	ept_fini(&e);
}

/* Pages of each size, where the CPU has it. */
static void sizes(void)
{
	const struct ept_region all = { 0, 4 * GIB, GIB, RWX, MEM_WB };
	struct ept_audit a          = rules();
	const char *bad;
	struct ept e;

	make(&e);
	e.pages_2m = false;
	bad        = ept_audit(&e, &a);
	tap_ok(bad && strstr(bad, "of a size that the CPU does not have"),
	       "a 2 MiB page is wrong where there are none");
	ept_fini(&e);

	ept_init(&e, (struct ept_source){ take, give, NULL }, true, true);
	ept_map(&e, gpa(0), hpa(4 * GIB), GIB, RWX, MEM_WB);
	a.region       = &all;
	a.region_count = 1;
	tap_ok(!ept_audit(&e, &a) && a.mapped_bytes == GIB,
	       "a 1 GiB page is right where there are some");
	e.pages_1g = false;
	tap_ok(ept_audit(&e, &a) != NULL, "and elsewhere it is not");
	ept_fini(&e);
}

/* Two tables that no CPU has given up yet. */
static void cut_off(void)
{
	struct ept_audit a = rules();
	u64 done[1]        = { 1 };
	struct ept_range range;
	const char *bad;
	struct ept e;

	make(&e);
	ept_unmap(&e, gpa(0x201000), PAGE_SIZE);
	ept_map(&e, gpa(0x201000), hpa(RAM + 0x201000), PAGE_SIZE, RWX, MEM_WB);
	e.duty.done      = done;
	e.duty.cpu_count = 1;
	ept_map(&e, gpa(0), hpa(RAM), 0x400000, RWX, MEM_WB);

	const u64 first  = ptr_hpa(e.retired).v;
	const u64 second = *e.retired;

	tap_ok(second && !ept_audit(&e, &a), "two that are cut off");
	tap_is(a.table_count, e.table_pages, "are counted both");
	range         = (struct ept_range){ second, second + PAGE_SIZE };
	a.taken       = &range;
	a.taken_count = 1;
	bad           = ept_audit(&e, &a);
	tap_ok(bad && !strcmp(bad, "a table where something else is") &&
		       a.entry == second,
	       "and neither lies in memory");
	range = (struct ept_range){ 0, PAGE_SIZE };
	tap_ok(!ept_audit(&e, &a) && first != second, "beside it is no harm");
	ept_fini(&e);
}

int main(void)
{
	passes();
	broken_entries();
	broken_rules();
	sizes();
	cut_off();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* links: vmx/ept.c vmx/ept_duty.c */
/*
 * EPT: maps against a page-by-page model, sizes of pages, splits, and what
 * happens when no table page is left.
 */
#include "vmx/ept.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

#define RWX (EPT_READ | EPT_WRITE | EPT_EXEC)

struct pages {
	long left, taken;
};

static void *take(void *context)
{
	struct pages *p = context;

	if (p->left-- <= 0)
		return NULL;
	p->taken++;
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	memset(page, 0, PAGE_SIZE);
	return page;
}

static void give(void *context, void *page)
{
	((struct pages *)context)->taken--;
	free(page);
}

static void init(struct ept *e, struct pages *p, long left, bool m2, bool g1)
{
	*p = (struct pages){ .left = left };
	ept_init(e, (struct ept_source){ take, give, p }, m2, g1);
}

/* Where AT goes: ~0 nowhere. */
static u64 where(const struct ept *e, u64 at)
{
	unsigned int access;
	enum mem_type type;
	hpa_t to;

	return ept_lookup(e, gpa(at), &to, &access, &type) ? to.v : ~0ULL;
}

static void basics(void)
{
	unsigned int access;
	enum mem_type type;
	struct pages p;
	struct ept e;
	hpa_t to;

	init(&e, &p, 100, true, true);
	tap_is(where(&e, 0), ~0ULL, "an empty map has nothing");
	tap_ok(ept_map(&e, gpa(0x1000), hpa(0x5000), 0x2000, EPT_READ, MEM_UC),
	       "two pages");
	tap_is(where(&e, 0x1234), 0x5234, "the offset is kept");
	tap_is(where(&e, 0x2fff), 0x6fff, "the second page follows");
	tap_is(where(&e, 0x3000), ~0ULL, "nothing behind");
	tap_is(where(&e, 0xfff), ~0ULL, "nothing before");
	tap_ok(ept_lookup(&e, gpa(0x1000), &to, &access, &type) &&
		       access == EPT_READ && type == MEM_UC,
	       "access and type come back");
	tap_ok(!ept_map(&e, gpa(0x10), hpa(0), 0x1000, RWX, MEM_WB),
	       "an unaligned address is refused");
	tap_ok(!ept_map(&e, gpa(BIT(48)), hpa(0), 0x1000, RWX, MEM_WB),
	       "an address beyond 48 bits is refused");
	tap_ok(!ept_map(&e, gpa(BIT(48) - 0x1000), hpa(0), 0x2000, RWX, MEM_WB),
	       "so is a range across that");
	tap_ok(!ept_map(&e, gpa(BIT(48) + 0x1000), hpa(0), 0x1000, RWX, MEM_WB),
	       "and one behind it");
	tap_ok(!ept_unmap(&e, gpa(0x10), 0x1000) &&
		       !ept_unmap(&e, gpa(BIT(48) + 0x1000), 0x1000) &&
		       !ept_unmap(&e, gpa(BIT(48) - 0x1000), 0x2000),
	       "nor can such be taken away");
	tap_is(where(&e, BIT(48)), ~0ULL, "beyond 48 bits there is nothing");
	tap_ok((ept_pointer(&e) & 0xfff) == 0x1e,
	       "EPT pointer: write-back, 4 levels, no flags");
	ept_fini(&e);
	tap_is(p.taken, 0, "all table pages are given back");
}

static void sizes(void)
{
	struct pages p;
	struct ept e;

	init(&e, &p, 100, true, true);
	ept_map(&e, gpa(0), hpa(0), GIB, RWX, MEM_WB);
	tap_is(e.table_pages, 2, "1 GiB is one entry");
	ept_fini(&e);
	init(&e, &p, 100, true, false);
	ept_map(&e, gpa(0), hpa(0), GIB, RWX, MEM_WB);
	tap_is(e.table_pages, 3, "without 1 GiB pages: one table of 2 MiB");
	ept_fini(&e);
	init(&e, &p, 1000, false, false);
	ept_map(&e, gpa(0), hpa(0), GIB, RWX, MEM_WB);
	tap_is(e.table_pages, 3 + 512, "with 4 KiB pages only: 512 tables");
	ept_fini(&e);
	init(&e, &p, 100, true, true);
	ept_map(&e, gpa(0), hpa(0x1000), 4 * MIB, RWX, MEM_WB);
	tap_is(e.table_pages, 5, "host memory off by a page: small pages");
	tap_is(where(&e, 0x3ff123), 0x400123, "and right all the same");
	ept_fini(&e);
}

static void splits(void)
{
	struct pages p;
	struct ept e;

	init(&e, &p, 100, true, true);
	ept_map(&e, gpa(0), hpa(4 * GIB), 2 * GIB, RWX, MEM_WB);

	const u64 before = e.generation;

	tap_ok(ept_unmap(&e, gpa(0x1000), 0x1000), "a hole in a 1 GiB page");
	tap_ok(e.generation > before, "the generation tells of it");
	tap_is(where(&e, 0x1000), ~0ULL, "the hole");
	tap_is(where(&e, 0), 4 * GIB, "before it");
	tap_is(where(&e, 0x2000), 4 * GIB + 0x2000, "behind it");
	tap_is(where(&e, GIB - 1), 5 * GIB - 1, "the end of the page");
	tap_is(where(&e, GIB), 5 * GIB, "its neighbour");
	ept_map(&e, gpa(0), hpa(8 * GIB), GIB, EPT_READ, MEM_WB);
	tap_is(where(&e, 0x1000), 8 * GIB + 0x1000, "mapped over as a whole");
	tap_is(e.table_pages, 2, "and the tables below are given back");
	tap_ok(ept_unmap(&e, gpa(0), 16 * GIB), "everything away");
	tap_is(where(&e, GIB), ~0ULL, "nothing is left");
	ept_fini(&e);
	tap_is(p.taken, 0, "no table page is lost");
}

static void no_memory(void)
{
	struct pages p;
	struct ept e;

	init(&e, &p, 0, true, true);
	tap_ok(!e.root, "no page for the root");
	ept_fini(&e);
	tap_is(p.taken, 0, "which takes nothing, and gives nothing back");
	init(&e, &p, 2, true, true);
	tap_ok(!ept_map(&e, gpa(0), hpa(0), 0x1000, RWX, MEM_WB),
	       "no page for a table");
	ept_fini(&e);
	init(&e, &p, 2, true, true);
	ept_map(&e, gpa(0), hpa(0), GIB, RWX, MEM_WB);
	tap_ok(!ept_unmap(&e, gpa(0x1000), 0x1000), "no page for a split");
	tap_is(where(&e, 0x1000), 0x1000, "and nothing of it was changed");
	ept_fini(&e);
	tap_is(p.taken, 0, "no table page is lost");
}

/* 64 MiB of random maps and unmaps, compared page by page. */
#define MODEL_PAGES 16384u
static u64 model[MODEL_PAGES];

static u32 random_state = 1;
static u32 random_below(u32 n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

static bool model_agrees(const struct ept *e)
{
	for (u32 i = 0; i < MODEL_PAGES; i++)
		if (where(e, i * PAGE_SIZE) != model[i])
			return false;
	return true;
}

static void against_model(void)
{
	struct pages p;
	struct ept e;
	bool same = true;

	init(&e, &p, 100000, true, true);
	memset(model, 0xff, sizeof(model));
	for (u32 round = 0; round < 300; round++) {
		/* Half of the time at a multiple of 2 MiB. */
		const u32 unit = random_below(2) ? 1 : 512;
		const u32 at   = random_below(MODEL_PAGES / unit) * unit;
		const u32 most = (MODEL_PAGES - at) / unit;
		const u32 n    = (1 + random_below(most < 8 ? most : 8)) * unit;
		const u64 to   = (u64)random_below(1000) * unit * PAGE_SIZE;
		const bool map = random_below(3) > 0;

		if (at + n > MODEL_PAGES)
			continue;
		if (map)
			ept_map(&e, gpa(at * PAGE_SIZE), hpa(to), n * PAGE_SIZE,
				RWX, MEM_WB);
		else
			ept_unmap(&e, gpa(at * PAGE_SIZE), n * PAGE_SIZE);
		for (u32 i = 0; i < n; i++)
			model[at + i] = map ? to + i * PAGE_SIZE : ~0ULL;
		if (round % 10 == 0)
			same &= model_agrees(&e);
	}
	tap_ok(same && model_agrees(&e), "300 random changes: as the model");
	ept_fini(&e);
	tap_is(p.taken, 0, "no table page is lost");
}

/* Tables that are cut off wait for the CPUs that may still walk them. */
static void retired_tables(void)
{
	u64 done[2] = { 0 };
	struct pages p;
	struct ept e;

	init(&e, &p, 100, true, true);
	e.duty = (struct ept_duty){ done, 2 };
	ept_map(&e, gpa(0x1000), hpa(0x5000), PAGE_SIZE, RWX, MEM_WB);
	tap_is(e.generation, 0, "a new mapping cuts nothing");
	tap_is((u64)p.taken, 4, "four levels of tables");
	ept_duty_done(&e.duty, 0, e.generation);
	ept_duty_done(&e.duty, 1, e.generation);

	u64 *const level1 = hpa_ptr(
		hpa(((u64 *)hpa_ptr(
			    hpa(((u64 *)hpa_ptr(hpa(e.root[0] & ~7ULL)))[0] &
				~7ULL)))[0] &
		    ~7ULL));

	ept_map(&e, gpa(0), hpa(0), GIB, RWX, MEM_WB);
	tap_ok(e.generation > 0, "a replaced mapping is a cut");
	tap_ok(!ept_is_settled(&e), "of which two CPUs have to hear");
	tap_is((u64)p.taken, 4, "the tables below stay");
	tap_ok(!(level1[0] & RWX) && (level1[1] & RWX),
	       "and map no more than before");
	ept_duty_done(&e.duty, 0, e.generation);
	ept_map(&e, gpa(2 * GIB), hpa(0), GIB, RWX, MEM_WB);
	tap_is((u64)p.taken, 4, "one CPU is not all");
	ept_duty_left(&e.duty, 1);
	tap_ok(ept_is_settled(&e), "the other one leaves: settled");
	ept_map(&e, gpa(3 * GIB), hpa(0), GIB, RWX, MEM_WB);
	tap_is((u64)p.taken, 2, "the next change gives them back");
	ept_duty_done(&e.duty, 1, e.generation);
	ept_map(&e, gpa(0x1000), hpa(0x5000), PAGE_SIZE, RWX, MEM_WB);
	ept_map(&e, gpa(0), hpa(0), GIB, RWX, MEM_WB);
	tap_ok(!ept_is_settled(&e), "the end comes before they are");
	ept_fini(&e);
	tap_is((u64)p.taken, 0, "and gives everything back");
}

int main(void)
{
	basics();
	sizes();
	splits();
	no_memory();
	against_model();
	retired_tables();
	return tap_done();
}

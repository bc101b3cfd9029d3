/* SPDX-License-Identifier: MIT */
/*
 * vmx/ept.c, by induction: from any map of tables with 2 instead of 512
 * entries, reachable or not, one step at any addresses leads to a map that is
 * well formed, changes what was asked and nothing else, and gives no table back
 * that a CPU may still walk; a page for a table may be missing at any time.
 *
 * PART 1: a step of ept_map(), from the page AT of the 16 on. 2: one of
 * ept_unmap(). DEPTH is the level at which the walk to AT ends in the map
 * before: the steps are proved one AT and DEPTH at a time, for then CBMC knows
 * the tables on the way.
 */
#include "tests/proof/proof.h"

/* boot/lib/addr.h's types; pointers come from the tables' numbers. */
#define BOOT_LIB_ADDR_H
typedef struct {
	u64 v;
} hpa_t;
typedef struct {
	u64 v;
} gpa_t;

static inline hpa_t hpa(u64 v)
{
	return (hpa_t){ v };
}

static inline gpa_t gpa(u64 v)
{
	return (gpa_t){ v };
}

static void *hpa_ptr(hpa_t at);
static hpa_t ptr_hpa(const void *p);

#define EPT_INDEX_BITS 1
#include "vmx/ept.c"
#include "vmx/ept_duty.c"

#ifndef AT
#define AT    0
#define DEPTH 0
#endif
#define CPUS 2

/*
 * Table 0 is the root, and what hangs below the entry I of the table N of the
 * tree, if anything does, is CHILD(N, I): numbers are only names. Behind the
 * tree are those that may be taken, in this order, and those cut off before.
 */
#define TREE        15 /* 1 + 2 + 4 + 8 */
#define SPARE       3  /* the most that a step takes */
#define CUT         (TREE + SPARE)
#define TABLES      (CUT + 2)
#define LIST        (2 + 7) /* cut off before, and by a step */
#define CHILD(n, i) ((n)*EPT_ENTRIES + 1 + (i))

static u64 memory[TABLES * EPT_ENTRIES];
static bool taken[TABLES];
static u32 spare = TREE;
static struct ept ept;
static u64 done[CPUS];

static u64 *table_at(u32 n)
{
	return &memory[n * EPT_ENTRIES];
}

static u32 level_of(u32 n)
{
	return n == 0 ? 4 : n < 3 ? 3 : n < 7 ? 2 : 1;
}

/* Table N lies at the physical page N + 1. */
static u64 entry_to(u32 n)
{
	return (n + 1ULL) * PAGE_SIZE | 7;
}

static void *hpa_ptr(hpa_t at)
{
	const u64 page = at.v >> 12;

	__CPROVER_assert(at.v % PAGE_SIZE == 0 && page >= 1 && page <= TABLES &&
				 taken[page - 1],
			 "E1 what is taken for a table is one");
	ASSUME(page >= 1 && page <= TABLES);
	return table_at((u32)page - 1);
}

static u32 number_of(const void *p)
{
	const u64 at = __CPROVER_POINTER_OFFSET(p);

	__CPROVER_assert(__CPROVER_same_object(p, memory) && at % 16 == 0,
			 "E1 a pointer that is to no table");
	return (u32)(at >> 4);
}

static hpa_t ptr_hpa(const void *p)
{
	return (hpa_t){ p ? (number_of(p) + 1ULL) << 12 : 0 };
}

static void *take(void *context)
{
	const u32 n = spare++;

	__CPROVER_assert(n < CUT, "a step takes no more");
	if (nondet_bool())
		return NULL;
	taken[n] = true;
	for (u32 i = 0; i < EPT_ENTRIES; i++)
		table_at(n)[i] = 0;
	return table_at(n);
}

/* Has every CPU forgotten what was cut off up to now? */
static bool all_have_heard(void)
{
	for (u32 i = 0; i < ept.duty.cpu_count; i++)
		if (done[i] && done[i] < ept.generation + 1)
			return false;
	return true;
}

static void give_back(void *context, void *page)
{
	const u32 n = number_of(page);

	CHECK("E2 a table is given back once", true, taken[n]);
	CHECK("E3 and not while a CPU may walk it", true, all_have_heard());
	taken[n] = false;
}

/* As the CPU takes one: SDM vol. 3, "EPT Translation Mechanism". */
static bool is_leaf(u64 e, u32 level)
{
	return level < EPT_LEVELS && e < BIT(52) &&
	       (level == 1) == !(e & BIT(7)) &&
	       !(e & FIELD(51, 12) & (level_bytes(level) - 1));
}

/*
 * Every table that is taken hangs in the tree once, at one level, or in the
 * list of those cut off; every entry is a leaf, nothing, or points to a table.
 */
static bool is_well_formed(void)
{
	bool seen[TABLES] = { [0] = true };
	u32 level[TABLES] = { 0 };
	u32 count         = 0;
	const u64 *cut    = ept.retired;
	bool ok           = ept.root == table_at(0);

	for (u32 n = 0; n < TREE; n++)
		level[n] = level_of(n);
	/* A table's number is above that of the one it hangs below. */
	for (u32 n = 0; n < CUT; n++)
		for (u32 i = 0; i < EPT_ENTRIES; i++) {
			const u64 e = table_at(n)[i];
			bool found  = false;

			if (!seen[n] || !(e & 7))
				continue;
			if (level[n] == 1 || (e & BIT(7))) {
				ok = ok && is_leaf(e, level[n]);
				continue;
			}
			for (u32 m = n + 1; m < CUT; m++) {
				if (m < TREE && m != CHILD(n, i))
					continue;
				if (e == entry_to(m)) {
					ok       = ok && !seen[m];
					found    = true;
					seen[m]  = true;
					level[m] = level[n] - 1;
				}
			}
			ok = ok && found;
		}
	for (u32 left = LIST; cut && left; left--) {
		const u32 n = number_of(cut);

		ok      = ok && !seen[n];
		seen[n] = true;
		cut     = cut[0] ? table_at((u32)(cut[0] >> 12) - 1) : NULL;
	}
	for (u32 n = 0; n < TABLES; n++) {
		ok = ok && taken[n] == seen[n];
		count += taken[n];
	}
	return ok && !cut && ept.table_pages == count;
}

/* What is mapped at AT, all of its entry but the large bit; 0: nothing. */
static u64 translate(u64 at)
{
	u32 n = 0;

	for (u32 l = EPT_LEVELS; l >= 1; l--) {
		const u64 e = table_at(n)[at >> (11 + l) & 1];

		if (!(e & 7))
			return 0;
		if (l == 1 || (e & BIT(7)))
			return (e & ~BIT(7)) +
			       (at & (level_bytes(l) - PAGE_SIZE));
		n = (u32)(e >> 12) - 1;
	}
	return 0;
}

static void any_map(void)
{
	const u32 cut = nondet_u32();
	u32 count     = 1;

	taken[0] = true;
	for (u32 n = 0; n < TREE; n++)
		for (u32 i = 0; i < EPT_ENTRIES; i++) {
			const u32 l    = level_of(n);
			u64 e          = nondet_u64();
			/* Is this entry on the way to AT? */
			const bool way = DEPTH && (n + 1) * 2 + i ==
							  (16 + AT) >> (l - 1);
			const bool table = way ? l > DEPTH : nondet_bool();

			if (l > 1 && table) {
				taken[CHILD(n, i)] = taken[n];
				count += taken[n];
				e = entry_to(CHILD(n, i));
			} else {
				ASSUME(!(e & 7) || is_leaf(e, l));
			}
			table_at(n)[i] = e;
		}
	ASSUME(cut <= 2);
	for (u32 n = CUT; n < TABLES; n++) {
		taken[n]       = n < CUT + cut;
		table_at(n)[0] = n + 1 < CUT + cut ? (n + 2ULL) << 12 : 0;
	}
	for (u32 i = 0; i < CPUS; i++)
		done[i] = nondet_u64();
	ept = (struct ept){
		.root        = table_at(0),
		.source      = { take, give_back, NULL },
		.pages_2m    = nondet_u8() & 1,
		.pages_1g    = nondet_u8() & 1,
		.table_pages = count + cut,
		.generation  = nondet_u32(),
		.duty        = { done, nondet_u8() % (CPUS + 1) },
		.retired     = cut ? table_at(CUT) : NULL,
	};
}

static u64 page_below(u64 end)
{
	const u64 at = nondet_u64();

	ASSUME(at < end && at % PAGE_SIZE == 0);
	return at;
}

static void step(void)
{
	const u64 at     = AT * PAGE_SIZE;
	const u64 to     = page_below(BIT(46));
	const u64 bytes  = page_below(EPT_END - at + 1);
	const u64 w      = page_below(EPT_END);
	const u64 access = nondet_u8() & 7, type = nondet_u8() & 7;
	const u64 bits = access | type << 3;
	const bool map = PART == 1;

	ASSUME(bytes > 0);

	const u64 before = translate(w), old = ept.generation;
	const u64 asked = map && access && w >= at ? (to + (w - at)) | bits : 0;
	const u64 step  = map ? map_one(&ept, at, to, bytes, bits)
			      : unmap_one(&ept, at, bytes);
	const bool inside = w >= at && w - at < min_u64(step, bytes);
	const u64 after   = translate(w);

	CHECK("E4 the map is well formed", true, is_well_formed());
	CHECK("E5 what was asked is so", inside, after == asked);
	CHECK("E6 nothing else has changed", !inside, after == before);
	CHECK("E7 what was cut is a new generation", before && after != before,
	      ept.generation > old);
	CHECK("E8 a step stays in what was asked", map, step <= bytes);
	CHECK("E9 a step stays in what can be mapped", true,
	      step <= EPT_END - at && step % PAGE_SIZE == 0);
	CHECK("E10 what was skipped is a hole",
	      !map && step > bytes && w >= at && w - at < step, !before);
}

static void look_up(void)
{
	const u64 at     = nondet_u64();
	const u64 before = at < EPT_END ? translate(at) : 0;
	hpa_t to;
	unsigned int access;
	enum mem_type type;
	const bool found = ept_lookup(&ept, gpa(at), &to, &access, &type);

	CHECK("E11 found is what is mapped", true, found == (before != 0));
	CHECK("E12 as it is mapped", found,
	      to.v == ((before & FIELD(51, 12)) | at % PAGE_SIZE) &&
		      access == (before & 7) && type == (before >> 3 & 7));
}

static void end_and_begin(void)
{
	ept_fini(&ept);
	for (u32 n = 0; n < TABLES; n++)
		CHECK("E13 in the end every table is given back", true,
		      !taken[n]);
	CHECK("E14 and none is counted", true, ept.table_pages == 0);
	if (ept_init(&ept, ept.source, true, true))
		CHECK("E15 a new map is empty", true,
		      ept.table_pages == 1 && number_of(ept.root) == TREE &&
			      !ept.root[0] && !ept.root[1] && !ept.retired);
}

int main(void)
{
	any_map();
	if (PART == 3)
		look_up();
	else if (PART == 4)
		end_and_begin();
	else
		step();
	return 0;
}

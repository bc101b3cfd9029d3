/* SPDX-License-Identifier: MIT */
/*
 * Firmware's memory map of any content: PART 1, an entry of either form at any
 * distance; 2, what becomes of a map of up to ENTRIES, over 1's contract.
 */
#include "tests/proof/parser.h"

#define BOOT_REGION_MAX 2
#include "tests/proof/boot_info.h"

#include "boot/memory_map.c"

#define ENTRIES 2
#define STRIDE  48

static struct boot_info bi;
static struct memory_map_entry entry[ENTRIES];

/* In the place of memory_map_entry(). */
struct memory_map_entry any_entry(const struct memory_map *m, u32 i)
{
	__CPROVER_assert(i < m->count, "only entries that exist");
	return entry[i];
}

static void one_entry(void)
{
	const bool efi            = nondet_bool();
	const struct memory_map m = {
		.first  = any_bytes(STRIDE * ENTRIES),
		.stride = (nondet_bool() ? STRIDE : STRIDE - 8),
		.count  = ENTRIES,
		.form   = efi ? MEMORY_MAP_EFI : MEMORY_MAP_E820,
	};
	const struct memory_map_entry e =
		memory_map_entry(&m, nondet_bool() ? 1 : 0);

	CHECK("what does not wrap ends behind its start", !e.wraps,
	      e.bytes <= UINT64_MAX - e.start);
}

/* Only the order of addresses matters: 16 are more than enough. */
static u64 any_address(void)
{
	return (u64)(nondet_u8() & 0xf) << 60;
}

static void flatten(void)
{
	const struct memory_map m = { .count = nondet_u8() % (ENTRIES + 1) };
	const u64 at              = any_address();
	bool covered = false, found = false, ok;
	enum boot_region_kind worst = BOOT_REGION_RAM, kind = BOOT_REGION_RAM;

	for (u32 i = 0; i < ENTRIES; i++) {
		struct memory_map_entry *e = &entry[i];

		e->start = any_address();
		e->bytes = any_address();
		e->kind  = (enum boot_region_kind)(nondet_u8() & 3);
		ASSUME(e->bytes <= UINT64_MAX - e->start);
		if (i >= m.count || at < e->start || at - e->start >= e->bytes)
			continue;
		covered = true;
		worst   = e->kind > worst ? e->kind : worst;
	}
	ok = memory_map_flatten(&m, 1, &bi);
	CHECK("what does not fit is more than there is room for", !ok,
	      bi.region_count == BOOT_REGION_MAX);
	for (u32 i = 0; i < BOOT_REGION_MAX; i++) {
		const struct boot_region *r = &bi.region[i];

		if (i >= bi.region_count)
			continue;
		CHECK("regions are in order", true,
		      r->start < r->end && (i == 0 || r[-1].end <= r->start));
		if (at >= r->start && at < r->end) {
			found = true;
			kind  = r->kind;
		}
	}
	CHECK("every address is covered as before", ok, found == covered);
	CHECK("and by the most restrictive entry", ok && covered,
	      kind == worst);
}

int main(void)
{
	if (PART == 1)
		one_entry();
	else
		flatten();
	return 0;
}

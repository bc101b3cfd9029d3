/* SPDX-License-Identifier: MIT */
/* links: boot/lib/paging.c boot/lib/physaddr.c */
/*
 * The host's page tables, walked as the CPU would, against a map page by page:
 * random histories of mapping and unmapping across 4 KiB, 2 MiB and 1 GiB.
 * Source: SDM vol. 3, "4-Level Paging".
 */
#include "boot/lib/paging.h"

#include <stdlib.h>
#include <string.h>

#include "boot/lib/addr.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/physaddr.h"
#include "tests/unit/tap.h"

#define PAGES 2048
#define TIB   (1024 * GIB)

static u64 tables_left = UINT64_MAX;

void *pages_alloc(u64 page_count)
{
	if (!tables_left)
		return NULL;
	tables_left--;
	void *p = aligned_alloc(PAGE_SIZE, page_count * PAGE_SIZE);

	memset(p, 0, page_count * PAGE_SIZE);
	return p;
}

void refuse(const char *fmt, ...)
{
	printf("Bail out! refusal: %s\n", fmt);
	exit(1);
}

void panic(const char *fmt, ...)
{
	printf("Bail out! panic: %s\n", fmt);
	exit(1);
}

/* A machine with 52 bits of address, 6 of them of a key: 64 TiB. */
void physaddr_read(struct physaddr *p)
{
	*p = (struct physaddr){ 52, 3 | 6ULL << 32 };
}

/* As the CPU: the leaf that translates AT, 0: none; *SIZE is what it covers. */
static u64 walk(u64 at, u64 *size)
{
	const u64 *table = hpa_ptr(hpa(paging_root()));

	for (int shift = 39; table; shift -= 9) {
		const u64 entry = table[at >> shift & 511];

		*size = 1ULL << shift;
		if (!(entry & 1))
			return 0;
		if (shift == 12 || (entry & 0x80))
			return entry;
		table = hpa_ptr(hpa(entry & FIELD(51, 12)));
	}
	return 0;
}

/* AT is mapped at its own address with ACCESS, or not at all (ACCESS -1). */
static bool is(u64 at, int access)
{
	u64 size;
	const u64 leaf = walk(at, &size);

	if (access < 0)
		return leaf == 0;
	return leaf && (leaf & FIELD(51, 12)) == align_down(at, size) &&
	       !(leaf & BIT(1)) == !(access & PAGING_WRITE) &&
	       !(leaf & BIT(63)) == !!(access & PAGING_EXECUTE) &&
	       !(leaf & BIT(4)) == !(access & PAGING_DEVICE);
}

static void sizes(void)
{
	u64 size;

	paging_map(0, 5 * GIB, PAGING_WRITE);
	walk(2 * GIB, &size);
	tap_ok(size == GIB || size == 2 * MIB, "the largest pages that fit");
	paging_unmap(0, PAGE_SIZE);
	tap_ok(is(0, -1) && is(PAGE_SIZE, PAGING_WRITE),
	       "one page out of a large one");
	walk(PAGE_SIZE, &size);
	tap_is(size, PAGE_SIZE, "splits it to the bottom");
	walk(2 * MIB, &size);
	tap_is(size, 2 * MIB, "and its neighbours once");
	paging_map(4 * MIB, 6 * MIB, PAGING_EXECUTE);
	walk(4 * MIB, &size);
	tap_ok(size == 2 * MIB && is(4 * MIB, PAGING_EXECUTE) &&
		       is(4 * MIB - 1, PAGING_WRITE) &&
		       is(6 * MIB, PAGING_WRITE),
	       "2 MiB with other rights between its neighbours");
	paging_map(0xfee00000, 0xfee01000, PAGING_WRITE | PAGING_DEVICE);
	tap_ok(is(0xfee00000, PAGING_WRITE | PAGING_DEVICE) &&
		       is(0xfee01000, PAGING_WRITE),
	       "a device page within RAM");
	tap_ok(is(5 * GIB, -1), "nothing beyond the end");
	paging_unmap(0, 5 * GIB);
	tap_ok(is(2 * MIB, -1) && is(4 * GIB, -1), "all taken away");
}

/*
 * Steps of up to PAGES pages around a boundary of 1 GiB, where leaves of every
 * size meet; and what the audit counts.
 */
static void history(void)
{
	static int model[PAGES];
	const u64 base = 7 * GIB - PAGES / 2 * PAGE_SIZE;
	bool right     = true;
	struct paging_count n;
	u64 mapped = 0, executable = 0;

	srand(5);
	memset(model, -1, sizeof(model));
	for (int step = 0; step < 600; step++) {
		const u64 first = (u64)rand() % PAGES;
		const u64 count = 1 + (u64)rand() % (PAGES - first);
		const int kind  = rand() % 4 - 1;
		const u64 start = base + first * PAGE_SIZE;
		const u64 end   = start + count * PAGE_SIZE;

		right = right &&
			(kind < 0 ? paging_unmap(start, end)
				  : paging_map(start, end, (unsigned int)kind));
		for (u64 i = first; i < first + count; i++)
			model[i] = kind;
		for (u64 i = 0; i < PAGES; i++)
			right = right && is(base + i * PAGE_SIZE, model[i]);
	}
	tap_ok(right, "600 random steps, every page as it was mapped last");
	paging_audit(&n);
	for (u64 i = 0; i < PAGES; i++) {
		mapped += model[i] >= 0;
		executable += model[i] == PAGING_EXECUTE;
	}
	tap_ok(n.mapped == mapped && n.executable == executable &&
		       !n.writable_executable,
	       "the audit counts what is there");
	paging_map(base, base + PAGE_SIZE, PAGING_WRITE | PAGING_EXECUTE);
	paging_audit(&n);
	tap_is(n.writable_executable, 1, "and sees one page that is both");
}

/* Two sockets' memory with holes: beyond what one top entry covers. */
static void large_machine(void)
{
	static const u64 region[][2] = {
		{ 16 * GIB, 512 * GIB },
		{ TIB, TIB + 4096ULL * MIB },
		{ 33 * TIB + 2 * MIB, 33 * TIB + 3 * GIB + 4 * KIB },
		{ 64 * TIB - GIB, 64 * TIB },
	};
	struct paging_count before, after;
	u64 pages  = 0, size;
	bool right = true;

	tap_is(paging_limit(), 64 * TIB, "the limit knows of the key's bits");
	paging_audit(&before);
	for (size_t i = 0; i < ARRAY_SIZE(region); i++) {
		const u64 start = region[i][0], end = region[i][1];

		right = right && paging_map(start, end, PAGING_WRITE) &&
			is(start, PAGING_WRITE) &&
			is(end - PAGE_SIZE, PAGING_WRITE) &&
			is(start - PAGE_SIZE, -1) &&
			(end == 64 * TIB || is(end, -1));
		pages += (end - start) / PAGE_SIZE;
	}
	tap_ok(right, "memory up to 64 TiB, and nothing in its holes");
	paging_audit(&after);
	tap_is(after.mapped - before.mapped, pages, "as many pages as it has");
	tap_ok(after.tables - before.tables <= 16,
	       "%llu tables more for half a TiB and some",
	       (unsigned long long)(after.tables - before.tables));
	walk(TIB, &size);
	tap_ok(size == GIB || size == 2 * MIB, "in the largest pages");
	paging_unmap(TIB + GIB, TIB + 2 * GIB);
	tap_ok(is(TIB + GIB, -1) && is(TIB, PAGING_WRITE) &&
		       is(TIB + 2 * GIB, PAGING_WRITE),
	       "a hole made beyond 1 TiB");
	for (size_t i = 0; i < ARRAY_SIZE(region); i++)
		paging_unmap(region[i][0], region[i][1]);
}

static void no_memory(void)
{
	paging_map(20 * GIB, 22 * GIB, PAGING_WRITE);
	tables_left = 0;
	tap_ok(!paging_map(20 * GIB + PAGE_SIZE, 20 * GIB + 2 * PAGE_SIZE, 0),
	       "no page for a split: said so");
	tap_ok(is(20 * GIB + PAGE_SIZE, PAGING_WRITE),
	       "and nothing of that large page has changed");
	tables_left = UINT64_MAX;
}

int main(void)
{
	tap_is(paging_root(), 0, "no tables before the first page is mapped");
	sizes();
	history();
	large_machine();
	no_memory();
	return tap_done();
}

/* Tables live as long as the machine. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

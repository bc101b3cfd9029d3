/* SPDX-License-Identifier: MIT */
/*
 * Four levels (CR4.LA57 is 0), leaves of 1 GiB, 2 MiB and 4 KiB. Tables are
 * changed only at boot and when a CPU's stacks are made, by one CPU at a time.
 */
#include "boot/lib/paging.h"

#include "boot/lib/addr.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/physaddr.h"
#include "boot/lib/x86.h"

#define PTE_PRESENT    BIT(0)
#define PTE_WRITE      BIT(1)
#define PTE_PWT        BIT(3) /* with PCD: entry 3 of IA32_PAT, uncached */
#define PTE_PCD        BIT(4)
#define PTE_LARGE      BIT(7)
#define PTE_NX         BIT(63)
#define PTE_ADDRESS    FIELD(51, 12)
#define TABLE_ENTRIES  512
#define LEVEL_TOP      4
#define CANONICAL_BITS 47

/* Written at boot; see above. */
static struct {
	u64 *root;
	bool pages_1g;
	u64 limit;
} host;

/* Bytes that one entry at LEVEL covers; 1 is the lowest. */
static u64 level_bytes(unsigned int level)
{
	return BIT(12 + 9 * (level - 1));
}

static u64 *entry_at(u64 *table, unsigned int level, u64 at)
{
	return &table[at / level_bytes(level) % TABLE_ENTRIES];
}

static u64 *table_of(u64 entry)
{
	return hpa_ptr(hpa(entry & PTE_ADDRESS));
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (entry & PTE_LARGE);
}

static u64 leaf_flags(unsigned int access)
{
	return PTE_PRESENT | (access & PAGING_WRITE ? PTE_WRITE : 0) |
	       (access & PAGING_EXECUTE ? 0 : PTE_NX) |
	       (access & PAGING_DEVICE ? PTE_PCD | PTE_PWT : 0);
}

/* The table below ENTRY; a large page is split, nothing becomes an empty one.
 */
static u64 *descend(u64 *entry, unsigned int level)
{
	const u64 old = *entry;
	u64 *table;

	if ((old & PTE_PRESENT) && !is_leaf(old, level))
		return table_of(old);
	table = pages_alloc(1);
	if (!table)
		return NULL;
	if (old & PTE_PRESENT) {
		const u64 step  = level_bytes(level - 1);
		const u64 large = level - 1 > 1 ? PTE_LARGE : 0;

		for (u64 i = 0; i < TABLE_ENTRIES; i++)
			table[i] = ((old & ~PTE_LARGE) + i * step) | large;
	}
	*entry = ptr_hpa(table).v | PTE_PRESENT | PTE_WRITE;
	return table;
}

/*
 * Write a leaf with FLAGS (0: nothing mapped) over as much of [AT, END) as one
 * entry covers. Returns where the rest begins, 0: no page for a table.
 */
static u64 set_one(u64 at, u64 end, u64 flags)
{
	const unsigned int largest = host.pages_1g ? 3 : 2;
	unsigned int level         = LEVEL_TOP;
	u64 *table                 = host.root;

	for (;;) {
		u64 *entry      = entry_at(table, level, at);
		const u64 bytes = level_bytes(level);
		const bool fits = level <= largest && is_aligned(at, bytes) &&
				  end - at >= bytes;
		/* A table that exists is filled, not replaced: nothing leaks.
		 */
		const bool below =
			(*entry & PTE_PRESENT) && !is_leaf(*entry, level);

		if (fits && !below) {
			*entry =
				flags ? at | flags | (level > 1 ? PTE_LARGE : 0)
				      : 0;
			return at + bytes;
		}
		if (!flags && !(*entry & PTE_PRESENT))
			return min_u64(align_down(at, bytes) + bytes, end);
		table = descend(entry, level);
		if (!table)
			return 0;
		level--;
	}
}

static bool set(u64 start, u64 end, u64 flags)
{
	ASSERT(is_aligned(start | end, PAGE_SIZE) && end <= paging_limit());
	if (!host.root)
		host.root = pages_alloc(1);
	while (host.root && start < end) {
		start = set_one(start, end, flags);
		if (!start)
			return false;
	}
	return host.root != NULL;
}

bool paging_map(u64 start, u64 end, unsigned int access)
{
	return set(start, end, leaf_flags(access));
}

bool paging_unmap(u64 start, u64 end)
{
	return set(start, end, 0);
}

void paging_guard(const void *page)
{
	const u64 at = ptr_hpa(page).v;

	if (!paging_unmap(at, at + PAGE_SIZE))
		refuse("no memory for the page tables of a guard page");
	invlpg(page);
}

void paging_load(void)
{
	write_cr3(paging_root());
}

u64 paging_root(void)
{
	return ptr_hpa(host.root).v;
}

u64 paging_limit(void)
{
	if (!host.limit) {
		struct physaddr p;

		physaddr_read(&p);
		host.limit    = BIT(min_u64(physaddr_bits(&p), CANONICAL_BITS));
		host.pages_1g = cpuid(0x80000001, 0).edx & BIT(26);
	}
	return host.limit;
}

static void count_leaf(struct paging_count *count, u64 entry, u64 pages)
{
	const bool write   = entry & PTE_WRITE;
	const bool execute = !(entry & PTE_NX);

	count->mapped += pages;
	count->writable += write ? pages : 0;
	count->executable += execute ? pages : 0;
	count->writable_executable += write && execute ? pages : 0;
}

static void audit_table(struct paging_count *count, const u64 *table,
			unsigned int level)
{
	count->tables++;
	for (u64 i = 0; i < TABLE_ENTRIES; i++) {
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (is_leaf(table[i], level))
			count_leaf(count, table[i],
				   level_bytes(level) / PAGE_SIZE);
		else
			audit_table(count, table_of(table[i]), level - 1);
	}
}

void paging_audit(struct paging_count *count)
{
	*count = (struct paging_count){ 0 };
	if (host.root)
		audit_table(count, host.root, LEVEL_TOP);
}

/* SPDX-License-Identifier: MIT */
/*
 * Four levels of 512 entries (SDM vol. 3, "EPT Translation Mechanism"). An
 * entry that is replaced goes to its new value in one store. Locks nothing: the
 * owner of the VM changes its map, one CPU at a time. A table that is cut off
 * stays as it is until no CPU can walk it any more.
 */
#include "vmx/ept.h"

#define EPT_LEVELS 4
#ifndef EPT_INDEX_BITS /* the proof has smaller tables */
#define EPT_INDEX_BITS 9
#endif
#define EPT_ENTRIES      (1u << EPT_INDEX_BITS)
#define EPT_ACCESS_MASK  7ULL
#define EPT_LARGE        BIT(7)
#define EPT_TYPE_SHIFT   3
#define EPT_ADDRESS_MASK FIELD(51, 12)

/* Guest-physical addresses a 4-level EPT can translate. */
#define EPT_END BIT(12 + EPT_LEVELS * EPT_INDEX_BITS)

#define EPTP_WB     6ULL
#define EPTP_WALK_4 (3ULL << 3)

/* Bytes that an entry of LEVEL maps; level 1 maps pages. */
static u64 level_bytes(unsigned int level)
{
	return BIT(12 + EPT_INDEX_BITS * (level - 1));
}

static unsigned int index_at(u64 at, unsigned int level)
{
	return (unsigned int)(at / level_bytes(level)) % EPT_ENTRIES;
}

static bool is_present(u64 entry)
{
	return entry & EPT_ACCESS_MASK;
}

static bool is_table(u64 entry, unsigned int level)
{
	return is_present(entry) && level > 1 && !(entry & EPT_LARGE);
}

static u64 *table_of(u64 entry)
{
	return hpa_ptr(hpa(entry & EPT_ADDRESS_MASK));
}

static u64 *table_alloc(struct ept *ept)
{
	u64 *table = ept->source.alloc(ept->source.context);

	if (table)
		ept->table_pages++;
	return table;
}

static void page_free(struct ept *ept, u64 *table)
{
	ept->source.free(ept->source.context, table);
	ept->table_pages--;
}

static void table_free(struct ept *ept, u64 *table, unsigned int level)
{
	for (unsigned int i = 0; level > 1 && i < EPT_ENTRIES; i++)
		if (is_table(table[i], level))
			table_free(ept, table_of(table[i]), level - 1);
	page_free(ept, table);
}

/*
 * TABLE and those below it are cut off. The list goes through their first
 * entries: a page's address has no permission bits, so that a CPU which still
 * walks there finds nothing mapped, exits, and by then owes an INVEPT.
 */
static void retire(struct ept *ept, u64 *table, unsigned int level)
{
	for (unsigned int i = 0; level > 1 && i < EPT_ENTRIES; i++)
		if (is_table(table[i], level))
			retire(ept, table_of(table[i]), level - 1);
	*(volatile u64 *)table = ptr_hpa(ept->retired).v;
	ept->retired           = table;
}

bool ept_is_settled(const struct ept *ept)
{
	return ept_duty_all_done(&ept->duty, ept->generation);
}

static void reclaim(struct ept *ept)
{
	if (!ept_is_settled(ept))
		return;
	while (ept->retired) {
		u64 *const table = ept->retired;

		ept->retired = *table ? hpa_ptr(hpa(*table)) : NULL;
		page_free(ept, table);
	}
}

bool ept_init(struct ept *ept, struct ept_source source, bool pages_2m,
	      bool pages_1g)
{
	*ept = (struct ept){
		.source   = source,
		.pages_2m = pages_2m,
		.pages_1g = pages_1g,
	};
	ept->root = table_alloc(ept);
	return ept->root != NULL;
}

void ept_fini(struct ept *ept)
{
	ept->duty.cpu_count = 0;
	reclaim(ept);
	if (ept->root)
		table_free(ept, ept->root, EPT_LEVELS);
	ept->root = NULL;
}

/*
 * The table below ENTRY, which belongs to LEVEL: made if there is none, and a
 * large page becomes 512 smaller ones that map the same. NULL: no page left.
 */
static u64 *table_below(struct ept *ept, u64 *entry, unsigned int level)
{
	if (is_table(*entry, level))
		return table_of(*entry);

	u64 *table = table_alloc(ept);

	if (!table)
		return NULL;
	if (is_present(*entry)) {
		u64 part = level == 2 ? *entry & ~EPT_LARGE : *entry;

		for (unsigned int i = 0; i < EPT_ENTRIES; i++) {
			table[i] = part;
			part += level_bytes(level - 1);
		}
	}
	*(volatile u64 *)entry = ptr_hpa(table).v | EPT_ACCESS_MASK;
	return table;
}

static bool large_allowed(const struct ept *ept, unsigned int level)
{
	return level == 1 || (level == 2 && ept->pages_2m) ||
	       (level == 3 && ept->pages_1g);
}

/* Put VALUE in the place of *ENTRY; what hung below it retires. */
static void replace(struct ept *ept, u64 *entry, unsigned int level, u64 value)
{
	const u64 old = *entry;

	*(volatile u64 *)entry = value;
	if (is_table(old, level))
		retire(ept, table_of(old), level - 1);
	/* After the store: who has this generation has seen it. */
	if (is_present(old))
		__atomic_fetch_add(&ept->generation, 1, __ATOMIC_SEQ_CST);
}

/* One entry, as high in the tree as alignment allows. 0: no page for a table.
 */
static u64 map_one(struct ept *ept, u64 at, u64 to, u64 bytes, u64 bits)
{
	u64 *table = ept->root;

	for (unsigned int level = EPT_LEVELS; table; level--) {
		u64 *entry     = &table[index_at(at, level)];
		const u64 size = level_bytes(level);

		if (large_allowed(ept, level) && is_aligned(at | to, size) &&
		    bytes >= size) {
			replace(ept, entry, level,
				to | bits | (level > 1 ? EPT_LARGE : 0));
			return size;
		}
		table = table_below(ept, entry, level);
	}
	return 0;
}

bool ept_map(struct ept *ept, gpa_t at, hpa_t to, u64 bytes,
	     unsigned int access, enum mem_type type)
{
	const u64 bits = (access & EPT_ACCESS_MASK) | (u64)type
							      << EPT_TYPE_SHIFT;
	u64 done = 0;

	if (!is_aligned(at.v | to.v | bytes, PAGE_SIZE) || at.v > EPT_END ||
	    bytes > EPT_END - at.v)
		return false;
	while (done < bytes) {
		const u64 step = map_one(ept, at.v + done, to.v + done,
					 bytes - done, bits);

		if (step == 0)
			return false;
		done += step;
	}
	reclaim(ept);
	return true;
}

/* One entry or one hole. 0: no page for the split of a large page. */
static u64 unmap_one(struct ept *ept, u64 at, u64 bytes)
{
	u64 *table = ept->root;

	for (unsigned int level = EPT_LEVELS; table; level--) {
		u64 *entry     = &table[index_at(at, level)];
		const u64 size = level_bytes(level);

		if (!is_present(*entry))
			return size - (at & (size - 1));
		if (is_aligned(at, size) && bytes >= size) {
			replace(ept, entry, level, 0);
			return size;
		}
		table = table_below(ept, entry, level);
	}
	return 0;
}

bool ept_unmap(struct ept *ept, gpa_t at, u64 bytes)
{
	u64 done = 0;

	if (!is_aligned(at.v | bytes, PAGE_SIZE) || at.v > EPT_END ||
	    bytes > EPT_END - at.v)
		return false;
	while (done < bytes) {
		const u64 step = unmap_one(ept, at.v + done, bytes - done);

		if (step == 0)
			return false;
		done += step;
	}
	reclaim(ept);
	return true;
}

bool ept_lookup(const struct ept *ept, gpa_t at, hpa_t *to,
		unsigned int *access, enum mem_type *type)
{
	const u64 *table = ept->root;

	if (at.v >= EPT_END)
		return false;
	for (unsigned int level = EPT_LEVELS; level > 0; level--) {
		const u64 entry  = table[index_at(at.v, level)];
		const u64 offset = at.v & (level_bytes(level) - 1);

		if (!is_present(entry))
			return false;
		if (is_table(entry, level)) {
			table = table_of(entry);
			continue;
		}
		to->v = (entry & EPT_ADDRESS_MASK & ~(level_bytes(level) - 1)) |
			offset;
		*access = (unsigned int)(entry & EPT_ACCESS_MASK);
		*type   = (enum mem_type)field_get(entry, 5, 3);
		return true;
	}
	return false;
}

u64 ept_pointer(const struct ept *ept)
{
	return ptr_hpa(ept->root).v | EPTP_WB | EPTP_WALK_4;
}

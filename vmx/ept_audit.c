/* SPDX-License-Identifier: MIT */
#include "vmx/ept_audit.h"

#define LEVELS      4
#define ENTRIES     512
#define ACCESS      FIELD(2, 0)
#define TYPE        FIELD(5, 3)
#define LARGE       BIT(7)
#define PAGE_NUMBER FIELD(51, 12)

static const char *look_at(const struct ept *ept, struct ept_audit *a,
			   const u64 *table, unsigned int level, u64 at);

static const char *complain(struct ept_audit *a, u64 at, u64 entry,
			    const char *what)
{
	a->at    = at;
	a->entry = entry;
	return what;
}

static bool size_allowed(const struct ept *ept, unsigned int level)
{
	return level == 1 || (level == 2 && ept->pages_2m) ||
	       (level == 3 && ept->pages_1g);
}

/* The region that all BYTES from AT on are in; NULL: none. */
static const struct ept_region *region_of(const struct ept_audit *a, u64 at,
					  u64 bytes)
{
	for (u32 i = 0; i < a->region_count; i++) {
		const struct ept_region *r = &a->region[i];

		if (at >= r->at && at - r->at < r->bytes &&
		    bytes <= r->bytes - (at - r->at))
			return r;
	}
	return NULL;
}

static const char *check_page(const struct ept *ept, struct ept_audit *a,
			      u64 entry, unsigned int level, u64 at)
{
	const u64 bytes            = BIT(12 + 9 * (level - 1));
	const u64 to               = entry & PAGE_NUMBER;
	const struct ept_region *r = region_of(a, at, bytes);

	if (!size_allowed(ept, level))
		return complain(a, at, entry,
				"a page of a size that the CPU "
				"does not have");
	if (to & (bytes - 1) & PAGE_NUMBER)
		return complain(a, at, entry,
				"a large page that is not "
				"aligned");
	if (entry & ~(PAGE_NUMBER | ACCESS | TYPE | (level > 1 ? LARGE : 0)))
		return complain(a, at, entry, "a bit that no page has");
	if (!r)
		return complain(a, at, entry,
				"a page that should not be "
				"there");
	if (to != r->to + (at - r->at))
		return complain(a, at, entry, "a page that leads elsewhere");
	if ((entry & ACCESS) != r->access)
		return complain(a, at, entry, "other permissions");
	if (field_get(entry, 5, 3) != r->type)
		return complain(a, at, entry, "another memory type");
	a->mapped_bytes += bytes;
	return NULL;
}

static const char *check_table(const struct ept *ept, struct ept_audit *a,
			       u64 entry, unsigned int level, u64 at)
{
	if (level == 1 || (entry & ~(PAGE_NUMBER | ACCESS)) ||
	    (entry & ACCESS) != ACCESS)
		return complain(a, at, entry,
				"a bit that no reference to a "
				"table has");
	return look_at(ept, a, hpa_ptr(hpa(entry & PAGE_NUMBER)), level - 1,
		       at);
}

static const char *check_entry(const struct ept *ept, struct ept_audit *a,
			       u64 entry, unsigned int level, u64 at)
{
	if (entry & PAGE_NUMBER & ~a->address_mask)
		return complain(a, at, entry, "an address that is too wide");
	if (level == 1 || (entry & LARGE))
		return check_page(ept, a, entry, level, at);
	return check_table(ept, a, entry, level, at);
}

static const char *check_place(struct ept_audit *a, const u64 *table, u64 at)
{
	const u64 place = ptr_hpa(table).v;

	for (u32 i = 0; i < a->taken_count; i++)
		if (place >= a->taken[i].start && place < a->taken[i].end)
			return complain(a, at, place,
					"a table where something "
					"else is");
	a->table_count++;
	return NULL;
}

/* TABLE belongs to LEVEL and maps from AT on. */
static const char *look_at(const struct ept *ept, struct ept_audit *a,
			   const u64 *table, unsigned int level, u64 at)
{
	const u64 bytes = BIT(12 + 9 * (level - 1));
	const char *bad = check_place(a, table, at);

	/* An entry is absent with all bits 0: so we write it. */
	for (unsigned int i = 0; !bad && i < ENTRIES; i++, at += bytes)
		if (table[i])
			bad = check_entry(ept, a, table[i], level, at);
	return bad;
}

/* Their first entries lead from one to the next: see ept.c. */
static const char *check_retired(const struct ept *ept, struct ept_audit *a)
{
	const u64 *table = ept->retired;
	const char *bad  = NULL;

	while (!bad && table && a->table_count <= ept->table_pages) {
		bad   = check_place(a, table, 0);
		table = *table ? hpa_ptr(hpa(*table)) : NULL;
	}
	return bad;
}

const char *ept_audit(const struct ept *ept, struct ept_audit *a)
{
	const char *bad;
	u64 bytes = 0;

	a->table_count = a->mapped_bytes = 0;
	for (u32 i = 0; i < a->region_count; i++)
		bytes += a->region[i].bytes;

	bad = look_at(ept, a, ept->root, LEVELS, 0);
	if (!bad)
		bad = check_retired(ept, a);
	if (!bad && a->mapped_bytes != bytes)
		bad = complain(a, 0, bytes - a->mapped_bytes,
			       "bytes that are not mapped");
	if (!bad && a->table_count != ept->table_pages)
		bad = complain(a, 0, ept->table_pages,
			       "another number of tables than was taken");
	return bad;
}

/* SPDX-License-Identifier: MIT */
/* Regions come out in order: from each boundary to the next. */
#include "boot/memory_map.h"

#include "boot/lib/bytes.h"

enum e820_type {
	E820_RAM  = 1,
	E820_ACPI = 3,
	E820_NVS  = 4,
};

enum efi_type {
	EFI_LOADER_CODE        = 1,
	EFI_LOADER_DATA        = 2,
	EFI_BOOT_SERVICES_CODE = 3,
	EFI_BOOT_SERVICES_DATA = 4,
	EFI_CONVENTIONAL       = 7,
	EFI_ACPI_RECLAIM       = 9,
	EFI_ACPI_NVS           = 10,
};

#define EFI_PAGE_SHIFT 12
#define EFI_MEMORY_WB  BIT(3)
#define EFI_MEMORY_SP  BIT(18)

static enum boot_region_kind e820_kind(u32 type)
{
	switch (type) {
	case E820_RAM:
		return BOOT_REGION_RAM;
	case E820_ACPI:
		return BOOT_REGION_ACPI;
	case E820_NVS:
		return BOOT_REGION_NVS;
	}
	return BOOT_REGION_RESERVED;
}

static enum boot_region_kind efi_kind(u32 type, u64 attributes)
{
	switch (type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_SERVICES_CODE:
	case EFI_BOOT_SERVICES_DATA:
	case EFI_CONVENTIONAL:
		return (attributes & (EFI_MEMORY_WB | EFI_MEMORY_SP)) ==
				       EFI_MEMORY_WB
			       ? BOOT_REGION_RAM
			       : BOOT_REGION_RESERVED;
	case EFI_ACPI_RECLAIM:
		return BOOT_REGION_ACPI;
	case EFI_ACPI_NVS:
		return BOOT_REGION_NVS;
	}
	return BOOT_REGION_RESERVED;
}

struct memory_map_entry memory_map_entry(const struct memory_map *m, u32 i)
{
	const u8 *at = m->first + (size_t)i * m->stride;
	struct memory_map_entry e;

	if (m->form == MEMORY_MAP_E820) {
		e.start = get64(at);
		e.bytes = get64(at + 8);
		e.wraps = e.start + e.bytes < e.start;
		e.kind  = e820_kind(get32(at + 16));
	} else {
		const u64 pages = get64(at + 24);

		e.start = get64(at + 8);
		e.bytes = pages << EFI_PAGE_SHIFT;
		e.wraps = pages > UINT64_MAX >> EFI_PAGE_SHIFT ||
			  e.start + e.bytes < e.start;
		e.kind = efi_kind(get32(at), get64(at + 32));
	}
	return e;
}

/* Of many entries the most restrictive one that covers an address. */
struct cover {
	bool covered;
	enum boot_region_kind kind;
	u64 next; /* the next address where that may change */
};

static void look_at(const struct memory_map *m, u64 at, struct cover *c)
{
	for (u32 i = 0; i < m->count; i++) {
		const struct memory_map_entry e = memory_map_entry(m, i);
		const u64 end                   = e.start + e.bytes;

		if (e.start > at)
			c->next = min_u64(c->next, e.start);
		if (end > at)
			c->next = min_u64(c->next, end);
		if (e.start <= at && at < end) {
			c->covered = true;
			c->kind    = e.kind > c->kind ? e.kind : c->kind;
		}
	}
}

bool memory_map_flatten(const struct memory_map *map, u32 count,
			struct boot_info *bi)
{
	u64 next;

	bi->region_count = 0;
	for (u64 at = 0; at != UINT64_MAX; at = next) {
		struct boot_region *last = &bi->region[bi->region_count];
		struct cover c           = { .kind = BOOT_REGION_RAM,
					     .next = UINT64_MAX };

		for (u32 i = 0; i < count; i++)
			look_at(&map[i], at, &c);
		next = c.next;
		if (!c.covered)
			continue;
		if (bi->region_count && last[-1].end == at &&
		    last[-1].kind == c.kind) {
			last[-1].end = next;
			continue;
		}
		if (bi->region_count == BOOT_REGION_MAX)
			return false;
		*last = (struct boot_region){ at, next, c.kind };
		bi->region_count++;
	}
	return true;
}

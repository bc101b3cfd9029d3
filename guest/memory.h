/* SPDX-License-Identifier: MIT */
/*
 * The guest-physical memory of one VM: RAM as runs of host memory, the map that
 * its firmware would report, and copies that stay inside. Knows no EPT: vm.c
 * maps the runs.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include "boot/lib/addr.h"
#include "boot/lib/types.h"

#define MEMORY_HOLE_START 0xc0000000ULL /* device space below 4 GiB: no RAM */
#define MEMORY_HOLE_END   (4 * GIB)
#define MEMORY_RUN_MAX    64

/* What firmware keeps of the first MiB. */
#define MEMORY_EBDA  0x9fc00ULL /* extended BIOS data area up to 640 KiB */
#define MEMORY_VIDEO 0xa0000ULL
#define MEMORY_BIOS  0xe0000ULL /* our ACPI tables are here, up to 1 MiB */

struct memory_run {
	u64 start; /* guest-physical, page aligned */
	u64 bytes;
	u8 *host; /* contiguous */
};

struct memory {
	u64 bytes;
	u64 scrubbed; /* so many of them are zero: memory_scrub()'s */
	u32 run_count;
	struct memory_run run[MEMORY_RUN_MAX]; /* sorted, disjoint */
};

/*
 * BYTES of RAM, zeroed, from address 0 up, continued at 4 GiB where it would
 * reach the hole. False: the machine has not that much; nothing was taken.
 */
bool memory_create(struct memory *m, u64 bytes);

/*
 * Zero BYTES more of it; nothing runs in it meanwhile. True: all of it is zero
 * now, until the next memory_write().
 */
bool memory_scrub(struct memory *m, u64 bytes);

/* Zero what is left of it and give it back. */
void memory_destroy(struct memory *m);

/*
 * The host's view of [AT, AT + BYTES). NULL: not RAM, or not in one run. Only
 * for values that fit a page; a copy needs no such luck.
 */
void *memory_host(const struct memory *m, gpa_t at, u64 bytes);

/* Is all of it RAM? */
bool memory_is_ram(const struct memory *m, gpa_t at, u64 bytes);

/* False: not all of it is RAM; nothing was written. */
bool memory_write(struct memory *m, gpa_t at, const void *from, u64 bytes);
bool memory_clear(struct memory *m, gpa_t at, u64 bytes);

/* Types of firmware memory maps, multiboot's and Linux' E820 alike. */
enum memory_type {
	MEMORY_USABLE   = 1,
	MEMORY_RESERVED = 2,
};

struct memory_range {
	u64 start;
	u64 bytes;
	enum memory_type type;
};

#define MEMORY_RANGE_MAX 8

/* The map that firmware would report; returns the number of ranges. */
u32 memory_map(const struct memory *m,
	       struct memory_range range[MEMORY_RANGE_MAX]);

/* Is all of [START, START + BYTES) in one usable range? */
bool memory_is_usable(const struct memory_range *range, u32 count, u64 start,
		      u64 bytes);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Firmware's memory maps in their raw form -> boot_info's sorted, disjoint
 * regions. Pure. Knows the form of the BIOS's INT 15H, AX=E820H, and of UEFI.
 * Source: ACPI 6.4, section 15 "System Address Map Interfaces"; UEFI 2.10,
 * "EFI_BOOT_SERVICES.GetMemoryMap()".
 */
#ifndef BOOT_MEMORY_MAP_H
#define BOOT_MEMORY_MAP_H

#include "boot/boot_info.h"

enum memory_map_form {
	MEMORY_MAP_E820, /* base, bytes, type */
	MEMORY_MAP_EFI,  /* EFI_MEMORY_DESCRIPTOR */
};

/* The smallest legal distance between two entries of each form. */
#define MEMORY_MAP_E820_MIN 24
#define MEMORY_MAP_EFI_MIN  40

/* COUNT entries, STRIDE bytes apart, which need not be aligned. */
struct memory_map {
	const u8 *first;
	u32 stride;
	u32 count;
	enum memory_map_form form;
};

struct memory_map_entry {
	u64 start;
	u64 bytes;
	bool wraps; /* it does not end within 64 bits */
	enum boot_region_kind kind;
};

/*
 * Entry I, which exists. Of a UEFI map only memory that is free after
 * ExitBootServices(), can be cached, and is not set aside for a special purpose
 * is RAM.
 */
struct memory_map_entry memory_map_entry(const struct memory_map *m, u32 i);

/*
 * Fill in bi->region from COUNT maps that may overlap, in themselves and each
 * other: the most restrictive entry counts. False: there are more regions than
 * bi has room for. No entry wraps.
 */
bool memory_map_flatten(const struct memory_map *map, u32 count,
			struct boot_info *bi);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The only thing bring-up hands upward: what any boot loader told us, checked
 * and copied out of the loader's memory. Pure data; every pointer points into
 * memory that pages_init() keeps reserved for good.
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "boot/lib/types.h"

#define BOOT_REGION_MAX  256
#define BOOT_MODULE_MAX  64
#define BOOT_CMDLINE_MAX 4096

enum boot_region_kind {
	BOOT_REGION_RAM,  /* free to use */
	BOOT_REGION_ACPI, /* ACPI reclaimable: readable, never handed out */
	BOOT_REGION_NVS,
	BOOT_REGION_RESERVED, /* everything else */
};

struct boot_region {
	u64 start; /* physical; sorted, disjoint */
	u64 end;   /* exclusive */
	enum boot_region_kind kind;
};

struct boot_module {
	u64 start;           /* physical, as the loader placed it */
	u64 end;             /* exclusive, > start */
	const char *cmdline; /* NUL-terminated, in boot_info's text */
};

struct boot_info {
	const char *loader;  /* its name, "" if it gave none */
	const char *cmdline; /* Tilevisor's own, "" if none */
	u32 region_count;
	u32 module_count;
	struct boot_region region[BOOT_REGION_MAX];
	struct boot_module module[BOOT_MODULE_MAX];
	u64 rsdp;      /* physical address of a copy or 0 */
	u64 entry_tsc; /* TSC at our first instruction */
	u8 rsdp_copy[36];
	u32 text_used;
	char text[32768]; /* command lines and names, copied */
};

#endif

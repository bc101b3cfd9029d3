/* SPDX-License-Identifier: MIT */
/*
 * In the place of boot/boot_info.h: the same with room for little, so that
 * there can be too much, and CBMC need not think of 40 KiB.
 */
#ifndef TESTS_PROOF_BOOT_INFO_H
#define TESTS_PROOF_BOOT_INFO_H

#define BOOT_BOOT_INFO_H

#include "boot/lib/types.h"

#ifndef BOOT_REGION_MAX
#define BOOT_REGION_MAX 3
#endif
#define BOOT_MODULE_MAX  3
#define BOOT_CMDLINE_MAX 16

enum boot_region_kind {
	BOOT_REGION_RAM,
	BOOT_REGION_ACPI,
	BOOT_REGION_NVS,
	BOOT_REGION_RESERVED,
};

struct boot_region {
	u64 start, end;
	enum boot_region_kind kind;
};

struct boot_module {
	u64 start, end;
	const char *cmdline;
};

struct boot_info {
	const char *loader, *cmdline;
	u32 region_count, module_count;
	struct boot_region region[BOOT_REGION_MAX];
	struct boot_module module[BOOT_MODULE_MAX];
	u64 rsdp;
	u8 rsdp_copy[36];
	u32 text_used;
	char text[64];
};

#endif

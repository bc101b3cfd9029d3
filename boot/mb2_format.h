/* SPDX-License-Identifier: MIT */
/*
 * The tags of multiboot2's boot information that we read, or write as UEFI's
 * boot loader. Source: Multiboot2 Specification 2.0, "Boot information format".
 */
#ifndef BOOT_MB2_FORMAT_H
#define BOOT_MB2_FORMAT_H

enum mb2_tag {
	TAG_END      = 0,
	TAG_CMDLINE  = 1,
	TAG_LOADER   = 2,
	TAG_MODULE   = 3,
	TAG_MMAP     = 6,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
	TAG_EFI_MMAP = 17,
	TAG_EFI_BS   = 18,
	TAG_KNOWN_COUNT,
};

#define TAG_HEADER     8
#define RSDP_OLD_BYTES 20
#define RSDP_NEW_BYTES 36

#endif

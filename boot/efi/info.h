/* SPDX-License-Identifier: MIT */
/*
 * Builds multiboot2's boot information, so that what our UEFI loader found goes
 * through the same checks as any boot loader's. Pure.
 * Source: Multiboot2 Specification 2.0, "Boot information format".
 */
#ifndef BOOT_EFI_INFO_H
#define BOOT_EFI_INFO_H

#include "boot/lib/types.h"

struct efi_info {
	u8 *at; /* aligned to 8 bytes, SIZE of them */
	u32 size;
	u32 used;
	bool full; /* something did not fit; nothing more is added */
};

void efi_info_begin(struct efi_info *i, void *at, u32 size);

/* Tilevisor's command line; the loader's name. */
void efi_info_cmdline(struct efi_info *i, const char *text);
void efi_info_loader(struct efi_info *i, const char *text);

/* A module in physical memory, END exclusive. */
void efi_info_module(struct efi_info *i, u32 start, u32 end, const char *text);

/* RSDP of ACPI 1.0 (20 bytes) or of ACPI 2.0 (36). */
void efi_info_rsdp(struct efi_info *i, const void *rsdp, bool acpi2);

/*
 * Where GetMemoryMap() may write, and in *ROOM how much; the end tag still fits
 * behind it. May be called again.
 */
void *efi_info_map_place(struct efi_info *i, u32 *room);

/* The BYTES that it has written there; VERSION is the descriptors'. */
void efi_info_map(struct efi_info *i, u32 bytes, u32 stride, u32 version);

/* False: something did not fit. */
bool efi_info_end(struct efi_info *i);

#endif

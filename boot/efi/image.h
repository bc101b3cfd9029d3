/* SPDX-License-Identifier: MIT */
/*
 * Tilevisor's own image, an ELF64 that moves itself (boot/head.S), into memory.
 * Pure. What GRUB
 * does when it is the boot loader.
 */
#ifndef BOOT_EFI_IMAGE_H
#define BOOT_EFI_IMAGE_H

#include "boot/lib/types.h"

struct efi_image {
	const u8 *file;
	u64 file_bytes;
	u64 start; /* as linked */
	u64 bytes; /* of memory, from there */
	u64 entry; /* distance of the entry point from the start */
};

/* NULL, or what is wrong with the FILE. */
const char *efi_image_open(struct efi_image *image, const void *file,
			   u64 file_bytes);

/* Fill image->bytes of memory at TO. */
void efi_image_load(const struct efi_image *image, void *to);

#endif

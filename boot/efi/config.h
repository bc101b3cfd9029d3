/* SPDX-License-Identifier: MIT */
/*
 * tilevisor.cfg, which tells our UEFI loader what a boot loader's menu would:
 * one directive a line, # begins a comment.
 *
 *	options console=com1 log=info
 *	module vmlinuz vm=a mem=512M -- console=ttyS0
 *	module "my initrd" vm=a initrd
 *
 * Pure. The words behind a file's name are not judged here.
 */
#ifndef BOOT_EFI_CONFIG_H
#define BOOT_EFI_CONFIG_H

#include "boot/boot_info.h"

#define EFI_PATH_MAX 256 /* with its NUL */

struct efi_config {
	const char *options; /* Tilevisor's command line, "" if none */
	u32 module_count;
	struct {
		const char *path; /* from the volume's root, / or \ between */
		const char *words;
	} module[BOOT_MODULE_MAX];
};

/*
 * Take TEXT apart; it has LENGTH characters and room for one more, is written
 * to, and C points into it. False: WHY is a sentence with the line's number,
 * without a full stop.
 */
bool efi_config_parse(char *text, size_t length, struct efi_config *c,
		      char *why, size_t why_size);

#endif

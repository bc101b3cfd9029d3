/* SPDX-License-Identifier: MIT */
/*
 * Multiboot2's boot information -> struct boot_info. Pure. Nothing the loader
 * says is believed unchecked: each way of being malformed has its own error and
 * one sentence. Tags that we have no use for are skipped.
 * Source: Multiboot2 Specification 2.0, "Boot information format".
 */
#ifndef BOOT_MB2_H
#define BOOT_MB2_H

#include "boot/boot_info.h"
#include "boot/lib/types.h"

#define MB2_LOADER_MAGIC     0x36d76289u
#define MB2_TOTAL_MAX        MIB  /* of all of it; GRUB's takes 2 KiB */
#define MB2_MMAP_ENTRIES_MAX 1024 /* of one map; large UEFI machines: 500 */

enum mb2_error {
	MB2_OK,
	MB2_BAD_MAGIC,
	MB2_MISALIGNED,
	MB2_TOTAL_SMALL,
	MB2_TOTAL_LARGE,
	MB2_TAG_SHORT,
	MB2_TAG_PAST_END,
	MB2_NO_END,
	MB2_DUPLICATE,
	MB2_TEXT_OPEN,
	MB2_TEXT_LONG,
	MB2_TEXT_FULL,
	MB2_NO_MMAP,
	MB2_MMAP_ENTRY_SIZE,
	MB2_MMAP_RAGGED,
	MB2_MMAP_WRAPS,
	MB2_MMAP_TOO_LONG,
	MB2_MMAP_TOO_MANY,
	MB2_NO_RAM,
	MB2_MODULE_REVERSED,
	MB2_MODULE_EMPTY,
	MB2_MODULE_TOO_MANY,
	MB2_MODULE_NOT_RAM,
	MB2_MODULE_ON_IMAGE,
	MB2_MODULE_ON_INFO,
	MB2_MODULE_ON_MODULE,
	MB2_INFO_ON_IMAGE,
	MB2_RSDP_SIGNATURE,
	MB2_RSDP_SUM,
	MB2_BOOT_SERVICES,
	MB2_ERROR_COUNT,
};

/* What was wrong, and where: enough for the sentence. */
struct mb2_problem {
	enum mb2_error error;
	u32 tag;    /* its type, or the number of a module */
	u32 offset; /* of the tag in the boot information */
	u64 found;
	u64 needed;
};

/* Where things are, in physical addresses; ends are exclusive. */
struct mb2_placement {
	u64 info;
	u64 image_start;
	u64 image_end;
};

/*
 * MAGIC is what the loader left in EAX, INFO the boot information as it is to
 * be read here, of which READABLE bytes exist. BI is filled in completely.
 * False: *P says why, and BI must not be used.
 */
bool mb2_parse(u32 magic, const void *info, u64 readable,
	       const struct mb2_placement *at, struct boot_info *bi,
	       struct mb2_problem *p);

/* The sentence for P, without a full stop. */
void mb2_explain(const struct mb2_problem *p, char *text, size_t size);

#endif

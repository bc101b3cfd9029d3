/* SPDX-License-Identifier: MIT */
/*
 * Linux bzImages: is it one that can be started by the 64-bit boot protocol in
 * this much memory, and where do its parts go (Linux, Documentation/arch/x86/
 * boot.rst). Pure; linux.c copies.
 */
#ifndef GUEST_BZIMAGE_H
#define GUEST_BZIMAGE_H

#include <asm/bootparam.h>

#include "boot/lib/types.h"
#include "guest/memory.h"

struct bzimage_plan {
	struct setup_header header; /* as the file has it */
	u64 kernel_offset;          /* of the protected-mode part in the file */
	u64 kernel_bytes;
	u64 load;   /* guest-physical */
	u64 entry;  /* its 64-bit entry */
	u64 initrd; /* guest-physical; 0: none */
	u64 initrd_bytes;
};

/* Does this file have a Linux set-up header? */
bool bzimage_is(const void *file, u64 bytes);

/*
 * False: it cannot be started here; WHY is one sentence. INITRD_BYTES is 0
 * without an initrd, CMDLINE_BYTES without its NUL.
 */
bool bzimage_plan(const void *file, u64 bytes, u64 initrd_bytes,
		  u64 cmdline_bytes, const struct memory_range *range,
		  u32 range_count, struct bzimage_plan *plan, char *why,
		  size_t why_size);

/* Where linux.c puts the rest, all in the first 640 KiB. */
struct bzimage_places {
	u64 cmdline;
	u64 rsdp;
};

/* The zero page for that plan. */
void bzimage_params(const struct bzimage_plan *plan,
		    const struct memory_range *range, u32 range_count,
		    const struct bzimage_places *at,
		    struct boot_params *params);

#endif

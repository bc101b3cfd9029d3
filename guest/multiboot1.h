/* SPDX-License-Identifier: MIT */
/*
 * Multiboot 1 kernels: where their parts go, and the information that they get,
 * as GRUB 2 would have it (Multiboot Specification 0.6.96). Pure: it reads the
 * file and fills a buffer; vm.c copies.
 */
#ifndef GUEST_MULTIBOOT1_H
#define GUEST_MULTIBOOT1_H

#include "boot/lib/types.h"
#include "guest/memory.h"

#define MULTIBOOT1_BOOT_MAGIC  0x2badb002u /* in EAX at the entry */
#define MULTIBOOT1_SEGMENT_MAX 12

struct multiboot1_segment {
	u64 offset; /* in the file */
	u64 file_bytes;
	u64 start; /* guest-physical */
	u64 bytes; /* >= file_bytes; the rest is zeroed */
};

struct multiboot1_plan {
	u32 segment_count;
	struct multiboot1_segment segment[MULTIBOOT1_SEGMENT_MAX];
	u64 end; /* of the highest segment */
	u32 entry;
};

/* Does this file carry a multiboot 1 header where GRUB looks for one? */
bool multiboot1_is(const void *file, u64 bytes);

/*
 * Read header and program headers. False: the kernel cannot be loaded into this
 * memory map; WHY is one sentence.
 */
bool multiboot1_plan(const void *file, u64 bytes,
		     const struct memory_range *range, u32 range_count,
		     struct multiboot1_plan *plan, char *why, size_t why_size);

struct multiboot1_module {
	u64 start;
	u64 bytes;
	const char *cmdline;
};

struct multiboot1_facts {
	const char *cmdline;
	const char *loader;
	u32 module_count;
	const struct multiboot1_module *module;
	u32 range_count;
	const struct memory_range *range;
};

/* Bytes that multiboot1_info() needs for these facts. */
u64 multiboot1_info_bytes(const struct multiboot1_facts *facts);

/* Fill BUFFER, which the guest will find at address AT; EBX gets AT. */
void multiboot1_info(const struct multiboot1_facts *facts, void *buffer,
		     u32 at);

#endif

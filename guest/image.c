/* SPDX-License-Identifier: MIT */
/* Which loader an image needs, and multiboot 1's loading; Linux' is linux.c. */
#include "guest/image.h"

#include "boot/lib/pages.h"
#include "boot/lib/print.h"
#include "boot/lib/string.h"
#include "guest/bzimage.h"
#include "guest/linux.h"
#include "guest/multiboot1.h"
#include "guest/vm_config.h"

#define LOADER_NAME "Tilevisor"
#define INFO_LOW    0x90000 /* the multiboot information, if it is free */

static const struct {
	const char *magic;
	u32 bytes;
	const char *name;
} kinds[] = {
	{ "\x7f"
	  "ELF",
	  4, "an ELF file without a multiboot 1 header" },
	{ "\x1f\x8b", 2, "a gzip archive" },
	{ "\xfd"
	  "7zXZ",
	  5, "an xz archive" },
	{ "\x28\xb5\x2f\xfd", 4, "a zstd archive" },
	{ "070701", 6,
	  "a cpio archive, maybe an initrd without the word initrd" },
	{ "MZ", 2, "a PE image without a Linux header" },
	{ "#!", 2, "a script" },
};

static void describe(const struct image_file *image, char *why, size_t size)
{
	const u8 *b = image->data;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (image->bytes < kinds[i].bytes ||
		    memcmp(b, kinds[i].magic, kinds[i].bytes) != 0)
			continue;
		tv_snprintf(why, size,
			    "its image is neither a multiboot 1 kernel nor a "
			    "Linux bzImage but %s",
			    kinds[i].name);
		return;
	}
	tv_snprintf(why, size,
		    "its image is neither a multiboot 1 kernel nor a Linux "
		    "bzImage; %llu bytes that begin with %02x %02x %02x %02x",
		    (unsigned long long)image->bytes, b[0],
		    image->bytes > 1 ? b[1] : 0, image->bytes > 2 ? b[2] : 0,
		    image->bytes > 3 ? b[3] : 0);
}

static bool put_segments(struct memory *m, const struct image_file *image,
			 const struct multiboot1_plan *plan)
{
	for (u32 i = 0; i < plan->segment_count; i++) {
		const struct multiboot1_segment *s = &plan->segment[i];

		if (!memory_write(m, gpa(s->start),
				  (const u8 *)image->data + s->offset,
				  s->file_bytes) ||
		    !memory_clear(m, gpa(s->start + s->file_bytes),
				  s->bytes - s->file_bytes))
			return false;
	}
	return true;
}

/* Page-aligned, one behind the other above the kernel. False: no room. */
static bool put_modules(struct memory *m, const struct image_file *initrd,
			u32 count, u64 *at, const struct memory_range *range,
			u32 range_count, struct multiboot1_module *module)
{
	for (u32 i = 0; i < count; i++) {
		*at       = align_up(*at, PAGE_SIZE);
		module[i] = (struct multiboot1_module){
			.start   = *at,
			.bytes   = initrd[i].bytes,
			.cmdline = initrd[i].cmdline,
		};
		if (!memory_is_usable(range, range_count, *at,
				      initrd[i].bytes) ||
		    !memory_write(m, gpa(*at), initrd[i].data, initrd[i].bytes))
			return false;
		*at += initrd[i].bytes;
	}
	return true;
}

static bool low_is_free(const struct multiboot1_plan *plan, u64 bytes)
{
	for (u32 i = 0; i < plan->segment_count; i++)
		if (plan->segment[i].start < INFO_LOW + bytes &&
		    plan->segment[i].start + plan->segment[i].bytes > INFO_LOW)
			return false;
	return INFO_LOW + bytes <= MEMORY_EBDA;
}

/* The information's address, 0: there is no room for it, here or there. */
static u64 put_info(struct memory *m, const struct multiboot1_plan *plan,
		    const struct multiboot1_facts *facts, u64 above, char *why,
		    size_t why_size)
{
	const u64 bytes = multiboot1_info_bytes(facts);
	const u64 pages = align_up(bytes, PAGE_SIZE) / PAGE_SIZE;
	const u64 at    = low_is_free(plan, bytes) ? INFO_LOW
						   : align_up(above, PAGE_SIZE);
	u8 *buffer      = pages_alloc(pages);
	bool done       = false;

	if (!buffer) {
		tv_snprintf(why, why_size,
			    "no memory to make its multiboot information: "
			    "%llu bytes are needed",
			    (unsigned long long)bytes);
		return 0;
	}
	multiboot1_info(facts, buffer, (u32)at);
	if (memory_is_usable(facts->range, facts->range_count, at, bytes))
		done = memory_write(m, gpa(at), buffer, bytes);
	pages_free(buffer, pages);
	if (!done)
		tv_snprintf(why, why_size,
			    "there is no room for its multiboot "
			    "information: raise mem=");
	return done ? at : 0;
}

static bool load_multiboot1(struct memory *m, struct vcpu *v,
			    const struct image_file *image,
			    const struct image_file *initrd, u32 initrd_count,
			    char *why, size_t why_size)
{
	struct memory_range range[MEMORY_RANGE_MAX];
	const u32 range_count = memory_map(m, range);
	struct multiboot1_module module[VM_INITRD_MAX];
	struct multiboot1_plan plan;
	const struct multiboot1_facts facts = {
		.cmdline      = image->cmdline,
		.loader       = LOADER_NAME,
		.module_count = initrd_count,
		.module       = module,
		.range_count  = range_count,
		.range        = range,
	};

	if (!multiboot1_plan(image->data, image->bytes, range, range_count,
			     &plan, why, why_size))
		return false;

	u64 above = max_u64(plan.end, MIB);

	if (!put_segments(m, image, &plan) ||
	    !put_modules(m, initrd, initrd_count, &above, range, range_count,
			 module)) {
		tv_snprintf(why, why_size,
			    "its modules do not fit behind the kernel, which "
			    "ends at %#llx: raise mem=",
			    (unsigned long long)plan.end);
		return false;
	}

	const u64 info = put_info(m, &plan, &facts, above, why, why_size);

	if (!info)
		return false;
	vcpu_start_protected(v, plan.entry, MULTIBOOT1_BOOT_MAGIC, lo32(info));
	return true;
}

static bool load_linux(struct memory *m, struct vcpu *v,
		       const struct image_file *image,
		       const struct image_file *initrd, u32 initrd_count,
		       char *why, size_t why_size)
{
	const struct linux_file kernel = { image->data, image->bytes };
	struct linux_file file[VM_INITRD_MAX];
	struct linux_start s;

	for (u32 i = 0; i < initrd_count; i++)
		file[i] =
			(struct linux_file){ initrd[i].data, initrd[i].bytes };
	if (!linux_load(m, &kernel, file, initrd_count, image->cmdline,
			MEMORY_BIOS, &s, why, why_size))
		return false;
	vcpu_start_long(v, s.rip, s.rsi, s.cr3, s.gdt_base, s.gdt_limit);
	return true;
}

const char *image_load(struct memory *m, struct vcpu *v,
		       const struct image_file *image,
		       const struct image_file *initrd, u32 initrd_count,
		       char *why, size_t why_size)
{
	if (bzimage_is(image->data, image->bytes))
		return load_linux(m, v, image, initrd, initrd_count, why,
				  why_size)
			       ? "linux"
			       : NULL;
	if (multiboot1_is(image->data, image->bytes))
		return load_multiboot1(m, v, image, initrd, initrd_count, why,
				       why_size)
			       ? "multiboot1"
			       : NULL;
	describe(image, why, why_size);
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* links: guest/bzimage.c guest/memory.c boot/lib/print.c */
/* seconds: 60 */
/*
 * Linux images: a plan that stays within the file and the guest's memory, or a
 * sentence. Source: Linux, Documentation/arch/x86/boot.rst.
 */
#include "guest/bzimage.h"

#include "boot/lib/pages.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_no_pages.h"
#include "tests/unit/images.h"

static void judge(const struct bzimage_plan *p, u64 size,
		  const struct memory_range *range, u32 count)
{
	REQUIRE(p->kernel_offset <= size &&
		p->kernel_bytes <= size - p->kernel_offset);
	REQUIRE(memory_is_usable(range, count, p->load, p->header.init_size));
	REQUIRE(p->kernel_bytes <= p->header.init_size);
	REQUIRE(p->entry - p->load < p->header.init_size);
	REQUIRE(!p->initrd ||
		memory_is_usable(range, count, p->initrd, p->initrd_bytes));
	REQUIRE(!p->initrd || p->initrd >= p->load + p->header.init_size ||
		p->initrd + p->initrd_bytes <= p->load);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in       = { data, size };
	const u64 initrd      = take(&in, 4);
	const u64 cmdline     = take(&in, 2);
	const u64 memory_mib  = 4 + take(&in, 2) % 4096;
	const struct memory m = { .bytes = memory_mib * MIB };
	struct memory_range range[MEMORY_RANGE_MAX];
	const u32 count = memory_map(&m, range);
	u8 *file        = exact(in.at, in.left);
	char why[200]   = "";
	struct bzimage_plan plan;

	if (bzimage_is(file, in.left)) {
		if (bzimage_plan(file, in.left, initrd, cmdline, range, count,
				 &plan, why, sizeof(why))) {
			const struct bzimage_places at = { 0x1000, 0xe0000 };
			struct boot_params params;

			judge(&plan, in.left, range, count);
			bzimage_params(&plan, range, count, &at, &params);
			REQUIRE(params.e820_entries == count);
		} else {
			require_sentence(why, sizeof(why));
		}
	}
	free(file);
	return 0;
}

static void fuzz_seeds(void)
{
	u8 file[8 + 4096] = { 0 };

	put16(file + 6, 512);
	image_kernel(file + 8, 4096, 3);
	fuzz_seed(file, sizeof(file));
	put32(file, 3 * MIB);
	put16(file + 4, 100);
	fuzz_seed(file, sizeof(file));
}

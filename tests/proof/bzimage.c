/* SPDX-License-Identifier: MIT */
/* A Linux image of any content and any length above and below its header's. */
#include "tests/proof/parser.h"

#include "guest/bzimage.c"

#define FILE_BYTES 0x280 /* what is read: the set-up header lies below */

/* The contract of guest/memory.h for a map of one range from 0. */
bool memory_is_usable(const struct memory_range *range, u32 count, u64 start,
		      u64 bytes)
{
	return count && bytes <= range->bytes && start <= range->bytes - bytes;
}

int main(void)
{
	const struct memory_range range = { 0, nondet_u64(), MEMORY_USABLE };
	const u64 initrd_bytes = nondet_u64(), bytes = nondet_u64();
	struct bzimage_plan plan;
	char why[16];
	bool ok;

	ASSUME(range.bytes <= BIT(46) && bytes <= BIT(32));
	/* No more exists than the file has, and no more is read than that. */
	ok = bzimage_plan(any_bytes(bytes < FILE_BYTES ? bytes : FILE_BYTES),
			  bytes, initrd_bytes, nondet_u32(), &range, 1, &plan,
			  why, sizeof(why));
	CHECK("the kernel is inside the file", ok,
	      plan.kernel_offset <= bytes &&
		      plan.kernel_bytes == bytes - plan.kernel_offset);
	CHECK("and inside memory", ok,
	      memory_is_usable(&range, 1, plan.load, plan.kernel_bytes) &&
		      plan.load >= MIB);
	CHECK("the initrd is inside memory, above", ok && initrd_bytes,
	      memory_is_usable(&range, 1, plan.initrd, initrd_bytes) &&
		      plan.initrd >= plan.load + plan.kernel_bytes);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The places of up to SOME boot modules, of any boundaries: against the image,
 * each other and up to SOME regions of memory. Not the walk that finds them.
 */
#include "tests/proof/parser.h"

#include "boot/mb2.c"

#define SOME 3 /* regions and modules looked at together */

static struct boot_info bi;
static struct mb2_problem problem;

static bool all_modules_pass(struct walk *w, const struct mb2_placement *at)
{
	for (u32 i = 0; i < bi.module_count; i++)
		if (!check_module(w, at, i))
			return false;
	return true;
}

int main(void)
{
	struct walk w = { .total = nondet_u32(), .bi = &bi, .p = &problem };
	const struct mb2_placement at = {
		.info        = nondet_u64(),
		.image_start = nondet_u64(),
		.image_end   = nondet_u64(),
	};

	ASSUME(at.info <= BIT(52)); /* physical */
	ASSUME(at.image_start < at.image_end);
	bi.region_count = nondet_u32();
	bi.module_count = nondet_u32();
	ASSUME(bi.region_count <= SOME && bi.module_count <= SOME);
	for (u32 i = 0; i < SOME; i++) {
		bi.region[i] = (struct boot_region){
			nondet_u64(), nondet_u64(),
			nondet_bool() ? BOOT_REGION_RAM : BOOT_REGION_ACPI
		};
		bi.module[i].start = nondet_u32();
		bi.module[i].end   = nondet_u32();
		ASSUME(bi.module[i].start < bi.module[i].end);
	}
	const bool ok = all_modules_pass(&w, &at);

	CHECK("no module lies on our image", ok && bi.module_count > 0,
	      bi.module[0].end <= at.image_start ||
		      at.image_end <= bi.module[0].start);
	CHECK("no module lies on another", ok && bi.module_count > 1,
	      bi.module[0].end <= bi.module[1].start ||
		      bi.module[1].end <= bi.module[0].start);
	CHECK("what is wrong has a name", !ok,
	      problem.error != MB2_OK && problem.error < MB2_ERROR_COUNT);
	return 0;
}

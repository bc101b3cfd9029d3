/* SPDX-License-Identifier: MIT */
/*
 * Multiboot2's information, of any content. PART 1: the places of up to SOME
 * boot modules, of any boundaries, against the image, each other and up to SOME
 * regions of memory. 2: one tag of the type TYPE (OTHER: any other) in INFO
 * bytes, at any offset and from any state of the walk, so that no number of
 * tags is too many. 3: the walk over INFO bytes, with 2's contract in the place
 * of what looks into a tag. 4: all of mb2_parse() around it.
 */
#include "tests/proof/parser.h"

#include "tests/proof/boot_info.h"

#include "boot/mb2.c"

#define SOME  BOOT_REGION_MAX /* modules and regions looked at together */
#define INFO  88
#define OTHER 99

static struct boot_info bi;
static struct mb2_problem problem;

/* What holds of a walk between two tags. */
static bool is_walk(const struct walk *w)
{
	return w->bi == &bi && w->p == &problem && w->total >= 16 &&
	       bi.module_count <= BOOT_MODULE_MAX && bi.text_used > 0 &&
	       bi.text_used <= sizeof(bi.text) &&
	       w->map_count == (w->first_at[TAG_MMAP] != 0) +
				       (w->first_at[TAG_EFI_MMAP] != 0);
}

/* In the places of memory_map.c's functions, which are proofs of their own. */
struct memory_map_entry memory_map_entry(const struct memory_map *m, u32 i)
{
	struct memory_map_entry e;

	__CPROVER_assert(
		i < m->count && __CPROVER_r_ok(m->first + (size_t)i * m->stride,
					       m->form == MEMORY_MAP_E820
						       ? MEMORY_MAP_E820_MIN
						       : MEMORY_MAP_EFI_MIN),
		"an entry of a map is in its tag");
	e.wraps = nondet_bool();
	return e;
}

bool memory_map_flatten(const struct memory_map *map, u32 count,
			struct boot_info *b)
{
	const u32 regions = nondet_u32();

	ASSUME(regions <= BOOT_REGION_MAX);
	b->region_count = regions;
	return nondet_bool();
}

/* In the place of take_tag(). */
bool any_take_tag(struct walk *w)
{
	__CPROVER_assert(
		w->tag_bytes >= TAG_HEADER &&
			__CPROVER_r_ok(w->info + w->offset, w->tag_bytes),
		"a tag is in the information");
	if (w->type == TAG_MMAP || w->type == TAG_EFI_MMAP)
		w->map_count++;
	if (nondet_bool())
		return true;
	return fail(w, MB2_TEXT_OPEN, 0, 0);
}

/* In the place of walk_tags(). */
bool any_walk(struct walk *w)
{
	__CPROVER_assert(is_walk(w) && w->offset == 0 &&
				 __CPROVER_r_ok(w->info, w->total),
			 "the walk starts as it must");
	return nondet_bool() || fail(w, MB2_NO_END, 0, 0);
}

/* In the place of check_module(), which is part 1. */
bool any_check_module(struct walk *w, const struct mb2_placement *at, u32 i)
{
	return nondet_bool() || fail(w, MB2_MODULE_NOT_RAM, 0, 0);
}

static bool all_modules_pass(struct walk *w, const struct mb2_placement *at)
{
	for (u32 i = 0; i < bi.module_count; i++)
		if (!check_module(w, at, i))
			return false;
	return true;
}

static void places(struct walk *w, const struct mb2_placement *at)
{
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
	const bool ok = all_modules_pass(w, at);

	CHECK("no module lies on our image", ok && bi.module_count > 0,
	      bi.module[0].end <= at->image_start ||
		      at->image_end <= bi.module[0].start);
	CHECK("no module lies on another", ok && bi.module_count > 1,
	      bi.module[0].end <= bi.module[1].start ||
		      bi.module[1].end <= bi.module[0].start);
	CHECK("what is wrong has a name", !ok,
	      problem.error != MB2_OK && problem.error < MB2_ERROR_COUNT);
}

static void one_tag(struct walk *w)
{
	const u32 type = nondet_u32();
	bool ok;

	ASSUME(type == TYPE || (TYPE == OTHER && type > TAG_KNOWN_COUNT));
	w->info   = any_bytes(INFO);
	w->total  = INFO;
	w->offset = (nondet_u8() & 0xfcu) * 2;
	ASSUME(w->offset >= 8 && w->offset <= INFO - TAG_HEADER);
	((u32 *)(w->info + w->offset))[0] = type;
	for (u32 i = 0; i < TAG_KNOWN_COUNT; i++)
		w->first_at[i] = nondet_u32();
	w->map_count    = nondet_u32();
	bi.module_count = nondet_u32();
	bi.text_used    = nondet_u32();
	ASSUME(is_walk(w));
	ok = check_tag(w) && take_tag(w);
	CHECK("what holds between two tags holds again", ok, is_walk(w));
	CHECK("what is wrong has a name", !ok,
	      problem.error != MB2_OK && problem.error < MB2_ERROR_COUNT);
}

static void walk(struct walk *w)
{
	bool ok;

	w->total     = nondet_u32();
	bi.text_used = 1;
	ASSUME(w->total >= 16 && w->total <= INFO);
	w->info = any_bytes(w->total);
	ok      = walk_tags(w);
	CHECK("the walk ends with the end tag", ok,
	      w->type == TAG_END && w->offset <= w->total - TAG_HEADER);
	CHECK("what is wrong has a name", !ok,
	      problem.error != MB2_OK && problem.error < MB2_ERROR_COUNT);
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
	if (PART == 1)
		places(&w, &at);
	else if (PART == 2)
		one_tag(&w);
	else if (PART == 3)
		walk(&w);
	else {
		const u64 bytes = nondet_u8();

		if (mb2_parse(nondet_u32(), any_bytes(bytes), bytes, &at, &bi,
			      &problem))
			CHECK("there is memory", true, bi.region_count > 0);
		else
			CHECK("what is wrong has a name", true,
			      problem.error != MB2_OK &&
				      problem.error < MB2_ERROR_COUNT);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Multiboot2 information of any content. PART 1: one tag at any place of INFO
 * bytes, whatever came before it, so that the number of tags has no bound. 2: a
 * memory map, in full. 3: the checks of where modules lie. 4: the sentences.
 */
#include "tests/proof/parser.h"

#include "boot/mb2.c"

#define INFO      64
#define INFO_MMAP (16 + 2 * MMAP_ENTRY_MIN)
#define SOME      3 /* regions and modules looked at together */

static struct boot_info bi;
static struct mb2_problem problem;

static bool is_inside(const char *text)
{
	return text >= bi.text && text < bi.text + sizeof(bi.text);
}

static struct walk any_walk(size_t bytes)
{
	struct walk w = {
		.info   = any_bytes(bytes),
		.total  = nondet_u32(),
		.offset = nondet_u32(),
		.bi     = &bi,
		.p      = &problem,
	};

	ASSUME(w.total <= bytes && w.offset % 8 == 0 && w.offset <= w.total);
	for (int i = 0; i < TAG_KNOWN_COUNT; i++)
		w.first_at[i] = nondet_u32();
	bi.text_used    = nondet_u32();
	bi.module_count = nondet_u32();
	ASSUME(bi.text_used >= 1 && bi.text_used <= sizeof(bi.text) &&
	       bi.module_count <= BOOT_MODULE_MAX);
	return w;
}

/* The body of walk_tags(), from any state that its head lets in. */
static void one_tag(void)
{
	struct walk w    = any_walk(INFO);
	const u32 before = w.offset;
	bool ok;

	ASSUME(w.offset >= 8 && w.total - w.offset >= TAG_HEADER);
	ok = check_tag(&w);
	CHECK("a tag lies within the information", ok,
	      w.tag_bytes >= TAG_HEADER && w.tag_bytes <= w.total - before);
	if (!ok || w.type == TAG_END || w.type == TAG_MMAP)
		return;
	ok = take_tag(&w);
	CHECK("an error has a name", !ok,
	      problem.error != MB2_OK && problem.error < MB2_ERROR_COUNT);
	CHECK("what was counted fits", true,
	      bi.text_used <= sizeof(bi.text) &&
		      bi.module_count <= BOOT_MODULE_MAX);
	CHECK("a module is not empty and its text is our copy",
	      ok && w.type == TAG_MODULE,
	      bi.module[bi.module_count - 1].start <
			      bi.module[bi.module_count - 1].end &&
		      is_inside(bi.module[bi.module_count - 1].cmdline));
	CHECK("the command line is our copy", ok && w.type == TAG_CMDLINE,
	      is_inside(bi.cmdline));
	if (!ok || align_up(w.tag_bytes, 8) > w.total - w.offset)
		return;
	w.offset += (u32)align_up(w.tag_bytes, 8);
	CHECK("the walk goes on, inside", true,
	      w.offset > before && w.offset <= w.total);
}

static void memory_map(void)
{
	struct walk w = any_walk(INFO_MMAP);

	w.offset    = 0;
	w.total     = INFO_MMAP;
	w.type      = TAG_MMAP;
	w.tag_bytes = nondet_u32();
	ASSUME(w.tag_bytes >= 16 && w.tag_bytes <= w.total);
	bi.region_count = 0;
	const bool ok   = take_mmap(&w);

	CHECK("an error has a name, map", !ok,
	      problem.error != MB2_OK && problem.error < MB2_ERROR_COUNT);
	for (u32 i = 0; ok && i < bi.region_count; i++)
		CHECK("regions are sorted and disjoint", true,
		      bi.region[i].start < bi.region[i].end &&
			      (i == 0 ||
			       bi.region[i - 1].end <= bi.region[i].start));
}

static void places(void)
{
	struct walk w                 = any_walk(INFO);
	const struct mb2_placement at = {
		.info        = nondet_u64(),
		.image_start = nondet_u64(),
		.image_end   = nondet_u64(),
	};

	ASSUME(at.info <= BIT(52)); /* physical */
	bi.region_count = nondet_u32();
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
	const bool ok = check_all(&w, &at);

	CHECK("no module lies on our image", ok && bi.module_count > 0,
	      bi.module[0].end <= at.image_start ||
		      at.image_end <= bi.module[0].start);
	CHECK("no module lies on another", ok && bi.module_count > 1,
	      bi.module[0].end <= bi.module[1].start ||
		      bi.module[1].end <= bi.module[0].start);
}

static void sentences(void)
{
	const struct mb2_problem p = { nondet_u32() % MB2_ERROR_COUNT,
				       nondet_u32(), nondet_u32(), nondet_u64(),
				       nondet_u64() };
	char why[24];
	u8 size = nondet_u8();

	ASSUME(size >= 1 && size <= sizeof(why));
	mb2_explain(&p, why, size);
	CHECK("a sentence ends", true, memchr(why, '\0', size));
}

int main(void)
{
	switch (PART) {
	case 1:
		one_tag();
		break;
	case 2:
		memory_map();
		break;
	case 3:
		places();
		break;
	case 4:
		sentences();
	}
	return 0;
}

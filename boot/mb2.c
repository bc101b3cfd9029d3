/* SPDX-License-Identifier: MIT */
/*
 * Walks the tags once, then makes regions of the memory maps and checks where
 * the modules lie. Reads every field by offset, after its bounds were checked.
 */
#include "boot/mb2.h"

#include "boot/lib/bytes.h"
#include "boot/lib/print.h"
#include "boot/lib/string.h"
#include "boot/memory_map.h"
#include "boot/mb2_format.h"

#define MAPS_MAX 2 /* one of each form */

/* The smallest legal size of each tag we read, and its name in messages. */
static const struct {
	const char *name;
	u32 min_bytes;
} known[TAG_KNOWN_COUNT] = {
	[TAG_END]      = { "end", TAG_HEADER },
	[TAG_CMDLINE]  = { "command line", TAG_HEADER + 1 },
	[TAG_LOADER]   = { "boot loader name", TAG_HEADER + 1 },
	[TAG_MODULE]   = { "module", TAG_HEADER + 8 + 1 },
	[TAG_MMAP]     = { "memory map", TAG_HEADER + 8 },
	[TAG_ACPI_OLD] = { "ACPI 1.0 RSDP", TAG_HEADER + RSDP_OLD_BYTES },
	[TAG_ACPI_NEW] = { "ACPI 2.0 RSDP", TAG_HEADER + RSDP_NEW_BYTES },
	[TAG_EFI_MMAP] = { "EFI memory map", TAG_HEADER + 8 },
	[TAG_EFI_BS]   = { "EFI boot services", TAG_HEADER },
};

/* One parse; the tag under the cursor was checked to be TAG_BYTES long. */
struct walk {
	const u8 *info;
	u32 total;
	u32 offset;
	u32 type;
	u32 tag_bytes;
	u32 first_at[TAG_KNOWN_COUNT]; /* offset of the first one, 0: none yet
					*/
	u32 map_count;
	struct memory_map map[MAPS_MAX];
	struct boot_info *bi;
	struct mb2_problem *p;
};

static const u8 *tag(const struct walk *w)
{
	return w->info + w->offset;
}

/* Fills the problem in; always false, so that a check can return it. */
static bool fail(const struct walk *w, enum mb2_error error, u64 found,
		 u64 needed)
{
	*w->p = (struct mb2_problem){ error, w->type, w->offset, found,
				      needed };
	return false;
}

/*
 * Copy the text from FIRST to the end of the tag into bi->text. NULL: it is not
 * terminated, or too long.
 */
static const char *copy_text(const struct walk *w, u32 first)
{
	struct boot_info *bi = w->bi;
	const char *from     = (const char *)tag(w) + first;
	const u32 room       = w->tag_bytes - first;
	const u32 length     = (u32)strnlen(from, room);
	char *to             = bi->text + bi->text_used;

	if (length == room) {
		fail(w, MB2_TEXT_OPEN, length, 0);
		return NULL;
	}
	if (length >= BOOT_CMDLINE_MAX) {
		fail(w, MB2_TEXT_LONG, length, BOOT_CMDLINE_MAX - 1);
		return NULL;
	}
	if (length >= sizeof(bi->text) - bi->text_used) {
		fail(w, MB2_TEXT_FULL, length, sizeof(bi->text));
		return NULL;
	}
	memcpy(to, from, length + 1);
	bi->text_used += length + 1;
	return to;
}

static bool take_module(struct walk *w)
{
	struct boot_info *bi    = w->bi;
	struct boot_module *mod = &bi->module[bi->module_count];
	const u64 start         = get32(tag(w) + TAG_HEADER);
	const u64 end           = get32(tag(w) + TAG_HEADER + 4);

	if (bi->module_count == BOOT_MODULE_MAX)
		return fail(w, MB2_MODULE_TOO_MANY, 0, BOOT_MODULE_MAX);
	if (end < start)
		return fail(w, MB2_MODULE_REVERSED, end, start);
	mod->cmdline = copy_text(w, TAG_HEADER + 8);
	if (!mod->cmdline)
		return false;
	if (end == start)
		return fail(w, MB2_MODULE_EMPTY, start, bi->module_count);
	mod->start = start;
	mod->end   = end;
	bi->module_count++;
	return true;
}

static bool sum_is_zero(const u8 *p, u32 bytes)
{
	u8 sum = 0;

	while (bytes--)
		sum = (u8)(sum + *p++);
	return sum == 0;
}

/* The newer form is kept if there are both; tags may come in any order. */
static bool take_rsdp(struct walk *w, u32 bytes)
{
	const u8 *rsdp = tag(w) + TAG_HEADER;

	if (memcmp(rsdp, "RSD PTR ", 8) != 0)
		return fail(w, MB2_RSDP_SIGNATURE, 0, 0);
	if (!sum_is_zero(rsdp, RSDP_OLD_BYTES))
		return fail(w, MB2_RSDP_SUM, RSDP_OLD_BYTES, 0);
	if (!sum_is_zero(rsdp, bytes))
		return fail(w, MB2_RSDP_SUM, bytes, 0);
	if (w->type == TAG_ACPI_OLD && w->first_at[TAG_ACPI_NEW])
		return true;
	memset(w->bi->rsdp_copy, 0, sizeof(w->bi->rsdp_copy));
	memcpy(w->bi->rsdp_copy, rsdp, bytes);
	w->bi->rsdp = (u64)(uintptr_t)w->bi->rsdp_copy;
	return true;
}

/*
 * A memory map's entries, from offset FIRST of the tag, STRIDE bytes each. They
 * are judged here and become regions when all tags are known.
 */
static bool take_map(struct walk *w, struct memory_map map, u32 first,
		     u32 min_stride)
{
	const u32 bytes = w->tag_bytes - first;

	map.first = tag(w) + first;
	if (map.stride < min_stride || map.stride % 8)
		return fail(w, MB2_MMAP_ENTRY_SIZE, map.stride, min_stride);
	if (bytes % map.stride)
		return fail(w, MB2_MMAP_RAGGED, bytes, map.stride);
	map.count = bytes / map.stride;
	if (map.count > MB2_MMAP_ENTRIES_MAX)
		return fail(w, MB2_MMAP_TOO_LONG, map.count,
			    MB2_MMAP_ENTRIES_MAX);
	for (u32 i = 0; i < map.count; i++) {
		const struct memory_map_entry e = memory_map_entry(&map, i);

		if (e.wraps)
			return fail(w, MB2_MMAP_WRAPS, e.start, e.bytes);
	}
	w->map[w->map_count++] = map;
	return true;
}

static bool take_tag(struct walk *w)
{
	switch (w->type) {
	case TAG_CMDLINE:
		w->bi->cmdline = copy_text(w, TAG_HEADER);
		return w->bi->cmdline != NULL;
	case TAG_LOADER:
		w->bi->loader = copy_text(w, TAG_HEADER);
		return w->bi->loader != NULL;
	case TAG_MODULE:
		return take_module(w);
	case TAG_MMAP:
		return take_map(w,
				(struct memory_map){
					.stride = get32(tag(w) + TAG_HEADER),
					.form   = MEMORY_MAP_E820 },
				TAG_HEADER + 8, MEMORY_MAP_E820_MIN);
	case TAG_EFI_MMAP:
		return take_map(w,
				(struct memory_map){
					.stride = get32(tag(w) + TAG_HEADER),
					.form   = MEMORY_MAP_EFI },
				TAG_HEADER + 8, MEMORY_MAP_EFI_MIN);
	case TAG_EFI_BS:
		return fail(w, MB2_BOOT_SERVICES, 0, 0);
	case TAG_ACPI_OLD:
		return take_rsdp(w, RSDP_OLD_BYTES);
	case TAG_ACPI_NEW:
		return take_rsdp(w, RSDP_NEW_BYTES);
	}
	return true;
}

/* The tag under the cursor lies within the information and is no duplicate. */
static bool check_tag(struct walk *w)
{
	const u32 left = w->total - w->offset;
	u32 needed     = TAG_HEADER;

	w->type      = get32(tag(w));
	w->tag_bytes = get32(tag(w) + 4);
	if (w->type < TAG_KNOWN_COUNT && known[w->type].min_bytes)
		needed = known[w->type].min_bytes;
	if (w->tag_bytes < needed)
		return fail(w, MB2_TAG_SHORT, w->tag_bytes, needed);
	if (w->tag_bytes > left)
		return fail(w, MB2_TAG_PAST_END, w->tag_bytes, left);
	if (w->type >= TAG_KNOWN_COUNT || !known[w->type].name)
		return true;
	if (w->first_at[w->type] && w->type != TAG_MODULE)
		return fail(w, MB2_DUPLICATE, w->first_at[w->type], 0);
	w->first_at[w->type] = w->offset;
	return true;
}

static bool walk_tags(struct walk *w)
{
	for (w->offset = 8; w->total - w->offset >= TAG_HEADER;
	     w->offset += (u32)align_up(w->tag_bytes, 8)) {
		if (!check_tag(w))
			return false;
		if (w->type == TAG_END)
			return true;
		if (!take_tag(w))
			return false;
		if (align_up(w->tag_bytes, 8) > w->total - w->offset)
			break;
	}
	w->type = TAG_END;
	return fail(w, MB2_NO_END, w->total, 0);
}

static bool overlaps(u64 a, u64 a_end, u64 b, u64 b_end)
{
	return a < b_end && b < a_end;
}

static bool is_ram(const struct boot_info *bi, u64 start, u64 end)
{
	for (u32 i = 0; i < bi->region_count; i++)
		if (bi->region[i].kind == BOOT_REGION_RAM &&
		    bi->region[i].start <= start && end <= bi->region[i].end)
			return true;
	return false;
}

/* A module I against everything that came before it. */
static bool check_module(struct walk *w, const struct mb2_placement *at, u32 i)
{
	const struct boot_module *m = &w->bi->module[i];

	w->type   = i;
	w->offset = (u32)m->start;
	if (overlaps(m->start, m->end, at->image_start, at->image_end))
		return fail(w, MB2_MODULE_ON_IMAGE, m->end, at->image_start);
	if (overlaps(m->start, m->end, at->info, at->info + w->total))
		return fail(w, MB2_MODULE_ON_INFO, m->end, at->info);
	for (u32 j = 0; j < i; j++)
		if (overlaps(m->start, m->end, w->bi->module[j].start,
			     w->bi->module[j].end))
			return fail(w, MB2_MODULE_ON_MODULE, m->end, j);
	if (!is_ram(w->bi, m->start, m->end))
		return fail(w, MB2_MODULE_NOT_RAM, m->end, 0);
	return true;
}

static bool check_all(struct walk *w, const struct mb2_placement *at)
{
	bool ram = false;

	if (!w->map_count)
		return fail(w, MB2_NO_MMAP, 0, 0);
	if (!memory_map_flatten(w->map, w->map_count, w->bi))
		return fail(w, MB2_MMAP_TOO_MANY, 0, BOOT_REGION_MAX);
	for (u32 i = 0; i < w->bi->region_count; i++)
		ram = ram || w->bi->region[i].kind == BOOT_REGION_RAM;
	if (!ram)
		return fail(w, MB2_NO_RAM, w->bi->region_count, 0);
	if (overlaps(at->info, at->info + w->total, at->image_start,
		     at->image_end))
		return fail(w, MB2_INFO_ON_IMAGE, at->info, w->total);
	for (u32 i = 0; i < w->bi->module_count; i++)
		if (!check_module(w, at, i))
			return false;
	return true;
}

bool mb2_parse(u32 magic, const void *info, u64 readable,
	       const struct mb2_placement *at, struct boot_info *bi,
	       struct mb2_problem *p)
{
	struct walk w = { .info = info, .bi = bi, .p = p };

	memset(bi, 0, sizeof(*bi));
	bi->text_used = 1; /* text[0] is the empty string */
	bi->cmdline   = bi->text;
	bi->loader    = bi->text;
	*p            = (struct mb2_problem){ .error = MB2_OK };
	if (magic != MB2_LOADER_MAGIC)
		return fail(&w, MB2_BAD_MAGIC, magic, MB2_LOADER_MAGIC);
	if (at->info % 8)
		return fail(&w, MB2_MISALIGNED, at->info, 8);
	if (readable < 8)
		return fail(&w, MB2_TOTAL_SMALL, readable, 16);
	w.total = get32(info);
	if (w.total < 16)
		return fail(&w, MB2_TOTAL_SMALL, w.total, 16);
	if (w.total > min_u64(readable, MB2_TOTAL_MAX))
		return fail(&w, MB2_TOTAL_LARGE, w.total,
			    min_u64(readable, MB2_TOTAL_MAX));
	return walk_tags(&w) && check_all(&w, at);
}

/*
 * One sentence each. $w is where: the tag's number, name and offset; $m the
 * module's number and place; $f and $n what was found and what is needed, in
 * decimal; $F and $N the same in hexadecimal.
 */
static const char *const sentence[] = {
	[MB2_OK] = "nothing is wrong with the multiboot2 information",
	[MB2_BAD_MAGIC] =
		"the boot loader left $F in EAX, not multiboot2's magic $N",
	[MB2_MISALIGNED] =
		"the multiboot2 information is at $F, not at a multiple of $n",
	[MB2_TOTAL_SMALL] =
		"the multiboot2 information has a total_size of $f bytes, at "
		"least $n are needed",
	[MB2_TOTAL_LARGE] =
		"the multiboot2 information has a total_size of $f bytes, more "
		"than the $n that are possible",
	[MB2_TAG_SHORT]    = "$w: its size is $f, at least $n is needed",
	[MB2_TAG_PAST_END] = "$w: its size is $f, but only $n bytes are left",
	[MB2_NO_END]    = "the multiboot2 information has no end tag in its $f "
			  "bytes",
	[MB2_DUPLICATE] = "$w: there is one already, at offset $f",
	[MB2_TEXT_OPEN] = "$w: its text of $f characters is not terminated by "
			  "a NUL",
	[MB2_TEXT_LONG] = "$w: its text has $f characters, at most $n are "
			  "accepted",
	[MB2_TEXT_FULL] = "$w: its text of $f characters does not fit, all "
			  "texts together have $n",
	[MB2_NO_MMAP]   = "the multiboot2 information has no memory map (tag 6 "
			  "or 17)",
	[MB2_MMAP_ENTRY_SIZE] = "$w: its entry_size is $f, it must be a "
				"multiple of 8 and at least $n",
	[MB2_MMAP_RAGGED] = "$w: its $f bytes of entries are no multiple of "
			    "its entry_size $n",
	[MB2_MMAP_WRAPS] = "$w: the region at $F of $N bytes wraps around 2^64",
	[MB2_MMAP_TOO_LONG] = "$w: it has $f entries, at most $n are accepted",
	[MB2_MMAP_TOO_MANY] = "the memory map has more than $n regions",
	[MB2_NO_RAM]        = "none of the $f regions of the memory map is RAM",
	[MB2_MODULE_REVERSED]  = "$w: it ends at $F, before its start $N",
	[MB2_MODULE_EMPTY]     = "$w: it is empty, it starts and ends at $F",
	[MB2_MODULE_TOO_MANY]  = "$w: there are more than $n modules",
	[MB2_MODULE_NOT_RAM]   = "$m is not within RAM",
	[MB2_MODULE_ON_IMAGE]  = "$m overlaps Tilevisor's own image at $N",
	[MB2_MODULE_ON_INFO]   = "$m overlaps the boot information at $N",
	[MB2_MODULE_ON_MODULE] = "$m overlaps module $n",
	[MB2_INFO_ON_IMAGE]    = "the boot information at $F overlaps "
				 "Tilevisor's own image",
	[MB2_RSDP_SIGNATURE]   = "$w: it does not begin with \"RSD PTR \"",
	[MB2_RSDP_SUM]      = "$w: the checksum of its first $f bytes is wrong",
	[MB2_BOOT_SERVICES] = "$w: the boot loader left them running, which "
			      "was not asked for",
};
_Static_assert(ARRAY_SIZE(sentence) == MB2_ERROR_COUNT, "one sentence each");

/* What the letter behind a '$' stands for. */
static int fill_in(const struct mb2_problem *p, char letter, char *to,
		   size_t size)
{
	const char *name = p->tag < TAG_KNOWN_COUNT ? known[p->tag].name : NULL;

	switch (letter) {
	case 'f':
		return tv_snprintf(to, size, "%lu", p->found);
	case 'F':
		return tv_snprintf(to, size, "%#lx", p->found);
	case 'n':
		return tv_snprintf(to, size, "%lu", p->needed);
	case 'N':
		return tv_snprintf(to, size, "%#lx", p->needed);
	case 'm':
		return tv_snprintf(to, size, "module %u (%#x to %#lx)", p->tag,
				   p->offset, p->found);
	}
	return tv_snprintf(to, size, "multiboot2 tag %u%s%s%s at offset %u",
			   p->tag, name ? " (" : "", name ? name : "",
			   name ? ")" : "", p->offset);
}

void mb2_explain(const struct mb2_problem *p, char *text, size_t size)
{
	size_t at = 0;

	for (const char *s = sentence[p->error]; *s && at + 1 < size; s++) {
		if (*s != '$')
			text[at++] = *s;
		else
			at += (size_t)fill_in(p, *++s, text + at, size - at);
	}
	text[at < size ? at : size - 1] = '\0';
}

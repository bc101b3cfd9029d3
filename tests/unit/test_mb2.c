/* SPDX-License-Identifier: MIT */
/* links: boot/mb2.c boot/memory_map.c boot/lib/print.c */
/*
 * Boot information: one good one, every way to damage it with the sentence that
 * must come of it, memory maps against a byte-wise model, and random damage,
 * which must never read outside or give a boot_info that breaks its promises.
 * Source: Multiboot2 Specification 2.0, "Boot information format"; UEFI 2.10,
 * "EFI_BOOT_SERVICES.GetMemoryMap()".
 */
#include "boot/mb2.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

#define INFO_AT     0x9000
#define IMAGE_START 0x100000
#define IMAGE_END   0x140000

static const struct mb2_placement placement = { INFO_AT, IMAGE_START,
						IMAGE_END };

/* Boot information under construction. */
static struct {
	u64 align;
	u8 byte[65536];
	u32 length;
} mb;

static struct boot_info bi;
static struct mb2_problem problem;

static void put32(u32 v)
{
	memcpy(mb.byte + mb.length, &v, 4);
	mb.length += 4;
}

static void put64(u64 v)
{
	put32(lo32(v));
	put32(hi32(v));
}

static void begin(void)
{
	memset(&mb, 0, sizeof(mb));
	put64(0);
}

/* Returns the offset of the tag's size field, for end_tag(). */
static u32 tag(u32 type)
{
	put32(type);
	put32(0);
	return mb.length - 4;
}

static void end_tag(u32 at)
{
	const u32 size = mb.length - (at - 4);

	memcpy(mb.byte + at, &size, 4);
	mb.length = (u32)align_up(mb.length, 8);
}

static void text(u32 type, const char *s)
{
	const u32 at = tag(type);

	memcpy(mb.byte + mb.length, s, strlen(s) + 1);
	mb.length += (u32)strlen(s) + 1;
	end_tag(at);
}

static void module(u32 start, u32 end, const char *s)
{
	const u32 at = tag(3);

	put32(start);
	put32(end);
	memcpy(mb.byte + mb.length, s, strlen(s) + 1);
	mb.length += (u32)strlen(s) + 1;
	end_tag(at);
}

static void entry(u64 start, u64 bytes, u32 type)
{
	put64(start);
	put64(bytes);
	put32(type);
	put32(0);
}

static u32 map_tag(u32 type, u32 entry_size)
{
	const u32 at = tag(type);

	put32(entry_size);
	put32(type == 17); /* the version */
	return at;
}

static u32 mmap_tag(u32 entry_size)
{
	return map_tag(6, entry_size);
}

#define EFI_STRIDE 48 /* firmware's is longer than the structure */
#define EFI_WB     0xf
#define EFI_SP     (EFI_WB | BIT(18))

static void efi_entry(u64 start, u64 pages, u32 type, u64 attributes)
{
	put32(type);
	put32(0xdeadbeef); /* padding */
	put64(start);
	put64(0);
	put64(pages);
	put64(attributes);
	put64(UINT64_MAX);
}

static void rsdp(u32 type, bool right)
{
	const u32 bytes = type == 15 ? 36 : 20;
	const u32 at    = tag(type);
	u8 *p           = mb.byte + mb.length;

	memcpy(p, "RSD PTR ", 8);
	p[15] = type == 15 ? 2 : 0;
	for (u32 i = 0; i < 20; i++)
		p[8] = (u8)(p[8] - (i == 8 ? 0 : p[i]));
	for (u32 i = 0; i < bytes; i++)
		p[32] = (u8)(p[32] - (i == 32 || type != 15 ? 0 : p[i]));
	if (!right)
		p[10]++;
	mb.length += bytes;
	end_tag(at);
}

static void end_all(void)
{
	end_tag(tag(0));
	memcpy(mb.byte, &mb.length, 4);
}

static void plain_mmap(void)
{
	const u32 at = mmap_tag(24);

	entry(0, 0x9f000, 1);
	entry(0x9f000, 0x61000, 2);
	entry(0x100000, 0x7f00000, 1);
	entry(0x8000000, 0x10000, 3);
	end_tag(at);
}

static void good(void)
{
	begin();
	text(1, "console=com1 log=debug");
	text(2, "a loader");
	module(0x200000, 0x201000, "vm=a -- x");
	module(0x300000, 0x300001, "vm=a initrd");
	plain_mmap();
	rsdp(14, true);
	rsdp(15, true);
	const u32 at = map_tag(17, EFI_STRIDE);

	efi_entry(0, 0x8000, 7, EFI_WB);
	end_tag(at);
	end_tag(tag(99)); /* one that nobody knows */
	end_all();
}

static bool parse(void)
{
	return mb2_parse(MB2_LOADER_MAGIC, mb.byte, sizeof(mb.byte), &placement,
			 &bi, &problem);
}

static void accepted(void)
{
	good();
	tap_ok(parse(), "good information is accepted");
	tap_ok(!strcmp(bi.cmdline, "console=com1 log=debug"), "command line");
	tap_ok(!strcmp(bi.loader, "a loader"), "boot loader's name");
	tap_ok(bi.module_count == 2 && bi.module[0].start == 0x200000 &&
		       bi.module[1].end == 0x300001 &&
		       !strcmp(bi.module[1].cmdline, "vm=a initrd"),
	       "modules with their command lines");
	tap_ok(bi.region_count == 4 && bi.region[2].kind == BOOT_REGION_RAM &&
		       bi.region[3].kind == BOOT_REGION_ACPI &&
		       bi.region[3].end == 0x8010000,
	       "memory map");
	tap_ok(bi.rsdp == (u64)(uintptr_t)bi.rsdp_copy && bi.rsdp_copy[15] == 2,
	       "the newer RSDP is kept, as a copy");
	memset(&mb, 0xff, sizeof(mb));
	tap_ok(!strcmp(bi.module[0].cmdline, "vm=a -- x"),
	       "nothing points into the loader's memory");
	begin();
	plain_mmap();
	end_all();
	tap_ok(parse() && !*bi.cmdline && !*bi.loader && !bi.rsdp,
	       "only the memory map is indispensable");
}

/* clang-format off */
static void d_total_0(void)      { good(); memset(mb.byte, 0, 4); }
static void d_total_8(void)      { begin(); mb.byte[0] = 8; }
static void d_total_huge(void)   { good(); mb.byte[3] = 0x7f; }
static void d_total_beyond(void) { good(); mb.byte[2] = 2; }
static void d_size_0(void)       { good(); memset(mb.byte + 12, 0, 4); }
static void d_size_7(void)       { good(); mb.byte[12] = 7; }
static void d_size_past(void)    { good(); mb.byte[13] = 0x40; }
static void d_no_end(void)       { good(); mb.length -= 8; memcpy(mb.byte, &mb.length, 4); }
static void d_total_inside(void) { good(); mb.length -= 12; memcpy(mb.byte, &mb.length, 4); }
static void d_two_lines(void)    { begin(); text(1, "a"); text(1, "b"); plain_mmap(); end_all(); }
static void d_two_maps(void)     { begin(); plain_mmap(); plain_mmap(); end_all(); }
static void d_open(void)
{
	begin();
	const u32 at = tag(1);

	memset(mb.byte + mb.length, 'x', 16);
	mb.length += 16;
	end_tag(at);
	plain_mmap();
	end_all();
}
static void d_long(void)
{
	static char s[BOOT_CMDLINE_MAX + 1];

	memset(s, 'x', BOOT_CMDLINE_MAX);
	begin();
	text(1, s);
	plain_mmap();
	end_all();
}
static void d_text_full(void)
{
	static char s[BOOT_CMDLINE_MAX];

	memset(s, 'x', BOOT_CMDLINE_MAX - 1);
	begin();
	for (u32 i = 0; i < 9; i++)
		module(0x200000 + i * 0x1000, 0x200800 + i * 0x1000, s);
	plain_mmap();
	end_all();
}
static void d_no_mmap(void)      { begin(); text(1, "a"); end_all(); }
static void d_entry_0(void)      { begin(); u32 at = mmap_tag(0); entry(0, 1, 1); end_tag(at); end_all(); }
static void d_entry_20(void)     { begin(); u32 at = mmap_tag(20); entry(0, 1, 1); end_tag(at); end_all(); }
static void d_entry_28(void)     { begin(); u32 at = mmap_tag(28); entry(0, 1, 1); end_tag(at); end_all(); }
static void d_ragged(void)       { begin(); u32 at = mmap_tag(24); entry(0, 1, 1); put64(1); end_tag(at); end_all(); }
static void d_wraps(void)        { begin(); u32 at = mmap_tag(24); entry(0x1000, 0, 1); entry(UINT64_MAX - 9, 20, 2); end_tag(at); end_all(); }
static void d_many(void)
{
	begin();
	const u32 at = mmap_tag(24);

	for (u64 i = 0; i < BOOT_REGION_MAX + 1; i++)
		entry(i * 0x2000, 0x1000, 1);
	end_tag(at);
	end_all();
}
static void d_map_long(void)
{
	begin();
	const u32 at = map_tag(17, 40);

	mb.length += 40 * 1025;
	end_tag(at);
	end_all();
}
static void d_boot_services(void){ begin(); plain_mmap(); end_tag(tag(18)); end_all(); }
static void d_efi_stride(void)   { begin(); u32 at = map_tag(17, 32); efi_entry(0, 1, 7, EFI_WB); end_tag(at); end_all(); }
static void d_efi_wraps(void)    { begin(); u32 at = map_tag(17, EFI_STRIDE); efi_entry(4096, BIT(52), 7, EFI_WB); end_tag(at); end_all(); }
static void d_efi_special(void)  { begin(); u32 at = map_tag(17, EFI_STRIDE); efi_entry(0, 512, 7, EFI_SP); end_tag(at); end_all(); }
static void d_no_ram(void)       { begin(); u32 at = mmap_tag(24); entry(0, 0x1000, 2); end_tag(at); end_all(); }
static void d_no_entries(void)   { begin(); end_tag(mmap_tag(24)); end_all(); }
static void one_module(u32 start, u32 end)
{
	begin();
	module(start, end, "vm=a");
	plain_mmap();
	end_all();
}
static void d_reversed(void)     { one_module(0x200000, 0x1ff000); }
static void d_empty(void)        { one_module(0x200000, 0x200000); }
static void d_on_image(void)     { one_module(IMAGE_END - 1, IMAGE_END + 1); }
static void d_on_info(void)      { one_module(INFO_AT + 8, INFO_AT + 9); }
static void d_not_ram(void)      { one_module(0x7fff000, 0x8001000); }
static void d_far(void)          { one_module(0xf0000000, 0xf0001000); }
static void d_two_at_one(void)
{
	begin();
	module(0x200000, 0x202000, "vm=a");
	module(0x201fff, 0x203000, "vm=b");
	plain_mmap();
	end_all();
}
static void d_modules(void)
{
	begin();
	for (u32 i = 0; i < BOOT_MODULE_MAX + 1; i++)
		module(0x200000 + i * 0x1000, 0x200800 + i * 0x1000, "m");
	plain_mmap();
	end_all();
}
static void d_rsdp_name(void)    { begin(); plain_mmap(); const u32 at = mb.length; rsdp(15, true); mb.byte[at + 8] = 'X'; end_all(); }
static void d_rsdp_sum(void)     { begin(); plain_mmap(); rsdp(14, false); end_all(); }
static void d_rsdp_short(void)   { begin(); plain_mmap(); const u32 at = mb.length; rsdp(15, true); mb.byte[at + 4] = 20; end_all(); }

static const struct {
	const char *claim;
	void (*damage)(void);
	enum mb2_error error;
	const char *says; /* part of the sentence */
} damages[] = {
	{ "total_size 0",                 d_total_0,      MB2_TOTAL_SMALL,      "total_size of 0 bytes" },
	{ "total_size 8",                 d_total_8,      MB2_TOTAL_SMALL,      "at least 16" },
	{ "total_size huge",              d_total_huge,   MB2_TOTAL_LARGE,      "more than" },
	{ "total_size beyond memory",     d_total_beyond, MB2_TOTAL_LARGE,      "131" },
	{ "tag size 0 (endless loop)",    d_size_0,       MB2_TAG_SHORT,        "tag 1 (command line) at offset 8: its size is 0" },
	{ "tag size 7",                   d_size_7,       MB2_TAG_SHORT,        "its size is 7, at least 9" },
	{ "tag beyond the end",           d_size_past,    MB2_TAG_PAST_END,     "bytes are left" },
	{ "no end tag",                   d_no_end,       MB2_NO_END,           "no end tag" },
	{ "total_size ends inside a tag", d_total_inside, MB2_NO_END,           "no end tag" },
	{ "two command lines",            d_two_lines,    MB2_DUPLICATE,        "tag 1 (command line) at offset 24: there is one already, at offset 8" },
	{ "two memory maps",              d_two_maps,     MB2_DUPLICATE,        "tag 6 (memory map)" },
	{ "command line not terminated",  d_open,         MB2_TEXT_OPEN,        "16 characters is not terminated" },
	{ "command line too long",        d_long,         MB2_TEXT_LONG,        "at most 4095" },
	{ "texts fill the room",          d_text_full,    MB2_TEXT_FULL,        "does not fit" },
	{ "no memory map",                d_no_mmap,      MB2_NO_MMAP,          "no memory map (tag 6 or 17)" },
	{ "memory map entry_size 0",      d_entry_0,      MB2_MMAP_ENTRY_SIZE,  "entry_size is 0" },
	{ "memory map entry_size 20",     d_entry_20,     MB2_MMAP_ENTRY_SIZE,  "at least 24" },
	{ "memory map entry_size 28",     d_entry_28,     MB2_MMAP_ENTRY_SIZE,  "multiple of 8" },
	{ "memory map with half an entry", d_ragged,      MB2_MMAP_RAGGED,      "32 bytes of entries" },
	{ "region wraps at 2^64",         d_wraps,        MB2_MMAP_WRAPS,       "wraps around 2^64" },
	{ "too many regions",             d_many,         MB2_MMAP_TOO_MANY,    "256" },
	{ "memory map without an end",    d_map_long,     MB2_MMAP_TOO_LONG,    "it has 1025 entries, at most 1024" },
	{ "boot services left running",   d_boot_services, MB2_BOOT_SERVICES,   "tag 18 (EFI boot services)" },
	{ "EFI descriptor of 32 bytes",   d_efi_stride,   MB2_MMAP_ENTRY_SIZE,  "tag 17 (EFI memory map) at offset 8: its entry_size is 32" },
	{ "EFI region wraps at 2^64",     d_efi_wraps,    MB2_MMAP_WRAPS,       "tag 17 (EFI memory map)" },
	{ "only special-purpose memory",  d_efi_special,  MB2_NO_RAM,           "none of the 1 regions" },
	{ "no RAM",                       d_no_ram,       MB2_NO_RAM,           "none of the 1 regions" },
	{ "empty memory map",             d_no_entries,   MB2_NO_RAM,           "none of the 0 regions" },
	{ "module ends before its start", d_reversed,     MB2_MODULE_REVERSED,  "ends at 0x1ff000, before its start 0x200000" },
	{ "empty module",                 d_empty,        MB2_MODULE_EMPTY,     "it is empty" },
	{ "module over our image",        d_on_image,     MB2_MODULE_ON_IMAGE,  "module 0 (0x13ffff to 0x140001) overlaps Tilevisor's own image" },
	{ "module over the information",  d_on_info,      MB2_MODULE_ON_INFO,   "overlaps the boot information" },
	{ "module half outside RAM",      d_not_ram,      MB2_MODULE_NOT_RAM,   "is not within RAM" },
	{ "module where nothing is",      d_far,          MB2_MODULE_NOT_RAM,   "0xf0000000" },
	{ "modules over each other",      d_two_at_one,   MB2_MODULE_ON_MODULE, "module 1 (0x201fff to 0x203000) overlaps module 0" },
	{ "too many modules",             d_modules,      MB2_MODULE_TOO_MANY,  "more than 64 modules" },
	{ "RSDP without its signature",   d_rsdp_name,    MB2_RSDP_SIGNATURE,   "RSD PTR" },
	{ "RSDP with a wrong checksum",   d_rsdp_sum,     MB2_RSDP_SUM,         "checksum" },
	{ "RSDP too short",               d_rsdp_short,   MB2_TAG_SHORT,        "tag 15 (ACPI 2.0 RSDP)" },
};
/* clang-format on */

static void refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		char why[240] = "accepted";

		damages[i].damage();
		const bool ok = parse();

		if (!ok)
			mb2_explain(&problem, why, sizeof(why));
		if (!tap_ok(!ok && problem.error == damages[i].error &&
				    strstr(why, damages[i].says),
			    "refused: %s", damages[i].claim))
			tap_note("error %d: %s", problem.error, why);
	}
}

static void other_refusals(void)
{
	const struct mb2_placement on_image = { IMAGE_START + 8, IMAGE_START,
						IMAGE_END };
	const struct mb2_placement odd      = { INFO_AT + 4, IMAGE_START,
						IMAGE_END };
	char why[240];

	good();
	tap_ok(!mb2_parse(0x2badb002, mb.byte, sizeof(mb.byte), &placement, &bi,
			  &problem) &&
		       problem.error == MB2_BAD_MAGIC,
	       "refused: multiboot 1's magic");
	mb2_explain(&problem, why, sizeof(why));
	tap_ok(strstr(why, "0x2badb002") && strstr(why, "0x36d76289"),
	       "and both magics are named");
	tap_ok(!mb2_parse(MB2_LOADER_MAGIC, mb.byte, sizeof(mb.byte), &odd, &bi,
			  &problem) &&
		       problem.error == MB2_MISALIGNED,
	       "refused: information at an odd address");
	tap_ok(!mb2_parse(MB2_LOADER_MAGIC, mb.byte, sizeof(mb.byte), &on_image,
			  &bi, &problem) &&
		       problem.error == MB2_INFO_ON_IMAGE,
	       "refused: information over our image");
	tap_ok(!mb2_parse(MB2_LOADER_MAGIC, mb.byte, 4, &placement, &bi,
			  &problem) &&
		       problem.error == MB2_TOTAL_SMALL,
	       "refused: information that cannot be read");
}

/* Every sentence is distinct, ends, and leaves no placeholder behind. */
static void sentences(void)
{
	static char all[MB2_ERROR_COUNT][240];
	bool distinct = true, filled = true, bounded = true;

	for (int i = 0; i < MB2_ERROR_COUNT; i++) {
		const struct mb2_problem p = { (enum mb2_error)i, 3, 40, 5, 6 };
		char tiny[12];

		mb2_explain(&p, all[i], sizeof(all[i]));
		mb2_explain(&p, tiny, sizeof(tiny));
		bounded = bounded && strlen(tiny) < sizeof(tiny);
		filled  = filled && !strchr(all[i], '$') && strlen(all[i]) > 20;
		for (int j = 0; j < i; j++)
			distinct = distinct && strcmp(all[i], all[j]);
	}
	tap_ok(distinct, "every error has a sentence of its own");
	tap_ok(filled, "with everything filled in");
	tap_ok(bounded, "and never longer than its room");
}

/* What a map of 64 pages says about one page: the most restrictive entry. */
static void maps(void)
{
	bool right = true, sorted = true;

	srand(2);
	for (int round = 0; round < 3000; round++) {
		int model[64];
		bool ram = false;

		memset(model, -1, sizeof(model));
		begin();
		const u32 at = mmap_tag(24);

		for (int i = rand() % 12; i >= 0; i--) {
			static const u32 type[] = { 1, 3, 4, 2 };
			const int kind          = rand() % 4;
			const int first         = rand() % 64;
			const int count         = rand() % (65 - first);

			entry((u64)first << 12, (u64)count << 12, type[kind]);
			for (int p = first; p < first + count; p++)
				model[p] = kind > model[p] ? kind : model[p];
		}
		end_tag(at);
		end_all();
		for (int p = 0; p < 64; p++)
			ram = ram || model[p] == BOOT_REGION_RAM;
		right = right && parse() == ram;
		for (u32 i = 0; ram && i < bi.region_count; i++) {
			const struct boot_region *r = &bi.region[i];

			sorted = sorted && r->start < r->end &&
				 (!i || r[-1].end <= r->start);
			for (u64 p = r->start >> 12; p < r->end >> 12; p++) {
				right    = right && model[p] == (int)r->kind;
				model[p] = -1;
			}
		}
		for (int p = 0; ram && p < 64; p++)
			right = right && model[p] == -1;
	}
	tap_ok(right, "3000 memory maps: the most restrictive entry counts");
	tap_ok(sorted, "and regions are sorted and disjoint");
}

/* UEFI 2.10, "Memory Type Usage after ExitBootServices()". */
static void efi_types(void)
{
	static const struct {
		const char *name;
		u32 type;
		u64 attributes;
		enum boot_region_kind kind;
	} rule[] = {
		{ "reserved", 0, EFI_WB, BOOT_REGION_RESERVED },
		{ "loader code", 1, EFI_WB, BOOT_REGION_RAM },
		{ "loader data", 2, EFI_WB, BOOT_REGION_RAM },
		{ "boot services code", 3, EFI_WB, BOOT_REGION_RAM },
		{ "boot services data", 4, EFI_WB, BOOT_REGION_RAM },
		{ "runtime code", 5, EFI_WB, BOOT_REGION_RESERVED },
		{ "runtime data", 6, EFI_WB, BOOT_REGION_RESERVED },
		{ "conventional", 7, EFI_WB, BOOT_REGION_RAM },
		{ "conventional, uncacheable", 7, 1, BOOT_REGION_RESERVED },
		{ "conventional, special purpose", 7, EFI_SP,
		  BOOT_REGION_RESERVED },
		{ "unusable", 8, EFI_WB, BOOT_REGION_RESERVED },
		{ "ACPI reclaim", 9, EFI_WB, BOOT_REGION_ACPI },
		{ "ACPI NVS", 10, EFI_WB, BOOT_REGION_NVS },
		{ "MMIO", 11, 1, BOOT_REGION_RESERVED },
		{ "MMIO port space", 12, 1, BOOT_REGION_RESERVED },
		{ "PAL code", 13, EFI_WB, BOOT_REGION_RESERVED },
		{ "persistent", 14, EFI_WB, BOOT_REGION_RESERVED },
		{ "unaccepted", 15, EFI_WB, BOOT_REGION_RESERVED },
		{ "of a firmware's own", 0x80000000, EFI_WB,
		  BOOT_REGION_RESERVED },
	};

	begin();
	const u32 at = map_tag(17, EFI_STRIDE);

	/* Twice the distance, so that no two of a kind become one. */
	for (u32 i = 0; i < ARRAY_SIZE(rule); i++)
		efi_entry(i * 0x2000, 1, rule[i].type, rule[i].attributes);
	end_tag(at);
	end_all();
	tap_ok(parse() && bi.region_count == ARRAY_SIZE(rule),
	       "an EFI memory map alone is enough");
	for (u32 i = 0; i < ARRAY_SIZE(rule) && i < bi.region_count; i++)
		tap_ok(bi.region[i].start == i * 0x2000 &&
			       bi.region[i].end == i * 0x2000 + 0x1000 &&
			       bi.region[i].kind == rule[i].kind,
		       "EFI memory: %s", rule[i].name);
}

/* A loader's own map may call RAM what UEFI sets aside, and the other way. */
static void both_maps(void)
{
	u32 at;

	begin();
	at = mmap_tag(24);
	entry(0, 0x4000, 1);
	entry(0x4000, 0x1000, 2);
	end_tag(at);
	at = map_tag(17, EFI_STRIDE);
	efi_entry(0, 2, 7, EFI_WB);
	efi_entry(0x2000, 1, 7, EFI_SP);
	efi_entry(0x3000, 2, 7, EFI_WB);
	end_tag(at);
	end_all();
	tap_ok(parse() && bi.region_count == 4 &&
		       bi.region[0].kind == BOOT_REGION_RAM &&
		       bi.region[0].end == 0x2000 &&
		       bi.region[1].kind == BOOT_REGION_RESERVED &&
		       bi.region[2].kind == BOOT_REGION_RAM &&
		       bi.region[2].end == 0x4000 &&
		       bi.region[3].kind == BOOT_REGION_RESERVED,
	       "of two maps the more restrictive counts");
}

/* What boot_info promises, whatever was parsed. */
static bool promises_kept(void)
{
	for (u32 i = 0; i < bi.module_count; i++)
		if (bi.module[i].start >= bi.module[i].end ||
		    bi.module[i].cmdline < bi.text ||
		    bi.module[i].cmdline + strlen(bi.module[i].cmdline) >=
			    bi.text + sizeof(bi.text))
			return false;
	return strlen(bi.cmdline) < BOOT_CMDLINE_MAX && bi.region_count > 0;
}

/* Read exactly what exists: the copy ends where a sanitizer watches. */
static void damage_at_random(void)
{
	bool kept = true;
	u32 taken = 0;

	srand(3);
	for (int round = 0; round < 30000; round++) {
		good();
		for (int i = rand() % 4; i >= 0; i--)
			mb.byte[(u32)rand() % mb.length] =
				(u8)(rand() % 3 ? rand() : rand() % 2 * 255);
		u8 *exact = malloc(mb.length);

		memcpy(exact, mb.byte, mb.length);
		if (mb2_parse(MB2_LOADER_MAGIC, exact, mb.length, &placement,
			      &bi, &problem)) {
			taken++;
			kept = kept && promises_kept();
		} else {
			char why[240];

			mb2_explain(&problem, why, sizeof(why));
			kept = kept && problem.error != MB2_OK;
		}
		free(exact);
	}
	tap_ok(kept, "30000 damaged ones: nothing read outside, no promise "
		     "broken");
	tap_note("%u of them were still acceptable", taken);
}

int main(void)
{
	accepted();
	refused();
	other_refusals();
	sentences();
	maps();
	efi_types();
	both_maps();
	damage_at_random();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* links: guest/multiboot1.c guest/memory.c boot/lib/print.c */
/*
 * Multiboot 1 images, good and bad, the information a kernel gets (Multiboot
 * Specification 0.6.96), and the guest memory that both rest on.
 */
#include "guest/multiboot1.h"

#include <elf.h>
#include <string.h>

#include "boot/lib/pages.h"
#include "tests/unit/fake_serial.h"
#include "tests/unit/images.h"
#include "tests/unit/tap.h"

/* A machine with so many pages in runs of at most PAGES_RUN. */
static u64 pages_left, pages_run, pages_out;

void *pages_alloc_aligned(u64 page_count, u64 align)
{
	void *p = NULL;

	if (page_count > pages_left || page_count > pages_run ||
	    posix_memalign(&p, align < 2 * MIB ? align : 4096,
			   page_count * PAGE_SIZE))
		return NULL;
	memset(p, 0, page_count * PAGE_SIZE);
	pages_left -= page_count;
	pages_out += page_count;
	return p;
}

void *pages_alloc(u64 page_count)
{
	return pages_alloc_aligned(page_count, PAGE_SIZE);
}

void pages_free(void *p, u64 page_count)
{
	free(p);
	pages_out -= page_count;
}

/* ---- images ---- */

static u8 file[16384];
static u64 file_bytes;

static const struct memory_range range[] = {
	{ 0, 0x9fc00, MEMORY_USABLE },
	{ 0x9fc00, 0x400, MEMORY_RESERVED },
	{ MIB, 63 * MIB, MEMORY_USABLE },
};

static void put_header(u64 at, u32 flags)
{
	image_multiboot1(file + at, flags);
}

static void put_addresses(u64 at, u32 header, u32 load, u32 load_end,
			  u32 bss_end, u32 entry)
{
	const u32 a[5] = { header, load, load_end, bss_end, entry };

	put_header(at, 0x10003);
	memcpy(file + at + 12, a, sizeof(a));
}

/* One PT_LOAD at virtual 0xc0400000, physical 4 MiB; header at 0x200. */
static Elf32_Phdr *put_elf32(void)
{
	memset(file, 0, sizeof(file));
	file_bytes = IMAGE_ELF32_BYTES;
	image_elf32(file, 0xc0400000);
	return (Elf32_Phdr *)(void *)(file + IMAGE_PHDR_AT);
}

static void put_elf64(void)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)(void *)file;
	Elf64_Phdr *p = (Elf64_Phdr *)(void *)(file + 0x40);

	memset(file, 0, sizeof(file));
	file_bytes = 0x2000;
	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA]  = ELFDATA2LSB;
	e->e_machine         = EM_X86_64;
	e->e_entry           = 0x400010;
	e->e_phoff           = 0x40;
	e->e_phentsize       = sizeof(*p);
	e->e_phnum           = 1;
	*p                   = (Elf64_Phdr){ .p_type   = PT_LOAD,
					     .p_offset = 0x1000,
					     .p_vaddr  = 0x400000,
					     .p_paddr  = 0x400000,
					     .p_filesz = 0x800,
					     .p_memsz  = 0x3000 };
	put_header(0x200, 3);
}

static struct multiboot1_plan plan;
static char why[200];

static bool try(void)
{
	why[0] = '\0';
	return multiboot1_plan(file, file_bytes, range, ARRAY_SIZE(range),
			       &plan, why, sizeof(why));
}

static void refused(const char *sentence)
{
	if (!tap_ok(!try() && strstr(why, sentence), "refused: %s", sentence))
		tap_note("said: %s", why);
}

static void test_elf(void)
{
	Elf32_Phdr *p = put_elf32();
	Elf32_Ehdr *e = (Elf32_Ehdr *)(void *)file;

	tap_ok(try() && plan.segment_count == 1 &&
		       plan.segment[0].start == 0x400000 &&
		       plan.segment[0].offset == 0x1000 &&
		       plan.segment[0].file_bytes == 0x800 &&
		       plan.segment[0].bytes == 0x3000 && plan.end == 0x403000,
	       "a 32-bit ELF kernel is loaded where its headers say");
	tap_is(plan.entry, 0x400010, "its entry is a physical address");
	put_elf64();
	tap_ok(try() && plan.entry == 0x400010, "a 64-bit ELF kernel");

	p           = put_elf32();
	p->p_filesz = 0x4000;
	refused("has 0x4000 bytes in the file, but only 0x3000 in memory");
	p           = put_elf32();
	p->p_offset = 0x1f00;
	refused("reaches beyond the end of the file");
	p           = put_elf32();
	p->p_offset = 0xffffffff;
	refused("reaches beyond the end of the file");
	p          = put_elf32();
	p->p_paddr = 0x9f000;
	refused("it wants to be at 0x9f000-0xa2000");
	p          = put_elf32();
	p->p_paddr = 0x3fff000;
	refused("where the VM has no free memory");
	p          = put_elf32();
	p->p_paddr = 0xfffff000;
	refused("where the VM has no free memory");
	put_elf32();
	e->e_entry = 0x10;
	refused("its entry 0x10 is in no segment");
	put_elf32();
	e->e_phoff = 0xfffffff0;
	refused("program header 0 lies beyond the end of the file");
	put_elf32();
	e->e_phnum = 0xffff;
	refused("lies beyond the end of the file");
	put_elf32();
	e->e_phentsize = 4;
	refused("program headers have 4 bytes each");
	put_elf32();
	e->e_machine = EM_ARM;
	refused("for machine 40, not i386");
	put_elf32();
	e->e_ident[EI_DATA] = ELFDATA2MSB;
	refused("big-endian");
	put_elf32();
	file[0] = 'X';
	refused("is no ELF file");
	put_elf32();
	put_header(0x200, 0x8003);
	refused("asks for unknown things: flags 0x8003");
}

/* Several program headers of 32 bits: COUNT copies of the first. */
static Elf32_Phdr *copies(u32 count)
{
	Elf32_Ehdr *e = (Elf32_Ehdr *)(void *)file;
	Elf32_Phdr *p = put_elf32();

	e->e_phoff = 0x1000;
	e->e_phnum = (u16)count;
	for (u32 i = 0; i < count; i++)
		memcpy(file + 0x1000 + i * sizeof(*p), p, sizeof(*p));
	return (Elf32_Phdr *)(void *)(file + 0x1000);
}

static void test_more_elf(void)
{
	Elf32_Phdr *p   = copies(2);
	Elf64_Ehdr *e64 = (Elf64_Ehdr *)(void *)file;
	Elf64_Phdr *p64 = (Elf64_Phdr *)(void *)(file + 0x40);

	p[1].p_paddr = 0x800000;
	tap_ok(try() && plan.segment_count == 2 && plan.entry == 0x400010 &&
		       plan.end == 0x803000,
	       "two segments: the first that has the entry counts");
	p            = copies(3);
	p[0].p_type  = PT_NOTE;
	p[1].p_memsz = 0;
	tap_ok(try() && plan.segment_count == 1,
	       "other headers, and segments of no size, are not loaded");
	copies(MULTIBOOT1_SEGMENT_MAX + 1);
	refused("it has more than");
	put_elf64();
	p64->p_paddr = ~0xfffULL;
	refused("where the VM has no free memory");
	put_elf64();
	p64->p_paddr = 0xfffff000;
	refused("where the VM has no free memory");
	put_elf64();
	e64->e_phoff = 0x1ff0;
	refused("program header 0 lies beyond the end of the file");
	put_elf64();
	e64->e_phoff = ~0ULL;
	refused("program header 0 lies beyond the end of the file");
	put_elf64();
	e64->e_phentsize = sizeof(*p);
	refused("program headers have 32 bytes each");
	put_elf64();
	e64->e_entry = 0x3fffff;
	refused("its entry 0x3fffff is in no segment");
	put_elf64();
	e64->e_machine = EM_386;
	refused("for machine 3, not x86-64");
	put_elf64();
	put_header(0x30, 3);
	file_bytes = 0x3c;
	refused("is no ELF file");
}

static void test_addresses(void)
{
	memset(file, 0, sizeof(file));
	file_bytes = 0x2000;
	put_addresses(0x100, 0x400100, 0x400000, 0x401000, 0x402000, 0x400050);
	tap_ok(try() && plan.segment[0].offset == 0 &&
		       plan.segment[0].file_bytes == 0x1000 &&
		       plan.segment[0].bytes == 0x2000 &&
		       plan.entry == 0x400050,
	       "the header's address fields instead of ELF");
	put_addresses(0x100, 0x400000, 0x400000, 0, 0, 0x400000);
	tap_ok(try() && plan.segment[0].offset == 0x100 &&
		       plan.segment[0].file_bytes == 0x1f00,
	       "without load_end_addr the whole file is loaded");
	put_addresses(0x100, 0x400000, 0x400001, 0, 0, 0);
	refused("load_addr 0x400001 and header_addr 0x400000");
	put_addresses(0x100, 0x400200, 0x400000, 0, 0, 0);
	refused("but lies at offset 0x100");
	put_addresses(0x100, 0x400100, 0x400000, 0x3fffff, 0, 0);
	refused("load_end_addr 0x3fffff is below load_addr");
	put_addresses(0x100, 0x400100, 0x400000, 0x401000, 0x400800, 0);
	refused("bss_end_addr 0x400800 is below");
	put_addresses(0x100, 0x400100, 0x400000, 0x500000, 0, 0x400000);
	refused("reaches beyond the end of the file");
	put_addresses(0x100, 0x400100, 0x400000, 0x401000, 0, 0x3fffff);
	refused("entry_addr 0x3fffff is not in what is loaded");
	put_addresses(0x100, 0x400100, 0x400000, 0x401000, 0, 0x401000);
	refused("entry_addr 0x401000 is not in what is loaded");
}

static void test_header(void)
{
	memset(file, 0, sizeof(file));
	file_bytes = sizeof(file);
	tap_ok(!multiboot1_is(file, file_bytes), "no header, no kernel");
	put_header(8180, 0);
	tap_ok(multiboot1_is(file, file_bytes), "the last place for a header");
	memset(file, 0, sizeof(file));
	put_header(8184, 0);
	tap_ok(!multiboot1_is(file, file_bytes), "one place later");
	memset(file, 0, sizeof(file));
	put_header(102, 0);
	tap_ok(!multiboot1_is(file, file_bytes), "a header off its alignment");
	memset(file, 0, sizeof(file));
	put_addresses(100, 0, 0, 0, 0, 0);
	tap_ok(multiboot1_is(file, 132) && !multiboot1_is(file, 131),
	       "address fields that are cut off");
	put_header(100, 0);
	file[108] ^= 1;
	tap_ok(!multiboot1_is(file, file_bytes), "a wrong checksum");
	put_header(100, 0);
	tap_ok(!multiboot1_is(file, 108), "a header that is cut off");
}

/* ---- information ---- */

static u32 word(const u8 *info, u64 at)
{
	u32 v;

	memcpy(&v, info + at, 4);
	return v;
}

static void test_info(void)
{
	const struct multiboot1_module module[] = {
		{ 0x500000, 0x123, "first" },
		{ 0x501000, 0x1000, "" },
	};
	const struct multiboot1_facts facts = {
		.cmdline      = "vcpus=2 x",
		.loader       = "Tilevisor",
		.module_count = 2,
		.module       = module,
		.range_count  = ARRAY_SIZE(range),
		.range        = range,
	};
	const u32 at = 0x90000;
	u8 info[512] = { 0 };

	tap_ok(multiboot1_info_bytes(&facts) <= sizeof(info), "it is small");
	multiboot1_info(&facts, info, at);
	tap_is(word(info, 0), 0x24d, "flags: what is there, nothing else");
	tap_is(word(info, 4), 639, "mem_lower in KiB");
	tap_is(word(info, 8), 63 * 1024, "mem_upper in KiB");
	tap_ok(!strcmp((char *)info + word(info, 16) - at, "vcpus=2 x"),
	       "command line");
	tap_is(word(info, 20), 2, "two modules");
	const u64 mods = word(info, 24) - at;

	tap_ok(word(info, mods) == 0x500000 && word(info, mods + 4) == 0x500123,
	       "the first one's place");
	tap_ok(!strcmp((char *)info + word(info, mods + 8) - at, "first"),
	       "and its line");
	tap_is(word(info, 44), 3 * 24, "memory map: three entries");
	const u64 map = word(info, 48) - at;

	tap_ok(word(info, map) == 20 && word(info, map + 4) == 0 &&
		       word(info, map + 12) == 0x9fc00 &&
		       word(info, map + 20) == 1,
	       "the first is low memory");
	tap_is(word(info, map + 24 + 20), 2, "the second is reserved");
	tap_ok(!strcmp((char *)info + word(info, 64) - at, "Tilevisor"),
	       "the loader's name");

	const struct memory_range odd        = { 0x1000, MIB, MEMORY_USABLE };
	const struct multiboot1_facts little = {
		.cmdline     = "",
		.loader      = "",
		.range_count = 1,
		.range       = &odd,
	};

	multiboot1_info(&little, info, at);
	tap_is(word(info, 0), 0x245, "without modules: no such flag");
	tap_ok(word(info, 4) == 0 && word(info, 8) == 0,
	       "no memory at 0, none at 1 MiB: so much is said");
}

/* ---- memory ---- */

static void test_memory(void)
{
	struct memory m;
	struct memory_range map[MEMORY_RANGE_MAX];
	const u64 value = 0x1122334455667788;
	u32 n;

	pages_left = 4096;
	pages_run  = 3;
	tap_ok(!memory_create(&m, 4 * MIB), "too many pieces: no memory");
	tap_is(pages_out, 0, "and nothing is kept");
	pages_left = 4096;
	pages_run  = 100;
	tap_ok(memory_create(&m, 2 * MIB), "memory in pieces");
	const u64 seam = m.run[1].start;

	tap_ok(memory_write(&m, gpa(seam - 4), &value, 8),
	       "a write across a seam");
	tap_ok(!memory_host(&m, gpa(seam - 4), 8), "which no pointer spans");
	tap_ok(!memcmp(memory_host(&m, gpa(seam), 4), (const u8 *)&value + 4,
		       4),
	       "both halves arrive");
	tap_ok(!memory_write(&m, gpa(2 * MIB - 4), &value, 8),
	       "a write beyond the end is none");
	tap_ok(!memory_write(&m, gpa(~0ULL - 3), &value, 8),
	       "nor is one that wraps");
	tap_ok(memory_is_ram(&m, gpa(0), 2 * MIB) &&
		       !memory_is_ram(&m, gpa(0), 2 * MIB + 1),
	       "it is as large as asked for");
	u32 steps = 1, dirty = 0;

	for (u32 i = 0; i < m.run_count; i++)
		memset(m.run[i].host, 0xaa, m.run[i].bytes);
	while (!memory_scrub(&m, 300000) && steps < 100)
		steps++;
	tap_is(steps, 7, "it is scrubbed in steps");
	for (u64 at = 0; at < 2 * MIB; at++)
		dirty += *(u8 *)memory_host(&m, gpa(at), 1) != 0;
	tap_is(dirty, 0, "to the last byte, whatever the seams");
	tap_ok(memory_scrub(&m, 0), "and then it is clean");
	memory_write(&m, gpa(seam), &value, 8);
	tap_ok(!memory_scrub(&m, 0), "until somebody writes to it");
	memory_destroy(&m);
	tap_is(pages_out, 0, "all of it goes back");

	pages_left = 4096;
	pages_run  = 640;
	tap_ok(memory_create(&m, 5 * MIB) && m.run_count == 2 &&
		       m.run[1].start == 5 * MIB / 2,
	       "5 MiB in two halves");
	for (u32 i = 0; i < m.run_count; i++)
		memset(m.run[i].host, 0xaa, m.run[i].bytes);
	tap_ok(memory_clear(&m, gpa(5 * MIB / 2 - 8), 16), "zeroes");
	u64 sum = 0;

	for (u64 at = 5 * MIB / 2 - 9; at <= 5 * MIB / 2 + 8; at++)
		sum += *(u8 *)memory_host(&m, gpa(at), 1);
	tap_is(sum, 2 * 0xaa, "over a seam, and no byte more");
	tap_ok(!memory_clear(&m, gpa(5 * MIB - 8), 16), "not over the end");
	tap_ok(!memory_host(&m, gpa(5 * MIB), 1), "nor is there a pointer");
	memory_destroy(&m);
	pages_left = 16384;
	pages_run  = 512;
	tap_ok(!memory_create(&m, GIB), "not 1 GiB in 64 MiB");
	pages_run = 0;
	tap_ok(!memory_create(&m, MIB), "nor anything where nothing is left");
	tap_is(pages_out, 0, "and nothing is kept");

	m = (struct memory){ .bytes = 4 * GIB };
	n = memory_map(&m, map);
	tap_ok(n == 5 && map[3].start == MIB &&
		       map[3].bytes == MEMORY_HOLE_START - MIB &&
		       map[4].start == 4 * GIB &&
		       map[4].bytes == 4 * GIB - MEMORY_HOLE_START,
	       "memory goes on above the hole");
	tap_ok(!memory_is_usable(map, n, 0x9f000, 0x1000) &&
		       memory_is_usable(map, n, 0x9f000, 0xc00) &&
		       !memory_is_usable(map, n, ~0ULL, 2) &&
		       !memory_is_usable(map, n, MIB, ~0ULL),
	       "usable means all of it, in one range");
}

int main(void)
{
	test_header();
	test_elf();
	test_more_elf();
	test_addresses();
	test_info();
	test_memory();
	return tap_done();
}

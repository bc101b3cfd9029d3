/* SPDX-License-Identifier: MIT */
/*
 * The boot loader's first half: finds out what kind of kernel a file is and
 * puts it where its header says. Knows multiboot 1 and 2 (ELF32, ELF64 and bare
 * images with addresses in the header) and Linux' bzImage. Moves a multiboot 2
 * ELF64 that calls itself relocatable, if asked to.
 * (Multiboot Specification 0.6.96, "The layout of Multiboot header"; Multiboot2
 * Specification 2.0, "The layout of Multiboot2 header"; Linux,
 * Documentation/arch/x86/boot.rst.)
 */
#include "pack.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <string.h>

#define MB1_MAGIC 0x1badb002u
#define MB2_MAGIC 0xe85250d6u

enum {
	MB1_SEARCH = 8192, /* the header lies in this much of the file */
	MB2_SEARCH = 32768,
	MB1_KNOWN_REQUIRED = 0x7, /* page-align, memory, video (as text) */
	MB1_ADDRESSES      = 1 << 16,
};

enum mb2_header_tag {
	MB2_HEADER_END          = 0,
	MB2_HEADER_REQUEST      = 1,
	MB2_HEADER_ADDRESS      = 2,
	MB2_HEADER_ENTRY        = 3,
	MB2_HEADER_CONSOLE      = 4,
	MB2_HEADER_FRAMEBUFFER  = 5,
	MB2_HEADER_MODULE_ALIGN = 6,
	MB2_HEADER_RELOCATABLE  = 10,
};

struct file {
	const uint8_t *data;
	size_t bytes;
};

/* The header's own idea of where a bare image goes. */
struct bare {
	uint32_t header;
	uint32_t load;
	uint32_t load_end; /* 0: the whole file */
	uint32_t bss_end;  /* 0: none */
};

static const uint8_t *file_at(struct file f, uint64_t at, uint64_t bytes)
{
	if (at > f.bytes || bytes > f.bytes - at)
		pack_die("the kernel file is cut off: wants %llu bytes at %llu",
			 (unsigned long long)bytes, (unsigned long long)at);
	return f.data + at;
}

static void place(struct pack *p, struct file f, uint64_t from, uint64_t bytes,
		  uint64_t to, uint64_t to_bytes)
{
	if (to_bytes == 0)
		return;
	to += p->moved;
	uint8_t *ram = pack_ram(p, to, to_bytes);

	if (bytes > to_bytes)
		pack_die("a segment's file size exceeds its memory size");
	memcpy(ram, file_at(f, from, bytes), bytes);
	memset(ram + bytes, 0, to_bytes - bytes);
	if (to < p->kernel_start)
		p->kernel_start = (uint32_t)to;
	if (to + to_bytes > p->kernel_end)
		p->kernel_end = (uint32_t)(to + to_bytes);
}

static void load_bare(struct pack *p, struct file f, uint32_t header_offset,
		      struct bare b)
{
	const uint32_t before = b.header - b.load;

	if (b.header < b.load || before > header_offset)
		pack_die("the header's addresses do not fit its place");
	const uint32_t from = header_offset - before;
	const uint64_t bytes =
		b.load_end ? (uint64_t)b.load_end - b.load : f.bytes - from;
	const uint64_t end = b.bss_end ? b.bss_end : b.load + bytes;

	place(p, f, from, bytes, b.load, end - b.load);
}

/* The entry point is virtual: find the segment and its physical address. */
static void load_elf32(struct pack *p, struct file f)
{
	const Elf32_Ehdr *e = (const void *)file_at(f, 0, sizeof(*e));
	const Elf32_Phdr *ph =
		(const void *)file_at(f, e->e_phoff, e->e_phnum * sizeof(*ph));

	p->entry.eip = e->e_entry;
	for (int i = 0; i < e->e_phnum; i++, ph++) {
		if (ph->p_type != PT_LOAD)
			continue;
		place(p, f, ph->p_offset, ph->p_filesz, ph->p_paddr,
		      ph->p_memsz);
		if (e->e_entry - ph->p_vaddr < ph->p_memsz)
			p->entry.eip = ph->p_paddr + (e->e_entry - ph->p_vaddr);
	}
}

static void load_elf64(struct pack *p, struct file f)
{
	const Elf64_Ehdr *e = (const void *)file_at(f, 0, sizeof(*e));
	const Elf64_Phdr *ph =
		(const void *)file_at(f, e->e_phoff, e->e_phnum * sizeof(*ph));

	p->entry.eip = (uint32_t)e->e_entry + p->moved;
	for (int i = 0; i < e->e_phnum; i++, ph++) {
		if (ph->p_type != PT_LOAD)
			continue;
		place(p, f, ph->p_offset, ph->p_filesz, ph->p_paddr,
		      ph->p_memsz);
		if (e->e_entry - ph->p_vaddr < ph->p_memsz)
			p->entry.eip = (uint32_t)(ph->p_paddr + e->e_entry -
						  ph->p_vaddr + p->moved);
	}
}

static void load_elf(struct pack *p, struct file f)
{
	const uint8_t *ident = file_at(f, 0, EI_NIDENT);

	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		pack_die("neither an ELF file nor addresses in the header");
	if (ident[EI_CLASS] == ELFCLASS64)
		load_elf64(p, f);
	else
		load_elf32(p, f);
}

/* Offset of a header with a right checksum, or -1. */
static int find_header(struct file f, uint32_t magic, size_t search,
		       size_t step, int words)
{
	for (size_t at = 0; at < search && at + 16 <= f.bytes; at += step) {
		uint32_t sum = 0;

		if (get32(f.data + at) != magic)
			continue;
		for (int i = 0; i < words; i++)
			sum += get32(f.data + at + (size_t)i * 4);
		if (sum == 0)
			return (int)at;
	}
	return -1;
}

static void load_multiboot1(struct pack *p, struct file f, int at)
{
	const uint32_t flags = get32(file_at(f, (uint32_t)at + 4, 4));

	if (flags & 0xffff & ~MB1_KNOWN_REQUIRED)
		pack_die("multiboot1 header requires %#x, which is unknown",
			 flags & 0xffff & ~MB1_KNOWN_REQUIRED);
	if (!(flags & MB1_ADDRESSES)) {
		load_elf(p, f);
		return;
	}
	const uint8_t *h = file_at(f, (uint32_t)at, 32);

	load_bare(p, f, (uint32_t)at,
		  (struct bare){ .header   = get32(h + 12),
				 .load     = get32(h + 16),
				 .load_end = get32(h + 20),
				 .bss_end  = get32(h + 24) });
	p->entry.eip = get32(h + 28);
}

static void check_request(const uint8_t *tag, uint32_t size)
{
	for (uint32_t at = 8; at + 4 <= size; at += 4) {
		const uint32_t type = get32(tag + at);

		if (type > 15 || !(1u << type & 0xc05e))
			pack_die("the kernel requires information tag %u",
				 type);
	}
}

/*
 * As the header's tag says: from its lowest to its highest address, the image's
 * first byte at a multiple of its alignment.
 */
static void move_kernel(struct pack *p, struct file f, const uint8_t *tag)
{
	const Elf64_Ehdr *e = (const void *)file_at(f, 0, sizeof(*e));
	const Elf64_Phdr *ph =
		(const void *)file_at(f, e->e_phoff, e->e_phnum * sizeof(*ph));

	if (e->e_ident[EI_CLASS] != ELFCLASS64 || ph->p_type != PT_LOAD)
		pack_die("--load-at is for an ELF64 whose first segment is "
			 "loaded");
	if (p->load_at < get32(tag + 8) || p->load_at > get32(tag + 12) ||
	    p->load_at % get32(tag + 16))
		pack_die("the header does not allow to load it at %#x",
			 p->load_at);
	p->moved = p->load_at - (uint32_t)ph->p_paddr;
}

static void load_multiboot2(struct pack *p, struct file f, int header)
{
	const uint32_t start  = (uint32_t)header;
	const uint32_t length = get32(file_at(f, start + 8, 4));
	bool has_bare = false, has_entry = false;
	uint32_t entry   = 0;
	struct bare bare = { 0 };

	if (get32(file_at(f, start + 4, 4)) != 0)
		pack_die("the multiboot2 header is not for i386");
	for (uint32_t at = start + 16; at + 8 <= start + length;) {
		const uint8_t *tag  = file_at(f, at, 8);
		const uint32_t size = get32(tag + 4);
		const bool optional = tag[2] & 1;
		const uint32_t type = tag[0] | (uint32_t)tag[1] << 8;

		if (size < 8)
			pack_die("multiboot2 header tag %u has size %u", type,
				 size);
		tag = file_at(f, at, size);
		if (type == MB2_HEADER_END)
			break;
		if (type == MB2_HEADER_REQUEST && !optional) {
			check_request(tag, size);
		} else if (type == MB2_HEADER_ADDRESS && size >= 24) {
			has_bare = true;
			bare     = (struct bare){ .header   = get32(tag + 8),
						  .load     = get32(tag + 12),
						  .load_end = get32(tag + 16),
						  .bss_end  = get32(tag + 20) };
		} else if (type == MB2_HEADER_ENTRY && size >= 12) {
			has_entry = true;
			entry     = get32(tag + 8);
		} else if (type == MB2_HEADER_RELOCATABLE && size >= 24) {
			if (p->load_at)
				move_kernel(p, f, tag);
		} else if (type > MB2_HEADER_MODULE_ALIGN && !optional) {
			pack_die("the kernel requires header tag %u", type);
		}
		at += (size + 7) & ~7u;
	}
	if (has_bare)
		load_bare(p, f, start, bare);
	else
		load_elf(p, f);
	if (has_entry)
		p->entry.eip = entry;
}

static bool is_linux(struct file f)
{
	return f.bytes > 0x300 && f.data[0x1fe] == 0x55 &&
	       f.data[0x1ff] == 0xaa && memcmp(f.data + 0x202, "HdrS", 4) == 0;
}

/* The protected-mode part goes where it likes best, to its 32-bit entry. */
static void load_linux(struct pack *p, struct file f)
{
	struct setup_header h;

	memcpy(&h, file_at(f, 0x1f1, sizeof(h)), sizeof(h));
	const uint32_t sectors = h.setup_sects ? h.setup_sects : 4;
	const uint32_t setup   = (sectors + 1) * 512;

	const uint64_t to =
		h.relocatable_kernel ? h.pref_address : PACK_HIGH_RAM;

	place(p, f, setup, f.bytes - setup, to, f.bytes - setup);
	p->entry.eip = (uint32_t)to;
	/* It unpacks itself to here, so nothing else may lie there. */
	if (h.pref_address + h.init_size > p->kernel_end)
		p->kernel_end = (uint32_t)h.pref_address + h.init_size;

	struct boot_params *b = pack_ram(p, PACK_INFO, sizeof(*b));

	memset(b, 0, sizeof(*b));
	memcpy(&b->hdr, &h, sizeof(h));
}

void load_kernel(struct pack *p, const uint8_t *data, size_t bytes)
{
	const struct file f = { data, bytes };
	const int mb1       = find_header(f, MB1_MAGIC, MB1_SEARCH, 4, 3);
	const int mb2       = find_header(f, MB2_MAGIC, MB2_SEARCH, 8, 4);

	if (p->protocol == PACK_PROTOCOL_ANY)
		p->protocol = mb2 >= 0      ? PACK_PROTOCOL_MULTIBOOT2
			      : mb1 >= 0    ? PACK_PROTOCOL_MULTIBOOT1
			      : is_linux(f) ? PACK_PROTOCOL_LINUX
					    : PACK_PROTOCOL_ANY;
	p->kernel_start = UINT32_MAX;
	p->kernel_end   = 0;
	if (p->protocol == PACK_PROTOCOL_MULTIBOOT2 && mb2 >= 0)
		load_multiboot2(p, f, mb2);
	else if (p->protocol == PACK_PROTOCOL_MULTIBOOT1 && mb1 >= 0)
		load_multiboot1(p, f, mb1);
	else if (p->protocol == PACK_PROTOCOL_LINUX && is_linux(f))
		load_linux(p, f);
	else
		pack_die("the kernel has no boot header that is known here");
	if (p->kernel_end == 0)
		pack_die("the kernel has nothing to load");
}

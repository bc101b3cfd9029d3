/* SPDX-License-Identifier: MIT */
/* Multiboot 1: header, ELF program headers or address fields, information. */
#include "guest/multiboot1.h"

#include <elf.h>

#include "boot/lib/print.h"
#include "boot/lib/string.h"

#define HEADER_MAGIC  0x1badb002u
#define HEADER_SEARCH 8192 /* the header is complete within these */

/* Header flags. Bits 0-15 that we do not know must stop us. */
#define HEADER_PAGE_ALIGN   BIT(0) /* modules on page boundaries: they are */
#define HEADER_MEMORY_INFO  BIT(1) /* we always give it */
#define HEADER_VIDEO        BIT(2) /* a wish; there is no display */
#define HEADER_ADDRESSES    BIT(16)
#define HEADER_KNOWN        FIELD(2, 0)
#define HEADER_REQUIREMENTS FIELD(15, 0)

struct header {
	u32 magic, flags, checksum;
	u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};
_Static_assert(sizeof(struct header) == 32, "Multiboot: header layout");

/* Multiboot information, the fields that we fill. */
#define INFO_MEMORY  BIT(0)
#define INFO_CMDLINE BIT(2)
#define INFO_MODULES BIT(3)
#define INFO_MAP     BIT(6)
#define INFO_LOADER  BIT(9)

struct info {
	u32 flags, mem_lower, mem_upper, boot_device;
	u32 cmdline, mods_count, mods_addr, syms[4];
	u32 mmap_length, mmap_addr, drives_length, drives_addr;
	u32 config_table, boot_loader_name, apm_table;
	u32 vbe[4];
	u32 framebuffer[7];
};
_Static_assert(offsetof(struct info, mmap_length) == 44, "Multiboot: info");
_Static_assert(offsetof(struct info, boot_loader_name) == 64,
	       "Multiboot: info");
_Static_assert(sizeof(struct info) == 116, "Multiboot: info");

struct info_module {
	u32 start, end, string, reserved;
};

struct info_range {
	u32 size; /* of what follows */
	u64 start, bytes;
	u32 type;
} __attribute__((packed));
_Static_assert(sizeof(struct info_range) == 24, "Multiboot: mmap entry");

/* Where the header is, or -1. */
static s64 find_header(const u8 *file, u64 bytes, struct header *h)
{
	const u64 end = min_u64(bytes, HEADER_SEARCH);

	memset(h, 0, sizeof(*h));
	for (u64 at = 0; at + 12 <= end; at += 4) {
		memcpy(h, file + at, 12);
		if (h->magic != HEADER_MAGIC ||
		    h->magic + h->flags + h->checksum != 0)
			continue;
		if (h->flags & HEADER_ADDRESSES) {
			if (at + sizeof(*h) > end)
				continue;
			memcpy(h, file + at, sizeof(*h));
		}
		return (s64)at;
	}
	return -1;
}

bool multiboot1_is(const void *file, u64 bytes)
{
	struct header h;

	return find_header(file, bytes, &h) >= 0;
}

struct parse {
	const u8 *file;
	u64 bytes;
	const struct memory_range *range;
	u32 range_count;
	struct multiboot1_plan *plan;
	char *why;
	size_t why_size;
};

#define REFUSE(p, ...)                                                         \
	(tv_snprintf((p)->why, (p)->why_size, __VA_ARGS__), false)

static bool add_segment(const struct parse *p, u64 offset, u64 file_bytes,
			u64 start, u64 bytes)
{
	struct multiboot1_plan *plan = p->plan;

	if (!bytes)
		return true;
	if (file_bytes > bytes)
		return REFUSE(p,
			      "a segment has %#llx bytes in the file, but "
			      "only %#llx in memory",
			      (unsigned long long)file_bytes,
			      (unsigned long long)bytes);
	if (offset > p->bytes || file_bytes > p->bytes - offset)
		return REFUSE(p,
			      "a segment reaches beyond the end of the "
			      "file: offset %#llx, %#llx bytes, file %#llx",
			      (unsigned long long)offset,
			      (unsigned long long)file_bytes,
			      (unsigned long long)p->bytes);
	if (start + bytes < start || start + bytes > 4 * GIB ||
	    !memory_is_usable(p->range, p->range_count, start, bytes))
		return REFUSE(p,
			      "it wants to be at %#llx-%#llx, where the VM "
			      "has no free memory",
			      (unsigned long long)start,
			      (unsigned long long)(start + bytes));
	if (plan->segment_count == MULTIBOOT1_SEGMENT_MAX)
		return REFUSE(p, "it has more than %d segments to load",
			      MULTIBOOT1_SEGMENT_MAX);
	plan->segment[plan->segment_count++] = (struct multiboot1_segment){
		.offset     = offset,
		.file_bytes = file_bytes,
		.start      = start,
		.bytes      = bytes,
	};
	plan->end = max_u64(plan->end, start + bytes);
	return true;
}

/* The address fields of the header: flag 16, the "a.out kludge". */
static bool plan_addresses(const struct parse *p, const struct header *h,
			   u64 header_at)
{
	if (h->load_addr > h->header_addr ||
	    h->header_addr - h->load_addr > header_at)
		return REFUSE(p,
			      "its header says load_addr %#x and "
			      "header_addr %#x, but lies at offset %#llx",
			      h->load_addr, h->header_addr,
			      (unsigned long long)header_at);
	const u64 offset = header_at - (h->header_addr - h->load_addr);
	u64 load         = p->bytes - offset;

	if (h->load_end_addr) {
		if (h->load_end_addr < h->load_addr)
			return REFUSE(p,
				      "its header's load_end_addr %#x is "
				      "below load_addr %#x",
				      h->load_end_addr, h->load_addr);
		load = h->load_end_addr - h->load_addr;
	}
	u64 total = load;

	if (h->bss_end_addr) {
		if (h->bss_end_addr < h->load_addr + load)
			return REFUSE(p,
				      "its header's bss_end_addr %#x is "
				      "below the end of what is loaded",
				      h->bss_end_addr);
		total = h->bss_end_addr - h->load_addr;
	}
	if (h->entry_addr - h->load_addr >= total ||
	    h->entry_addr < h->load_addr)
		return REFUSE(p,
			      "its header's entry_addr %#x is not in what is "
			      "loaded, %#x and %#llx bytes",
			      h->entry_addr, h->load_addr,
			      (unsigned long long)total);
	p->plan->entry = h->entry_addr;
	return add_segment(p, offset, load, h->load_addr, total);
}

/* One program header, 32 and 64 bits alike. */
struct segment64 {
	u32 type;
	u64 offset, vaddr, paddr, filesz, memsz;
};

static bool read_segment(const struct parse *p, bool is64, u64 at,
			 struct segment64 *s)
{
	if (is64) {
		Elf64_Phdr ph;

		if (at > p->bytes || sizeof(ph) > p->bytes - at)
			return false;
		memcpy(&ph, p->file + at, sizeof(ph));
		*s = (struct segment64){ ph.p_type,  ph.p_offset, ph.p_vaddr,
					 ph.p_paddr, ph.p_filesz, ph.p_memsz };
	} else {
		Elf32_Phdr ph;

		if (at > p->bytes || sizeof(ph) > p->bytes - at)
			return false;
		memcpy(&ph, p->file + at, sizeof(ph));
		*s = (struct segment64){ ph.p_type,  ph.p_offset, ph.p_vaddr,
					 ph.p_paddr, ph.p_filesz, ph.p_memsz };
	}
	return true;
}

static bool plan_segments(const struct parse *p, bool is64, u64 entry, u64 at,
			  u64 size, u64 count)
{
	bool entered = false;

	if (size < (is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return REFUSE(p, "its ELF program headers have %llu bytes each",
			      (unsigned long long)size);
	for (u64 i = 0; i < count; i++) {
		struct segment64 s;

		if (at > p->bytes || !read_segment(p, is64, at + i * size, &s))
			return REFUSE(p,
				      "ELF program header %llu lies beyond "
				      "the end of the file",
				      (unsigned long long)i);
		if (s.type != PT_LOAD)
			continue;
		if (!add_segment(p, s.offset, s.filesz, s.paddr, s.memsz))
			return false;
		/* The entry is a virtual address, the jump a physical one. */
		if (!entered && entry - s.vaddr < s.memsz) {
			p->plan->entry = (u32)(entry - s.vaddr + s.paddr);
			entered        = true;
		}
	}
	return entered || REFUSE(p, "its entry %#llx is in no segment",
				 (unsigned long long)entry);
}

static bool plan_elf(const struct parse *p)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	if (p->bytes < sizeof(e64) || memcmp(p->file, ELFMAG, SELFMAG) != 0)
		return REFUSE(p, "it has a multiboot header without address "
				 "fields, but is no ELF file");
	memcpy(&e64, p->file, sizeof(e64));
	memcpy(&e32, p->file, sizeof(e32));
	if (e32.e_ident[EI_DATA] != ELFDATA2LSB)
		return REFUSE(p, "it is a big-endian ELF file");
	if (e32.e_ident[EI_CLASS] == ELFCLASS64) {
		if (e64.e_machine != EM_X86_64)
			return REFUSE(p,
				      "it is an ELF file for machine %u, "
				      "not x86-64",
				      e64.e_machine);
		return plan_segments(p, true, e64.e_entry, e64.e_phoff,
				     e64.e_phentsize, e64.e_phnum);
	}
	if (e32.e_machine != EM_386)
		return REFUSE(p,
			      "it is a 32-bit ELF file for machine %u, not "
			      "i386",
			      e32.e_machine);
	return plan_segments(p, false, e32.e_entry, e32.e_phoff,
			     e32.e_phentsize, e32.e_phnum);
}

bool multiboot1_plan(const void *file, u64 bytes,
		     const struct memory_range *range, u32 range_count,
		     struct multiboot1_plan *plan, char *why, size_t why_size)
{
	const struct parse p = {
		.file        = file,
		.bytes       = bytes,
		.range       = range,
		.range_count = range_count,
		.plan        = plan,
		.why         = why,
		.why_size    = why_size,
	};
	struct header h;
	const s64 at = find_header(file, bytes, &h);

	memset(plan, 0, sizeof(*plan));
	if (at < 0)
		return REFUSE(&p, "it has no multiboot 1 header");
	if (h.flags & HEADER_REQUIREMENTS & ~HEADER_KNOWN)
		return REFUSE(&p,
			      "its multiboot header asks for unknown "
			      "things: flags %#x",
			      h.flags);
	if (!(h.flags & HEADER_ADDRESSES))
		return plan_elf(&p);
	return plan_addresses(&p, &h, (u64)at);
}

/* Where each part of the information is, from its start. */
struct places {
	u64 modules, map, text, end;
};

static struct places place(const struct multiboot1_facts *f)
{
	struct places p;

	p.modules = sizeof(struct info);
	p.map     = p.modules + f->module_count * sizeof(struct info_module);
	p.text    = p.map + f->range_count * sizeof(struct info_range);
	p.end     = p.text + strlen(f->cmdline) + 1 + strlen(f->loader) + 1;
	for (u32 i = 0; i < f->module_count; i++)
		p.end += strlen(f->module[i].cmdline) + 1;
	return p;
}

u64 multiboot1_info_bytes(const struct multiboot1_facts *facts)
{
	return place(facts).end;
}

/* Copy S to *TEXT of BUFFER; returns its guest address and moves on. */
static u32 put_text(u8 *buffer, u32 at, u64 *text, const char *s)
{
	const size_t n = strlen(s) + 1;
	const u32 here = at + (u32)*text;

	memcpy(buffer + *text, s, n);
	*text += n;
	return here;
}

/* KiB of usable memory from START on, as mem_lower and mem_upper count it. */
static u32 kib_from(const struct multiboot1_facts *f, u64 start)
{
	for (u32 i = 0; i < f->range_count; i++)
		if (f->range[i].type == MEMORY_USABLE &&
		    f->range[i].start == start)
			return (u32)(f->range[i].bytes / KIB);
	return 0;
}

void multiboot1_info(const struct multiboot1_facts *facts, void *buffer, u32 at)
{
	const struct places p = place(facts);
	u8 *to                = buffer;
	u64 text              = p.text;
	struct info info      = {
		     .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MAP | INFO_LOADER,
		     .mem_lower = kib_from(facts, 0),
		     .mem_upper = kib_from(facts, MIB),
		     .mmap_length =
			     facts->range_count * (u32)sizeof(struct info_range),
		     .mmap_addr = at + (u32)p.map,
	};

	info.cmdline          = put_text(to, at, &text, facts->cmdline);
	info.boot_loader_name = put_text(to, at, &text, facts->loader);
	if (facts->module_count) {
		info.flags |= INFO_MODULES;
		info.mods_count = facts->module_count;
		info.mods_addr  = at + (u32)p.modules;
	}
	for (u32 i = 0; i < facts->module_count; i++) {
		const struct multiboot1_module *m = &facts->module[i];
		const struct info_module im       = {
			      .start  = (u32)m->start,
			      .end    = (u32)(m->start + m->bytes),
			      .string = put_text(to, at, &text, m->cmdline),
		};

		memcpy(to + p.modules + i * sizeof(im), &im, sizeof(im));
	}
	for (u32 i = 0; i < facts->range_count; i++) {
		const struct info_range ir = {
			.size  = sizeof(ir) - sizeof(ir.size),
			.start = facts->range[i].start,
			.bytes = facts->range[i].bytes,
			.type  = facts->range[i].type,
		};

		memcpy(to + p.map + i * sizeof(ir), &ir, sizeof(ir));
	}
	memcpy(to, &info, sizeof(info));
}

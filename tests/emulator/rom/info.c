/* SPDX-License-Identifier: MIT */
/*
 * The boot loader's second half: the information that a kernel finds, as GRUB
 * would write it, at PACK_INFO. Has no framebuffer, no ELF sections, no EFI.
 * (Multiboot Specification 0.6.96, "Boot information format"; Multiboot2
 * Specification 2.0, "Boot information"; Linux' boot.rst and zero-page.rst.)
 */
#include "pack.h"

#include <asm/bootparam.h>
#include <string.h>

#define MB1_BOOT_MAGIC 0x2badb002u
#define MB2_BOOT_MAGIC 0x36d76289u

enum mb1_flag {
	MB1_MEMORY      = 1 << 0,
	MB1_CMDLINE     = 1 << 2,
	MB1_MODULES     = 1 << 3,
	MB1_MEMORY_MAP  = 1 << 6,
	MB1_LOADER_NAME = 1 << 9,
};

enum mb2_tag {
	MB2_END        = 0,
	MB2_CMDLINE    = 1,
	MB2_LOADER     = 2,
	MB2_MODULE     = 3,
	MB2_MEMORY     = 4,
	MB2_MEMORY_MAP = 6,
	MB2_RSDP_1     = 14,
	MB2_RSDP_2     = 15,
};

static const char loader_name[] = "tilevisor direct boot";

/* A cursor over the room for boot information. */
struct writer {
	struct pack *p;
	uint32_t at;
};

static uint8_t *append(struct writer *w, uint32_t bytes, uint32_t alignment)
{
	w->at = (w->at + alignment - 1) & ~(alignment - 1);
	if (bytes > PACK_INFO_END - w->at)
		pack_die("the boot information is too long");
	uint8_t *room = pack_ram(w->p, w->at, bytes);

	memset(room, 0, bytes);
	w->at += bytes;
	return room;
}

static uint32_t append_string(struct writer *w, const char *text)
{
	const uint32_t bytes = (uint32_t)strlen(text) + 1;

	memcpy(append(w, bytes, 1), text, bytes);
	return w->at - bytes;
}

static uint32_t lower_kib(void)
{
	return PACK_LOW_RAM_END / 1024;
}

static uint32_t upper_kib(const struct pack *p)
{
	return (p->ram_bytes - PACK_HIGH_RAM) / 1024;
}

void info_multiboot1(struct pack *p)
{
	struct writer w = { p, PACK_INFO };
	uint8_t *info   = append(&w, 120, 4);
	struct pack_range range;

	put32(info, MB1_MEMORY | MB1_CMDLINE | MB1_MODULES | MB1_MEMORY_MAP |
			    MB1_LOADER_NAME);
	put32(info + 4, lower_kib());
	put32(info + 8, upper_kib(p));
	put32(info + 16, append_string(&w, p->command_line));
	put32(info + 64, append_string(&w, loader_name));

	uint8_t *modules = append(&w, p->module_count * 16, 4);

	put32(info + 20, p->module_count);
	put32(info + 24, w.at - p->module_count * 16);
	for (uint32_t i = 0; i < p->module_count; i++, modules += 16) {
		put32(modules, p->module[i].start);
		put32(modules + 4, p->module[i].end);
		put32(modules + 8, append_string(&w, p->module[i].arguments));
	}
	append(&w, 0, 4);
	put32(info + 48, w.at);
	for (unsigned int i = 0; pack_memory(p, i, &range); i++) {
		uint8_t *e = append(&w, 24, 4);

		put32(e, 20); /* of the rest */
		put64(e + 4, range.base);
		put64(e + 12, range.bytes);
		put32(e + 20, range.type);
		put32(info + 44, (i + 1) * 24);
	}
	p->entry.eax = MB1_BOOT_MAGIC;
	p->entry.ebx = PACK_INFO;
}

static uint8_t *append_tag(struct writer *w, enum mb2_tag type, uint32_t bytes)
{
	uint8_t *tag = append(w, 8 + bytes, 8);

	put32(tag, type);
	put32(tag + 4, 8 + bytes);
	return tag + 8;
}

static void append_string_tag(struct writer *w, enum mb2_tag type,
			      const char *text)
{
	const uint32_t bytes = (uint32_t)strlen(text) + 1;

	memcpy(append_tag(w, type, bytes), text, bytes);
}

static void append_module_tag(struct writer *w, const struct pack_module *m)
{
	const uint32_t bytes = (uint32_t)strlen(m->arguments) + 1;
	uint8_t *tag         = append_tag(w, MB2_MODULE, 8 + bytes);

	put32(tag, m->start);
	put32(tag + 4, m->end);
	memcpy(tag + 8, m->arguments, bytes);
}

static void append_memory_tags(struct writer *w)
{
	unsigned int count = 0;
	struct pack_range range;
	uint8_t *tag = append_tag(w, MB2_MEMORY, 8);

	put32(tag, lower_kib());
	put32(tag + 4, upper_kib(w->p));
	while (pack_memory(w->p, count, &range))
		count++;
	tag = append_tag(w, MB2_MEMORY_MAP, 8 + count * 24);
	put32(tag, 24); /* bytes per entry; version 0 */
	tag += 8;
	for (unsigned int i = 0; pack_memory(w->p, i, &range); i++, tag += 24) {
		put64(tag, range.base);
		put64(tag + 8, range.bytes);
		put32(tag + 16, range.type);
	}
}

void info_multiboot2(struct pack *p)
{
	struct writer w = { p, PACK_INFO };
	uint8_t *info   = append(&w, 8, 8);

	append_string_tag(&w, MB2_CMDLINE, p->command_line);
	append_string_tag(&w, MB2_LOADER, loader_name);
	for (uint32_t i = 0; i < p->module_count; i++)
		append_module_tag(&w, &p->module[i]);
	append_memory_tags(&w);
	if (p->acpi) {
		memcpy(append_tag(&w, MB2_RSDP_1, 20), p->rsdp, 20);
		memcpy(append_tag(&w, MB2_RSDP_2, 36), p->rsdp, 36);
	}
	append_tag(&w, MB2_END, 0);
	put32(info, w.at - PACK_INFO);
	p->entry.eax = MB2_BOOT_MAGIC;
	p->entry.ebx = PACK_INFO;
	if (p->corrupt)
		corrupt_multiboot2(p, info);
}

void info_linux(struct pack *p)
{
	struct boot_params *b = pack_ram(p, PACK_INFO, sizeof(*b));
	struct writer w       = { p, PACK_INFO + sizeof(*b) };
	struct pack_range range;

	b->hdr.type_of_loader = 0xff;
	b->hdr.loadflags |= CAN_USE_HEAP | LOADED_HIGH;
	b->hdr.heap_end_ptr = 0xfe00;
	b->hdr.cmd_line_ptr = append_string(&w, p->command_line);
	if (p->module_count > 1)
		pack_die("Linux takes one module, its initrd");
	if (p->module_count) {
		b->hdr.ramdisk_image = p->module[0].start;
		b->hdr.ramdisk_size  = p->module[0].end - p->module[0].start;
	}
	for (unsigned int i = 0; pack_memory(p, i, &range); i++) {
		b->e820_table[i].addr = range.base;
		b->e820_table[i].size = range.bytes;
		b->e820_table[i].type = range.type;
		b->e820_entries       = (uint8_t)(i + 1);
	}
	p->entry.esi       = PACK_INFO;
	p->entry.wants_gdt = true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Good images for a guest, made here, to be damaged by tests. FILE is zeroed by
 * the caller.
 */
#ifndef TESTS_UNIT_IMAGES_H
#define TESTS_UNIT_IMAGES_H

#include <asm/bootparam.h>
#include <elf.h>
#include <string.h>

#include "boot/lib/types.h"

#define IMAGE_ELF32_BYTES 0x2000
#define IMAGE_PHDR_AT     0x40
#define IMAGE_HEADER_AT   0x200 /* of multiboot */
#define IMAGE_SETUP_AT    0x1f1 /* struct setup_header in a bzImage */

static inline void image_multiboot1(void *at, u32 flags)
{
	const u32 h[3] = { 0x1badb002, flags, -(0x1badb002 + flags) };

	memcpy(at, h, sizeof(h));
}

/* One PT_LOAD, linked at VIRTUAL, physical 4 MiB. */
static inline void image_elf32(u8 *file, u32 virtual)
{
	Elf32_Ehdr *e = (Elf32_Ehdr *)(void *)file;
	Elf32_Phdr *p = (Elf32_Phdr *)(void *)(file + IMAGE_PHDR_AT);

	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS32;
	e->e_ident[EI_DATA]  = ELFDATA2LSB;
	e->e_machine         = EM_386;
	e->e_entry           = virtual + 0x10;
	e->e_phoff           = IMAGE_PHDR_AT;
	e->e_phentsize       = sizeof(*p);
	e->e_phnum           = 1;
	*p                   = (Elf32_Phdr){ .p_type   = PT_LOAD,
					     .p_offset = 0x1000,
					     .p_vaddr  = virtual,
					     .p_paddr  = 0x400000,
					     .p_filesz = 0x800,
					     .p_memsz  = 0x3000 };
	image_multiboot1(file + IMAGE_HEADER_AT, 3);
}

/* What a distribution's kernel looks like, in BYTES with SECTORS of set-up. */
static inline void image_kernel(u8 *file, u32 bytes, u8 sectors)
{
	struct setup_header *h =
		(struct setup_header *)(void *)(file + IMAGE_SETUP_AT);

	file[0x201]           = 0x6a; /* the jump's length is the header's */
	h->setup_sects        = sectors;
	h->boot_flag          = 0xaa55;
	h->header             = 0x53726448;
	h->version            = 0x020f;
	h->loadflags          = LOADED_HIGH;
	h->xloadflags         = XLF_KERNEL_64;
	h->syssize            = (bytes - (sectors + 1) * 512) / 16;
	h->relocatable_kernel = 1;
	h->kernel_alignment   = 0x200000;
	h->pref_address       = 0x1000000;
	h->init_size          = 0x2000000;
	h->cmdline_size       = 2047;
	h->initrd_addr_max    = 0x7fffffff;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Believes no offset: the file may be a damaged one. */
#include "boot/efi/image.h"

#include <elf.h>

#include "boot/lib/string.h"

static Elf64_Phdr segment(const struct efi_image *image, const Elf64_Ehdr *head,
			  u32 i)
{
	Elf64_Phdr p;

	memcpy(&p, image->file + head->e_phoff + i * sizeof(p), sizeof(p));
	return p;
}

static bool fits(const Elf64_Phdr *p, u64 file_bytes)
{
	return p->p_offset <= file_bytes &&
	       p->p_filesz <= file_bytes - p->p_offset &&
	       p->p_filesz <= p->p_memsz && p->p_memsz <= 4 * GIB &&
	       p->p_vaddr <= 4 * GIB - p->p_memsz;
}

const char *efi_image_open(struct efi_image *image, const void *file,
			   u64 file_bytes)
{
	u64 start = UINT64_MAX, end = 0;
	Elf64_Ehdr head;

	*image = (struct efi_image){ .file = file, .file_bytes = file_bytes };
	if (file_bytes < sizeof(head))
		return "it is cut off";
	memcpy(&head, file, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_machine != EM_X86_64 ||
	    head.e_phentsize != sizeof(Elf64_Phdr))
		return "it is not an ELF64 file for x86-64";
	if (head.e_phoff > file_bytes ||
	    head.e_phnum * sizeof(Elf64_Phdr) > file_bytes - head.e_phoff)
		return "its program headers are cut off";
	for (u32 i = 0; i < head.e_phnum; i++) {
		const Elf64_Phdr p = segment(image, &head, i);

		if (p.p_type != PT_LOAD)
			continue;
		if (!fits(&p, file_bytes))
			return "a segment is cut off or beyond 4 GiB";
		start = min_u64(start, p.p_vaddr);
		end   = max_u64(end, p.p_vaddr + p.p_memsz);
	}
	if (head.e_entry < start || head.e_entry >= end)
		return "its entry point is in no segment";
	image->start = start;
	image->bytes = end - start;
	image->entry = head.e_entry - start;
	return NULL;
}

void efi_image_load(const struct efi_image *image, void *to)
{
	Elf64_Ehdr head;

	memcpy(&head, image->file, sizeof(head));
	memset(to, 0, image->bytes);
	for (u32 i = 0; i < head.e_phnum; i++) {
		const Elf64_Phdr p = segment(image, &head, i);

		if (p.p_type == PT_LOAD)
			memcpy((u8 *)to + (p.p_vaddr - image->start),
			       image->file + p.p_offset, p.p_filesz);
	}
}

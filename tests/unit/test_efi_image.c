/* SPDX-License-Identifier: MIT */
/* links: boot/efi/image.c */
/*
 * Our UEFI loader's ELF loader, with one good image and damaged ones.
 * Source: System V ABI, "Program Header".
 */
#include "boot/efi/image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

/* One segment of code, one of data that is longer in memory. */
struct elf {
	Elf64_Ehdr head;
	Elf64_Phdr segment[3];
	u8 code[16], data[8];
};

static struct elf good(void)
{
	struct elf e = { 0 };

	memcpy(e.head.e_ident, ELFMAG, SELFMAG);
	e.head.e_ident[EI_CLASS] = ELFCLASS64;
	e.head.e_machine         = EM_X86_64;
	e.head.e_phoff           = offsetof(struct elf, segment);
	e.head.e_phentsize       = sizeof(Elf64_Phdr);
	e.head.e_phnum           = 3;
	e.head.e_entry           = 0x100004;
	e.segment[0]             = (Elf64_Phdr){ .p_type   = PT_LOAD,
						 .p_offset = offsetof(struct elf, code),
						 .p_vaddr  = 0x100000,
						 .p_filesz = 16,
						 .p_memsz  = 16 };
	e.segment[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_memsz = UINT64_MAX };
	e.segment[2] = (Elf64_Phdr){ .p_type   = PT_LOAD,
				     .p_offset = offsetof(struct elf, data),
				     .p_vaddr  = 0x101000,
				     .p_filesz = 8,
				     .p_memsz  = 4096 };
	memset(e.code, 0xcc, sizeof(e.code));
	memset(e.data, 0xdd, sizeof(e.data));
	return e;
}

static const char *open_elf(struct efi_image *image, const struct elf *e,
			    size_t bytes)
{
	static u8 *exact;

	free(exact);
	exact = malloc(bytes);
	memcpy(exact, e, bytes);
	return efi_image_open(image, exact, bytes);
}

static void images(void)
{
	struct efi_image image;
	struct elf e       = good();
	u8 *const memory   = malloc(0x2000);
	bool right         = true;
	const size_t whole = sizeof(e);

	tap_ok(!open_elf(&image, &e, whole) && image.start == 0x100000 &&
		       image.bytes == 0x2000 && image.entry == 4,
	       "an image, its size in memory and its entry");
	memset(memory, 0xff, 0x2000);
	efi_image_load(&image, memory);
	for (u32 i = 0; i < 0x2000; i++)
		right = right && memory[i] == (i < 16            ? 0xcc
					       : i - 0x1000u < 8 ? 0xdd
								 : 0);
	tap_ok(right, "segments where they belong, zeroes elsewhere");
	for (size_t bytes = 0; bytes < whole; bytes++)
		right = right && open_elf(&image, &e, bytes) != NULL;
	tap_ok(right, "cut off anywhere it is refused");

	/* clang-format off */
	struct elf d;
	d = good(); d.head.e_ident[0] = 0;
	tap_ok(open_elf(&image, &d, whole), "refused: no ELF file");
	d = good(); d.head.e_ident[EI_CLASS] = ELFCLASS32;
	tap_ok(open_elf(&image, &d, whole), "refused: an ELF file of 32 bits");
	d = good(); d.head.e_machine = EM_AARCH64;
	tap_ok(open_elf(&image, &d, whole), "refused: another machine's");
	d = good(); d.head.e_phentsize = 32;
	tap_ok(open_elf(&image, &d, whole), "refused: program headers of another size");
	d = good(); d.head.e_phoff = UINT64_MAX - 8;
	tap_ok(open_elf(&image, &d, whole), "refused: program headers nowhere");
	d = good(); d.segment[0].p_offset = UINT64_MAX - 8;
	tap_ok(open_elf(&image, &d, whole), "refused: a segment nowhere in the file");
	d = good(); d.segment[0].p_filesz = 17;
	tap_ok(open_elf(&image, &d, whole), "refused: a segment longer in the file than in memory");
	d = good(); d.segment[2].p_memsz = UINT64_MAX;
	tap_ok(open_elf(&image, &d, whole), "refused: a segment that wraps");
	d = good(); d.segment[2].p_vaddr = 4 * GIB - 4095;
	tap_ok(open_elf(&image, &d, whole), "refused: a segment beyond 4 GiB");
	d = good(); d.head.e_entry = 0x102000;
	tap_ok(open_elf(&image, &d, whole), "refused: an entry point behind the image");
	d = good(); d.head.e_phnum = 0;
	tap_ok(open_elf(&image, &d, whole), "refused: nothing to load");
	/* clang-format on */
	free(memory);
}

int main(void)
{
	images();
	return tap_done();
}

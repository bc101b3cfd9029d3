/* SPDX-License-Identifier: MIT */
/* links: boot/efi/image.c */
/* seconds: 10 */
/* Our UEFI loader's ELF loader: stays within the file and its memory. */
#include "boot/efi/image.h"

#include <elf.h>

#include "tests/fuzz/fuzz.h"

#define MEMORY_MAX (64 * KIB)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *file = exact(data, size);
	struct efi_image image;
	const char *why = efi_image_open(&image, file, size);

	if (why) {
		require_sentence(why, strlen(why) + 2);
	} else {
		REQUIRE(image.entry < image.bytes);
		REQUIRE(image.start + image.bytes <= 4 * GIB);
		if (image.bytes <= MEMORY_MAX) {
			u8 *memory = malloc(image.bytes);

			REQUIRE(memory);
			efi_image_load(&image, memory);
			free(memory);
		}
	}
	free(file);
	return 0;
}

static void fuzz_seeds(void)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr segment[2];
		u8 code[64];
	} e = { 0 };

	memcpy(e.head.e_ident, ELFMAG, SELFMAG);
	e.head.e_ident[EI_CLASS] = ELFCLASS64;
	e.head.e_machine         = EM_X86_64;
	e.head.e_phoff           = sizeof(e.head);
	e.head.e_phentsize       = sizeof(e.segment[0]);
	e.head.e_phnum           = 2;
	e.head.e_entry           = 0x100000;
	for (u32 i = 0; i < 2; i++)
		e.segment[i] = (Elf64_Phdr){
			.p_type   = PT_LOAD,
			.p_offset = sizeof(e) - sizeof(e.code),
			.p_vaddr  = 0x100000 + i * 0x1000,
			.p_filesz = sizeof(e.code),
			.p_memsz  = 4096,
		};
	fuzz_seed(&e, sizeof(e));
}

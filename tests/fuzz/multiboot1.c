/* SPDX-License-Identifier: MIT */
/* links: guest/multiboot1.c guest/memory.c boot/lib/print.c */
/* seconds: 60 */
/*
 * Multiboot 1 images: a plan that stays within the file and the guest's memory,
 * or a sentence; and the information for a kernel, with the input as its text.
 * Source: Multiboot Specification 0.6.96.
 */
#include "guest/multiboot1.h"

#include <elf.h>

#include "boot/lib/pages.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_no_pages.h"
#include "tests/unit/images.h"

static const struct memory_range range[] = {
	{ 0, 0x9fc00, MEMORY_USABLE },
	{ 0x9fc00, 0x400, MEMORY_RESERVED },
	{ MIB, 63 * MIB, MEMORY_USABLE },
};

static void judge_plan(const struct multiboot1_plan *p, u64 size)
{
	bool holds_entry = false;

	REQUIRE(p->segment_count >= 1 &&
		p->segment_count <= MULTIBOOT1_SEGMENT_MAX);
	for (u32 i = 0; i < p->segment_count; i++) {
		const struct multiboot1_segment *s = &p->segment[i];

		REQUIRE(s->offset <= size && s->file_bytes <= size - s->offset);
		REQUIRE(s->bytes >= s->file_bytes);
		REQUIRE(memory_is_usable(range, ARRAY_SIZE(range), s->start,
					 s->bytes));
		REQUIRE(s->start + s->bytes <= p->end);
		holds_entry |= p->entry - s->start < s->bytes;
	}
	REQUIRE(holds_entry);
}

static void info(const u8 *data, size_t size)
{
	char *text                           = malloc(size + 1);
	const struct multiboot1_module mod[] = {
		{ 2 * MIB, 4096, text },
		{ 3 * MIB, 1, "" },
	};
	const struct multiboot1_facts facts = {
		text, "x", 2, mod, ARRAY_SIZE(range), range
	};

	REQUIRE(text);
	memcpy(text, data, size);
	text[size] = '\0';

	const u64 bytes = multiboot1_info_bytes(&facts);
	u8 *buffer      = malloc(bytes);

	REQUIRE(buffer);
	multiboot1_info(&facts, buffer, 0x9000);
	free(buffer);
	free(text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *file      = exact(data, size);
	char why[200] = "";
	struct multiboot1_plan plan;

	if (multiboot1_is(file, size)) {
		if (multiboot1_plan(file, size, range, ARRAY_SIZE(range), &plan,
				    why, sizeof(why)))
			judge_plan(&plan, size);
		else
			require_sentence(why, sizeof(why));
	}
	if (size < 2048)
		info(file, size);
	free(file);
	return 0;
}

static void fuzz_seeds(void)
{
	u8 file[1024]  = { 0 };
	Elf64_Ehdr e   = { .e_type      = ET_EXEC,
			   .e_machine   = EM_X86_64,
			   .e_version   = EV_CURRENT,
			   .e_entry     = 4 * MIB,
			   .e_phoff     = sizeof(e),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum     = 1 };
	Elf64_Phdr p   = { .p_type   = PT_LOAD,
			   .p_offset = 256,
			   .p_vaddr  = 4 * MIB,
			   .p_paddr  = 4 * MIB,
			   .p_filesz = 512,
			   .p_memsz  = 4096 };
	Elf32_Ehdr e32 = { .e_type      = ET_EXEC,
			   .e_machine   = EM_386,
			   .e_version   = EV_CURRENT,
			   .e_entry     = 4 * MIB,
			   .e_phoff     = sizeof(e32),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum     = 1 };
	Elf32_Phdr p32 = { .p_type   = PT_LOAD,
			   .p_offset = 256,
			   .p_vaddr  = 4 * MIB,
			   .p_paddr  = 4 * MIB,
			   .p_filesz = 512,
			   .p_memsz  = 4096 };

	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS]   = ELFCLASS64;
	e.e_ident[EI_DATA]    = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(file, &e, sizeof(e));
	memcpy(file + sizeof(e), &p, sizeof(p));
	image_multiboot1(file + 256, 3);
	fuzz_seed(file, sizeof(file));
	memcpy(e32.e_ident, e.e_ident, sizeof(e.e_ident));
	e32.e_ident[EI_CLASS] = ELFCLASS32;
	memcpy(file, &e32, sizeof(e32));
	memcpy(file + sizeof(e32), &p32, sizeof(p32));
	fuzz_seed(file, sizeof(file));
	memset(file, 0, sizeof(file));
	image_multiboot1(file, 3 | 1 << 16);
	put32(file + 12, 4 * MIB);        /* header_addr */
	put32(file + 16, 4 * MIB);        /* load_addr */
	put32(file + 20, 4 * MIB + 1024); /* load_end_addr */
	put32(file + 24, 4 * MIB + 8192); /* bss_end_addr */
	put32(file + 28, 4 * MIB + 64);   /* entry_addr */
	fuzz_seed(file, sizeof(file));
}

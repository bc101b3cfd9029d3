/* SPDX-License-Identifier: MIT */
/* The 64-bit boot protocol of Linux, Documentation/arch/x86/boot.rst. */
#include "guest/linux.h"

#include "boot/lib/print.h"
#include "boot/lib/string.h"
#include "boot/lib/x86.h"
#include "guest/bzimage.h"

/* Below 640 KiB, where neither kernel nor initrd is put. */
#define PARAMS_AT  0x7000
#define GDT_AT     0x8000
#define TABLES_AT  0x9000 /* PML4, PDPT, four page directories */
#define SEED_AT    0x1f000
#define CMDLINE_AT 0x20000

#define PTE_TABLE 0x03 /* present, writable */
#define PTE_LARGE 0x83 /* and a 2 MiB page */
#define LOW_GIB   4

#define SEED_WORDS         4 /* as many as Linux asks EFI for */
#define CPUID_1_ECX_RDRAND BIT(30)

/* The only entry of the list that boot_params' setup_data begins. */
struct seed {
	u64 next;
	u32 type;
	u32 bytes;
	u64 word[SEED_WORDS];
};
_Static_assert(offsetof(struct seed, word) == sizeof(struct setup_data),
	       "struct setup_data, with its data");

#define CODE_64 0x00af9b000000ffffULL
#define DATA_32 0x00cf93000000ffffULL

/* __BOOT_CS is 10H, __BOOT_DS 18H. */
static const u64 gdt[] = { 0, 0, CODE_64, DATA_32 };

/* Identity page tables for the low 4 GiB, at TABLES_AT. */
static bool put_tables(struct memory *m)
{
	u64 page[LOW_GIB];

	memset(page, 0, sizeof(page));
	page[0] = (TABLES_AT + PAGE_SIZE) | PTE_TABLE;
	if (!memory_write(m, gpa(TABLES_AT), page, 8))
		return false;
	for (u64 i = 0; i < LOW_GIB; i++)
		page[i] = (TABLES_AT + (2 + i) * PAGE_SIZE) | PTE_TABLE;
	if (!memory_write(m, gpa(TABLES_AT + PAGE_SIZE), page, 8 * LOW_GIB))
		return false;
	for (u64 i = 0; i < LOW_GIB * 512; i++) {
		const u64 entry = i * 2 * MIB | PTE_LARGE;

		if (!memory_write(m, gpa(TABLES_AT + 2 * PAGE_SIZE + i * 8),
				  &entry, 8))
			return false;
	}
	return true;
}

/* An archive begins at a multiple of 4 in the initrd. */
static u64 initrd_size(const struct linux_file *initrd, u32 count)
{
	u64 bytes = 0;

	for (u32 i = 0; i < count; i++)
		bytes = align_up(bytes, 4) + initrd[i].bytes;
	return bytes;
}

static bool put_initrd(struct memory *m, u64 at,
		       const struct linux_file *initrd, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		at = align_up(at, 4);
		if (!memory_write(m, gpa(at), initrd[i].data, initrd[i].bytes))
			return false;
		at += initrd[i].bytes;
	}
	return true;
}

/*
 * Random numbers, for a kernel that would otherwise begin with none: each start
 * of each VM has others. 0: this machine has none to give.
 */
static u64 put_seed(struct memory *m)
{
	struct seed s = { .type = SETUP_RNG_SEED, .bytes = sizeof(s.word) };

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND))
		return 0;
	for (u32 i = 0; i < SEED_WORDS; i++)
		if (!rdrand(&s.word[i]))
			return 0;
	return memory_write(m, gpa(SEED_AT), &s, sizeof(s)) ? SEED_AT : 0;
}

bool linux_load(struct memory *m, const struct linux_file *kernel,
		const struct linux_file *initrd, u32 initrd_count,
		const char *cmdline, u64 rsdp, struct linux_start *start,
		char *why, size_t why_size)
{
	struct boot_params *params =
		memory_host(m, gpa(PARAMS_AT), sizeof(*params));
	struct memory_range range[MEMORY_RANGE_MAX];
	struct bzimage_plan plan;
	const struct bzimage_places at = { .cmdline = CMDLINE_AT,
					   .rsdp    = rsdp };
	const u32 range_count          = memory_map(m, range);
	const u64 cmdline_bytes        = strlen(cmdline);

	if (!bzimage_plan(kernel->data, kernel->bytes,
			  initrd_size(initrd, initrd_count), cmdline_bytes,
			  range, range_count, &plan, why, why_size))
		return false;
	if (params) {
		bzimage_params(&plan, range, range_count, &at, params);
		params->hdr.setup_data = put_seed(m);
	}
	if (!params ||
	    !memory_write(m, gpa(plan.load),
			  (const u8 *)kernel->data + plan.kernel_offset,
			  plan.kernel_bytes) ||
	    !put_initrd(m, plan.initrd, initrd, initrd_count) ||
	    !memory_write(m, gpa(CMDLINE_AT), cmdline, cmdline_bytes + 1) ||
	    !memory_write(m, gpa(GDT_AT), gdt, sizeof(gdt)) || !put_tables(m)) {
		tv_snprintf(why, why_size,
			    "its memory is too small to load it");
		return false;
	}
	*start = (struct linux_start){
		.rip       = plan.entry,
		.rsi       = PARAMS_AT,
		.cr3       = TABLES_AT,
		.gdt_base  = GDT_AT,
		.gdt_limit = sizeof(gdt) - 1,
	};
	return true;
}

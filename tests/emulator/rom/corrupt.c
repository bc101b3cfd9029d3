/* SPDX-License-Identifier: MIT */
/*
 * Boot information with one thing wrong. A table says what each kind of damage
 * writes where; what a kernel should say to it is the business of its tests.
 */
#include "pack.h"

#include <stdio.h>
#include <string.h>

#define WHOLE UINT32_MAX /* not a tag: the fixed part in front of all tags */

enum corrupt_base {
	PLAIN,
	FROM_KERNEL,       /* the value counts from the kernel's first byte */
	FROM_FIRST_MODULE, /* ... from the first module's */
	FROM_RAM_END,      /* ... from the end of memory */
	FROM_TAG_SIZE,     /* ... from the bytes of the tag */
};

/*
 * Write VALUE's low BYTES at OFFSET of the NUMBER-th tag of TYPE; a negative
 * offset counts from the tag's end.
 */
struct corruption {
	const char *name;
	uint32_t type;
	int number;
	int offset;
	int bytes;
	enum corrupt_base base;
	uint64_t value;
};

static const struct corruption table[] = {
	/* clang-format off */
	{ "total-size-0",           WHOLE, 0,  0, 4, PLAIN, 0 },
	{ "total-size-short",       WHOLE, 0,  0, 4, PLAIN, 0x18 },
	{ "total-size-huge",        WHOLE, 0,  0, 4, PLAIN, 0xfffffff8 },
	{ "tag-size-0",             2,     0,  4, 4, PLAIN, 0 },
	{ "tag-size-7",             2,     0,  4, 4, PLAIN, 7 },
	{ "tag-size-huge",          2,     0,  4, 4, PLAIN, 0xfffffff8 },
	{ "tag-unknown",            2,     0,  0, 4, PLAIN, 0x7777 },
	{ "no-end-tag",             0,     0,  0, 4, PLAIN, 0x7777 },
	{ "no-cmdline",             1,     0,  0, 4, PLAIN, 0x7777 },
	{ "no-module",              3,     0,  0, 4, PLAIN, 0x7777 },
	{ "no-mmap",                6,     0,  0, 4, PLAIN, 0x7777 },
	{ "cmdline-empty-tag",      1,     0,  4, 4, PLAIN, 8 },
	{ "cmdline-unterminated",   1,     0, -1, 1, PLAIN, 'x' },
	{ "module-unterminated",    3,     0, -1, 1, PLAIN, 'x' },
	{ "module-short-tag",       3,     0,  4, 4, PLAIN, 12 },
	{ "module-reversed",        3,     0, 12, 4, FROM_FIRST_MODULE, -16 },
	{ "module-empty",           3,     0, 12, 4, FROM_FIRST_MODULE, 0 },
	{ "module-overlap",         3,     1,  8, 4, FROM_FIRST_MODULE, 0 },
	{ "module-over-kernel",     3,     0,  8, 4, FROM_KERNEL, 0x1000 },
	{ "module-outside-memory",  3,     0, 12, 4, FROM_RAM_END, 0x1000000 },
	{ "mmap-entry-size-0",      6,     0,  8, 4, PLAIN, 0 },
	{ "mmap-entry-size-20",     6,     0,  8, 4, PLAIN, 20 },
	{ "mmap-entry-size-huge",   6,     0,  8, 4, PLAIN, 0xfffffff8 },
	{ "mmap-version",           6,     0, 12, 4, PLAIN, 1 },
	{ "mmap-cut",               6,     0,  4, 4, PLAIN, 12 },
	{ "mmap-no-entries",        6,     0, 16, 4, PLAIN, 0x7777 },
	{ "mmap-no-entries",        6,     0, 20, 4, FROM_TAG_SIZE, -16 },
	{ "mmap-no-entries",        6,     0,  4, 4, PLAIN, 16 },
	{ "mmap-wraps",             6,     0, 48, 8, PLAIN, UINT64_MAX },
	{ "mmap-overlap",           6,     0, 40, 8, PLAIN, 0 },
	{ "rsdp-checksum",          14,    0, 17, 1, PLAIN, 0x55 },
	{ "rsdp-checksum",          15,    0, 17, 1, PLAIN, 0x55 },
	{ "rsdp-short",             15,    0,  4, 4, PLAIN, 12 },
	{ "rsdp-short",             14,    0,  4, 4, PLAIN, 12 },
	/* clang-format on */
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

/*
 * Damage to an ACPI table: VALUE's low BYTES at OFFSET. Its checksum is made
 * right again, unless it is what is damaged.
 */
static const struct {
	const char *name, *signature;
	int offset, bytes;
	uint32_t value;
} acpi_table[] = {
	/* clang-format off */
	{ "acpi-root-outside",  "XSDT", 36, 4, 0xfffffff0 },
	{ "acpi-root-checksum", "XSDT",  9, 1, 0x55 },
	{ "acpi-madt-short",    "APIC",  4, 4, 40 },
	{ "acpi-madt-entry-0",  "APIC", 45, 1, 0 },
	{ "acpi-madt-no-cpu",   "APIC", 48, 4, 0 },
	{ "acpi-madt-ghost",    "APIC", 55, 1, 119 }, /* in place of CPU 1 */
	{ "acpi-fadt-short",    "FACP",  4, 4, 60 },
	{ "acpi-fadt-port",     "FACP", 64, 4, 0x10604 },
	{ "acpi-dsdt-huge",     "DSDT",  4, 4, 0xfffffff0 },
	/* clang-format on */
};

#define ACPI_COUNT    (sizeof(acpi_table) / sizeof(acpi_table[0]))
#define ACPI_CHECKSUM 9

static uint8_t *find_acpi(uint8_t *rom, const char *signature)
{
	for (uint32_t at = 0; at < PACK_ROM_BYTES; at += 64)
		if (memcmp(rom + at, signature, 4) == 0)
			return rom + at;
	pack_die("there is no ACPI table %s to damage", signature);
}

void corrupt_acpi(const struct pack *p, uint8_t *rom)
{
	if (!p->corrupt || strncmp(p->corrupt, "acpi-", 5) != 0)
		return;
	for (size_t i = 0; i < ACPI_COUNT; i++) {
		uint8_t value[8], *t;
		uint32_t length, sum = 0;

		if (strcmp(p->corrupt, acpi_table[i].name) != 0)
			continue;
		t = find_acpi(rom, acpi_table[i].signature);
		put64(value, acpi_table[i].value);
		memcpy(t + acpi_table[i].offset, value,
		       (size_t)acpi_table[i].bytes);
		length = get32(t + 4);
		if (acpi_table[i].offset == ACPI_CHECKSUM ||
		    length > PACK_ROM_BYTES)
			return;
		t[ACPI_CHECKSUM] = 0;
		for (uint32_t b = 0; b < length; b++)
			sum += t[b];
		t[ACPI_CHECKSUM] = (uint8_t)-sum;
		return;
	}
	pack_die("unknown --corrupt %s", p->corrupt);
}

static uint8_t *find_tag(uint8_t *info, uint32_t type, int number)
{
	if (type == WHOLE)
		return info;
	const uint8_t *end = info + get32(info);

	for (uint8_t *tag = info + 8; tag < end;
	     tag += (get32(tag + 4) + 7) & ~7u) {
		if (get32(tag) == type && number-- == 0)
			return tag;
	}
	pack_die("the information has no such tag of type %u to damage", type);
}

static uint64_t value_of(const struct pack *p, const struct corruption *c,
			 const uint8_t *tag)
{
	switch (c->base) {
	case FROM_KERNEL:
		return p->kernel_start + c->value;
	case FROM_FIRST_MODULE:
		return p->module[0].start + c->value;
	case FROM_RAM_END:
		return p->ram_bytes + c->value;
	case FROM_TAG_SIZE:
		return get32(tag + 4) + c->value;
	case PLAIN:
		break;
	}
	return c->value;
}

/* What is not in the information itself but in the registers. */
static bool corrupt_entry(struct pack *p)
{
	if (strcmp(p->corrupt, "magic") == 0)
		p->entry.eax ^= 1;
	else if (strcmp(p->corrupt, "info-unaligned") == 0)
		p->entry.ebx += 4;
	else if (strcmp(p->corrupt, "info-outside-memory") == 0)
		p->entry.ebx = 0xfff00000;
	else
		return false;
	return true;
}

void corrupt_multiboot2(struct pack *p, uint8_t *info)
{
	bool done = corrupt_entry(p) || strncmp(p->corrupt, "acpi-", 5) == 0;

	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const struct corruption *c = &table[i];
		uint8_t value[8];

		if (strcmp(p->corrupt, c->name) != 0)
			continue;
		uint8_t *tag = find_tag(info, c->type, c->number);

		put64(value, value_of(p, c, tag));
		if (c->offset < 0)
			tag += get32(tag + 4);
		memcpy(tag + c->offset, value, (size_t)c->bytes);
		done = true;
	}
	if (!done)
		pack_die("unknown --corrupt %s", p->corrupt);
}

void corrupt_list(void)
{
	puts("magic\ninfo-unaligned\ninfo-outside-memory");
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (i == 0 || strcmp(table[i].name, table[i - 1].name) != 0)
			puts(table[i].name);
	}
	for (size_t i = 0; i < ACPI_COUNT; i++)
		puts(acpi_table[i].name);
}

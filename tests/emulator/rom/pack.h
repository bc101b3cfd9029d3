/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the direct-boot packer share. It plays firmware and boot
 * loader on the host: the emulated machine starts with everything in place.
 */
#ifndef PACK_H
#define PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACK_ROM_BASE     0xf0000u /* 64 KiB, up to 1 MiB */
#define PACK_ROM_BYTES    0x10000u
#define PACK_INFO         0x10000u /* boot information, up to PACK_INFO_END */
#define PACK_INFO_END     0x90000u
#define PACK_LOW_RAM_END  0x9fc00u
#define PACK_HIGH_RAM     0x100000u
#define PACK_MODULE_COUNT 64

enum pack_memory_type {
	PACK_MEMORY_AVAILABLE = 1,
	PACK_MEMORY_RESERVED  = 2,
};

struct pack_range {
	uint64_t base;
	uint64_t bytes;
	enum pack_memory_type type;
};

struct pack_module {
	const char *arguments;
	uint32_t start;
	uint32_t end; /* one past the last byte */
};

/* What the CPU holds at the kernel's first instruction. */
struct pack_entry {
	uint32_t eip;
	uint32_t eax;
	uint32_t ebx;
	uint32_t esi;
	bool wants_gdt; /* else GDTR is empty, as the specification allows */
};

enum pack_protocol {
	PACK_PROTOCOL_ANY,
	PACK_PROTOCOL_MULTIBOOT1,
	PACK_PROTOCOL_MULTIBOOT2,
	PACK_PROTOCOL_LINUX,
};

struct pack {
	uint8_t *ram; /* the whole memory, ram_bytes */
	uint32_t ram_bytes;
	uint32_t top; /* the image file ends here */
	uint32_t cpu_count;
	uint32_t
		load_at; /* move a relocatable kernel here; 0: where it likes */
	uint32_t moved;  /* by so much it was */
	uint32_t kernel_start;
	uint32_t kernel_end;
	const char *command_line;
	const char *corrupt; /* a name of corrupt.c, or NULL */
	bool acpi;
	uint8_t rsdp[36];
	uint32_t module_count;
	struct pack_module module[PACK_MODULE_COUNT];
	enum pack_protocol protocol;
	struct pack_entry entry;
};

/* Print a sentence and end the program with status 1. */
__attribute__((format(printf, 1, 2))) _Noreturn void
pack_die(const char *format, ...);

/* Memory [at, at + bytes), which must exist; the image then reaches that far.
 */
void *pack_ram(struct pack *p, uint64_t at, uint64_t bytes);

/* The memory map's range number INDEX; false: there are no more. */
bool pack_memory(const struct pack *p, unsigned int index,
		 struct pack_range *range);

/*
 * Load kernel FILE as its header says: decides p->protocol if that is ANY, sets
 * p->kernel_start, kernel_end and entry.eip.
 */
void load_kernel(struct pack *p, const uint8_t *file, size_t bytes);

/* Build the boot information of p->protocol; sets the rest of p->entry. */
void info_multiboot1(struct pack *p);
void info_multiboot2(struct pack *p);
void info_linux(struct pack *p);

/*
 * Damage the finished multiboot2 information at INFO in the way p->corrupt
 * names, which must be one that corrupt_list() prints.
 */
void corrupt_multiboot2(struct pack *p, uint8_t *info);
void corrupt_list(void);

/*
 * RSDP, RSDT, XSDT, FADT, FACS, DSDT and a MADT with p->cpu_count CPUs, into
 * the ROM image, where firmware's search range is; copies the RSDP to p->rsdp.
 */
void acpi_build(struct pack *p, uint8_t *rom);

/* Damage the finished ACPI tables, if that is what p->corrupt names. */
void corrupt_acpi(const struct pack *p, uint8_t *rom);

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)value);
	put16(at + 2, (uint16_t)(value >> 16));
}

static inline void put64(uint8_t *at, uint64_t value)
{
	put32(at, (uint32_t)value);
	put32(at + 4, (uint32_t)(value >> 32));
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static inline uint32_t page_up(uint32_t at)
{
	return (at + 0xfff) & ~0xfffu;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Walks the memory map twice: pages first, then page tables, which need pages.
 * Memory that the map does not call RAM is never written.
 */
#include "boot/memory.h"

#include "boot/lib/lapic.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/paging.h"
#include "boot/lib/panic.h"

#define FIRST_TABLES_REACH (4 * GIB)  /* boot/head.S */
#define ROM_START          0xe0000ULL /* firmware's tables lie up to 1 MiB */

extern const char image_start[], image_end[]; /* linker.ld */
extern const char text_start[], text_end[];
extern const char rodata_start[], rodata_end[];
extern const char data_start[];

static u64 address(const void *p)
{
	return (u64)(uintptr_t)p;
}

/* RAM between FROM and TO becomes free pages. */
static void add_ram(const struct boot_info *bi, u64 from, u64 to)
{
	for (u32 i = 0; i < bi->region_count; i++) {
		const struct boot_region *r = &bi->region[i];

		if (r->kind == BOOT_REGION_RAM)
			pages_add(max_u64(r->start, from), min_u64(r->end, to));
	}
}

void pages_init(const struct boot_info *bi)
{
	pages_fail(host_options()->fail_alloc);
	add_ram(bi, 0, FIRST_TABLES_REACH);
	pages_reserve(0, MIB);
	pages_reserve(address(image_start), address(image_end));
	for (u32 i = 0; i < bi->module_count; i++)
		pages_reserve(bi->module[i].start, bi->module[i].end);
}

static void map(u64 start, u64 end, unsigned int access)
{
	start = align_down(start, PAGE_SIZE);
	end   = align_up(end, PAGE_SIZE);
	if (!paging_map(start, end, access))
		refuse("no memory for the page tables of %#lx to %#lx", start,
		       end);
}

/* RAM that no table can reach is left alone, and the log says so. */
static void map_regions(const struct boot_info *bi)
{
	for (u32 i = 0; i < bi->region_count; i++) {
		const struct boot_region *r = &bi->region[i];
		const u64 start             = max_u64(r->start, PAGE_SIZE);
		const u64 end               = min_u64(r->end, paging_limit());

		if (r->kind == BOOT_REGION_RAM && r->end > end)
			log_warn("RAM from %#lx to %#lx is beyond the CPU's "
				 "reach and not used",
				 max_u64(start, end), r->end);
		if (start >= end)
			continue;
		if (r->kind == BOOT_REGION_RAM)
			map(align_up(start, PAGE_SIZE),
			    align_down(end, PAGE_SIZE), PAGING_WRITE);
		else if (r->kind == BOOT_REGION_ACPI ||
			 r->kind == BOOT_REGION_NVS)
			map(start, end, 0);
	}
}

static void audit(void)
{
	struct paging_count n;

	paging_audit(&n);
	log_info("page tables: %lu pages in %lu tables, %lu writable, %lu "
		 "executable, %lu both",
		 n.mapped, n.tables, n.writable, n.executable,
		 n.writable_executable);
	if (n.writable_executable)
		panic("%lu pages are both writable and executable",
		      n.writable_executable);
}

void paging_init(const struct boot_info *bi)
{
	map_regions(bi);
	map(ROM_START, MIB, 0);
	map(address(image_start), address(text_end), PAGING_EXECUTE);
	map(address(rodata_start), address(rodata_end), 0);
	map(address(data_start), address(image_end), PAGING_WRITE);
	map(LAPIC_MMIO, LAPIC_MMIO + PAGE_SIZE, PAGING_WRITE | PAGING_DEVICE);
	paging_load();
	add_ram(bi, FIRST_TABLES_REACH, paging_limit());
	audit();
}

/* SPDX-License-Identifier: MIT */
/* links: boot/efi/info.c boot/mb2.c boot/memory_map.c boot/lib/print.c */
/*
 * What our UEFI loader builds is what boot/mb2.c understands, in as little room
 * as it takes. Source: Multiboot2 Specification 2.0, "Boot information format".
 */
#include "boot/efi/info.h"

#include <stdlib.h>
#include <string.h>

#include "boot/mb2.h"
#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

#define INFO_AT 0x9000

static const struct mb2_placement placement = { INFO_AT, 0x100000, 0x140000 };
static struct boot_info bi;

/* As firmware's: longer than the structure that the specification knows. */
struct descriptor {
	u32 type, pad;
	u64 start, virtual, pages, attributes, more;
};

static bool build(struct efi_info *i, void *at, u32 size)
{
	static const struct descriptor map[] = {
		{ 7, 0, 0, 0, 0x9f, 0xf, 0 },
		{ 2, 0, 0x100000, 0, 0x1000, 0xf, 0 },
		{ 11, 0, 0xfec00000, 0, 1, 1, 0 },
	};
	u8 rsdp[36] = "RSD PTR ";
	u32 room;
	void *to;

	rsdp[15] = 2;
	for (u32 n = 0; n < 20; n++)
		rsdp[8] = (u8)(rsdp[8] - (n == 8 ? 0 : rsdp[n]));
	for (u32 n = 0; n < 36; n++)
		rsdp[32] = (u8)(rsdp[32] - (n == 32 ? 0 : rsdp[n]));
	efi_info_begin(i, at, size);
	efi_info_cmdline(i, "console=com2");
	efi_info_loader(i, "a test");
	efi_info_rsdp(i, rsdp, true);
	efi_info_module(i, 0x200000, 0x200123, "vm=a -- b");
	to = efi_info_map_place(i, &room);
	if (room < sizeof(map))
		return false;
	memcpy(to, map, sizeof(map));
	efi_info_map(i, sizeof(map), sizeof(map[0]), 1);
	return efi_info_end(i);
}

static void information(void)
{
	struct efi_info i;
	struct mb2_problem p;
	u32 needed   = 0;
	bool bounded = true;
	u8 *at       = malloc(4096);

	tap_ok(build(&i, at, 4096), "information is built");
	tap_ok(mb2_parse(MB2_LOADER_MAGIC, at, i.used, &placement, &bi, &p),
	       "and accepted as any boot loader's");
	tap_ok(!strcmp(bi.cmdline, "console=com2") &&
		       !strcmp(bi.loader, "a test"),
	       "texts");
	tap_ok(bi.module_count == 1 && bi.module[0].start == 0x200000 &&
		       bi.module[0].end == 0x200123 &&
		       !strcmp(bi.module[0].cmdline, "vm=a -- b"),
	       "a module");
	tap_ok(bi.rsdp && bi.rsdp_copy[15] == 2, "the RSDP");
	tap_ok(bi.region_count == 3 && bi.region[1].kind == BOOT_REGION_RAM &&
		       bi.region[1].end == 0x1100000 &&
		       bi.region[2].kind == BOOT_REGION_RESERVED,
	       "the memory map, descriptors longer than the structure");
	free(at);
	for (u32 size = 8; size < 512; size += 8) {
		at                = malloc(size);
		const bool enough = build(&i, at, size);

		bounded = bounded && (enough || !needed);
		if (enough && !needed)
			needed = size;
		bounded = bounded && i.used <= size;
		free(at);
	}
	tap_ok(bounded && needed, "too little room is noticed, none exceeded");
	tap_note("%u bytes are enough", needed);
}

/* ACPI 1.0's RSDP has 20 bytes and a tag of its own. */
static void old_rsdp(void)
{
	static const u8 rsdp[20] = "RSD PTR old and good";
	struct efi_info i;
	u8 at[64];
	u32 tag[2];

	efi_info_begin(&i, at, sizeof(at));
	efi_info_rsdp(&i, rsdp, false);
	memcpy(tag, at + 8, sizeof(tag));
	tap_ok(tag[0] == 14 && tag[1] == 28 && !memcmp(at + 16, rsdp, 20),
	       "an old RSDP has its own tag");
	efi_info_rsdp(&i, at, true);
	efi_info_map(&i, 100, 40, 1);
	tap_ok(!efi_info_end(&i) && i.used <= sizeof(at),
	       "a map without room is noticed");
}

int main(void)
{
	information();
	old_rsdp();
	return tap_done();
}

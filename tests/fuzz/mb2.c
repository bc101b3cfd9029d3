/* SPDX-License-Identifier: MIT */
/* links: boot/mb2.c boot/memory_map.c boot/lib/print.c */
/* seconds: 60 */
/*
 * Boot information: whatever a loader hands over gives a boot_info that keeps
 * its promises, or one sentence. Source: Multiboot2 Specification 2.0.
 */
#include "boot/mb2.h"
#include "tests/fuzz/fuzz.h"

#define INFO_AT     0x9000
#define IMAGE_START 0x100000
#define IMAGE_END   0x140000

static const struct mb2_placement at = { INFO_AT, IMAGE_START, IMAGE_END };
static struct boot_info bi;

static bool in_text(const char *s)
{
	const size_t from = (size_t)(s - bi.text);

	return s >= bi.text && from < sizeof(bi.text) &&
	       strnlen(s, sizeof(bi.text) - from) < sizeof(bi.text) - from;
}

static bool is_ram(const struct boot_module *m)
{
	for (u32 i = 0; i < bi.region_count; i++)
		if (bi.region[i].kind == BOOT_REGION_RAM &&
		    bi.region[i].start <= m->start &&
		    m->end <= bi.region[i].end)
			return true;
	return false;
}

static void judge(void)
{
	REQUIRE(in_text(bi.cmdline) && in_text(bi.loader));
	REQUIRE(bi.region_count <= BOOT_REGION_MAX);
	REQUIRE(bi.module_count <= BOOT_MODULE_MAX);
	for (u32 i = 0; i < bi.region_count; i++) {
		REQUIRE(bi.region[i].start < bi.region[i].end);
		REQUIRE(!i || bi.region[i - 1].end <= bi.region[i].start);
	}
	for (u32 i = 0; i < bi.module_count; i++) {
		const struct boot_module *m = &bi.module[i];

		REQUIRE(m->start < m->end && in_text(m->cmdline) && is_ram(m));
		REQUIRE(m->end <= IMAGE_START || m->start >= IMAGE_END);
		for (u32 j = 0; j < i; j++)
			REQUIRE(m->end <= bi.module[j].start ||
				m->start >= bi.module[j].end);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *info = exact(data, size);
	struct mb2_problem problem;
	char why[240];

	if (mb2_parse(MB2_LOADER_MAGIC, info, size, &at, &bi, &problem)) {
		judge();
	} else {
		mb2_explain(&problem, why, sizeof(why));
		require_sentence(why, sizeof(why));
	}
	free(info);
	return 0;
}

static u8 seed[1024];
static u32 used;

static void tag(u32 type, const void *body, u32 bytes)
{
	put32(seed + used, type);
	put32(seed + used + 4, 8 + bytes);
	memcpy(seed + used + 8, body, bytes);
	used += (u32)align_up(8 + bytes, 8);
}

static void fuzz_seeds(void)
{
	static const u64 map[] = {
		/* entry_size 24, version 0; base, length, type */
		24,  0, 0xa0000, 1,   MIB, 63 * MIB,   1,      64 * MIB,
		MIB, 3, 4 * GIB, GIB, 1,   0xfee00000, 0x1000, 2,
	};
	u8 module[8 + 16] = "........vm=a -- x";
	u8 rsdp[36]       = "RSD PTR ";

	used = 8;
	tag(1, "log=info", 9);
	tag(2, "GRUB 2.06", 10);
	tag(6, map, sizeof(map));
	put32(module, 2 * MIB);
	put32(module + 4, 3 * MIB);
	tag(3, module, 8 + 10);
	put32(module, 4 * MIB);
	put32(module + 4, 5 * MIB);
	tag(3, module, 8 + 10);
	for (int i = 0; i < 8; i++)
		rsdp[8] = (u8)(rsdp[8] - rsdp[i]);
	tag(14, rsdp, 20);
	tag(15, rsdp, 36);
	tag(0, "", 0);
	put32(seed, used);
	fuzz_seed(seed, used);
}

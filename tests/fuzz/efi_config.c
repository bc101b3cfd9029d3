/* SPDX-License-Identifier: MIT */
/* links: boot/efi/config.c boot/lib/print.c */
/* seconds: 20 */
/* tilevisor.cfg: names and words within the file, or a sentence. */
#include "boot/efi/config.h"
#include "tests/fuzz/fuzz.h"

static bool is_within(const char *text, const char *file, size_t size)
{
	return text >= file && text + strlen(text) <= file + size;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct efi_config config;
	char *file    = malloc(size + 1);
	char why[240] = "";

	REQUIRE(file);
	memcpy(file, data, size);
	if (!efi_config_parse(file, size, &config, why, sizeof(why))) {
		require_sentence(why, sizeof(why));
		free(file);
		return 0;
	}
	REQUIRE(!*config.options || is_within(config.options, file, size));
	REQUIRE(strlen(config.options) < BOOT_CMDLINE_MAX);
	REQUIRE(config.module_count <= BOOT_MODULE_MAX);
	for (u32 i = 0; i < config.module_count; i++) {
		const char *path  = config.module[i].path;
		const char *words = config.module[i].words;

		REQUIRE(*path && strlen(path) < EFI_PATH_MAX);
		REQUIRE(is_within(path, file, size));
		REQUIRE(is_within(words, file, size));
		REQUIRE(strlen(words) < BOOT_CMDLINE_MAX);
	}
	free(file);
	return 0;
}

static void fuzz_seeds(void)
{
	fuzz_seed_text("# one directive a line\noptions console=com1\n"
		       "module vmlinuz vm=a mem=512M -- console=ttyS0\r\n"
		       "\tmodule \"my initrd\" vm=a initrd\n");
	fuzz_seed_text("\xef\xbb\xbfmodule /a/b");
	fuzz_seed_text("options a\noptions b\n");
	fuzz_seed_text("module \"open\n");
	fuzz_seed_text("\xff\xfem");
}

/* SPDX-License-Identifier: MIT */
/* links: boot/lib/options.c boot/lib/print.c */
/* seconds: 60 */
/* Tilevisor's own command line: values within their bounds, or a sentence. */
#include "boot/lib/options.h"
#include "tests/fuzz/fuzz.h"

static bool is_one_of(const char *value, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(value, names[i]) == 0)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *line = malloc(size + 1);
	struct host_options o;
	char why[240] = "";

	REQUIRE(line);
	memcpy(line, data, size);
	line[size] = '\0';
	if (!host_options_parse(line, &o, why, sizeof(why)))
		require_sentence(why, sizeof(why));
	/* Also what was understood before the first wrong word is in use. */
	REQUIRE(o.port >= 0x100 && o.port <= 0xfff8 && o.baud <= 115200);
	REQUIRE(o.slice_us >= SLICE_US_MIN && o.slice_us <= SLICE_US_MAX);
	REQUIRE(o.log <= LOG_DEBUG && o.end <= HOST_END_REBOOT);
	REQUIRE(is_one_of(o.xfd, host_xfd_names, ARRAY_SIZE(host_xfd_names)));
	REQUIRE(is_one_of(o.fpu, host_fpu_names, ARRAY_SIZE(host_fpu_names)));
	REQUIRE(memchr(o.console_raw, 0, sizeof(o.console_raw)));
	REQUIRE(memchr(o.selftest, 0, sizeof(o.selftest)));
	free(line);
	return 0;
}

static void fuzz_seeds(void)
{
	fuzz_seed_text("console=com1,115200 log=debug slice=1000 end=reboot");
	fuzz_seed_text("console-raw=\"a b\" xfd=wrmsr fpu=reserve");
	fuzz_seed_text("\"console=0x3f8\" selftest=late slice=0x10");
	fuzz_seed_text("end=off end=halt");
	fuzz_seed_text("unknown=1");
	fuzz_seed_text("log=\"open");
}

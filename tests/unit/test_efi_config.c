/* SPDX-License-Identifier: MIT */
/* links: boot/efi/config.c boot/lib/print.c */
/*
 * tilevisor.cfg: what is accepted, each way to get it wrong with its sentence,
 * and random damage, which must never read outside.
 */
#include "boot/efi/config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

static struct efi_config config;
static char why[240];

/* Exactly as much room as the parser may use. */
static char *room;

static bool parse_bytes(const char *text, size_t length)
{
	free(room);
	room = malloc(length + 1);
	memcpy(room, text, length);
	why[0] = '\0';
	return efi_config_parse(room, length, &config, why, sizeof(why));
}

static bool parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static bool module_is(u32 i, const char *path, const char *words)
{
	return i < config.module_count &&
	       !strcmp(config.module[i].path, path) &&
	       !strcmp(config.module[i].words, words);
}

static void accepted(void)
{
	tap_ok(parse("# a comment\n\n  options  console=com1 log=info \n"
		     "module vmlinuz vm=a mem=512M -- console=ttyS0 \"a b\"\n"
		     "\tmodule \"my initrd\"\tvm=a initrd\r\n"
		     "module /dir/last"),
	       "comments, blanks, quotes, CR, no newline at the end");
	tap_ok(!strcmp(config.options, "console=com1 log=info"),
	       "options without the blanks around them");
	tap_ok(config.module_count == 3 &&
		       module_is(0, "vmlinuz",
				 "vm=a mem=512M -- console=ttyS0 \"a b\""),
	       "a module's words are left as they are");
	tap_ok(module_is(1, "my initrd", "vm=a initrd"),
	       "a quoted name with a blank");
	tap_ok(module_is(2, "/dir/last", ""), "a module without words");
	tap_ok(parse("") && !*config.options && !config.module_count,
	       "an empty file is no error");
	tap_ok(parse("\xef\xbb\xbfoptions log=debug") &&
		       !strcmp(config.options, "log=debug"),
	       "a byte order mark of UTF-8 is skipped");
	tap_ok(parse("# gr\xc3\xbc\xc3\x9f\x65\nmodule x"),
	       "a comment may hold any character");
	tap_ok(parse("options"), "options may be empty");
}

static const struct {
	const char *claim, *text, *says;
} wrong[] = {
	{ "unknown directive", "options x\nmodul a vm=b",
	  "tilevisor.cfg, line 2: \"modul\" is neither" },
	{ "unknown directive, long",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "line 1: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is" },
	{ "a tab in quotes", "\"a\tb\"", "line 1: \"a b\" is neither" },
	{ "options twice", "options a\n\noptions b",
	  "line 3: options are given twice" },
	{ "module without a file", "module  \n",
	  "line 1: module needs the name of a file" },
	{ "quote not closed", "module \"a b", "line 1: module needs the name" },
	{ "empty name", "module \"\" vm=a", "line 1: module needs the name" },
	{ "directive in open quotes", "\"module a",
	  "\"\"module a\" is neither" },
	{ "character that is no ASCII", "module gr\xc3\xbcn vm=a",
	  "line 1: character 0xc3 is not plain ASCII" },
	{ "control character", "module a\x1b[0m", "character 0x1b" },
	{ "UTF-16", "\xff\xfem", "line 1: the file is UTF-16" },
	{ "UTF-16, the other way", "\xfe\xff", "line 1: the file is UTF-16" },
};

static void refused(void)
{
	static char big[70000];
	char *at;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (!tap_ok(!parse(wrong[i].text) && strstr(why, wrong[i].says),
			    "refused: %s", wrong[i].claim))
			tap_note("%s", why);
	tap_ok(!parse_bytes("module a\0b", 10) &&
		       strstr(why, "line 1: character 0 is"),
	       "refused: a NUL");
	memset(big, 'x', EFI_PATH_MAX + 7);
	memcpy(big, "module ", 7);
	big[EFI_PATH_MAX + 7] = '\0';
	tap_ok(!parse(big) && strstr(why, "256 characters, at most 255"),
	       "refused: a name too long");
	memset(big + 7, 'x', BOOT_CMDLINE_MAX - 7);
	big[20]               = ' ';
	big[BOOT_CMDLINE_MAX] = '\0';
	tap_ok(!parse(big) && strstr(why, "4096 characters, at most 4095"),
	       "refused: a line too long");
	big[BOOT_CMDLINE_MAX - 1] = '\0';
	tap_ok(parse(big), "one character less is accepted");
	at = big;
	for (int i = 0; i < BOOT_MODULE_MAX + 1; i++)
		at += sprintf(at, "module m%d\n", i);
	tap_ok(!parse(big) && strstr(why, "line 65: there are more than 64"),
	       "refused: too many modules");
}

static void damage_at_random(void)
{
	static const char good[] = "# x\noptions console=com1\nmodule \"a b\" "
				   "vm=a -- y\nmodule c vm=b initrd\n";
	static const char bits[] = "\n\r\t \"#module options\xff\0";
	bool kept                = true;
	u32 taken                = 0;

	srand(4);
	for (int round = 0; round < 30000; round++) {
		char text[sizeof(good)];
		const size_t length = (size_t)rand() % sizeof(good);

		memcpy(text, good, sizeof(good));
		for (int i = rand() % 5; i > 0; i--)
			text[(size_t)rand() % sizeof(text)] =
				bits[(size_t)rand() % sizeof(bits)];
		if (!parse_bytes(text, length)) {
			kept = kept && strstr(why, "tilevisor.cfg, line ");
			continue;
		}
		taken++;
		for (u32 i = 0; i < config.module_count; i++)
			kept = kept && *config.module[i].path &&
			       config.module[i].words <= room + length;
	}
	tap_ok(kept, "30000 damaged ones: a sentence, or modules with names");
	tap_note("%u of them were still acceptable", taken);
	free(room);
}

int main(void)
{
	accepted();
	refused();
	damage_at_random();
	return tap_done();
}

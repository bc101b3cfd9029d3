/* SPDX-License-Identifier: MIT */
/* links: boot/lib/options.c boot/lib/print.c */
/*
 * The tokenizer as a table of words, the host's options as a table of command
 * lines and what is said about the wrong ones.
 */
#include "boot/lib/options.h"

#include <string.h>

#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

/* clang-format off */
static const struct {
	const char *text;
	const char *words; /* key or key=value, each in <>; "!" unclosed quote */
} words[] = {
	{ "",                      "" },
	{ "  \t ",                 "" },
	{ "a",                     "<a>" },
	{ "a b=c",                 "<a><b=c>" },
	{ "  a=  b  ",             "<a=><b>" },
	{ "a=b=c",                 "<a=b=c>" },
	{ "a=\"b c\" d",           "<a=b c><d>" },
	{ "\"a=b c\" d",           "<a=b c><d>" },
	{ "\"a b\"",               "<a b>" },
	{ "a=\"\"",                "<a=>" },
	{ "a=\"b",                 "!" },
	{ "x \"a=b c",             "<x>!" },
	{ "=",                     "<=>" },
	{ "=b",                    "<=b>" },
	{ "a\tb\tc",               "<a><b><c>" },
};

static const struct {
	const char *value;
	bool number_ok, size_ok;
	u64 number, size;
} numbers[] = {
	{ "0",                     true,  true,  0, 0 },
	{ "4096",                  true,  true,  4096, 4096 },
	{ "0x10",                  true,  true,  16, 16 },
	{ "0XfF",                  true,  true,  255, 255 },
	{ "012",                   true,  true,  12, 12 },
	{ "64K",                   false, true,  0, 65536 },
	{ "64k",                   false, true,  0, 65536 },
	{ "2M",                    false, true,  0, 2097152 },
	{ "3G",                    false, true,  0, 3221225472 },
	{ "0x10K",                 false, true,  0, 16384 },
	{ "18446744073709551615",  true,  true,  UINT64_MAX, UINT64_MAX },
	{ "18446744073709551616",  false, false, 0, 0 },
	{ "17179869183G",          false, true,  0, 17179869183ULL << 30 },
	{ "17179869184G",          false, false, 0, 0 },
	{ "",                      false, false, 0, 0 },
	{ "K",                     false, false, 0, 0 },
	{ "0x",                    false, false, 0, 0 },
	{ "-1",                    false, false, 0, 0 },
	{ "1 ",                    false, false, 0, 0 },
	{ "12a",                   false, false, 0, 0 },
	{ "1KK",                   false, false, 0, 0 },
};

static const struct {
	const char *cmdline;
	const char *why; /* part of the sentence; NULL: accepted */
} lines[] = {
	{ "",                          NULL },
	{ "console=com1",              NULL },
	{ "console=com2,9600",         NULL },
	{ "console=0x3f8,0",           NULL },
	{ "console=0x3f8",             NULL },
	{ "console=com3",              "does not accept \"com3\"" },
	{ "console=com1,fast",         "does not accept \"com1,fast\"" },
	{ "console=com1,999999",       "up to 115200" },
	{ "console=0x10",              "a port from 0x100" },
	{ "console=",                  "it takes com1" },
	{ "console",                   "needs a value" },
	{ "log=error",                 NULL },
	{ "log=loud",                  "error, warn, info, debug" },
	{ "slice=10 log=debug",        NULL },
	{ "apicv=off log=debug",       NULL },
	{ "apicv=maybe",               "takes on, off" },
	{ "slice=9",                   "microseconds from 10" },
	{ "slice=10000001",            "microseconds from 10" },
	{ "slice=1ms",                 "does not accept \"1ms\"" },
	{ "end=halt",                  NULL },
	{ "end=off",                   NULL },
	{ "end=never",                 "off, halt, reboot" },
	{ "console-raw=a",             NULL },
	{ "console-raw=sixteen-letters-",  "at most 15" },
	{ "console-raw=",              "the name of a VM" },
	{ "xfd=nm",                    NULL },
	{ "xfd=inject fpu=reserve",    NULL },
	{ "xfd=NM",                    "nm, wrmsr, eager, kvm, inject" },
	{ "fpu=greedy",                "lazy, reserve" },
	{ "migrate=2000",              NULL },
	{ "migrate=1999",              "TSC ticks from 2000" },
	{ "migrate=often",             "TSC ticks from 2000" },
	{ "fail-alloc=1",              NULL },
	{ "fail-alloc=0",              "does not accept \"0\"" },
	{ "fail-alloc=x",              "does not accept \"x\"" },
	{ "report",                    NULL },
	{ "report=1",                  "no value" },
	{ "verbose",                   "unknown option \"verbose\"" },
	{ "verbose=1",                 "the options are console, log" },
	{ "slice=10 slice=10",         NULL },
	{ "selftest selftest",         NULL },
	{ "selftest=panic",            NULL },
	{ "selftest=",                 "no value, or panic" },
	{ "selftest=much-too-long-to-be-the-name-of-one", "no value, or panic" },
	{ "selftest selftest=panic",   "given twice, as \"\" and as \"panic\"" },
	{ "selftest=panic selftest",   "given twice, as \"panic\" and as \"\"" },
	{ "slice=10 slice=20",         "given twice, as \"10\" and as \"20\"" },
	{ "log=info end=off log=warn", "given twice" },
	{ "log=\"info",                "never closed" },
	{ "xfd=eager xfdd=eager",      "unknown option \"xfdd\"" },
};
/* clang-format on */

static void tokens(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *cursor = words[i].text;
		enum option_next next;
		struct option o;
		char got[128] = "";
		size_t at     = 0;

		while ((next = option_next(&cursor, &o)) == OPTION_WORD)
			at += (size_t)snprintf(
				got + at, sizeof(got) - at,
				o.value ? "<%.*s=%.*s>" : "<%.*s>",
				(int)o.key_length, o.key, (int)o.value_length,
				o.value ? o.value : "");
		if (next == OPTION_UNQUOTED)
			snprintf(got + at, sizeof(got) - at, "!");
		if (!tap_ok(!strcmp(got, words[i].words), "words of '%s'",
			    words[i].text))
			tap_note("got %s, expected %s", got, words[i].words);
	}
}

/* Messages repeat words, and a console obeys some characters. */
static void control_characters(void)
{
	static const struct {
		const char *line, *said;
	} row[] = {
		{ "end=off log=\033[2J",
		  "control character 0x1b in its column 13" },
		{ "log=\"in\tfo\"", "control character 0x9 in its column 8" },
		{ "end=\177", "control character 0x7f in its column 5" },
		{ " \r\n\"end=off", "never closed: \"end=off" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct host_options o;
		char why[240] = "";

		tap_ok(!host_options_parse(row[i].line, &o, why, sizeof(why)) &&
			       strstr(why, row[i].said),
		       "control character: %s", row[i].said);
	}
}

static void values(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct option o = {
			.value        = numbers[i].value,
			.value_length = strlen(numbers[i].value),
		};
		u64 number = 0, size = 0;
		const bool n = option_number(&o, &number);
		const bool s = option_size(&o, &size);

		tap_ok(n == numbers[i].number_ok && s == numbers[i].size_ok &&
			       number == numbers[i].number &&
			       size == numbers[i].size,
		       "'%s' as number and size", numbers[i].value);
	}
}

static void host(void)
{
	struct host_options o;
	char why[240];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		why[0]        = '\0';
		const bool ok = host_options_parse(lines[i].cmdline, &o, why,
						   sizeof(why));
		const bool right =
			lines[i].why ? !ok && strstr(why, lines[i].why) : ok;

		if (!tap_ok(right, "'%s' %s", lines[i].cmdline,
			    lines[i].why ? "is refused by name"
					 : "is accepted"))
			tap_note("said: %s", why);
	}
}

static void taken(void)
{
	struct host_options o;
	char why[240];

	host_options_parse("", &o, why, sizeof(why));
	tap_ok(o.port == 0x3f8 && o.baud == 115200 && o.log == LOG_INFO &&
		       o.slice_us == 1000 && o.end == HOST_END_OFF && o.apicv &&
		       !strcmp(o.xfd, "nm") && !strcmp(o.fpu, "lazy") &&
		       !o.console_raw[0],
	       "the defaults");
	host_options_parse("console=com2,9600 log=debug slice=250 end=reboot "
			   "console-raw=linux xfd=kvm fpu=reserve apicv=off",
			   &o, why, sizeof(why));
	tap_ok(o.port == 0x2f8 && o.baud == 9600 && o.log == LOG_DEBUG &&
		       o.slice_us == 250 && o.end == HOST_END_REBOOT &&
		       !o.apicv && !strcmp(o.xfd, "kvm") &&
		       !strcmp(o.fpu, "reserve") &&
		       !strcmp(o.console_raw, "linux"),
	       "every option is taken");
	host_options_parse("console=0x2e8,0", &o, why, sizeof(why));
	tap_ok(o.port == 0x2e8 && o.baud == 0,
	       "baud 0 leaves the line settings alone");
}

/* A key without a value, by the functions that want one. */
static void no_value(void)
{
	const struct option o = { .key = "vm", .key_length = 2 };
	char text[8]          = "before";
	u64 v                 = 7;

	tap_ok(!option_number(&o, &v) && !option_size(&o, &v) && v == 7,
	       "without a value there is no number, nor a size");
	tap_ok(!option_copy(&o, text, sizeof(text)) && !text[0], "nor a text");
}

/* What everybody else asks. */
static void for_everybody(void)
{
	char why[240] = "";

	tap_ok(host_options()->port == 0x3f8 && host_options()->log == LOG_INFO,
	       "before the command line is read: COM1, and the usual log");
	tap_ok(host_options_set("report migrate=5000 fail-alloc=3", why,
				sizeof(why)) &&
		       host_options()->report &&
		       host_options()->migrate == 5000 &&
		       host_options()->fail_alloc == 3,
	       "then what it says");
	tap_ok(!host_options_set("verbose", why, sizeof(why)) && why[0],
	       "or why not");
}

int main(void)
{
	tokens();
	control_characters();
	values();
	host();
	taken();
	no_value();
	for_everybody();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* links: guest/monitor_line.c boot/lib/print.c */
/* What is typed at the monitor, key by key and line by line. */
#include "guest/monitor_line.h"

#include <string.h>

#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

/* clang-format off */
static const struct {
	const char *line;
	enum monitor_command command;
	const char *vm;
	u32 number;
} good[] = {
	{ "", MONITOR_NOTHING, "", 0 },
	{ "   ", MONITOR_NOTHING, "", 0 },
	{ "help", MONITOR_HELP, "", 0 },
	{ "  vms  ", MONITOR_VMS, "", 0 },
	{ "vcpus", MONITOR_VCPUS, "", 0 },
	{ "xfd", MONITOR_XFD, "", 0 },
	{ "exits", MONITOR_EXITS, "", 0 },
	{ "exits a", MONITOR_EXITS, "a", 0 },
	{ "trace 1", MONITOR_TRACE, "", 1 },
	{ "trace 4294967295", MONITOR_TRACE, "", 4294967295u },
	{ "console  b ", MONITOR_CONSOLE, "b", 0 },
	{ "kill b", MONITOR_KILL, "b", 0 },
	{ "reset b", MONITOR_RESET, "b", 0 },
	{ "off", MONITOR_OFF, "", 0 },
	{ "quit", MONITOR_QUIT, "", 0 },
};

static const struct {
	const char *line, *why;
} bad[] = {
	{ "halp", "there is no command \"halp\"; help lists them" },
	{ "hel", "there is no command \"hel\"; help lists them" },
	{ "helps", "there is no command \"helps\"; help lists them" },
	{ "HELP", "there is no command \"HELP\"; help lists them" },
	{ "help me", "it is written \"help\"" },
	{ "exits a b", "it is written \"exits [VM]\"" },
	{ "kill", "it is written \"kill VM\"" },
	{ "kill a b", "it is written \"kill VM\"" },
	{ "kill a b c", "it is written \"kill VM\"" },
	{ "trace", "it is written \"trace N\", N being 1 or more" },
	{ "trace 0", "it is written \"trace N\", N being 1 or more" },
	{ "trace -1", "it is written \"trace N\", N being 1 or more" },
	{ "trace 1x", "it is written \"trace N\", N being 1 or more" },
	{ "trace 4294967296", "it is written \"trace N\", N being 1 or more" },
	{ "trace 99999999999999999999999",
	  "it is written \"trace N\", N being 1 or more" },
};

static const struct {
	const char *claim, *keys, *text;
	enum monitor_key last;
} key[] = {
	{ "letters are the text", "vms", "vms", MONITOR_KEY_TYPED },
	{ "Enter ends the line", "vms\r", "vms", MONITOR_KEY_ENTER },
	{ "so does a line feed", "vms\n", "vms", MONITOR_KEY_ENTER },
	{ "Backspace erases one", "vmx\b", "vm", MONITOR_KEY_ERASED },
	{ "Delete too", "vmx\x7f", "vm", MONITOR_KEY_ERASED },
	{ "and nothing from an empty line", "\b", "", MONITOR_KEY_NOTHING },
	{ "Ctrl-U erases all", "vms\x15", "", MONITOR_KEY_CLEARED },
	{ "Ctrl-C too", "vms\x03", "", MONITOR_KEY_CLEARED },
	{ "Ctrl-D leaves", "\x04", "", MONITOR_KEY_LEAVE },
	{ "but not with a text", "v\x04", "v", MONITOR_KEY_NOTHING },
	{ "Ctrl-] is for the VM", "v\x1d", "v", MONITOR_KEY_SEND },
	{ "other controls are nothing", "v\x1b", "v", MONITOR_KEY_NOTHING },
	{ "nor are bytes above 7EH", "v\xe4", "v", MONITOR_KEY_NOTHING },
	{ "a text is 79 long",
	  "1234567890123456789012345678901234567890"
	  "1234567890123456789012345678901234567890",
	  "1234567890123456789012345678901234567890"
	  "123456789012345678901234567890123456789", MONITOR_KEY_NOTHING },
};
/* clang-format on */

int main(void)
{
	struct monitor_request r;
	char line[100], why[100];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		strcpy(line, good[i].line);
		tap_ok(monitor_parse(line, &r, why, sizeof(why)) &&
			       r.command == good[i].command &&
			       !strcmp(r.vm, good[i].vm) &&
			       r.number == good[i].number,
		       "\"%s\" is understood", good[i].line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(line, bad[i].line);
		strcpy(why, "");
		if (!tap_ok(!monitor_parse(line, &r, why, sizeof(why)) &&
				    !strcmp(why, bad[i].why),
			    "\"%s\" is answered by a sentence", bad[i].line))
			tap_note("%s", why);
	}
	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		struct monitor_line l = { 0 };
		enum monitor_key last = MONITOR_KEY_NOTHING;

		for (const char *k = key[i].keys; *k; k++)
			last = monitor_line_key(&l, (u8)*k);
		tap_ok(last == key[i].last && !strcmp(l.text, key[i].text) &&
			       l.length == strlen(l.text),
		       "%s", key[i].claim);
	}
	for (u32 c = MONITOR_HELP; c < MONITOR_COMMAND_COUNT; c++)
		tap_ok(monitor_usage((enum monitor_command)c) &&
			       monitor_purpose((enum monitor_command)c),
		       "command %u has its line in help", c);
	return tap_done();
}

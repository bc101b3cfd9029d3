/* SPDX-License-Identifier: MIT */
/* One table says what the commands are, what they take and what they do. */
#include "guest/monitor_line.h"

#include "boot/lib/print.h"
#include "boot/lib/string.h"

#define WORDS_MAX 2 /* a command and its argument */

#define KEY_INTERRUPT 0x03 /* Ctrl-C */
#define KEY_END       0x04 /* Ctrl-D */
#define KEY_BACKSPACE 0x08
#define KEY_KILL      0x15 /* Ctrl-U */
#define KEY_DELETE    0x7f

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_VM,
	ARGUMENT_MAYBE_VM,
	ARGUMENT_NUMBER,
};

static const struct {
	const char *name, *usage, *purpose;
	enum argument argument;
} commands[MONITOR_COMMAND_COUNT] = {
	/* clang-format off */
	[MONITOR_HELP]    = { "help", "help", "this list", ARGUMENT_NONE },
	[MONITOR_VMS]     = { "vms", "vms",
			      "the VMs; * has the terminal", ARGUMENT_NONE },
	[MONITOR_VCPUS]   = { "vcpus", "vcpus",
			      "each vCPU: state, exits, area", ARGUMENT_NONE },
	[MONITOR_XFD]     = { "xfd", "xfd",
			      "each vCPU: XCR0, IA32_XFD, what exits and why",
			      ARGUMENT_NONE },
	[MONITOR_EXITS]   = { "exits", "exits [VM]",
			      "exits by reason, of all VMs or one",
			      ARGUMENT_MAYBE_VM },
	[MONITOR_TRACE]   = { "trace", "trace N",
			      "each CPU's last N exits, the newest at the end",
			      ARGUMENT_NUMBER },
	[MONITOR_CONSOLE] = { "console", "console VM",
			      "that VM has the terminal from now on",
			      ARGUMENT_VM },
	[MONITOR_KILL]    = { "kill", "kill VM", "it never runs again",
			      ARGUMENT_VM },
	[MONITOR_RESET]   = { "reset", "reset VM", "as by its reset button",
			      ARGUMENT_VM },
	[MONITOR_OFF]     = { "off", "off",
			      "every VM stops and the machine ends",
			      ARGUMENT_NONE },
	[MONITOR_QUIT]    = { "quit", "quit",
			      "back to the VM, as Ctrl-D does", ARGUMENT_NONE },
	/* clang-format on */
};

const char *monitor_usage(enum monitor_command command)
{
	return commands[command].usage;
}

const char *monitor_purpose(enum monitor_command command)
{
	return commands[command].purpose;
}

enum monitor_key monitor_line_key(struct monitor_line *l, u8 byte)
{
	const bool empty = l->length == 0;

	switch (byte) {
	case MONITOR_ESCAPE:
		return MONITOR_KEY_SEND;
	case '\r':
	case '\n':
		return MONITOR_KEY_ENTER;
	case KEY_END:
		return empty ? MONITOR_KEY_LEAVE : MONITOR_KEY_NOTHING;
	case KEY_BACKSPACE:
	case KEY_DELETE:
		if (empty)
			return MONITOR_KEY_NOTHING;
		l->text[--l->length] = '\0';
		return MONITOR_KEY_ERASED;
	case KEY_INTERRUPT:
	case KEY_KILL:
		l->length  = 0;
		l->text[0] = '\0';
		return MONITOR_KEY_CLEARED;
	}
	if (byte < ' ' || byte > '~' || l->length == MONITOR_LINE_MAX)
		return MONITOR_KEY_NOTHING;
	l->text[l->length++] = (char)byte;
	l->text[l->length]   = '\0';
	return MONITOR_KEY_TYPED;
}

/* Cuts TEXT at its blanks. Returns how many words it had, at most MOST + 1. */
static u32 split(char *text, const char **word, u32 most)
{
	u32 count = 0;

	while (*text) {
		while (*text == ' ')
			*text++ = '\0';
		if (!*text)
			break;
		if (count == most)
			return most + 1;
		word[count++] = text;
		while (*text && *text != ' ')
			text++;
	}
	return count;
}

static bool parse_number(const char *text, u32 *number)
{
	u64 n = 0;

	for (; *text >= '0' && *text <= '9' && n <= UINT32_MAX; text++)
		n = n * 10 + (u64)(*text - '0');
	*number = (u32)n;
	return !*text && n && n <= UINT32_MAX;
}

bool monitor_parse(char *text, struct monitor_request *r, char *why,
		   size_t why_size)
{
	const char *word[WORDS_MAX] = { "", "" };
	const u32 count             = split(text, word, WORDS_MAX);
	u32 c;

	*r = (struct monitor_request){ .vm = "" };
	if (!count)
		return true;
	for (c = 0; c < MONITOR_COMMAND_COUNT; c++)
		if (commands[c].name && !strcmp(commands[c].name, word[0]))
			break;
	if (c == MONITOR_COMMAND_COUNT) {
		tv_snprintf(why, why_size,
			    "there is no command \"%s\"; help lists them",
			    word[0]);
		return false;
	}
	r->command = (enum monitor_command)c;

	bool right = false;

	switch (commands[c].argument) {
	case ARGUMENT_NONE:
		right = count == 1;
		break;
	case ARGUMENT_VM:
		right = count == 2;
		r->vm = word[1];
		break;
	case ARGUMENT_MAYBE_VM:
		right = count <= 2;
		r->vm = word[1];
		break;
	case ARGUMENT_NUMBER:
		right = count == 2 && parse_number(word[1], &r->number);
		break;
	}
	if (!right)
		tv_snprintf(why, why_size, "it is written \"%s\"%s",
			    commands[c].usage,
			    commands[c].argument == ARGUMENT_NUMBER
				    ? ", N being 1 or more"
				    : "");
	return right;
}

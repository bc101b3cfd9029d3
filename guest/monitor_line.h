/* SPDX-License-Identifier: MIT */
/*
 * What is typed at the monitor: a line editor for one line, and what a whole
 * line asks for. Pure; guest/monitor.c does it.
 */
#ifndef GUEST_MONITOR_LINE_H
#define GUEST_MONITOR_LINE_H

#include "boot/lib/types.h"

#define MONITOR_ESCAPE   0x1d /* Ctrl-]: opens the monitor */
#define MONITOR_LINE_MAX 79

/* Empty when zeroed. */
struct monitor_line {
	u32 length;
	char text[MONITOR_LINE_MAX + 1]; /* NUL-terminated */
};

/* What a key did. */
enum monitor_key {
	MONITOR_KEY_NOTHING,
	MONITOR_KEY_TYPED,   /* it is the last of the text now */
	MONITOR_KEY_ERASED,  /* the last of the text is gone */
	MONITOR_KEY_CLEARED, /* all of it is gone */
	MONITOR_KEY_ENTER,   /* the line is complete */
	MONITOR_KEY_LEAVE,   /* Ctrl-D on an empty line */
	MONITOR_KEY_SEND,    /* Ctrl-] again: it is for the VM */
};

enum monitor_key monitor_line_key(struct monitor_line *l, u8 byte);

enum monitor_command {
	MONITOR_NOTHING, /* an empty line */
	MONITOR_HELP,
	MONITOR_VMS,
	MONITOR_VCPUS,
	MONITOR_XFD,
	MONITOR_EXITS,
	MONITOR_TRACE,
	MONITOR_CONSOLE,
	MONITOR_KILL,
	MONITOR_RESET,
	MONITOR_OFF,
	MONITOR_QUIT,
	MONITOR_COMMAND_COUNT,
};

struct monitor_request {
	enum monitor_command command;
	const char *vm; /* "": none was named; points into the line */
	u32 number;
};

/*
 * Words of TEXT, which is cut into them. False: WHY says in one sentence what
 * is wrong with it.
 */
bool monitor_parse(char *text, struct monitor_request *r, char *why,
		   size_t why_size);

/* For `help`: how COMMAND is written and what it does; NULL: it has no line. */
const char *monitor_usage(enum monitor_command command);
const char *monitor_purpose(enum monitor_command command);

#endif

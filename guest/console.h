/* SPDX-License-Identifier: MIT */
/*
 * A VM's serial output on the host's console: whole lines, each with the VM's
 * name before it unless it is the raw one, so that neither host lines nor other
 * VMs cut them. No input.
 */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include "boot/lib/types.h"

#define CONSOLE_PREFIX_MAX 20
#define CONSOLE_LINE_MAX   1000 /* longer lines are broken here */

struct console {
	u32 prefix; /* bytes of "[name] " at the start of text; 0: raw */
	u32 used;   /* bytes of text, the prefix included */
	char text[CONSOLE_PREFIX_MAX + CONSOLE_LINE_MAX + 1];
};

void console_init(struct console *c, const char *vm_name, bool raw);

/* One byte from the guest. Carriage returns and NULs are dropped. */
void console_put(struct console *c, u8 byte);

/* What stands without a newline goes out as a line of its own. */
void console_flush(struct console *c);

#endif

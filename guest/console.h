/* SPDX-License-Identifier: MIT */
/*
 * A VM's serial output on the host's console: whole lines, each with the VM's
 * name before it, so that neither host lines nor other VMs cut them; or, for
 * the VM that has the terminal, every byte as it is and soon. Input comes by
 * terminal.h.
 */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include "boot/lib/types.h"

#define CONSOLE_PREFIX_MAX 20
#define CONSOLE_LINE_MAX   1000 /* longer lines are broken here */

struct console {
	char prefix[CONSOLE_PREFIX_MAX]; /* "[name] " */
	bool terminal;                   /* it has the terminal */
	u64 patience;                    /* TSC ticks */
	u64 due; /* TSC at which what waits is shown; 0: nothing waits */
	u32 used;
	char text[CONSOLE_LINE_MAX + 1];
};

void console_init(struct console *c, const char *vm_name);

/*
 * The VM gets the terminal or loses it. With it what is not a whole line yet is
 * shown when the next byte has not come for PATIENCE ticks.
 */
void console_set_terminal(struct console *c, bool terminal, u64 patience);

/*
 * One byte from the guest at TSC value NOW. Carriage returns and NULs are
 * dropped but on the terminal.
 */
void console_put(struct console *c, u8 byte, u64 now);

/* What waits goes out, as a line of its own but on the terminal. */
void console_flush(struct console *c);

#endif

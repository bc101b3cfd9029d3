/* SPDX-License-Identifier: MIT */
/* Collects a VM's bytes; console_write() sends what there is in one piece. */
#include "guest/console.h"

#include "boot/lib/print.h"

void console_init(struct console *c, const char *vm_name)
{
	tv_snprintf(c->prefix, sizeof(c->prefix), "[%s] ", vm_name);
	c->terminal = false;
	c->due      = 0;
	c->used     = 0;
}

static void send(struct console *c)
{
	console_write(c, c->terminal ? "" : c->prefix, c->text, c->used,
		      c->terminal);
	c->used = 0;
	c->due  = 0;
}

void console_set_terminal(struct console *c, bool terminal, u64 patience)
{
	/* What the terminal was not shown yet still belongs there. */
	if (c->used && c->terminal)
		send(c);
	c->terminal = terminal;
	c->patience = patience;
	if (c->used && c->terminal)
		send(c);
}

void console_put(struct console *c, u8 byte, u64 now)
{
	if (!c->terminal && (byte == '\r' || byte == '\0'))
		return;
	if (c->used == CONSOLE_LINE_MAX && byte != '\n') {
		if (!c->terminal)
			c->text[c->used++] = '\n';
		send(c);
	}
	c->text[c->used++] = (char)byte;
	if (byte == '\n')
		send(c);
	else if (c->terminal)
		c->due = now + c->patience;
}

void console_flush(struct console *c)
{
	if (!c->used)
		return;
	if (!c->terminal)
		c->text[c->used++] = '\n';
	send(c);
}

/* SPDX-License-Identifier: MIT */
/* Collects a VM's bytes into lines; console_write() sends each in one piece. */
#include "guest/console.h"

#include "boot/lib/print.h"

void console_init(struct console *c, const char *vm_name, bool raw)
{
	c->prefix = 0;
	if (!raw)
		c->prefix = (u32)tv_snprintf(c->text, CONSOLE_PREFIX_MAX,
					     "[%s] ", vm_name);
	c->used = c->prefix;
}

static void send(struct console *c)
{
	c->text[c->used++] = '\n';
	console_write(c->text, c->used);
	c->used = c->prefix;
}

void console_put(struct console *c, u8 byte)
{
	if (byte == '\r' || byte == '\0')
		return;
	if (byte == '\n' || c->used == c->prefix + CONSOLE_LINE_MAX)
		send(c);
	if (byte != '\n')
		c->text[c->used++] = (char)byte;
}

void console_flush(struct console *c)
{
	if (c->used > c->prefix)
		send(c);
}

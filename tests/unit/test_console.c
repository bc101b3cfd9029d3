/* SPDX-License-Identifier: MIT */
/* links: guest/console.c */
/* A guest's bytes come out as whole lines, each in one piece. */
#include "guest/console.h"

#include <string.h>

#include "boot/lib/print.h"
#include "tests/unit/tap.h"

static char out[8192];
static size_t used;
static unsigned int writes;
static bool last_raw;

void console_write(const void *who, const char *prefix, const char *text,
		   size_t length, bool raw)
{
	(void)who;
	last_raw = raw;
	memcpy(out + used, prefix, strlen(prefix));
	used += strlen(prefix);
	memcpy(out + used, text, length);
	used += length;
	out[used] = '\0';
	writes++;
}

int tv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int n = vsnprintf(buf, size, fmt, ap);

	va_end(ap);
	return n;
}

static void feed(struct console *c, const char *text)
{
	used = writes = 0;
	out[0]        = '\0';
	for (; *text; text++)
		console_put(c, (u8)*text, 100);
}

/* clang-format off */
static const struct {
	const char *claim, *in, *out;
	unsigned int writes;
	bool terminal;
} t[] = {
	{ "a line with its VM's name", "hello\n", "[a] hello\n", 1, false },
	{ "carriage returns are dropped", "hi\r\n", "[a] hi\n", 1, false },
	{ "an empty line is one", "\n", "[a] \n", 1, false },
	{ "two lines are two writes", "x\ny\n", "[a] x\n[a] y\n", 2, false },
	{ "half a line waits", "half", "", 0, false },
	{ "the terminal has no prefix", "x\ny\n", "x\ny\n", 2, true },
	{ "and carriage returns", "a\rb\r\n", "a\rb\r\n", 1, true },
};
/* clang-format on */

static void terminal(void)
{
	struct console c;

	console_init(&c, "a");
	feed(&c, "$ ");
	tap_is(c.due, 0, "half a line waits for ever without the terminal");
	console_set_terminal(&c, false, 10);
	console_put(&c, '\0', 100);
	tap_is(writes, 0, "however often it is said to have none");
	console_set_terminal(&c, true, 10);
	tap_ok(!strcmp(out, "$ "),
	       "and is shown when it gets it, no null byte");
	feed(&c, "$ ");
	tap_is(c.due, 110, "with it, half a line waits a little");
	console_flush(&c);
	tap_ok(!strcmp(out, "$ ") && !c.due, "and goes out as it is");
	feed(&c, "x");
	console_set_terminal(&c, false, 10);
	tap_ok(!strcmp(out, "x"), "the terminal loses nothing when it goes");
	feed(&c, "y\n");
	tap_ok(!strcmp(out, "[a] y\n"), "and what follows has the name again");
	console_set_terminal(&c, true, 10);
	feed(&c, "");
	for (int i = 0; i < 2 * CONSOLE_LINE_MAX; i++)
		console_put(&c, 'x', 0);
	console_flush(&c);
	tap_is(used, 2 * CONSOLE_LINE_MAX, "no line is too long for it");
}

int main(void)
{
	struct console c;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		console_init(&c, "a");
		console_set_terminal(&c, t[i].terminal, 10);
		feed(&c, t[i].in);
		tap_ok(!strcmp(out, t[i].out) && writes == t[i].writes &&
			       (!writes || last_raw == t[i].terminal),
		       "%s", t[i].claim);
	}
	console_init(&c, "a");
	feed(&c, "half");
	console_flush(&c);
	tap_ok(!strcmp(out, "[a] half\n"), "a flush ends half a line");
	console_flush(&c);
	tap_is(writes, 1, "and there is nothing left to flush");

	console_init(&c, "abcdefghijklmno");
	used = 0;
	for (int i = 0; i < 2 * CONSOLE_LINE_MAX; i++)
		console_put(&c, 'x', 0);
	console_flush(&c);
	tap_is(used, 2 * (CONSOLE_LINE_MAX + strlen("[abcdefghijklmno] \n")),
	       "a line that is too long is broken, nothing is lost");

	console_init(&c, "a");
	used = writes = 0;
	for (int i = 0; i < CONSOLE_LINE_MAX; i++)
		console_put(&c, 'x', 0);
	console_put(&c, '\n', 0);
	tap_ok(writes == 1 && used == CONSOLE_LINE_MAX + strlen("[a] \n"),
	       "the longest line that is not");
	terminal();
	return tap_done();
}

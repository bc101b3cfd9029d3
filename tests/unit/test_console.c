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

void console_write(const char *text, size_t length)
{
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
		console_put(c, (u8)*text);
}

/* clang-format off */
static const struct {
	const char *claim, *in, *out;
	unsigned int writes;
	bool raw;
} t[] = {
	{ "a line with its VM's name", "hello\n", "[a] hello\n", 1, false },
	{ "carriage returns are dropped", "hi\r\n", "[a] hi\n", 1, false },
	{ "an empty line is one", "\n", "[a] \n", 1, false },
	{ "two lines are two writes", "x\ny\n", "[a] x\n[a] y\n", 2, false },
	{ "half a line waits", "half", "", 0, false },
	{ "a raw VM has no prefix", "x\ny\n", "x\ny\n", 2, true },
};
/* clang-format on */

int main(void)
{
	struct console c;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		console_init(&c, "a", t[i].raw);
		feed(&c, t[i].in);
		tap_ok(!strcmp(out, t[i].out) && writes == t[i].writes, "%s",
		       t[i].claim);
	}
	console_init(&c, "a", false);
	feed(&c, "half");
	console_flush(&c);
	tap_ok(!strcmp(out, "[a] half\n"), "a flush ends half a line");
	console_flush(&c);
	tap_is(writes, 1, "and there is nothing left to flush");

	console_init(&c, "abcdefghijklmno", false);
	used = 0;
	for (int i = 0; i < 2 * CONSOLE_LINE_MAX; i++)
		console_put(&c, 'x');
	console_flush(&c);
	tap_is(used, 2 * (CONSOLE_LINE_MAX + strlen("[abcdefghijklmno] \n")),
	       "a line that is too long is broken, nothing is lost");
	return tap_done();
}

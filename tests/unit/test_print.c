/* SPDX-License-Identifier: MIT */
/* links: boot/lib/print.c */
/*
 * The formatter against the C library's, and the lines on the console.
 */
#include "boot/lib/print.h"

#include <limits.h>
#include <string.h>

#include "tests/unit/tap.h"

static char console[8192];
static size_t console_length;

void serial_write(const char *text, size_t length);
void serial_write(const char *text, size_t length)
{
	memcpy(console + console_length, text, length);
	console_length += length;
	console[console_length] = '\0';
}

/* Ours gives the same text and length as the C library's. */
__attribute__((format(printf, 1, 2))) static void same(const char *fmt, ...)
{
	char ours[256], theirs[256];
	va_list ap;

	va_start(ap, fmt);
	const int n = tv_vsnprintf(ours, sizeof(ours), fmt, ap);

	va_end(ap);
	va_start(ap, fmt);
	const int m = vsnprintf(theirs, sizeof(theirs), fmt, ap);

	va_end(ap);
	if (!tap_ok(n == m && !strcmp(ours, theirs), "\"%s\" as in C", fmt))
		tap_note("got \"%s\" (%d), expected \"%s\" (%d)", ours, n,
			 theirs, m);
}

static void formats(void)
{
	same("plain");
	same("%d %i %u", -5, INT_MIN, UINT_MAX);
	same("%ld %lld %lu", LONG_MIN, LLONG_MAX, ULONG_MAX);
	same("%hhd %hhu %hd %hu", -3, 253, -3, 65533);
	same("%zu", (size_t)12345678901);
	same("%x %X %#x %#x", 0xbeefu, 0xbeefu, 0xbeefu, 0u);
	same("%016lx|%8x|%-8x|%08x", 0x1234ul, 0xabu, 0xabu, 0xabu);
	same("%5d|%-5d|%05d|%05d", 42, 42, 42, -42);
	same("%#010x", 0x1234u);
	same("%*d|%-*d", 6, 7, 6, 7);
	same("%s|%10s|%-10s|%.3s|%.*s", "abc", "abc", "abc", "abcdef", 2,
	     "xyz");
	same("%c%c%%", 'o', 'k');
	same("%3c|", 'x');
	same("%.0s|", "gone");
}

static void edges(void)
{
	char small[8];

	tap_is((unsigned)tv_snprintf(small, sizeof(small), "%s", "12345678"), 8,
	       "the length is that of the whole text");
	tap_ok(!strcmp(small, "1234567"), "the text is cut and terminated");
	tap_is((unsigned)tv_snprintf(NULL, 0, "%d", 1234), 4,
	       "size 0 writes nothing");
	const char *volatile null = NULL;

	tv_snprintf(small, sizeof(small), "%s", null);
	tap_ok(!strcmp(small, "(null)"), "%%s of NULL does not fault");
	char shown[32];
	const char *unknown = "a%q%";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	tv_snprintf(shown, sizeof(shown), unknown);
#pragma GCC diagnostic pop
	tap_ok(!strcmp(shown, "a%q%"), "what is no conversion stands as it is");
}

static void expect(const char *text, const char *claim)
{
	if (!tap_ok(!strcmp(console, text), "%s", claim))
		tap_note("got \"%s\"", console);
	console_length = 0;
	console[0]     = '\0';
}

static void lines(void)
{
	static const char a[] = "a", b[] = "b"; /* two writers */
	char longer[1200];

	log_info("one %d", 1);
	expect("tv: one 1\r\n", "a line has the prefix and ends");
	log_debug("not shown");
	expect("", "debug is not shown at level info");
	log_set_level(LOG_ERROR);
	log_warn("not shown");
	expect("", "warn is not shown at level error");
	log_event("\"event\":\"x\",\"n\":%d", 2);
	expect("tv: event {\"event\":\"x\",\"n\":2}\r\n",
	       "an event is shown at every level");
	console_write(a, "[a] ", "guest text", 10, false);
	log_error("host");
	expect("[a] guest text\r\ntv: host\r\n",
	       "a host line never begins inside a guest's");
	console_write(a, "[a] ", "one", 3, false);
	console_write(a, "[a] ", " line\n", 6, false);
	expect("[a] one line\r\n", "a writer's line may come in pieces");
	console_write(a, "[a] ", "half", 4, false);
	console_write(b, "[b] ", "b\n", 2, false);
	console_write(a, "[a] ", "rest\n", 5, false);
	expect("[a] half\r\n[b] b\r\n[a] rest\r\n",
	       "which another writer's line breaks");
	console_write(a, "", "\r\n\n\0\xff", 5, true);
	tap_ok(console_length == 5 && !memcmp(console, "\r\n\n\0\xff", 5),
	       "raw bytes are written as they are");
	console_length = 0;
	say_line("answer");
	expect("\r\ntv: answer\r\n", "an answer is shown at every level");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_error("%s", longer);
	tap_is(console_length, 4 + 1000 + 2,
	       "a line has at most 1000 characters");
	tap_ok(!strcmp(console + console_length - 6, "x...\r\n"),
	       "and a cut one ends in ...");
	console_length = 0;
	log_event("%s", longer);
	tap_is(console_length, 11 + 1199 + 3, "an event may be longer");
}

int main(void)
{
	formats();
	edges();
	lines();
	return tap_done();
}

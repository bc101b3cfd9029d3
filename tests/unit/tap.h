/* SPDX-License-Identifier: MIT */
/*
 * TAP for the unit tests: one program per pure file, one claim per line, the
 * plan at the end. A test's first comment names the files it is linked with:
 *
 *	links: fpu/xfd.c fpu/layout.c
 *
 * and `make unit` builds it with the host compiler under ASan and UBSan.
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_claims;
static int tap_failed;

/* One claim, in printf form; returns OK. */
__attribute__((format(printf, 2, 3), unused)) static bool
tap_ok(bool ok, const char *claim, ...)
{
	va_list ap;

	printf("%sok %d - ", ok ? "" : "not ", ++tap_claims);
	va_start(ap, claim);
	vprintf(claim, ap);
	va_end(ap);
	putchar('\n');
	if (!ok)
		tap_failed++;
	return ok;
}

/* One claim that GOT is WANT; a failure shows both. */
__attribute__((format(printf, 3, 4), unused)) static bool
tap_is(unsigned long long got, unsigned long long want, const char *claim, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, claim);
	vsnprintf(text, sizeof(text), claim, ap);
	va_end(ap);
	if (!tap_ok(got == want, "%s", text))
		printf("# got %#llx (%llu), expected %#llx (%llu)\n", got, got,
		       want, want);
	return got == want;
}

/* A line that explains. */
__attribute__((format(printf, 1, 2), unused)) static void
tap_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The plan; returns main()'s status. */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_claims);
	fflush(stdout);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif

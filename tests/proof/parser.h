/* SPDX-License-Identifier: MIT */
/*
 * For the proofs of what reads bytes that nobody vouches for: arbitrary bytes,
 * an end behind which nothing may be read, and the little that the parsers call
 * as far as their memory is concerned. A copy into something big is checked,
 * not carried out: what was copied there decides nothing in these files. Loops
 * are bounded by the proof's own table line.
 */
#ifndef TESTS_PROOF_PARSER_H
#define TESTS_PROOF_PARSER_H

#define BOOT_LIB_STRING_H /* ours are below */

#include "boot/lib/print.h"
#include "tests/proof/proof.h"

void *malloc(size_t);

/* The longest text that tv_snprintf() would have made, fit or not. */
#ifndef PRINTED_MAX
#define PRINTED_MAX (size - 1)
#endif
#ifndef PRINTED_MIN
#define PRINTED_MIN 0
#endif

/* The contract of boot/lib/print.h. */
int tv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	const u32 length = nondet_u32();

	__CPROVER_assert(size > 0 && __CPROVER_w_ok(buf, size),
			 "room for the text");
	ASSUME(length >= PRINTED_MIN && length <= PRINTED_MAX);
	/* Of a long one nobody reads more than whether there is any. */
	buf[size > 64 || length >= size ? size - 1 : length] = '\0';
	if (size > 1)
		buf[0] = length ? 'x' : '\0';
	return (int)length;
}

static inline void *memcpy(void *to, const void *from, size_t n)
{
	u8 *t       = to;
	const u8 *f = from;

	__CPROVER_assert(n == 0 || __CPROVER_r_ok(from, n), "memcpy reads");
	__CPROVER_assert(n == 0 || __CPROVER_w_ok(to, n), "memcpy writes");
	if (n <= 8 && __CPROVER_OBJECT_SIZE(to) <= 64)
		for (size_t i = 0; i < n; i++)
			t[i] = f[i];
	return to;
}

/*
 * To 0 only: what is cleared is new, or zero already, or the proof's CLEARED()
 * does it.
 */
static inline void *memset(void *to, int byte, size_t n)
{
	__CPROVER_assert(byte == 0 && __CPROVER_w_ok(to, n), "memset writes");
#ifdef CLEARED
	CLEARED(to, n);
#endif
	return to;
}

static inline int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	__CPROVER_assert(n == 0 ||
				 (__CPROVER_r_ok(a, n) && __CPROVER_r_ok(b, n)),
			 "memcmp reads");
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static inline size_t strnlen(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i])
		i++;
	return i;
}

static inline size_t strlen(const char *s)
{
	size_t i = 0;

	while (s[i])
		i++;
	return i;
}

static inline int strcmp(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	return (u8)a[i] - (u8)b[i];
}

static inline void *memchr(const void *p, int byte, size_t n)
{
	const u8 *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i] == (u8)byte)
			return (void *)(b + i);
	return NULL;
}

static inline char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

/* BYTES arbitrary bytes; not one more may be touched. */
static inline u8 *any_bytes(size_t bytes)
{
	u8 *p = malloc(bytes);

	ASSUME(p);
	return p;
}

/* An arbitrary text of at most MAX characters. */
static inline char *any_text(size_t max)
{
	char *p = (char *)any_bytes(max + 1);

	p[max] = '\0';
	return p;
}

#endif

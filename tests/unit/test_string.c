/* SPDX-License-Identifier: MIT */
/*
 * Our mem* and str*, under other names, against the C library's, over all small
 * lengths, offsets and overlaps.
 */
#include <stdlib.h>
#include <string.h>

#define memcpy  tv_memcpy
#define memmove tv_memmove
#define memset  tv_memset
#define memcmp  tv_memcmp
#define memchr  tv_memchr
#define strlen  tv_strlen
#define strnlen tv_strnlen
#define strcmp  tv_strcmp
#define strncmp tv_strncmp
#define strchr  tv_strchr
#include "boot/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#include "tests/unit/tap.h"

#define SIZE 64

static void fill(u8 *p)
{
	for (int i = 0; i < SIZE; i++)
		p[i] = (u8)(i * 7 + 1);
}

/* Every overlap of every short length, forwards and backwards. */
static bool moves_agree(void)
{
	u8 ours[SIZE], theirs[SIZE];

	for (size_t to = 0; to < 24; to++)
		for (size_t from = 0; from < 24; from++)
			for (size_t n = 0; n <= 40; n++) {
				fill(ours);
				fill(theirs);
				tv_memmove(ours + to, ours + from, n);
				memmove(theirs + to, theirs + from, n);
				if (memcmp(ours, theirs, SIZE))
					return false;
			}
	return true;
}

static bool copies_agree(void)
{
	u8 source[SIZE], ours[SIZE], theirs[SIZE];

	fill(source);
	for (size_t to = 0; to < 16; to++)
		for (size_t n = 0; n <= 40; n++) {
			memset(ours, 0, SIZE);
			memset(theirs, 0, SIZE);
			tv_memcpy(ours + to, source + 3, n);
			memcpy(theirs + to, source + 3, n);
			if (memcmp(ours, theirs, SIZE))
				return false;
		}
	return true;
}

static bool sets_agree(void)
{
	u8 ours[SIZE], theirs[SIZE];

	for (size_t to = 0; to < 16; to++)
		for (size_t n = 0; n <= 40; n++) {
			fill(ours);
			fill(theirs);
			tv_memset(ours + to, 0x1a5, n);
			memset(theirs + to, 0x1a5, n);
			if (memcmp(ours, theirs, SIZE))
				return false;
		}
	return true;
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static bool comparisons_agree(void)
{
	static const char *const word[] = { "",    "a",    "b",    "ab",
					    "abc", "abd",  "\xff", "a\xff",
					    "aa",  "abcd", "bc" };

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		for (size_t j = 0; j < ARRAY_SIZE(word); j++) {
			const char *a = word[i], *b = word[j];

			if (sign(tv_strcmp(a, b)) != sign(strcmp(a, b)))
				return false;
			for (size_t n = 0; n < 5; n++)
				if (sign(tv_strncmp(a, b, n)) !=
				    sign(strncmp(a, b, n)))
					return false;
		}
	return true;
}

int main(void)
{
	const char *s = "tilevisor";

	tap_ok(moves_agree(), "memmove: every overlap of short lengths");
	tap_ok(copies_agree(), "memcpy: every offset and short length");
	tap_ok(sets_agree(), "memset: takes the low byte, writes no more");
	tap_ok(comparisons_agree(), "strcmp, strncmp: as C's");
	tap_is(tv_strlen(s), 9, "strlen");
	tap_is(tv_strnlen(s, 4), 4, "strnlen stops at its bound");
	tap_ok(tv_strchr(s, 'v') == s + 4, "strchr finds the first");
	tap_ok(tv_strchr(s, '\0') == s + 9, "strchr finds the end");
	tap_ok(tv_strchr(s, 'x') == NULL, "strchr finds nothing");
	tap_ok(tv_memchr(s, 'l', 9) == s + 2, "memchr finds");
	tap_ok(tv_memchr(s, 'l', 2) == NULL, "memchr stops at its bound");
	tap_ok(tv_memcmp("\x80", "\x7f", 1) > 0, "memcmp: bytes are unsigned");
	tap_is(tv_memcmp("a", "b", 0), 0, "memcmp: nothing equals nothing");
	return tap_done();
}

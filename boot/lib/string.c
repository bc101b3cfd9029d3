/* SPDX-License-Identifier: MIT */
/*
 * mem* and str*. Words by the string instructions, the rest in plain C; no
 * vector registers, whose content belongs to the guest.
 */
#include "boot/lib/string.h"

#include "boot/lib/x86.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	return memmove(to, from, n);
}

/* Words while there are eight bytes, since guests' memory goes through here. */
static void copy_up(u8 *to, const u8 *from, size_t n)
{
	copy_words(&to, &from, n / sizeof(u64));
	n %= sizeof(u64);
	while (n--)
		*to++ = *from++;
}

void *memmove(void *to, const void *from, size_t n)
{
	u8 *t       = to;
	const u8 *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= n) {
		copy_up(t, f, n);
		return to;
	}
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	const u64 word = (u8)byte * 0x0101010101010101ULL;
	u8 *t          = store_words(to, word, n / sizeof(word));

	n %= sizeof(word);
	while (n--)
		*t++ = (u8)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a;
	const u8 *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *p, int byte, size_t n)
{
	const u8 *b = p;

	for (; n; n--, b++)
		if (*b == (u8)byte)
			return (void *)(uintptr_t)b;
	return NULL;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t n)
{
	size_t length = 0;

	while (length < n && s[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

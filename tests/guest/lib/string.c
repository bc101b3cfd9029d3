/* SPDX-License-Identifier: MIT */
/* Memory and string functions; the compiler calls the first four itself. */
#include "lib/types.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *d = to;

	asm volatile("rep movsb"
		     : "+D"(d), "+S"(from), "+c"(bytes)
		     :
		     : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	const u8 *s = from;
	u8 *d       = to;

	if (d <= s || d >= s + bytes)
		return memcpy(to, from, bytes);
	while (bytes--)
		d[bytes] = s[bytes];
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	void *d = to;

	asm volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *x = a;
	const u8 *y = b;
	u64 words   = bytes / 8;
	bool equal  = true;

	if (words) {
		asm volatile("repe cmpsq"
			     : "+S"(x), "+D"(y), "+c"(words), "=@ccz"(equal)
			     :
			     : "memory");
		if (!equal)
			x -= 8, y -= 8;
	}
	for (bytes = equal ? bytes % 8 : 8; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (u8)*a - (u8)*b;
}

bool mem_is(const void *p, u8 byte, size_t bytes)
{
	const u8 *b = p;

	while (bytes--)
		if (*b++ != byte)
			return false;
	return true;
}

u64 random_next(u64 *state)
{
	u64 x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void mem_random(void *p, size_t bytes, u64 seed)
{
	u8 *b = p;

	for (; bytes >= 8; bytes -= 8, b += 8) {
		const u64 r = random_next(&seed);

		__builtin_memcpy(b, &r, sizeof(r));
	}
	for (u64 r = random_next(&seed); bytes; bytes--, r >>= 8)
		*b++ = (u8)r;
}

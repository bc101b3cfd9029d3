/* SPDX-License-Identifier: MIT */
/*
 * Types and small helpers every test guest uses. Nothing here knows the
 * hardware, and nothing here is shared with the hypervisor.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define BIT(n)        (1ull << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_BYTES    4096ul

static inline u32 lo32(u64 v)
{
	return (u32)v;
}

static inline u32 hi32(u64 v)
{
	return (u32)(v >> 32);
}

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

/* True if all BYTES at P are BYTE. */
bool mem_is(const void *p, u8 byte, size_t bytes);

/* Fill P with the bytes that SEED stands for; equal seeds, equal bytes. */
void mem_random(void *p, size_t bytes, u64 seed);

/* The next number of the sequence at STATE. */
u64 random_next(u64 *state);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The integer types of the tree and the few helpers that every file needs.
 * Compiles on the host too: nothing here touches hardware.
 */
#ifndef BOOT_LIB_TYPES_H
#define BOOT_LIB_TYPES_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define PAGE_SIZE 4096ULL
#define KIB       1024ULL
#define MIB       (1024 * KIB)
#define GIB       (1024 * MIB)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* BIT(n), and FIELD(high, low): a mask of bits high..low. */
#define BIT(n)           (1ULL << (n))
#define FIELD(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))

static inline u32 lo32(u64 v)
{
	return (u32)v;
}

static inline u32 hi32(u64 v)
{
	return (u32)(v >> 32);
}

static inline u64 make64(u64 high, u64 low)
{
	return high << 32 | (u64)lo32(low);
}

/* Bits HIGH..LOW of V, shifted down. */
static inline u64 field_get(u64 v, unsigned int high, unsigned int low)
{
	return (v & FIELD(high, low)) >> low;
}

/* ALIGN is a power of two. align_up() wraps to 0 above 2^64 - ALIGN. */
static inline u64 align_up(u64 v, u64 align)
{
	return (v + align - 1) & ~(align - 1);
}

static inline u64 align_down(u64 v, u64 align)
{
	return v & ~(align - 1);
}

static inline bool is_aligned(u64 v, u64 align)
{
	return (v & (align - 1)) == 0;
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Little-endian numbers at addresses that may be unaligned: tables, tags. */
#ifndef BOOT_LIB_BYTES_H
#define BOOT_LIB_BYTES_H

#include "boot/lib/string.h"
#include "boot/lib/types.h"

static inline u32 get32(const void *at)
{
	u32 v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline u64 get64(const void *at)
{
	u64 v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline void put32(void *at, u32 v)
{
	memcpy(at, &v, sizeof(v));
}

static inline void put64(void *at, u64 v)
{
	memcpy(at, &v, sizeof(v));
}

#endif

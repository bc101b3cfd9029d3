/* SPDX-License-Identifier: MIT */
/*
 * Address kinds as types of their own, so that mixing them does not compile.
 * The host identity-maps physical memory: hpa_ptr() is the one way from a
 * physical address to a pointer, ptr_hpa() the one way back.
 */
#ifndef BOOT_LIB_ADDR_H
#define BOOT_LIB_ADDR_H

#include "boot/lib/types.h"

typedef struct {
	u64 v;
} hpa_t; /* host physical */

typedef struct {
	u64 v;
} gpa_t; /* guest physical */

typedef struct {
	u64 v;
} gva_t; /* guest linear */

static inline hpa_t hpa(u64 v)
{
	return (hpa_t){ v };
}

static inline gpa_t gpa(u64 v)
{
	return (gpa_t){ v };
}

static inline gva_t gva(u64 v)
{
	return (gva_t){ v };
}

static inline hpa_t hpa_add(hpa_t at, u64 bytes)
{
	return (hpa_t){ at.v + bytes };
}

static inline gpa_t gpa_add(gpa_t at, u64 bytes)
{
	return (gpa_t){ at.v + bytes };
}

static inline void *hpa_ptr(hpa_t at)
{
	return (void *)(uintptr_t)at.v;
}

static inline hpa_t ptr_hpa(const void *p)
{
	return (hpa_t){ (u64)(uintptr_t)p };
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * CPUID.0DH of some processors, for tests on the host. The first is recorded
 * (xfd.md A.1.3); each of the others is it with the one difference it names.
 */
#ifndef TESTS_UNIT_CPUID_0D_H
#define TESTS_UNIT_CPUID_0D_H

#include "fpu/layout.h"

enum {
	NO_FEATURES    = 0,
	XSAVEOPT_ONLY  = 0x1,
	UP_TO_XSAVEC   = 0x7,
	UP_TO_XSAVES   = 0xf,
	UP_TO_XFD      = 0x1f,
	CET_SUPERVISOR = 0x1800,
};

/* clang-format off */
static const struct cpuid_0d cpuid_sapphire_rapids = { .sub = {
	[0]  = { 0x602e7, 0x2b00, 0x2b00, 0 },
	[1]  = { UP_TO_XFD, 0x2d00, 0xdd00, 0 },
	[2]  = { 0x100, 0x240, 0, 0 },
	[5]  = { 0x40, 0x440, 0, 0 },
	[6]  = { 0x200, 0x480, 0, 0 },
	[7]  = { 0x400, 0x680, 0, 0 },
	[8]  = { 0x80, 0, 1, 0 },
	[9]  = { 8, 0xa80, 0, 0 },
	[10] = { 8, 0, 1, 0 },
	[11] = { 0x10, 0, 1, 0 },
	[12] = { 0x18, 0, 1, 0 },
	[14] = { 0x30, 0, 1, 0 },
	[15] = { 0x328, 0, 1, 0 },
	[17] = { 0x40, 0xac0, 2, 0 },
	[18] = { 0x2000, 0xb00, 6, 0 },
} };
/* clang-format on */

static inline struct cpuid_0d cpuid_with_features(u32 features)
{
	struct cpuid_0d c = cpuid_sapphire_rapids;

	c.sub[1].eax = features;
	if (!(features & 8))
		c.sub[1].ecx = 0;
	if (!(features & 16))
		c.sub[18].ecx = 2;
	return c;
}

/* APX: its standard-format place is where MPX was (SDM: APX state). */
static inline struct cpuid_0d cpuid_with_apx(void)
{
	struct cpuid_0d c = cpuid_sapphire_rapids;

	c.sub[0].eax |= 1u << 19;
	c.sub[19].eax = 0x80;
	c.sub[19].ebx = 0x3c0;
	return c;
}

/* A user component nobody has heard of, as large as tiles and as optional. */
static inline struct cpuid_0d cpuid_with_unknown_20(void)
{
	struct cpuid_0d c = cpuid_sapphire_rapids;

	c.sub[0].eax |= 1u << 20;
	c.sub[20].eax = 0x1234;
	c.sub[20].ebx = 0x2b00;
	c.sub[20].ecx = 6;
	return c;
}

/* x87, SSE, AVX and a PKRU of 64 bytes (xfd.md A.1.4). */
/* clang-format off */
static const struct cpuid_0d cpuid_amd = { .sub = {
	[0]  = { 0x207, 0x380, 0x380, 0 },
	[1]  = { UP_TO_XSAVES, 0x380, 0x1800, 0 },
	[2]  = { 0x100, 0x240, 0, 0 },
	[9]  = { 0x40, 0x340, 0, 0 },
	[11] = { 0x10, 0, 1, 0 },
	[12] = { 0x18, 0, 1, 0 },
} };
/* clang-format on */

#endif

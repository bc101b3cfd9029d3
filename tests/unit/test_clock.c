/* SPDX-License-Identifier: MIT */
/* links: boot/lib/clock.c */
/*
 * Conversions without overflow, and what CPUID says about the TSC's frequency.
 * Source: SDM vol. 3, "Determining the Processor Base Frequency".
 */
#include "boot/lib/clock.h"

#include "tests/unit/tap.h"

/* clang-format off */
static const struct {
	const char *claim;
	u64 units, hz, per_second, want;
} scales[] = {
	{ "a second",                  1000000, 2200000000, 1000000, 2200000000 },
	{ "a microsecond",             1, 2200000000, 1000000, 2200 },
	{ "rounded down",              1, 1999999, 1000000, 1 },
	{ "nothing",                   0, 2200000000, 1000000, 0 },
	{ "a year, beyond 64 bits on the way",
	  31536000000000, 5000000000, 1000000, 157680000000000000 },
	{ "three centuries saturate",
	  9000000000000000000, 5000000000, 1000000, UINT64_MAX },
	{ "all ones saturate",         UINT64_MAX, UINT64_MAX, 1, UINT64_MAX },
	{ "all ones by one",           UINT64_MAX, 1, 1, UINT64_MAX },
};

static const struct {
	const char *claim;
	u32 leaf15[3], leaf16;
	u64 want;
} leaves[] = {
	{ "15H in full: 25 MHz * 176 / 2",  { 2, 176, 25000000 }, 0, 2200000000 },
	{ "15H goes before 16H",            { 2, 176, 25000000 }, 3000, 2200000000 },
	{ "15H without the crystal: 16H",   { 2, 176, 0 }, 2200, 2200000000 },
	{ "15H without a ratio: 16H",       { 0, 0, 25000000 }, 2200, 2200000000 },
	{ "16H: reserved bits are ignored", { 0, 0, 0 }, 0xffff0898, 2200000000 },
	{ "neither",                        { 0, 0, 0 }, 0, 0 },
};
/* clang-format on */

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++)
		tap_is(clock_scale(scales[i].units, scales[i].hz,
				   scales[i].per_second),
		       scales[i].want, "%s", scales[i].claim);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		tap_is(clock_hz_from_cpuid(leaves[i].leaf15, leaves[i].leaf16),
		       leaves[i].want, "%s", leaves[i].claim);
	return tap_done();
}

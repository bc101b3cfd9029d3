/* SPDX-License-Identifier: MIT */
/*
 * Conversions without overflow, and what CPUID says about the TSC's frequency.
 * Source: SDM vol. 3, "Determining the Processor Base Frequency".
 */
#define BOOT_LIB_X86_H /* its ports, CPUID and TSC are these */

#include "boot/lib/types.h"

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static u32 leaf_max, leaf_15[3], leaf_16;
static u64 tsc, ticks_a_read; /* of a port */
static u32 reads_left;        /* until the PIT's output is 1; 0: it never is */
static u8 gate_port = 2, mode;

static struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	(void)subleaf;
	if (leaf == 0)
		return (struct cpuid_regs){ .eax = leaf_max };
	if (leaf == 0x15)
		return (struct cpuid_regs){ leaf_15[0], leaf_15[1], leaf_15[2],
					    0 };
	return (struct cpuid_regs){ .eax = leaf_16 };
}

static u64 rdtsc(void)
{
	return tsc;
}

static u8 inb(u16 port)
{
	(void)port;
	tsc += ticks_a_read;
	if (!mode)
		return gate_port;
	return reads_left && --reads_left == 0 ? gate_port | 0x20 : gate_port;
}

static void outb(u16 port, u8 value)
{
	if (port == 0x61)
		gate_port = value;
	if (port == 0x43)
		mode = value;
}

#include "boot/lib/clock.c"

#include <string.h>

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
	{ "a rest that is too much saturates",
	  10, UINT64_MAX, 9, UINT64_MAX },
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
	{ "15H without a numerator: 16H",   { 2, 0, 25000000 }, 2200, 2200000000 },
	{ "neither",                        { 0, 0, 0 }, 0, 0 },
};
/* clang-format on */

/* clang-format off */
static const struct {
	const char *claim;
	u32 max, leaf15[3], leaf16, reads;
	u64 a_read, want;
	const char *source;
} machines[] = {
	{ "15H goes first", 0x16, { 2, 176, 25000000 }, 3000, 10, 1,
	  2200000000, "CPUID 15H" },
	{ "15H without the crystal", 0x16, { 2, 176, 0 }, 2200, 10, 1,
	  2200000000, "CPUID 16H" },
	{ "leaves beyond the last are not asked", 0x14, { 2, 176, 25000000 },
	  2200, 11, 2000000, 2199966811, "PIT" },
	{ "16H beyond the last either", 0x15, { 0, 0, 0 }, 2200, 11, 2000000,
	  2199966811, "PIT" },
	{ "no PIT: its output is always 1", 1, { 0, 0, 0 }, 0, 1, 2000000,
	  2000000000, "guess" },
	{ "a PIT that never ends", 1, { 0, 0, 0 }, 0, 0, 1, 2000000000,
	  "guess" },
};
/* clang-format on */

/* 11 reads of 2 million ticks each, in 11932 ticks of the PIT (10 ms). */
static void whole_machines(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		leaf_max = machines[i].max;
		memcpy(leaf_15, machines[i].leaf15, sizeof(leaf_15));
		leaf_16      = machines[i].leaf16;
		reads_left   = machines[i].reads;
		ticks_a_read = machines[i].a_read;
		gate_port    = 2;
		mode         = 0;
		clock_init();
		tap_is(tsc_hz(), machines[i].want, "%s", machines[i].claim);
		tap_ok(!strcmp(tsc_source(), machines[i].source), "by %s",
		       machines[i].source);
		tap_is(gate_port, 2, "the speaker's gate is as it was");
	}
	tap_is(us_to_ticks(1000), 2000000, "a millisecond in ticks");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++)
		tap_is(clock_scale(scales[i].units, scales[i].hz,
				   scales[i].per_second),
		       scales[i].want, "%s", scales[i].claim);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		tap_is(clock_hz_from_cpuid(leaves[i].leaf15, leaves[i].leaf16),
		       leaves[i].want, "%s", leaves[i].claim);
	whole_machines();
	return tap_done();
}

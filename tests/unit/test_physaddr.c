/* SPDX-License-Identifier: MIT */
/* links: boot/lib/physaddr.c */
/*
 * The width of physical addresses: as CPUID tells it, less what memory
 * encryption took. Source: Intel Architecture Memory Encryption Technologies,
 * "IA32_TME_ACTIVATE".
 */
#include "boot/lib/physaddr.h"

#include "tests/unit/tap.h"

#define ON 3ULL /* locked, enabled */

static const struct {
	const char *machine;
	struct physaddr p;
	unsigned int bits, keys;
} row[] = {
	{ "a CPU without leaf 80000008H", { 0, 0 }, 36, 0 },
	{ "46 bits", { 46, 0 }, 46, 0 },
	{ "52 bits", { 52, 0 }, 52, 0 },
	{ "more than there can be", { 255, 0 }, 52, 0 },
	{ "less than there can be", { 20, 0 }, 32, 0 },
	{ "encryption with one key", { 52, ON }, 52, 0 },
	{ "6 bits of keys", { 52, ON | 6ULL << 32 }, 46, 6 },
	{ "... 2 of them TDX's", { 52, ON | 2ULL << 36 | 6ULL << 32 }, 46, 6 },
	{ "15 bits of keys on 46", { 46, ON | 15ULL << 32 }, 32, 15 },
	{ "keys chosen, not locked", { 52, 2 | 6ULL << 32 }, 52, 0 },
	{ "locked off", { 52, 1 | 6ULL << 32 }, 52, 0 },
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		tap_ok(physaddr_bits(&row[i].p) == row[i].bits &&
			       physaddr_key_bits(&row[i].p) == row[i].keys,
		       "%s: %u bits, %u of a key", row[i].machine, row[i].bits,
		       row[i].keys);
	return tap_done();
}

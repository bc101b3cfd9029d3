/* SPDX-License-Identifier: MIT */
/* Asks this CPU for what guest/cpuid.c makes a VM's table of. */
#include "boot/lib/x86.h"
#include "fpu/xstate.h"
#include "guest/cpuid.h"

#define EXTENDED 0x80000000u

static void read_leaf(struct cpuid_host *h, u32 leaf, u32 subleaves)
{
	for (u32 i = 0; i < subleaves && h->count < CPUID_HOST_MAX; i++)
		h->entry[h->count++] = (struct cpuid_entry){
			.leaf = leaf, .subleaf = i, .r = cpuid(leaf, i)
		};
}

/* How many sub-leaves of LEAF matter to the policy. */
static u32 subleaves(u32 leaf)
{
	switch (leaf) {
	case 0x4:
		return 8;
	case 0xd:
		return XSTATE_COUNT;
	case 0x7:
	case 0x1d:
	case 0x1e:
		return 2;
	default:
		return 1;
	}
}

void cpuid_read_host(struct cpuid_host *host)
{
	const u32 basic = (u32)min_u64(cpuid(0, 0).eax, CPUID_BASIC_COUNT - 1);
	const u32 extended = cpuid(EXTENDED, 0).eax;

	host->count = 0;
	for (u32 leaf = 0; leaf <= basic; leaf++)
		read_leaf(host, leaf, subleaves(leaf));
	for (u32 i = 0; i < CPUID_EXTENDED_COUNT; i++)
		if (extended >= EXTENDED + i)
			read_leaf(host, EXTENDED + i, 1);
}

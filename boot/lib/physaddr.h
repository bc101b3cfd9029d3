/* SPDX-License-Identifier: MIT */
/*
 * How many bits of a physical address are one: CPUID says how many there are,
 * and memory encryption may take the upper ones for its keys. Pure, but for
 * physaddr_read().
 */
#ifndef BOOT_LIB_PHYSADDR_H
#define BOOT_LIB_PHYSADDR_H

#include "boot/lib/types.h"

/* What this CPU says. */
struct physaddr {
	u32 cpuid_bits;   /* CPUID.80000008H:EAX[7:0]; 0: no such leaf */
	u64 tme_activate; /* IA32_TME_ACTIVATE; 0: no memory encryption */
};

void physaddr_read(struct physaddr *p);

/*
 * Width of an address without a key, 32 to 52 bits: what page tables may hold
 * and where memory can be (SDM vol. 3, "Physical-Address Width"; Intel
 * Architecture Memory Encryption Technologies, "IA32_TME_ACTIVATE").
 */
unsigned int physaddr_bits(const struct physaddr *p);

/* Upper bits that select a key, those that TDX has reserved among them. */
unsigned int physaddr_key_bits(const struct physaddr *p);

#endif

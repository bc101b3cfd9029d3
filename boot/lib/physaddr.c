/* SPDX-License-Identifier: MIT */
/* The decision; physaddr_read.c asks the CPU. */
#include "boot/lib/physaddr.h"

#define BITS_UNKNOWN 36 /* of a CPU without the leaf: SDM vol. 2, CPUID */
#define BITS_MIN     32
#define BITS_MAX     52

#define ACTIVATE_LOCKED      BIT(0)
#define ACTIVATE_ENABLED     BIT(1)
#define ACTIVATE_KEY_BITS(v) ((unsigned int)field_get(v, 35, 32))

unsigned int physaddr_key_bits(const struct physaddr *p)
{
	const u64 on = ACTIVATE_LOCKED | ACTIVATE_ENABLED;

	/* Until it is locked nothing is in force. */
	return (p->tme_activate & on) == on ? ACTIVATE_KEY_BITS(p->tme_activate)
					    : 0;
}

unsigned int physaddr_bits(const struct physaddr *p)
{
	const u64 told = p->cpuid_bits ? p->cpuid_bits : BITS_UNKNOWN;
	const u64 all  = min_u64(told, BITS_MAX);

	return (unsigned int)max_u64(all - min_u64(all, physaddr_key_bits(p)),
				     BITS_MIN);
}

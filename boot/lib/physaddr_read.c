/* SPDX-License-Identifier: MIT */
/* Asks this CPU for what boot/lib/physaddr.c judges. */
#include "boot/lib/physaddr.h"
#include "boot/lib/x86.h"

#define CPUID_7_ECX_TME BIT(13)

void physaddr_read(struct physaddr *p)
{
	*p = (struct physaddr){ 0 };
	if (cpuid(0x80000000, 0).eax >= 0x80000008)
		p->cpuid_bits = cpuid(0x80000008, 0).eax & 0xff;
	if (cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ecx & CPUID_7_ECX_TME))
		rdmsr_safe(MSR_IA32_TME_ACTIVATE, &p->tme_activate);
}

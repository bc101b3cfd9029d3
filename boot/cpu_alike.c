/* SPDX-License-Identifier: MIT */
#include "boot/cpu_alike.h"

#define ALL  (~0u)
#define NONE 0u

#define OSXSAVE (1u << 27)
#define OSPKE   (1u << 4)

const struct cpu_alike cpu_alike[CPU_ALIKE_COUNT] = {
	/* Family to stepping; EBX has the APIC id; OSXSAVE follows CR4. */
	{ 0x1, 0, { ALL, NONE, ~OSXSAVE, ALL }, "its CPUID.1 differs" },
	{ 0x7, 0, { ALL, ALL, ~OSPKE, ALL }, "its CPUID.7 differs" },
	{ 0x7, 1, { ALL, ALL, ALL, ALL }, "its CPUID.(7,1) differs" },
	/* EBX follows XCR0, in sub-leaf 1 XSS too. */
	{ 0xd, 0, { ALL, NONE, ALL, ALL }, "its CPUID.0DH differs" },
	{ 0xd, 1, { ALL, NONE, ALL, ALL }, "its CPUID.(0DH,1) differs" },
	{ 0xd, 18, { ALL, ALL, ALL, ALL }, "its TILEDATA differs" },
	{ 0x80000001,
	  0,
	  { NONE, NONE, ALL, ALL },
	  "its CPUID.80000001H differs" },
	{ 0x80000008,
	  0,
	  { ALL, NONE, NONE, NONE },
	  "its address width differs" },
};

const char *cpu_alike_complaint(const struct cpuid_regs boot[CPU_ALIKE_COUNT],
				const struct cpuid_regs other[CPU_ALIKE_COUNT])
{
	for (size_t i = 0; i < CPU_ALIKE_COUNT; i++) {
		const struct cpuid_regs a = boot[i], b = other[i];
		const u32 *mask = cpu_alike[i].mask;

		if (((a.eax ^ b.eax) & mask[0]) | ((a.ebx ^ b.ebx) & mask[1]) |
		    ((a.ecx ^ b.ecx) & mask[2]) | ((a.edx ^ b.edx) & mask[3]))
			return cpu_alike[i].complaint;
	}
	return NULL;
}

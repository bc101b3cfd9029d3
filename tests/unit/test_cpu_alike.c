/* SPDX-License-Identifier: MIT */
/* links: boot/cpu_alike.c */
/*
 * Which CPUs may work beside the boot CPU. SDM vol. 2, "CPUID": what a CPU has
 * for itself alone, and what follows its control registers, may differ.
 */
#include "boot/cpu_alike.h"

#include <string.h>

#include "tests/unit/tap.h"

enum {
	EAX,
	EBX,
	ECX,
	EDX
};

static const struct {
	const char *claim;
	u32 leaf, subleaf, reg, bit;
	bool differs;
} row[] = {
	{ "another stepping", 0x1, 0, EAX, 0, true },
	{ "another APIC id", 0x1, 0, EBX, 24, false },
	{ "no VMX", 0x1, 0, ECX, 5, true },
	{ "OSXSAVE, which follows CR4", 0x1, 0, ECX, 27, false },
	{ "no XSAVE", 0x1, 0, ECX, 26, true },
	{ "no FXSR", 0x1, 0, EDX, 24, true },
	{ "no AVX-512", 0x7, 0, EBX, 16, true },
	{ "OSPKE, which follows CR4", 0x7, 0, ECX, 4, false },
	{ "no PKU", 0x7, 0, ECX, 3, true },
	{ "no AMX-TILE", 0x7, 0, EDX, 24, true },
	{ "no AMX-FP16", 0x7, 1, EAX, 21, true },
	{ "no TILEDATA in XCR0", 0xd, 0, EAX, 18, true },
	{ "size by XCR0", 0xd, 0, EBX, 11, false },
	{ "size of all", 0xd, 0, ECX, 11, true },
	{ "no XFD", 0xd, 1, EAX, 4, true },
	{ "size by XCR0 and XSS", 0xd, 1, EBX, 11, false },
	{ "larger tiles", 0xd, 18, EAX, 14, true },
	{ "TILEDATA elsewhere", 0xd, 18, EBX, 6, true },
	{ "no XFD for TILEDATA", 0xd, 18, ECX, 2, true },
	{ "no NX", 0x80000001, 0, EDX, 20, true },
	{ "fewer address bits", 0x80000008, 0, EAX, 0, true },
};

static u32 *word(struct cpuid_regs *r, u32 reg)
{
	u32 *const words[] = { &r->eax, &r->ebx, &r->ecx, &r->edx };

	return words[reg];
}

static size_t index_of(u32 leaf, u32 subleaf)
{
	for (size_t i = 0; i < CPU_ALIKE_COUNT; i++)
		if (cpu_alike[i].leaf == leaf &&
		    cpu_alike[i].subleaf == subleaf)
			return i;
	return CPU_ALIKE_COUNT;
}

int main(void)
{
	struct cpuid_regs boot[CPU_ALIKE_COUNT];

	memset(boot, 0x5a, sizeof(boot));
	tap_ok(!cpu_alike_complaint(boot, boot), "the same CPU: nothing");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct cpuid_regs other[CPU_ALIKE_COUNT];
		const size_t at = index_of(row[i].leaf, row[i].subleaf);
		const char *said;

		memcpy(other, boot, sizeof(other));
		if (at < CPU_ALIKE_COUNT)
			*word(&other[at], row[i].reg) ^= 1u << row[i].bit;
		said = cpu_alike_complaint(boot, other);
		tap_ok(at < CPU_ALIKE_COUNT &&
			       (row[i].differs ? said == cpu_alike[at].complaint
					       : !said),
		       "%s: %s", row[i].claim,
		       row[i].differs ? "left out, and why" : "may be");
	}
	return tap_done();
}

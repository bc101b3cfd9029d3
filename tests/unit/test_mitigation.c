/* SPDX-License-Identifier: MIT */
/* links: */
/*
 * What is applied, not needed or missing, on CPUs as they describe themselves:
 * CPUID and IA32_ARCH_CAPABILITIES, SDM volume 4.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BOOT_LIB_X86_H

#include "boot/lib/types.h"
#include "tests/unit/tap.h"

#define MSR_IA32_SPEC_CTRL         0x48u
#define MSR_IA32_BIOS_SIGN_ID      0x8bu
#define MSR_IA32_ARCH_CAPABILITIES 0x10au

/* The CPU of this test: what the shell reads and writes. */
static u32 answers[8][4];
static u64 spec_ctrl = ~0ULL;
static u64 arch_cap, bios_sign_id;

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	const u32 i = leaf == 7 ? 4 + subleaf : leaf;

	return (struct cpuid_regs){ answers[i][0], answers[i][1], answers[i][2],
				    answers[i][3] };
}

static u64 rdmsr(u32 msr)
{
	return msr == MSR_IA32_ARCH_CAPABILITIES ? arch_cap : 0;
}

static bool rdmsr_safe(u32 msr, u64 *value)
{
	if (msr != MSR_IA32_BIOS_SIGN_ID || !bios_sign_id)
		return false;
	*value = bios_sign_id;
	return true;
}

static void wrmsr(u32 msr, u64 value)
{
	if (msr == MSR_IA32_SPEC_CTRL)
		spec_ctrl = value;
}

static unsigned int lines;
static char last[200];

#define tv_snprintf snprintf
#include "boot/mitigation.c"

static struct percpu cpu;

struct percpu *this_cpu(void)
{
	return &cpu;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	lines++;
}

#define IBRS     0x04000000u
#define ARCH_CAP 0x20000000u
#define ALL_NO   0x0d00e171ULL /* bits 0 4-6 8 13-15 24 26 27 */

struct model {
	const char *name;
	struct mitigation_facts f;
	const char *
		states; /* a letter a row: - not needed, A applied, M missing */
	u64 spec_ctrl;
};

/* Meltdown L1TF MDS TAA multihit MMIO GDS RFDS v2 IBPB BHI PBRSB SSB */
static const struct model table[] = {
	{ "a CPU that says nothing",
	  { 0x000306a9, 0, 0, 0, 0 },
	  "MMMMMMMMMMMAM",
	  0 },
	{ "IBRS, not to be left on",
	  { 0x000506e3, IBRS, 0, 0, 0 },
	  "MMMMMMMMMAMAM",
	  0 },
	{ "enhanced IBRS alone",
	  { 0x00050657, IBRS | ARCH_CAP, 0, 2, 0 },
	  "MMMMMMMMAAMAM",
	  1 },
	{ "IBRS_ALL without IBRS",
	  { 0x00050657, ARCH_CAP, 0, 2, 0 },
	  "MMMMMMMMMMMAM",
	  0 },
	{ "Cascade Lake's kind",
	  { 0x00050657, IBRS | ARCH_CAP, 0, 0x2b, 0 },
	  "---MMMMMAAMAM",
	  1 },
	{ "MMIO: one of three bits",
	  { 0x000606a6, IBRS, 0, 0x2002, 0 },
	  "MMMMMMMMAAMAM",
	  1 },
	{ "MMIO: all three",
	  { 0x000606a6, IBRS, 0, 0xe002, 0 },
	  "MMMMM-MMAAMAM",
	  1 },
	{ "Sapphire Rapids, early microcode",
	  { 0x000806f8, IBRS | ARCH_CAP, 0, 2, 0 },
	  "--------AAMAM",
	  1 },
	{ "Sapphire Rapids with BHI_CTRL",
	  { 0x000806f5, IBRS | ARCH_CAP, 0x10, 2, 0 },
	  "--------AAAAM",
	  0x401 },
	{ "a model beside it",
	  { 0x000806a0, IBRS | ARCH_CAP, 0x10, 2, 0 },
	  "MMMMMMMMAAAAM",
	  0x401 },
	{ "BHI_NO needs no BHI_DIS_S",
	  { 0x000c06f2, IBRS | ARCH_CAP, 0x10, ALL_NO | 0x100002, 0 },
	  "--------AA---",
	  1 },
};

static char letter(enum mitigation_state s)
{
	return s == MITIGATION_APPLIED   ? 'A'
	       : s == MITIGATION_MISSING ? 'M'
					 : '-';
}

/* Intel, "Affected Processors": the least revision that mends all. */
static const struct {
	const char *claim;
	u32 signature, microcode, wanted;
} microcode[] = {
	{ "the last one too old", 0x000806f8, 0x2b000660, 0x2b000661 },
	{ "the first that mends", 0x000806f8, 0x2b000661, 0 },
	{ "a newer one", 0x000806f5, 0x2b0006ff, 0 },
	{ "the line with HBM, too old", 0x000806f8, 0x2c000420, 0x2c000421 },
	{ "the same, mended", 0x000806f8, 0x2c000421, 0 },
	{ "a line not heard of", 0x000806f8, 0xab000001, 0 },
	{ "not known", 0x000806f8, 0, 0 },
	{ "another model", 0x000606a6, 0x2b000001, 0 },
};

static void shell(void)
{
	answers[0][0] = 7;
	answers[1][0] = 0x000806f8;
	answers[4][0] = 2;
	answers[4][3] = IBRS | ARCH_CAP;
	answers[6][3] = 0x10;
	arch_cap      = 2;
	mitigation_init_cpu();
	tap_is(spec_ctrl, 0x401, "IBRS and BHI_DIS_S are written");
	mitigation_report();
	tap_is(lines, 3, "a line for each state that there is");

	tap_ok(cpu.ibpb, "IBPB is there to be used");

	lines        = 0;
	bios_sign_id = 0x2b00000100000000;
	mitigation_report();
	tap_ok(lines == 4 && strstr(last, "microcode 0x2b000001 is older"),
	       "old microcode is told: %s", last);
	lines         = 0;
	answers[1][2] = 0x80000000;
	mitigation_report();
	tap_is(lines, 3, "but not what a hypervisor makes up");

	answers[4][0] = 1;
	mitigation_init_cpu();
	tap_is(spec_ctrl, 1, "a sub-leaf 2 beyond the last is not asked");
	answers[4][0] = 2;
	answers[4][3] = IBRS;
	mitigation_init_cpu();
	tap_is(spec_ctrl, 0x400, "nor an IA32_ARCH_CAPABILITIES not there");
	answers[1][0] = 0x000306a9;
	answers[4][3] = 0;
	lines         = 0;
	mitigation_report();
	tap_is(lines, 2, "a state that nothing is in has no line");
	answers[1][0] = 0x000806f8;
	answers[4][3] = IBRS | ARCH_CAP;
	spec_ctrl     = ~0ULL;
	answers[0][0] = 6;
	mitigation_init_cpu();
	tap_is(spec_ctrl, ~0ULL, "without leaf 7 no MSR is touched");
	answers[0][0] = 7;
	answers[4][3] = ARCH_CAP;
	mitigation_init_cpu();
	tap_is(spec_ctrl, ~0ULL, "without CPUID.(7,0):EDX[26] neither");
	tap_ok(!cpu.ibpb, "and there is no IBPB");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct mitigation_plan p = mitigation_plan(&table[i].f);
		char states[MITIGATION_COUNT + 1] = "";

		for (unsigned int m = 0; m < MITIGATION_COUNT; m++)
			states[m] = letter(p.state[m]);
		tap_ok(strcmp(states, table[i].states) == 0, "%s: %s",
		       table[i].name, states);
		tap_is(p.spec_ctrl, table[i].spec_ctrl, "%s: IA32_SPEC_CTRL",
		       table[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(microcode); i++) {
		const struct mitigation_facts f = {
			.signature = microcode[i].signature,
			.microcode = microcode[i].microcode,
		};

		tap_is(mitigation_plan(&f).microcode, microcode[i].wanted,
		       "microcode: %s", microcode[i].claim);
	}
	tap_ok(strcmp(mitigation_name(MITIGATE_SSB), "SSB") == 0,
	       "a weakness has a name");
	shell();
	return tap_done();
}

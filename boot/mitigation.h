/* SPDX-License-Identifier: MIT */
/*
 * Which of the known speculative-execution weaknesses this CPU has, and what we
 * do about each. The judgement is pure; two small functions touch the CPU. What
 * is missing is said, never hidden (SECURITY.md).
 */
#ifndef BOOT_MITIGATION_H
#define BOOT_MITIGATION_H

#include "boot/lib/types.h"

enum mitigation_state {
	MITIGATION_NOT_NEEDED,
	MITIGATION_APPLIED,
	MITIGATION_MISSING,
	MITIGATION_STATE_COUNT,
};

enum mitigation {
	MITIGATE_MELTDOWN,
	MITIGATE_L1TF,
	MITIGATE_MDS,
	MITIGATE_TAA,
	MITIGATE_MULTIHIT,
	MITIGATE_MMIO,
	MITIGATE_GDS,
	MITIGATE_RFDS,
	MITIGATE_SPECTRE_V2,
	MITIGATE_IBPB,
	MITIGATE_BHI,
	MITIGATE_PBRSB,
	MITIGATE_SSB,
	MITIGATION_COUNT,
};

/* All that the judgement rests on. */
struct mitigation_facts {
	u32 signature; /* CPUID.1:EAX */
	u32 leaf7_edx; /* CPUID.(7,0):EDX */
	u32 leaf72_edx;
	u64 arch_capabilities; /* 0: the CPU has no such MSR */
	u32 microcode; /* its revision; 0: not known, or a hypervisor's */
};

struct mitigation_plan {
	enum mitigation_state state[MITIGATION_COUNT];
	u64 spec_ctrl; /* IA32_SPEC_CTRL for good; 0: leave it */
	bool ibpb;     /* a barrier when another vCPU's predictions end */
	u32 microcode; /* the oldest that mends all; 0: so does this one */
};

/* Source: SDM vol. 4, IA32_ARCH_CAPABILITIES and IA32_SPEC_CTRL. */
struct mitigation_plan mitigation_plan(const struct mitigation_facts *f);

/* "Meltdown" and so on. */
const char *mitigation_name(enum mitigation m);

/* On every CPU: IA32_SPEC_CTRL as planned for it, and whether to use IBPB. */
void mitigation_init_cpu(void);

/* On the boot CPU: a log line for each state. */
void mitigation_report(void);

#endif

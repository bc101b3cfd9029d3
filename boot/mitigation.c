/* SPDX-License-Identifier: MIT */
/*
 * A row a weakness. Guests are shown neither IA32_SPEC_CTRL nor IA32_PRED_CMD,
 * so what is written there once holds in root mode and in every guest.
 */
#include "boot/mitigation.h"

#include "boot/lib/print.h"
#include "boot/lib/x86.h"

/* CPUID.(7,0):EDX and CPUID.(7,2):EDX. */
#define LEAF7_IBRS      BIT(26)
#define LEAF7_ARCH_CAP  BIT(29)
#define LEAF72_BHI_CTRL BIT(4)

/* IA32_ARCH_CAPABILITIES. */
#define CAP_RDCL_NO        BIT(0)
#define CAP_IBRS_ALL       BIT(1)
#define CAP_SSB_NO         BIT(4)
#define CAP_MDS_NO         BIT(5)
#define CAP_PSCHANGE_MC_NO BIT(6)
#define CAP_TAA_NO         BIT(8)
#define CAP_MMIO_NO        (BIT(13) | BIT(14) | BIT(15))
#define CAP_BHI_NO         BIT(20)
#define CAP_PBRSB_NO       BIT(24)
#define CAP_GDS_NO         BIT(26)
#define CAP_RFDS_NO        BIT(27)

/* IA32_SPEC_CTRL. */
#define SPEC_CTRL_IBRS      BIT(0)
#define SPEC_CTRL_BHI_DIS_S BIT(10)

/* Family 6, model 8FH; steppings left out. */
#define SIGNATURE_MODEL    0x0fff0ff0u
#define SIGNATURE_SAPPHIRE 0x000806f0u

/*
 * What the CPU says it does not have. Sapphire Rapids has none of them, whether
 * or not its microcode is new enough to say so: Intel, "Affected Processors:
 * Transient Execution Attacks".
 */
static const struct {
	const char *name;
	u64 no; /* bits of IA32_ARCH_CAPABILITIES, all of which must be set */
	bool sapphire_has_it;
} row[MITIGATION_COUNT] = {
	[MITIGATE_MELTDOWN]   = { "Meltdown", CAP_RDCL_NO, false },
	[MITIGATE_L1TF]       = { "L1TF", CAP_RDCL_NO, false },
	[MITIGATE_MDS]        = { "MDS", CAP_MDS_NO, false },
	[MITIGATE_TAA]        = { "TAA", CAP_TAA_NO, false },
	[MITIGATE_MULTIHIT]   = { "iTLB multihit", CAP_PSCHANGE_MC_NO, false },
	[MITIGATE_MMIO]       = { "MMIO stale data", CAP_MMIO_NO, false },
	[MITIGATE_GDS]        = { "GDS", CAP_GDS_NO, false },
	[MITIGATE_RFDS]       = { "RFDS", CAP_RFDS_NO, false },
	[MITIGATE_SPECTRE_V2] = { "Spectre v2", 0, true },
	[MITIGATE_IBPB]       = { "IBPB between vCPUs", 0, true },
	[MITIGATE_BHI]        = { "BHI", CAP_BHI_NO, true },
	[MITIGATE_PBRSB]      = { "PBRSB", CAP_PBRSB_NO, true },
	[MITIGATE_SSB]        = { "SSB", CAP_SSB_NO, true },
};

static bool is_unaffected(const struct mitigation_facts *f, enum mitigation m)
{
	const bool sapphire =
		(f->signature & SIGNATURE_MODEL) == SIGNATURE_SAPPHIRE;

	if (row[m].no && (f->arch_capabilities & row[m].no) == row[m].no)
		return true;
	return sapphire && !row[m].sapphire_has_it;
}

struct mitigation_plan mitigation_plan(const struct mitigation_facts *f)
{
	struct mitigation_plan p = { 0 };

	for (unsigned int i = 0; i < MITIGATION_COUNT; i++)
		p.state[i] = is_unaffected(f, (enum mitigation)i)
				     ? MITIGATION_NOT_NEEDED
				     : MITIGATION_MISSING;
	if (!(f->leaf7_edx & LEAF7_IBRS))
		return p;
	/* Enhanced IBRS alone may be left on; the old one is for each exit. */
	if (f->arch_capabilities & CAP_IBRS_ALL) {
		p.state[MITIGATE_SPECTRE_V2] = MITIGATION_APPLIED;
		p.spec_ctrl |= SPEC_CTRL_IBRS;
	}
	if ((f->leaf72_edx & LEAF72_BHI_CTRL) &&
	    p.state[MITIGATE_BHI] == MITIGATION_MISSING) {
		p.state[MITIGATE_BHI] = MITIGATION_APPLIED;
		p.spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
	}
	return p;
}

const char *mitigation_name(enum mitigation m)
{
	return row[m].name;
}

static struct mitigation_facts read_facts(void)
{
	struct mitigation_facts f = { .signature = cpuid(1, 0).eax };

	if (cpuid(0, 0).eax < 7)
		return f;
	const struct cpuid_regs leaf7 = cpuid(7, 0);

	f.leaf7_edx = leaf7.edx;
	if (leaf7.eax >= 2)
		f.leaf72_edx = cpuid(7, 2).edx;
	if (leaf7.edx & LEAF7_ARCH_CAP)
		f.arch_capabilities = rdmsr(MSR_IA32_ARCH_CAPABILITIES);
	return f;
}

void mitigation_init_cpu(void)
{
	const struct mitigation_facts f = read_facts();
	const u64 value                 = mitigation_plan(&f).spec_ctrl;

	if (value)
		wrmsr(MSR_IA32_SPEC_CTRL, value);
}

void mitigation_report(void)
{
	static const char *const text[MITIGATION_STATE_COUNT] = {
		[MITIGATION_NOT_NEEDED] = "not needed",
		[MITIGATION_APPLIED]    = "applied",
		[MITIGATION_MISSING]    = "missing",
	};
	const struct mitigation_facts f = read_facts();
	const struct mitigation_plan p  = mitigation_plan(&f);

	for (unsigned int s = 0; s < MITIGATION_STATE_COUNT; s++) {
		char list[200] = "";
		size_t used    = 0;

		for (unsigned int i = 0; i < MITIGATION_COUNT; i++)
			if (p.state[i] == s && used < sizeof(list))
				used += (size_t)tv_snprintf(
					list + used, sizeof(list) - used,
					"%s%s", used ? ", " : "", row[i].name);
		if (used)
			log_info("mitigations %s: %s", text[s], list);
	}
}

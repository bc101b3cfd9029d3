/* SPDX-License-Identifier: MIT */
/*
 * A row a weakness. Guests are not shown IA32_SPEC_CTRL, so what is written
 * there once holds in root mode and in every guest. IBPB is vcpu_load()'s, the
 * guard against PBRSB vmx/enter.S's, on every CPU.
 */
#include "boot/mitigation.h"

#include "boot/lib/percpu.h"
#include "boot/lib/print.h"
#include "boot/lib/x86.h"

#define LEAF1_HYPERVISOR BIT(31)

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

/*
 * Sapphire Rapids' lines of microcode, by their first byte, and the revision in
 * which each mends CVE-2023-23583 and whatever else microcode alone can mend.
 * Source: Intel, "Affected Processors", February 2026.
 */
static const u32 microcode_mended[] = { 0x2b000661, 0x2c000421 };

static bool is_sapphire(const struct mitigation_facts *f)
{
	return (f->signature & SIGNATURE_MODEL) == SIGNATURE_SAPPHIRE;
}

static bool is_unaffected(const struct mitigation_facts *f, enum mitigation m)
{
	if (row[m].no && (f->arch_capabilities & row[m].no) == row[m].no)
		return true;
	return is_sapphire(f) && !row[m].sapphire_has_it;
}

/* The revision that is wanted in its place; 0: it will do, or is not known. */
static u32 newer_microcode(const struct mitigation_facts *f)
{
	if (!is_sapphire(f))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(microcode_mended); i++)
		if (f->microcode >> 24 == microcode_mended[i] >> 24 &&
		    f->microcode < microcode_mended[i])
			return microcode_mended[i];
	return 0;
}

struct mitigation_plan mitigation_plan(const struct mitigation_facts *f)
{
	struct mitigation_plan p = { 0 };

	for (unsigned int i = 0; i < MITIGATION_COUNT; i++)
		p.state[i] = is_unaffected(f, (enum mitigation)i)
				     ? MITIGATION_NOT_NEEDED
				     : MITIGATION_MISSING;
	if (p.state[MITIGATE_PBRSB] == MITIGATION_MISSING)
		p.state[MITIGATE_PBRSB] = MITIGATION_APPLIED;
	p.microcode = newer_microcode(f);
	if (!(f->leaf7_edx & LEAF7_IBRS))
		return p;
	p.ibpb                 = true;
	p.state[MITIGATE_IBPB] = MITIGATION_APPLIED;
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
	const struct cpuid_regs leaf1 = cpuid(1, 0);
	struct mitigation_facts f     = { .signature = leaf1.eax };
	u64 revision                  = 0;

	/* CPUID was just executed, as the register wants it. */
	if (!(leaf1.ecx & LEAF1_HYPERVISOR) &&
	    rdmsr_safe(MSR_IA32_BIOS_SIGN_ID, &revision))
		f.microcode = hi32(revision);
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
	const struct mitigation_plan p  = mitigation_plan(&f);

	if (p.spec_ctrl)
		wrmsr(MSR_IA32_SPEC_CTRL, p.spec_ctrl);
	this_cpu()->ibpb = p.ibpb;
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
	if (p.microcode)
		log_warn("microcode 0x%x is older than 0x%x: what only "
			 "microcode can mend, such as CVE-2023-23583, is not",
			 f.microcode, p.microcode);
}

/* SPDX-License-Identifier: MIT */
/*
 * Judges the capability MSRs: SDM vol. 3, appendix "VMX Capability Reporting
 * Facility", and the algorithm of "Algorithms for Determining VMX
 * Capabilities".
 */
#include "vmx/caps.h"

#include "boot/lib/regs.h"
#include "vmx/vmcs_field.h"

#define FEATURE_LOCK            BIT(0)
#define FEATURE_VMX_OUTSIDE_SMX BIT(2)

#define BASIC_TRUE_CTLS    BIT(55)
#define BASIC_MEM_TYPE(b)  field_get(b, 53, 50)
#define BASIC_VMCS_SIZE(b) field_get(b, 44, 32)

#define MEM_TYPE_WB 6

#define EPT_CAP_WALK_4         BIT(6)
#define EPT_CAP_WB             BIT(14)
#define EPT_CAP_2M             BIT(16)
#define EPT_CAP_1G             BIT(17)
#define EPT_CAP_INVEPT         BIT(20)
#define EPT_CAP_INVEPT_SINGLE  BIT(25)
#define EPT_CAP_INVEPT_ALL     BIT(26)
#define EPT_CAP_INVVPID        BIT(32)
#define EPT_CAP_INVVPID_SINGLE BIT(41)
#define EPT_CAP_INVVPID_ALL    BIT(42)

const char *const refusal_text[REFUSE_COUNT] = {
	[REFUSE_NOTHING]      = "nothing is missing",
	[REFUSE_NO_VMX]       = "this CPU has no VMX (CPUID.1:ECX[5] is 0)",
	[REFUSE_LOCKED_OFF]   = "the firmware locked VMX off "
				"(IA32_FEATURE_CONTROL)",
	[REFUSE_NO_SECONDARY] = "this CPU's VMX has no secondary controls, "
				"hence no EPT",
	[REFUSE_CONTROL]      = "this CPU's VMX cannot do what we need: ",
	[REFUSE_EPT_KIND]     = "this CPU's EPT has no 4-level walk in "
				"write-back memory, or no INVEPT",
	[REFUSE_VMCS_TYPE]    = "this CPU wants its VMCS in memory that is not "
				"write-back, or larger than a page",
};

enum word {
	WORD_PIN,
	WORD_CPU,
	WORD_CPU2,
	WORD_EXIT,
	WORD_ENTRY,
	WORD_COUNT,
};

struct control {
	enum word word;
	u32 bit;
	bool required;
	const char *name;
};

/* Every control we ask for, by the SDM's name. */
/* clang-format off */
static const struct control controls[] = {
	{ WORD_PIN,  PIN_EXTERNAL_INTR_EXITING, true,  "external-interrupt exiting" },
	{ WORD_PIN,  PIN_NMI_EXITING,           true,  "NMI exiting" },
	{ WORD_PIN,  PIN_VIRTUAL_NMIS,          true,  "virtual NMIs" },
	{ WORD_PIN,  PIN_PREEMPTION_TIMER,      false, "VMX-preemption timer" },
	{ WORD_CPU,  CPU_TSC_OFFSETTING,        true,  "use TSC offsetting" },
	{ WORD_CPU,  CPU_HLT_EXITING,           true,  "HLT exiting" },
	{ WORD_CPU,  CPU_MWAIT_EXITING,         true,  "MWAIT exiting" },
	{ WORD_CPU,  CPU_MONITOR_EXITING,       true,  "MONITOR exiting" },
	{ WORD_CPU,  CPU_RDPMC_EXITING,         true,  "RDPMC exiting" },
	{ WORD_CPU,  CPU_CR8_LOAD_EXITING,      true,  "CR8-load exiting" },
	{ WORD_CPU,  CPU_CR8_STORE_EXITING,     true,  "CR8-store exiting" },
	{ WORD_CPU,  CPU_UNCONDITIONAL_IO,      true,  "unconditional I/O exiting" },
	{ WORD_CPU,  CPU_MSR_BITMAPS,           true,  "use MSR bitmaps" },
	{ WORD_CPU,  CPU_SECONDARY_CONTROLS,    true,  "activate secondary controls" },
	{ WORD_CPU2, CPU2_EPT,                  true,  "enable EPT" },
	{ WORD_CPU2, CPU2_UNRESTRICTED_GUEST,   true,  "unrestricted guest" },
	{ WORD_CPU2, CPU2_VPID,                 false, "enable VPID" },
	{ WORD_CPU2, CPU2_RDTSCP,               false, "enable RDTSCP" },
	{ WORD_CPU2, CPU2_INVPCID,              false, "enable INVPCID" },
	{ WORD_CPU2, CPU2_XSAVES,               false, "enable XSAVES/XRSTORS" },
	{ WORD_CPU2, CPU2_WBINVD_EXITING,       false, "WBINVD exiting" },
	{ WORD_CPU2, CPU2_ENCLS_EXITING,        false, "ENCLS exiting" },
	{ WORD_EXIT, EXIT_HOST_64BIT,           true,  "host address-space size" },
	{ WORD_EXIT, EXIT_ACK_INTERRUPT,        true,  "acknowledge interrupt on exit" },
	{ WORD_EXIT, EXIT_SAVE_DEBUG,           true,  "save debug controls" },
	{ WORD_EXIT, EXIT_SAVE_PAT,             true,  "save IA32_PAT" },
	{ WORD_EXIT, EXIT_LOAD_PAT,             true,  "load IA32_PAT (exit)" },
	{ WORD_EXIT, EXIT_SAVE_EFER,            true,  "save IA32_EFER" },
	{ WORD_EXIT, EXIT_LOAD_EFER,            true,  "load IA32_EFER (exit)" },
	{ WORD_EXIT, EXIT_SAVE_TIMER,           false, "save VMX-preemption timer value" },
	{ WORD_ENTRY, ENTRY_LOAD_DEBUG,         true,  "load debug controls" },
	{ WORD_ENTRY, ENTRY_LOAD_PAT,           true,  "load IA32_PAT (entry)" },
	{ WORD_ENTRY, ENTRY_LOAD_EFER,          true,  "load IA32_EFER (entry)" },
};
/* clang-format on */

/* What APIC virtualization needs; a vCPU asks for it as its APIC is used. */
static const struct control apicv_controls[] = {
	{ WORD_CPU, CPU_TPR_SHADOW, true, "use TPR shadow" },
	{ WORD_CPU2, CPU2_APIC_ACCESSES, true, "virtualize APIC accesses" },
	{ WORD_CPU2, CPU2_X2APIC, true, "virtualize x2APIC mode" },
	{ WORD_CPU2, CPU2_APIC_REGISTERS, true,
	  "APIC-register virtualization" },
	{ WORD_CPU2, CPU2_VIRTUAL_INTERRUPTS, true,
	  "virtual-interrupt delivery" },
};

bool vmx_ctl_fit(u64 cap, u32 want, u32 *out)
{
	const u32 must = lo32(cap);
	const u32 may  = hi32(cap);

	*out = (want | must) & may;
	return (*out & want) == want;
}

static struct caps_verdict refuse_for(enum refusal why, const char *name)
{
	return (struct caps_verdict){ .why = why, .name = name };
}

/* Control words with every row that can be had; or the first that cannot. */
static struct caps_verdict fit_controls(const u64 cap[WORD_COUNT],
					u32 word[WORD_COUNT])
{
	u32 want[WORD_COUNT] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
		const struct control *c = &controls[i];
		u32 out;

		if (vmx_ctl_fit(cap[c->word], c->bit, &out))
			want[c->word] |= c->bit;
		else if (c->required)
			return refuse_for(REFUSE_CONTROL, c->name);
	}
	/* Nothing to save where there is no timer. */
	if (!(want[WORD_PIN] & PIN_PREEMPTION_TIMER))
		want[WORD_EXIT] &= ~(u32)EXIT_SAVE_TIMER;
	for (int w = 0; w < WORD_COUNT; w++)
		vmx_ctl_fit(cap[w], want[w], &word[w]);
	return refuse_for(REFUSE_NOTHING, NULL);
}

/* All of it, and CR8 then need not exit. */
static bool has_apicv(const u64 cap[WORD_COUNT])
{
	u32 out;

	for (size_t i = 0; i < ARRAY_SIZE(apicv_controls); i++)
		if (!vmx_ctl_fit(cap[apicv_controls[i].word],
				 apicv_controls[i].bit, &out))
			return false;
	return !(lo32(cap[WORD_CPU]) &
		 (CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING));
}

static void fill(const struct vmx_msrs *m, const u32 word[WORD_COUNT],
		 struct vmx_caps *caps)
{
	const u64 ept = m->ept_vpid;

	*caps = (struct vmx_caps){
		.revision       = lo32(field_get(m->basic, 30, 0)),
		.true_ctls      = m->basic & BASIC_TRUE_CTLS,
		.pin            = word[WORD_PIN],
		.cpu            = word[WORD_CPU],
		.cpu2           = word[WORD_CPU2],
		.exit           = word[WORD_EXIT],
		.entry          = word[WORD_ENTRY],
		.cr0_fixed0     = m->cr0_fixed0 & ~(BIT(0) | BIT(31)),
		.cr0_fixed1     = m->cr0_fixed1,
		.cr4_fixed0     = m->cr4_fixed0,
		.cr4_fixed1     = m->cr4_fixed1,
		.ept_2m         = ept & EPT_CAP_2M,
		.ept_1g         = ept & EPT_CAP_1G,
		.invept_single  = ept & EPT_CAP_INVEPT_SINGLE,
		.invvpid_single = ept & EPT_CAP_INVVPID_SINGLE,
		.vpid           = (word[WORD_CPU2] & CPU2_VPID) &&
			(ept & EPT_CAP_INVVPID) &&
			(ept & (EPT_CAP_INVVPID_SINGLE | EPT_CAP_INVVPID_ALL)),
		.timer       = word[WORD_PIN] & PIN_PREEMPTION_TIMER,
		.save_timer  = word[WORD_EXIT] & EXIT_SAVE_TIMER,
		.timer_shift = lo32(field_get(m->misc, 4, 0)),
		.xsaves      = word[WORD_CPU2] & CPU2_XSAVES,
		.rdtscp      = word[WORD_CPU2] & CPU2_RDTSCP,
		.invpcid     = word[WORD_CPU2] & CPU2_INVPCID,
	};
	if (!caps->vpid)
		caps->cpu2 &= ~(u32)CPU2_VPID;
}

bool caps_control(const struct vmx_msrs *m, unsigned int index,
		  struct caps_control *out)
{
	const u64 cap[WORD_COUNT] = {
		[WORD_PIN] = m->pin,     [WORD_CPU] = m->cpu,
		[WORD_CPU2] = m->cpu2,   [WORD_EXIT] = m->exit,
		[WORD_ENTRY] = m->entry,
	};
	u32 word;

	if (index >= ARRAY_SIZE(controls))
		return false;

	const struct control *c = &controls[index];

	*out = (struct caps_control){
		.name      = c->name,
		.required  = c->required,
		.available = vmx_ctl_fit(cap[c->word], c->bit, &word),
	};
	return true;
}

struct caps_verdict caps_judge(const struct vmx_msrs *m, struct vmx_caps *caps)
{
	const u64 cap[WORD_COUNT] = {
		[WORD_PIN] = m->pin,     [WORD_CPU] = m->cpu,
		[WORD_CPU2] = m->cpu2,   [WORD_EXIT] = m->exit,
		[WORD_ENTRY] = m->entry,
	};
	const u64 ept_need = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_INVEPT;
	u32 word[WORD_COUNT];

	if (!m->cpuid_vmx)
		return refuse_for(REFUSE_NO_VMX, NULL);
	if ((m->feature_control & FEATURE_LOCK) &&
	    !(m->feature_control & FEATURE_VMX_OUTSIDE_SMX))
		return refuse_for(REFUSE_LOCKED_OFF, NULL);
	if (BASIC_MEM_TYPE(m->basic) != MEM_TYPE_WB ||
	    BASIC_VMCS_SIZE(m->basic) > PAGE_SIZE)
		return refuse_for(REFUSE_VMCS_TYPE, NULL);
	if (!(hi32(m->cpu) & CPU_SECONDARY_CONTROLS))
		return refuse_for(REFUSE_NO_SECONDARY, NULL);

	const struct caps_verdict verdict = fit_controls(cap, word);

	if (verdict.why != REFUSE_NOTHING)
		return verdict;
	if ((m->ept_vpid & ept_need) != ept_need ||
	    !(m->ept_vpid & (EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)))
		return refuse_for(REFUSE_EPT_KIND, NULL);
	fill(m, word, caps);
	caps->apicv  = has_apicv(cap);
	/* Their exits acknowledge interrupts anyway: EXIT_ACK_INTERRUPT. */
	caps->posted = caps->apicv && (hi32(m->pin) & PIN_POSTED_INTERRUPTS);
	return verdict;
}

const char *caps_missing(const struct vmx_caps *caps, unsigned int index)
{
	const struct {
		bool missing;
		const char *text;
	} rows[] = {
		{ !caps->timer, "no VMX-preemption timer: slices end by the "
				"local APIC's timer" },
		{ caps->timer && !caps->save_timer,
		  "exits do not save the VMX-preemption timer: it is written "
		  "before every entry" },
		{ !caps->vpid, "no VPID: the TLB is flushed at every entry and "
			       "exit" },
		{ !caps->true_ctls, "no TRUE capability MSRs: CR3 accesses "
				    "exit" },
		{ !caps->xsaves, "no XSAVES control: guests have no XSAVES" },
		{ !caps->rdtscp, "no RDTSCP control: guests have no RDTSCP" },
		{ !caps->invpcid,
		  "no INVPCID control: guests have no INVPCID" },
		{ !caps->apicv, "no APIC virtualization: accesses to the local "
				"APIC exit" },
		{ caps->apicv && !caps->posted,
		  "no posted interrupts: an interrupt from another CPU ends "
		  "the "
		  "stay in the guest" },
		{ !caps->ept_2m, "no 2 MiB EPT pages: 4 KiB ones" },
		{ !caps->ept_1g, "no 1 GiB EPT pages: smaller ones" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].missing && index-- == 0)
			return rows[i].text;
	return NULL;
}

const char *caps_complaint(const struct vmx_msrs *boot,
			   const struct vmx_msrs *other)
{
	if ((other->feature_control & FEATURE_CONTROL_LOCK) &&
	    !(other->feature_control & FEATURE_CONTROL_VMX_OUTSIDE_SMX))
		return "its firmware locked VMX off (IA32_FEATURE_CONTROL)";
	if (other->cpuid_vmx != boot->cpuid_vmx ||
	    other->basic != boot->basic || other->pin != boot->pin ||
	    other->cpu != boot->cpu || other->cpu2 != boot->cpu2 ||
	    other->exit != boot->exit || other->entry != boot->entry ||
	    other->misc != boot->misc || other->ept_vpid != boot->ept_vpid)
		return "its VMX capabilities differ";
	if (other->cr0_fixed0 != boot->cr0_fixed0 ||
	    other->cr0_fixed1 != boot->cr0_fixed1 ||
	    other->cr4_fixed0 != boot->cr4_fixed0 ||
	    other->cr4_fixed1 != boot->cr4_fixed1)
		return "its fixed bits of CR0 and CR4 differ";
	return NULL;
}

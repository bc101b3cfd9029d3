/* SPDX-License-Identifier: MIT */
/* links: vmx/caps.c */
/*
 * Capability MSRs of a Sapphire Rapids, and what is said about CPUs that lack
 * something. SDM vol. 3, "VMX Capability Reporting Facility".
 */
#include "vmx/caps.h"

#include <string.h>

#include "tests/unit/spr_vmx.h"
#include "tests/unit/tap.h"
#include "vmx/vmcs_field.h"

static void fits(void)
{
	u32 out;

	tap_ok(vmx_ctl_fit(0xff00000016, 0x08, &out) && out == 0x1e,
	       "a wanted bit joins those that must be 1");
	tap_ok(!vmx_ctl_fit(0xf700000016, 0x08, &out),
	       "a bit that must be 0 cannot be had");
	tap_ok(vmx_ctl_fit(0x0000001600000016, 0, &out) && out == 0x16,
	       "nothing wanted: what must be 1");
}

static void whole_machine(void)
{
	struct vmx_caps c;
	const struct caps_verdict v = caps_judge(&sapphire_rapids_vmx, &c);

	tap_is(v.why, REFUSE_NOTHING, "a Sapphire Rapids lacks nothing");
	tap_ok(caps_missing(&c, 0) == NULL, "and there is nothing to tell");
	tap_is(c.revision, 4, "revision: IA32_VMX_BASIC[30:0]");
	tap_ok(c.true_ctls && c.timer && c.save_timer && c.vpid && c.xsaves,
	       "TRUE controls, timer, VPID, XSAVES");
	tap_is(c.timer_shift, 5, "timer rate: IA32_VMX_MISC[4:0]");
	tap_ok(c.ept_2m && c.ept_1g, "2 MiB and 1 GiB pages");
	tap_ok(!(c.cpu & (CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING)),
	       "CR3 is the guest's");
	tap_is(c.cr0_fixed0, 0x20, "an unrestricted guest may clear PE and PG");
	tap_ok((c.cpu2 & CPU2_UNRESTRICTED_GUEST) && (c.cpu2 & CPU2_EPT),
	       "EPT and unrestricted guest");
	tap_ok(!(c.cpu & CPU_IO_BITMAPS) && (c.cpu & CPU_UNCONDITIONAL_IO),
	       "every port access exits");
}

/* One control taken away: what is said, or what is done instead. */
struct lack {
	const char *claim;
	size_t word; /* offset of the capability MSR */
	u32 bit;
	enum refusal why;
	const char *name;
};

#define WORD(m) offsetof(struct vmx_msrs, m)
/* clang-format off */
static const struct lack lacks[] = {
	{ "no external-interrupt exiting", WORD(pin), PIN_EXTERNAL_INTR_EXITING,
	  REFUSE_CONTROL, "external-interrupt exiting" },
	{ "no virtual NMIs", WORD(pin), PIN_VIRTUAL_NMIS, REFUSE_CONTROL, "virtual NMIs" },
	{ "no MSR bitmaps", WORD(cpu), CPU_MSR_BITMAPS, REFUSE_CONTROL, "use MSR bitmaps" },
	{ "no secondary controls", WORD(cpu), CPU_SECONDARY_CONTROLS, REFUSE_NO_SECONDARY, NULL },
	{ "no EPT", WORD(cpu2), CPU2_EPT, REFUSE_CONTROL, "enable EPT" },
	{ "no unrestricted guest", WORD(cpu2), CPU2_UNRESTRICTED_GUEST,
	  REFUSE_CONTROL, "unrestricted guest" },
	{ "no 64-bit host", WORD(exit), EXIT_HOST_64BIT, REFUSE_CONTROL, "host address-space size" },
	{ "no load of IA32_EFER at entry", WORD(entry), ENTRY_LOAD_EFER,
	  REFUSE_CONTROL, "load IA32_EFER (entry)" },
	{ "no preemption timer is fine", WORD(pin), PIN_PREEMPTION_TIMER, REFUSE_NOTHING, NULL },
	{ "no saving of the timer is fine", WORD(exit), EXIT_SAVE_TIMER, REFUSE_NOTHING, NULL },
	{ "no VPID is fine", WORD(cpu2), CPU2_VPID, REFUSE_NOTHING, NULL },
	{ "no XSAVES is fine", WORD(cpu2), CPU2_XSAVES, REFUSE_NOTHING, NULL },
	{ "no RDTSCP is fine", WORD(cpu2), CPU2_RDTSCP, REFUSE_NOTHING, NULL },
	{ "no WBINVD exiting is fine", WORD(cpu2), CPU2_WBINVD_EXITING, REFUSE_NOTHING, NULL },
};
/* clang-format on */

static void lacking(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(lacks); i++) {
		const struct lack *l = &lacks[i];
		struct vmx_msrs m    = sapphire_rapids_vmx;
		struct vmx_caps c;
		u64 cap;

		memcpy(&cap, (char *)&m + l->word, sizeof(cap));
		cap &= ~((u64)l->bit << 32 | l->bit);
		memcpy((char *)&m + l->word, &cap, sizeof(cap));

		const struct caps_verdict v = caps_judge(&m, &c);

		tap_ok(v.why == l->why &&
			       (!l->name || strcmp(l->name, v.name) == 0),
		       "%s: %s%s", l->claim, refusal_text[v.why],
		       v.name ? v.name : "");
	}
}

static void fallbacks(void)
{
	struct vmx_msrs m = sapphire_rapids_vmx;
	struct vmx_caps c;

	m.pin &= ~((u64)PIN_PREEMPTION_TIMER << 32);
	caps_judge(&m, &c);
	tap_ok(!c.timer && !c.save_timer && !(c.exit & EXIT_SAVE_TIMER),
	       "without the timer nothing of it is saved");
	tap_ok(caps_missing(&c, 0) && !caps_missing(&c, 1),
	       "one sentence for one lack: %s", caps_missing(&c, 0));
	m = sapphire_rapids_vmx;
	m.exit &= ~((u64)EXIT_SAVE_TIMER << 32);
	caps_judge(&m, &c);
	tap_ok(c.timer && !c.save_timer && caps_missing(&c, 0) &&
		       strstr(caps_missing(&c, 0), "do not save"),
	       "a timer that exits do not save is used, and said");
	m = sapphire_rapids_vmx;
	m.ept_vpid &= ~BIT(32);
	caps_judge(&m, &c);
	tap_ok(!c.vpid && !(c.cpu2 & CPU2_VPID),
	       "VPID without INVVPID is not used");
	m          = sapphire_rapids_vmx;
	m.ept_vpid = m.ept_vpid & ~(FIELD(43, 40));
	caps_judge(&m, &c);
	tap_ok(!c.vpid && !(c.cpu2 & CPU2_VPID),
	       "VPID without a way to invalidate is not used");
	m = sapphire_rapids_vmx;
	m.ept_vpid &= ~(BIT(16) | BIT(17));
	caps_judge(&m, &c);
	tap_ok(!c.ept_2m && !c.ept_1g && caps_missing(&c, 1),
	       "no large EPT pages: two sentences");
	m = sapphire_rapids_vmx;
	m.basic &= ~BIT(55);
	m.cpu |= CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING;
	caps_judge(&m, &c);
	tap_ok((c.cpu & CPU_CR3_LOAD_EXITING) && !c.true_ctls,
	       "without TRUE controls CR3 accesses exit");
}

/* Every part of it, or nothing. */
static void apic_virtualization(void)
{
	static const struct {
		size_t word;
		u32 bit;
	} parts[] = {
		{ WORD(cpu), CPU_TPR_SHADOW },
		{ WORD(cpu2), CPU2_APIC_ACCESSES },
		{ WORD(cpu2), CPU2_X2APIC },
		{ WORD(cpu2), CPU2_APIC_REGISTERS },
		{ WORD(cpu2), CPU2_VIRTUAL_INTERRUPTS },
	};
	struct vmx_msrs m = sapphire_rapids_vmx;
	struct vmx_caps c;

	caps_judge(&m, &c);
	tap_ok(c.apicv, "a Sapphire Rapids has APIC virtualization");
	tap_ok(c.posted && !(c.pin & PIN_POSTED_INTERRUPTS),
	       "and posted interrupts, with which no vCPU begins");
	tap_ok(!(c.cpu & CPU_TPR_SHADOW) && (c.cpu & CPU_CR8_LOAD_EXITING) &&
		       !(c.cpu2 & CPU2_VIRTUAL_INTERRUPTS),
	       "but a vCPU begins without");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		u64 cap;

		m = sapphire_rapids_vmx;
		memcpy(&cap, (char *)&m + parts[i].word, sizeof(cap));
		cap &= ~((u64)parts[i].bit << 32);
		memcpy((char *)&m + parts[i].word, &cap, sizeof(cap));
		tap_ok(caps_judge(&m, &c).why == REFUSE_NOTHING && !c.apicv &&
			       !c.posted && caps_missing(&c, 0),
		       "part %zu of it away: none of it, and said", i);
	}
	m = sapphire_rapids_vmx;
	m.cpu |= CPU_CR8_STORE_EXITING;
	caps_judge(&m, &c);
	tap_ok(!c.apicv && !c.posted, "nor where CR8 must exit");
	m = sapphire_rapids_vmx;
	m.pin &= ~((u64)PIN_POSTED_INTERRUPTS << 32);
	caps_judge(&m, &c);
	tap_ok(c.apicv && !c.posted && caps_missing(&c, 0) &&
		       strstr(caps_missing(&c, 0), "no posted interrupts"),
	       "APIC virtualization alone: said");
}

static void refusals(void)
{
	struct vmx_msrs m = sapphire_rapids_vmx;
	struct vmx_caps c;

	m.cpuid_vmx = false;
	tap_is(caps_judge(&m, &c).why, REFUSE_NO_VMX, "CPUID without VMX");
	m                 = sapphire_rapids_vmx;
	m.feature_control = 1;
	tap_is(caps_judge(&m, &c).why, REFUSE_LOCKED_OFF, "locked off");
	m.feature_control = 3;
	tap_is(caps_judge(&m, &c).why, REFUSE_LOCKED_OFF, "only inside SMX");
	m.feature_control = 0;
	tap_is(caps_judge(&m, &c).why, REFUSE_NOTHING, "not locked: we do it");
	m          = sapphire_rapids_vmx;
	m.ept_vpid = BIT(14);
	tap_is(caps_judge(&m, &c).why, REFUSE_EPT_KIND, "no 4-level walk");
	m = sapphire_rapids_vmx;
	m.ept_vpid &= ~(BIT(25) | BIT(26));
	tap_is(caps_judge(&m, &c).why, REFUSE_EPT_KIND,
	       "INVEPT without a type that we know");
	m       = sapphire_rapids_vmx;
	m.basic = (m.basic & ~FIELD(44, 32)) | 0x1001ULL << 32;
	tap_is(caps_judge(&m, &c).why, REFUSE_VMCS_TYPE,
	       "a VMCS of more than a page");
	m       = sapphire_rapids_vmx;
	m.basic = (m.basic & ~FIELD(53, 50));
	tap_is(caps_judge(&m, &c).why, REFUSE_VMCS_TYPE, "uncached VMCS");
	m = (struct vmx_msrs){ .cpuid_vmx = true };
	tap_ok(caps_judge(&m, &c).why != REFUSE_NOTHING, "all MSRs 0");
	for (int i = 0; i < REFUSE_COUNT; i++)
		tap_ok(refusal_text[i] && refusal_text[i][0],
		       "refusal %d has a sentence", i);
}

/* Is the control of that name there, in M? */
static bool has(const struct vmx_msrs *m, const char *name)
{
	struct caps_control c;

	for (unsigned int i = 0; caps_control(m, i, &c); i++)
		if (strcmp(c.name, name) == 0)
			return c.available;
	return false;
}

/* What `report` lists. */
static void names(void)
{
	const struct vmx_msrs none = { 0 };
	struct vmx_msrs m          = sapphire_rapids_vmx;
	struct caps_control c;
	unsigned int there = 0;

	m.cpu2 &= ~((u64)CPU2_EPT << 32);
	tap_ok(has(&sapphire_rapids_vmx, "enable EPT") &&
		       !has(&m, "enable EPT") && has(&m, "enable VPID"),
	       "a control by its name, there and not there");
	for (unsigned int i = 0; caps_control(&none, i, &c); i++)
		there += c.available;
	tap_is(there, 0, "none on a machine without VMX");
}

static void alike(void)
{
	static const char caps[] = "its VMX capabilities differ";
	const struct {
		const char *claim;
		size_t at; /* of the word in which the other CPU differs */
		u64 flip;
		const char *said;
	} row[] = {
		{ "the same", offsetof(struct vmx_msrs, basic), 0, NULL },
		{ "one that is not locked yet",
		  offsetof(struct vmx_msrs, feature_control), 5, NULL },
		{ "one whose firmware locked VMX off",
		  offsetof(struct vmx_msrs, feature_control), 4,
		  "its firmware locked VMX off (IA32_FEATURE_CONTROL)" },
		{ "another VMCS revision", offsetof(struct vmx_msrs, basic), 1,
		  caps },
		{ "no preemption timer", offsetof(struct vmx_msrs, pin),
		  BIT(38), caps },
		{ "no XSAVES control", offsetof(struct vmx_msrs, cpu2), BIT(52),
		  caps },
		{ "another timer rate", offsetof(struct vmx_msrs, misc), 1,
		  caps },
		{ "no INVVPID", offsetof(struct vmx_msrs, ept_vpid), BIT(32),
		  caps },
		{ "no VMX", offsetof(struct vmx_msrs, cpuid_vmx), 1, caps },
		{ "no TPR shadow", offsetof(struct vmx_msrs, cpu), BIT(53),
		  caps },
		{ "no saving of the timer", offsetof(struct vmx_msrs, exit),
		  BIT(54), caps },
		{ "no load of IA32_PAT", offsetof(struct vmx_msrs, entry),
		  BIT(46), caps },
		{ "a bit of CR0 that must be 1",
		  offsetof(struct vmx_msrs, cr0_fixed0), BIT(16),
		  "its fixed bits of CR0 and CR4 differ" },
		{ "a bit of CR0 that must be 0",
		  offsetof(struct vmx_msrs, cr0_fixed1), BIT(16),
		  "its fixed bits of CR0 and CR4 differ" },
		{ "a bit of CR4 that must be 1",
		  offsetof(struct vmx_msrs, cr4_fixed0), BIT(14),
		  "its fixed bits of CR0 and CR4 differ" },
		{ "another bit of CR4", offsetof(struct vmx_msrs, cr4_fixed1),
		  BIT(25), "its fixed bits of CR0 and CR4 differ" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct vmx_msrs other = sapphire_rapids_vmx;
		const char *said;

		*(u64 *)((u8 *)&other + row[i].at) ^= row[i].flip;
		said = caps_complaint(&sapphire_rapids_vmx, &other);
		tap_ok(row[i].said ? said && !strcmp(said, row[i].said) : !said,
		       "beside the boot CPU: %s", row[i].claim);
	}
}

int main(void)
{
	fits();
	whole_machine();
	lacking();
	fallbacks();
	apic_virtualization();
	refusals();
	names();
	alike();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* links: vmx/entry_check.c vmx/inject.c */
/*
 * The VM-entry checks: legal states of every mode pass, and each rule that is
 * broken alone is found and named. SDM vol. 3, "Checking and Loading Guest
 * State".
 */
#include "vmx/entry_check.h"

#include <string.h>

#include "boot/lib/x86.h"
#include "tests/unit/tap.h"
#include "vmx/inject.h"

static struct entry_segment segment(u64 selector, u64 base, u64 limit,
				    u64 access)
{
	return (struct entry_segment){ selector, base, limit, access };
}

static void set_data(struct entry_state *s, u64 limit, u64 access)
{
	for (int i = SEG_ES; i <= SEG_GS; i++)
		if (i != SEG_CS)
			s->seg[i] = segment(0, 0, limit, access);
}

/* As after RESET; every other state is made from it. */
static struct entry_state real_mode(void)
{
	struct entry_state s = {
		.cr0_fixed0   = CR0_NE,
		.cr0_fixed1   = 0xffffffff,
		.cr4_fixed0   = CR4_VMXE,
		.cr4_fixed1   = 0x7ff7ff,
		.address_mask = FIELD(45, 12),
		.cr0          = CR0_NE | CR0_ET,
		.cr4          = CR4_VMXE,
		.dr7          = 0x400,
		.pat          = 0x0007040600070406,
		.rip          = 0xfff0,
		.rflags       = RFLAGS_FIXED,
		.gdtr_limit   = 0xffff,
		.idtr_limit   = 0xffff,
		.link         = ~0ULL,
	};

	set_data(&s, 0xffff, 0x93);
	s.seg[SEG_CS]   = segment(0xf000, 0xffff0000, 0xffff, 0x9b);
	s.seg[SEG_LDTR] = segment(0, 0, 0xffff, 0x82);
	s.seg[SEG_TR]   = segment(0, 0, 0xffff, 0x8b);
	return s;
}

static struct entry_state protected_mode(void)
{
	struct entry_state s = real_mode();

	s.cr0 |= CR0_PE;
	set_data(&s, 0xffffffff, 0xc093);
	s.seg[SEG_CS] = segment(0x10, 0, 0xffffffff, 0xc09b);
	s.rip         = 0x400000;
	return s;
}

static struct entry_state long_mode(void)
{
	struct entry_state s = protected_mode();

	s.cr0 |= CR0_PG;
	s.cr4 |= CR4_PAE;
	s.efer           = EFER_LME | EFER_LMA;
	s.entry_controls = ENTRY_GUEST_64BIT;
	s.seg[SEG_CS]    = segment(0x10, 0, 0xffffffff, 0xa09b);
	s.rip            = 0xffffffff81000000;
	return s;
}

static struct entry_state pae_mode(void)
{
	struct entry_state s = protected_mode();

	s.cr0 |= CR0_PG;
	s.cr4 |= CR4_PAE;
	s.pdpte[0] = 0x1001;
	return s;
}

static struct entry_state v86_mode(void)
{
	struct entry_state s = protected_mode();

	for (int i = SEG_ES; i <= SEG_GS; i++)
		s.seg[i] = segment(0x1234, 0x12340, 0xffff, 0xf3);
	s.rflags |= RFLAGS_VM;
	s.rip = 0x10;
	return s;
}

static struct entry_state user_mode(void)
{
	struct entry_state s = long_mode();

	set_data(&s, 0xffffffff, 0xc0f3);
	s.seg[SEG_CS] = segment(0x33, 0, 0xffffffff, 0xa0fb);
	s.rip         = 0x7fffffffffff;
	return s;
}

/* APIC virtualization in xAPIC mode, with virtual-interrupt delivery. */
static struct entry_state apicv(void)
{
	struct entry_state s = long_mode();

	s.pin_controls  = PIN_EXTERNAL_INTR_EXITING;
	s.cpu_controls  = CPU_TPR_SHADOW;
	s.cpu2_controls = CPU2_APIC_ACCESSES | CPU2_APIC_REGISTERS |
			  CPU2_VIRTUAL_INTERRUPTS;
	s.virtual_apic = 0x1000;
	s.apic_access  = 0x2000;
	return s;
}

static struct entry_state posted(void)
{
	struct entry_state s = apicv();

	s.pin_controls |= PIN_POSTED_INTERRUPTS;
	s.exit_controls     = EXIT_ACK_INTERRUPT;
	s.posted_vector     = 0xf3;
	s.posted_descriptor = 0x3fc0;
	return s;
}

static struct entry_state cet_mode(void)
{
	struct entry_state s = protected_mode();

	s.cr4_fixed1 |= CR4_CET;
	s.cr4 |= CR4_CET;
	s.cr0 |= CR0_WP;
	return s;
}

/* 32-bit code on a CPU in IA-32e mode. */
static struct entry_state compatibility(void)
{
	struct entry_state s = long_mode();

	s.seg[SEG_CS] = segment(0x18, 0, 0xffffffff, 0xc09b);
	s.rip         = 0x400000;
	return s;
}

/* What only an unrestricted guest may have: data in CS. */
static struct entry_state data_in_cs(void)
{
	struct entry_state s = protected_mode();

	s.seg[SEG_CS].access = 0xc093;
	return s;
}

/* Real mode, with what a jump back from a conforming segment leaves. */
static struct entry_state conforming(void)
{
	struct entry_state s = real_mode();

	s.seg[SEG_CS].access = 0x9f;
	return s;
}

/* Virtual-8086 mode's segments, without the flag. */
static struct entry_state long_with_v86_segments(void)
{
	struct entry_state s         = long_mode();
	const struct entry_state v86 = v86_mode();

	memcpy(s.seg, v86.seg, sizeof(s.seg));
	s.rip = v86.rip;
	return s;
}

static struct entry_state shadow(u64 by)
{
	struct entry_state s = long_mode();

	s.rflags |= RFLAGS_IF;
	s.interruptibility = by;
	return s;
}

static struct entry_state sti_shadow(void)
{
	return shadow(BLOCKED_BY_STI);
}

static struct entry_state mov_ss_shadow(void)
{
	return shadow(BLOCKED_BY_MOV_SS);
}

static struct entry_state in_nmi(void)
{
	return shadow(BLOCKED_BY_NMI);
}

static struct entry_state general_protection(void)
{
	struct entry_state s = long_mode();

	s.intr_info = event_exception(VEC_GP, 0).info;
	return s;
}

/* INT3, as an exit during its delivery has it started again. */
static struct entry_state breakpoint(void)
{
	struct entry_state s = long_mode();

	s.intr_info   = EVENT_VALID | EVENT_SW_EXCEPTION << 8 | VEC_BP;
	s.intr_length = 1;
	return s;
}

static void passes(struct entry_state s, const char *claim)
{
	const char *bad = entry_check(&s);

	tap_ok(!bad, "%s%s%s", claim, bad ? ": " : "", bad ? bad : "");
}

static void legal_states(void)
{
	struct entry_state s;

	passes(cet_mode(), "CR4.CET with CR0.WP");

	passes(real_mode(), "RESET");
	passes(protected_mode(), "flat protected mode");
	passes(long_mode(), "64-bit mode");
	passes(pae_mode(), "PAE paging");
	passes(v86_mode(), "virtual-8086 mode");
	passes(user_mode(), "CPL 3");
	passes(apicv(), "APIC virtualization");
	passes(posted(), "posted interrupts");
	s     = long_mode();
	s.rip = 0x800000000000;
	passes(s, "a RIP that is not canonical is legal: XSA-170");
	s.rip = 0x1000000000000;
	tap_ok(entry_check(&s) != NULL,
	       "RIP beyond the linear-address width is refused");
	s     = long_mode();
	s.rip = 0xffff800000000000;
	passes(s, "the lowest address of the upper half");
	s           = long_mode();
	s.intr_info = event_exception(VEC_GP, 0).info;
	passes(s, "#GP with its error code");
	s           = real_mode();
	s.intr_info = event_exception(VEC_UD, 0).info;
	passes(s, "#UD in real mode");
	s = long_mode();
	s.rflags |= RFLAGS_IF;
	s.interruptibility = BLOCKED_BY_STI;
	passes(s, "the shadow of STI");
	s.rflags |= RFLAGS_TF;
	tap_ok(entry_check(&s) != NULL, "G11: TF in a shadow needs pending BS");
	s.pending_debug = PENDING_DEBUG_BS;
	passes(s, "G11: and with it it is fine");
	s.debugctl = 2;
	tap_ok(entry_check(&s) != NULL, "G11: but not under BTF");
	s                      = long_mode();
	s.seg[SEG_DS].access   = ACCESS_UNUSABLE;
	s.seg[SEG_LDTR].access = ACCESS_UNUSABLE;
	s.seg[SEG_SS].access   = ACCESS_UNUSABLE;
	passes(s, "unusable segments");
	s = long_mode();
	s.cr4 |= CR4_LA57;
	s.cr4_fixed1 |= CR4_LA57;
	s.seg[SEG_GS].base = 0x00ff000000000000;
	passes(s, "LA57: 57-bit addresses");
}

static void legal_segments(void)
{
	struct entry_state s;

	passes(compatibility(), "compatibility mode");
	passes(data_in_cs(), "CS with a data segment's type");
	passes(conforming(), "a conforming CS in real mode");
	s = protected_mode();
	set_data(&s, 0xffffffff, 0xc0f3);
	s.seg[SEG_CS].access = 0xc09f;
	passes(s, "a conforming CS with DPL below SS's");
	s                    = protected_mode();
	s.seg[SEG_SS].access = 0xc097;
	passes(s, "a stack that expands down");
	s                    = protected_mode();
	s.seg[SEG_CS].access = 0xe09b;
	passes(s, "L and D outside IA-32e mode");
	s             = protected_mode();
	s.seg[SEG_TR] = segment(0x28, 0, 0x67, 0x83);
	passes(s, "a 16-bit busy TSS, of 104 bytes, outside IA-32e mode");
	s = long_mode();
	for (int i = SEG_ES; i <= SEG_DS; i++)
		if (i != SEG_CS)
			s.seg[i] = segment(0, BIT(32), 0, ACCESS_UNUSABLE);
	s.seg[SEG_LDTR] = segment(0, BIT(62), 0, ACCESS_UNUSABLE);
	passes(s, "bases of unusable segments are not looked at");
}

static void legal_events(void)
{
	struct entry_state s = sti_shadow();

	s.interruptibility = 0;
	s.intr_info        = EVENT_VALID | 0x20;
	passes(s, "an interrupt with IF 1");
	s           = long_mode();
	s.intr_info = EVENT_VALID | EVENT_NMI << 8 | VEC_NMI;
	passes(s, "an NMI with nothing blocked");
	passes(mov_ss_shadow(), "the shadow of MOV SS");
	passes(in_nmi(), "in an NMI's handler");
	passes(general_protection(), "#GP");
	passes(breakpoint(), "INT3 of one byte");
	s = protected_mode();
	s.cr0 |= CR0_PG;
	s.pdpte[0] = ~0ULL;
	passes(s, "PDPTEs without PAE are not looked at");
	s               = apicv();
	s.cpu2_controls = CPU2_X2APIC | CPU2_VIRTUAL_INTERRUPTS;
	passes(s, "x2APIC mode, APIC accesses left alone");
}

/* One field of a legal state changed; the complaint must begin with PREFIX. */
struct broken {
	const char *prefix;
	struct entry_state (*state)(void);
	size_t field;
	u64 value;
};

#define AT(m) offsetof(struct entry_state, m)
/* clang-format off */
static const struct broken table[] = {
	{ "CPU2_CONTROLS", real_mode, AT(cpu2_controls), CPU2_X2APIC },
	{ "CPU2_CONTROLS", real_mode, AT(cpu2_controls), CPU2_APIC_REGISTERS },
	{ "CPU2_CONTROLS", real_mode, AT(cpu2_controls), CPU2_VIRTUAL_INTERRUPTS },
	{ "CPU2_CONTROLS", apicv, AT(cpu2_controls), CPU2_X2APIC | CPU2_APIC_ACCESSES },
	{ "CPU2_CONTROLS", apicv, AT(pin_controls), 0 },
	{ "CPU2_CONTROLS", apicv, AT(cpu_controls), 0 },
	{ "VIRTUAL_APIC_ADDR", apicv, AT(virtual_apic), 0x1008 },
	{ "VIRTUAL_APIC_ADDR", apicv, AT(virtual_apic), BIT(46) },
	{ "APIC_ACCESS_ADDR", apicv, AT(apic_access), 0x2fff },
	{ "TPR_THRESHOLD", apicv, AT(tpr_threshold), 16 },
	{ "PIN_CONTROLS", posted, AT(cpu2_controls), CPU2_APIC_ACCESSES },
	{ "PIN_CONTROLS", posted, AT(exit_controls), 0 },
	{ "POSTED_VECTOR", posted, AT(posted_vector), 256 },
	{ "POSTED_DESCRIPTOR_ADDR", posted, AT(posted_descriptor), 0x3fe0 },
	{ "POSTED_DESCRIPTOR_ADDR", posted, AT(posted_descriptor), BIT(46) },
	{ "GUEST_CR0", real_mode, AT(cr0), CR0_ET },
	{ "GUEST_CR0: a fixed bit", real_mode, AT(cr0), CR0_NE | BIT(32) },
	{ "GUEST_CR0", real_mode, AT(cr0), CR0_NE | CR0_PG },
	{ "GUEST_CR4", real_mode, AT(cr4), 0 },
	{ "GUEST_CR4", real_mode, AT(cr4), CR4_VMXE | CR4_CET },
	{ "GUEST_CR4", pae_mode, AT(cr4), CR4_VMXE | CR4_PAE | CR4_PCIDE },
	{ "GUEST_CR4: CET", cet_mode, AT(cr0), CR0_NE | CR0_ET | CR0_PE },
	{ "ENTRY_CONTROLS", long_mode, AT(cr4), CR4_VMXE },
	{ "ENTRY_CONTROLS", protected_mode, AT(entry_controls), ENTRY_GUEST_64BIT },
	{ "GUEST_CR3", long_mode, AT(cr3), BIT(46) },
	{ "GUEST_DR7", long_mode, AT(dr7), BIT(32) },
	{ "GUEST_IA32_DEBUGCTL", long_mode, AT(debugctl), BIT(2) },
	{ "GUEST_SYSENTER", long_mode, AT(sysenter_esp), BIT(47) },
	{ "GUEST_SYSENTER", long_mode, AT(sysenter_eip), BIT(63) },
	{ "GUEST_IA32_PAT", long_mode, AT(pat), 2 },
	{ "GUEST_IA32_PAT", long_mode, AT(pat), 3 },
	{ "GUEST_IA32_PAT", long_mode, AT(pat), 8ULL << 56 },
	{ "GUEST_IA32_EFER", long_mode, AT(efer), BIT(9) | EFER_LME | EFER_LMA },
	{ "GUEST_IA32_EFER", long_mode, AT(efer), EFER_LME },
	{ "GUEST_IA32_EFER", long_mode, AT(efer), EFER_LMA },
	{ "GUEST_IA32_EFER", pae_mode, AT(efer), EFER_LME },
	{ "GUEST_TR_SELECTOR", long_mode, AT(seg[SEG_TR].selector), 4 },
	{ "GUEST_LDTR_SELECTOR", long_mode, AT(seg[SEG_LDTR].selector), 4 },
	{ "GUEST_CS_ACCESS", long_mode, AT(seg[SEG_CS].access), ACCESS_UNUSABLE },
	{ "GUEST_CS_ACCESS", long_mode, AT(seg[SEG_CS].access), 0xe09b },
	{ "GUEST_CS_ACCESS", long_mode, AT(seg[SEG_CS].access), 0xa0fb },
	{ "GUEST_CS_ACCESS", long_mode, AT(seg[SEG_CS].access), 0xa09a },
	{ "GUEST_CS_ACCESS: DPL of a data", data_in_cs, AT(seg[SEG_CS].access), 0xc0f3 },
	{ "GUEST_CS_ACCESS: not an acc", protected_mode, AT(seg[SEG_CS].access), 0xc091 },
	{ "GUEST_CS_ACCESS: DPL above", protected_mode, AT(seg[SEG_CS].access), 0xc0ff },
	{ "GUEST_SS_ACCESS: DPL", data_in_cs, AT(seg[SEG_SS].access), 0xc0f3 },
	{ "GUEST_SS_ACCESS: DPL", conforming, AT(seg[SEG_SS].access), 0xf3 },
	{ "GUEST_SS_ACCESS", long_mode, AT(seg[SEG_SS].access), 0xc091 },
	{ "GUEST segment", long_mode, AT(seg[SEG_DS].access), 0xc083 },
	{ "GUEST segment", long_mode, AT(seg[SEG_ES].access), 0xc092 },
	{ "GUEST segment", long_mode, AT(seg[SEG_FS].access), 0xc099 },
	{ "GUEST segment", long_mode, AT(seg[SEG_FS].access), 0xc013 },
	{ "GUEST segment", long_mode, AT(seg[SEG_GS].access), 0xc193 },
	{ "GUEST segment", protected_mode, AT(seg[SEG_DS].limit), 0xfffff000 },
	{ "GUEST segment", protected_mode, AT(seg[SEG_DS].access), 0x4093 },
	{ "GUEST segment", v86_mode, AT(seg[SEG_DS].base), 0 },
	{ "GUEST segment", v86_mode, AT(seg[SEG_DS].limit), 0xfffff },
	{ "GUEST segment", v86_mode, AT(seg[SEG_DS].access), 0xf2 },
	{ "GUEST TR", long_mode, AT(seg[SEG_FS].base), BIT(47) },
	{ "GUEST TR", long_mode, AT(seg[SEG_GS].base), BIT(63) },
	{ "GUEST TR", long_mode, AT(seg[SEG_LDTR].base), BIT(47) },
	{ "GUEST TR", long_mode, AT(seg[SEG_TR].base), BIT(62) },
	{ "GUEST CS", protected_mode, AT(seg[SEG_CS].base), BIT(32) },
	{ "GUEST CS", protected_mode, AT(seg[SEG_SS].base), BIT(32) },
	{ "GUEST CS", protected_mode, AT(seg[SEG_DS].base), BIT(63) },
	{ "GUEST CS", long_mode, AT(seg[SEG_ES].base), BIT(32) },
	{ "GUEST_TR_ACCESS", long_mode, AT(seg[SEG_TR].access), 0x83 },
	{ "GUEST_TR_ACCESS: not a busy", long_mode, AT(seg[SEG_TR].access), 0x9b },
	{ "GUEST_TR_ACCESS: reserved", long_mode, AT(seg[SEG_TR].access), 0x0b },
	{ "GUEST_TR_ACCESS", real_mode, AT(seg[SEG_TR].access), 0x89 },
	{ "GUEST_TR_ACCESS", long_mode, AT(seg[SEG_TR].access), ACCESS_UNUSABLE },
	{ "GUEST_LDTR_ACCESS", long_mode, AT(seg[SEG_LDTR].access), 0x8b },
	{ "GUEST_LDTR_ACCESS", long_mode, AT(seg[SEG_LDTR].access), 0x92 },
	{ "GUEST_LDTR_ACCESS", long_mode, AT(seg[SEG_LDTR].access), 0x02 },
	{ "GUEST_GDTR_BASE", long_mode, AT(gdtr_base), BIT(47) },
	{ "GUEST_GDTR_BASE", long_mode, AT(idtr_base), BIT(63) },
	{ "GUEST_GDTR_LIMIT", long_mode, AT(gdtr_limit), 0x10000 },
	{ "GUEST_GDTR_LIMIT", long_mode, AT(idtr_limit), 0x10000 },
	{ "GUEST_RIP", protected_mode, AT(rip), BIT(32) },
	{ "GUEST_RIP", compatibility, AT(rip), BIT(32) },
	{ "GUEST_RFLAGS", long_mode, AT(rflags), 0 },
	{ "GUEST_RFLAGS: VM", v86_mode, AT(cr0), CR0_NE | CR0_ET },
	{ "GUEST_RFLAGS: VM", long_with_v86_segments, AT(rflags), RFLAGS_FIXED | RFLAGS_VM },
	{ "GUEST_RFLAGS", long_mode, AT(rflags), RFLAGS_FIXED | BIT(3) },
	{ "GUEST_RFLAGS", long_mode, AT(intr_info), EVENT_VALID | 0x20 },
	{ "GUEST_ACTIVITY_STATE", long_mode, AT(activity), 1 },
	{ "GUEST_INTERRUPTIBILITY", long_mode, AT(interruptibility), 32 },
	{ "GUEST_INTERRUPTIBILITY", long_mode, AT(interruptibility), 3 },
	{ "GUEST_INTERRUPTIBILITY", long_mode, AT(interruptibility), 1 },
	{ "GUEST_INTERRUPTIBILITY: blocked at an int", sti_shadow, AT(intr_info), EVENT_VALID | 0x20 },
	{ "GUEST_INTERRUPTIBILITY: blocked at an int", mov_ss_shadow, AT(intr_info), EVENT_VALID | 0x20 },
	{ "GUEST_INTERRUPTIBILITY: blocked at an NMI", mov_ss_shadow, AT(intr_info), EVENT_VALID | 0x202 },
	{ "GUEST_INTERRUPTIBILITY: blocked at an NMI", in_nmi, AT(intr_info), EVENT_VALID | 0x202 },
	{ "GUEST_PENDING_DEBUG", long_mode, AT(pending_debug), 16 },
	{ "GUEST_VMCS_LINK", long_mode, AT(link), 0 },
	{ "GUEST_PDPTE", pae_mode, AT(pdpte[3]), 3 },
	{ "ENTRY_INTR_INFO", long_mode, AT(intr_info), EVENT_VALID | 0x1307 },
	{ "ENTRY_INTR_INFO", long_mode, AT(intr_info), EVENT_VALID | 0x107 },
	{ "ENTRY_INTR_INFO", long_mode, AT(intr_info), EVENT_VALID | 0x203 },
	{ "ENTRY_INTR_INFO", long_mode, AT(intr_info), EVENT_VALID | 0x320 },
	{ "ENTRY_INTR_INFO", long_mode, AT(intr_info), EVENT_VALID | 0xb07 },
	{ "ENTRY_INTR_INFO", long_mode, AT(intr_info), EVENT_VALID | 0x30d },
	{ "ENTRY_INTR_INFO", real_mode, AT(intr_info), EVENT_VALID | 0xb0d },
	{ "ENTRY_EXCEPTION_ERROR_CODE", general_protection, AT(intr_error), BIT(16) },
	{ "ENTRY_INSTRUCTION_LENGTH", breakpoint, AT(intr_length), 16 },
};
/* clang-format on */

static void broken_rules(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct entry_state s = table[i].state();
		const char *bad;

		memcpy((char *)&s + table[i].field, &table[i].value, 8);
		bad = entry_check(&s);
		tap_ok(bad && strncmp(bad, table[i].prefix,
				      strlen(table[i].prefix)) == 0,
		       "%zu: %s", i, bad ? bad : "not found");
	}
}

/* What is wrong in a field that moves is found by the short check, too. */
static void moving_fields(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct entry_state s = table[i].state();
		const u64 vm         = s.rflags & RFLAGS_VM;

		memcpy((char *)&s + table[i].field, &table[i].value, 8);

		if (table[i].field < AT(rip) || table[i].field >= AT(cr0) ||
		    (s.rflags & RFLAGS_VM) != vm)
			continue;

		const char *bad = entry_check_moving(&s);

		tap_ok(bad && strncmp(bad, table[i].prefix,
				      strlen(table[i].prefix)) == 0,
		       "%zu moves: %s", i, bad ? bad : "not found");
	}
}

/* SDM vol. 3, "VM-Instruction Error Numbers", "Basic Exit Reasons". */
static void blame(void)
{
	const u64 ours[] = { 0, 4, 5, 8, 26 };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		tap_ok(entry_blame_refused(ours[i], false) == ENTRY_BLAME_US &&
			       entry_blame_refused(ours[i], true) ==
				       ENTRY_BLAME_US,
		       "VM-instruction error %u is a bug of ours",
		       (unsigned int)ours[i]);
	tap_ok(entry_blame_refused(7, false) == ENTRY_BLAME_US,
	       "error 7 with a legal event is a bug of ours");
	tap_ok(entry_blame_refused(7, true) == ENTRY_BLAME_GUEST,
	       "error 7 with an illegal one may be the guest's doing");
	tap_ok(entry_blame_failed(33) == ENTRY_BLAME_GUEST,
	       "invalid guest state may be the guest's doing");
	tap_ok(entry_blame_failed(34) == ENTRY_BLAME_US,
	       "an MSR that does not load is a bug of ours");
	tap_ok(entry_blame_failed(41) == ENTRY_BLAME_MACHINE,
	       "a machine check during the entry is the machine's");
	tap_ok(entry_blame_failed(99) == ENTRY_BLAME_GUEST,
	       "a failure that the SDM does not have stops one VM only");
}

int main(void)
{
	legal_states();
	legal_segments();
	legal_events();
	broken_rules();
	moving_fields();
	blame();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
#include "vmx/entry_check.h"

#include <asm/vmx.h>

#include "boot/lib/x86.h"
#include "vmx/inject.h"

#define TYPE(access) ((access)&15)
#define DPL(access)  field_get(access, 6, 5)
#define RPL(sel)     ((sel)&3)

#define ERROR_CONTROL_FIELDS 7 /* VM-instruction error */
#define CODE_CONFORMING      4
#define ACCESS_RESERVED      (FIELD(31, 17) | FIELD(11, 8))

static bool usable(const struct entry_segment *g)
{
	return !(g->access & ACCESS_UNUSABLE);
}

static bool is_v86(const struct entry_state *s)
{
	return s->rflags & RFLAGS_VM;
}

static bool is_long(const struct entry_state *s)
{
	return s->entry_controls & ENTRY_GUEST_64BIT;
}

/* Bits above the linear-address width are a copy of its highest bit. */
static bool canonical(const struct entry_state *s, u64 at)
{
	const unsigned int shift = s->cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (u64)((s64)(at << shift) >> shift) == at;
}

static bool pat_is_legal(u64 pat)
{
	for (unsigned int i = 0; i < 8; i++) {
		const u64 type = pat >> 8 * i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

/* "Checks on Guest Control Registers, Debug Registers, and MSRs" */
static const char *check_registers(const struct entry_state *s)
{
	if ((s->cr0 & s->cr0_fixed0) != s->cr0_fixed0 ||
	    (s->cr0 & ~s->cr0_fixed1))
		return "GUEST_CR0: a fixed bit is wrong";
	if ((s->cr0 & CR0_PG) && !(s->cr0 & CR0_PE))
		return "GUEST_CR0: PG without PE";
	if ((s->cr4 & s->cr4_fixed0) != s->cr4_fixed0 ||
	    (s->cr4 & ~s->cr4_fixed1))
		return "GUEST_CR4: a fixed bit is wrong";
	if ((s->cr4 & CR4_CET) && !(s->cr0 & CR0_WP))
		return "GUEST_CR4: CET without CR0.WP";
	if (is_long(s) && (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE)))
		return "ENTRY_CONTROLS: IA-32e mode guest without paging and "
		       "PAE";
	if (!is_long(s) && (s->cr4 & CR4_PCIDE))
		return "GUEST_CR4: PCIDE outside IA-32e mode";
	if (s->cr3 & ~s->address_mask & ~0xfffULL)
		return "GUEST_CR3: beyond the physical-address width";
	if (hi32(s->dr7))
		return "GUEST_DR7: bits 63:32 are not 0";
	if (s->debugctl & ~(FIELD(15, 6) | 3))
		return "GUEST_IA32_DEBUGCTL: a reserved bit is 1";
	if (!canonical(s, s->sysenter_esp) || !canonical(s, s->sysenter_eip))
		return "GUEST_SYSENTER_ESP or _EIP: not canonical";
	if (!pat_is_legal(s->pat))
		return "GUEST_IA32_PAT: not a memory type";
	if (s->efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
		return "GUEST_IA32_EFER: a reserved bit is 1";
	if (!!(s->efer & EFER_LMA) != is_long(s))
		return "GUEST_IA32_EFER: LMA is not the IA-32e mode guest "
		       "control";
	if ((s->cr0 & CR0_PG) && !(s->efer & EFER_LMA) != !(s->efer & EFER_LME))
		return "GUEST_IA32_EFER: LMA is not LME while paging is on";
	return NULL;
}

static const char *check_v86(const struct entry_state *s)
{
	for (int i = SEG_ES; i <= SEG_GS; i++) {
		const struct entry_segment *g = &s->seg[i];

		if (g->base != g->selector << 4 || g->limit != 0xffff ||
		    g->access != 0xf3)
			return "GUEST segment: not as virtual-8086 mode has it";
	}
	return NULL;
}

static const char *check_cs(const struct entry_state *s)
{
	const struct entry_segment *cs = &s->seg[SEG_CS];
	const struct entry_segment *ss = &s->seg[SEG_SS];
	const u64 type                 = TYPE(cs->access);

	if (!usable(cs))
		return "GUEST_CS_ACCESS: unusable";
	if (type == 3) { /* a data segment, only for an unrestricted guest */
		if (DPL(cs->access) != 0)
			return "GUEST_CS_ACCESS: DPL of a data segment";
	} else if (!(type & 8) || !(type & 1)) {
		return "GUEST_CS_ACCESS: not an accessed code segment";
	} else if (type & CODE_CONFORMING) {
		if (DPL(cs->access) > DPL(ss->access))
			return "GUEST_CS_ACCESS: DPL above SS's";
	} else if (DPL(cs->access) != DPL(ss->access)) {
		return "GUEST_CS_ACCESS: DPL is not SS's";
	}
	if (is_long(s) && (cs->access & ACCESS_L) && (cs->access & ACCESS_DB))
		return "GUEST_CS_ACCESS: L and D";
	return NULL;
}

static const char *check_ss(const struct entry_state *s)
{
	const struct entry_segment *cs = &s->seg[SEG_CS];
	const struct entry_segment *ss = &s->seg[SEG_SS];

	if (usable(ss) && TYPE(ss->access) != 3 && TYPE(ss->access) != 7)
		return "GUEST_SS_ACCESS: not an accessed writable segment";
	if ((TYPE(cs->access) == 3 || !(s->cr0 & CR0_PE)) &&
	    DPL(ss->access) != 0)
		return "GUEST_SS_ACCESS: DPL is not 0";
	return NULL;
}

static const char *check_code_or_data(const struct entry_segment *g)
{
	if (!(g->access & ACCESS_S))
		return "GUEST segment: a system segment in ES, CS, SS, DS, FS "
		       "or GS";
	if (!(TYPE(g->access) & 1))
		return "GUEST segment: not accessed";
	if ((TYPE(g->access) & 8) && !(TYPE(g->access) & 2))
		return "GUEST segment: code that is not readable";
	return NULL;
}

/* Granularity and limit agree; reserved bits are 0; present. */
static const char *check_limit(const struct entry_segment *g)
{
	if (!(g->access & ACCESS_P))
		return "GUEST segment: not present";
	if (g->access & ACCESS_RESERVED)
		return "GUEST segment: a reserved access bit is 1";
	if ((g->limit & 0xfff) != 0xfff && (g->access & ACCESS_G))
		return "GUEST segment: G is 1 but limit bits 11:0 are not all "
		       "1";
	if ((g->limit & 0xfff00000) && !(g->access & ACCESS_G))
		return "GUEST segment: G is 0 but limit bits 31:20 are not 0";
	return NULL;
}

/* "Checks on Guest Segment Registers" */
static const char *check_segments(const struct entry_state *s)
{
	const struct entry_segment *tr   = &s->seg[SEG_TR];
	const struct entry_segment *ldtr = &s->seg[SEG_LDTR];
	const char *bad                  = NULL;

	if (tr->selector & 4)
		return "GUEST_TR_SELECTOR: TI is 1";
	if (usable(ldtr) && (ldtr->selector & 4))
		return "GUEST_LDTR_SELECTOR: TI is 1";
	if (is_v86(s)) {
		bad = check_v86(s);
	} else {
		bad = check_cs(s);
		if (!bad)
			bad = check_ss(s);
		for (int i = SEG_ES; !bad && i <= SEG_GS; i++) {
			const struct entry_segment *g = &s->seg[i];

			if (!usable(g))
				continue;
			bad = check_code_or_data(g);
			if (!bad)
				bad = check_limit(g);
		}
	}
	if (bad)
		return bad;
	if (!canonical(s, tr->base) || !canonical(s, s->seg[SEG_FS].base) ||
	    !canonical(s, s->seg[SEG_GS].base) ||
	    (usable(ldtr) && !canonical(s, ldtr->base)))
		return "GUEST TR, FS, GS or LDTR base: not canonical";
	if (hi32(s->seg[SEG_CS].base) ||
	    (usable(&s->seg[SEG_SS]) && hi32(s->seg[SEG_SS].base)) ||
	    (usable(&s->seg[SEG_DS]) && hi32(s->seg[SEG_DS].base)) ||
	    (usable(&s->seg[SEG_ES]) && hi32(s->seg[SEG_ES].base)))
		return "GUEST CS, SS, DS or ES base: bits 63:32 are not 0";
	if (!usable(tr) || (tr->access & ACCESS_S) ||
	    (TYPE(tr->access) != 11 && (is_long(s) || TYPE(tr->access) != 3)))
		return "GUEST_TR_ACCESS: not a busy TSS";
	if (check_limit(tr))
		return "GUEST_TR_ACCESS: reserved, not present or limit";
	if (usable(ldtr) && (TYPE(ldtr->access) != 2 ||
			     (ldtr->access & ACCESS_S) || check_limit(ldtr)))
		return "GUEST_LDTR_ACCESS: not an LDT";
	return NULL;
}

/* "Checks on Guest Descriptor-Table Registers" */
static const char *check_tables(const struct entry_state *s)
{
	if (!canonical(s, s->gdtr_base) || !canonical(s, s->idtr_base))
		return "GUEST_GDTR_BASE or IDTR_BASE: not canonical";
	if (s->gdtr_limit > 0xffff || s->idtr_limit > 0xffff)
		return "GUEST_GDTR_LIMIT or IDTR_LIMIT: above FFFFH";
	return NULL;
}

/* "Checks on Guest RIP, RSP, and RFLAGS" */
static const char *check_rip(const struct entry_state *s)
{
	if (hi32(s->rip) && !(is_long(s) && (s->seg[SEG_CS].access & ACCESS_L)))
		return "GUEST_RIP: bits 63:32 outside 64-bit mode";
	/*
	 * In 64-bit mode the bits above the linear-address width need only be
	 * equal: one bit less than canonical.
	 */
	const unsigned int width = s->cr4 & CR4_LA57 ? 57 : 48;

	if (hi32(s->rip) && (s->rip >> width) != 0 &&
	    (s->rip >> width) != ~0ULL >> width)
		return "GUEST_RIP: beyond the linear-address width";
	if ((s->rflags & (FIELD(63, 22) | BIT(15) | BIT(5) | BIT(3))) ||
	    !(s->rflags & RFLAGS_FIXED))
		return "GUEST_RFLAGS: a reserved bit is wrong";
	if (is_v86(s) && (is_long(s) || !(s->cr0 & CR0_PE)))
		return "GUEST_RFLAGS: VM in IA-32e or real mode";
	if ((s->intr_info & EVENT_VALID) &&
	    EVENT_TYPE(s->intr_info) == EVENT_EXTERNAL &&
	    !(s->rflags & RFLAGS_IF))
		return "GUEST_RFLAGS: IF is 0 at an interrupt";
	return NULL;
}

/* "Checks on Guest Non-Register State" */
static const char *check_non_register(const struct entry_state *s)
{
	const u64 blocked = s->interruptibility;
	const u64 shadow  = blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
	const bool event  = s->intr_info & EVENT_VALID;

	if (s->activity != 0)
		return "GUEST_ACTIVITY_STATE: we use none but active";
	if (blocked & ~31ULL)
		return "GUEST_INTERRUPTIBILITY: a reserved bit is 1";
	if (shadow == (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))
		return "GUEST_INTERRUPTIBILITY: by STI and by MOV SS";
	if ((blocked & BLOCKED_BY_STI) && !(s->rflags & RFLAGS_IF))
		return "GUEST_INTERRUPTIBILITY: by STI with IF 0";
	if (event && EVENT_TYPE(s->intr_info) == EVENT_EXTERNAL && shadow)
		return "GUEST_INTERRUPTIBILITY: blocked at an interrupt";
	if (event && EVENT_TYPE(s->intr_info) == EVENT_NMI &&
	    (blocked & (BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI)))
		return "GUEST_INTERRUPTIBILITY: blocked at an NMI";
	if (s->pending_debug &
	    ~(15 | PENDING_DEBUG_ENABLE | PENDING_DEBUG_BS | BIT(16)))
		return "GUEST_PENDING_DEBUG: a reserved bit is 1";
	if (shadow) {
		const bool step =
			(s->rflags & RFLAGS_TF) && !(s->debugctl & BIT(1));

		if (step != !!(s->pending_debug & PENDING_DEBUG_BS))
			return "GUEST_PENDING_DEBUG: BS does not match TF in a "
			       "shadow";
	}
	if (s->link != ~0ULL)
		return "GUEST_VMCS_LINK: not FFFFFFFF_FFFFFFFFH";
	return NULL;
}

/* "Checks on Guest Page-Directory-Pointer-Table Entries" */
static const char *check_pdptes(const struct entry_state *s)
{
	if (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE) || is_long(s))
		return NULL;
	for (int i = 0; i < 4; i++)
		if ((s->pdpte[i] & 1) &&
		    (s->pdpte[i] & (FIELD(2, 1) | FIELD(8, 5) |
				    (~s->address_mask & ~0xfffULL))))
			return "GUEST_PDPTE: a reserved bit is 1";
	return NULL;
}

/* "VM-Execution Control Fields": what belongs to APIC virtualization. */
static const char *check_apicv(const struct entry_state *s)
{
	const u64 cpu2    = s->cpu2_controls;
	const u64 address = s->address_mask & ~0xfffULL;
	const u64 needs_it =
		CPU2_X2APIC | CPU2_APIC_REGISTERS | CPU2_VIRTUAL_INTERRUPTS;

	if ((cpu2 & CPU2_APIC_ACCESSES) && (s->apic_access & ~address))
		return "APIC_ACCESS_ADDR: not the address of a page";
	if (!(s->cpu_controls & CPU_TPR_SHADOW))
		return cpu2 & needs_it ? "CPU2_CONTROLS: APIC virtualization "
					 "without a TPR shadow"
				       : NULL;
	if (s->virtual_apic & ~address)
		return "VIRTUAL_APIC_ADDR: not the address of a page";
	if (s->tpr_threshold & ~15ULL)
		return "TPR_THRESHOLD: above 15";
	if ((cpu2 & CPU2_X2APIC) && (cpu2 & CPU2_APIC_ACCESSES))
		return "CPU2_CONTROLS: both of APIC accesses and x2APIC mode";
	if ((cpu2 & CPU2_VIRTUAL_INTERRUPTS) &&
	    !(s->pin_controls & PIN_EXTERNAL_INTR_EXITING))
		return "CPU2_CONTROLS: virtual interrupts without external-"
		       "interrupt exiting";
	return NULL;
}

/* The same: "process posted interrupts". */
static const char *check_posted(const struct entry_state *s)
{
	if (!(s->pin_controls & PIN_POSTED_INTERRUPTS))
		return NULL;
	if (!(s->cpu2_controls & CPU2_VIRTUAL_INTERRUPTS))
		return "PIN_CONTROLS: posted interrupts without virtual-"
		       "interrupt delivery";
	if (!(s->exit_controls & EXIT_ACK_INTERRUPT))
		return "PIN_CONTROLS: posted interrupts, but exits do not "
		       "acknowledge";
	if (s->posted_vector > 255)
		return "POSTED_VECTOR: above 255";
	if (s->posted_descriptor & (~(s->address_mask | 0xfff) | 0x3f))
		return "POSTED_DESCRIPTOR_ADDR: not that of a descriptor";
	return NULL;
}

/* "VM-Entry Control Fields": the injected event. */
const char *entry_check_event(u32 info, u32 error, u32 length,
			      bool protected_mode)
{
	const u32 vector = EVENT_VECTOR(info);

	if (!(info & EVENT_VALID))
		return NULL;
	if (info & FIELD(30, 12))
		return "ENTRY_INTR_INFO: a reserved bit is 1";
	switch (EVENT_TYPE(info)) {
	case EVENT_EXTERNAL:
	case EVENT_SW_INTERRUPT:
	case EVENT_PRIV_SW_EXCEPTION:
	case EVENT_SW_EXCEPTION:
		break;
	case EVENT_NMI:
		if (vector != VEC_NMI)
			return "ENTRY_INTR_INFO: an NMI's vector is 2";
		break;
	case EVENT_HW_EXCEPTION:
		if (vector > 31)
			return "ENTRY_INTR_INFO: an exception's vector is "
			       "below 32";
		break;
	default:
		return "ENTRY_INTR_INFO: reserved type";
	}

	const bool wants_error = EVENT_TYPE(info) == EVENT_HW_EXCEPTION &&
				 protected_mode &&
				 (VEC_HAS_ERROR_CODE & BIT(vector & 31));

	if (!!(info & EVENT_ERROR_VALID) != wants_error)
		return "ENTRY_INTR_INFO: error code does not match the vector";
	if ((info & EVENT_ERROR_VALID) && (error & FIELD(31, 16)))
		return "ENTRY_EXCEPTION_ERROR_CODE: bits 31:16 are not 0";
	if (EVENT_TYPE(info) >= EVENT_SW_INTERRUPT && length > 15)
		return "ENTRY_INSTRUCTION_LENGTH: above 15";
	return NULL;
}

static const char *check_event(const struct entry_state *s)
{
	return entry_check_event(lo32(s->intr_info), lo32(s->intr_error),
				 lo32(s->intr_length), s->cr0 & CR0_PE);
}

const char *entry_check_moving(const struct entry_state *s)
{
	const char *bad = check_event(s);

	if (!bad)
		bad = check_rip(s);
	if (!bad)
		bad = check_non_register(s);
	return bad;
}

const char *entry_check(const struct entry_state *s)
{
	const char *bad = check_event(s);

	if (!bad)
		bad = check_apicv(s);
	if (!bad)
		bad = check_posted(s);
	if (!bad)
		bad = check_registers(s);
	if (!bad)
		bad = check_segments(s);
	if (!bad)
		bad = check_tables(s);
	if (!bad)
		bad = check_rip(s);
	if (!bad)
		bad = check_non_register(s);
	if (!bad)
		bad = check_pdptes(s);
	return bad;
}
enum entry_blame entry_blame_refused(u64 error, bool bad_event)
{
	return error == ERROR_CONTROL_FIELDS && bad_event ? ENTRY_BLAME_GUEST
							  : ENTRY_BLAME_US;
}

enum entry_blame entry_blame_failed(u32 basic_reason)
{
	switch (basic_reason) {
	case EXIT_REASON_MSR_LOAD_FAIL:
		return ENTRY_BLAME_US; /* no guest's MSR is in such a list */
	case EXIT_REASON_MCE_DURING_VMENTRY:
		return ENTRY_BLAME_MACHINE;
	default:
		return ENTRY_BLAME_GUEST;
	}
}

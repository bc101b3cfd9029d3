/* SPDX-License-Identifier: MIT */
#include "vmx/vmcs.h"

#include "boot/lib/string.h"
#include "vmx/caps.h"
#include "vmx/ept.h"
#include "vmx/memtype.h"
#include "vmx/vcpu_run.h"

#define PAT_RESET   0x0007040600070406ULL
#define DR7_RESET   0x400
#define DR6_RESET   0xffff0ff0
#define RFLAGS_INIT RFLAGS_FIXED

/* Bits that only we decide; the rest of CR0 is the guest's own. */
#define CR0_HOST_OWNED (CR0_CD | CR0_NW)

/*
 * VMXE is ours; OSXSAVE and PKE are mirrored by CPUID, whose answers are kept.
 * What the guest's CPUID does not offer is added to these.
 */
#define CR4_HOST_OWNED (CR4_VMXE | CR4_OSXSAVE | CR4_PKE)

extern char vmx_exit[]; /* enter.S */

static u64 segment_base(const struct descriptor_table *gdt, u16 selector)
{
	const u8 *d = (const u8 *)(uintptr_t)(gdt->base + (selector & ~7u));
	u64 base    = 0;
	u32 high;

	base |= (u64)d[2] | (u64)d[3] << 8 | (u64)d[4] << 16 | (u64)d[7] << 24;
	memcpy(&high, d + 8, sizeof(high));
	return base | (u64)high << 32;
}

void vmcs_write_host(const struct percpu *cpu)
{
	const struct descriptor_table gdt = sgdt();
	const struct descriptor_table idt = sidt();

	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_CS_SELECTOR, read_cs());
	vmwrite(VMCS_HOST_SS_SELECTOR, read_ss());
	vmwrite(VMCS_HOST_DS_SELECTOR, read_ds());
	vmwrite(VMCS_HOST_ES_SELECTOR, read_es());
	vmwrite(VMCS_HOST_FS_SELECTOR, 0);
	vmwrite(VMCS_HOST_GS_SELECTOR, 0);
	vmwrite(VMCS_HOST_TR_SELECTOR, read_tr());
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_GS_BASE, (uintptr_t)cpu);
	vmwrite(VMCS_HOST_TR_BASE, segment_base(&gdt, read_tr()));
	vmwrite(VMCS_HOST_GDTR_BASE, gdt.base);
	vmwrite(VMCS_HOST_IDTR_BASE, idt.base);
	vmwrite(VMCS_HOST_IA32_EFER, rdmsr(MSR_IA32_EFER));
	vmwrite(VMCS_HOST_IA32_PAT, rdmsr(MSR_IA32_PAT));
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_RIP, (uintptr_t)vmx_exit);
}

void vmcs_init_controls(struct vcpu *v)
{
	v->cpu_controls = vmx_caps.cpu;
	vmwrite(VMCS_PIN_CONTROLS, vmx_caps.pin);
	vmwrite(VMCS_CPU_CONTROLS, v->cpu_controls);
	vmwrite(VMCS_CPU2_CONTROLS,
		v->vpid ? vmx_caps.cpu2 : vmx_caps.cpu2 & ~CPU2_VPID);
	vmwrite(VMCS_EXIT_CONTROLS, vmx_caps.exit);
	vmwrite(VMCS_ENTRY_CONTROLS, vmx_caps.entry);
	vmwrite(VMCS_EXCEPTION_BITMAP, BIT(VEC_MC));
	vmwrite(VMCS_PF_ERROR_MASK, 0);
	vmwrite(VMCS_PF_ERROR_MATCH, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_MSR_BITMAP, ptr_hpa(v->msr_bitmap).v);
	vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
	vmwrite(VMCS_EPT_POINTER, ept_pointer(v->ept));
	vmwrite(VMCS_GUEST_VMCS_LINK, ~0ULL);
	if (v->vpid)
		vmwrite(VMCS_VPID, v->vpid);
	/* Supervisor components that the guest may enable never exit. */
	if (vmx_caps.xsaves)
		vmwrite(VMCS_XSS_EXITING_BITMAP, ~v->fpu.xss_allowed);
	if (vmx_caps.cpu2 & CPU2_ENCLS_EXITING)
		vmwrite(VMCS_ENCLS_EXITING_BITMAP, ~0ULL);
}

u64 vmcs_cr0_mask(void)
{
	return vmx_caps.cr0_fixed0 | CR0_HOST_OWNED;
}

u64 vmcs_cr4_mask(struct vcpu *v)
{
	return CR4_HOST_OWNED | vmx_caps.cr4_fixed0 | ~vcpu_cr4_allowed(v);
}

u64 vmcs_read_cr0(void)
{
	const u64 mask = vmcs_cr0_mask();

	return (vmread(VMCS_GUEST_CR0) & ~mask) |
	       (vmread(VMCS_CR0_READ_SHADOW) & mask);
}

u64 vmcs_read_cr4(void)
{
	const u64 mask = vmread(VMCS_CR4_MASK);

	return (vmread(VMCS_GUEST_CR4) & ~mask) |
	       (vmread(VMCS_CR4_READ_SHADOW) & mask);
}

void vmcs_write_cr0(u64 cr0)
{
	vmwrite(VMCS_CR0_READ_SHADOW, cr0);
	vmwrite(VMCS_GUEST_CR0, (cr0 & ~CR0_HOST_OWNED) | vmx_caps.cr0_fixed0);
}

void vmcs_write_cr4(u64 cr4)
{
	vmwrite(VMCS_CR4_READ_SHADOW, cr4);
	vmwrite(VMCS_GUEST_CR4, cr4 | vmx_caps.cr4_fixed0);
}

void vmcs_write_efer(u64 efer)
{
	const u64 controls = vmread(VMCS_ENTRY_CONTROLS);

	vmwrite(VMCS_GUEST_IA32_EFER, efer);
	vmwrite(VMCS_ENTRY_CONTROLS, efer & EFER_LMA
					     ? controls | ENTRY_GUEST_64BIT
					     : controls & ~ENTRY_GUEST_64BIT);
}

static void write_segment(enum segment s, u16 selector, u64 base, u32 limit,
			  u32 access)
{
	vmwrite(vmcs_segment(VMCS_GUEST_ES_SELECTOR, s), selector);
	vmwrite(vmcs_segment(VMCS_GUEST_ES_BASE, s), base);
	vmwrite(vmcs_segment(VMCS_GUEST_ES_LIMIT, s), limit);
	vmwrite(vmcs_segment(VMCS_GUEST_ES_ACCESS, s), access);
}

static void write_data_segments(u16 selector, u32 limit, u32 access)
{
	write_segment(SEG_ES, selector, 0, limit, access);
	write_segment(SEG_SS, selector, 0, limit, access);
	write_segment(SEG_DS, selector, 0, limit, access);
	write_segment(SEG_FS, selector, 0, limit, access);
	write_segment(SEG_GS, selector, 0, limit, access);
}

void vmcs_reset_guest(struct vcpu *v)
{
	const u64 host_rsp = v->regs.r[RSP];

	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.r[RSP] = host_rsp;
	v->regs.r[RDX] = cpuid(1, 0).eax; /* family, model, stepping */
	v->cr2         = 0;
	memset(v->dr, 0, sizeof(v->dr));
	v->dr6 = DR6_RESET;

	write_data_segments(0, 0xffff, 0x93);
	write_segment(SEG_CS, 0xf000, 0xffff0000, 0xffff, 0x9b);
	write_segment(SEG_LDTR, 0, 0, 0xffff, 0x82);
	write_segment(SEG_TR, 0, 0, 0xffff, 0x8b);
	vmwrite(VMCS_GUEST_GDTR_BASE, 0);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmwrite(VMCS_GUEST_IDTR_BASE, 0);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0xffff);
	vmwrite(VMCS_GUEST_RIP, 0xfff0);
	vmwrite(VMCS_GUEST_RSP, 0);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_INIT);
	vmwrite(VMCS_GUEST_DR7, DR7_RESET);
	vmwrite(VMCS_GUEST_CR3, 0);
	vmcs_write_cr0(CR0_CD | CR0_NW | CR0_ET);
	vmcs_write_cr4(0);
	vmcs_write_efer(0);
	vmwrite(VMCS_GUEST_IA32_DEBUGCTL, 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_ACTIVITY_STATE, 0);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	v->work |= WORK_CHECK;
}

/* Values that RESET sets and INIT leaves alone. */
static void reset_only(struct vcpu *v)
{
	vmwrite(VMCS_CR0_MASK, vmcs_cr0_mask());
	vmwrite(VMCS_CR4_MASK, vmcs_cr4_mask(v));
	vmwrite(VMCS_GUEST_IA32_PAT, PAT_RESET);
	vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
	vmwrite(VMCS_GUEST_PDPTE0, 0);
	vmwrite(VMCS_GUEST_PDPTE1, 0);
	vmwrite(VMCS_GUEST_PDPTE2, 0);
	vmwrite(VMCS_GUEST_PDPTE3, 0);
}

void vmcs_apply_start(struct vcpu *v)
{
	const struct vcpu_start *s = &v->start;

	reset_only(v);
	if (s->kind == VCPU_START_RESET)
		return;
	v->regs.r[RAX] = s->rax;
	v->regs.r[RBX] = s->rbx;
	v->regs.r[RSI] = s->rsi;
	vmwrite(VMCS_GUEST_RIP, s->rip);
	write_data_segments(0x18, ~0u, 0xc093);
	if (s->kind == VCPU_START_PROTECTED) {
		write_segment(SEG_CS, 0x10, 0, ~0u, 0xc09b);
		vmcs_write_cr0(CR0_PE | CR0_ET);
		return;
	}
	write_segment(SEG_CS, 0x10, 0, ~0u, 0xa09b);
	vmwrite(VMCS_GUEST_GDTR_BASE, s->gdt_base);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, s->gdt_limit);
	vmwrite(VMCS_GUEST_CR3, s->cr3);
	vmcs_write_cr0(CR0_PE | CR0_ET | CR0_NE | CR0_PG);
	vmcs_write_cr4(CR4_PAE);
	vmcs_write_efer(EFER_LME | EFER_LMA);
}

void vmcs_apply_sipi(u8 vector)
{
	write_segment(SEG_CS, (u16)(vector << 8), (u64)vector << 12, 0xffff,
		      0x9b);
	vmwrite(VMCS_GUEST_RIP, 0);
}

/* Into *AT, where something older was. Returns the bits that differ. */
static inline u64 reread(u64 *at, enum vmcs_field field)
{
	const u64 old = *at;

	*at = vmread(field);
	return old ^ *at;
}

/* One by one, not by a table: with DEBUG=2 this is a part of every entry. */
#define READ(member, field) changed |= reread(&s->member, VMCS_##field)
#define READ_SEGMENT(name)                                                     \
	READ(seg[SEG_##name].selector, GUEST_##name##_SELECTOR);               \
	READ(seg[SEG_##name].base, GUEST_##name##_BASE);                       \
	READ(seg[SEG_##name].limit, GUEST_##name##_LIMIT);                     \
	READ(seg[SEG_##name].access, GUEST_##name##_ACCESS)

bool vmcs_read_entry_state(struct entry_state *s)
{
	const u64 rflags = s->rflags;
	u64 changed      = 0;

	READ(cr0, GUEST_CR0);
	READ(cr3, GUEST_CR3);
	READ(cr4, GUEST_CR4);
	READ(dr7, GUEST_DR7);
	READ(debugctl, GUEST_IA32_DEBUGCTL);
	READ(efer, GUEST_IA32_EFER);
	READ(pat, GUEST_IA32_PAT);
	s->rip    = vmread(VMCS_GUEST_RIP);
	s->rsp    = vmread(VMCS_GUEST_RSP);
	s->rflags = vmread(VMCS_GUEST_RFLAGS);
	changed |= (s->rflags ^ rflags) & RFLAGS_VM;
	READ(sysenter_esp, GUEST_SYSENTER_ESP);
	READ(sysenter_eip, GUEST_SYSENTER_EIP);
	READ(gdtr_base, GUEST_GDTR_BASE);
	READ(gdtr_limit, GUEST_GDTR_LIMIT);
	READ(idtr_base, GUEST_IDTR_BASE);
	READ(idtr_limit, GUEST_IDTR_LIMIT);
	READ(pdpte[0], GUEST_PDPTE0);
	READ(pdpte[1], GUEST_PDPTE1);
	READ(pdpte[2], GUEST_PDPTE2);
	READ(pdpte[3], GUEST_PDPTE3);
	s->interruptibility = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	s->activity         = vmread(VMCS_GUEST_ACTIVITY_STATE);
	s->pending_debug    = vmread(VMCS_GUEST_PENDING_DEBUG);
	s->link             = vmread(VMCS_GUEST_VMCS_LINK);
	READ(pin_controls, PIN_CONTROLS);
	READ(exit_controls, EXIT_CONTROLS);
	READ(entry_controls, ENTRY_CONTROLS);
	READ(cpu_controls, CPU_CONTROLS);
	READ(cpu2_controls, CPU2_CONTROLS);
	s->intr_info   = vmread(VMCS_ENTRY_INTR_INFO);
	s->intr_error  = vmread(VMCS_ENTRY_EXCEPTION_ERROR_CODE);
	s->intr_length = vmread(VMCS_ENTRY_INSTRUCTION_LENGTH);
	READ_SEGMENT(ES);
	READ_SEGMENT(CS);
	READ_SEGMENT(SS);
	READ_SEGMENT(DS);
	READ_SEGMENT(FS);
	READ_SEGMENT(GS);
	READ_SEGMENT(LDTR);
	READ_SEGMENT(TR);
	/* Fields that are there only with the controls that use them. */
	if (vmx_caps.apicv) {
		READ(virtual_apic, VIRTUAL_APIC_ADDR);
		READ(apic_access, APIC_ACCESS_ADDR);
		READ(tpr_threshold, TPR_THRESHOLD);
	}
	if (vmx_caps.posted) {
		READ(posted_vector, POSTED_VECTOR);
		READ(posted_descriptor, POSTED_DESCRIPTOR_ADDR);
	}
	s->cr0_fixed0   = vmx_caps.cr0_fixed0;
	s->cr0_fixed1   = vmx_caps.cr0_fixed1;
	s->cr4_fixed0   = vmx_caps.cr4_fixed0;
	s->cr4_fixed1   = vmx_caps.cr4_fixed1;
	s->address_mask = vmx_mtrrs.address_mask;
	return changed == 0;
}
#undef READ
#undef READ_SEGMENT

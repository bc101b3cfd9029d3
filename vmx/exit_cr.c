/* SPDX-License-Identifier: MIT */
/*
 * Writes to CR0, CR4 and EFER that change a bit of ours, CR8, and CR3 where the
 * CPU insists on exits. The checks are the SDM's for MOV to CR and WRMSR, in
 * vol. 2 and vol. 3, "Control Registers".
 */
#include "vmx/exit.h"

#include "vmx/caps.h"
#include "vmx/memtype.h"
#include "vmx/policy.h"
#include "vmx/vcpu_run.h"
#include "vmx/vmcs.h"

/* Exit qualification: what kind of access. */
enum cr_access {
	CR_WRITE,
	CR_READ,
	CR_CLTS,
	CR_LMSW,
};

#define CR0_DEFINED                                                            \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP |        \
	 CR0_AM | CR0_NW | CR0_CD | CR0_PG)

/* Entering or leaving these changes what the TLB holds. */
#define CR0_PAGING (CR0_PG | CR0_PE | CR0_WP | CR0_CD | CR0_NW)

/* RSP is in the VMCS; its slot among the registers is used otherwise. */
static u64 read_gpr(const struct vcpu *v, unsigned int gpr)
{
	return gpr == RSP ? vmread(VMCS_GUEST_RSP) : v->regs.r[gpr];
}

static void write_gpr(struct vcpu *v, unsigned int gpr, u64 value)
{
	if (gpr == RSP)
		vmwrite(VMCS_GUEST_RSP, value);
	else
		v->regs.r[gpr] = value;
}

static bool uses_pdptes(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LMA);
}

/* PAE paging loads its four top entries at once; false: one is illegal. */
static bool load_pdptes(struct vcpu *v)
{
	const u64 at     = vmread(VMCS_GUEST_CR3) & 0xffffffe0;
	const u64 *entry = policy_memory(v, gpa(at), 32);
	const u64 wrong  = FIELD(2, 1) | FIELD(8, 5) | FIELD(63, 52) |
			  (FIELD(51, 12) & ~vmx_mtrrs.address_mask);

	if (!entry)
		return false;
	for (unsigned int i = 0; i < 4; i++)
		if ((entry[i] & 1) && (entry[i] & wrong))
			return false;
	vmwrite(VMCS_GUEST_PDPTE0, entry[0]);
	vmwrite(VMCS_GUEST_PDPTE1, entry[1]);
	vmwrite(VMCS_GUEST_PDPTE2, entry[2]);
	vmwrite(VMCS_GUEST_PDPTE3, entry[3]);
	return true;
}

/* Is CR0 := NEW legal, coming from OLD, with CR4 and EFER as they are? */
static bool cr0_is_legal(u64 new, u64 old, u64 cr4, u64 efer, bool code_64bit)
{
	if (hi32(new))
		return false;
	if ((new &CR0_PG) && !(new &CR0_PE))
		return false;
	if ((new &CR0_NW) && !(new &CR0_CD))
		return false;
	if (!(new &CR0_WP) && (cr4 & CR4_CET))
		return false;
	if ((new &CR0_PG) && !(old & CR0_PG) && (efer & EFER_LME))
		return (cr4 & CR4_PAE) && !code_64bit;
	if (!(new &CR0_PG) && (old & CR0_PG))
		return !code_64bit && !(cr4 & CR4_PCIDE);
	return true;
}

static enum verdict write_cr0_value(struct vcpu *v, u64 value)
{
	const u64 old        = vmcs_read_cr0();
	const u64 cr4        = vmcs_read_cr4();
	u64 efer             = vmread(VMCS_GUEST_IA32_EFER);
	const bool code_long = vmread(VMCS_GUEST_CS_ACCESS) & ACCESS_L;
	const u64 new = (value & (CR0_DEFINED | ~0xffffffffULL)) | CR0_ET;

	if (!cr0_is_legal(new, old, cr4, efer, code_long && (efer & EFER_LME)))
		return exit_inject_gp(v);
	efer &= ~EFER_LMA;
	if ((new &CR0_PG) && (efer & EFER_LME))
		efer |= EFER_LMA;
	if (((new ^ old) & (CR0_PG | CR0_CD | CR0_NW)) &&
	    uses_pdptes(new, cr4, efer) && !load_pdptes(v))
		return exit_inject_gp(v);
	vmcs_write_cr0(new);
	vmcs_write_efer(efer);
	if ((new ^ old) & CR0_PAGING)
		exit_flush_tlb(v);
	v->work |= WORK_CHECK;
	return exit_skip(v);
}

static bool cr4_is_legal(u64 new, u64 old, u64 cr0, u64 cr3, u64 efer)
{
	if ((efer & EFER_LMA) && (!(new &CR4_PAE) || ((new ^ old) & CR4_LA57)))
		return false;
	if ((new &CR4_PCIDE) && !(old & CR4_PCIDE) &&
	    (!(efer & EFER_LMA) || (cr3 & 0xfff)))
		return false;
	return !(new &CR4_CET) || (cr0 & CR0_WP);
}

static enum verdict write_cr4_value(struct vcpu *v, u64 new)
{
	const u64 old    = vmcs_read_cr4();
	const u64 cr0    = vmcs_read_cr0();
	const u64 efer   = vmread(VMCS_GUEST_IA32_EFER);
	const u64 reload = CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP;

	if ((new & ~vcpu_cr4_allowed(v)) ||
	    !cr4_is_legal(new, old, cr0, vmread(VMCS_GUEST_CR3), efer))
		return exit_inject_gp(v);
	if (((new ^ old) & reload) && uses_pdptes(cr0, new, efer)) {
		const u64 saved = vmread(VMCS_GUEST_CR4);

		vmcs_write_cr4(new);
		if (!load_pdptes(v)) {
			vmwrite(VMCS_GUEST_CR4, saved);
			vmwrite(VMCS_CR4_READ_SHADOW, old);
			return exit_inject_gp(v);
		}
	}
	vmcs_write_cr4(new);
	exit_flush_tlb(v);
	vcpu_forget_cpuid(v); /* OSXSAVE and OSPKE are mirrored there */
	v->work |= WORK_CHECK;
	return exit_skip(v);
}

/* Only where the CPU has no TRUE controls: CR3 is the guest's own. */
static enum verdict write_cr3_value(struct vcpu *v, u64 value)
{
	const u64 cr4   = vmcs_read_cr4();
	const u64 keep  = cr4 & CR4_PCIDE ? BIT(63) : 0;
	const u64 efer  = vmread(VMCS_GUEST_IA32_EFER);
	const u64 legal = vmx_mtrrs.address_mask | 0xfff | keep;

	if ((efer & EFER_LMA) && (value & ~legal))
		return exit_inject_gp(v);

	const u64 old = vmread(VMCS_GUEST_CR3);

	vmwrite(VMCS_GUEST_CR3, value & ~keep);
	if (uses_pdptes(vmcs_read_cr0(), cr4, efer) && !load_pdptes(v)) {
		vmwrite(VMCS_GUEST_CR3, old);
		return exit_inject_gp(v);
	}
	exit_flush_tlb(v);
	return exit_skip(v);
}

static enum verdict write_cr8_value(struct vcpu *v, u64 value)
{
	if (value > 15)
		return exit_inject_gp(v);
	policy_set_tpr(v, value);
	v->work |= WORK_INTR;
	return exit_skip(v);
}

static enum verdict write_cr(struct vcpu *v, unsigned int cr, u64 value)
{
	switch (cr) {
	case 0:
		return write_cr0_value(v, value);
	case 3:
		return write_cr3_value(v, value);
	case 4:
		return write_cr4_value(v, value);
	case 8:
		return write_cr8_value(v, value);
	default:
		return vcpu_stop(v, "an exit for a write to CR%u", cr);
	}
}

static enum verdict read_cr(struct vcpu *v, unsigned int cr, unsigned int gpr)
{
	if (cr != 3 && cr != 8)
		return vcpu_stop(v, "an exit for a read of CR%u", cr);
	write_gpr(v, gpr, cr == 3 ? vmread(VMCS_GUEST_CR3) : policy_get_tpr(v));
	return exit_skip(v);
}

enum verdict exit_cr(struct vcpu *v)
{
	const u64 q            = exit_qualification();
	const unsigned int cr  = (unsigned int)field_get(q, 3, 0);
	const unsigned int gpr = (unsigned int)field_get(q, 11, 8);
	const u64 cr0          = vmcs_read_cr0();

	switch ((enum cr_access)field_get(q, 5, 4)) {
	case CR_WRITE:
		return write_cr(v, cr,
				vcpu_is_64bit(v) ? read_gpr(v, gpr)
						 : lo32(read_gpr(v, gpr)));
	case CR_READ:
		return read_cr(v, cr, gpr);
	case CR_CLTS:
		return write_cr0_value(v, cr0 & ~CR0_TS);
	case CR_LMSW:
		/* PE can be set and not cleared. */
		return write_cr0_value(v, (cr0 & ~(CR0_MP | CR0_EM | CR0_TS)) |
						  field_get(q, 19, 16));
	}
	return RUN_AGAIN;
}

enum verdict exit_write_efer(struct vcpu *v, u64 value)
{
	const u64 old     = vmread(VMCS_GUEST_IA32_EFER);
	const bool paging = vmcs_read_cr0() & CR0_PG;
	struct cpuid_regs r;
	u64 allowed = EFER_LMA; /* read-only: ignored */

	policy_cpuid(v, 0x80000001, 0, &r);
	if (r.edx & BIT(11))
		allowed |= EFER_SCE;
	if (r.edx & BIT(20))
		allowed |= EFER_NXE;
	if (r.edx & BIT(29))
		allowed |= EFER_LME;
	if (value & ~allowed)
		return exit_inject_gp(v);
	if (paging && ((value ^ old) & EFER_LME))
		return exit_inject_gp(v);
	vmcs_write_efer((value & ~EFER_LMA) | (old & EFER_LMA));
	if ((value ^ old) & EFER_NXE)
		exit_flush_tlb(v);
	vcpu_forget_cpuid(v);
	v->work |= WORK_CHECK;
	return exit_skip(v);
}

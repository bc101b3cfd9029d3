/* SPDX-License-Identifier: MIT */
#include "vmx/vmxon.h"

#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/x86.h"
#include "vmx/apicv.h"
#include "vmx/caps.h"
#include "vmx/dump.h"
#include "vmx/insn.h"
#include "vmx/memtype.h"
#include "vmx/vmx_cpu.h"

#define BASIC_TRUE_CTLS BIT(55)
#define CPUID1_VMX      BIT(5)
#define CPUID1_MTRR     BIT(12)
#define MISC_EFER_LMA   BIT(5)

struct vmx_caps vmx_caps;
struct mtrrs vmx_mtrrs;

/* The boot CPU's, written by vmx_init(). */
static struct vmx_msrs judged;
static struct caps_verdict verdict;

/* A capability MSR that may not exist reads 0. */
static u64 read_capability(u32 msr)
{
	u64 value;

	rdmsr_safe(msr, &value);
	return value;
}

static void read_msrs(struct vmx_msrs *m)
{
	*m = (struct vmx_msrs){ .cpuid_vmx = cpuid(1, 0).ecx & CPUID1_VMX };
	if (!m->cpuid_vmx)
		return;
	m->feature_control = read_capability(MSR_IA32_FEATURE_CONTROL);
	m->basic           = read_capability(MSR_IA32_VMX_BASIC);

	/* The TRUE registers lie in the same order. */
	const bool exact = m->basic & BASIC_TRUE_CTLS;
	const u32 more   = exact ? MSR_IA32_VMX_TRUE_PINBASED_CTLS -
                                         MSR_IA32_VMX_PINBASED_CTLS
				 : 0;

	m->pin        = read_capability(MSR_IA32_VMX_PINBASED_CTLS + more);
	m->cpu        = read_capability(MSR_IA32_VMX_PROCBASED_CTLS + more);
	m->exit       = read_capability(MSR_IA32_VMX_EXIT_CTLS + more);
	m->entry      = read_capability(MSR_IA32_VMX_ENTRY_CTLS + more);
	m->cpu2       = read_capability(MSR_IA32_VMX_PROCBASED_CTLS2);
	m->misc       = read_capability(MSR_IA32_VMX_MISC);
	m->cr0_fixed0 = read_capability(MSR_IA32_VMX_CR0_FIXED0);
	m->cr0_fixed1 = read_capability(MSR_IA32_VMX_CR0_FIXED1);
	m->cr4_fixed0 = read_capability(MSR_IA32_VMX_CR4_FIXED0);
	m->cr4_fixed1 = read_capability(MSR_IA32_VMX_CR4_FIXED1);
	m->ept_vpid   = read_capability(MSR_IA32_VMX_EPT_VPID_CAP);
}

static u64 physical_address_mask(void)
{
	const bool known = cpuid(0x80000000, 0).eax >= 0x80000008;
	const u32 bits   = known ? cpuid(0x80000008, 0).eax & 0xff : 36;

	return FIELD(bits - 1, 12);
}

static void read_mtrrs(struct mtrrs *m)
{
	static const u32 fixed_16k[] = {
		MSR_IA32_MTRR_FIX64K_00000,
		MSR_IA32_MTRR_FIX16K_80000,
		MSR_IA32_MTRR_FIX16K_A0000,
	};

	m->address_mask = physical_address_mask();
	if (!(cpuid(1, 0).edx & CPUID1_MTRR)) {
		m->def_type = BIT(11) | MEM_WB;
		return;
	}
	m->def_type  = read_capability(MSR_IA32_MTRR_DEF_TYPE);
	m->var_count = lo32(read_capability(MSR_IA32_MTRRCAP) & 0xff);
	if (m->var_count > MTRR_VAR_MAX)
		refuse("this CPU has %u variable MTRRs; we know %u",
		       m->var_count, MTRR_VAR_MAX);
	for (u32 i = 0; i < MTRR_FIXED_COUNT; i++)
		m->fixed[i] = read_capability(
			i < ARRAY_SIZE(fixed_16k)
				? fixed_16k[i]
				: MSR_IA32_MTRR_FIX4K_C0000 + i -
					  (u32)ARRAY_SIZE(fixed_16k));
	for (u32 i = 0; i < m->var_count; i++) {
		m->base[i] = read_capability(MSR_IA32_MTRR_PHYSBASE0 + 2 * i);
		m->mask[i] = read_capability(MSR_IA32_MTRR_PHYSMASK0 + 2 * i);
	}
}

static bool usable(void)
{
	return verdict.why == REFUSE_NOTHING && (judged.misc & MISC_EFER_LMA);
}

const struct vmx_msrs *vmx_machine(void)
{
	return &judged;
}

struct caps_verdict vmx_verdict(void)
{
	return verdict;
}

void vmx_require(void)
{
	if (verdict.why != REFUSE_NOTHING)
		refuse("%s%s%s%s", refusal_text[verdict.why],
		       verdict.name ? "\"" : "",
		       verdict.name ? verdict.name : "",
		       verdict.name ? "\"" : "");
	if (!usable())
		refuse("this CPU's VM exits do not save IA32_EFER.LMA, as "
		       "unrestricted guests need");
}

void vmx_init(void)
{
	const char *missing;

	read_msrs(&judged);
	read_mtrrs(&vmx_mtrrs);
	verdict = caps_judge(&judged, &vmx_caps);
	if (!usable())
		return;
	for (unsigned int i = 0; (missing = caps_missing(&vmx_caps, i)); i++)
		log_warn("%s", missing);
	if (!host_options()->apicv) {
		vmx_caps.apicv  = false;
		vmx_caps.posted = false;
		log_info("APIC virtualization is not used (apicv=off)");
	}
	apicv_init();
	log_info("VMX revision %#x, pin %#x cpu %#x cpu2 %#x exit %#x entry "
		 "%#x",
		 vmx_caps.revision, vmx_caps.pin, vmx_caps.cpu, vmx_caps.cpu2,
		 vmx_caps.exit, vmx_caps.entry);
	panic_dump_hook = dump_on_panic;
}

const char *vmx_differs(void)
{
	struct vmx_msrs own;

	read_msrs(&own);
	return caps_complaint(&judged, &own);
}

static void enable_feature_control(void)
{
	const u64 value = read_capability(MSR_IA32_FEATURE_CONTROL);

	if (!(value & FEATURE_CONTROL_LOCK))
		wrmsr_safe(MSR_IA32_FEATURE_CONTROL,
			   value | FEATURE_CONTROL_LOCK |
				   FEATURE_CONTROL_VMX_OUTSIDE_SMX);
	else if (!(value & FEATURE_CONTROL_VMX_OUTSIDE_SMX))
		refuse("the firmware locked VMX off on CPU %u "
		       "(IA32_FEATURE_CONTROL)",
		       this_cpu()->index);
}

/* What this CPU's registers hold that no VMCS switches, as a starting point. */
static void note_registers(struct vmx_cpu *c)
{
	c->msr[SWITCHED_STAR]           = rdmsr(MSR_IA32_STAR);
	c->msr[SWITCHED_LSTAR]          = rdmsr(MSR_IA32_LSTAR);
	c->msr[SWITCHED_CSTAR]          = rdmsr(MSR_IA32_CSTAR);
	c->msr[SWITCHED_FMASK]          = rdmsr(MSR_IA32_FMASK);
	c->msr[SWITCHED_KERNEL_GS_BASE] = rdmsr(MSR_IA32_KERNEL_GS_BASE);
	if (vmx_caps.rdtscp)
		c->msr[SWITCHED_TSC_AUX] = rdmsr(MSR_IA32_TSC_AUX);
	c->cr2   = read_cr2();
	c->dr[0] = read_dr0();
	c->dr[1] = read_dr1();
	c->dr[2] = read_dr2();
	c->dr[3] = read_dr3();
	c->dr6   = read_dr6();
}

void vmx_init_cpu(void)
{
	struct percpu *cpu = this_cpu();
	const u64 struct_pages =
		(sizeof(struct vmx_cpu) + PAGE_SIZE - 1) / PAGE_SIZE;

	if (!usable())
		return;
	cpu->vmx = pages_alloc(struct_pages);
	if (!cpu->vmx || !(cpu->vmx->vmxon = pages_alloc(1)))
		refuse("no memory for VMX on CPU %u", cpu->index);
	*(u32 *)cpu->vmx->vmxon = vmx_caps.revision;
	enable_feature_control();
	write_cr0((read_cr0() | rdmsr(MSR_IA32_VMX_CR0_FIXED0)) &
		  rdmsr(MSR_IA32_VMX_CR0_FIXED1));
	write_cr4((read_cr4() | CR4_VMXE | rdmsr(MSR_IA32_VMX_CR4_FIXED0)) &
		  rdmsr(MSR_IA32_VMX_CR4_FIXED1));
	if (vmxon(ptr_hpa(cpu->vmx->vmxon)) != VMX_OK)
		panic("VMXON failed on CPU %u", cpu->index);
	if (invept(INV_ALL_CONTEXTS, 0) != VMX_OK)
		log_warn("CPU %u: INVEPT of all contexts failed", cpu->index);
	if (vmx_caps.vpid)
		invvpid(INV_ALL_CONTEXTS, 0);
	note_registers(cpu->vmx);
}

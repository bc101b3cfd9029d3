/* SPDX-License-Identifier: MIT */
#include "vmx/apicv.h"

#include "boot/lib/lapic.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "vmx/caps.h"
#include "vmx/exit.h"
#include "vmx/msr_bitmap.h"
#include "vmx/policy.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"

/* The controls of all modes; CR8 goes to the page instead of exiting. */
#define CPU_CR8_EXITING (CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING)
#define CPU2_ALL_APICV                                                         \
	(CPU2_APIC_ACCESSES | CPU2_X2APIC | CPU2_APIC_REGISTERS |              \
	 CPU2_VIRTUAL_INTERRUPTS)

static void *access_page;

hpa_t apicv_access_page(void)
{
	return ptr_hpa(access_page);
}

void apicv_init(void)
{
	if (!vmx_caps.apicv)
		return;
	access_page = pages_alloc(1);
	if (!access_page)
		refuse("no memory for the APIC-access page");
}

void apicv_begin(struct vcpu *v)
{
	v->apicv = (struct apicv_entry){ .mode = APICV_OFF };
	__atomic_store_n(&v->posting, false, __ATOMIC_RELEASE);
	if (!v->virtual_apic)
		return;
	vmwrite(VMCS_VIRTUAL_APIC_ADDR, ptr_hpa(v->virtual_apic).v);
	vmwrite(VMCS_APIC_ACCESS_ADDR, apicv_access_page().v);
	vmwrite(VMCS_TPR_THRESHOLD, 0);
	vmwrite(VMCS_EOI_EXIT_BITMAP0, 0);
	vmwrite(VMCS_EOI_EXIT_BITMAP1, 0);
	vmwrite(VMCS_EOI_EXIT_BITMAP2, 0);
	vmwrite(VMCS_EOI_EXIT_BITMAP3, 0);
	vmwrite(VMCS_GUEST_INTERRUPT_STATUS, 0);
	if (!vmx_caps.posted)
		return;
	vmwrite(VMCS_POSTED_VECTOR, LAPIC_VECTOR_POSTED);
	vmwrite(VMCS_POSTED_DESCRIPTOR_ADDR, ptr_hpa(&v->posted).v);
}

/*
 * x2APIC registers that need no exit: reads of what the page holds (not the
 * timer's count), writes that the CPU carries out (SDM vol. 3, "Virtualizing
 * MSR-Based APIC Accesses").
 */
static void open_msrs(struct vcpu *v, bool open)
{
	static const struct {
		u8 first, last;
		bool write;
	} ranges[] = {
		{ 0x02, 0x03, false }, /* ID, version */
		{ 0x08, 0x08, true },  /* TPR */
		{ 0x0a, 0x0a, false }, /* PPR */
		{ 0x0d, 0x0d, false }, /* LDR */
		{ 0x0f, 0x0f, false }, /* SVR */
		{ 0x10, 0x28, false }, /* ISR, TMR, IRR, ESR */
		{ 0x30, 0x30, false }, /* ICR */
		{ 0x32, 0x38, false }, /* LVT, initial count */
		{ 0x3e, 0x3e, false }, /* divide configuration */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		for (u32 reg = ranges[i].first; reg <= ranges[i].last; reg++)
			msr_bitmap_set(v->msr_bitmap,
				       MSR_IA32_X2APIC_BASE + reg, open,
				       open && ranges[i].write);
	/* EOI and SELF IPI can only be written. */
	msr_bitmap_set(v->msr_bitmap, MSR_IA32_X2APIC_BASE + 0x0b, false, open);
	msr_bitmap_set(v->msr_bitmap, MSR_IA32_X2APIC_BASE + 0x3f, false, open);
}

static void set_mode(struct vcpu *v, enum apicv_mode mode)
{
	const bool on = mode != APICV_OFF;
	u32 cpu2      = vmread32(VMCS_CPU2_CONTROLS) & ~CPU2_ALL_APICV;

	v->cpu_controls &= ~(u32)(CPU_TPR_SHADOW | CPU_CR8_EXITING);
	v->cpu_controls |= on ? CPU_TPR_SHADOW : CPU_CR8_EXITING;
	if (on)
		cpu2 |= CPU2_APIC_REGISTERS | CPU2_VIRTUAL_INTERRUPTS;
	if (mode == APICV_XAPIC)
		cpu2 |= CPU2_APIC_ACCESSES;
	if (mode == APICV_X2APIC)
		cpu2 |= CPU2_X2APIC;
	vmwrite(VMCS_CPU_CONTROLS, v->cpu_controls);
	vmwrite(VMCS_CPU2_CONTROLS, cpu2);
	open_msrs(v, mode == APICV_X2APIC);
	/*
	 * Translations made under the other mode: to a page that is now the
	 * APIC, or no more (SDM vol. 3, "Virtualizing Memory-Mapped APIC
	 * Accesses").
	 */
	exit_flush_tlb(v);
	if (invept(INV_ALL_CONTEXTS, 0) != VMX_OK)
		panic("INVEPT for %s failed", v->name);
	v->work |= WORK_CHECK;
}

/*
 * "Process posted interrupts". Who posts all the same, because it was 1 a
 * moment ago, makes V exit, and what it posted is taken then.
 */
static void set_posting(struct vcpu *v, bool on)
{
	if (on == v->posting)
		return;
	vmwrite(VMCS_PIN_CONTROLS,
		on ? vmx_caps.pin | PIN_POSTED_INTERRUPTS : vmx_caps.pin);
	__atomic_store_n(&v->posting, on, __ATOMIC_RELEASE);
	v->work |= WORK_CHECK;
}

void apicv_update(struct vcpu *v)
{
	struct apicv_entry *have = &v->apicv;
	struct apicv_entry want;

	if (!v->virtual_apic || !policy_apic_page(v, &want))
		return;
	if (want.mode != have->mode)
		set_mode(v, want.mode);
	set_posting(v, want.posted && vmx_caps.posted);
	if (want.mode != APICV_OFF) {
		vmwrite(VMCS_GUEST_INTERRUPT_STATUS,
			(u32)want.serviced << 8 | want.requested);
		for (unsigned int i = 0; i < 4; i++)
			if (want.eoi_exit[i] != have->eoi_exit[i])
				vmwrite((enum vmcs_field)(
						VMCS_EOI_EXIT_BITMAP0 + 2 * i),
					want.eoi_exit[i]);
	}
	*have = want;
}

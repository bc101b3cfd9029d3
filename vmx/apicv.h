/* SPDX-License-Identifier: MIT */
/*
 * APIC virtualization (SDM vol. 3, "APIC Virtualization and Virtual
 * Interrupts"): the CPU keeps a vCPU's virtual-APIC page in place of the
 * software APIC, delivers its interrupts, and takes EOI, TPR and most reads
 * without an exit. What is in the page, and when, is guest/'s business; here is
 * what the VMCS says about it.
 */
#ifndef VMX_APICV_H
#define VMX_APICV_H

#include "boot/lib/addr.h"
#include "boot/lib/types.h"

struct vcpu;

/* Which accesses of the guest the CPU takes for accesses to the page. */
enum apicv_mode {
	APICV_OFF,    /* none: all is done in software */
	APICV_XAPIC,  /* those to the APIC-access page */
	APICV_X2APIC, /* RDMSR and WRMSR */
};

/* What an entry needs to know of the page: see policy_apic_page(). */
struct apicv_entry {
	enum apicv_mode mode;
	u8 requested, serviced; /* highest vector in the page's IRR and ISR */
	u64 eoi_exit[4];        /* vectors whose EOI exits */
	bool posted;            /* others may post, if the CPU lets them */
};

/*
 * The page that guest-physical accesses must lead to, to be taken for accesses
 * to the APIC; the same for all guests. Nothing is ever in it.
 */
hpa_t apicv_access_page(void);

/* Once, before the first vCPU: takes that page, if the CPU has APICv at all. */
void apicv_init(void);

/* V's VMCS is new: what does not change. V is the current vCPU. */
void apicv_begin(struct vcpu *v);

/* Brings V's VMCS in line with its APIC, as guest/ has it now. */
void apicv_update(struct vcpu *v);

#endif

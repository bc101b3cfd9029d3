/* SPDX-License-Identifier: MIT */
/*
 * Writes the control, host and guest halves of the current VMCS. Decides
 * nothing that depends on a guest's behaviour.
 */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include "boot/lib/percpu.h"
#include "vmx/entry_check.h"
#include "vmx/insn.h"
#include "vmx/vcpu.h"

static inline enum vmcs_field vmcs_segment(enum vmcs_field es_field,
					   enum segment s)
{
	return (enum vmcs_field)((unsigned int)es_field + 2 * s);
}

/* Everything that does not change in V's life. */
void vmcs_init_controls(struct vcpu *v);

/* What differs from CPU to CPU: stack pointer, GDT, IDT, TSS, gs. */
void vmcs_write_host(const struct percpu *cpu);

/*
 * Guest state and general registers as RESET and INIT leave them (SDM vol. 3,
 * "Processor State After Reset"), then what v->start says.
 */
void vmcs_reset_guest(struct vcpu *v);
void vmcs_apply_start(struct vcpu *v);

/* Real mode at VECTOR << 12, as a SIPI starts it. */
void vmcs_apply_sipi(u8 vector);

/* CR0, CR4 and EFER as the guest asked for: hardware value and shadow. */
void vmcs_write_cr0(u64 cr0);
void vmcs_write_cr4(u64 cr4);
void vmcs_write_efer(u64 efer); /* and the entry control that mirrors LMA */
u64 vmcs_read_cr0(void);        /* as the guest sees it */
u64 vmcs_read_cr4(void);

/* CR0 and CR4 bits whose change by the guest comes to us. */
u64 vmcs_cr0_mask(void);
u64 vmcs_cr4_mask(struct vcpu *v);

/*
 * What entry_check() looks at, from the current VMCS. S is zeroed, or what an
 * earlier call made of it. True: S differs from that in moving fields only.
 */
bool vmcs_read_entry_state(struct entry_state *s);

#endif

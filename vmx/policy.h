/* SPDX-License-Identifier: MIT */
/*
 * The questions vmx/ asks upward: declared here, defined in guest/, joined by
 * the linker. V is always the current vCPU of the calling CPU, unless said
 * otherwise. None of these may block.
 */
#ifndef VMX_POLICY_H
#define VMX_POLICY_H

#include "boot/lib/x86.h"
#include "vmx/vcpu.h"

/* CPUID.LEAF.SUBLEAF as this vCPU sees it now (CR4, XCR0, XSS included). */
void policy_cpuid(struct vcpu *v, u32 leaf, u32 subleaf,
		  struct cpuid_regs *out);

enum policy_answer {
	POLICY_OK,
	POLICY_GP,   /* inject #GP(0); nothing was changed */
	POLICY_STOP, /* the VM was stopped */
};

/*
 * MSRs that exit and that vmx/ does not own. (vmx/ owns the VMCS-held ones,
 * EFER, PAT, XFD, XFD_ERR, XSS and what its MSR bitmap passes through.)
 */
enum policy_answer policy_rdmsr(struct vcpu *v, u32 index, u64 *value);
enum policy_answer policy_wrmsr(struct vcpu *v, u32 index, u64 value);

/*
 * One port access of BYTES (1, 2, 4). IN: *VALUE is set, in full. OUT: *VALUE
 * is what the guest wrote. RUN_AGAIN, or RUN_STOP where it ends the VM.
 */
enum verdict policy_pio(struct vcpu *v, u16 port, unsigned int bytes, bool in,
			u32 *value);

/* Is there a device at AT? vmx/ then decodes the instruction. */
bool policy_is_mmio(struct vcpu *v, gpa_t at);
enum verdict policy_mmio(struct vcpu *v, gpa_t at, unsigned int bytes,
			 bool write, u64 *value);

/*
 * BYTES of guest RAM at AT as host memory, not crossing the end of RAM. NULL:
 * not RAM.
 */
void *policy_memory(struct vcpu *v, gpa_t at, u64 bytes);

/* Builds with DEBUG=2: panics if the EPT of V's VM is not what it should be. */
void policy_audit(struct vcpu *v);

/*
 * Interrupts: the vector that the local APIC would deliver now (priority, TPR
 * and masking taken into account), or -1. Asking changes nothing.
 */
int policy_interrupt_pending(struct vcpu *v);

/*
 * The same, to deliver it: IRR to ISR. It may be another one than was pending a
 * moment before, or none (-1): another CPU's vCPU may drive the same device.
 */
int policy_interrupt_accept(struct vcpu *v);

/* Vectors that others posted (vcpu_post_interrupt()), a bit each. */
void policy_posted(struct vcpu *v, const u32 irr[POSTED_WORDS]);

/* Would one be delivered, however: by us or by the CPU? For HLT. */
bool policy_interrupt_wakes(struct vcpu *v);

/*
 * APIC virtualization, for a V with v->virtual_apic. What is new in V's local
 * APIC goes into that page; *ENTRY says what the VMCS is to say. False: nothing
 * is new since it was last asked. While the mode is not APICV_OFF the page is
 * the CPU's, and policy_interrupt_pending() speaks of the 8259s alone.
 */
bool policy_apic_page(struct vcpu *v, struct apicv_entry *entry);

/* The CPU wrote to the page's register at OFFSET; what follows is not done. */
void policy_apic_written(struct vcpu *v, u32 offset);

/* The CPU did the EOI of VECTOR, whose bit in eoi_exit was set. */
void policy_apic_eoi(struct vcpu *v, u8 vector);

/* Guest-physical address of V's APIC registers. */
u64 policy_apic_base(struct vcpu *v);

/* CR8 as the guest sees it: TPR bits 7:4. */
u64 policy_get_tpr(struct vcpu *v);
void policy_set_tpr(struct vcpu *v, u64 cr8);

/* Host TSC at which the vCPU's next virtual timer is due; ~0: none. */
u64 policy_next_timer(struct vcpu *v);

/* Timers due at NOW (host TSC) post their interrupt. V may be any vCPU. */
void policy_timers(struct vcpu *v, u64 now);

/* A RESET of the VM was asked for by a triple fault, or V takes INIT. */
void policy_init(struct vcpu *v); /* devices of V: as an INIT leaves them */
enum verdict policy_triple_fault(struct vcpu *v);

/* VMCALL with calls=on, CPL 0: number RAX, argument RBX. */
enum verdict policy_call(struct vcpu *v, u64 number, u64 argument, u64 *result);

/*
 * Work that belongs to no vCPU: the terminal. Each CPU calls it between two
 * stays in a guest, at TSC value NOW, and when an interrupt has come. Returns
 * the TSC value at which it must be called again; ~0: at leisure.
 */
u64 policy_service(u64 now);

/* Stop the VM of V, alone, with this sentence. CODE as in `vm-stop`. */
void policy_stop(struct vcpu *v, const char *reason, int code);

/*
 * V, which vcpu_remove() has stopped, is out of its CPU's hands: no CPU has its
 * registers, extended state or VMCS any more. Called once for each, on V's CPU;
 * after the last one of a VM its memory may go back, or it may begin again.
 */
void policy_left(struct vcpu *v);

/* A turn of V, which has a chore: at most a slice's work. False: it was the
 * last; V is not touched any more, or was begun. */
bool policy_chore(struct vcpu *v);

/* A growth of V's area has happened at RIP: the `grow` event. */
void policy_grown(struct vcpu *v, u64 rip);

#endif

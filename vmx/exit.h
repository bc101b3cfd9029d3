/* SPDX-License-Identifier: MIT */
/*
 * From an exit reason to its handler, and what all handlers share. V is the
 * current vCPU of this CPU everywhere here.
 */
#ifndef VMX_EXIT_H
#define VMX_EXIT_H

#include "vmx/insn.h"
#include "vmx/vcpu.h"

/* Exit reasons of the SDM that <asm/vmx.h> does not name (everywhere). */
enum exit_reason_more {
	EXIT_GETSEC        = 11,
	EXIT_RSM           = 17,
	EXIT_PCONFIG       = 65,
	EXIT_SPP           = 66,
	EXIT_LOADIWKEY     = 69,
	EXIT_ENCLV         = 70,
	EXIT_ENQCMD_PASID  = 72,
	EXIT_ENQCMDS_PASID = 73,
	EXIT_SEAMCALL      = 76,
	EXIT_TDCALL        = 77,
	EXIT_RDMSRLIST     = 78,
	EXIT_WRMSRLIST     = 79,
};

typedef enum verdict exit_fn(struct vcpu *v);

/*
 * Handlers by basic exit reason. No slot is empty: a reason without a handler
 * has one that stops the VM.
 */
extern exit_fn *const exit_table[VCPU_EXIT_REASON_COUNT];

/* REASON is beyond the table: new to us, or the flag of a failed entry. */
enum verdict exit_beyond(struct vcpu *v, u32 reason);

/* Handle the exit for REASON, the basic reason with its flags. */
static inline enum verdict exit_dispatch(struct vcpu *v, u32 reason)
{
	if (__builtin_expect(reason >= VCPU_EXIT_REASON_COUNT, 0))
		return exit_beyond(v, reason);
	v->stats.exits[reason]++;
	v->last_reason = reason;
	return exit_table[reason](v);
}

/* The VM entry did not happen: VM-instruction failure, or exit reason's bit 31.
 */
enum verdict exit_entry_refused(struct vcpu *v);
enum verdict exit_entry_failed(struct vcpu *v, u32 reason);

/* A basic exit reason's name, for dumps and statistics; never NULL. */
const char *exit_reason_name(u32 basic_reason);

/* The exit qualification, noted in the trace as well. */
u64 exit_qualification(void);

/*
 * RIP has been moved by hand: what else retiring an instruction does to
 * shadows, RF and single steps. RUN_AGAIN.
 */
enum verdict exit_retire_slowly(struct vcpu *v);
static inline enum verdict exit_retire(struct vcpu *v)
{
	const u32 blocked = vmread32(VMCS_GUEST_INTERRUPTIBILITY);
	const u64 rflags  = vmread(VMCS_GUEST_RFLAGS);

	if (__builtin_expect((blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)) ||
				     (rflags & (RFLAGS_TF | RFLAGS_RF)),
			     0))
		return exit_retire_slowly(v);
	return RUN_AGAIN;
}

/*
 * The instruction that exited has been carried out: RUN_AGAIN behind it. Short,
 * because most exits end here: calls only in tail position.
 */
enum verdict exit_skip_wrapping(struct vcpu *v);
static inline enum verdict exit_skip(struct vcpu *v)
{
	const u64 length = vmread(VMCS_EXIT_INSTRUCTION_LENGTH);
	u32 low;

	/* Outside 64-bit mode RIP has 32 bits. */
	if (__builtin_expect(
		    __builtin_add_overflow(lo32(v->rip), lo32(length), &low),
		    0))
		return exit_skip_wrapping(v);
	vmwrite(VMCS_GUEST_RIP, v->rip + length);
	return exit_retire(v);
}

/* An exception instead of the instruction: RUN_AGAIN, RIP unchanged. */
enum verdict exit_inject(struct vcpu *v, u8 vector, u32 error);
enum verdict exit_inject_gp(struct vcpu *v);
enum verdict exit_inject_ud(struct vcpu *v);
enum verdict exit_inject_pf(struct vcpu *v, u64 address, u32 error);

/*
 * The exit came during the delivery of an event: deliver it again. To be called
 * by the handlers of exits that can do so, before anything is injected.
 */
void exit_keep_event(struct vcpu *v);

/* Translations of V that this CPU may have kept are gone. */
void exit_flush_tlb(const struct vcpu *v);

/* The handlers, by file. */
exit_fn exit_exception;                                /* exit_exception.c */
exit_fn exit_external_intr, exit_slice_over, exit_hlt; /* exit_event.c */
exit_fn exit_intr_window, exit_nmi_window, exit_triple_fault;
exit_fn exit_cr;                                          /* exit_cr.c */
exit_fn exit_xsetbv;                                      /* exit_xstate.c */
exit_fn exit_rdmsr, exit_wrmsr;                           /* exit_msr.c */
exit_fn exit_cpuid, exit_vmcall;                          /* exit_ask.c */
exit_fn exit_io;                                          /* exit_io.c */
exit_fn exit_ept_violation, exit_ept_misconfig;           /* exit_ept.c */
exit_fn exit_apic_access, exit_apic_write, exit_apic_eoi; /* exit_apic.c */

/* The MOV at RIP accesses AT, which is no RAM (exit_ept.c). */
enum verdict exit_emulate_mmio(struct vcpu *v, gpa_t at);

/*
 * RDMSR and WRMSR of the extended state's MSRs (exit_xstate.c), of EFER
 * (exit_cr.c). True: it was one of them, and *VERDICT holds.
 */
bool exit_xstate_rdmsr(struct vcpu *v, u32 msr, u64 *value,
		       enum verdict *verdict);
bool exit_xstate_wrmsr(struct vcpu *v, u32 msr, u64 value,
		       enum verdict *verdict);
enum verdict exit_write_efer(struct vcpu *v, u64 value);

#endif

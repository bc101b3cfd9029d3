/* SPDX-License-Identifier: MIT */
/* The half of a vCPU that only the run loop and the exit handlers use. */
#ifndef VMX_VCPU_RUN_H
#define VMX_VCPU_RUN_H

#include "boot/lib/percpu.h"
#include "vmx/vcpu.h"

/* V gets this CPU's VMX half, or gives it back; see runloop.c for the order. */
void vcpu_load(struct percpu *cpu, struct vcpu *v);
void vcpu_put(struct percpu *cpu, struct vcpu *v);

/* CPU, which is this one and has V not loaded, holds nothing of it any more. */
void vcpu_give_up(struct percpu *cpu, struct vcpu *v);

/*
 * The same, and V, which has run here and wants to go on, does so on CPU TO:
 * its VMCS is written to memory here, and launched anew there.
 */
void vcpu_move(struct percpu *cpu, struct vcpu *v, struct percpu *to);

/*
 * Run V, which is loaded, until SLICE_END (host TSC) or until it gives the CPU
 * back: RUN_YIELD, RUN_BLOCK or RUN_STOP. Interrupts are off.
 */
enum verdict vcpu_run(struct vcpu *v, u64 slice_end);

/* This CPU owes V's EPT no INVEPT when it returns. V is loaded. */
void vcpu_meet_ept_duty(struct percpu *cpu, struct vcpu *v);

/* Program what fpu_traps() asks for: exception bitmap and MSR bitmap. */
void vcpu_apply_traps(struct vcpu *v);

/* Move the guest's TSC by DELTA ticks. */
void vcpu_move_tsc(struct vcpu *v, u64 delta);

/* CR4 bits that the guest's CPUID offers. */
u64 vcpu_cr4_allowed(struct vcpu *v);

/* Registers that are in no VMCS: between HW, this CPU's, and V (vcpu.c). */
struct vmx_cpu;
void vcpu_load_registers(struct vmx_cpu *hw, const struct vcpu *v);
void vcpu_save_registers(struct vmx_cpu *hw, struct vcpu *v);

/*
 * Carry out or note down what was posted to V; VCPU_EVENT_STOP stays (this and
 * the next three: vcpu_event.c).
 */
void vcpu_take_events(struct vcpu *v);

/* What was posted to V goes to its APIC. V is the current vCPU. */
void vcpu_take_posted(struct vcpu *v);

/* Does what is pending end a HLT: an interrupt that V takes, or an NMI? */
bool vcpu_wakes(struct vcpu *v);

/* Choose the event of the next entry, and windows for what has to wait. */
void vcpu_inject_pending(struct vcpu *v);

#endif

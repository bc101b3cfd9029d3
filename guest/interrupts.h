/* SPDX-License-Identifier: MIT */
/*
 * How interrupts travel in a VM: from device lines to I/O APIC and 8259s, from
 * there and from local APICs to local APICs, and from those to vmx/.
 */
#ifndef GUEST_INTERRUPTS_H
#define GUEST_INTERRUPTS_H

#include "guest/vm.h"

/* Carry out what an access to V's local APIC caused. V is the current vCPU. */
void interrupts_effect(struct vcpu *v, const struct vlapic_effect *effect);

/* The device at IRQ drives its line to LEVEL. VM's lock is held. */
void interrupts_line(struct vm *vm, unsigned int irq, bool level);

/* After an access to the I/O APIC: level pins that may interrupt. Lock held. */
void interrupts_rescan(struct vm *vm);

#endif

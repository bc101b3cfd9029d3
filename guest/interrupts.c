/* SPDX-License-Identifier: MIT */
/* Delivery: messages to the local APICs that they match. */
#include "guest/interrupts.h"

static void deliver_to(struct vm *vm, u32 i, const struct apic_message *m)
{
	struct vcpu *v   = &vm->vcpu[i];
	struct vlapic *l = &vm->device[i].lapic;

	switch (m->mode) {
	case APIC_FIXED:
	case APIC_LOWEST:
		if (!m->level && vcpu_is_posting(v) &&
		    vlapic_can_bypass(l, m->vector))
			vcpu_post_interrupt(v, m->vector);
		else if (vlapic_post(l, m->vector, m->level))
			vcpu_post(v, VCPU_EVENT_INTR);
		return;
	case APIC_NMI:
		vcpu_post(v, VCPU_EVENT_NMI);
		return;
	case APIC_INIT:
		vcpu_post(v, VCPU_EVENT_INIT);
		return;
	case APIC_SIPI:
		vcpu_post_sipi(v, m->vector);
		return;
	default: /* SMI and reserved modes: nobody listens */
		return;
	}
}

/* FROM: the sender's index for shorthands, or none. */
static void send(struct vm *vm, const struct apic_message *m,
		 enum apic_shorthand shorthand, u32 from)
{
	for (u32 i = 0; i < vm->config.vcpu_count; i++) {
		bool to = shorthand == APIC_TO_ALL;

		if (shorthand == APIC_TO_DESTINATION)
			to = vlapic_matches(&vm->device[i].lapic, m);
		else if (shorthand == APIC_TO_SELF)
			to = i == from;
		else if (shorthand == APIC_TO_OTHERS)
			to = i != from;
		if (!to)
			continue;
		deliver_to(vm, i, m);
		/* All priorities are alike to us: the first one takes it. */
		if (m->mode == APIC_LOWEST && shorthand == APIC_TO_DESTINATION)
			return;
	}
}

void interrupts_rescan(struct vm *vm)
{
	struct apic_message m;

	while (vioapic_pending(&vm->ioapic, &m))
		send(vm, &m, APIC_TO_DESTINATION, 0);
}

void interrupts_line(struct vm *vm, unsigned int irq, bool level)
{
	struct apic_message m;

	/* A level that stays has been seen; EOI and unmasking look again. */
	if (vioapic_line(&vm->ioapic, irq) == level)
		return;
	if (vioapic_set(&vm->ioapic, irq, level, &m))
		send(vm, &m, APIC_TO_DESTINATION, 0);
	vpic_set(&vm->pic, irq, level);
	if (vpic_pending(&vm->pic) >= 0)
		vcpu_post(&vm->vcpu[0], VCPU_EVENT_INTR);
}

void interrupts_effect(struct vcpu *v, const struct vlapic_effect *effect)
{
	struct vm *vm = v->vm;

	if (effect->eoi) {
		spin_lock(&vm->lock);
		vioapic_eoi(&vm->ioapic, effect->eoi_vector);
		interrupts_rescan(vm);
		spin_unlock(&vm->lock);
	}
	if (effect->ipi)
		send(vm, &effect->message, effect->shorthand, v->index);
	/* A timer may have been set, a vector may be deliverable now. */
	v->work |= WORK_TIMER;
	if (vlapic_pending(&vm_device(v)->lapic) >= 0)
		vcpu_post(v, VCPU_EVENT_INTR);
}

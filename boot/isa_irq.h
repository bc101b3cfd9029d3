/* SPDX-License-Identifier: MIT */
/*
 * Where the interrupt of an ISA device arrives: which input of which I/O APIC,
 * as the MADT says. Pure; the I/O APIC itself is ioapic.h. Source: ACPI 6.4,
 * 5.2.12.3 "I/O APIC Structure", 5.2.12.5 "Interrupt Source Override
 * Structure".
 */
#ifndef BOOT_ISA_IRQ_H
#define BOOT_ISA_IRQ_H

#include "boot/lib/types.h"

struct isa_irq {
	u32 address; /* of the I/O APIC's registers */
	u32 input;   /* its number there */
	bool level;  /* else edge-triggered */
	bool low;    /* else active high */
};

/*
 * IRQ, 0 to 15, by the MADT of LENGTH bytes, whose entries are not believed.
 * False: no I/O APIC has it.
 */
bool isa_irq_find(const u8 *madt, u32 length, u8 irq, struct isa_irq *out);

/* The IRQ a PC's UART at I/O port PORT has; 0: it is not one of the four. */
u8 isa_irq_of_uart(u16 port);

#endif

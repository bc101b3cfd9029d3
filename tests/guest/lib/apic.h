/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of the CPU that calls, in x2APIC mode if the CPU has it and
 * in xAPIC mode by MMIO if not, or if a claim asks for it.
 */
#ifndef LIB_APIC_H
#define LIB_APIC_H

#include "lib/types.h"

#define APIC_REG_ID       0x02
#define APIC_REG_VERSION  0x03
#define APIC_REG_TPR      0x08
#define APIC_REG_EOI      0x0b
#define APIC_REG_SVR      0x0f
#define APIC_REG_ISR      0x10
#define APIC_REG_IRR      0x20
#define APIC_REG_ICR      0x30
#define APIC_REG_ICR_HIGH 0x31
#define APIC_REG_TIMER    0x32
#define APIC_REG_LINT0    0x35
#define APIC_REG_INITIAL  0x38
#define APIC_REG_CURRENT  0x39
#define APIC_REG_DIVIDE   0x3e

#define APIC_NMI     0x0400u
#define APIC_INIT    0x0500u
#define APIC_STARTUP 0x0600u

#define APIC_TIMER_ONE_SHOT 0x00000u
#define APIC_TIMER_PERIODIC 0x20000u
#define APIC_TIMER_DEADLINE 0x40000u
#define APIC_MASKED         0x10000u

#define APIC_SPURIOUS_VECTOR 0xff

/* Enable it in software, in the better mode. Harmless when repeated. */
void apic_enable(void);

/* Enable it by MMIO (X2 false) or MSR; x2APIC cannot go back to xAPIC. */
void apic_enable_mode(bool x2);

/* Registers by number (the MMIO offset divided by 16). */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 val);

/* The low half of the ICR, sent to CPU; waits until it has been accepted. */
void apic_send(u32 cpu, u32 icr);

void apic_eoi(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the three files of the local APIC share: vlapic.c (modes, priorities,
 * messages), vlapic_regs.c (register accesses), vlapic_timer.c. Not for others.
 */
#ifndef GUEST_VLAPIC_PARTS_H
#define GUEST_VLAPIC_PARTS_H

#include "guest/vlapic.h"

#define SVR_ENABLED    BIT(8)
#define LVT_LEVEL      0x8000u
#define LVT_MASKED     BIT(16)
#define TIMER_PERIODIC BIT(17)
#define TIMER_DEADLINE BIT(18)
#define DIVIDE_BITS    0xbu /* of the divide configuration */

#define ESR_SEND_VECTOR    BIT(5)
#define ESR_RECEIVE_VECTOR BIT(6)
#define ESR_REGISTER       BIT(7)

/* Registers that are computed: LDR in x2APIC mode, PPR. */
u32 vlapic_logical_id(const struct vlapic *l);
u32 vlapic_ppr(const struct vlapic *l);

/* Enabled by IA32_APIC_BASE and by SVR. */
bool vlapic_is_on(const struct vlapic *l);

/* A register as an access reads it; REG is the MSR's index less 800H. */
u32 vlapic_read_reg(struct vlapic *l, u32 reg, u64 now);

/* An error of enum ESR_*: noted for ESR, and its interrupt. */
void vlapic_raise_error(struct vlapic *l, u64 bit);

/* EOI was written. */
void vlapic_end(struct vlapic *l, struct vlapic_effect *effect);

/* ICR was written: SDM vol. 3, "Issuing Interprocessor Interrupts". */
void vlapic_send(struct vlapic *l, struct vlapic_effect *effect);

/* The timer's registers; a new mode stops it. */
u32 vlapic_timer_count(const struct vlapic *l, u64 now);
void vlapic_timer_start(struct vlapic *l, u32 count, u64 now);
void vlapic_timer_divide(struct vlapic *l, u32 value, u64 now);
void vlapic_timer_stop(struct vlapic *l);

#endif

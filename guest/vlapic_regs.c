/* SPDX-License-Identifier: MIT */
/* The local APIC's registers, as MSRs and as a page. */
#include "guest/vlapic_parts.h"

/* Register numbers: xAPIC offset / 16, x2APIC MSR - 800H. */
enum reg {
	REG_ID       = 0x02,
	REG_VERSION  = 0x03,
	REG_TPR      = 0x08,
	REG_APR      = 0x09,
	REG_PPR      = 0x0a,
	REG_EOI      = 0x0b,
	REG_RRD      = 0x0c,
	REG_LDR      = 0x0d,
	REG_DFR      = 0x0e,
	REG_SVR      = 0x0f,
	REG_ISR      = 0x10, /* eight each */
	REG_ISR_LAST = 0x17,
	REG_TMR      = 0x18,
	REG_TMR_LAST = 0x1f,
	REG_IRR      = 0x20,
	REG_IRR_LAST = 0x27,
	REG_ESR      = 0x28,
	REG_ICR      = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT      = 0x32, /* timer, thermal, PMI, LINT0, LINT1, error */
	REG_LVT_LAST = 0x37,
	REG_INITIAL  = 0x38,
	REG_CURRENT  = 0x39,
	REG_DIVIDE   = 0x3e,
	REG_SELF_IPI = 0x3f,
	REG_COUNT    = 0x40,
};

/* Who may do what: x is xAPIC, 2 is x2APIC. */
#define XR BIT(0)
#define XW BIT(1)
#define R2 BIT(2)
#define W2 BIT(3)
#define RW (XR | XW | R2 | W2)

static const u8 access_of[REG_COUNT] = {
	[REG_ID]                  = XR | R2,
	[REG_VERSION]             = XR | R2,
	[REG_TPR]                 = RW,
	[REG_APR]                 = XR,
	[REG_PPR]                 = XR | R2,
	[REG_EOI]                 = XW | W2,
	[REG_RRD]                 = XR,
	[REG_LDR]                 = XR | XW | R2,
	[REG_DFR]                 = XR | XW,
	[REG_SVR]                 = RW,
	[REG_ISR... REG_ISR_LAST] = XR | R2,
	[REG_TMR... REG_TMR_LAST] = XR | R2,
	[REG_IRR... REG_IRR_LAST] = XR | R2,
	[REG_ESR]                 = RW,
	[REG_ICR]                 = RW,
	[REG_ICR_HIGH]            = XR | XW,
	[REG_LVT... REG_LVT_LAST] = RW,
	[REG_INITIAL]             = RW,
	[REG_CURRENT]             = XR | R2,
	[REG_DIVIDE]              = RW,
	[REG_SELF_IPI]            = W2,
};

#define VERSION  (0x15 | (LVT_COUNT - 1) << 16)
#define SVR_BITS FIELD(8, 0)

static const u32 lvt_bits[LVT_COUNT] = {
	[LVT_TIMER] = 0x700ff, [LVT_THERMAL] = 0x107ff, [LVT_PMI] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff,   [LVT_ERROR] = 0x100ff,
};
#define LVT_READ_ONLY (BIT(12) | BIT(14)) /* delivery status, remote IRR */

#define ICR_STATUS          BIT(12)
#define ICR_X2APIC_RESERVED (FIELD(31, 20) | FIELD(17, 16) | BIT(13))

static void write_lvt(struct vlapic *l, unsigned int i, u32 value)
{
	const u32 old = l->lvt[i];

	l->lvt[i] = value & lvt_bits[i];
	if (!(l->svr & SVR_ENABLED))
		l->lvt[i] |= LVT_MASKED;
	if (i == LVT_TIMER && ((old ^ l->lvt[i]) & TIMER_DEADLINE))
		vlapic_timer_stop(l);
}

static void write_svr(struct vlapic *l, u32 value)
{
	l->svr = value & SVR_BITS;
	if (!(l->svr & SVR_ENABLED))
		for (unsigned int i = 0; i < LVT_COUNT; i++)
			l->lvt[i] |= LVT_MASKED;
}

u32 vlapic_read_reg(struct vlapic *l, u32 reg, u64 now)
{
	switch (reg) {
	case REG_ID:
		return vlapic_is_x2apic(l) ? l->id : l->id << 24;
	case REG_VERSION:
		return VERSION;
	case REG_TPR:
		return l->tpr;
	case REG_PPR:
	case REG_APR:
		return vlapic_ppr(l);
	case REG_LDR:
		return vlapic_logical_id(l);
	case REG_DFR:
		return l->dfr;
	case REG_SVR:
		return l->svr;
	case REG_ISR ... REG_ISR_LAST:
		return l->isr[reg - REG_ISR];
	case REG_TMR ... REG_TMR_LAST:
		return l->tmr[reg - REG_TMR];
	case REG_IRR ... REG_IRR_LAST:
		return __atomic_load_n(&l->irr[reg - REG_IRR],
				       __ATOMIC_ACQUIRE);
	case REG_ESR:
		return l->esr;
	case REG_ICR:
		return lo32(l->icr);
	case REG_ICR_HIGH:
		return hi32(l->icr);
	case REG_LVT ... REG_LVT_LAST:
		return l->lvt[reg - REG_LVT];
	case REG_INITIAL:
		return l->initial;
	case REG_CURRENT:
		return vlapic_timer_count(l, now);
	case REG_DIVIDE:
		return l->divide;
	default:
		return 0;
	}
}

/* A legal write, common to both modes; ICR and what x2APIC adds are apart. */
static void write_reg(struct vlapic *l, enum reg reg, u32 value, u64 now,
		      struct vlapic_effect *effect)
{
	switch (reg) {
	case REG_TPR:
		l->tpr = value & 0xff;
		return;
	case REG_EOI:
		vlapic_end(l, effect);
		return;
	case REG_LDR:
		l->ldr = value & (u32)FIELD(31, 24);
		return;
	case REG_DFR:
		l->dfr = value | (u32)FIELD(27, 0);
		return;
	case REG_SVR:
		write_svr(l, value);
		return;
	case REG_ESR:
		l->esr = __atomic_exchange_n(&l->esr_pending, 0,
					     __ATOMIC_RELAXED);
		return;
	case REG_ICR_HIGH:
		l->icr = make64(value, l->icr);
		return;
	case REG_LVT ... REG_LVT_LAST:
		write_lvt(l, reg - REG_LVT, value);
		return;
	case REG_INITIAL:
		if (l->lvt[LVT_TIMER] & TIMER_DEADLINE)
			return;
		l->initial = value;
		vlapic_timer_start(l, value, now);
		return;
	case REG_DIVIDE:
		vlapic_timer_divide(l, value, now);
		return;
	default:
		return;
	}
}

bool vlapic_read_msr(struct vlapic *l, u32 reg, u64 now, u64 *value)
{
	if (!vlapic_is_x2apic(l) || reg >= REG_COUNT || !(access_of[reg] & R2))
		return false;
	*value = reg == REG_ICR ? l->icr : vlapic_read_reg(l, reg, now);
	return true;
}

/* Bits that a write to REG in x2APIC mode may have set; others are #GP(0). */
static u64 x2apic_writable(enum reg reg)
{
	switch (reg) {
	case REG_TPR:
	case REG_SELF_IPI:
		return 0xff;
	case REG_SVR:
		return SVR_BITS;
	case REG_EOI:
	case REG_ESR:
		return 0;
	case REG_ICR:
		return ~ICR_X2APIC_RESERVED;
	case REG_LVT ... REG_LVT_LAST:
		return lvt_bits[reg - REG_LVT] | LVT_READ_ONLY;
	case REG_DIVIDE:
		return DIVIDE_BITS;
	default:
		return ~0u;
	}
}

bool vlapic_write_msr(struct vlapic *l, u32 reg, u64 value, u64 now,
		      struct vlapic_effect *effect)
{
	if (!vlapic_is_x2apic(l) || reg >= REG_COUNT ||
	    !(access_of[reg] & W2) || (value & ~x2apic_writable((enum reg)reg)))
		return false;
	switch (reg) {
	case REG_ICR:
		l->icr = value & ~ICR_STATUS;
		vlapic_send(l, effect);
		return true;
	case REG_SELF_IPI:
		if (value < 16)
			vlapic_raise_error(l, ESR_SEND_VECTOR);
		else
			vlapic_post(l, (u8)value, false);
		return true;
	default:
		write_reg(l, (enum reg)reg, lo32(value), now, effect);
		return true;
	}
}

u32 vlapic_read(struct vlapic *l, u32 offset, u64 now)
{
	const u32 reg = offset / 16;

	if (reg >= REG_COUNT || !(access_of[reg] & (XR | XW))) {
		vlapic_raise_error(l, ESR_REGISTER);
		return 0;
	}
	if (!is_aligned(offset, 16) || !(access_of[reg] & XR))
		return 0;
	return vlapic_read_reg(l, reg, now);
}

void vlapic_write(struct vlapic *l, u32 offset, u32 value, u64 now,
		  struct vlapic_effect *effect)
{
	const u32 reg = offset / 16;

	if (reg >= REG_COUNT || !(access_of[reg] & (XR | XW))) {
		vlapic_raise_error(l, ESR_REGISTER);
		return;
	}
	if (!is_aligned(offset, 16) || !(access_of[reg] & XW))
		return;
	if (reg == REG_ICR) {
		l->icr = make64(hi32(l->icr), value & ~ICR_STATUS);
		vlapic_send(l, effect);
		return;
	}
	write_reg(l, (enum reg)reg, value, now, effect);
}

/* SPDX-License-Identifier: MIT */
/* The local APIC's registers, priorities and timer. */
#include "guest/vlapic.h"

#include "boot/lib/string.h"
#include "boot/lib/x86.h"

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

#define VERSION     (0x15 | (LVT_COUNT - 1) << 16)
#define SVR_ENABLED BIT(8)
#define SVR_BITS    FIELD(8, 0)
#define DIVIDE_BITS 0xbu
#define DFR_FLAT    0xfu

#define LVT_LEVEL      0x8000u
#define LVT_MASKED     BIT(16)
#define TIMER_PERIODIC BIT(17)
#define TIMER_DEADLINE BIT(18)

static const u32 lvt_bits[LVT_COUNT] = {
	[LVT_TIMER] = 0x700ff, [LVT_THERMAL] = 0x107ff, [LVT_PMI] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff,   [LVT_ERROR] = 0x100ff,
};
#define LVT_READ_ONLY (BIT(12) | BIT(14)) /* delivery status, remote IRR */

#define ICR_STATUS          BIT(12)
#define ICR_X2APIC_RESERVED (FIELD(31, 20) | FIELD(17, 16) | BIT(13))

#define ESR_SEND_VECTOR    BIT(5)
#define ESR_RECEIVE_VECTOR BIT(6)
#define ESR_REGISTER       BIT(7)

/*
 * A periodic timer that would fire again before its handler can run gives the
 * guest no instruction at all; hardware has latency instead.
 */
#define PERIOD_MIN 4096

static bool bitmap_get(const u32 *map, u8 i)
{
	return map[i / 32] & 1u << i % 32;
}

static void bitmap_set(u32 *map, u8 i)
{
	__atomic_fetch_or(&map[i / 32], 1u << i % 32, __ATOMIC_RELEASE);
}

static void bitmap_clear(u32 *map, u8 i)
{
	__atomic_fetch_and(&map[i / 32], ~(1u << i % 32), __ATOMIC_RELEASE);
}

/* The highest bit, or -1. */
static int bitmap_last(const u32 *map)
{
	for (int i = 7; i >= 0; i--) {
		const u32 word = __atomic_load_n(&map[i], __ATOMIC_ACQUIRE);

		if (word)
			return i * 32 + 31 - __builtin_clz(word);
	}
	return -1;
}

void vlapic_init(struct vlapic *l)
{
	const struct vlapic keep = *l;

	memset(l, 0, sizeof(*l));
	l->id           = keep.id;
	l->base         = keep.base;
	l->tsc_per_tick = keep.tsc_per_tick;
	l->svr          = 0xff;
	l->dfr          = ~0u;
	for (unsigned int i = 0; i < LVT_COUNT; i++)
		l->lvt[i] = LVT_MASKED;
}

void vlapic_reset(struct vlapic *l, u32 id, u32 tsc_per_tick)
{
	memset(l, 0, sizeof(*l));
	l->id           = id;
	l->tsc_per_tick = tsc_per_tick;
	l->base         = VLAPIC_BASE | APIC_BASE_ENABLE;
	if (id == 0)
		l->base |= APIC_BASE_BSP;
	vlapic_init(l);
}

void vlapic_virtual_wire(struct vlapic *l)
{
	l->svr            = SVR_ENABLED | 0xff;
	l->lvt[LVT_LINT0] = LVT_LEVEL | APIC_EXTINT << 8;
	l->lvt[LVT_LINT1] = LVT_LEVEL | APIC_NMI << 8;
}

bool vlapic_is_enabled(const struct vlapic *l)
{
	return l->base & APIC_BASE_ENABLE;
}

bool vlapic_is_x2apic(const struct vlapic *l)
{
	return l->base & APIC_BASE_X2APIC;
}

static bool is_on(const struct vlapic *l)
{
	return vlapic_is_enabled(l) && (l->svr & SVR_ENABLED);
}

bool vlapic_write_base(struct vlapic *l, u64 value, unsigned int phys_bits)
{
	const u64 mode     = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
	const u64 writable = (FIELD(phys_bits - 1, 12) | mode | APIC_BASE_BSP);
	const u64 from     = l->base & mode;
	const u64 to       = value & mode;

	if (value & ~writable)
		return false;
	/* SDM, "x2APIC State Transitions": what its figure does not show. */
	if (to == APIC_BASE_X2APIC)
		return false;
	if (from == mode && to == APIC_BASE_ENABLE)
		return false;
	if (from == 0 && to == mode)
		return false;
	l->base = value;
	if (from != to && to == 0)
		vlapic_init(l);
	if (from != to && to == mode) {
		/* The id and logical id become x2APIC's, the ICR one word. */
		l->icr = 0;
	}
	return true;
}

static u32 logical_id(const struct vlapic *l)
{
	if (vlapic_is_x2apic(l))
		return (l->id >> 4) << 16 | 1u << (l->id & 0xf);
	return l->ldr;
}

static u32 ppr(const struct vlapic *l)
{
	const int isr        = bitmap_last(l->isr);
	const u32 in_service = isr < 0 ? 0 : (u32)isr & 0xf0;

	return (l->tpr & 0xf0) >= in_service ? l->tpr : in_service;
}

int vlapic_pending(const struct vlapic *l)
{
	const int irr = bitmap_last(l->irr);

	if (irr < 0 || !is_on(l) || ((u32)irr & 0xf0) <= (ppr(l) & 0xf0))
		return -1;
	return irr;
}

void vlapic_accept(struct vlapic *l, u8 vector)
{
	bitmap_clear(l->irr, vector);
	bitmap_set(l->isr, vector);
}

static void raise_error(struct vlapic *l, u64 bit)
{
	const u32 lvt   = l->lvt[LVT_ERROR];
	const u8 vector = (u8)lvt;

	l->esr_pending |= (u32)bit;
	/* An illegal vector here must not raise an error in its turn. */
	if (!(lvt & LVT_MASKED) && vector >= 16 && is_on(l)) {
		bitmap_clear(l->tmr, vector);
		bitmap_set(l->irr, vector);
	}
}

bool vlapic_post(struct vlapic *l, u8 vector, bool level)
{
	if (!is_on(l))
		return false;
	if (vector < 16) {
		raise_error(l, ESR_RECEIVE_VECTOR);
		return true; /* the error's own interrupt may be pending */
	}
	if (level)
		bitmap_set(l->tmr, vector);
	else
		bitmap_clear(l->tmr, vector);
	bitmap_set(l->irr, vector);
	return true;
}

bool vlapic_takes_extint(const struct vlapic *l)
{
	const u32 lint0 = l->lvt[LVT_LINT0];

	if (!vlapic_is_enabled(l))
		return true;
	return !(lint0 & LVT_MASKED) && field_get(lint0, 10, 8) == APIC_EXTINT;
}

static void end_of_interrupt(struct vlapic *l, struct vlapic_effect *effect)
{
	const int isr = bitmap_last(l->isr);

	if (isr < 0)
		return;
	bitmap_clear(l->isr, (u8)isr);
	if (bitmap_get(l->tmr, (u8)isr)) {
		effect->eoi        = true;
		effect->eoi_vector = (u8)isr;
	}
}

bool vlapic_matches(const struct vlapic *l, const struct apic_message *m)
{
	const u32 to = m->destination;
	const u32 id = logical_id(l);

	if (!vlapic_is_enabled(l))
		return false;
	if (m->broadcast)
		return true;
	if (!m->logical)
		return l->id == to;
	if (vlapic_is_x2apic(l))
		return id >> 16 == to >> 16 && (id & to & 0xffff);
	if (l->dfr >> 28 == DFR_FLAT)
		return (id >> 24) & to & 0xff;
	return id >> 28 == (to >> 4 & 0xf) && ((id >> 24) & to & 0xf);
}

static bool mode_needs_vector(u8 mode)
{
	return mode == APIC_FIXED || mode == APIC_LOWEST;
}

/* The interrupt command register was written: SDM, "Issuing IPIs". */
static void send_ipi(struct vlapic *l, struct vlapic_effect *effect)
{
	const bool x2   = vlapic_is_x2apic(l);
	const u8 mode   = (u8)field_get(l->icr, 10, 8);
	const u8 vector = (u8)l->icr;
	const u32 to    = x2 ? hi32(l->icr) : (u32)field_get(l->icr, 63, 56);

	if (mode_needs_vector(mode) && vector < 16) {
		raise_error(l, ESR_SEND_VECTOR);
		return;
	}
	/* INIT level de-assert: no processor since the Pentium 4 does it. */
	if (mode == APIC_INIT && (l->icr & BIT(15)) && !(l->icr & BIT(14)))
		return;
	effect->ipi       = true;
	effect->shorthand = (enum apic_shorthand)field_get(l->icr, 19, 18);
	effect->message   = (struct apic_message){
		  .destination = to,
		  .broadcast   = to == (x2 ? ~0u : 0xffu),
		  .logical     = l->icr & BIT(11),
		  .mode        = mode,
		  .vector      = vector,
	};
}

/* TSC ticks of one count. */
static u64 count_ticks(const struct vlapic *l)
{
	const u32 code = (l->divide >> 1 & 4) | (l->divide & 3);

	return (u64)l->tsc_per_tick << ((code + 1) & 7);
}

static u64 period(const struct vlapic *l)
{
	return max_u64(l->initial * count_ticks(l), PERIOD_MIN);
}

static u32 current_count(const struct vlapic *l, u64 now)
{
	u64 left = l->due > now ? l->due - now : 0;

	if (!l->due)
		return 0;
	if (!left && (l->lvt[LVT_TIMER] & TIMER_PERIODIC))
		left = period(l) - (now - l->due) % period(l);
	const u64 count = (left + count_ticks(l) - 1) / count_ticks(l);

	return (u32)min_u64(count, l->initial);
}

static void start_timer(struct vlapic *l, u32 count, u64 now)
{
	if (l->lvt[LVT_TIMER] & TIMER_DEADLINE)
		return;
	l->due = count ? now + count * count_ticks(l) : 0;
}

static void write_divide(struct vlapic *l, u32 value, u64 now)
{
	const u32 left = current_count(l, now);

	l->divide = value & DIVIDE_BITS;
	start_timer(l, left, now);
}

static void write_lvt(struct vlapic *l, unsigned int i, u32 value)
{
	const u32 old = l->lvt[i];

	l->lvt[i] = value & lvt_bits[i];
	if (!(l->svr & SVR_ENABLED))
		l->lvt[i] |= LVT_MASKED;
	if (i == LVT_TIMER && ((old ^ l->lvt[i]) & TIMER_DEADLINE)) {
		l->due      = 0;
		l->initial  = 0;
		l->deadline = 0;
	}
}

static void write_svr(struct vlapic *l, u32 value)
{
	l->svr = value & SVR_BITS;
	if (!(l->svr & SVR_ENABLED))
		for (unsigned int i = 0; i < LVT_COUNT; i++)
			l->lvt[i] |= LVT_MASKED;
}

u64 vlapic_read_deadline(const struct vlapic *l)
{
	return l->lvt[LVT_TIMER] & TIMER_DEADLINE ? l->deadline : 0;
}

void vlapic_write_deadline(struct vlapic *l, u64 value)
{
	if (l->lvt[LVT_TIMER] & TIMER_DEADLINE)
		l->deadline = value;
}

static u32 read_reg(struct vlapic *l, enum reg reg, u64 now)
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
		return ppr(l);
	case REG_LDR:
		return logical_id(l);
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
		return current_count(l, now);
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
		end_of_interrupt(l, effect);
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
		l->esr         = l->esr_pending;
		l->esr_pending = 0;
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
		start_timer(l, value, now);
		return;
	case REG_DIVIDE:
		write_divide(l, value, now);
		return;
	default:
		return;
	}
}

bool vlapic_read_msr(struct vlapic *l, u32 reg, u64 now, u64 *value)
{
	if (!vlapic_is_x2apic(l) || reg >= REG_COUNT || !(access_of[reg] & R2))
		return false;
	*value = reg == REG_ICR ? l->icr : read_reg(l, (enum reg)reg, now);
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
		send_ipi(l, effect);
		return true;
	case REG_SELF_IPI:
		if (value < 16)
			raise_error(l, ESR_SEND_VECTOR);
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
		raise_error(l, ESR_REGISTER);
		return 0;
	}
	if (!is_aligned(offset, 16) || !(access_of[reg] & XR))
		return 0;
	return read_reg(l, (enum reg)reg, now);
}

void vlapic_write(struct vlapic *l, u32 offset, u32 value, u64 now,
		  struct vlapic_effect *effect)
{
	const u32 reg = offset / 16;

	if (reg >= REG_COUNT || !(access_of[reg] & (XR | XW))) {
		raise_error(l, ESR_REGISTER);
		return;
	}
	if (!is_aligned(offset, 16) || !(access_of[reg] & XW))
		return;
	if (reg == REG_ICR) {
		l->icr = make64(hi32(l->icr), value & ~ICR_STATUS);
		send_ipi(l, effect);
		return;
	}
	write_reg(l, (enum reg)reg, value, now, effect);
}

u64 vlapic_get_cr8(const struct vlapic *l)
{
	return l->tpr >> 4;
}

void vlapic_set_cr8(struct vlapic *l, u64 cr8)
{
	l->tpr = (u32)(cr8 & 0xf) << 4;
}

/*
 * The deadline in host TSC. The offset may have either sign and a deadline any
 * value: what lies beyond either end of time is there, and not wrapped around.
 */
static u64 host_deadline(const struct vlapic *l, u64 tsc_offset)
{
	const u64 behind = -tsc_offset;

	if (tsc_offset >> 63)
		return l->deadline < ~0ULL - behind ? l->deadline + behind
						    : ~0ULL;
	return l->deadline > tsc_offset ? l->deadline - tsc_offset : 0;
}

u64 vlapic_next_due(const struct vlapic *l, u64 tsc_offset)
{
	const u32 timer = l->lvt[LVT_TIMER];

	if (timer & LVT_MASKED)
		return ~0ULL;
	if (timer & TIMER_DEADLINE)
		return l->deadline ? host_deadline(l, tsc_offset) : ~0ULL;
	return l->due ? l->due : ~0ULL;
}

/* Has the timer run out? It is then armed again, or not, as its mode says. */
static bool timer_expired(struct vlapic *l, u64 now, u64 tsc_offset)
{
	if (l->lvt[LVT_TIMER] & TIMER_DEADLINE) {
		if (!l->deadline || now < host_deadline(l, tsc_offset))
			return false;
		l->deadline = 0;
		return true;
	}
	if (!l->due || now < l->due)
		return false;
	if (l->lvt[LVT_TIMER] & TIMER_PERIODIC)
		l->due += ((now - l->due) / period(l) + 1) * period(l);
	else
		l->due = 0;
	return true;
}

bool vlapic_tick(struct vlapic *l, u64 now, u64 tsc_offset)
{
	if (!timer_expired(l, now, tsc_offset) ||
	    (l->lvt[LVT_TIMER] & LVT_MASKED))
		return false;
	return vlapic_post(l, (u8)l->lvt[LVT_TIMER], false);
}

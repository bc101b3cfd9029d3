/* SPDX-License-Identifier: MIT */
/* The local APIC's modes, its priorities, and messages between APICs. */
#include "guest/vlapic.h"

#include "boot/lib/string.h"
#include "boot/lib/x86.h"
#include "guest/vlapic_parts.h"

#define DFR_FLAT 0xfu

static bool bitmap_get(const u32 *map, u8 i)
{
	return map[i / 32] & 1u << i % 32;
}

static void bitmap_set(u32 *map, u8 i)
{
	__atomic_fetch_or(&map[i / 32], 1u << i % 32, __ATOMIC_RELEASE);
}

/* From any CPU: into IRR, and say that there is something new. */
static void request(struct vlapic *l, u8 vector)
{
	bitmap_set(l->irr, vector);
	__atomic_store_n(&l->news, true, __ATOMIC_RELEASE);
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

/*
 * Field by field: other CPUs look at the id and the mode at any time, and what
 * they post meanwhile is kept or dropped, as at any INIT.
 */
void vlapic_init(struct vlapic *l)
{
	l->tpr = l->ldr = l->esr = 0;
	l->svr                   = 0xff;
	l->dfr                   = ~0u;
	l->icr                   = 0;
	__atomic_store_n(&l->esr_pending, 0, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < LVT_COUNT; i++)
		l->lvt[i] = LVT_MASKED;
	for (unsigned int i = 0; i < ARRAY_SIZE(l->irr); i++) {
		__atomic_store_n(&l->irr[i], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&l->tmr[i], 0, __ATOMIC_RELAXED);
		l->isr[i] = 0;
	}
	l->initial = l->divide = 0;
	l->due = l->deadline = 0;
	/* What a page holds is not this APIC any more. */
	l->in_page           = false;
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

bool vlapic_is_on(const struct vlapic *l)
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

u32 vlapic_logical_id(const struct vlapic *l)
{
	if (vlapic_is_x2apic(l))
		return (l->id >> 4) << 16 | 1u << (l->id & 0xf);
	return l->ldr;
}

u32 vlapic_ppr(const struct vlapic *l)
{
	const int isr        = bitmap_last(l->isr);
	const u32 in_service = isr < 0 ? 0 : (u32)isr & 0xf0;

	return (l->tpr & 0xf0) >= in_service ? l->tpr : in_service;
}

int vlapic_pending(const struct vlapic *l)
{
	const int irr = bitmap_last(l->irr);

	if (irr < 0 || !vlapic_is_on(l) ||
	    ((u32)irr & 0xf0) <= (vlapic_ppr(l) & 0xf0))
		return -1;
	return irr;
}

void vlapic_accept(struct vlapic *l, u8 vector)
{
	bitmap_clear(l->irr, vector);
	bitmap_set(l->isr, vector);
}

void vlapic_raise_error(struct vlapic *l, u64 bit)
{
	const u32 lvt   = l->lvt[LVT_ERROR];
	const u8 vector = (u8)lvt;

	__atomic_fetch_or(&l->esr_pending, (u32)bit, __ATOMIC_RELAXED);
	/* An illegal vector here must not raise an error in its turn. */
	if (!(lvt & LVT_MASKED) && vector >= 16 && vlapic_is_on(l)) {
		bitmap_clear(l->tmr, vector);
		request(l, vector);
	}
}

bool vlapic_post(struct vlapic *l, u8 vector, bool level)
{
	if (!vlapic_is_on(l))
		return false;
	if (vector < 16) {
		vlapic_raise_error(l, ESR_RECEIVE_VECTOR);
		return true; /* the error's own interrupt may be pending */
	}
	if (level)
		bitmap_set(l->tmr, vector);
	else
		bitmap_clear(l->tmr, vector);
	request(l, vector);
	return true;
}

bool vlapic_can_bypass(const struct vlapic *l, u8 vector)
{
	return vlapic_is_on(l) && vector >= 16 && !bitmap_get(l->tmr, vector);
}

void vlapic_request_all(struct vlapic *l, const u32 irr[8])
{
	for (unsigned int i = 0; i < ARRAY_SIZE(l->irr); i++)
		__atomic_fetch_or(&l->irr[i], irr[i], __ATOMIC_RELEASE);
	__atomic_store_n(&l->news, true, __ATOMIC_RELEASE);
}

bool vlapic_takes_extint(const struct vlapic *l)
{
	const u32 lint0 = l->lvt[LVT_LINT0];

	if (!vlapic_is_enabled(l))
		return true;
	return !(lint0 & LVT_MASKED) && field_get(lint0, 10, 8) == APIC_EXTINT;
}

void vlapic_end(struct vlapic *l, struct vlapic_effect *effect)
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
	const u32 id = vlapic_logical_id(l);

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
void vlapic_send(struct vlapic *l, struct vlapic_effect *effect)
{
	const bool x2   = vlapic_is_x2apic(l);
	const u8 mode   = (u8)field_get(l->icr, 10, 8);
	const u8 vector = (u8)l->icr;
	const u32 to    = x2 ? hi32(l->icr) : (u32)field_get(l->icr, 63, 56);

	if (mode_needs_vector(mode) && vector < 16) {
		vlapic_raise_error(l, ESR_SEND_VECTOR);
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

u64 vlapic_get_cr8(const struct vlapic *l)
{
	return l->tpr >> 4;
}

void vlapic_set_cr8(struct vlapic *l, u64 cr8)
{
	l->tpr = (u32)(cr8 & 0xf) << 4;
}

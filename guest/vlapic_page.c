/* SPDX-License-Identifier: MIT */
/*
 * The local APIC as a virtual-APIC page (SDM vol. 3, "Virtual APIC State"): the
 * registers go there before the guest runs and come back before software looks
 * at what the CPU may have changed: TPR, ISR, IRR. All others are only ever
 * changed by software, and the page is a copy for the guest to read.
 */
#include "guest/vlapic_parts.h"

/* Registers, at 16 times their number. */
#define REG_TPR      0x08
#define REG_PPR      0x0a
#define REG_ISR      0x10
#define REG_TMR      0x18
#define REG_IRR      0x20
#define REG_ICR      0x30
#define REG_ICR_HIGH 0x31
#define REG_SELF_IPI 0x3f
#define WORDS        8 /* of ISR, TMR and IRR */

/* Reads of these need no exit, and only software changes them. */
static const u8 copied[] = {
	0x02, 0x03, 0x0d, 0x0e, 0x0f, 0x28, 0x30, 0x31,
	0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x3e,
};

static u32 *at(u32 *page, u32 reg)
{
	return &page[reg * 4];
}

static u8 last(u32 *page, u32 reg)
{
	for (u32 i = WORDS; i-- > 0;) {
		const u32 word = *at(page, reg + i);

		if (word)
			return (u8)(i * 32 + 31 - __builtin_clz(word));
	}
	return 0;
}

bool vlapic_is_news(const struct vlapic *l)
{
	return !l->in_page || __atomic_load_n(&l->news, __ATOMIC_ACQUIRE);
}

/* All but IRR and TMR, which change while the page is the CPU's. */
static void fill(struct vlapic *l, u32 *page)
{
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		*at(page, copied[i]) = vlapic_read_reg(l, copied[i], 0);
	/* In x2APIC mode the ICR is one register of 64 bits. */
	at(page, REG_ICR)[1] = vlapic_is_x2apic(l) ? hi32(l->icr) : 0;
	*at(page, REG_TPR)   = l->tpr;
	*at(page, REG_PPR)   = vlapic_ppr(l);
	for (u32 i = 0; i < WORDS; i++) {
		*at(page, REG_ISR + i) = l->isr[i];
		*at(page, REG_IRR + i) = 0;
	}
	l->in_page = true;
}

void vlapic_to_page(struct vlapic *l, u32 *page, struct vlapic_page *out)
{
	/* Switched off by SVR it delivers nothing, and IRR stays here. */
	const bool on = vlapic_is_on(l);

	if (!l->in_page)
		fill(l, page);
	/* First: what is posted from now on is news again. */
	__atomic_store_n(&l->news, false, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < WORDS; i++) {
		if (on)
			*at(page, REG_IRR + i) |= __atomic_exchange_n(
				&l->irr[i], 0, __ATOMIC_ACQ_REL);
		/* Whoever posts writes TMR first. */
		*at(page, REG_TMR + i) = l->tmr[i];
	}
	out->on        = on;
	out->requested = last(page, REG_IRR);
	out->serviced  = last(page, REG_ISR);
	for (u32 i = 0; i < WORDS / 2; i++)
		out->eoi_exit[i] = make64(l->tmr[2 * i + 1], l->tmr[2 * i]);
}

void vlapic_from_page(struct vlapic *l, u32 *page)
{
	if (!l->in_page)
		return;
	l->tpr = *at(page, REG_TPR) & 0xff;
	for (u32 i = 0; i < WORDS; i++) {
		l->isr[i] = *at(page, REG_ISR + i);
		__atomic_fetch_or(&l->irr[i], *at(page, REG_IRR + i),
				  __ATOMIC_ACQ_REL);
	}
	l->in_page = false;
}

void vlapic_page_written(struct vlapic *l, const u32 *page, u32 offset, u64 now,
			 struct vlapic_effect *effect)
{
	const u32 reg   = offset / 16;
	const u32 value = page[reg * 4];

	if (reg == REG_SELF_IPI) {
		vlapic_write_msr(l, REG_SELF_IPI, value, now, effect);
		return;
	}
	/* Its high half was written without an exit. */
	if (reg == REG_ICR)
		vlapic_write(l, REG_ICR_HIGH * 16, page[REG_ICR_HIGH * 4], now,
			     effect);
	vlapic_write(l, reg * 16, value, now, effect);
}

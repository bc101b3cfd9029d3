/* SPDX-License-Identifier: MIT */
/* links: guest/vlapic.c guest/vlapic_regs.c guest/vlapic_timer.c */
/* links: guest/vlapic_page.c */
/*
 * The local APIC as a virtual-APIC page: whatever a guest does, it is the same
 * whether software keeps the APIC or a CPU with APIC virtualization does. The
 * CPU here is SDM vol. 3, "APIC Virtualization and Virtual Interrupts", in C.
 */
#include <string.h>

#include "boot/lib/x86.h"
#include "guest/vlapic_parts.h"
#include "tests/unit/tap.h"
#include "vmx/posted.h"

#define TPR  0x08
#define PPR  0x0a
#define EOI  0x0b
#define SVR  0x0f
#define ISR  0x10
#define TMR  0x18
#define IRR  0x20
#define ESR  0x28
#define ICR  0x30
#define SELF 0x3f

#define STEPS 200000

/* A CPU with the page, its RVI and SVI, and the EOI-exit bitmap. */
static u32 page[1024];
static struct vlapic_page hw;
static struct posted posted;

static u32 *reg(u32 number)
{
	return &page[number * 4];
}

static u8 highest(u32 first)
{
	for (int i = 255; i > 0; i--)
		if (*reg(first + (u32)i / 32) & 1u << i % 32)
			return (u8)i;
	return 0;
}

/* "PPR Virtualization" */
static void cpu_ppr(void)
{
	const u32 tpr = *reg(TPR) & 0xff;

	*reg(PPR) = tpr >> 4 >= hw.serviced >> 4 ? tpr : hw.serviced & 0xf0u;
}

/* "Evaluation of Pending Virtual Interrupts" */
static int cpu_pending(void)
{
	return hw.requested >> 4 > (int)(*reg(PPR) & 0xff) >> 4 ? hw.requested
								: -1;
}

/* "Virtual-Interrupt Delivery" */
static void cpu_deliver(void)
{
	const u8 v = hw.requested;

	*reg(ISR + v / 32) |= 1u << v % 32;
	*reg(IRR + v / 32) &= ~(1u << v % 32);
	*reg(PPR)    = v & 0xf0;
	hw.serviced  = v;
	hw.requested = highest(IRR);
}

/* "EOI Virtualization"; the vector if its EOI exits, else -1. */
static int cpu_eoi(void)
{
	const u8 v = hw.serviced;

	*reg(ISR + v / 32) &= ~(1u << v % 32);
	hw.serviced = highest(ISR);
	cpu_ppr();
	return hw.eoi_exit[v / 64] & BIT(v % 64) ? v : -1;
}

/* "Posted-Interrupt Processing", or nothing for a notification too many. */
static void cpu_notified(void)
{
	posted.control &= ~POSTED_ON;
	for (u32 i = 0; i < 256; i++) {
		if (!(posted.pir[i / 32] & 1u << i % 32))
			continue;
		*reg(IRR + i / 32) |= 1u << i % 32;
		if (i > hw.requested)
			hw.requested = (u8)i;
	}
	memset(posted.pir, 0, sizeof(posted.pir));
}

/* What vmx/vcpu_run.c does before it lets the guest in. */
static void take_posted(struct vlapic *l)
{
	u32 irr[POSTED_WORDS];

	if (!posted_is_on(&posted))
		return;
	posted_take(&posted, irr);
	vlapic_request_all(l, irr);
}

static void enter(struct vlapic *l)
{
	take_posted(l);
	if (vlapic_is_news(l))
		vlapic_to_page(l, page, &hw);
	cpu_ppr();
}

static struct vlapic apic(bool x2)
{
	struct vlapic l;
	struct vlapic_effect e = { 0 };

	vlapic_reset(&l, 3, 10);
	if (x2)
		vlapic_write_base(&l, l.base | APIC_BASE_X2APIC, 46);
	if (x2)
		vlapic_write_msr(&l, SVR, 0x1ff, 0, &e);
	else
		vlapic_write(&l, SVR * 16, 0x1ff, 0, &e);
	return l;
}

static u32 seed = 1;

static u32 below(u32 limit)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % limit;
}

static bool equal(const struct vlapic *soft, struct vlapic *hard)
{
	take_posted(hard);
	vlapic_from_page(hard, page);
	return soft->tpr == hard->tpr &&
	       !memcmp(soft->isr, hard->isr, sizeof(soft->isr)) &&
	       !memcmp(soft->irr, hard->irr, sizeof(soft->irr)) &&
	       !memcmp(soft->tmr, hard->tmr, sizeof(soft->tmr)) &&
	       vlapic_pending(soft) == vlapic_pending(hard);
}

/* One thing that happens; false: the two part. */
static bool step(struct vlapic *soft, struct vlapic *hard)
{
	struct vlapic_effect e = { 0 };
	const u8 vector        = (u8)(16 + below(240));
	const u32 tpr          = below(8) ? below(4) << 4 : below(256);
	const bool level       = below(4) == 0;
	int exits;

	switch (below(10)) {
	case 8: /* another CPU posts, the guest goes on */
		if (!hard->in_page || !vlapic_can_bypass(hard, vector))
			return true;
		posted_request(&posted, vector);
		return vlapic_post(soft, vector, false);
	case 9: /* the notification; sometimes it comes for nothing */
		if (hard->in_page && hw.on)
			cpu_notified();
		return true;
	case 0:
	case 1: /* another CPU posts while the guest runs, or a device */
		return vlapic_post(soft, vector, level) ==
		       vlapic_post(hard, vector, level);
	case 2:
		vlapic_write(soft, TPR * 16, tpr, 0, &e);
		enter(hard);
		*reg(TPR) = tpr & 0xff;
		cpu_ppr();
		return true;
	case 3:
	case 4:
		enter(hard);
		if (vlapic_pending(soft) != cpu_pending())
			return false;
		if (cpu_pending() < 0)
			return true;
		vlapic_accept(soft, (u8)vlapic_pending(soft));
		cpu_deliver();
		return true;
	case 5:
	case 6:
		enter(hard);
		if (!hw.serviced)
			return true; /* an EOI of nothing: nothing */
		vlapic_write(soft, EOI * 16, 0, 0, &e);
		exits = cpu_eoi();
		return exits == (e.eoi ? e.eoi_vector : -1);
	default:
		return equal(soft, hard);
	}
}

static void test_same(void)
{
	struct vlapic soft = apic(false);
	struct vlapic hard = soft;
	int at             = -1;

	for (int i = 0; i < STEPS && at < 0; i++)
		if (!step(&soft, &hard))
			at = i;
	tap_is(at, -1, "200000 steps: CPU and software are the same APIC");
}

static void test_switched_off(void)
{
	struct vlapic l        = apic(false);
	struct vlapic_effect e = { 0 };

	vlapic_post(&l, 0x50, false);
	enter(&l);
	tap_is(cpu_pending(), 0x50, "what is posted is requested");
	vlapic_from_page(&l, page);
	vlapic_write(&l, SVR * 16, 0xff, 0, &e);
	enter(&l);
	tap_is(cpu_pending(), -1, "switched off by SVR it delivers nothing");
	vlapic_from_page(&l, page);
	vlapic_write(&l, SVR * 16, 0x1ff, 0, &e);
	enter(&l);
	tap_is(cpu_pending(), 0x50, "and does so when it is on again");
	vlapic_init(&l);
	enter(&l);
	tap_ok(cpu_pending() == -1 && *reg(IRR + 2) == 0 && *reg(SVR) == 0xff,
	       "INIT empties the page as well");
}

static void test_posted(void)
{
	struct vlapic l        = apic(false);
	struct vlapic_effect e = { 0 };
	u32 irr[POSTED_WORDS];

	enter(&l);
	tap_ok(hw.on && vlapic_can_bypass(&l, 0x60), "an edge may be posted");
	tap_ok(!vlapic_can_bypass(&l, 15), "no vector below 16");
	vlapic_post(&l, 0x60, true);
	tap_ok(!vlapic_can_bypass(&l, 0x60) && vlapic_can_bypass(&l, 0x61),
	       "nor one that was level-triggered: its EOI exits");
	tap_ok(posted_request(&posted, 0x41), "the first request notifies");
	tap_ok(!posted_request(&posted, 0xff), "the next one need not");
	posted_take(&posted, irr);
	tap_ok(irr[2] == 2 && irr[7] == 1u << 31 && !posted_is_on(&posted) &&
		       !posted.pir[2] && !posted.pir[7],
	       "taken: all of them, and nothing is left");
	tap_ok(posted_request(&posted, 0x41),
	       "and the next one notifies again");
	cpu_notified();
	cpu_notified();
	tap_is(cpu_pending(), 0x41, "a notification too many changes nothing");
	vlapic_from_page(&l, page);
	vlapic_write(&l, SVR * 16, 0xff, 0, &e);
	tap_ok(!vlapic_can_bypass(&l, 0x61), "switched off: no");
	enter(&l);
	tap_ok(!hw.on, "and the CPU may deliver nothing");
}

static void test_news(void)
{
	struct vlapic l = apic(false);

	tap_ok(vlapic_is_news(&l), "a fresh APIC is news to the page");
	enter(&l);
	tap_ok(!vlapic_is_news(&l), "once written it is not");
	vlapic_post(&l, 0x60, true);
	tap_ok(vlapic_is_news(&l), "an interrupt is");
	enter(&l);
	tap_ok(hw.eoi_exit[1] == BIT(0x60 - 64) && *reg(TMR + 3) == 1,
	       "the EOI of a level exits");
	vlapic_post(&l, 0x60, false);
	enter(&l);
	tap_ok(!hw.eoi_exit[1] && !*reg(TMR + 3), "that of an edge does not");
}

static void test_written(void)
{
	struct vlapic l        = apic(false);
	struct vlapic_effect e = { 0 };

	enter(&l);
	*reg(ICR + 1) = 0x05000000;
	*reg(ICR)     = 0x41;
	vlapic_from_page(&l, page);
	vlapic_page_written(&l, page, ICR * 16, 0, &e);
	tap_ok(e.ipi && e.message.destination == 5 && e.message.vector == 0x41,
	       "a write of ICR sends, with the page's high half");
	enter(&l);
	*reg(SVR) = 0xfffff0f0;
	vlapic_from_page(&l, page);
	vlapic_page_written(&l, page, SVR * 16, 0, &e);
	enter(&l);
	tap_is(*reg(SVR), 0xf0, "reserved bits read back as 0");

	l = apic(true);
	enter(&l);
	*reg(SELF) = 3;
	vlapic_from_page(&l, page);
	vlapic_page_written(&l, page, SELF * 16, 0, &e);
	vlapic_write_msr(&l, ESR, 0, 0, &e);
	enter(&l);
	tap_is(*reg(ESR), BIT(5), "SELF IPI of an illegal vector: ESR");
	tap_is(*reg(2), 3, "x2APIC: the ID is the number itself");
	l = apic(false);
	enter(&l);
	tap_is(*reg(2), 3u << 24, "xAPIC: it is in the top byte");
}

int main(void)
{
	test_same();
	test_switched_off();
	test_posted();
	test_news();
	test_written();
	return tap_done();
}

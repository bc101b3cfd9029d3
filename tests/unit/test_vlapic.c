/* SPDX-License-Identifier: MIT */
/* links: guest/vlapic.c guest/vlapic_regs.c guest/vlapic_timer.c */
/* links: guest/vioapic.c guest/vpic.c */
/*
 * The interrupt controllers: local APIC (SDM vol. 3, "Advanced Programmable
 * Interrupt Controller"), I/O APIC and the two 8259As.
 */
#include "guest/vlapic.h"

#include <string.h>

#include "boot/lib/x86.h"
#include "guest/vioapic.h"
#include "guest/vlapic_parts.h"
#include "guest/vpic.h"
#include "tests/unit/tap.h"

#define TICK  10 /* TSC ticks per tick of the timer's clock */
#define BITS  46
#define TPR   0x08
#define PPR   0x0a
#define EOI   0x0b
#define LDR   0x0d
#define DFR   0x0e
#define SVR   0x0f
#define ISR   0x10
#define IRR   0x20
#define ESR   0x28
#define ICR   0x30
#define TIMER 0x32
#define ERROR 0x37
#define INIT  0x38
#define COUNT 0x39
#define DIV   0x3e
#define SELF  0x3f

#define BSP    APIC_BASE_BSP
#define EN     APIC_BASE_ENABLE
#define X2     APIC_BASE_X2APIC
#define MASKED 0x10000

/* A local APIC with its software enable on, in x2APIC mode or not. */
static struct vlapic apic(u32 id, bool x2)
{
	struct vlapic l;
	struct vlapic_effect e = { 0 };

	vlapic_reset(&l, id, TICK);
	if (x2)
		vlapic_write_base(&l, l.base | X2, BITS);
	if (x2)
		vlapic_write_msr(&l, SVR, 0x1ff, 0, &e);
	else
		vlapic_write(&l, SVR * 16, 0x1ff, 0, &e);
	return l;
}

static bool wr(struct vlapic *l, u32 reg, u64 value, u64 now)
{
	struct vlapic_effect e = { 0 };

	return vlapic_write_msr(l, reg, value, now, &e);
}

static u64 rd(struct vlapic *l, u32 reg, u64 now)
{
	u64 value = 0xbad;

	vlapic_read_msr(l, reg, now, &value);
	return value;
}

/* clang-format off */
static const struct {
	const char *claim;
	u64 from, to;
	bool ok;
} bases[] = {
	{ "xAPIC to x2APIC",               EN,      EN | X2, true  },
	{ "x2APIC to xAPIC is #GP",        EN | X2, EN,      false },
	{ "x2APIC to disabled",            EN | X2, 0,       true  },
	{ "disabled to x2APIC is #GP",     0,       EN | X2, false },
	{ "disabled to xAPIC, again",      0,       EN,      true  },
	{ "xAPIC to disabled",             EN,      0,       true  },
	{ "EXTD without EN is #GP",        EN,      X2,      false },
	{ "disabled, once more",           0,       0,       true  },
	{ "x2APIC, once more",             EN | X2, EN | X2, true  },
	{ "a reserved bit is #GP",         EN,      EN | 1,  false },
	{ "an address too wide is #GP",    EN,      EN | BIT(BITS), false },
};

static const struct {
	const char *claim;
	u32 reg;
	u64 value;
	bool ok;
} x2writes[] = {
	{ "TPR takes 8 bits",           TPR,   0xff,        true  },
	{ "TPR takes no ninth",         TPR,   0x100,       false },
	{ "EOI takes 0",                EOI,   0,           true  },
	{ "EOI takes nothing else",     EOI,   1,           false },
	{ "ESR takes 0",                ESR,   0,           true  },
	{ "ESR takes nothing else",     ESR,   1,           false },
	{ "the id is read-only",        0x02,  0,           false },
	{ "LDR is read-only",           LDR,   0,           false },
	{ "DFR does not exist",         DFR,   0,           false },
	{ "ICR high does not exist",    0x31,  0,           false },
	{ "the timer's LVT",            TIMER, 0x60020,     true  },
	{ "a reserved bit in it",       TIMER, 0x80020,     false },
	{ "no mode in the error's LVT", ERROR, 0x00420,     false },
	{ "a reserved bit in ICR",      ICR,   BIT(13) | 0x40, false },
	{ "the divisor's bit 2",        DIV,   4,           false },
	{ "ISR is read-only",           ISR,   0,           false },
	{ "a high half anywhere else",  TPR,   BIT(32),     false },
	{ "beyond the last register",   0x40,  0,           false },
};

static const struct {
	const char *claim;
	u32 id;
	bool x2;
	u32 ldr, dfr;
	struct apic_message m;
	bool match;
} matches[] = {
	{ "physical, its id", 3, false, 0, ~0u, { .destination = 3 }, true },
	{ "physical, another", 3, false, 0, ~0u, { .destination = 4 }, false },
	{ "broadcast", 3, false, 0, ~0u, { .destination = 255,
	  .broadcast = true }, true },
	{ "x2APIC takes 255 as an id", 3, true, 0, 0, { .destination = 255 },
	  false },
	{ "logical flat", 1, false, 0x02000000, ~0u, { .destination = 0x06,
	  .logical = true }, true },
	{ "logical flat, not ours", 1, false, 0x02000000, ~0u,
	  { .destination = 0x05, .logical = true }, false },
	{ "logical cluster", 1, false, 0x12000000, 0x0fffffff,
	  { .destination = 0x13, .logical = true }, true },
	{ "another cluster", 1, false, 0x12000000, 0x0fffffff,
	  { .destination = 0x23, .logical = true }, false },
	{ "x2APIC logical: cluster 1, bit 2", 18, true, 0, 0,
	  { .destination = 0x10004, .logical = true }, true },
	{ "logical cluster, another bit", 1, false, 0x12000000, 0x0fffffff,
	  { .destination = 0x14, .logical = true }, false },
	{ "x2APIC logical, another bit", 18, true, 0, 0,
	  { .destination = 0x10008, .logical = true }, false },
	{ "x2APIC logical, another cluster", 18, true, 0, 0,
	  { .destination = 0x00004, .logical = true }, false },
};

static const struct {
	const char *claim;
	bool x2;
	u64 icr;
	bool sent;
	struct apic_message m;
	enum apic_shorthand shorthand;
} ipis[] = {
	{ "a fixed IPI", true, 5ULL << 32 | 0x40, true,
	  { .destination = 5, .vector = 0x40 }, APIC_TO_DESTINATION },
	{ "the same by xAPIC", false, 5ULL << 56 | 0x40, true,
	  { .destination = 5, .vector = 0x40 }, APIC_TO_DESTINATION },
	{ "xAPIC's broadcast", false, 0xffULL << 56 | 0x40, true,
	  { .destination = 255, .vector = 0x40, .broadcast = true },
	  APIC_TO_DESTINATION },
	{ "x2APIC's broadcast", true, 0xffffffffULL << 32 | 0x40, true,
	  { .destination = ~0u, .vector = 0x40, .broadcast = true },
	  APIC_TO_DESTINATION },
	{ "INIT to all others", true, 0xc4500, true, { .mode = APIC_INIT },
	  APIC_TO_OTHERS },
	{ "INIT with a level that is asserted", true, 0xcc500, true,
	  { .mode = APIC_INIT }, APIC_TO_OTHERS },
	{ "INIT level de-assert does nothing", true, 0x88500, false, { 0 }, 0 },
	{ "SIPI", true, 1ULL << 32 | 0x608, true,
	  { .destination = 1, .mode = APIC_SIPI, .vector = 8 },
	  APIC_TO_DESTINATION },
	{ "NMI", true, 1ULL << 32 | 0x400, true,
	  { .destination = 1, .mode = APIC_NMI }, APIC_TO_DESTINATION },
	{ "logical mode", true, 6ULL << 32 | 0x840, true,
	  { .destination = 6, .logical = true, .vector = 0x40 },
	  APIC_TO_DESTINATION },
	{ "lowest priority", true, 3ULL << 32 | 0x150, true,
	  { .destination = 3, .mode = APIC_LOWEST, .vector = 0x50 },
	  APIC_TO_DESTINATION },
	{ "NMI: its vector is of no interest", true, 1ULL << 32 | 0x403, true,
	  { .destination = 1, .mode = APIC_NMI, .vector = 3 },
	  APIC_TO_DESTINATION },
	{ "an illegal vector is not sent", true, 0x0f, false, { 0 }, 0 },
};
/* clang-format on */

static void test_modes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		struct vlapic l;
		const u64 base = VLAPIC_BASE | BSP;

		vlapic_reset(&l, 0, TICK);
		l.base = base | bases[i].from;
		tap_ok(vlapic_write_base(&l, base | bases[i].to, BITS) ==
				       bases[i].ok &&
			       l.base == (base | (bases[i].ok ? bases[i].to
							      : bases[i].from)),
		       "APIC_BASE: %s", bases[i].claim);
	}

	struct vlapic l = apic(0, true);

	for (size_t i = 0; i < ARRAY_SIZE(x2writes); i++)
		tap_ok(wr(&l, x2writes[i].reg, x2writes[i].value, 0) ==
			       x2writes[i].ok,
		       "x2APIC: %s", x2writes[i].claim);
	l = apic(0, false);
	tap_ok(!wr(&l, TPR, 0, 0), "in xAPIC mode its MSRs are #GP");
	l = apic(18, true);
	tap_is(rd(&l, 0x02, 0), 18, "x2APIC id in all 32 bits");
	tap_is(rd(&l, LDR, 0), 0x10004, "x2APIC logical id follows from it");
	l = apic(3, false);
	tap_is(vlapic_read(&l, 0x20, 0), 3u << 24, "xAPIC id in bits 31:24");
}

static void test_priority(void)
{
	struct vlapic l = apic(0, true);

	tap_is(vlapic_pending(&l), -1, "nothing is pending");
	vlapic_post(&l, 0x31, false);
	vlapic_post(&l, 0x52, false);
	tap_is(vlapic_pending(&l), 0x52, "the highest vector comes first");
	wr(&l, TPR, 0x50, 0);
	tap_is(vlapic_pending(&l), -1, "TPR holds back its own class");
	wr(&l, TPR, 0x4f, 0);
	tap_is(vlapic_pending(&l), 0x52, "and no higher one");
	vlapic_accept(&l, 0x52);
	tap_is(rd(&l, IRR + 2, 0), 0, "accepted: out of IRR");
	tap_is(rd(&l, ISR + 2, 0), 1 << 18, "and into ISR");
	tap_is(rd(&l, PPR, 0), 0x50, "PPR is the class in service");
	tap_is(vlapic_pending(&l), -1, "a lower one waits");
	vlapic_post(&l, 0x60, false);
	tap_is(vlapic_pending(&l), 0x60, "a higher one does not");
	wr(&l, TPR, 0, 0);
	vlapic_accept(&l, 0x60);
	wr(&l, EOI, 0, 0);
	tap_is(rd(&l, ISR + 2, 0), 1 << 18, "EOI ends the highest");
	wr(&l, EOI, 0, 0);
	tap_is(rd(&l, ISR + 2, 0), 0, "then the next");
	tap_is(vlapic_pending(&l), 0x31, "then the low one comes");
	wr(&l, SVR, 0xff, 0);
	tap_is(vlapic_pending(&l), -1, "not while software has disabled it");
	tap_ok(!vlapic_post(&l, 0x70, false), "which accepts no new ones");
	wr(&l, SVR, 0x1ff, 0);
	tap_is(vlapic_pending(&l), 0x31, "what was there is kept");
	vlapic_set_cr8(&l, 9);
	tap_is(rd(&l, TPR, 0), 0x90, "CR8 is TPR's upper half");
}

static void test_level(void)
{
	struct vlapic l        = apic(0, true);
	struct vlapic_effect e = { 0 };

	vlapic_post(&l, 0x41, true);
	vlapic_accept(&l, 0x41);
	vlapic_write_msr(&l, EOI, 0, 0, &e);
	tap_ok(e.eoi && e.eoi_vector == 0x41,
	       "EOI of a level interrupt is told to the I/O APIC");
	e = (struct vlapic_effect){ 0 };
	vlapic_post(&l, 0x41, false);
	vlapic_accept(&l, 0x41);
	vlapic_write_msr(&l, EOI, 0, 0, &e);
	tap_ok(!e.eoi, "that of an edge is not");
}

static void test_ipis(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		struct vlapic l = apic(matches[i].id, matches[i].x2);

		l.ldr = matches[i].ldr;
		l.dfr = matches[i].dfr;
		tap_ok(vlapic_matches(&l, &matches[i].m) == matches[i].match,
		       "destination: %s", matches[i].claim);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ipis); i++) {
		struct vlapic l              = apic(0, ipis[i].x2);
		struct vlapic_effect e       = { 0 };
		const struct apic_message *m = &ipis[i].m;

		if (ipis[i].x2) {
			vlapic_write_msr(&l, ICR, ipis[i].icr, 0, &e);
		} else {
			vlapic_write(&l, 0x310, hi32(ipis[i].icr), 0, &e);
			vlapic_write(&l, 0x300, lo32(ipis[i].icr), 0, &e);
		}
		tap_ok(e.ipi == ipis[i].sent &&
			       (!e.ipi ||
				(e.shorthand == ipis[i].shorthand &&
				 e.message.destination == m->destination &&
				 e.message.broadcast == m->broadcast &&
				 e.message.logical == m->logical &&
				 e.message.mode == m->mode &&
				 e.message.vector == m->vector)),
		       "ICR: %s", ipis[i].claim);
	}
	struct vlapic l = apic(0, true);

	wr(&l, SELF, 0x44, 0);
	tap_is(vlapic_pending(&l), 0x44, "SELF IPI");
}

static void test_errors(void)
{
	struct vlapic l = apic(0, true);

	wr(&l, ERROR, 0x0f, 0); /* an illegal vector: no recursion */
	wr(&l, ICR, 0x01, 0);
	wr(&l, ESR, 0, 0);
	tap_is(rd(&l, ESR, 0), 0x20, "send illegal vector");
	wr(&l, ESR, 0, 0);
	tap_is(rd(&l, ESR, 0), 0, "ESR shows what came since its last write");
	wr(&l, SELF, 0x0f, 0);
	wr(&l, ESR, 0, 0);
	tap_is(rd(&l, ESR, 0), 0x20, "send illegal vector, to itself");
	wr(&l, ESR, 0, 0);
	wr(&l, ERROR, 0xfe, 0);
	vlapic_post(&l, 3, false);
	tap_is(vlapic_pending(&l), 0xfe, "receive illegal vector interrupts");
	wr(&l, ESR, 0, 0);
	tap_is(rd(&l, ESR, 0), 0x40, "and says so");
	l = apic(0, false);
	vlapic_read(&l, 0x3c0, 0);
	struct vlapic_effect e = { 0 };

	vlapic_write(&l, ESR * 16, 0, 0, &e);
	tap_is(vlapic_read(&l, ESR * 16, 0), 0x80,
	       "xAPIC: an access to a register that does not exist");
}

/* A CPU whose IA32_APIC_BASE disables its local APIC: SDM, "Local APIC State
 * After It Has Been Software Disabled" and "Enabling or Disabling". */
static void test_disabled(void)
{
	const struct apic_message m = { .destination = 3 };
	struct vlapic l             = apic(3, false);

	tap_ok(!vlapic_takes_extint(&l), "LINT0 is masked: no 8259");
	vlapic_write_base(&l, l.base & ~EN, BITS);
	tap_ok(!vlapic_is_on(&l), "disabled by IA32_APIC_BASE");
	tap_ok(!vlapic_post(&l, 0x40, false), "it accepts nothing");
	tap_ok(!vlapic_matches(&l, &m), "is no message's destination");
	tap_ok(vlapic_takes_extint(&l), "and the 8259s reach the CPU");
	vlapic_write_base(&l, l.base | EN, BITS);
	tap_ok(!vlapic_is_on(&l) && l.svr == 0xff,
	       "enabled again it is as after RESET");

	l = apic(0, true);
	wr(&l, TPR, 0x20, 0);
	vlapic_write_base(&l, l.base, BITS);
	tap_is(rd(&l, TPR, 0), 0x20, "the same mode again changes nothing");
}

/* What firmware leaves on the boot CPU: MultiProcessor Specification 1.4,
 * "Virtual Wire Mode". */
static void test_virtual_wire(void)
{
	struct vlapic l;
	struct vlapic_effect e = { 0 };

	vlapic_reset(&l, 0, TICK);
	vlapic_virtual_wire(&l);
	tap_ok(vlapic_is_on(&l), "virtual wire: the APIC is on");
	tap_ok(vlapic_takes_extint(&l), "LINT0 is the 8259s'");
	tap_is(vlapic_read(&l, 0x350, 0), 0x8700, "level-triggered ExtINT");
	tap_is(vlapic_read(&l, 0x360, 0), 0x8400, "LINT1 is NMI");
	vlapic_write(&l, 0x350, 0x8400, 0, &e);
	tap_ok(!vlapic_takes_extint(&l), "as NMI it takes none of the 8259s");
	vlapic_write(&l, 0x350, 0x18700, 0, &e);
	tap_ok(!vlapic_takes_extint(&l), "nor masked");
	vlapic_write(&l, SVR * 16, 0xff, 0, &e);
	vlapic_write(&l, 0x350, 0x8700, 0, &e);
	tap_is(vlapic_read(&l, 0x350, 0), 0x18700,
	       "disabled by software, an LVT entry stays masked");
}

/* Registers in xAPIC's page and x2APIC's MSRs. */
static void test_registers(void)
{
	struct vlapic_effect e = { 0 };
	struct vlapic l        = apic(2, false);
	u64 value;

	vlapic_write(&l, LDR * 16, 0xa5a5a5a5, 0, &e);
	tap_is(vlapic_read(&l, LDR * 16, 0), 0xa5000000, "LDR has 8 bits");
	vlapic_write(&l, DFR * 16, 0x01234567, 0, &e);
	tap_is(vlapic_read(&l, DFR * 16, 0), 0x0fffffff, "DFR has 4");
	vlapic_post(&l, 0x45, true);
	tap_is(vlapic_read(&l, 0x1a0, 0), 1 << 5, "a level sets its TMR bit");
	vlapic_write(&l, TPR * 16, 0x33, 0, &e);
	tap_is(vlapic_read(&l, 0x90, 0), 0x33, "APR");
	tap_is(vlapic_read(&l, 0xc0, 0), 0, "RRD");
	tap_is(vlapic_read(&l, EOI * 16, 0), 0, "EOI reads 0");
	tap_is(vlapic_read(&l, TPR * 16 + 4, 0), 0, "beside a register: 0");
	vlapic_write(&l, TPR * 16 + 4, 0x44, 0, &e);
	vlapic_write(&l, 0x30, 0x44, 0, &e);
	tap_ok(vlapic_read(&l, TPR * 16, 0) == 0x33 &&
		       vlapic_read(&l, 0x30, 0) == 0x50015,
	       "a write there, or to the version, is without effect");
	vlapic_write(&l, ESR * 16, 0, 0, &e);
	tap_is(vlapic_read(&l, ESR * 16, 0), 0, "and no error");
	tap_is(vlapic_read(&l, 0x400, 0), 0, "beyond the last register: 0");
	vlapic_write(&l, ESR * 16, 0, 0, &e);
	tap_is(vlapic_read(&l, ESR * 16, 0), 0x80, "and an error");
	vlapic_write(&l, ESR * 16, 0, 0, &e);
	vlapic_write(&l, 0x400, 0, 0, &e);
	vlapic_write(&l, ESR * 16, 0, 0, &e);
	tap_is(vlapic_read(&l, ESR * 16, 0), 0x80, "of a write as well");
	vlapic_write(&l, ESR * 16, 0, 0, &e);
	vlapic_write(&l, 0x40, 0, 0, &e);
	vlapic_write(&l, ESR * 16, 0, 0, &e);
	tap_is(vlapic_read(&l, ESR * 16, 0), 0x80, "between them, too");
	tap_ok(!vlapic_read_msr(&l, TPR, 0, &value),
	       "in xAPIC mode reading its MSRs is #GP");

	l = apic(2, true);
	tap_ok(!vlapic_read_msr(&l, 0x40, 0, &value) &&
		       !vlapic_read_msr(&l, EOI, 0, &value) &&
		       !vlapic_read_msr(&l, SELF, 0, &value),
	       "x2APIC: beyond, EOI and SELF IPI are #GP to read");
	wr(&l, ICR, 7ULL << 32 | 0x1040, 0);
	tap_is(rd(&l, ICR, 0), 7ULL << 32 | 0x40,
	       "ICR reads in one piece, without its status");
	vlapic_set_cr8(&l, 5);
	tap_is(vlapic_get_cr8(&l), 5, "CR8 reads as written");
	wr(&l, TPR, 0xaf, 0);
	tap_is(vlapic_get_cr8(&l), 10, "and follows TPR");
}

static void test_timer(void)
{
	struct vlapic l = apic(0, true);

	wr(&l, DIV, 0xb, 0); /* by 1 */
	wr(&l, TIMER, 0x20, 0);
	tap_is(vlapic_next_due(&l, 0), ~0ULL, "no timer runs after reset");
	wr(&l, INIT, 100, 1000);
	tap_is(vlapic_next_due(&l, 0), 2000, "one-shot: due after its count");
	tap_is(rd(&l, COUNT, 1500), 50, "the count goes down");
	tap_ok(!vlapic_tick(&l, 1999, 0), "not a tick early");
	tap_ok(vlapic_tick(&l, 2000, 0) && vlapic_pending(&l) == 0x20,
	       "it interrupts");
	tap_is(vlapic_next_due(&l, 0), ~0ULL, "once");
	tap_is(rd(&l, COUNT, 3000), 0, "and stays at 0");

	tap_ok(!vlapic_tick(&l, 9000, 0), "nor does it interrupt again");
	wr(&l, INIT, 100, 0);
	tap_is(rd(&l, COUNT, 5000), 0, "run out, not taken yet: 0");

	wr(&l, DIV, 0x3, 0); /* by 16 */
	wr(&l, INIT, 100, 0);
	tap_is(vlapic_next_due(&l, 0), 16000, "divided by 16");
	wr(&l, DIV, 0xb, 8000);
	tap_is(vlapic_next_due(&l, 0), 8500, "a new divisor keeps the count");
	wr(&l, INIT, 0, 0);
	tap_is(vlapic_next_due(&l, 0), ~0ULL, "an initial count of 0 stops");

	wr(&l, TIMER, 0x20021, 0);
	wr(&l, INIT, 1000, 0);
	tap_ok(vlapic_tick(&l, 10000, 0) && vlapic_next_due(&l, 0) == 20000,
	       "periodic: due again");
	tap_ok(vlapic_tick(&l, 55000, 0) && vlapic_next_due(&l, 0) == 60000,
	       "periods that were missed are one interrupt");
	tap_is(rd(&l, COUNT, 55000), 500, "its count goes on");
	tap_is(rd(&l, COUNT, 62500), 750,
	       "also before its interrupt was taken");
	wr(&l, INIT, 1, 0);
	vlapic_tick(&l, 10, 0);
	tap_ok(vlapic_next_due(&l, 0) > 1000,
	       "a period of 1 leaves the guest time to run");
	wr(&l, TIMER, MASKED | 0x20021, 0);
	tap_is(vlapic_next_due(&l, 0), ~0ULL, "masked: nobody is woken");
	tap_ok(!vlapic_tick(&l, 1 << 20, 0), "nor interrupted");

	wr(&l, TIMER, 0x40022, 0);
	tap_is(vlapic_next_due(&l, 0), ~0ULL, "deadline mode starts disarmed");
	wr(&l, INIT, 5, 0);
	tap_is(rd(&l, COUNT, 0), 0, "it ignores the initial count");
	tap_ok(!vlapic_tick(&l, 1 << 30, 0), "nor does it interrupt");
	vlapic_write_deadline(&l, 5000);
	wr(&l, DIV, 0x3, 0);
	tap_is(vlapic_next_due(&l, 0), 5000, "no divisor changes a deadline");
	tap_is(vlapic_next_due(&l, -1000ULL), 6000,
	       "for a guest whose TSC is behind it comes later");
	tap_is(vlapic_next_due(&l, 1000), 4000,
	       "the deadline is guest time, due in host time");
	tap_is(vlapic_read_deadline(&l), 5000, "armed: it reads back");
	tap_ok(!vlapic_tick(&l, 3999, 1000), "not early");
	tap_ok(vlapic_tick(&l, 4000, 1000), "due");
	tap_is(vlapic_read_deadline(&l), 0, "fired: it reads 0");
	vlapic_write_deadline(&l, ~0ULL);
	tap_is(vlapic_next_due(&l, -1000ULL), ~0ULL,
	       "the last of all deadlines is not in the past");
	tap_ok(!vlapic_tick(&l, 1 << 30, -1000ULL), "nor due");
	vlapic_write_deadline(&l, 5);
	tap_ok(vlapic_next_due(&l, 1000) == 0 && vlapic_tick(&l, 0, 1000),
	       "one before the guest was born is");
	wr(&l, TIMER, 0x22, 0);
	vlapic_write_deadline(&l, 5000);
	tap_is(vlapic_read_deadline(&l), 0, "out of deadline mode it is 0");
	vlapic_init(&l);
	tap_ok(l.lvt[LVT_TIMER] == MASKED && l.svr == 0xff &&
		       vlapic_is_x2apic(&l),
	       "INIT resets registers and keeps the mode");
}

#define REDIRECT 0x10

static void io_write(struct vioapic *io, u32 index, u32 value)
{
	vioapic_write(io, 0x00, index);
	vioapic_write(io, 0x10, value);
}

static void test_ioapic(void)
{
	struct vioapic io;
	struct apic_message m;

	vioapic_reset(&io);
	vioapic_write(&io, 0, 1);
	tap_is(vioapic_read(&io, 0x10), 0x170011, "I/O APIC: 24 entries");
	tap_ok(!vioapic_set(&io, 4, true, &m), "all pins begin masked");
	vioapic_set(&io, 4, false, &m);
	io_write(&io, REDIRECT + 9, 0x02000000);
	io_write(&io, REDIRECT + 8, 0x00000830);
	tap_ok(vioapic_set(&io, 4, true, &m) && m.vector == 0x30 &&
		       m.destination == 2 && m.logical && !m.level,
	       "an edge is a message");
	tap_ok(!vioapic_set(&io, 4, true, &m), "a level that stays is none");
	io_write(&io, REDIRECT + 8, 0x00008031);
	tap_ok(vioapic_pending(&io, &m) && m.level && m.vector == 0x31,
	       "a level pin that is up delivers when it is unmasked");
	tap_ok(!vioapic_pending(&io, &m), "once, until its EOI");
	vioapic_eoi(&io, 0x31);
	tap_ok(vioapic_pending(&io, &m), "then again, being up still");
	vioapic_eoi(&io, 0x31);
	vioapic_set(&io, 4, false, &m);
	tap_ok(!vioapic_pending(&io, &m), "and not when it is down");

	/* 82093AA data sheet, "Register Description". */
	io_write(&io, REDIRECT + 10, 0xa032);
	tap_ok(vioapic_set(&io, 5, true, &m) && m.level,
	       "a level pin that is not masked delivers at once");
	vioapic_eoi(&io, 0x31);
	tap_ok(!vioapic_pending(&io, &m), "another vector's EOI is not its");
	vioapic_write(&io, 0, REDIRECT + 10);
	tap_is(vioapic_read(&io, 0x10), 0xe032, "its remote IRR reads 1");
	io_write(&io, REDIRECT + 10, 0x2032);
	tap_is(vioapic_read(&io, 0x10), 0x2032, "as an edge pin it has none");
	vioapic_set(&io, 5, false, &m);
	io_write(&io, REDIRECT + 11, 0xff000000);
	tap_is(vioapic_read(&io, 0x10), 0xff000000, "the upper half");
	tap_ok(vioapic_set(&io, 5, true, &m) && m.broadcast,
	       "destination FFH is all");
	io_write(&io, 0, 0xff000000);
	tap_is(vioapic_read(&io, 0x10), 0x0f000000, "an id of 4 bits");
	vioapic_write(&io, 0, 2);
	tap_is(vioapic_read(&io, 0x10), 0x0f000000, "is the arbitration id");
	io_write(&io, 1, 0);
	tap_is(vioapic_read(&io, 0x10), 0x170011, "the version is read-only");
	io_write(&io, REDIRECT + 48, 0x123);
	tap_is(vioapic_read(&io, 0x10), 0, "there is no 25th entry");
	vioapic_write(&io, 0, 5);
	tap_is(vioapic_read(&io, 0x10), 0, "nor a sixth register");
	tap_is(vioapic_read(&io, 0), 5, "the index reads back");
	vioapic_write(&io, 0x20, 7);
	tap_ok(vioapic_read(&io, 0x20) == 0 && vioapic_read(&io, 0) == 5,
	       "elsewhere nothing is");
}

static void test_pic(void)
{
	struct vpic p;

	vpic_reset(&p);
	vpic_write(&p, 0x20, 0x11);
	vpic_write(&p, 0x21, 0x30);
	vpic_write(&p, 0x21, 0x04);
	vpic_write(&p, 0x21, 0x01);
	vpic_write(&p, 0xa0, 0x11);
	vpic_write(&p, 0xa1, 0x38);
	vpic_write(&p, 0xa1, 0x02);
	vpic_write(&p, 0xa1, 0x01);
	vpic_write(&p, 0x21, 0xff);
	vpic_set(&p, 4, true);
	tap_is(vpic_pending(&p), -1, "8259: a masked input does not interrupt");
	vpic_write(&p, 0x21, 0xeb);
	tap_is(vpic_read(&p, 0x21), 0xeb, "the mask reads back");
	tap_is(vpic_pending(&p), 0x34, "unmasked it does, at ICW2's vector");
	vpic_accept(&p);
	tap_is(vpic_pending(&p), -1, "accepted");
	vpic_set(&p, 4, false);
	vpic_set(&p, 4, true);
	tap_is(vpic_pending(&p), -1, "a new edge waits for the EOI");
	vpic_write(&p, 0x20, 0x20);
	tap_is(vpic_pending(&p), 0x34, "and comes after it");
	vpic_set(&p, 4, false);
	vpic_set(&p, 12, true);
	tap_is(vpic_pending(&p), 0x3c, "the slave's through the cascade");
	vpic_accept(&p);
	vpic_write(&p, 0xa0, 0x0b);
	tap_is(vpic_read(&p, 0xa0), 0x10, "its ISR");
	vpic_write(&p, 0x20, 0x0b);
	tap_is(vpic_read(&p, 0x20), 0x04, "and the master's");
}

int main(void)
{
	test_modes();
	test_priority();
	test_level();
	test_ipis();
	test_errors();
	test_disabled();
	test_virtual_wire();
	test_registers();
	test_timer();
	test_ioapic();
	test_pic();
	return tap_done();
}

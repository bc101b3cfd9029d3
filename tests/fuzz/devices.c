/* SPDX-License-Identifier: MIT */
/* links: guest/vlapic.c guest/vlapic_regs.c guest/vlapic_timer.c */
/* links: guest/vioapic.c guest/vpic.c guest/vuart.c guest/msr.c */
/* seconds: 20 */
/*
 * A guest's whole reach into its devices, as sequences of accesses: each device
 * stays within its invariants, and what it asks the outside to do is something
 * that can be done.
 */
#include "guest/msr.h"
#include "guest/vioapic.h"
#include "guest/vlapic.h"
#include "guest/vpic.h"
#include "guest/vuart.h"
#include "tests/fuzz/fuzz.h"

#define PHYS_BITS 46

static struct vlapic lapic;
static struct vioapic ioapic;
static struct vpic pic;
static struct vuart uart;
static struct ring line;
static struct msr_state msr;
static u64 now;

static void judge_message(const struct apic_message *m)
{
	(void)vlapic_matches(&lapic, m);
	if (m->mode == APIC_FIXED || m->mode == APIC_LOWEST)
		(void)vlapic_post(&lapic, m->vector, m->level);
}

static void judge_effect(const struct vlapic_effect *e)
{
	if (e->ipi) {
		REQUIRE(e->shorthand <= APIC_TO_OTHERS);
		judge_message(&e->message);
	}
	if (e->eoi)
		vioapic_eoi(&ioapic, e->eoi_vector);
}

static void lapic_step(struct input *in, u64 what)
{
	struct vlapic_effect e = { 0 };
	const u32 reg          = (u32)take(in, 1);
	u64 value;

	switch (what) {
	case 0:
		(void)vlapic_read(&lapic, reg << 4 | (u32)take(in, 1), now);
		break;
	case 1:
		vlapic_write(&lapic, reg << 4, (u32)take(in, 4), now, &e);
		break;
	case 2:
		if (vlapic_read_msr(&lapic, reg, now, &value))
			REQUIRE(vlapic_is_x2apic(&lapic));
		break;
	case 3:
		if (vlapic_write_msr(&lapic, reg, take(in, 8), now, &e))
			REQUIRE(vlapic_is_x2apic(&lapic));
		break;
	case 4:
		(void)vlapic_write_base(&lapic, take(in, 8), PHYS_BITS);
		break;
	case 5:
		vlapic_write_deadline(&lapic, take(in, 8));
		break;
	case 6:
		vlapic_set_cr8(&lapic, reg & 15);
		REQUIRE(vlapic_get_cr8(&lapic) == (reg & 15));
		break;
	case 7:
		now += take(in, 4);
		(void)vlapic_tick(&lapic, now, reg);
		break;
	}
	judge_effect(&e);
}

static void lapic_deliver(void)
{
	const int vector = vlapic_pending(&lapic);

	if (vector < 0)
		return;
	REQUIRE(vector >= 16 && vector <= 255);
	REQUIRE(vlapic_is_enabled(&lapic));
	vlapic_accept(&lapic, (u8)vector);
	/* It is in service: the same one cannot come again at once. */
	REQUIRE(vlapic_pending(&lapic) != vector);
}

static void ioapic_step(struct input *in, u64 what)
{
	struct apic_message m;
	const u32 value = (u32)take(in, 1);

	if (what == 0)
		(void)vioapic_read(&ioapic, value);
	else if (what == 1)
		vioapic_write(&ioapic, value & 0x10, (u32)take(in, 4));
	else if (vioapic_set(&ioapic, value % VIOAPIC_PINS, value & 0x80, &m))
		judge_message(&m);
	/* Each pending pin is given once, then it is being served. */
	for (int i = 0; vioapic_pending(&ioapic, &m); i++) {
		REQUIRE(i < VIOAPIC_PINS);
		judge_message(&m);
	}
}

static void pic_step(struct input *in, u64 what)
{
	static const u16 port[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0 };
	const u16 at            = port[what % ARRAY_SIZE(port)];
	const u64 value         = take(in, 1);

	vpic_set(&pic, value & 15, value & 0x80);
	if (vpic_has_port(at)) {
		(void)vpic_read(&pic, at);
		vpic_write(&pic, at, (u8)take(in, 1));
	}

	const int vector = vpic_pending(&pic);

	REQUIRE(vector >= -1 && vector <= 255);
	if (vector >= 0 && (value & 0x40))
		vpic_accept(&pic);
}

static void uart_step(struct input *in, u64 what)
{
	const unsigned int offset = what % VUART_PORTS;

	if (take(in, 1) & 1)
		(void)vuart_write(&uart, offset, (u8)take(in, 1));
	else
		(void)vuart_read(&uart, offset);
	REQUIRE(uart.rx_count <= VUART_FIFO && uart.rx_head < VUART_FIFO);
	/* What comes in from outside waits; it never overruns. */
	const u8 errors = uart.lsr_errors;

	if (ring_room(&line))
		ring_put(&line, (u8)what);
	vuart_fill(&uart, &line);
	REQUIRE(uart.rx_count <= VUART_FIFO && uart.lsr_errors == errors);
	(void)vuart_irq(&uart);
}

static void msr_step(struct input *in, u64 what)
{
	static const u32 near[] = { 0x10,  0xfe,  0x174, 0x1a0, 0x200,
				    0x250, 0x268, 0x2ff, 0x800 };
	const u32 index = near[what % ARRAY_SIZE(near)] + (u32)take(in, 1);
	const u64 value = take(in, 8);
	u64 before = 0, after = 0;
	const enum msr_answer readable = msr_read(&msr, index, &before);

	if (msr_write(&msr, index, value, PHYS_BITS) != MSR_OK &&
	    readable == MSR_OK) {
		REQUIRE(msr_read(&msr, index, &after) == MSR_OK);
		REQUIRE(after == before);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	now = 1;
	vlapic_reset(&lapic, 0, 8);
	vlapic_virtual_wire(&lapic);
	vioapic_reset(&ioapic);
	vpic_reset(&pic);
	vuart_reset(&uart);
	line.put = line.taken = 0;
	msr_reset(&msr, 1);
	while (in.left) {
		const u64 choice = take(&in, 1);
		const u64 what   = choice >> 3 & 7;

		switch (choice & 7) {
		case 0:
		case 1:
			lapic_step(&in, what);
			break;
		case 2:
			lapic_deliver();
			break;
		case 3:
			ioapic_step(&in, what % 3);
			break;
		case 4:
			pic_step(&in, what);
			break;
		case 5:
			uart_step(&in, what);
			break;
		case 6:
			msr_step(&in, what + (choice >> 6));
			break;
		case 7:
			if (what == 0)
				vlapic_init(&lapic);
			break;
		}
		(void)vlapic_next_due(&lapic, choice);
	}
	return 0;
}

static void fuzz_seeds(void)
{
	/* Software-enable; timer periodic; time passes; deliver; EOI. */
	static const u8 timer[] = { 0x08, 0x0f, 0xff, 1, 0,    0,    0x08, 0x32,
				    0x40, 0,    2,    0, 0x08, 0x38, 9,    0,
				    0,    0,    0x38, 0, 0xff, 0xff, 0,    0,
				    2,    0x08, 0x0b, 0, 0,    0,    0 };
	/* x2APIC, then an IPI to itself. */
	static const u8 x2apic[] = { 0x20, 0, 0, 0x0c, 0xe0, 0xfe, 0,
				     0,    0, 0, 0x18, 0x30, 0x41, 0,
				     4,    0, 0, 0,    0,    0,    2 };
	static const u8 chips[]  = { 4, 0x81, 0x11, 0x0c, 0x81, 0x20, 5,  1,
				     1, 0x0d, 1,    0x0f, 3,    0x10, 11, 0x20 };

	fuzz_seed(timer, sizeof(timer));
	fuzz_seed(x2apic, sizeof(x2apic));
	fuzz_seed(chips, sizeof(chips));
}

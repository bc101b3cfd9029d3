/* SPDX-License-Identifier: MIT */
/* links: guest/vpic.c */
/*
 * The 8259A pair: priorities, the cascade, ends of interrupts. Source: Intel
 * 8259A data sheet.
 */
#include "guest/vpic.h"

#include "tests/unit/tap.h"

static struct vpic pic;

/* As a PC's software sets them up: vectors 20H and 28H, everything enabled. */
static void set_up(void)
{
	static const struct {
		u16 port;
		u8 value;
	} icw[] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 }, { 0xa1, 1 },
		{ 0x21, 0 },    { 0xa1, 0 },
	};

	vpic_reset(&pic);
	for (size_t i = 0; i < ARRAY_SIZE(icw); i++)
		vpic_write(&pic, icw[i].port, icw[i].value);
}

int main(void)
{
	vpic_reset(&pic);
	vpic_set(&pic, 4, true);
	tap_is(vpic_pending(&pic), -1, "after reset everything is masked");

	set_up();
	vpic_set(&pic, 4, true);
	tap_is(vpic_pending(&pic), 0x24, "input 4 is vector 24H");
	vpic_set(&pic, 0, true);
	tap_is(vpic_pending(&pic), 0x20, "a lower number goes first");
	vpic_accept(&pic);
	tap_is(vpic_pending(&pic), -1, "while it is served, no higher one");
	vpic_write(&pic, 0x20, 0x20);
	tap_is(vpic_pending(&pic), 0x24, "after its end the next one");
	vpic_accept(&pic);
	vpic_write(&pic, 0x20, 0x64);
	tap_is(vpic_pending(&pic), -1, "an end of input 4 by its number");
	vpic_set(&pic, 4, false);
	vpic_set(&pic, 4, true);
	tap_is(vpic_pending(&pic), 0x24, "only an edge asks again");

	set_up();
	vpic_set(&pic, 9, true);
	tap_is(vpic_pending(&pic), 0x29, "the slave's input 1 is vector 29H");
	vpic_accept(&pic);
	tap_ok(pic.chip[0].isr == 4 && pic.chip[1].isr == 2,
	       "both chips serve it");

	set_up();
	vpic_set(&pic, 2, true);
	tap_is(vpic_pending(&pic), -1, "the cascade is no input of its own");
	tap_is(vpic_accept(&pic), -1, "and nothing can be accepted");
	tap_is(pic.chip[0].isr, 0, "or is served for it");

	set_up();
	vpic_set(&pic, 5, true);
	vpic_accept(&pic);
	vpic_set(&pic, 3, true);
	tap_is(vpic_pending(&pic), 0x23, "a higher input interrupts a lower");
	vpic_set(&pic, 3, false);
	tap_is(vpic_pending(&pic), -1, "not if its level goes before");
	vpic_write(&pic, 0x20, 0x40);
	tap_is(pic.chip[0].isr, 1 << 5, "OCW2 without EOI ends nothing");
	vpic_set(&pic, 6, true);
	vpic_set(&pic, 6, true);
	tap_is(vpic_read(&pic, 0x20), 1 << 6, "IRR, which is read at first");
	vpic_write(&pic, 0x20, 0x0b);
	tap_is(vpic_read(&pic, 0x20), 1 << 5, "OCW3 chooses ISR");
	vpic_write(&pic, 0x20, 0x08);
	tap_is(vpic_read(&pic, 0x20), 1 << 5, "without RR it leaves that");
	vpic_write(&pic, 0x20, 0x0a);
	tap_is(vpic_read(&pic, 0x20), 1 << 6, "and IRR again");

	set_up();
	vpic_write(&pic, 0x20, 0x11);
	vpic_write(&pic, 0x21, 0x40);
	vpic_write(&pic, 0x21, 4);
	vpic_write(&pic, 0x21, 3);
	vpic_set(&pic, 1, true);
	tap_is(vpic_accept(&pic), 0x41, "ICW1 to 4 with automatic EOI");
	tap_is(pic.chip[0].isr, 0, "leave nothing in service");

	vpic_write(&pic, 0x20, 0x10);
	vpic_write(&pic, 0x21, 0x58);
	vpic_write(&pic, 0x21, 4);
	vpic_write(&pic, 0x21, 0xfe);
	tap_is(vpic_read(&pic, 0x21), 0xfe, "without ICW4 a mask is next");
	vpic_set(&pic, 0, true);
	tap_is(vpic_accept(&pic), 0x58, "at the new vector");
	tap_is(pic.chip[0].isr, 1, "and EOI is not automatic");

	tap_ok(vpic_has_port(0x20) && vpic_has_port(0x21) &&
		       vpic_has_port(0xa0) && vpic_has_port(0xa1),
	       "four ports are theirs");
	tap_ok(!vpic_has_port(0x22) && !vpic_has_port(0x9f) &&
		       !vpic_has_port(0xa2),
	       "their neighbours are not");
	return tap_done();
}

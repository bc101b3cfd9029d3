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
	vpic_accept(&pic);
	tap_is(pic.chip[0].isr, 0, "and nothing is served for it");
	return tap_done();
}

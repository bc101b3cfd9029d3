/* SPDX-License-Identifier: MIT */
/* links: guest/vuart.c */
/* The 16550A as PC16550D's data sheet has it, register by register. */
#include "guest/vuart.h"

#include <linux/serial_reg.h>
#include <string.h>

#include "tests/unit/tap.h"

enum op {
	W,
	R,
	LINE,
	IN,   /* VALUE arrives, then REG more bytes counting up */
	WAITS /* so many bytes are still on the line */
};

/* A script: write, read and compare, or compare the interrupt line. */
struct step {
	enum op op;
	u8 reg, value;
};

#define STEPS 24
#define RTS   (UART_MCR_DTR | UART_MCR_RTS)
#define OUT2  UART_MCR_OUT2

/* clang-format off */
static const struct {
	const char *claim;
	struct step step[STEPS];
} t[] = {
	{ "after reset the transmitter is empty, nothing is pending",
	  { { R, UART_LSR, 0x60 }, { R, UART_IIR, 0x01 }, { R, UART_IER, 0 },
	    { R, UART_MSR, 0xb0 }, { LINE, 0, 0 } } },
	{ "the scratch register keeps its byte",
	  { { W, UART_SCR, 0xa5 }, { R, UART_SCR, 0xa5 } } },
	{ "the divisor is behind DLAB, and IER is not disturbed",
	  { { W, UART_IER, 0x05 }, { W, UART_LCR, 0x83 }, { W, UART_DLL, 3 },
	    { W, UART_DLM, 1 }, { R, UART_DLL, 3 }, { R, UART_DLM, 1 },
	    { W, UART_LCR, 0x03 }, { R, UART_IER, 0x05 } } },
	{ "IER has four bits, MCR five",
	  { { W, UART_IER, 0xff }, { R, UART_IER, 0x0f },
	    { W, UART_MCR, 0xff }, { R, UART_MCR, 0x1f } } },
	{ "FCR enables the FIFOs, which IIR shows: a 16550A",
	  { { W, UART_FCR, 0x01 }, { R, UART_IIR, 0xc1 },
	    { W, UART_FCR, 0x00 }, { R, UART_IIR, 0x01 } } },
	{ "enabling THRI with an empty transmitter interrupts",
	  { { W, UART_MCR, UART_MCR_OUT2 }, { LINE, 0, 0 },
	    { W, UART_IER, UART_IER_THRI }, { LINE, 0, 1 },
	    { R, UART_IIR, UART_IIR_THRI }, { LINE, 0, 0 },
	    { R, UART_IIR, 0x01 }, { W, UART_TX, 'x' }, { LINE, 0, 1 } } },
	{ "without OUT2 the line stays down",
	  { { W, UART_IER, UART_IER_THRI }, { LINE, 0, 0 },
	    { R, UART_IIR, UART_IIR_THRI } } },
	{ "loopback receives what is sent, in order",
	  { { W, UART_FCR, 1 }, { W, UART_MCR, UART_MCR_LOOP },
	    { W, UART_TX, 'a' }, { W, UART_TX, 'b' }, { R, UART_LSR, 0x61 },
	    { R, UART_RX, 'a' }, { R, UART_RX, 'b' }, { R, UART_LSR, 0x60 } } },
	{ "in loopback the modem lines are our own outputs",
	  { { W, UART_MCR, 0x1a }, { R, UART_MSR, 0x90 | 0x02 },
	    { R, UART_MSR, 0x90 } } },
	{ "an empty receiver reads 0",
	  { { R, UART_RX, 0 }, { R, UART_LSR, 0x60 } } },
	{ "LCR reads back, and IIR is not behind DLAB",
	  { { W, UART_LCR, 0x9b }, { R, UART_LCR, 0x9b },
	    { R, UART_IIR, 0x01 } } },
	{ "the end of a ring is told, its beginning is not",
	  { { W, UART_MCR, 0x14 }, { R, UART_MSR, 0x4b },
	    { R, UART_MSR, 0x40 }, { W, UART_MCR, 0x10 },
	    { R, UART_MSR, 0x04 } } },
	{ "a change of modem lines interrupts last",
	  { { W, UART_IER, UART_IER_MSI | UART_IER_THRI },
	    { W, UART_MCR, 0x10 }, { R, UART_IIR, UART_IIR_THRI },
	    { R, UART_IIR, UART_IIR_MSI }, { R, UART_MSR, 0x0b },
	    { R, UART_IIR, 0x01 } } },
	{ "in loopback the line stays down, OUT2 or not",
	  { { W, UART_IER, UART_IER_THRI }, { W, UART_MCR, OUT2 },
	    { LINE, 0, 1 }, { W, UART_MCR, OUT2 | UART_MCR_LOOP },
	    { LINE, 0, 0 } } },
	{ "without FIFO a second byte overruns the first",
	  { { W, UART_MCR, UART_MCR_LOOP }, { W, UART_TX, 'a' },
	    { W, UART_TX, 'b' }, { R, UART_LSR, 0x63 }, { R, UART_LSR, 0x61 },
	    { R, UART_RX, 'b' } } },
	{ "line status comes before data, data before transmit",
	  { { W, UART_IER, 0x07 }, { W, UART_MCR, UART_MCR_LOOP },
	    { W, UART_TX, 'a' }, { W, UART_TX, 'b' },
	    { R, UART_IIR, UART_IIR_RLSI }, { R, UART_LSR, 0x63 },
	    { R, UART_IIR, UART_IIR_RDI }, { R, UART_RX, 'b' },
	    { R, UART_IIR, UART_IIR_THRI }, { R, UART_IIR, 0x01 } } },
	{ "clearing the receiver's FIFO empties it",
	  { { W, UART_FCR, 1 }, { W, UART_MCR, UART_MCR_LOOP },
	    { W, UART_TX, 'a' }, { W, UART_FCR, 3 }, { R, UART_LSR, 0x60 } } },
	{ "a byte on the line waits until RTS is up",
	  { { IN, 0, 'a' }, { R, UART_LSR, 0x60 }, { WAITS, 0, 1 },
	    { W, UART_MCR, RTS }, { R, UART_LSR, 0x61 }, { WAITS, 0, 0 },
	    { R, UART_RX, 'a' }, { R, UART_LSR, 0x60 } } },
	{ "without FIFO the receiver holds one byte, the line the others",
	  { { W, UART_MCR, RTS }, { IN, 2, 'a' }, { WAITS, 0, 2 },
	    { R, UART_RX, 'a' }, { WAITS, 0, 1 }, { R, UART_RX, 'b' },
	    { R, UART_RX, 'c' }, { R, UART_LSR, 0x60 } } },
	{ "a full FIFO is not overrun: the line waits",
	  { { W, UART_FCR, 1 }, { W, UART_MCR, RTS }, { IN, 19, 1 },
	    { WAITS, 0, 4 }, { R, UART_LSR, 0x61 }, { R, UART_RX, 1 },
	    { WAITS, 0, 3 }, { R, UART_RX, 2 }, { R, UART_RX, 3 },
	    { R, UART_RX, 4 }, { R, UART_RX, 5 }, { WAITS, 0, 0 },
	    { R, UART_LSR, 0x61 } } },
	{ "every value of a byte is received",
	  { { W, UART_MCR, RTS }, { IN, 0, 0 }, { R, UART_RX, 0 },
	    { IN, 0, 0xff }, { R, UART_RX, 0xff }, { IN, 0, 0x1d },
	    { R, UART_RX, 0x1d }, { R, UART_LSR, 0x60 } } },
	{ "received data interrupts, and reading it ends that",
	  { { W, UART_MCR, RTS | OUT2 }, { W, UART_IER, UART_IER_RDI },
	    { LINE, 0, 0 }, { IN, 0, 'a' }, { LINE, 0, 1 },
	    { R, UART_IIR, UART_IIR_RDI }, { LINE, 0, 1 },
	    { R, UART_RX, 'a' }, { LINE, 0, 0 },
	    { R, UART_IIR, UART_IIR_NO_INT } } },
	{ "below the trigger level it is a timeout, from it on data",
	  { { W, UART_FCR, 0x81 }, { W, UART_MCR, RTS | OUT2 },
	    { W, UART_IER, UART_IER_RDI }, { IN, 6, 1 }, { LINE, 0, 1 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RX_TIMEOUT }, { IN, 0, 8 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RDI }, { R, UART_RX, 1 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RX_TIMEOUT } } },
	{ "trigger level 14",
	  { { W, UART_FCR, 0xc1 }, { W, UART_MCR, RTS },
	    { W, UART_IER, UART_IER_RDI }, { IN, 12, 1 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RX_TIMEOUT }, { IN, 0, 14 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RDI } } },
	{ "trigger level 4; level 1 knows no timeout",
	  { { W, UART_FCR, 0x41 }, { W, UART_MCR, RTS },
	    { W, UART_IER, UART_IER_RDI }, { IN, 2, 1 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RX_TIMEOUT }, { IN, 0, 4 },
	    { R, UART_IIR, 0xc0 | UART_IIR_RDI }, { W, UART_FCR, 0x03 },
	    { IN, 0, 5 }, { R, UART_IIR, 0xc0 | UART_IIR_RDI } } },
	{ "data comes before transmit",
	  { { W, UART_MCR, RTS }, { W, UART_IER, 0x03 }, { IN, 0, 'a' },
	    { R, UART_IIR, UART_IIR_RDI }, { R, UART_RX, 'a' },
	    { R, UART_IIR, UART_IIR_THRI } } },
	{ "in loopback the line waits: RTS is inactive outside",
	  { { W, UART_MCR, RTS | UART_MCR_LOOP }, { IN, 0, 'a' },
	    { R, UART_LSR, 0x60 }, { W, UART_TX, 'b' },
	    { R, UART_RX, 'b' }, { W, UART_MCR, RTS },
	    { R, UART_RX, 'a' } } },
	{ "lowering RTS stops the line, what was received stays",
	  { { W, UART_FCR, 1 }, { W, UART_MCR, RTS }, { IN, 0, 1 },
	    { W, UART_MCR, 0 }, { IN, 0, 2 }, { WAITS, 0, 1 },
	    { R, UART_RX, 1 }, { R, UART_LSR, 0x60 },
	    { W, UART_MCR, RTS }, { R, UART_RX, 2 } } },
	{ "LSR and MSR take no writes",
	  { { W, UART_LSR, 0xff }, { W, UART_MSR, 0xff },
	    { R, UART_LSR, 0x60 }, { R, UART_MSR, 0xb0 } } },
};
/* clang-format on */

static void feed(struct ring *line, u8 first, unsigned int more)
{
	for (unsigned int i = 0; i <= more; i++)
		ring_put(line, (u8)(first + i));
}

static bool run(const struct step *s)
{
	const struct step none = { 0 };
	struct ring line       = { 0 };
	struct vuart u;

	vuart_reset(&u);
	for (int i = 0; i < STEPS && memcmp(&s[i], &none, sizeof(none)); i++) {
		u8 got = 0;

		if (s[i].op == W)
			vuart_write(&u, s[i].reg, s[i].value);
		else if (s[i].op == R)
			got = vuart_read(&u, s[i].reg);
		else if (s[i].op == LINE)
			got = vuart_irq(&u);
		else if (s[i].op == WAITS)
			got = (u8)ring_count(&line);
		else
			feed(&line, s[i].value, s[i].reg);
		vuart_fill(&u, &line);
		if (s[i].op != W && s[i].op != IN && got != s[i].value) {
			tap_note("step %d: got %#x, expected %#x", i, got,
				 s[i].value);
			return false;
		}
	}
	return true;
}

/* Bytes through a queue that wraps, in bursts of all sizes: wrong ones. */
static u64 stream(struct vuart *u, u64 count)
{
	static struct ring line;
	u64 sent = 0, got = 0, wrong = 0;

	vuart_reset(u);
	vuart_write(u, UART_FCR, 0xc1);
	vuart_write(u, UART_MCR, RTS);
	while (got < count) {
		for (u64 n = got % 977; n <= 977 && ring_room(&line); n++)
			ring_put(&line, (u8)(sent++ * 7));
		vuart_fill(u, &line);
		for (u64 n = got % 31;
		     n <= 31 && (vuart_read(u, UART_LSR) & UART_LSR_DR); n++) {
			wrong += vuart_read(u, UART_RX) != (u8)(got++ * 7);
			vuart_fill(u, &line);
		}
	}
	return wrong;
}

int main(void)

{
	struct vuart u;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		tap_ok(run(t[i].step), "%s", t[i].claim);

	vuart_reset(&u);
	tap_ok(vuart_write(&u, UART_TX, 'x'), "a byte goes out");
	vuart_write(&u, UART_LCR, UART_LCR_DLAB);
	tap_ok(!vuart_write(&u, UART_TX, 'x'), "a divisor does not");
	vuart_write(&u, UART_LCR, 0);
	vuart_write(&u, UART_MCR, UART_MCR_LOOP);
	tap_ok(!vuart_write(&u, UART_TX, 'x'), "nor does a byte in loopback");
	vuart_write(&u, UART_FCR, 1);
	for (int i = 0; i < 40; i++)
		vuart_write(&u, UART_TX, (u8)i);
	tap_is(u.rx_count, VUART_FIFO, "the FIFO holds 16 bytes");
	tap_is(vuart_read(&u, UART_RX), 0, "and keeps the first ones");
	tap_is(stream(&u, 1000000), 0, "a million bytes arrive in order");
	tap_is(vuart_read(&u, UART_LSR) & UART_LSR_OE, 0, "without overrun");
	return tap_done();
}

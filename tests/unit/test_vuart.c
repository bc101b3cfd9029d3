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
	LINE
};

/* A script: write, read and compare, or compare the interrupt line. */
struct step {
	enum op op;
	u8 reg, value;
};

/* clang-format off */
static const struct {
	const char *claim;
	struct step step[16];
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
	{ "LSR and MSR take no writes",
	  { { W, UART_LSR, 0xff }, { W, UART_MSR, 0xff },
	    { R, UART_LSR, 0x60 }, { R, UART_MSR, 0xb0 } } },
};
/* clang-format on */

static bool run(const struct step *s)
{
	const struct step none = { 0 };
	struct vuart u;

	vuart_reset(&u);
	for (int i = 0; i < 16 && memcmp(&s[i], &none, sizeof(none)); i++) {
		u8 got = 0;

		if (s[i].op == W)
			vuart_write(&u, s[i].reg, s[i].value);
		else if (s[i].op == R)
			got = vuart_read(&u, s[i].reg);
		else
			got = vuart_irq(&u);
		if (s[i].op != W && got != s[i].value) {
			tap_note("step %d: got %#x, expected %#x", i, got,
				 s[i].value);
			return false;
		}
	}
	return true;
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
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * A 16550A: its registers, both FIFOs, interrupt and loopback. Sending takes no
 * time. What is received waits in a queue, the line, until the receiver has
 * room and its RTS output is up, so nothing is ever overrun from outside. Pure:
 * what was sent and whether the interrupt line is up are values for the caller.
 */
#ifndef GUEST_VUART_H
#define GUEST_VUART_H

#include "boot/lib/types.h"
#include "guest/ring.h"

#define VUART_PORT  0x3f8
#define VUART_PORTS 8
#define VUART_IRQ   4
#define VUART_FIFO  16

struct vuart {
	u8 ier, lcr, mcr, scr, fcr;
	u8 lsr_errors; /* overrun, until LSR is read */
	u8 msr_delta;  /* loopback's changes, until MSR is read */
	u8 dll, dlm;
	bool thri; /* "transmitter empty" waits to be told */
	u8 rx[VUART_FIFO];
	u8 rx_head, rx_count;
};

void vuart_reset(struct vuart *u);

/* OFFSET is below VUART_PORTS. */
u8 vuart_read(struct vuart *u, unsigned int offset);

/* True: the byte VALUE went out on the line. */
bool vuart_write(struct vuart *u, unsigned int offset, u8 value);

/*
 * Bytes from LINE into the receiver, as far as it takes them. Also right after
 * every access: a read may have made room, a write may have raised RTS.
 */
void vuart_fill(struct vuart *u, struct ring *line);

/* The level of the interrupt line, as gated by MCR.OUT2 on a PC. */
bool vuart_irq(const struct vuart *u);

#endif

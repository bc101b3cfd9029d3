/* SPDX-License-Identifier: MIT */
/*
 * The two 8259A interrupt controllers of a PC, in the modes that PC software
 * uses: cascaded, fully nested, normal or automatic EOI. Pure.
 */
#ifndef GUEST_VPIC_H
#define GUEST_VPIC_H

#include "boot/lib/types.h"

struct vpic_chip {
	u8 irr, isr, imr;
	u8 lines;  /* level of each input, for edges */
	u8 vector; /* ICW2: of input 0 */
	u8 icw;    /* the next ICW expected at the data port, 0: OCW1 */
	bool icw4_needed, auto_eoi, read_isr;
};

struct vpic {
	struct vpic_chip chip[2]; /* master, slave (at the master's input 2) */
};

/* As firmware leaves them: initialised, everything masked. */
void vpic_reset(struct vpic *p);

/* Is PORT one of theirs? */
bool vpic_has_port(u16 port);
u8 vpic_read(struct vpic *p, u16 port);
void vpic_write(struct vpic *p, u16 port, u8 value);

/* Input IRQ, 0 to 15, is at LEVEL now; 2 is the slave's output and no input. */
void vpic_set(struct vpic *p, unsigned int irq, bool level);

/* The vector that an INTA cycle would give, -1: INTR is not asserted. */
int vpic_pending(const struct vpic *p);

/* That INTA cycle, and its vector; -1: INTR is not asserted. */
int vpic_accept(struct vpic *p);

#endif

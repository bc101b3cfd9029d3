/* SPDX-License-Identifier: MIT */
/* The 8259A pair, from its data sheet; inputs are edge-triggered. */
#include "guest/vpic.h"

#include "boot/lib/string.h"

#define MASTER_COMMAND 0x20
#define SLAVE_COMMAND  0xa0
#define CASCADE        2 /* the slave's input at the master */

#define ICW1      BIT(4)
#define ICW1_ICW4 BIT(0)
#define ICW4_AEOI BIT(1)
#define OCW3      BIT(3)
#define OCW3_READ BIT(1)
#define OCW3_ISR  BIT(0)
#define OCW2_EOI  BIT(5)
#define OCW2_SL   BIT(6)

void vpic_reset(struct vpic *p)
{
	memset(p, 0, sizeof(*p));
	p->chip[0].vector = 0x08;
	p->chip[1].vector = 0x70;
	p->chip[0].imr    = 0xff;
	p->chip[1].imr    = 0xff;
}

bool vpic_has_port(u16 port)
{
	return (port & ~1) == MASTER_COMMAND || (port & ~1) == SLAVE_COMMAND;
}

/* The input that may interrupt now, lower numbers first; -1: none. */
static int request(const struct vpic_chip *c, u8 irr)
{
	const u8 wanted = irr & (u8)~c->imr;

	if (!wanted)
		return -1;
	const int irq = __builtin_ctz(wanted);

	return c->isr && __builtin_ctz(c->isr) <= irq ? -1 : irq;
}

/* The master's IRR with the slave's output at its cascade input. */
static u8 master_irr(const struct vpic *p)
{
	const struct vpic_chip *slave = &p->chip[1];

	return p->chip[0].irr |
	       (u8)(request(slave, slave->irr) >= 0 ? 1u << CASCADE : 0);
}

int vpic_pending(const struct vpic *p)
{
	const struct vpic_chip *slave = &p->chip[1];
	const int irq                 = request(&p->chip[0], master_irr(p));

	if (irq != CASCADE)
		return irq < 0 ? -1 : p->chip[0].vector + irq;
	return slave->vector + request(slave, slave->irr);
}

static void serve(struct vpic_chip *c, int irq)
{
	c->irr &= (u8) ~(1u << irq);
	if (!c->auto_eoi)
		c->isr |= (u8)(1u << irq);
}

int vpic_accept(struct vpic *p)
{
	struct vpic_chip *slave = &p->chip[1];
	const int irq           = request(&p->chip[0], master_irr(p));
	const int behind        = request(slave, slave->irr);
	const int vector        = vpic_pending(p);

	if (irq < 0)
		return -1;
	if (behind >= 0 && irq == CASCADE)
		serve(slave, behind);
	serve(&p->chip[0], irq);
	return vector;
}

void vpic_set(struct vpic *p, unsigned int irq, bool level)
{
	struct vpic_chip *c = &p->chip[irq / 8];
	const u8 bit        = (u8)(1u << irq % 8);

	if (irq == CASCADE)
		return;
	if (level && !(c->lines & bit))
		c->irr |= bit;
	if (!level)
		c->irr &= (u8)~bit;
	c->lines = level ? c->lines | bit : c->lines & (u8)~bit;
}

static void end_of_interrupt(struct vpic_chip *c, u8 value)
{
	if (value & OCW2_SL)
		c->isr &= (u8) ~(1u << (value & 7));
	else
		c->isr &= (u8)(c->isr - 1u); /* the highest in service */
}

static void write_command(struct vpic_chip *c, u8 value)
{
	if (value & ICW1) {
		c->irr = c->isr = c->imr = 0;
		c->auto_eoi = c->read_isr = false;
		c->icw4_needed            = value & ICW1_ICW4;
		c->icw                    = 2;
	} else if (value & OCW3) {
		if (value & OCW3_READ)
			c->read_isr = value & OCW3_ISR;
	} else if (value & OCW2_EOI) {
		end_of_interrupt(c, value);
	}
}

static void write_data(struct vpic_chip *c, u8 value)
{
	switch (c->icw) {
	case 2:
		c->vector = value & 0xf8;
		c->icw    = 3;
		return;
	case 3: /* the cascade is as it is in a PC */
		c->icw = c->icw4_needed ? 4 : 0;
		return;
	case 4:
		c->auto_eoi = value & ICW4_AEOI;
		c->icw      = 0;
		return;
	default:
		c->imr = value;
	}
}

u8 vpic_read(struct vpic *p, u16 port)
{
	const struct vpic_chip *c = &p->chip[port >= SLAVE_COMMAND];

	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

void vpic_write(struct vpic *p, u16 port, u8 value)
{
	struct vpic_chip *c = &p->chip[port >= SLAVE_COMMAND];

	if (port & 1)
		write_data(c, value);
	else
		write_command(c, value);
}

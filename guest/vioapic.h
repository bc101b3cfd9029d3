/* SPDX-License-Identifier: MIT */
/*
 * One I/O APIC of 24 pins at its usual address (82093AA, as SDM-era chipsets
 * have it). Pure: a pin that rises gives a message for the local APICs, which
 * the caller delivers.
 */
#ifndef GUEST_VIOAPIC_H
#define GUEST_VIOAPIC_H

#include "boot/lib/types.h"
#include "guest/vlapic.h"

#define VIOAPIC_BASE 0xfec00000ULL
#define VIOAPIC_PINS 24

struct vioapic {
	u8 id;
	u8 select;
	u32 lines; /* level of each pin */
	u64 entry[VIOAPIC_PINS];
};

void vioapic_reset(struct vioapic *io);

u32 vioapic_read(const struct vioapic *io, u32 offset);

/* The level of PIN, as last set. */
static inline bool vioapic_line(const struct vioapic *io, unsigned int pin)
{
	return io->lines & BIT(pin);
}

/* Unmasking a level pin that is up delivers: see vioapic_pending(). */
void vioapic_write(struct vioapic *io, u32 offset, u32 value);

/*
 * Pin PIN is at LEVEL now. True: deliver *MESSAGE (an edge, or a level that is
 * not yet being served).
 */
bool vioapic_set(struct vioapic *io, unsigned int pin, bool level,
		 struct apic_message *message);

/* The next level-triggered pin that is up, unmasked and not being served. */
bool vioapic_pending(struct vioapic *io, struct apic_message *message);

/* A local APIC's EOI of VECTOR. Ask vioapic_pending() afterwards. */
void vioapic_eoi(struct vioapic *io, u8 vector);

#endif

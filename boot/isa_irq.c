/* SPDX-License-Identifier: MIT */
/* Two walks over the MADT: from the IRQ to its number, from there to an input.
 */
#include "boot/isa_irq.h"

#include "boot/acpi_format.h"
#include "boot/lib/bytes.h"

/* Offsets in the MADT and in its entries. */
enum {
	IOAPIC         = 1, /* type */
	IOAPIC_ADDRESS = 4,
	IOAPIC_FIRST   = 8,
	IOAPIC_BYTES   = 12,
	OVERRIDE       = 2, /* type */
	OVERRIDE_IRQ   = 3,
	OVERRIDE_GSI   = 4,
	OVERRIDE_FLAGS = 8,
	OVERRIDE_BYTES = 10,
};

/* ACPI 6.4, table 5.26 "MPS INTI Flags". 0 is the bus's own: high, edge. */
#define FLAGS_POLARITY 0x3
#define FLAGS_LOW      0x3
#define FLAGS_TRIGGER  0xc
#define FLAGS_LEVEL    0xc

/*
 * The entry of TYPE with at least BYTES behind offset *AT, which then is behind
 * it. NULL: there is no other, or the next one's length is impossible.
 */
static const u8 *next(const u8 *madt, u32 length, u32 *at, u8 type, u32 bytes)
{
	while (*at < length) {
		const u8 *e   = madt + *at;
		const u32 has = madt_entry_bytes(madt, length, *at);

		if (!has)
			return NULL;
		*at += has;
		if (e[0] == type && has >= bytes)
			return e;
	}
	return NULL;
}

bool isa_irq_find(const u8 *madt, u32 length, u8 irq, struct isa_irq *out)
{
	u32 gsi   = irq;
	u32 first = 0;
	u32 at    = MADT_ENTRIES;
	u8 flags  = 0;
	bool any  = false;
	const u8 *e;

	while ((e = next(madt, length, &at, OVERRIDE, OVERRIDE_BYTES)))
		if (e[OVERRIDE_IRQ] == irq) {
			gsi   = get32(e + OVERRIDE_GSI);
			flags = e[OVERRIDE_FLAGS];
		}
	/* The one that begins last at or before it: lengths are its own. */
	at = MADT_ENTRIES;
	while ((e = next(madt, length, &at, IOAPIC, IOAPIC_BYTES))) {
		const u32 begin = get32(e + IOAPIC_FIRST);

		if (begin > gsi || (any && begin < first))
			continue;
		any          = true;
		first        = begin;
		out->address = get32(e + IOAPIC_ADDRESS);
	}
	out->input = gsi - first;
	out->low   = (flags & FLAGS_POLARITY) == FLAGS_LOW;
	out->level = (flags & FLAGS_TRIGGER) == FLAGS_LEVEL;
	return any;
}

u8 isa_irq_of_uart(u16 port)
{
	switch (port) {
	case 0x3f8:
	case 0x3e8:
		return 4;
	case 0x2f8:
	case 0x2e8:
		return 3;
	}
	return 0;
}

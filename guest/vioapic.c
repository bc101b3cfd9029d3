/* SPDX-License-Identifier: MIT */
/* The I/O APIC's registers and the two ways a pin can interrupt. */
#include "guest/vioapic.h"

#include "boot/lib/string.h"

#define REG_SELECT 0x00 /* offsets in its page */
#define REG_WINDOW 0x10

#define INDEX_ID      0x00
#define INDEX_VERSION 0x01
#define INDEX_ARB     0x02
#define INDEX_ENTRY   0x10

#define VERSION ((VIOAPIC_PINS - 1) << 16 | 0x11)

/* Redirection table entry. */
#define ENTRY_LOGICAL    BIT(11)
#define ENTRY_STATUS     BIT(12) /* read only */
#define ENTRY_REMOTE_IRR BIT(14) /* read only */
#define ENTRY_LEVEL      BIT(15)
#define ENTRY_MASKED     BIT(16)
#define ENTRY_WRITABLE   (FIELD(63, 56) | FIELD(16, 15) | BIT(13) | FIELD(11, 0))

void vioapic_reset(struct vioapic *io)
{
	memset(io, 0, sizeof(*io));
	for (unsigned int i = 0; i < VIOAPIC_PINS; i++)
		io->entry[i] = ENTRY_MASKED;
}

static u32 read_index(const struct vioapic *io)
{
	const unsigned int pin = (io->select - INDEX_ENTRY) / 2u;

	switch (io->select) {
	case INDEX_ID:
	case INDEX_ARB:
		return (u32)io->id << 24;
	case INDEX_VERSION:
		return VERSION;
	default:
		if (io->select < INDEX_ENTRY || pin >= VIOAPIC_PINS)
			return 0;
		return io->select & 1 ? hi32(io->entry[pin])
				      : lo32(io->entry[pin]);
	}
}

u32 vioapic_read(const struct vioapic *io, u32 offset)
{
	switch (offset) {
	case REG_SELECT:
		return io->select;
	case REG_WINDOW:
		return read_index(io);
	default:
		return 0;
	}
}

static void write_index(struct vioapic *io, u32 value)
{
	const unsigned int pin = (io->select - INDEX_ENTRY) / 2u;

	if (io->select == INDEX_ID)
		io->id = value >> 24 & 0xf;
	if (io->select < INDEX_ENTRY || pin >= VIOAPIC_PINS)
		return;
	const u64 old = io->entry[pin];
	const u64 wrote =
		io->select & 1 ? make64(value, old) : make64(hi32(old), value);

	io->entry[pin] = (wrote & ENTRY_WRITABLE) | (old & ~ENTRY_WRITABLE);
	/* An edge pin is never being served. */
	if (!(io->entry[pin] & ENTRY_LEVEL))
		io->entry[pin] &= ~ENTRY_REMOTE_IRR;
}

void vioapic_write(struct vioapic *io, u32 offset, u32 value)
{
	if (offset == REG_SELECT)
		io->select = (u8)value;
	else if (offset == REG_WINDOW)
		write_index(io, value);
}

static struct apic_message message_of(u64 entry)
{
	return (struct apic_message){
		.vector      = (u8)entry,
		.mode        = (u8)field_get(entry, 10, 8),
		.logical     = entry & ENTRY_LOGICAL,
		.level       = entry & ENTRY_LEVEL,
		.destination = (u32)field_get(entry, 63, 56),
		.broadcast   = field_get(entry, 63, 56) == 0xff,
	};
}

/* A level pin that is to be delivered now. */
static bool serve(struct vioapic *io, unsigned int pin,
		  struct apic_message *message)
{
	u64 *e = &io->entry[pin];

	if (!(io->lines & BIT(pin)) || !(*e & ENTRY_LEVEL) ||
	    (*e & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
		return false;
	*e |= ENTRY_REMOTE_IRR;
	*message = message_of(*e);
	return true;
}

bool vioapic_set(struct vioapic *io, unsigned int pin, bool level,
		 struct apic_message *message)
{
	const bool was = io->lines & BIT(pin);
	const u64 e    = io->entry[pin];

	io->lines = (u32)((io->lines & ~BIT(pin)) | (level ? BIT(pin) : 0));
	if (e & ENTRY_LEVEL)
		return serve(io, pin, message);
	if (was || !level || (e & ENTRY_MASKED))
		return false;
	*message = message_of(e);
	return true;
}

bool vioapic_pending(struct vioapic *io, struct apic_message *message)
{
	for (unsigned int pin = 0; pin < VIOAPIC_PINS; pin++)
		if (serve(io, pin, message))
			return true;
	return false;
}

void vioapic_eoi(struct vioapic *io, u8 vector)
{
	for (unsigned int pin = 0; pin < VIOAPIC_PINS; pin++)
		if ((io->entry[pin] & ENTRY_LEVEL) &&
		    (u8)io->entry[pin] == vector)
			io->entry[pin] &= ~ENTRY_REMOTE_IRR;
}

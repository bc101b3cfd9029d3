/* SPDX-License-Identifier: MIT */
/* links: boot/isa_irq.c */
/* ISA interrupts in the MADT: ACPI 6.4, 5.2.12. */
#include "boot/isa_irq.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

#define HEADER 44

#define LAPIC 0, 8, 0, 0, 1, 0, 0, 0
#define IOAPIC(first, page)                                                    \
	1, 12, 7, 0, 0, 0x10 * (page), 0xc0, 0xfe, first, 0, 0, 0
#define OVERRIDE(irq, gsi, flags) 2, 10, 0, irq, gsi, 0, 0, 0, flags, 0

/* clang-format off */
static const struct {
	const char *claim;
	u8 bytes;
	u8 entries[60];
	u8 irq;
	bool found;
	struct isa_irq is;
} t[] = {
	{ "one I/O APIC has it under its own number",
	  20, { LAPIC, IOAPIC(0, 0) }, 4, true, { 0xfec00000, 4, false, false } },
	{ "an override gives another number",
	  30, { LAPIC, IOAPIC(0, 0), OVERRIDE(4, 20, 0) }, 4, true,
	  { 0xfec00000, 20, false, false } },
	{ "wherever it stands",
	  30, { OVERRIDE(4, 20, 0), LAPIC, IOAPIC(0, 0) }, 4, true,
	  { 0xfec00000, 20, false, false } },
	{ "another IRQ's override is not ours",
	  30, { LAPIC, IOAPIC(0, 0), OVERRIDE(0, 2, 0) }, 4, true,
	  { 0xfec00000, 4, false, false } },
	{ "active low, level",
	  22, { IOAPIC(0, 0), OVERRIDE(9, 9, 0xf) }, 9, true,
	  { 0xfec00000, 9, true, true } },
	{ "active high, level",
	  22, { IOAPIC(0, 0), OVERRIDE(9, 9, 0xd) }, 9, true,
	  { 0xfec00000, 9, true, false } },
	{ "active high, edge, as said",
	  22, { IOAPIC(0, 0), OVERRIDE(3, 3, 0x5) }, 3, true,
	  { 0xfec00000, 3, false, false } },
	{ "of two the one whose inputs it is among",
	  34, { IOAPIC(24, 1), IOAPIC(0, 0), OVERRIDE(4, 30, 0) }, 4, true,
	  { 0xfec01000, 6, false, false } },
	{ "the first of two",
	  24, { IOAPIC(24, 1), IOAPIC(0, 0) }, 4, true,
	  { 0xfec00000, 4, false, false } },
	{ "the first of two, in the other order",
	  24, { IOAPIC(0, 0), IOAPIC(24, 1) }, 4, true,
	  { 0xfec00000, 4, false, false } },
	{ "no I/O APIC", 8, { LAPIC }, 4, false, { 0 } },
	{ "none that begins so early", 12, { IOAPIC(24, 1) }, 4, false, { 0 } },
	{ "no entries", 0, { 0 }, 4, false, { 0 } },
	{ "an entry without a length ends the search",
	  20, { 0, 0, 0, 0, 0, 0, 0, 0, IOAPIC(0, 0) }, 4, false, { 0 } },
	{ "one that is longer than the table too",
	  12, { 1, 13, 7, 0, 0, 0, 0xc0, 0xfe }, 4, false, { 0 } },
	{ "one that is too short for its type is passed over",
	  20, { 2, 8, 0, 4, 20, 0, 0, 0, IOAPIC(0, 0) }, 4, true,
	  { 0xfec00000, 4, false, false } },
	{ "half an entry at the end",
	  13, { IOAPIC(0, 0), 2 }, 4, true, { 0xfec00000, 4, false, false } },
};
/* clang-format on */

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const u32 length   = HEADER + t[i].bytes;
		u8 *madt           = calloc(1, length); /* ASan sees its end */
		struct isa_irq got = { 0 };
		const struct isa_irq *want = &t[i].is;

		memcpy(madt + HEADER, t[i].entries, t[i].bytes);
		const bool found = isa_irq_find(madt, length, t[i].irq, &got);

		if (!tap_ok(found == t[i].found &&
				    (!found || (got.address == want->address &&
						got.input == want->input &&
						got.level == want->level &&
						got.low == want->low)),
			    "%s", t[i].claim))
			tap_note("%d: %#x input %u level %d low %d", found,
				 got.address, got.input, got.level, got.low);
		free(madt);
	}
	tap_ok(isa_irq_of_uart(0x3f8) == 4 && isa_irq_of_uart(0x3e8) == 4 &&
		       isa_irq_of_uart(0x2f8) == 3 &&
		       isa_irq_of_uart(0x2e8) == 3,
	       "the four UARTs of a PC have IRQ 4 and 3");
	tap_is(isa_irq_of_uart(0x1000), 0, "any other has none");
	return tap_done();
}

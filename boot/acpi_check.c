/* SPDX-License-Identifier: MIT */
/*
 * Looks at every table that we use as a critic would, and puts what it finds
 * into words. Decides nothing: boot/acpi.h's functions are as careful on their
 * own, and a machine starts in spite of all of it.
 */
#include "boot/acpi_check.h"

#include "boot/acpi_format.h"
#include "boot/lib/bytes.h"
#include "boot/lib/print.h"

/* The search for one complaint: the one before which INDEX others come. */
struct search {
	const struct acpi_window *w;
	u32 index;
	char *text;
	size_t size;
	bool found;
};

/* The tables that we read; others may be as they like. */
static const char *const used[] = { "APIC", "FACP", "SPCR", "DMAR" };

PRINTF_LIKE(2, 3) static void say(struct search *s, const char *fmt, ...)
{
	va_list ap;

	if (s->found || s->index-- > 0)
		return;
	va_start(ap, fmt);
	tv_vsnprintf(s->text, s->size, fmt, ap);
	va_end(ap);
	s->found = true;
}

static void check_madt_cpu(struct search *s, const u8 *e, u32 offset)
{
	const u32 needed = e[0] == MADT_LAPIC    ? MADT_LAPIC_BYTES
			   : e[0] == MADT_X2APIC ? MADT_X2APIC_BYTES
						 : 0;

	if (e[1] < needed)
		say(s,
		    "the MADT's entry at offset %u, of type %u, has %u bytes: "
		    "%u are needed, the CPU is not used",
		    offset, e[0], e[1], needed);
}

static void check_madt(struct search *s, const u8 *t, u32 length)
{
	u32 at = MADT_ENTRIES, next = 0, cpus = 0, apic_id;

	if (length < MADT_ENTRIES) {
		say(s, "the MADT has %u bytes: its fixed part has %u", length,
		    MADT_ENTRIES);
		return;
	}
	while (length - at >= 2 && t[at + 1] >= 2 && t[at + 1] <= length - at) {
		check_madt_cpu(s, t + at, at);
		at += t[at + 1];
	}
	if (at != length)
		say(s,
		    "the MADT's entry at offset %u of %u cannot be %u bytes "
		    "long: what is behind it is not read",
		    at, length, length - at < 2 ? 0 : t[at + 1]);
	while (acpi_next_cpu(t, length, &next, &apic_id) == ACPI_NEXT_CPU)
		cpus++;
	if (!cpus)
		say(s, "the MADT's %u bytes name no CPU that is enabled",
		    length);
}

static void check_fadt(struct search *s, const u8 *t, u32 length)
{
	enum acpi_fault fault;
	const u8 *dsdt;
	u32 bytes;
	u64 at;

	if (length < FADT_MIN) {
		say(s, "the FADT has %u bytes: at least %u are needed", length,
		    FADT_MIN);
		return;
	}
	if (length > FADT_RESET_TO &&
	    (get32(t + FADT_FLAGS) & FADT_RESET_SUPPORTED) &&
	    (t[FADT_RESET] != GAS_IO || get64(t + FADT_RESET + 4) > 0xffff))
		say(s,
		    "the FADT's reset register, %#lx in address space %u, is "
		    "no I/O port: it is not used",
		    get64(t + FADT_RESET + 4), t[FADT_RESET]);
	if (get32(t + FADT_PM1A_CNT) > 0xffff)
		say(s, "the FADT's PM1a control register, %#x, is no I/O port",
		    get32(t + FADT_PM1A_CNT));
	if (get32(t + FADT_PM1B_CNT) > 0xffff)
		say(s, "the FADT's PM1b control register, %#x, is no I/O port",
		    get32(t + FADT_PM1B_CNT));
	if (get32(t + FADT_SMI_CMD) > 0xffff)
		say(s, "the FADT's SMI command register, %#x, is no I/O port",
		    get32(t + FADT_SMI_CMD));
	at = get32(t + FADT_DSDT);
	if (length >= FADT_X_DSDT + 8 && get64(t + FADT_X_DSDT))
		at = get64(t + FADT_X_DSDT);
	dsdt = acpi_table_at(s->w, at, &bytes, &fault);
	if (!dsdt)
		say(s, "the DSDT, at %#lx: %s", at, acpi_fault_text[fault]);
	else if (memcmp(dsdt, "DSDT", 4) != 0)
		say(s, "the table that the FADT calls DSDT, at %#lx, is none",
		    at);
}

static void check_spcr(struct search *s, const u8 *t, u32 length)
{
	if (length < SPCR_MIN) {
		say(s, "the SPCR has %u bytes: at least %u are needed", length,
		    SPCR_MIN);
		return;
	}
	if (t[SPCR_TYPE] != SPCR_TYPE_16550 &&
	    t[SPCR_TYPE] != SPCR_TYPE_16450 && t[SPCR_TYPE] != SPCR_TYPE_GAS)
		say(s,
		    "the SPCR's console is of type %u, no 16550: it is not "
		    "used",
		    t[SPCR_TYPE]);
	else if (t[SPCR_ADDRESS] != GAS_IO ||
		 get64(t + SPCR_ADDRESS + 4) > 0xffff)
		say(s,
		    "the SPCR's console, %#lx in address space %u, is at no "
		    "I/O port: it is not used",
		    get64(t + SPCR_ADDRESS + 4), t[SPCR_ADDRESS]);
}

static void check_table(struct search *s, u32 which, u64 at)
{
	enum acpi_fault fault;
	u32 length;
	const u8 *t = acpi_table_at(s->w, at, &length, &fault);

	if (!t) {
		say(s, "the table %s, at %#lx: %s", used[which], at,
		    acpi_fault_text[fault]);
		return;
	}
	switch (which) {
	case 0:
		check_madt(s, t, length);
		break;
	case 1:
		check_fadt(s, t, length);
		break;
	case 2:
		check_spcr(s, t, length);
		break;
	}
}

static void check_root(struct search *s, const u8 rsdp[36])
{
	const bool wide  = rsdp[RSDP_REVISION] >= 2 && get64(rsdp + RSDP_XSDT);
	const char *name = wide ? "XSDT" : "RSDT";
	const u32 stride = wide ? 8 : 4;
	const u64 at = wide ? get64(rsdp + RSDP_XSDT) : get32(rsdp + RSDP_RSDT);
	u64 first[ARRAY_SIZE(used)] = { 0 };
	enum acpi_fault fault;
	u32 bytes;
	const u8 *root = acpi_table_at(s->w, at, &bytes, &fault);

	if (rsdp[RSDP_REVISION] >= 2 && !wide)
		say(s, "the RSDP is of revision %u, but names no XSDT",
		    rsdp[RSDP_REVISION]);
	if (!root) {
		say(s, "the %s, at %#lx: %s", name, at, acpi_fault_text[fault]);
		return;
	}
	if (memcmp(root, name, 4) != 0) {
		say(s, "what should be the %s, at %#lx, is another table", name,
		    at);
		return;
	}
	if ((bytes - HEADER_BYTES) % stride)
		say(s, "the %s has %u bytes: its last entry is cut", name,
		    bytes);
	for (u32 i = HEADER_BYTES; bytes - i >= stride; i += stride) {
		const u64 to   = wide ? get64(root + i) : get32(root + i);
		const u8 *head = acpi_look(s->w, to, HEADER_BYTES);

		if (!head)
			say(s,
			    "the %s's entry %u, %#lx, points where no table "
			    "can be read",
			    name, (i - HEADER_BYTES) / stride, to);
		for (u32 k = 0; head && k < ARRAY_SIZE(used); k++) {
			if (memcmp(head, used[k], 4) != 0)
				continue;
			if (first[k])
				say(s,
				    "there is a table %s at %#lx and another "
				    "at %#lx: the first is used",
				    used[k], first[k], to);
			else
				check_table(s, k, to);
			first[k] = first[k] ? first[k] : to;
		}
	}
	if (!first[0])
		say(s, "the %s lists no MADT", name);
}

bool acpi_complaint(const struct acpi_window *w, const u8 rsdp[36], u32 index,
		    char *text, size_t size)
{
	struct search s = {
		.w = w, .index = index, .text = text, .size = size
	};

	check_root(&s, rsdp);
	return s.found;
}

/* SPDX-License-Identifier: MIT */
/*
 * Every length and address comes from firmware and is checked before it is
 * followed: a table lies within the window, and its bytes sum up to 0.
 */
#include "boot/acpi.h"

#include "boot/acpi_format.h"
#include "boot/lib/bytes.h"
#include "boot/lib/string.h"

const char *const acpi_fault_text[ACPI_FAULT_COUNT] = {
	[ACPI_FINE]       = "it is there",
	[ACPI_ABSENT]     = "there is none",
	[ACPI_UNREADABLE] = "it lies where no table can be read",
	[ACPI_SHORT]      = "it is shorter than its header",
	[ACPI_LONG]       = "it is longer than the 16 MiB we take",
	[ACPI_CHECKSUM]   = "its checksum is wrong",
	[ACPI_ROOT]       = "the RSDT or XSDT cannot be used",
};

/* AML: what may stand in Name (\_S5, Package () { a, b, ... }). */
enum {
	AML_ZERO        = 0x00,
	AML_ONE         = 0x01,
	AML_NAME        = 0x08,
	AML_BYTE_PREFIX = 0x0a,
	AML_PACKAGE     = 0x12,
	AML_ROOT        = '\\',
};

const u8 *acpi_look(const struct acpi_window *w, u64 at, u64 bytes)
{
	if (at < w->start || at > w->end || bytes > w->end - at)
		return NULL;
	return w->base + (at - w->start);
}

static bool sum_is_zero(const u8 *p, u32 bytes)
{
	u8 sum = 0;

	while (bytes--)
		sum = (u8)(sum + *p++);
	return sum == 0;
}

const u8 *acpi_table_at(const struct acpi_window *w, u64 at, u32 *length,
			enum acpi_fault *fault)
{
	const u8 *t = acpi_look(w, at, HEADER_BYTES);

	*fault = ACPI_UNREADABLE;
	if (!t)
		return NULL;
	*length = get32(t + 4);
	if (*length < HEADER_BYTES) {
		*fault = ACPI_SHORT;
		return NULL;
	}
	if (*length > ACPI_TABLE_MAX) {
		*fault = ACPI_LONG;
		return NULL;
	}
	if (!acpi_look(w, at, *length))
		return NULL;
	*fault = sum_is_zero(t, *length) ? ACPI_FINE : ACPI_CHECKSUM;
	return *fault == ACPI_FINE ? t : NULL;
}

static const u8 *find_table(const struct acpi_window *w, const u8 rsdp[36],
			    const char *signature, u32 *length,
			    enum acpi_fault *fault)
{
	const bool wide  = rsdp[RSDP_REVISION] >= 2 && get64(rsdp + RSDP_XSDT);
	const u32 stride = wide ? 8 : 4;
	u32 bytes;
	const u8 *root = acpi_table_at(
		w, wide ? get64(rsdp + RSDP_XSDT) : get32(rsdp + RSDP_RSDT),
		&bytes, fault);

	*fault = ACPI_ROOT;
	if (!root || memcmp(root, wide ? "XSDT" : "RSDT", 4) != 0)
		return NULL;
	for (u32 at = HEADER_BYTES; bytes - at >= stride; at += stride) {
		const u64 address = wide ? get64(root + at) : get32(root + at);
		const u8 *head    = acpi_look(w, address, HEADER_BYTES);

		if (head && memcmp(head, signature, 4) == 0)
			return acpi_table_at(w, address, length, fault);
	}
	*fault = ACPI_ABSENT;
	return NULL;
}

const u8 *acpi_table(const struct acpi_window *w, const u8 rsdp[36],
		     const char *signature, u32 *length, enum acpi_fault *fault)
{
	enum acpi_fault ignored;

	return find_table(w, rsdp, signature, length, fault ? fault : &ignored);
}

enum acpi_next acpi_next_cpu(const u8 *madt, u32 length, u32 *at, u32 *apic_id)
{
	if (*at < MADT_ENTRIES)
		*at = MADT_ENTRIES;
	while (*at < length) {
		const u8 *e     = madt + *at;
		const u32 bytes = madt_entry_bytes(madt, length, *at);

		if (!bytes)
			return ACPI_NEXT_BROKEN;
		*at += bytes;
		if (e[0] == MADT_LAPIC && bytes >= MADT_LAPIC_BYTES &&
		    (get32(e + 4) & MADT_ENABLED) && e[3] != MADT_NO_ID) {
			*apic_id = e[3];
			return ACPI_NEXT_CPU;
		}
		if (e[0] == MADT_X2APIC && bytes >= MADT_X2APIC_BYTES &&
		    (get32(e + 8) & MADT_ENABLED) &&
		    get32(e + 4) != MADT_NO_X2APIC) {
			*apic_id = get32(e + 4);
			return ACPI_NEXT_CPU;
		}
	}
	return ACPI_NEXT_END;
}

/* The I/O port of a generic address structure; 0: it is none. */
static u16 gas_port(const u8 *gas)
{
	const u64 address = get64(gas + 4);

	return gas[0] == GAS_IO && address <= 0xffff ? (u16)address : 0;
}

bool acpi_console(const struct acpi_window *w, const u8 rsdp[36], u16 *port,
		  u32 *baud)
{
	static const u32 rate[] = {
		[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200
	};
	u32 length;
	const u8 *t = acpi_table(w, rsdp, "SPCR", &length, NULL);

	if (!t || length < SPCR_MIN ||
	    (t[SPCR_TYPE] != SPCR_TYPE_16550 &&
	     t[SPCR_TYPE] != SPCR_TYPE_16450 && t[SPCR_TYPE] != SPCR_TYPE_GAS))
		return false;
	*port = gas_port(t + SPCR_ADDRESS);
	*baud = t[SPCR_BAUD] < ARRAY_SIZE(rate) ? rate[t[SPCR_BAUD]] : 0;
	return *port != 0;
}

bool acpi_reset(const struct acpi_window *w, const u8 rsdp[36], u16 *port,
		u8 *value)
{
	u32 length;
	const u8 *fadt = acpi_table(w, rsdp, "FACP", &length, NULL);

	if (!fadt || length <= FADT_RESET_TO ||
	    !(get32(fadt + FADT_FLAGS) & FADT_RESET_SUPPORTED))
		return false;
	*port  = gas_port(fadt + FADT_RESET);
	*value = fadt[FADT_RESET_TO];
	return *port != 0;
}

/* One small integer of a package at *AT. False: it is something else. */
static bool take_integer(const u8 *aml, u32 length, u32 *at, u8 *value)
{
	if (*at < length && (aml[*at] == AML_ZERO || aml[*at] == AML_ONE)) {
		*value = aml[(*at)++];
		return true;
	}
	if (*at + 1 < length && aml[*at] == AML_BYTE_PREFIX) {
		*value = aml[*at + 1];
		*at += 2;
		return true;
	}
	return false;
}

/*
 * The package behind the name at AT: its first two integers are the values of
 * SLP_TYPa and SLP_TYPb.
 */
static bool take_sleep_types(const u8 *aml, u32 length, u32 at,
			     struct power_acpi *out)
{
	if (length - at < 7 || aml[at + 4] != AML_PACKAGE)
		return false;
	at += 5;
	at += 1u + (aml[at] >> 6); /* the package's length, 1 to 4 bytes */
	at += 1;                   /* the number of its elements */
	return take_integer(aml, length, &at, &out->slp_typa) &&
	       take_integer(aml, length, &at, &out->slp_typb);
}

static bool find_s5(const u8 *aml, u32 length, struct power_acpi *out)
{
	for (u32 at = HEADER_BYTES + 1; at + 4 <= length; at++) {
		const u8 before = aml[at - 1];
		const u8 first  = aml[at - 2];

		if (memcmp(aml + at, "_S5_", 4) == 0 &&
		    (before == AML_NAME ||
		     (before == AML_ROOT && first == AML_NAME)))
			return take_sleep_types(aml, length, at, out);
	}
	return false;
}

/* A 32-bit field that holds a port; 0: it is none, or beyond all ports. */
static u16 fadt_port(const u8 *fadt, u32 at)
{
	const u32 port = get32(fadt + at);

	return port <= 0xffff ? (u16)port : 0;
}

bool acpi_power(const struct acpi_window *w, const u8 rsdp[36],
		struct power_acpi *out)
{
	u32 fadt_bytes, dsdt_bytes;
	const u8 *fadt = acpi_table(w, rsdp, "FACP", &fadt_bytes, NULL);
	const u8 *dsdt;
	enum acpi_fault fault;
	u64 dsdt_at;

	*out = (struct power_acpi){ 0 };
	if (!fadt || fadt_bytes < FADT_MIN)
		return false;
	if (fadt_bytes >= FADT_FLAGS + 4 &&
	    (get32(fadt + FADT_FLAGS) & FADT_HW_REDUCED))
		return false;
	dsdt_at = get32(fadt + FADT_DSDT);
	if (fadt_bytes >= FADT_X_DSDT + 8 && get64(fadt + FADT_X_DSDT))
		dsdt_at = get64(fadt + FADT_X_DSDT);
	dsdt = acpi_table_at(w, dsdt_at, &dsdt_bytes, &fault);
	if (!dsdt || memcmp(dsdt, "DSDT", 4) != 0)
		return false;
	out->pm1a        = fadt_port(fadt, FADT_PM1A_CNT);
	out->pm1b        = fadt_port(fadt, FADT_PM1B_CNT);
	out->smi_cmd     = fadt_port(fadt, FADT_SMI_CMD);
	out->acpi_enable = fadt[FADT_ENABLE];
	return out->pm1a && find_s5(dsdt, dsdt_bytes, out);
}

/* SPDX-License-Identifier: MIT */
/*
 * Every length and address comes from firmware and is checked before it is
 * followed: a table lies within the window, and its bytes sum up to 0.
 */
#include "boot/acpi.h"

#include "boot/lib/string.h"

#define HEADER_BYTES 36

/* Offsets in the RSDP and in the FADT. */
enum {
	RSDP_REVISION = 15,
	RSDP_RSDT     = 16,
	RSDP_XSDT     = 24,
	FADT_DSDT     = 40,
	FADT_SMI_CMD  = 48,
	FADT_ENABLE   = 52,
	FADT_PM1A_CNT = 64,
	FADT_PM1B_CNT = 68,
	FADT_MIN      = 72,
	FADT_FLAGS    = 112,
	FADT_X_DSDT   = 140,
};

#define FADT_HW_REDUCED BIT(20)

/* AML: what may stand in Name (\_S5, Package () { a, b, ... }). */
enum {
	AML_ZERO        = 0x00,
	AML_ONE         = 0x01,
	AML_NAME        = 0x08,
	AML_BYTE_PREFIX = 0x0a,
	AML_PACKAGE     = 0x12,
	AML_ROOT        = '\\',
};

static u32 get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static u64 get64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* NULL: not all of BYTES at the physical address AT can be read. */
static const u8 *look(const struct acpi_window *w, u64 at, u64 bytes)
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

/* The table at AT, whatever its name. NULL: it is not one. */
static const u8 *table_at(const struct acpi_window *w, u64 at, u32 *length)
{
	const u8 *t = look(w, at, HEADER_BYTES);

	if (!t)
		return NULL;
	*length = get32(t + 4);
	if (*length < HEADER_BYTES || !look(w, at, *length) ||
	    !sum_is_zero(t, *length))
		return NULL;
	return t;
}

const u8 *acpi_table(const struct acpi_window *w, const u8 rsdp[36],
		     const char *signature, u32 *length)
{
	const bool wide  = rsdp[RSDP_REVISION] >= 2 && get64(rsdp + RSDP_XSDT);
	const u32 stride = wide ? 8 : 4;
	u32 bytes;
	const u8 *root = table_at(
		w, wide ? get64(rsdp + RSDP_XSDT) : get32(rsdp + RSDP_RSDT),
		&bytes);

	if (!root || memcmp(root, wide ? "XSDT" : "RSDT", 4) != 0)
		return NULL;
	for (u32 at = HEADER_BYTES; bytes - at >= stride; at += stride) {
		const u64 address = wide ? get64(root + at) : get32(root + at);
		const u8 *head    = look(w, address, HEADER_BYTES);

		if (head && memcmp(head, signature, 4) == 0)
			return table_at(w, address, length);
	}
	return NULL;
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
	for (u32 at = HEADER_BYTES + 2; at + 4 <= length; at++) {
		const u8 before = aml[at - 1];
		const u8 first  = aml[at - 2];

		if (memcmp(aml + at, "_S5_", 4) == 0 &&
		    (before == AML_NAME ||
		     (before == AML_ROOT && first == AML_NAME)))
			return take_sleep_types(aml, length, at, out);
	}
	return false;
}

bool acpi_power(const struct acpi_window *w, const u8 rsdp[36],
		struct power_acpi *out)
{
	u32 fadt_bytes, dsdt_bytes;
	const u8 *fadt = acpi_table(w, rsdp, "FACP", &fadt_bytes);
	const u8 *dsdt;
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
	dsdt = table_at(w, dsdt_at, &dsdt_bytes);
	if (!dsdt)
		return false;
	out->pm1a        = (u16)get32(fadt + FADT_PM1A_CNT);
	out->pm1b        = (u16)get32(fadt + FADT_PM1B_CNT);
	out->smi_cmd     = (u16)get32(fadt + FADT_SMI_CMD);
	out->acpi_enable = fadt[FADT_ENABLE];
	return out->pm1a && find_s5(dsdt, dsdt_bytes, out);
}

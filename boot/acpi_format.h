/* SPDX-License-Identifier: MIT */
/*
 * Where things are in ACPI's tables, and how they are read: shared by the file
 * that uses them and the one that says what is wrong with them. Private to
 * both. Source: ACPI 6.4, section 5.2; SPCR: Microsoft, "Serial Port Console
 * Redirection Table".
 */
#ifndef BOOT_ACPI_FORMAT_H
#define BOOT_ACPI_FORMAT_H

#include "boot/acpi.h"

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
	FADT_RESET    = 116,
	FADT_RESET_TO = 128,
	FADT_X_DSDT   = 140,
};

#define FADT_RESET_SUPPORTED BIT(10)
#define FADT_HW_REDUCED      BIT(20)

/* MADT: 8 bytes behind the header, then entries of a type and a length. */
enum {
	MADT_ENTRIES      = HEADER_BYTES + 8,
	MADT_LAPIC        = 0,
	MADT_LAPIC_BYTES  = 8,
	MADT_X2APIC       = 9,
	MADT_X2APIC_BYTES = 16,
	MADT_NO_ID        = 0xff, /* of type 0: nobody */
};
#define MADT_ENABLED   BIT(0)
#define MADT_NO_X2APIC 0xffffffffu /* of type 9: nobody, but a broadcast */

/* SPCR: interface type, address, baud rate. */
enum {
	SPCR_TYPE    = 36,
	SPCR_ADDRESS = 40,
	SPCR_BAUD    = 58,
	SPCR_MIN     = 80,
};
#define SPCR_TYPE_16550 0x00
#define SPCR_TYPE_16450 0x01
#define SPCR_TYPE_GAS   0x12 /* a 16550 as its address says */

/* Generic address structure: space 1 is system I/O, the address at byte 4. */
#define GAS_IO 1

/* Of the entry at AT, which is below LENGTH; 0: it is broken, the last. */
static inline u32 madt_entry_bytes(const u8 *madt, u32 length, u32 at)
{
	const u32 left  = length - at;
	const u32 bytes = left < 2 ? 0 : madt[at + 1];

	return bytes < 2 || bytes > left ? 0 : bytes;
}

/* NULL: not all of BYTES at the physical address AT can be read. */
const u8 *acpi_look(const struct acpi_window *w, u64 at, u64 bytes);

/* The table at AT, whatever its name. NULL: *FAULT says why it is none. */
const u8 *acpi_table_at(const struct acpi_window *w, u64 at, u32 *length,
			enum acpi_fault *fault);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The few facts that ACPI's static tables tell us: where a table lies, and how
 * the machine powers off. Pure: a walker over memory that is given to it and
 * not believed. Runs no AML; of the DSDT only the package \_S5 is looked for.
 * Source: ACPI 6.4, sections 5.2 "ACPI System Description Tables", 16.1
 * "Sleeping States".
 */
#ifndef BOOT_ACPI_H
#define BOOT_ACPI_H

#include "boot/lib/power.h"
#include "boot/lib/types.h"

/* Physical memory from START to END (exclusive) can be read at BASE. */
struct acpi_window {
	const u8 *base;
	u64 start;
	u64 end;
};

/*
 * The first table with this 4-letter SIGNATURE, by the XSDT if the RSDP is of
 * revision 2 or newer and has one, else by the RSDT. NULL: there is none, or a
 * table on the way is not readable, too short, or has a wrong checksum.
 */
const u8 *acpi_table(const struct acpi_window *w, const u8 rsdp[36],
		     const char *signature, u32 *length);

/* False: the tables do not say, or the machine has no PM1 registers. */
bool acpi_power(const struct acpi_window *w, const u8 rsdp[36],
		struct power_acpi *out);

#endif

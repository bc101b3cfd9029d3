/* SPDX-License-Identifier: MIT */
/*
 * The few facts that ACPI's static tables tell us: where a table lies, which
 * CPUs there are, where the console is, how the machine resets and powers off.
 * Pure: a walker over memory that is given to it and not believed. Runs no AML;
 * of the DSDT only the package \_S5 is looked for. Source: ACPI 6.4,
 * sections 5.2 "ACPI System Description Tables", 16.1 "Sleeping States".
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

/* What the first page tables map at its own address: boot/head.S. */
#define ACPI_FIRST_WINDOW                                                      \
	{                                                                      \
		(const u8 *)PAGE_SIZE, PAGE_SIZE, 4 * GIB                      \
	}

/*
 * No table is longer: a length that firmware got wrong must not make us sum up
 * all of memory and devices with it.
 */
#define ACPI_TABLE_MAX (16 * MIB)

/* Why a table is not to be had. */
enum acpi_fault {
	ACPI_FINE,
	ACPI_ABSENT,     /* the root does not list it */
	ACPI_UNREADABLE, /* it does not lie within the window */
	ACPI_SHORT,      /* its length is less than its header's */
	ACPI_LONG,       /* ... more than ACPI_TABLE_MAX */
	ACPI_CHECKSUM,
	ACPI_ROOT, /* no usable RSDT or XSDT */
	ACPI_FAULT_COUNT,
};
extern const char *const acpi_fault_text[ACPI_FAULT_COUNT];

/*
 * The first table with this 4-letter SIGNATURE, by the XSDT if the RSDP is of
 * revision 2 or newer and has one, else by the RSDT. NULL: *FAULT says why; it
 * may be NULL if nobody wants to know.
 */
const u8 *acpi_table(const struct acpi_window *w, const u8 rsdp[36],
		     const char *signature, u32 *length,
		     enum acpi_fault *fault);

/*
 * The MADT's CPUs, one at each call: those that are enabled, of entries of
 * types 0 and 9. *AT is 0 before the first call. (ACPI 6.4, 5.2.12 "Multiple
 * APIC Description Table".) Other types are skipped: we use no I/O APIC.
 */
enum acpi_next {
	ACPI_NEXT_CPU, /* *APIC_ID holds */
	ACPI_NEXT_END,
	ACPI_NEXT_BROKEN, /* the entry at *AT has an impossible length */
};
enum acpi_next acpi_next_cpu(const u8 *madt, u32 length, u32 *at, u32 *apic_id);

/*
 * The console that SPCR names, where it is a UART at an I/O port. BAUD 0: leave
 * it as it is. False: there is none, or it is another kind of device.
 */
bool acpi_console(const struct acpi_window *w, const u8 rsdp[36], u16 *port,
		  u32 *baud);

/* FADT's reset register, where it is an I/O port. False: there is none. */
bool acpi_reset(const struct acpi_window *w, const u8 rsdp[36], u16 *port,
		u8 *value);

/* False: the tables do not say, or the machine has no PM1 registers. */
bool acpi_power(const struct acpi_window *w, const u8 rsdp[36],
		struct power_acpi *out);

#endif

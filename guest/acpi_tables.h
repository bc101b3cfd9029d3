/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of a VM: RSDP, XSDT, FADT, MADT, SPCR, DSDT of a machine with
 * reduced hardware (ACPI 6, "Hardware-Reduced ACPI"): local APICs, one I/O
 * APIC, a serial port, a way to power off and one to reset. Pure.
 */
#ifndef GUEST_ACPI_TABLES_H
#define GUEST_ACPI_TABLES_H

#include "boot/lib/types.h"

/* Ports that the FADT names; pio.c serves them. */
#define ACPI_SLEEP_PORT     0x600
#define ACPI_SLEEP_STATUS   0x601
#define ACPI_SLEEP_TYPE_OFF 5
#define ACPI_SLEEP_POWEROFF (ACPI_SLEEP_TYPE_OFF << 2 | 1 << 5) /* SLP_EN */
#define ACPI_RESET_PORT     0xcf9
#define ACPI_RESET_VALUE    6

/* guest/dsdt.asl, compiled when this is built: a whole table. */
extern const u8 acpi_dsdt[], acpi_dsdt_end[];

/*
 * Fill BUFFER, which the guest will find at AT (the RSDP first), with DSDT, a
 * whole table, among the rest. Returns the bytes used; 0: SIZE is too small.
 */
u32 acpi_tables_build(u8 *buffer, u32 size, u32 at, u32 vcpu_count,
		      const u8 *dsdt, u32 dsdt_bytes);

#endif

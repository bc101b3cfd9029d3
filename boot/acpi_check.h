/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a machine's ACPI tables, in words: for the log, where
 * boot/acpi.h only does without. Pure.
 */
#ifndef BOOT_ACPI_CHECK_H
#define BOOT_ACPI_CHECK_H

#include "boot/acpi.h"

/*
 * The INDEX-th thing wrong with the tables that we use, as one sentence that
 * goes on after "ACPI: ". False: there are not so many.
 */
bool acpi_complaint(const struct acpi_window *w, const u8 rsdp[36], u32 index,
		    char *text, size_t size);

#endif

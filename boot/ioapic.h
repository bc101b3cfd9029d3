/* SPDX-License-Identifier: MIT */
/*
 * The one interrupt the host takes from a device, that of its console: an I/O
 * APIC's input is led to the boot CPU. All other inputs stay as they are found;
 * the guests' I/O APIC is guest/vioapic.c.
 */
#ifndef BOOT_IOAPIC_H
#define BOOT_IOAPIC_H

#include "boot/boot_info.h"

/*
 * Find the console's input, while the first page tables still map ACPI's: these
 * may lie where ours map nothing.
 */
void ioapic_find_console(const struct boot_info *bi);

/*
 * After paging_init(), on the boot CPU. From now on the console's UART
 * interrupts when a byte has come; or a sentence says why it is polled instead.
 */
void ioapic_listen_to_console(void);

#endif

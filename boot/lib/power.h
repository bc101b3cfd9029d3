/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine's run, by end=. Knows the ports of emulators and, if
 * ACPI told them, the registers of real machines.
 */
#ifndef BOOT_LIB_POWER_H
#define BOOT_LIB_POWER_H

#include "boot/lib/types.h"

/*
 * End as end= says. CODE, 0 for success, reaches an emulator's exit port where
 * there is one. Whatever does not work is followed by the next way; the last is
 * to halt for ever.
 */
_Noreturn void power_end(int code);

/* Stop this CPU for ever, interrupts off. */
_Noreturn void power_halt(void);

/*
 * How this machine powers off: its PM1 control ports (pm1b 0: none), the sleep
 * types of \_S5, and what to write where to switch ACPI on (smi_cmd 0: it is).
 */
struct power_acpi {
	u16 pm1a;
	u16 pm1b;
	u16 smi_cmd;
	u8 acpi_enable;
	u8 slp_typa;
	u8 slp_typb;
};

/* Without this call only the ports of emulators are tried. */
/* ACPI's reset register, tried before the chip set's. */
void power_set_reset(u16 port, u8 value);

void power_set_acpi(const struct power_acpi *how);

#endif

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
 * How ACPI powers off: PM1a and PM1b control ports (b 0: none) and the sleep
 * types that _S5 names. Without this call only the emulators' ports are tried.
 */
void power_set_acpi(u16 pm1a, u16 pm1b, u8 slp_typa, u8 slp_typb);

#endif

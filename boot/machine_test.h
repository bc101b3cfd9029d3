/* SPDX-License-Identifier: MIT */
/*
 * The option selftest: everything that can be tested of the machine and of
 * ourselves without VMX, on all CPUs, as lines of TAP; then the end. Without
 * the option these functions do nothing. Failures on purpose are
 * boot/selftest.h's.
 */
#ifndef BOOT_MACHINE_TEST_H
#define BOOT_MACHINE_TEST_H

#include "boot/boot_info.h"

/* After smp_init(), while the first page tables still map ACPI's tables. */
void machine_test_acpi(const struct boot_info *bi);

/* When all CPUs wait in smp_wait(). Does not return if it was asked for. */
void machine_test(const struct boot_info *bi);

/* On a CPU that waits: its part of the test, once it is asked for it. */
void machine_test_turn(void);

#endif

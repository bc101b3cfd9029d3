/* SPDX-License-Identifier: MIT */
/*
 * Failures on purpose, so that a test can watch the panic path: debug builds'
 * option selftest=NAME.
 */
#ifndef BOOT_SELFTEST_H
#define BOOT_SELFTEST_H

/* Returns if no failure was asked for. */
void selftest(void);

/* Called on every interrupt of the local APIC's timer: for selftest=late. */
void selftest_timer(void);

#endif

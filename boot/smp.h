/* SPDX-License-Identifier: MIT */
/*
 * The other CPUs: found in the MADT, started by INIT-SIPI-SIPI, held until
 * there is work. What each of them sets up is boot/main.c's list. A CPU that
 * does not answer, or that is not like the boot CPU, is named and left out.
 */
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

#include "boot/boot_info.h"
#include "boot/lib/percpu.h"

/*
 * A block for every CPU that ACPI names. After pages_init(), while the first
 * page tables still map the firmware's tables.
 */
void smp_init(const struct boot_info *bi);

/*
 * Start them; returns when each has come to smp_wait() or was left out. The
 * boot CPU is complete and its page tables are loaded.
 */
void smp_start(const struct boot_info *bi);

/*
 * On each other CPU, set up: reports to smp_start() and sleeps until
 * smp_release(). WHY is not NULL: it must not be used, because of that, and
 * this does not return.
 */
void smp_wait(const char *why);

/* Those who wait may go on. */
void smp_release(void);

/* The trampoline's page number: RAM below 640 KiB that no module uses. 0: none.
 */
u8 smp_trampoline_page(const struct boot_info *bi);

#endif

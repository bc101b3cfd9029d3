/* SPDX-License-Identifier: MIT */
/* Where every loader's entry path ends: the machine's start in 64-bit C. */
#ifndef BOOT_MAIN_H
#define BOOT_MAIN_H

#include "boot/boot_info.h"

/*
 * Interrupts are off, the first 4 GiB are mapped at their own addresses, BI is
 * complete and checked and stays where it is.
 */
_Noreturn void boot_main(const struct boot_info *bi);

/*
 * The same for every other CPU, from boot/smp.c: its own stack, our page tables
 * and its block in gs.
 */
_Noreturn void cpu_main(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Host exceptions and interrupts: the IDT and what happens on each vector. What
 * higher modules use of it is declared in boot/lib/trap.h.
 */
#ifndef BOOT_TRAP_H
#define BOOT_TRAP_H

#include "boot/lib/trap.h"

/* Once: fill the IDT that all CPUs share. */
void trap_init(void);

/* On every CPU, after its TSS is loaded. */
void trap_load_idt(void);

/* Called by boot/trap.S with what it has pushed. */
void trap_dispatch(struct trap_frame *frame);

#endif

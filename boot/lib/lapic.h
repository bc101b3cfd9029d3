/* SPDX-License-Identifier: MIT */
/*
 * This CPU's own local APIC: its id, end of interrupt, IPIs, and one timer in
 * whichever form the hardware has. x2APIC where CPUID offers it, else MMIO. The
 * guests' virtual local APICs are guest/vlapic.c.
 */
#ifndef BOOT_LIB_LAPIC_H
#define BOOT_LIB_LAPIC_H

#include "boot/lib/types.h"

/* Interrupt vectors of the host. Everything else is unexpected. */
#define LAPIC_VECTOR_TIMER    0xf0u
#define LAPIC_VECTOR_KICK     0xf1u /* an IPI: look at your run queue */
#define LAPIC_VECTOR_UART     0xf2u /* the console has input */
#define LAPIC_VECTOR_POSTED   0xf3u /* vmx/posted.h; in root mode: nothing */
#define LAPIC_VECTOR_ERROR    0xfeu
#define LAPIC_VECTOR_SPURIOUS 0xffu

/*
 * On every CPU: enable it, mask every local source but the timer, mask both
 * 8259s (boot CPU only). Registers are mapped by paging_init() before.
 */
void lapic_init_cpu(void);

/* Of the calling CPU; any 32-bit value in x2APIC mode. */
u32 lapic_id(void);

/* The interrupt in service is finished. Not for spurious ones. */
void lapic_eoi(void);

/*
 * One interrupt of LAPIC_VECTOR_TIMER when the TSC reaches DEADLINE (at once if
 * it has). Replaces what was armed. Without TSC-deadline mode it is a one-shot
 * count, rounded up.
 */
void lapic_timer_arm(u64 deadline);
void lapic_timer_disarm(void);

/* A fixed-delivery IPI with VECTOR to the CPU whose local APIC has this id. */
void lapic_send(u32 apic_id, u8 vector);

/* The other kinds of IPI: SIPI starts a CPU at PAGE, a page number. */
void lapic_send_nmi(u32 apic_id);
void lapic_send_init(u32 apic_id);
void lapic_send_sipi(u32 apic_id, u8 page);

/* Can an IPI name this id? In xAPIC mode there are 255 of them. */
bool lapic_reaches(u32 apic_id);

/* "x2APIC" or "xAPIC", for the log. */
const char *lapic_mode(void);

/* Physical address of its registers in the memory form. */
#define LAPIC_MMIO 0xfee00000ULL

#endif

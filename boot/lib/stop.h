/* SPDX-License-Identifier: MIT */
/*
 * Stopping the other CPUs for good, by NMI, wherever they are: before a panic's
 * dump and before the machine ends. Takes no lock.
 */
#ifndef BOOT_LIB_STOP_H
#define BOOT_LIB_STOP_H

#include "boot/lib/types.h"

/*
 * All CPUs but this one stop; waits a bounded time until they have, and returns
 * how many did. When two call it, the first one goes on and the second stops.
 */
u32 cpus_stop(void);

/* From the NMI handler: does not return if this CPU has been told to stop. */
void cpus_stop_here(void);

#endif

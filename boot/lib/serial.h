/* SPDX-License-Identifier: MIT */
/*
 * The host's console: a 16550 UART, polled, every wait bounded. Before
 * serial_init() and on a machine without the UART output is dropped.
 */
#ifndef BOOT_LIB_SERIAL_H
#define BOOT_LIB_SERIAL_H

#include "boot/lib/types.h"

/*
 * Use the UART at I/O PORT; BAUD 0 leaves its line settings alone. False: there
 * is none, its scratch register does not hold a value (a missing one reads
 * FFH).
 */
bool serial_init(u16 port, u32 baud);

/* LF becomes CR LF. Gives a byte up after a bounded wait; takes no lock. */
void serial_write(const char *text, size_t length);

#endif

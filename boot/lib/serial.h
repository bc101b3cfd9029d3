/* SPDX-License-Identifier: MIT */
/*
 * The host's console: a 16550 UART, every wait bounded. Before
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

/* Bytes as they are. Gives one up after a bounded wait; takes no lock. */
void serial_write(const char *text, size_t length);

/* Until the last byte has left the machine; a bounded wait. */
void serial_drain(void);

/* The port of the UART in use; 0: none. */
u16 serial_port(void);

/*
 * The UART's interrupt is led to this CPU: it is to interrupt from now on when
 * bytes have come. serial_interrupted() is for its handler.
 */
void serial_listen(void);
void serial_interrupted(void);

/* Does it interrupt? And has it since this was last asked? */
bool serial_listens(void);
bool serial_take_interrupt(void);

/* The next byte that was received. False: there is none. */
bool serial_read(u8 *byte);

/*
 * Off: nobody reads for a while, the other end is told to wait (RTS is down).
 * On at first.
 */
void serial_receive(bool on);

#endif

/* SPDX-License-Identifier: MIT */
/* The 16550 at 3F8H as the only voice: polled, and bounded if it is deaf. */
#ifndef LIB_SERIAL_H
#define LIB_SERIAL_H

#include "lib/types.h"

/* 115200 8N1, interrupts off. */
void serial_init(void);

/* %s %c %d %u %x with l for 64 bits, # and a zero-padded width. One writer. */
__attribute__((format(printf, 1, 2))) void printk(const char *format, ...);

#endif

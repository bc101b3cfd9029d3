/* SPDX-License-Identifier: MIT */
/* Port I/O: a table from ports to devices; where there is none, all-ones. */
#ifndef GUEST_PIO_H
#define GUEST_PIO_H

#include "guest/vm.h"

/* Writing v ends the VM with code v << 1 | 1, as QEMU's isa-debug-exit does. */
#define PIO_EXIT_PORT 0xf4

/*
 * One access of BYTES (1, 2, 4) by V, which runs: see policy_pio(). An access
 * that is wider than a byte is one to each of its ports in turn.
 */
enum verdict pio_access(struct vcpu *v, u16 port, unsigned int bytes, bool in,
			u32 *value);

#endif

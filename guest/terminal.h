/* SPDX-License-Identifier: MIT */
/*
 * Whose the terminal is: bytes from the host's UART go to one VM, whose output
 * appears as it is, or to the monitor. Flow control holds them back while that
 * VM does not read; none is ever lost without a sentence.
 */
#ifndef GUEST_TERMINAL_H
#define GUEST_TERMINAL_H

#include "guest/vm.h"

/*
 * Once, when the VMs exist: the first one has the terminal, or the one that
 * console-raw= names. Without console-raw= its lines keep their prefix until
 * something is typed.
 */
void terminal_init(void);

/* Who has it; NULL: no VM is left. */
struct vm *terminal_owner(void);

/* VM, which runs, gets it, and its output appears as it is. */
void terminal_give(struct vm *vm);

/* VM has stopped: another one that runs gets its terminal. */
void terminal_vm_stopped(struct vm *vm);

/*
 * See policy_service(). Input is taken by the boot CPU only; partial lines are
 * shown by whoever comes by.
 */
u64 terminal_service(u64 now);

#endif

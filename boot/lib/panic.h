/* SPDX-License-Identifier: MIT */
/*
 * The end of the host. For bugs of ours only: no guest action may lead here.
 */
#ifndef BOOT_LIB_PANIC_H
#define BOOT_LIB_PANIC_H

#include "boot/lib/print.h"

struct trap_frame;

/*
 * Print the reason, build id, registers, a backtrace with symbol names and what
 * the dump hook adds, stop the other CPUs before and this machine after
 * (end=off in tests: power off, so that a run ends). Takes no lock, allocates
 * nothing, survives being entered again while it prints.
 */
_Noreturn PRINTF_LIKE(1, 2) void panic(const char *fmt, ...);

/* The same with the registers of a host fault; FRAME may be NULL. */
_Noreturn PRINTF_LIKE(2, 3) void panic_frame(const struct trap_frame *frame,
					     const char *fmt, ...);

/*
 * Always compiled in: a false CONDITION is a bug of ours.
 */
#define ASSERT(condition)                                                      \
	do {                                                                   \
		if (!(condition))                                              \
			panic("%s:%d: %s", __FILE__, __LINE__, #condition);    \
	} while (0)

/*
 * What higher modules add to a panic's dump (last exits, the current VMCS).
 * NULL until the module is up. Called once, with interrupts off.
 */
extern void (*panic_dump_hook)(void);

/*
 * This machine cannot: one sentence, then a clean stop (as `end=` says, without
 * a dump). For start-up, before any guest runs.
 */
_Noreturn PRINTF_LIKE(1, 2) void refuse(const char *fmt, ...);

#endif

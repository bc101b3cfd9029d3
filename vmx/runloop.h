/* SPDX-License-Identifier: MIT */
/* For ever, on every CPU: pick a vCPU, switch to it, run it, or idle. */
#ifndef VMX_RUNLOOP_H
#define VMX_RUNLOOP_H

#include "boot/lib/types.h"

_Noreturn void runloop(void);

/* TSC of the first VM entry of this boot; 0: none yet. */
u64 runloop_first_entry_tsc(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Our calls: VMCALL with calls=on. They let a test guest count what it costs to
 * run here, and begin anew with an area that has yet to grow. RAX is the
 * number, RBX the argument, RAX the result.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include "vmx/vcpu.h"

enum hypercall {
	CALL_EXITS       = 1, /* by basic exit reason RBX; -1: all */
	CALL_GROWTHS     = 2,
	CALL_AREA_BYTES  = 3,
	CALL_SWITCHES    = 4, /* away from the CPU, so far */
	CALL_YIELD       = 5, /* the CPU to the other runnable vCPUs */
	CALL_PASSTHROUGH = 6, /* 1: IA32_XFD is passed through */
	CALL_NM_EXITS    = 7,
	CALL_XFD_EXITS   = 8,
	CALL_POLICY      = 9,  /* enum xfd_policy */
	CALL_HOST_TICKS  = 10, /* in root mode, for this vCPU */
	CALL_RESETS      = 11, /* of this VM, so far */
	CALL_RENEW       = 12, /* extended state as after RESET, area small */
	CALL_MOVE_PAGE   = 13, /* at RBX; an enum page_move_result */
};

/* All ones for an unknown number. V is the current vCPU. */
enum verdict hypercall(struct vcpu *v, u64 number, u64 argument, u64 *result);

#endif

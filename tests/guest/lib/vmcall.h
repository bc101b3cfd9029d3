/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's calls, for claims about exits. Only for a hosted guest
 * that was given calls=on; anywhere else VMCALL raises #UD.
 */
#ifndef LIB_VMCALL_H
#define LIB_VMCALL_H

#include "lib/types.h"

enum call {
	CALL_EXITS       = 1, /* of this vCPU by basic reason; -1: all */
	CALL_GROWTHS     = 2,
	CALL_AREA_BYTES  = 3,
	CALL_SWITCHES    = 4, /* of this vCPU away from the CPU */
	CALL_YIELD       = 5,
	CALL_PASSTHROUGH = 6, /* 1: XFD is passed through */
	CALL_NM_EXITS    = 7,
	CALL_XFD_EXITS   = 8, /* reads and writes of XFD and XFD_ERR */
	CALL_POLICY      = 9,
	CALL_ROOT_TICKS  = 10,
	CALL_RESETS      = 11, /* of the VM */
	CALL_RENEW       = 12, /* extended state as after RESET, area small */
	CALL_MOVE_PAGE   = 13, /* 0: done; 1: call again; 2: impossible */
};

#define EXIT_EXTERNAL      1
#define EXIT_CPUID         10
#define EXIT_EPT_VIOLATION 48
#define EXIT_XSETBV        55

static inline u64 vmcall(enum call number, u64 arg)
{
	u64 val = number;

	asm volatile("vmcall" : "+a"(val) : "b"(arg) : "memory");
	return val;
}

#endif

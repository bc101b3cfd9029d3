/* SPDX-License-Identifier: MIT */
/*
 * The guest's general registers while it does not run, and the offsets that
 * enter.S uses. RSP, RIP and RFLAGS are in the VMCS.
 */
#ifndef VMX_GPRS_H
#define VMX_GPRS_H

#define GPRS_RAX      0x00
#define GPRS_RCX      0x08
#define GPRS_RDX      0x10
#define GPRS_RBX      0x18
#define GPRS_HOST_RSP 0x20
#define GPRS_RBP      0x28
#define GPRS_RSI      0x30
#define GPRS_RDI      0x38
#define GPRS_R8       0x40
#define GPRS_R9       0x48
#define GPRS_R10      0x50
#define GPRS_R11      0x58
#define GPRS_R12      0x60
#define GPRS_R13      0x68
#define GPRS_R14      0x70
#define GPRS_R15      0x78
#define GPRS_LAUNCHED 0x80

#ifndef __ASSEMBLY__

#include "boot/lib/types.h"

/* The hardware's register numbers (SDM vol. 3, "Exit Qualification for CRs").
 */
enum gpr {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
};

/*
 * Guest registers in the order of the hardware's register numbers, so that an
 * exit qualification can index them. Slot RSP holds no guest register: enter.S
 * keeps there what the VMCS field HOST_RSP was last set to.
 */
struct gprs {
	u64 r[16];
	u64 launched; /* nonzero: VMRESUME; set by enter.S */
};
_Static_assert(offsetof(struct gprs, r[RCX]) == GPRS_RCX, "see vmx/enter.S");
_Static_assert(offsetof(struct gprs, r[RSP]) == GPRS_HOST_RSP,
	       "see vmx/enter.S");
_Static_assert(offsetof(struct gprs, r[RDI]) == GPRS_RDI, "see vmx/enter.S");
_Static_assert(offsetof(struct gprs, r[R15]) == GPRS_R15, "see vmx/enter.S");
_Static_assert(offsetof(struct gprs, launched) == GPRS_LAUNCHED,
	       "see vmx/enter.S");

#endif
#endif

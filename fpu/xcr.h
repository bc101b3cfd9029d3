/* SPDX-License-Identifier: MIT */
/*
 * Which values XCR0, IA32_XSS, IA32_XFD and IA32_XFD_ERR take from a guest.
 * Pure. A value that is not legal is #GP(0) and leaves the register as it was.
 */
#ifndef FPU_XCR_H
#define FPU_XCR_H

#include "fpu/xstate.h"

/*
 * May XCR0 become VALUE when the components in ALLOWED are enumerated? SDM
 * volume 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled Features", and
 * volume 2, XSETBV; xfd.md B.6 lists the rules.
 */
bool xcr0_is_legal(u64 value, u64 allowed);

/* ALLOWED with every component dropped that cannot be legal within it. */
u64 xcr0_legal_subset(u64 allowed);

/* IA32_XSS, and both of IA32_XFD and IA32_XFD_ERR: a plain mask. */
bool xss_is_legal(u64 value, u64 allowed);
bool xfd_is_legal(u64 value, u64 allowed);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * For builds with DEBUG=2: what no guest may ever change, looked at after every
 * exit, the EPT after some of them. Finds nothing unless we or the CPU are
 * wrong, and then panics.
 */
#ifndef VMX_AUDIT_H
#define VMX_AUDIT_H

#include "vmx/vcpu.h"

/*
 * The host's registers are what the VMCS loads at an exit; XFD, traps and EPT
 * are those of V, which has just left the guest.
 */
void audit_exit(struct vcpu *v);

#endif

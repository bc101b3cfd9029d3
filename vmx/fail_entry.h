/* SPDX-License-Identifier: MIT */
/*
 * VM entries that fail on purpose, one in each way that there is: the option
 * fail-entry=KIND,K of debug builds.
 */
#ifndef VMX_FAIL_ENTRY_H
#define VMX_FAIL_ENTRY_H

#include "vmx/vcpu.h"

/*
 * V, which is loaded, is about to enter after something had delayed it. If it
 * is the K-th such entry of the machine, the log says so and the entry will
 * fail.
 */
void fail_entry(struct vcpu *v);

#endif

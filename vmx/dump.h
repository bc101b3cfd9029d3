/* SPDX-License-Identifier: MIT */
/*
 * The current VMCS by field name and the last exits, for panics and for VMs
 * that stop. Reads only.
 */
#ifndef VMX_DUMP_H
#define VMX_DUMP_H

#include "vmx/vcpu.h"

void dump_vmcs(enum log_level level);  /* the calling CPU's current VMCS */
void dump_trace(enum log_level level); /* its last exits, oldest first */

/* V goes away: no trace entry may name it any more. */
void dump_forget(const struct vcpu *v);

/* For panic_dump_hook. */
void dump_on_panic(void);

#endif

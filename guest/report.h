/* SPDX-License-Identifier: MIT */
/*
 * What a run tells: the `tv: event` lines, which machines read, and the table
 * at the end, which people read.
 */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include "guest/vm.h"

/*
 * FROM as the inside of a JSON string, cut to SIZE: quotes and backslashes
 * escaped, control characters and what is not ASCII dropped. Returns TO.
 */
const char *report_json(char *to, size_t size, const char *from);

void report_boot(const struct boot_info *bi);
void report_vm_start(const struct vm *vm);

/* A configuration that cannot run. */
void report_vm_refused(const char *name, const char *reason);

/* V's area has grown, at RIP, at most DELTA ticks ago. */
void report_grow(const struct vcpu *v, u64 rip);

/* vm-stop, and a stats line for each vCPU. */
void report_vm_stop(const struct vm *vm);

/* VM begins again, for vm->reason. */
void report_vm_reset(const struct vm *vm);

/* end, and the table of all VMs. FAILED VMs did not end with code 1. */
void report_end(const struct vm *first, u32 failed);

#endif

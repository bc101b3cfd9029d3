/* SPDX-License-Identifier: MIT */
/*
 * What the three files of a VM share: vm.c (from the boot modules to VMs, and
 * the end), vm_build.c (what a VM is made of), vm_life.c (start, reset, stop).
 * Not for others.
 */
#ifndef GUEST_VM_PARTS_H
#define GUEST_VM_PARTS_H

#include "guest/vm.h"

#define WHY_SIZE VM_REASON_SIZE

static inline u64 page_count(u64 bytes)
{
	return align_up(bytes, PAGE_SIZE) / PAGE_SIZE;
}

/*
 * VM, whose config is set, gets all it is made of: memory, vCPUs, devices, and
 * its image in it. False: WHY says what is missing; vm_discard() comes next.
 */
bool vm_build(struct vm *vm, const struct boot_info *bi,
	      const struct cpuid_host *host, char *why);

/*
 * After RESET: VM, whose vCPUs have left and whose memory is scrubbed, is as
 * vm_build() left it; what it has seen, grown and counted is still told. False:
 * WHY says why its image, which once fitted, no longer does.
 */
bool vm_rebuild(struct vm *vm, char *why);

/* Memory, tables and vCPUs go back; what the report needs stays. */
void vm_release(struct vm *vm);

/* A VM that did not come to be; it may be NULL. */
void vm_discard(struct vm *vm);

/* VM, which is built, runs. */
void vm_start(struct vm *vm);

/* VM has stopped and was reported. Does not return if it was the last. */
void vm_ended(const struct vm *vm);

#endif

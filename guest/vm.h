/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: its vCPUs, memory, devices and policy. Everything hangs off
 * struct vm; there is no global "the VM" anywhere.
 */
#ifndef GUEST_VM_H
#define GUEST_VM_H

#include "boot/boot_info.h"

/*
 * Create every VM that the boot modules describe and queue its vCPUs to run. A
 * VM that cannot be created is named with the reason and does not run; the
 * others do. No VM at all: a sentence, and the machine ends as end= says.
 */
void vm_create_all(const struct boot_info *bi);

#endif

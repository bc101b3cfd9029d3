/* SPDX-License-Identifier: MIT */
/*
 * For builds with DEBUG=2: is a VM's EPT what the VM has, and is that nobody
 * else's? Finds nothing unless we are wrong, and then panics.
 */
#ifndef GUEST_VM_AUDIT_H
#define GUEST_VM_AUDIT_H

#include "guest/vm.h"

/*
 * VM's map is its memory, the page with the reset vector and the APIC-access
 * page; none of it is in our image or in the memory of another VM, and no table
 * is in either. Takes VM's lock; VM is built, and its memory is
 * not given back meanwhile.
 */
void vm_audit(struct vm *vm);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Reaching into the memory of the current vCPU by its linear addresses, for the
 * few instructions that are carried out in software.
 */
#ifndef VMX_GUEST_MEMORY_H
#define VMX_GUEST_MEMORY_H

#include "vmx/vcpu.h"
#include "vmx/walk.h"

/* The paging mode V is in now. */
struct paging guest_paging(const struct vcpu *v);

/*
 * Copy BYTES between BUF and linear address AT. RUN_AGAIN with *DONE false: a
 * page fault has been injected instead. RUN_STOP: the VM has been stopped.
 * Memory that does not exist reads as ones and swallows writes.
 */
enum verdict guest_copy(struct vcpu *v, gva_t at, void *buf, unsigned int bytes,
			enum walk_access access, bool *done);

/*
 * The instruction bytes at RIP, as many as can be read, at most INSN_BYTES_MAX.
 */
unsigned int guest_fetch(struct vcpu *v, u8 *code);

#endif

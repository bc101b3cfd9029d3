/* SPDX-License-Identifier: MIT */
/*
 * The host's own page tables: physical memory at its own address, nothing
 * writable and executable, the first page and guard pages not mapped at all.
 * Mechanism only; what is mapped how is boot/memory.c's.
 */
#ifndef BOOT_LIB_PAGING_H
#define BOOT_LIB_PAGING_H

#include "boot/lib/types.h"

enum paging_access {
	PAGING_WRITE   = 1 << 0,
	PAGING_EXECUTE = 1 << 1,
	PAGING_DEVICE  = 1 << 2, /* uncached */
};

/*
 * Map [START, END) at its own address with enum paging_access bits (0: read
 * only), with the largest pages that fit, replacing what was there; both are
 * multiples of 4 KiB below paging_limit(). False: no page for a table. Seen
 * after paging_load().
 */
bool paging_map(u64 start, u64 end, unsigned int access);

/* Take [START, END) away. False: no page for splitting a large page. */
bool paging_unmap(u64 start, u64 end);

/*
 * One page that must never be touched, for below a stack. Unmapped on the
 * calling CPU at once. Panics if there is no page for the tables.
 */
void paging_guard(const void *page);

/* Give the tables being built to this CPU; NX and CR0.WP must be on. */
void paging_load(void);

/* Physical address of the root, for CR3 and the VMCS; 0: none is built yet. */
u64 paging_root(void);

/*
 * First address that no table of ours reaches: 2^47, half of what four levels
 * translate, or the CPU's own limit without the bits that select a key.
 */
u64 paging_limit(void);

/* What an audit of the whole tree counts, in 4 KiB pages. */
struct paging_count {
	u64 mapped;
	u64 writable_executable; /* must be 0 */
	u64 writable;
	u64 executable;
	u64 tables;
};
void paging_audit(struct paging_count *count);

#endif

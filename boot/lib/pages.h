/* SPDX-License-Identifier: MIT */
/*
 * Physical pages: contiguous runs of 4 KiB, handed out zeroed. There is no
 * other heap. Callable from any CPU after pages_init(); takes its own lock, so
 * never from an NMI or machine-check handler.
 */
#ifndef BOOT_LIB_PAGES_H
#define BOOT_LIB_PAGES_H

#include "boot/lib/addr.h"
#include "boot/lib/types.h"

/*
 * PAGE_COUNT contiguous pages, zeroed, aligned to ALIGN bytes (a power of two,
 * at least PAGE_SIZE). NULL: no such run is free, or PAGE_COUNT is 0.
 */
void *pages_alloc_aligned(u64 page_count, u64 align);

/* As above, aligned to one page. */
void *pages_alloc(u64 page_count);

/*
 * Give back a run from pages_alloc*(). P may be NULL. A run that was not handed
 * out as such, or was given back already, is a bug: panic. Memory is scrubbed
 * when it is handed out again; scrub secrets before freeing all the same.
 */
void pages_free(void *p, u64 page_count);

/* Free pages, and pages under management in total. */
u64 pages_free_count(void);
u64 pages_total_count(void);

/*
 * Start-up: the region [START, END) of physical memory becomes free memory; its
 * partial pages at either end are dropped. Then pages_reserve() takes pieces
 * away (image, modules, boot tables); it must come before the first allocation.
 */
void pages_add(u64 start, u64 end);
void pages_reserve(u64 start, u64 end);

/*
 * Debug builds, before the first allocation: call NTH of pages_alloc*() finds
 * no memory, whatever is free, and the log says whose it was; those after it
 * are as ever. 0: none. Calls for 0 pages are not counted.
 */
void pages_fail(u64 nth);

/* Calls of pages_alloc*() so far. */
u64 pages_calls(void);

#endif

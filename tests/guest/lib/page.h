/* SPDX-License-Identifier: MIT */
/*
 * Memory is identity mapped up to 4 GiB, for user mode too. Single pages that
 * must be able to fault live in a window of their own above that.
 */
#ifndef LIB_PAGE_H
#define LIB_PAGE_H

#include "lib/types.h"

#define PTE_PRESENT  BIT(0)
#define PTE_WRITE    BIT(1)
#define PTE_USER     BIT(2)
#define PTE_UNCACHED (BIT(3) | BIT(4))

/* The window: 512 pages, not present at first. */
#define WINDOW 0x8000000000ul

/* PAGES zeroed pages that are never given back. */
void *page_alloc(size_t pages);

/* Map page N of the window to PAGE with FLAGS, or unmap it (FLAGS 0). */
void *window_map(u32 n, const void *page, u64 flags);

#endif

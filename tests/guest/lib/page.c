/* SPDX-License-Identifier: MIT */
/* Pages from the memory behind the image, and the window of single pages. */
#include "lib/page.h"

#include "lib/insn.h"
#include "lib/tap.h"

#define ENTRIES 512

extern u8 image_end[];
extern u64 boot_pml4[ENTRIES];

static u64 window_pdpt[ENTRIES] __attribute__((aligned(4096)));
static u64 window_pd[ENTRIES] __attribute__((aligned(4096)));
static u64 window_pt[ENTRIES] __attribute__((aligned(4096)));
static u8 *next_page = image_end;

void *page_alloc(size_t pages)
{
	u8 *p = __atomic_fetch_add(&next_page, pages * PAGE_BYTES,
				   __ATOMIC_RELAXED);

	return memset(p, 0, pages * PAGE_BYTES);
}

void *window_map(u32 n, const void *page, u64 flags)
{
	const u64 va = WINDOW + n * PAGE_BYTES;

	window_pdpt[0] = (u64)window_pd | PTE_PRESENT | PTE_WRITE | PTE_USER;
	window_pd[0]   = (u64)window_pt | PTE_PRESENT | PTE_WRITE | PTE_USER;
	window_pt[n]   = flags ? (u64)page | flags : 0;
	boot_pml4[1]   = (u64)window_pdpt | PTE_PRESENT | PTE_WRITE | PTE_USER;
	invlpg(va);
	return (void *)va;
}

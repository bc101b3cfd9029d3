/* SPDX-License-Identifier: MIT */
/*
 * A machine without a free page, for files that are linked with guest/memory.c
 * but take no memory. One translation unit only.
 */
#ifndef TESTS_UNIT_FAKE_NO_PAGES_H
#define TESTS_UNIT_FAKE_NO_PAGES_H

#include "boot/lib/pages.h"

void *pages_alloc_aligned(u64 page_count, u64 align)
{
	(void)page_count;
	(void)align;
	return NULL;
}

void *pages_alloc(u64 page_count)
{
	return pages_alloc_aligned(page_count, PAGE_SIZE);
}

void pages_free(void *p, u64 page_count)
{
	(void)p;
	(void)page_count;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What fpu/ needs from boot/lib/, for a program on the host: pages from the C
 * library, so that ASan sees every byte past their end, and a panic that ends
 * the test. One translation unit only.
 */
#ifndef TESTS_UNIT_FAKE_HOST_H
#define TESTS_UNIT_FAKE_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/lib/pages.h"
#include "boot/lib/panic.h"

static u64 fake_pages_left = 1 << 20;
static u64 fake_pages_out;
static unsigned int fake_dirty_frees; /* runs given back unscrubbed */

_Noreturn static void fake_bug(const char *what)
{
	printf("not ok - %s\nBail out! %s\n", what, what);
	exit(EXIT_FAILURE);
}

void panic(const char *fmt, ...)
{
	fake_bug(fmt);
}

void refuse(const char *fmt, ...)
{
	fake_bug(fmt);
}

void *pages_alloc(u64 page_count)
{
	void *p;

	if (page_count == 0 || page_count > fake_pages_left)
		return NULL;
	p = aligned_alloc(PAGE_SIZE, page_count * PAGE_SIZE);
	memset(p, 0, page_count * PAGE_SIZE);
	fake_pages_left -= page_count;
	fake_pages_out += page_count;
	return p;
}

void pages_free(void *p, u64 page_count)
{
	const u8 *byte = p;

	for (u64 i = 0; i < page_count * PAGE_SIZE; i++)
		if (byte[i] != 0) {
			fake_dirty_frees++;
			break;
		}
	fake_pages_left += page_count;
	fake_pages_out -= page_count;
	free(p);
}

u64 pages_free_count(void)
{
	return fake_pages_left;
}

#endif

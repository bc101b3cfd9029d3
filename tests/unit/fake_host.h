/* SPDX-License-Identifier: MIT */
/*
 * What fpu/ needs from boot/lib/, for a program on the host: pages from the C
 * library, so that ASan sees every byte past their end, and a panic that ends
 * the test unless it is what the test wants. One translation unit only.
 */
#ifndef TESTS_UNIT_FAKE_HOST_H
#define TESTS_UNIT_FAKE_HOST_H

#include <setjmp.h>
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

static jmp_buf fake_way_out;
static bool fake_stop_wanted;

/* Does what is given end in panic() or refuse()? */
#define FAKE_STOPS(...)                                                        \
	({                                                                     \
		volatile bool stops_ = true;                                   \
		fake_stop_wanted     = true;                                   \
		if (setjmp(fake_way_out) == 0) {                               \
			__VA_ARGS__;                                           \
			stops_ = false;                                        \
		}                                                              \
		fake_stop_wanted = false;                                      \
		stops_;                                                        \
	})

_Noreturn static void fake_stop(const char *fmt)
{
	if (fake_stop_wanted)
		longjmp(fake_way_out, 1);
	fake_bug(fmt);
}

void panic(const char *fmt, ...)
{
	fake_stop(fmt);
}

void refuse(const char *fmt, ...)
{
	fake_stop(fmt);
}

/* Runs that are out: what was given back of one is its end, so far. */
static struct {
	u8 *start;
	u64 page_count;
} fake_runs[256];

static void fake_run_set(u8 *start, u64 page_count, u8 *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(fake_runs); i++) {
		if (fake_runs[i].start != old)
			continue;
		fake_runs[i].start      = start;
		fake_runs[i].page_count = page_count;
		return;
	}
	fake_bug("a run of pages that is not out, or too many");
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
	fake_run_set(p, page_count, NULL);
	return p;
}

/* The end of a run goes back; its start stays out. */
static bool fake_free_end(u8 *p, u64 page_count)
{
	for (size_t i = 0; i < ARRAY_SIZE(fake_runs); i++) {
		u8 *const start = fake_runs[i].start;
		const u64 kept  = (u64)(p - start) / PAGE_SIZE;

		if (!start || p <= start || kept >= fake_runs[i].page_count)
			continue;
		if (kept + page_count != fake_runs[i].page_count)
			fake_bug("the middle of a run is given back");
		fake_run_set(start, kept, start);
		return true;
	}
	return false;
}

void pages_free(void *p, u64 page_count)
{
	const u8 *byte  = p;
	const u64 bytes = page_count * PAGE_SIZE;

	/* Every byte is 0 if the first is, and each is as the one before. */
	if (bytes && (byte[0] || memcmp(byte, byte + 1, bytes - 1) != 0))
		fake_dirty_frees++;
	fake_pages_left += page_count;
	fake_pages_out -= page_count;
	if (!p || fake_free_end(p, page_count))
		return;
	fake_run_set(NULL, 0, p);
	free(p);
}

u64 pages_free_count(void)
{
	return fake_pages_left;
}

#endif

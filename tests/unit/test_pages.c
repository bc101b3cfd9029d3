/* SPDX-License-Identifier: MIT */
/* links: boot/lib/pages.c */
/*
 * The page allocator on memory of the host's: a random history of allocations
 * against a map of who owns what, and what it refuses to be told.
 */
#include "boot/lib/pages.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/lib/panic.h"
#include "boot/lib/symbols.h"
#include "tests/unit/tap.h"

#define ARENA_PAGES 4096
#define ARENA_BYTES (ARENA_PAGES * PAGE_SIZE)
#define HELD_MAX    1500

static jmp_buf on_panic;
static u8 *arena;
static u8 owned[ARENA_PAGES];
static void *held[ARENA_PAGES];

static bool expected;
static bool warned;
static char said[200];
static bool names_known;

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	warned = level == LOG_WARN;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

const char symbol_names[] = "other\0the_caller";

const struct symbol *symbol_find(u64 address)
{
	static const struct symbol s = { .name = sizeof("other") };

	(void)address;
	return names_known ? &s : NULL;
}

/* A panic of the file under test comes back here. */
void panic(const char *fmt, ...)
{
	if (!expected) {
		printf("Bail out! panic: %s\n", fmt);
		exit(1);
	}
	expected = false;
	longjmp(on_panic, 1);
}

static u64 at(u64 page)
{
	return (u64)(uintptr_t)arena + page * PAGE_SIZE;
}

/* P was handed out: zeroed, inside, nobody else's. */
static bool own(void *p, u64 count)
{
	const u64 first = ((u64)(uintptr_t)p - at(0)) / PAGE_SIZE;

	if (first + count > ARENA_PAGES)
		return false;
	for (u64 i = 0; i < count; i++) {
		const u8 *page = (const u8 *)p + i * PAGE_SIZE;

		if (owned[first + i] || page[0] || page[PAGE_SIZE - 1] ||
		    page[i % PAGE_SIZE])
			return false;
		owned[first + i] = 1;
	}
	memset(p, 0xa5, count * PAGE_SIZE);
	return true;
}

static void disown(void *p, u64 count)
{
	memset(owned + ((u64)(uintptr_t)p - at(0)) / PAGE_SIZE, 0, count);
}

static void start_up(void)
{
	pages_add(at(0) + 1, at(100) + 7);
	tap_is(pages_free_count(), 99, "partial pages are dropped");
	pages_add(at(100), at(100) + 10);
	tap_is(pages_free_count(), 99, "less than a page adds nothing");
	pages_add(at(100), at(2000));
	pages_add(at(2048), at(ARENA_PAGES));
	pages_reserve(at(10) + 5, at(12) - 5);
	pages_reserve(at(1990), at(2050));
	pages_reserve(at(2010), at(2020));
	tap_is(pages_free_count(), 99 + 1900 + 2048 - 2 - 10 - 2,
	       "a reserved range takes whole pages away, holes included");
	tap_is(pages_total_count(), pages_free_count(),
	       "reserved pages are not under management");
	memset(owned, 1, sizeof(owned));
	memset(owned + 1, 0, 1989);
	memset(owned + 2050, 0, ARENA_PAGES - 2050);
	owned[10] = owned[11] = 1;
}

/* 40000 steps; every page given out is checked. */
static bool history(void)
{
	static struct {
		void *p;
		u64 count;
	} run[HELD_MAX];
	u64 n = 0, taken = 0, total = pages_free_count();

	srand(1);
	for (int step = 0; step < 40000; step++) {
		if (n < HELD_MAX && rand() % 5 < 3) {
			const u64 count = 1 + (u64)(rand() % 6);
			const u64 align = PAGE_SIZE << rand() % 4;
			void *p         = pages_alloc_aligned(count, align);

			if (!p)
				continue;
			if (!is_aligned((u64)(uintptr_t)p, align) ||
			    !own(p, count))
				return false;
			run[n].p       = p;
			run[n++].count = count;
			taken += count;
		} else if (n) {
			const u64 i = (u64)rand() % n;

			disown(run[i].p, run[i].count);
			pages_free(run[i].p, run[i].count);
			taken -= run[i].count;
			run[i] = run[--n];
		}
		if (pages_free_count() + taken > total)
			return false;
	}
	while (n--)
		pages_free(run[n].p, run[n].count);
	memset(owned, 0, sizeof(owned));
	return true;
}

/* True: FREE panics. */
static bool refuses(void *p, u64 count)
{
	if (setjmp(on_panic))
		return true;
	expected = true;
	pages_free(p, count);
	expected = false;
	return false;
}

/*
 * Fragmented into more runs than the first table holds: the table moves into
 * pages of its own and nothing is lost.
 */
static void fragments(void)
{
	static void *odd[ARENA_PAGES], *even[ARENA_PAGES];
	void *spare = pages_alloc(64);
	u64 odds = 0, evens = 0;
	void *p;

	while ((p = pages_alloc(1)) != NULL) {
		if (((u64)(uintptr_t)p / PAGE_SIZE) & 1)
			odd[odds++] = p;
		else
			even[evens++] = p;
	}
	tap_is(pages_free_count(), 0, "all of it can be handed out");
	tap_ok(!pages_alloc(1), "and then there is none");
	pages_free(spare, 64);
	for (u64 i = 0; i < odds; i++)
		pages_free(odd[i], 1);
	tap_ok(!pages_alloc(65), "single pages make no longer run");
	for (u64 i = 0; i < evens; i++)
		pages_free(even[i], 1);
	tap_ok(pages_total_count() - pages_free_count() <= 32,
	       "all come back but the table's own");
	p = pages_alloc_aligned(1024, 1024 * PAGE_SIZE);
	tap_ok(p && is_aligned((u64)(uintptr_t)p, 1024 * PAGE_SIZE),
	       "and they are one run again");
	pages_free(p, 1024);
}

/*
 * Every entry of the table is used and no run is left for a bigger one: what
 * would cut a run in two is not handed out, the beginnings of runs are.
 */
static bool full_table(void)
{
	u64 count = 0, cuts = 0;
	void *p;

	while ((p = pages_alloc(1)) != NULL)
		held[count++] = p;
	/* Runs of three, from an odd page. */
	for (u64 i = 0; i < count; i++)
		if ((u64)(uintptr_t)held[i] / PAGE_SIZE % 4)
			pages_free(held[i], 1);
	while (pages_alloc_aligned(1, 2 * PAGE_SIZE))
		cuts++;
	return cuts > 0 && pages_alloc(1);
}

static int in_child(bool (*holds)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		exit(!holds());
	}
	waitpid(child, &status, 0);
	return status;
}

/* The call that is to fail does, alone. */
static void failing_call(void)
{
	void *p[3];

	pages_fail(pages_calls() + 2);
	tap_ok(!pages_alloc(0), "a run of no pages is not a call");
	for (int i = 0; i < 3; i++)
		p[i] = pages_alloc(1);
	tap_ok(p[0] && !p[1] && p[2], "the second call from here fails, once");
	tap_ok(warned && strstr(said, "no 1 pages for a caller without a name"),
	       "and it is said");
	names_known = true;
	pages_fail(pages_calls() + 1);
	tap_ok(!pages_alloc(7) && strstr(said, "no 7 pages for the_caller"),
	       "with who asked");
	pages_free(p[0], 1);
	pages_free(p[2], 1);
	pages_fail(0);
}

/* No run is left for a bigger table: pages are lost, not handed out twice. */
static bool scattered(void)
{
	const u64 total = pages_total_count();
	u64 count = 0, found = 0;
	void **p;

	while ((p = pages_alloc(1)) != NULL) {
		memset(p, 0, PAGE_SIZE);
		held[count++] = p;
	}
	for (u64 i = 0; i < count; i += 2)
		pages_free(held[i], 1);
	while (pages_alloc(1))
		found++;
	return warned && pages_total_count() < total && found < count / 2;
}

/* The table grows again and again: each time its old pages come back. */
static bool growing(void)
{
	const u64 here = pages_free_count();
	u64 far        = 0;

	for (; far < 3000; far++) {
		pages_add(BIT(50) + 2 * far * PAGE_SIZE,
			  BIT(50) + (2 * far + 1) * PAGE_SIZE);
		void *p = pages_alloc(1);

		if (!p)
			return false;
		pages_free(p, 1);
	}
	/* 4096 runs of 16 bytes. */
	return pages_free_count() == here + far - 16;
}

static void refusals(void)
{
	u8 *p = pages_alloc(2);

	tap_ok(refuses(p + 1, 1), "what is no page is not taken back");
	tap_ok(refuses(p, 0), "nor a run of none");
	pages_free(p, 2);
	tap_ok(refuses(p, 2), "nor what is free already");
	tap_ok(refuses(p + PAGE_SIZE, 1), "nor a part of it");
}

/* Beyond every pointer of this machine: only the table is touched. */
static void large_machine(void)
{
	const u64 tib = 1024 * GIB, start = BIT(50);

	pages_add(start, start + 512 * GIB);
	pages_add(start + tib, start + 3 * tib);
	pages_add(start + 4 * tib + 1, start + 4 * tib + 2 * PAGE_SIZE - 1);
	tap_is(pages_total_count(), (512 * GIB + 2 * tib) / PAGE_SIZE,
	       "two and a half TiB in runs with holes; a part of a page is "
	       "none");
	pages_reserve(start + 511 * GIB, start + tib + GIB);
	tap_is(pages_free_count(), (510 * GIB + 2 * tib) / PAGE_SIZE,
	       "what is reserved across a hole is taken from both");
	pages_reserve(start, start + 5 * tib);
	tap_is(pages_total_count(), 0, "and all of it can be");
}

int main(void)
{
	arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(arena, 0xee, ARENA_BYTES);
	large_machine();
	start_up();
	const u64 total = pages_free_count();

	tap_ok(!pages_alloc(0), "a run of no pages is none");
	tap_ok(!pages_alloc(ARENA_PAGES), "a run longer than any is none");
	tap_ok(history(), "zeroed, aligned, never twice: 40000 random steps");
	tap_is(pages_free_count(), total, "everything came back");
	tap_ok(in_child(scattered) == 0,
	       "a table that cannot grow loses pages, says so, and "
	       "hands none out twice");
	tap_ok(in_child(full_table) == 0,
	       "a table that cannot grow cuts no run in two");
	tap_ok(in_child(growing) == 0,
	       "a table that has grown twice keeps its last pages only");
	failing_call();
	fragments();
	pages_free(NULL, 1);
	tap_ok(true, "freeing NULL does nothing");
	refusals();
	return tap_done();
}

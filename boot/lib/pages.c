/* SPDX-License-Identifier: MIT */
/*
 * Free memory as a sorted table of runs of pages, first fit from below. Pages
 * keep no bookkeeping in themselves, so a stray write cannot corrupt it. The
 * table starts static and moves into pages of its own when it gets full.
 */
#include "boot/lib/pages.h"

#include "boot/lib/panic.h"
#include "boot/lib/spinlock.h"
#include "boot/lib/string.h"
#include "boot/lib/symbols.h"

#define FIRST_TABLE_RUNS 1024
#define TABLE_SPARE      4 /* an operation adds fewer runs than this */

/* [first, end) in page numbers. */
struct run {
	u64 first;
	u64 end;
};

static struct run first_table[FIRST_TABLE_RUNS];

/* Everything under the lock. Runs are sorted, disjoint and not adjacent. */
static struct {
	struct spinlock lock;
	struct run *run;
	u32 count;
	u32 capacity;
	u64 free;
	u64 total;
	u64 calls;   /* allocations asked for */
	u64 fail_at; /* debug builds: so many calls; 0: never */
	bool sealed; /* the first allocation was made */
} memory = { .run = first_table, .capacity = FIRST_TABLE_RUNS };

/* Index of the first run that ends behind PAGE. */
static u32 find(u64 page)
{
	u32 low = 0, high = memory.count;

	while (low < high) {
		const u32 middle = low + (high - low) / 2;

		if (memory.run[middle].end <= page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Replace COUNT runs at AT by BY_COUNT ones. */
static void replace(u32 at, u32 count, const struct run *by, u32 by_count)
{
	ASSERT(memory.count - count + by_count <= memory.capacity);
	memmove(&memory.run[at + by_count], &memory.run[at + count],
		(memory.count - at - count) * sizeof(struct run));
	for (u32 i = 0; i < by_count; i++)
		memory.run[at + i] = by[i];
	memory.count = memory.count - count + by_count;
}

/* Make [FIRST, END) free. False: part of it is free already. */
static bool insert(u64 first, u64 end)
{
	const u32 at   = find(first);
	struct run run = { first, end };
	u32 from = at, count = 0;

	if (at < memory.count && memory.run[at].first < end)
		return false;
	if (at < memory.count && memory.run[at].first == end) {
		run.end = memory.run[at].end;
		count++;
	}
	if (at > 0 && memory.run[at - 1].end == first) {
		run.first = memory.run[at - 1].first;
		from--;
		count++;
	}
	replace(from, count, &run, 1);
	memory.free += end - first;
	return true;
}

/* Take [FIRST, END), which lies within the run at AT, out of it. */
static void cut(u32 at, u64 first, u64 end)
{
	const struct run old = memory.run[at];
	struct run rest[2];
	u32 count = 0;

	if (old.first < first)
		rest[count++] = (struct run){ old.first, first };
	if (end < old.end)
		rest[count++] = (struct run){ end, old.end };
	replace(at, 1, rest, count);
	memory.free -= end - first;
}

/*
 * First page of a free run, taken; 0: there is none. ALIGN is in pages. A run
 * is not cut in two when the table has no room for both.
 */
static u64 take(u64 page_count, u64 align)
{
	for (u32 i = 0; i < memory.count; i++) {
		const struct run r = memory.run[i];
		const u64 first    = align_up(r.first, align);

		if (first < r.end && r.end - first >= page_count &&
		    (first == r.first || memory.count < memory.capacity)) {
			cut(i, first, first + page_count);
			return first;
		}
	}
	return 0;
}

/* Twice the table, in pages of its own; the old one becomes free memory. */
static void grow_table(void)
{
	struct run *old    = memory.run;
	const u32 old_size = memory.capacity;
	const u64 page_count =
		align_up(2ULL * old_size * sizeof(struct run), PAGE_SIZE) /
		PAGE_SIZE;
	const u64 first = take(page_count, 1);

	if (!first)
		return;
	memory.run      = hpa_ptr(hpa(first * PAGE_SIZE));
	memory.capacity = 2 * old_size;
	memcpy(memory.run, old, memory.count * sizeof(struct run));
	if (old != first_table)
		insert(ptr_hpa(old).v / PAGE_SIZE,
		       ptr_hpa(old).v / PAGE_SIZE +
			       old_size * sizeof(struct run) / PAGE_SIZE);
}

void pages_add(u64 start, u64 end)
{
	const u64 first = align_up(start, PAGE_SIZE) / PAGE_SIZE;
	const u64 last  = align_down(end, PAGE_SIZE) / PAGE_SIZE;

	if (first >= last)
		return;
	spin_lock(&memory.lock);
	ASSERT(insert(first, last));
	memory.total += last - first;
	spin_unlock(&memory.lock);
}

void pages_reserve(u64 start, u64 end)
{
	const u64 first = align_down(start, PAGE_SIZE) / PAGE_SIZE;
	const u64 last  = align_up(end, PAGE_SIZE) / PAGE_SIZE;

	spin_lock(&memory.lock);
	ASSERT(!memory.sealed);
	for (u32 i = find(first); i < memory.count;) {
		const struct run r = memory.run[i];

		if (r.first >= last)
			break;
		const u64 from = max_u64(r.first, first);
		const u64 to   = min_u64(r.end, last);

		cut(i, from, to);
		memory.total -= to - from;
		i = find(to);
	}
	spin_unlock(&memory.lock);
}

void pages_fail(u64 nth)
{
	memory.fail_at = nth;
}

u64 pages_calls(void)
{
	return __atomic_load_n(&memory.calls, __ATOMIC_RELAXED);
}

static void say_failed(u64 call, u64 page_count, u64 caller)
{
	const struct symbol *s = symbol_find(caller);

	log_warn("fail-alloc=%lu: no %lu pages for %s", call, page_count,
		 s ? symbol_names + s->name : "a caller without a name");
}

static void *alloc(u64 page_count, u64 align, u64 caller)
{
	void *p   = NULL;
	u64 first = 0, call;
	bool fail;

	ASSERT(align >= PAGE_SIZE && (align & (align - 1)) == 0);
	if (!page_count)
		return NULL;
	spin_lock(&memory.lock);
	memory.sealed = true;
	call          = ++memory.calls;
	fail          = TV_DEBUG && call == memory.fail_at;
	if (memory.count + TABLE_SPARE > memory.capacity)
		grow_table();
	if (!fail)
		first = take(page_count, align / PAGE_SIZE);
	spin_unlock(&memory.lock);
	if (fail)
		say_failed(call, page_count, caller);
	if (first) {
		p = hpa_ptr(hpa(first * PAGE_SIZE));
		memset(p, 0, page_count * PAGE_SIZE);
	}
	return p;
}

void *pages_alloc_aligned(u64 page_count, u64 align)
{
	return alloc(page_count, align,
		     (u64)(uintptr_t)__builtin_return_address(0));
}

void *pages_alloc(u64 page_count)
{
	return alloc(page_count, PAGE_SIZE,
		     (u64)(uintptr_t)__builtin_return_address(0));
}

void pages_free(void *p, u64 page_count)
{
	const u64 first = ptr_hpa(p).v / PAGE_SIZE;
	bool room, done = true;

	if (!p)
		return;
	if (!is_aligned(ptr_hpa(p).v, PAGE_SIZE) || !page_count)
		panic("pages_free(%p, %lu): not a run of pages", p, page_count);
	spin_lock(&memory.lock);
	if (memory.count + TABLE_SPARE > memory.capacity)
		grow_table();
	room = memory.count + 1 < memory.capacity;
	if (room)
		done = insert(first, first + page_count) &&
		       memory.free <= memory.total;
	else
		memory.total -= page_count;
	spin_unlock(&memory.lock);
	if (!room)
		log_warn(
			"free memory is too scattered for its table: %lu pages "
			"at %p are lost",
			page_count, p);
	if (!done)
		panic("pages_free(%p, %lu): it is free already", p, page_count);
}

u64 pages_free_count(void)
{
	return __atomic_load_n(&memory.free, __ATOMIC_RELAXED);
}

u64 pages_total_count(void)
{
	return memory.total;
}

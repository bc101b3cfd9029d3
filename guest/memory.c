/* SPDX-License-Identifier: MIT */
/* Guest-physical memory: runs, bounds, the firmware's map. */
#include "guest/memory.h"

#include "boot/lib/pages.h"
#include "boot/lib/string.h"

/*
 * Runs as long as the machine has them, aligned like the guest's addresses so
 * that large pages can map them.
 */
static bool take_runs(struct memory *m, u64 start, u64 bytes)
{
	u64 want = bytes;

	while (bytes) {
		u64 align  = PAGE_SIZE;
		void *host = NULL;

		want = min_u64(want, bytes);
		if (m->run_count == MEMORY_RUN_MAX)
			return false;
		if (want >= 2 * MIB && is_aligned(start, 2 * MIB))
			align = 2 * MIB;
		if (want >= GIB && is_aligned(start, GIB))
			host = pages_alloc_aligned(want / PAGE_SIZE, GIB);
		if (!host)
			host = pages_alloc_aligned(want / PAGE_SIZE, align);
		if (!host) {
			want = align_down(want / 2, PAGE_SIZE);
			if (!want)
				return false;
			continue;
		}
		m->run[m->run_count++] = (struct memory_run){
			.start = start,
			.bytes = want,
			.host  = host,
		};
		start += want;
		bytes -= want;
	}
	return true;
}

static void give_back(struct memory *m)
{
	for (u32 i = 0; i < m->run_count; i++)
		pages_free(m->run[i].host, m->run[i].bytes / PAGE_SIZE);
	memset(m, 0, sizeof(*m));
}

bool memory_create(struct memory *m, u64 bytes)
{
	const u64 low = min_u64(bytes, MEMORY_HOLE_START);

	memset(m, 0, sizeof(*m));
	if (!take_runs(m, 0, low) ||
	    !take_runs(m, MEMORY_HOLE_END, bytes - low)) {
		give_back(m);
		return false;
	}
	m->bytes = bytes;
	return true;
}

bool memory_scrub(struct memory *m, u64 bytes)
{
	const u64 from = m->scrubbed;
	const u64 to   = from + min_u64(bytes, m->bytes - from);
	u64 start      = 0; /* of the run, counted without the hole */

	for (u32 i = 0; i < m->run_count; i++) {
		const struct memory_run *r = &m->run[i];
		const u64 first            = max_u64(from, start);
		const u64 end              = min_u64(to, start + r->bytes);

		if (first < end)
			memset(r->host + (first - start), 0, end - first);
		start += r->bytes;
	}
	m->scrubbed = to;
	return to == m->bytes;
}

void memory_destroy(struct memory *m)
{
	memory_scrub(m, m->bytes);
	give_back(m);
}

/* The run that AT is in; NULL: none. */
static const struct memory_run *find(const struct memory *m, u64 at)
{
	for (u32 i = 0; i < m->run_count; i++)
		if (at - m->run[i].start < m->run[i].bytes)
			return &m->run[i];
	return NULL;
}

void *memory_host(const struct memory *m, gpa_t at, u64 bytes)
{
	const struct memory_run *r = find(m, at.v);

	if (!r || bytes > r->bytes - (at.v - r->start))
		return NULL;
	return r->host + (at.v - r->start);
}

bool memory_is_ram(const struct memory *m, gpa_t at, u64 bytes)
{
	while (bytes) {
		const struct memory_run *r = find(m, at.v);

		if (!r)
			return false;
		const u64 n = min_u64(bytes, r->bytes - (at.v - r->start));

		at = gpa_add(at, n);
		bytes -= n;
	}
	return true;
}

/* FROM NULL: zeroes. */
static bool put(struct memory *m, gpa_t at, const u8 *from, u64 bytes)
{
	if (!memory_is_ram(m, at, bytes))
		return false;
	m->scrubbed = 0;
	while (bytes) {
		const struct memory_run *r = find(m, at.v);
		const u64 offset           = at.v - r->start;
		const u64 n                = min_u64(bytes, r->bytes - offset);

		if (from) {
			memcpy(r->host + offset, from, n);
			from += n;
		} else {
			memset(r->host + offset, 0, n);
		}
		at = gpa_add(at, n);
		bytes -= n;
	}
	return true;
}

bool memory_write(struct memory *m, gpa_t at, const void *from, u64 bytes)
{
	return put(m, at, from, bytes);
}

bool memory_clear(struct memory *m, gpa_t at, u64 bytes)
{
	return put(m, at, NULL, bytes);
}

u32 memory_map(const struct memory *m,
	       struct memory_range range[MEMORY_RANGE_MAX])
{
	const u64 low  = min_u64(m->bytes, MEMORY_HOLE_START);
	const u64 high = m->bytes - low;
	u32 n          = 0;

	range[n++] = (struct memory_range){ 0, MEMORY_EBDA, MEMORY_USABLE };
	range[n++] =
		(struct memory_range){ MEMORY_EBDA, MEMORY_VIDEO - MEMORY_EBDA,
				       MEMORY_RESERVED };
	range[n++] = (struct memory_range){ MEMORY_BIOS, MIB - MEMORY_BIOS,
					    MEMORY_RESERVED };
	range[n++] = (struct memory_range){ MIB, low - MIB, MEMORY_USABLE };
	if (high)
		range[n++] = (struct memory_range){ MEMORY_HOLE_END, high,
						    MEMORY_USABLE };
	return n;
}

bool memory_is_usable(const struct memory_range *range, u32 count, u64 start,
		      u64 bytes)
{
	for (u32 i = 0; i < count; i++)
		if (range[i].type == MEMORY_USABLE && start >= range[i].start &&
		    bytes <= range[i].bytes &&
		    start - range[i].start <= range[i].bytes - bytes)
			return true;
	return false;
}

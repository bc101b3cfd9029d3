/* SPDX-License-Identifier: MIT */
/*
 * A guest's kernel of any content. PART 1: the search for the header in FILE
 * bytes. 2: the address fields. 3: ELF headers and up to PHDRS program headers.
 */
#include "tests/proof/parser.h"

#include "guest/multiboot1.c"

#define FILE_BYTES 160
#define PHDRS      2

static struct multiboot1_plan plan;

/* The contract of guest/memory.h for a map of one range from 0. */
bool memory_is_usable(const struct memory_range *range, u32 count, u64 start,
		      u64 bytes)
{
	return count && bytes <= range->bytes && start <= range->bytes - bytes;
}

static void check_plan(const struct parse *p, bool ok)
{
	const struct multiboot1_segment *s = &plan.segment[0];

	CHECK("a plan fits", ok, plan.segment_count <= MULTIBOOT1_SEGMENT_MAX);
	CHECK("a segment is inside the file", ok && plan.segment_count,
	      s->offset <= p->bytes && s->file_bytes <= p->bytes - s->offset);
	CHECK("and inside memory", ok && plan.segment_count,
	      s->file_bytes <= s->bytes &&
		      memory_is_usable(p->range, 1, s->start, s->bytes));
}

int main(void)
{
	const struct memory_range range = { 0, nondet_u32(), MEMORY_USABLE };
	char why[16];
	const u8 *file       = any_bytes(FILE_BYTES);
	const struct parse p = {
		.file        = file,
		.bytes       = nondet_u8() % (FILE_BYTES + 1),
		.range       = &range,
		.range_count = 1,
		.plan        = &plan,
		.why         = why,
		.why_size    = sizeof(why),
	};
	struct header h;

	if (PART == 1) {
		const s64 at = find_header(file, p.bytes, &h);

		CHECK("a header is whole", at >= 0,
		      (u64)at + 12 <= p.bytes && at % 4 == 0);
	} else if (PART == 2) {
		const u64 at = nondet_u8();

		ASSUME(at + 12 <= p.bytes);
		h = (struct header){
			.header_addr   = nondet_u32(),
			.load_addr     = nondet_u32(),
			.load_end_addr = nondet_u32(),
			.bss_end_addr  = nondet_u32(),
			.entry_addr    = nondet_u32(),
		};
		check_plan(&p, plan_addresses(&p, &h, at));
	} else {
		const u64 count = nondet_u8();

		ASSUME(count <= PHDRS);
		check_plan(&p, plan_segments(&p, nondet_bool(), nondet_u64(),
					     nondet_u64(),
					     nondet_u32() & 0xffff, count));
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * ept_map() and ept_unmap() with tables of full size, over the contract of a
 * step, which ept.c proves: any addresses and sizes, also those that must be
 * refused, in up to PIECES steps; any list of up to two tables cut off before.
 */
#include "tests/proof/proof.h"

#include "vmx/ept.c"
#include "vmx/ept_duty.c"

#define PIECES 3
#define CPUS   2

static u64 first_cut[EPT_ENTRIES], second_cut[EPT_ENTRIES];
static u64 done[CPUS];
static u32 given_back;
static u32 pieces;
/*
 * The call, how far it has come, and whether the page that is looked at,
 * by its distance from the first one, is by then as asked.
 */
static u64 at, to, bytes, bits, covered, page;
static bool as_asked;

static bool all_have_heard(const struct ept *ept)
{
	for (u32 i = 0; i < ept->duty.cpu_count; i++)
		if (done[i] && done[i] < ept->generation + 1)
			return false;
	return true;
}

static u64 step(struct ept *ept, u64 from, u64 left, bool hole)
{
	const u64 size = nondet_u64();

	CHECK("E16 a step goes on where the last one ended", true,
	      from == at + covered && left == bytes - covered);
	CHECK("E17 a step is asked for what can be mapped", true,
	      from < EPT_END && from % PAGE_SIZE == 0 && left &&
		      left % PAGE_SIZE == 0 && left <= EPT_END - from);
	ASSUME(pieces++ < PIECES);
	ASSUME(size % PAGE_SIZE == 0 && size <= EPT_END - from &&
	       (hole || size <= left));
	if (page >= covered && page - covered < min_u64(size, left))
		as_asked = true;
	covered += size;
	if (size && nondet_bool())
		ept->generation++;
	return size;
}

/* In the places of map_one() and unmap_one(), which may skip a hole. */
u64 any_map_one(struct ept *ept, u64 from, u64 target, u64 left, u64 with)
{
	CHECK("E18 a step is asked for what was asked", true,
	      target == to + covered && with == bits);
	return step(ept, from, left, false);
}

u64 any_unmap_one(struct ept *ept, u64 from, u64 left)
{
	return step(ept, from, left, true);
}

static void give_back(void *context, void *table)
{
	CHECK("E19 only what was cut off, once, when all have heard", true,
	      table == (given_back ? second_cut : first_cut) &&
		      all_have_heard(context));
	given_back++;
}

int main(void)
{
	const u32 cut    = nondet_u8() % 3;
	const u64 access = nondet_u8() & 7, type = nondet_u8() & 7;
	bool ok;
	struct ept ept = {
		.generation  = nondet_u32(),
		.table_pages = 3,
		.duty        = { done, nondet_u8() % (CPUS + 1) },
		.retired     = cut ? first_cut : NULL,
	};

	ept.source   = (struct ept_source){ NULL, give_back, &ept };
	first_cut[0] = cut > 1 ? (u64)second_cut : 0;
	for (u32 i = 0; i < CPUS; i++)
		done[i] = nondet_u64();
	at    = nondet_u64();
	to    = nondet_u64();
	bytes = nondet_u64();
	bits  = access | type << 3;
	page  = nondet_u64();
	ASSUME(bytes > EPT_END || to <= BIT(52) - bytes);
	if (MAP)
		ok = ept_map(&ept, gpa(at), hpa(to), bytes,
			     (unsigned int)access, (enum mem_type)type);
	else
		ok = ept_unmap(&ept, gpa(at), bytes);

	const bool inside = page < bytes;

	CHECK("E20 what cannot be mapped is refused, and nothing is done",
	      (at | bytes | (MAP ? to : 0)) % PAGE_SIZE || at > EPT_END ||
		      bytes > EPT_END - at,
	      !ok && !pieces && !given_back);
	CHECK("E21 what was asked is so", ok && inside, as_asked);
	CHECK("E22 nothing else has changed", !inside, !as_asked);
	CHECK("E23 what was cut off is given back when all have heard", ok,
	      all_have_heard(&ept) ? given_back == cut && !ept.retired
				   : !given_back);
	return 0;
}

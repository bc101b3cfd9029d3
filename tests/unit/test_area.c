/* SPDX-License-Identifier: MIT */
/* links: fpu/area.c fpu/layout.c */
/*
 * Areas: made, grown, scrubbed, given back, and charged to the byte.
 */
#include "fpu/area.h"

#include "tests/unit/cpuid_0d.h"
#include "tests/unit/fake_host.h"
#include "tests/unit/tap.h"

#define SMALL_SET 0x202e7ULL
#define BIG_SET   0x602e7ULL
#define SMALL     (1 * PAGE_SIZE)
#define BIG       (3 * PAGE_SIZE)

static struct xstate_layout l;
static struct area_shortage why;

static bool create(struct area *a, struct fpu_account *account, u64 reserve)
{
	return area_create(a, &l, SMALL_SET, reserve, true, account, &why);
}

static bool grow(struct area *a, struct fpu_account *account)
{
	return area_grow(a, &l, BIG_SET, account, &why);
}

static void one_life(void)
{
	struct fpu_account account = { 0 };
	struct area a;

	tap_ok(create(&a, &account, SMALL_SET), "a small area");
	tap_is(a.bytes, 2560, "is 2560 bytes (A.1.5)");
	tap_is(account.used_bytes, SMALL, "and charged as the page it takes");
	tap_ok((uintptr_t)a.base % XSAVE_ALIGN == 0, "64-byte aligned");
	tap_is(a.base->header.xcomp_bv, BIT(63) | SMALL_SET, "XCOMP_BV");
	tap_is(a.base->header.xstate_bv, XSTATE_X87, "all else is initial");
	tap_is(a.base->legacy.fcw, 0x40, "FCW after RESET");
	tap_is(a.base->legacy.mxcsr, 0x1f80, "MXCSR after RESET");
	memset(a.base, 0xaa, 512);
	tap_ok(grow(&a, &account), "it grows");
	tap_is(a.bytes, 10752, "to 10752 bytes");
	tap_is(a.components, BIG_SET, "with room for everything");
	tap_is(account.used_bytes, BIG, "and charged as its pages");
	tap_is(fake_pages_out, 3, "the small one was given back");
	memset(a.base, 0xbb, a.bytes);
	area_destroy(&a, &account);
	tap_is(account.used_bytes, 0, "destroyed: nothing charged");
	tap_is(fake_pages_out, 0, "and nothing kept");
	tap_is(fake_dirty_frees, 0, "every area was scrubbed before");
	area_destroy(&a, &account);
	tap_is(account.used_bytes, 0, "an empty area may be destroyed");
}

static void shortages(void)
{
	struct fpu_account account = { .limit_bytes = SMALL + BIG - 1 };
	struct area a, b;
	const void *before;

	create(&a, &account, SMALL_SET);
	create(&b, &account, SMALL_SET);
	before = b.base;
	memset(b.base, 0xcc, 512);
	tap_ok(!grow(&b, &account), "F.63: a byte short of the limit");
	tap_ok(why.by_limit, "says that it was the limit");
	tap_is(why.need_bytes, BIG - SMALL, "what it needs");
	tap_is(why.have_bytes, BIG - SMALL - 1, "and what there was");
	tap_ok(b.base == before && b.bytes == 2560 &&
		       b.components == SMALL_SET &&
		       b.base->legacy.fcw == 0xcccc,
	       "F.63: no partial growth");
	account.limit_bytes++;
	tap_ok(grow(&b, &account), "with that byte it grows");
	tap_is(account.used_bytes, SMALL + BIG, "F.60: accounted exactly");

	const u64 left = fake_pages_left;

	account.limit_bytes = 0;
	fake_pages_left     = 2;
	tap_ok(!grow(&a, &account), "F.63: the machine has no three pages");
	tap_ok(!why.by_limit, "says that it was the machine");
	tap_is(why.need_bytes, BIG, "what it needs");
	tap_is(why.have_bytes, 2 * PAGE_SIZE, "and what there was");
	tap_is(account.used_bytes, SMALL + BIG, "nothing charged for it");
	fake_pages_left = 0;
	struct area c;

	tap_ok(!create(&c, &account, SMALL_SET), "no area without memory");
	fake_pages_left = left;
	area_destroy(&a, &account);
	area_destroy(&b, &account);
	tap_is(account.used_bytes, 0, "all given back");
	account.limit_bytes = SMALL - 1;
	tap_ok(!create(&c, &account, SMALL_SET), "no area above the limit");
	tap_is(fake_pages_out, 0, "no page leaked");
}

static void reserve(void)
{
	struct fpu_account account = { .limit_bytes = BIG };
	struct area a;
	const u64 left = fake_pages_left;

	tap_ok(create(&a, &account, BIG_SET), "an area with a reserve");
	tap_is(a.bytes, 2560, "is small");
	tap_is(account.used_bytes, BIG, "and charged with what it reserves");
	fake_pages_left = 0;
	tap_ok(grow(&a, &account), "fpu=reserve: it grows without memory");
	tap_is(a.bytes, 10752, "to 10752 bytes");
	tap_is(account.used_bytes, BIG, "for no more");
	fake_pages_left = left - 3;
	memset(a.base, 0xdd, a.bytes);
	area_destroy(&a, &account);
	tap_is(fake_pages_left, left, "all of it is given back");
	tap_is(fake_dirty_frees, 0, "scrubbed to the last byte");
}

static void reset(void)
{
	struct fpu_account account = { 0 };
	struct area a;

	create(&a, &account, SMALL_SET);
	grow(&a, &account);
	memset(a.base, 0xaa, a.bytes);
	area_reset(&a, &l, SMALL_SET, SMALL_SET, &account);
	tap_is(a.bytes, 2560, "F.66: after RESET it is small again");
	tap_is(account.used_bytes, SMALL, "and charged as such");
	tap_is(fake_pages_out, 1, "its pages went back");
	tap_is(fake_dirty_frees, 0, "scrubbed");
	tap_is(a.base->header.xcomp_bv, BIT(63) | SMALL_SET, "XCOMP_BV");
	tap_is(a.base->legacy.fcw, 0x40, "FCW after RESET");
	tap_is(((u8 *)a.base)[a.bytes - 1], 0, "nothing of the old life");
	tap_ok(grow(&a, &account), "it grows again");
	area_destroy(&a, &account);
	tap_is(fake_pages_out, 0, "and goes back whole");

	create(&a, &account, BIG_SET);
	grow(&a, &account);
	memset(a.base, 0xaa, a.bytes);
	area_reset(&a, &l, SMALL_SET, BIG_SET, &account);
	tap_is(a.bytes, 2560, "with a reserve it is small as well");
	tap_is(account.used_bytes, BIG, "and keeps the memory");
	area_destroy(&a, &account);
	tap_is(fake_dirty_frees, 0, "scrubbed, what it had grown to too");
}

static void standard_format(void)
{
	struct fpu_account account = { 0 };
	struct area a;

	tap_ok(area_create(&a, &l, BIG_SET, BIG_SET, false, &account, &why),
	       "an area in the standard format");
	tap_is(a.bytes, 11008, "is 11008 bytes (A.1.5)");
	tap_is(a.base->header.xcomp_bv, 0, "and its XCOMP_BV 0");
	area_destroy(&a, &account);
}

/* Components that fill their pages to the last byte. */
static void full_pages(void)
{
	struct cpuid_0d c          = cpuid_sapphire_rapids;
	struct fpu_account account = { 0 };
	struct xstate_layout full;
	struct area a;
	unsigned int wrong;

	c.sub[18].eax = 3 * PAGE_SIZE - 2560;
	if (!layout_read(&full, &c, &wrong))
		fake_bug("bad table");
	tap_ok(area_create(&a, &full, BIG_SET, BIG_SET, true, &account, &why),
	       "an area that fills its pages");
	tap_is(a.bytes, 3 * PAGE_SIZE, "to the last byte");
	tap_is(account.used_bytes, 3 * PAGE_SIZE, "takes no page more");
	area_destroy(&a, &account);
	tap_is(fake_dirty_frees, 0, "and is scrubbed to its end");
}

static void bugs(void)
{
	struct fpu_account account = { 0 };
	struct area a;

	create(&a, &account, SMALL_SET);
	tap_ok(FAKE_STOPS(
		       area_grow(&a, &l, SMALL_SET & ~BIT(9), &account, &why)),
	       "growing never takes a component away");
	tap_ok(FAKE_STOPS(area_reset(&a, &l, BIG_SET, BIG_SET, &account)),
	       "RESET never adds one");
	tap_ok(FAKE_STOPS(area_reset(&a, &l, SMALL_SET | BIT(11), SMALL_SET,
				     &account)),
	       "not even one that needs no further page");
	tap_ok(FAKE_STOPS(area_reset(&a, &l, SMALL_SET, BIG_SET, &account)),
	       "nor memory that is not there");
	area_destroy(&a, &account);

	if (!area_create(&a, &l, SMALL_SET, SMALL_SET, false, &account, &why))
		fake_bug("no memory");
	tap_ok(FAKE_STOPS(area_grow(&a, &l, BIG_SET, &account, &why)),
	       "an area in the standard format does not grow");
	area_destroy(&a, &account);
	tap_ok(FAKE_STOPS(area_create(&a, &l, BIG_SET, SMALL_SET, true,
				      &account, &why)),
	       "no area is smaller than its components");
	a.bytes = PAGE_SIZE;
	area_destroy(&a, &account);
	tap_is(fake_pages_out, 0, "and nothing is kept");
	area_destroy(&a, &account);
	tap_is(account.used_bytes, 0, "an area that is gone goes once");
}

int main(void)
{
	unsigned int wrong;

	layout_read(&l, &cpuid_sapphire_rapids, &wrong);
	one_life();
	shortages();
	reserve();
	reset();
	standard_format();
	full_pages();
	bugs();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * One image for any machine or hypervisor: the claims of the other guests that
 * concern AMX, XFD and what is around them, and a record of what only silicon
 * can settle (xfd.md H). With the word sequences= it runs random sequences in
 * their place; see sequence.h.
 */
#include "conformance/sequence.h"

#include "lib/check.h"
#include "lib/page.h"
#include "lib/serial.h"

/* ------------------------------------------- recorded, and not asserted */

static void record(u32 item, const char *what, struct trap t)
{
	printk("# H.%u: %s: %s, XFD_ERR %#lx\n", item, what,
	       trap_name(t.vector), rdmsr(MSR_XFD_ERR));
	wrmsr(MSR_XFD_ERR, 0);
}

/* H.1: CR0.TS, XFD, or neither. */
static bool ts_and_xfd(void)
{
	tiles_start();
	set_ts();
	record(1, "TILELOADD with CR0.TS, XFD clear", tileload0(tile_source()));
	wrmsr(MSR_XFD, TILEDATA);
	record(1, "TILELOADD with CR0.TS, XFD set", tileload0(tile_source()));
	clts();
	xstate_reset();
	return true;
}

/* H.2: XFD's #NM against the two kinds of #UD. */
static bool order_of_faults(void)
{
	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	record(2, "TDPBSSD of one tile twice, XFD set",
	       TRY(".byte 0xc4, 0xe2, 0x73, 0x5e, 0xc0",
		   :
		   :
		   : "memory"));
	asm volatile("tilerelease");
	record(2, "TILEZERO unconfigured, XFD set", tilezero0());
	xstate_reset();
	return true;
}

/* H.3: the header's #GP against XFD's #NM, and what a #NM has loaded. */
static bool header_and_xfd(void)
{
	u8 *area     = area_scratch();
	u8 *after    = page_alloc(AREA_BYTES / PAGE_BYTES);
	const u64 bv = XCR0_SSE | TILEDATA;
	u64 left;

	tiles_start();
	area_random(area, bv, 1);
	wrmsr(MSR_XFD, TILEDATA);
	record(3, "XRSTOR of live tiles, XFD set", xrstor(area, bv));
	xsave(after, XCR0_SSE);
	printk("# H.3: XMM registers of that image: %s\n",
	       area_difference(area, after, XCR0_SSE) < 0 ? "loaded"
							  : "not loaded");
	area_header(area)->reserved[0] = 1;
	record(3, "XRSTOR with a bad header, XFD set", xrstor(area, bv));
	left = rdmsr(MSR_XFD);
	xstate_reset();
	return same("XFD", left, TILEDATA);
}

/* H.4: XGETBV(1) with XFD set over live tiles. */
static bool in_use_under_xfd(void)
{
	tiles_start();
	if (!none(tileload0(tile_source())))
		return false;
	wrmsr(MSR_XFD, TILEDATA);
	printk("# H.4: XGETBV(1) with live tiles, XFD set: %#lx\n", xgetbv(1));
	wrmsr(MSR_XFD, 0);
	printk("# H.4: XGETBV(1) with XFD clear again: %#lx\n", xgetbv(1));
	xstate_reset();
	return true;
}

static const struct claim records[] = {
	{ "H.1 CR0.TS and XFD are recorded", ts_and_xfd, NEEDS_AMX },
	{ "H.2 the order of #UD and #NM is recorded", order_of_faults,
	  NEEDS_AMX },
	{ "H.3 XRSTOR's header and XFD are recorded", header_and_xfd,
	  NEEDS_AMX },
	{ "H.4 XGETBV(1) under XFD is recorded", in_use_under_xfd, NEEDS_AMX },
};
static const size_t record_count = ARRAY_SIZE(records);

/* ------------------------------------------------------------- the tables */

const struct claim claims[] = {
	{ "the random sequences have run", sequences_run, NEEDS_AMX },
};
CLAIMS_END

/* guest.mk says GUESTS(f): which, and gives their tables these names. */
#define DECLARE(guest)                                                         \
	extern const struct claim claims_##guest[];                            \
	extern const size_t claim_count_##guest;
GUESTS(DECLARE)

#define TABLE(guest) { claims_##guest, &claim_count_##guest },

const struct claim_table *claim_tables(size_t *count)
{
	static const struct claim_table tables[] = {
		GUESTS(TABLE){ records, &record_count },
	};
	static const struct claim_table sequences = { claims, &claim_count };

	claims_record = true;
	*count        = ARRAY_SIZE(tables);
	if (!guest_number("sequences", 0))
		return tables;
	*count = 1;
	return &sequences;
}

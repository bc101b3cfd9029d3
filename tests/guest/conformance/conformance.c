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

#define CPUID_HYPERVISOR BIT(31) /* of 1:ECX */
#define CALLS_ON         BIT(0)  /* of 40000001H:EBX, docs/platform.md */
#define LEAF_TMUL        0x1e

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

/* Under Tilevisor with calls=on its calls tell what exited; else 0. */
static bool has_calls(void)
{
	const struct cpuid c  = cpuid(0x40000000, 0);
	const u32 signature[] = { c.b, c.c, c.d };

	return (cpuid(1, 0).c & CPUID_HYPERVISOR) &&
	       !memcmp(signature, "Tilevisor\0\0", sizeof(signature)) &&
	       (cpuid(0x40000001, 0).b & CALLS_ON);
}

static u64 told(enum call number, u64 arg)
{
	return has_calls() ? vmcall(number, arg) : 0;
}

static u64 user_xsetbv(u64 val)
{
	return try_xsetbv(0, val).vector;
}

/* H.7: XSETBV at CPL 3 faults; does it exit before? */
static bool user_xsetbv_exits(void)
{
	xstate_start();
	const u64 exits  = told(CALL_EXITS, EXIT_XSETBV);
	const u64 vector = user_call(user_xsetbv, XCR0_X87);
	const u64 more   = told(CALL_EXITS, EXIT_XSETBV) - exits;

	printk("# H.7: XSETBV at CPL 3: %s, %s\n", trap_name(vector),
	       !has_calls() ? "exits unknown"
	       : more       ? "after an exit"
			    : "without an exit");
	return same("XCR0", xgetbv(0), guest.xcr0_max);
}

/* H.8: XFD_ERR when #NM is delivered, and so when it exits. */
static bool err_at_nm(void)
{
	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	const u64 exits     = told(CALL_NM_EXITS, 0);
	const struct trap t = tileload0(tile_source());
	const u64 more      = told(CALL_NM_EXITS, 0) - exits;

	record(8,
	       !has_calls() ? "TILELOADD with XFD set, exits unknown"
	       : more       ? "TILELOADD with XFD set, after an exit"
			    : "TILELOADD with XFD set, without an exit",
	       t);
	xstate_reset();
	return true;
}

/* Set up for any of them: RSI and RDI make an address, ECX a row. */
#define NEWER(bytes)                                                           \
	TRY(".byte " bytes,                                                    \
	    :                                                                  \
	    : "S"(tile_source()), "D"(64ul), "c"(0)                            \
	    : "memory")

static void newer(u32 bit, const char *what, struct trap (*insn)(void))
{
	if (cpuid(LEAF_TMUL, 0).a < 1 || !(cpuid(LEAF_TMUL, 1).a & BIT(bit)))
		printk("# H.9: %s, XFD set: not enumerated\n", what);
	else
		record(9, what, insn());
}

static struct trap tdpbf8ps(void)
{
	return NEWER("0xc4, 0xe5, 0x68, 0xfd, 0xc1");
}

static struct trap tmmultf32ps(void)
{
	return NEWER("0xc4, 0xe2, 0x69, 0x48, 0xc1");
}

static struct trap tilemovrow(void)
{
	return NEWER("0x62, 0xf2, 0x75, 0x48, 0x4a, 0xf2");
}

static struct trap tcvtrowd2ps(void)
{
	return NEWER("0x62, 0xf2, 0x76, 0x48, 0x4a, 0xf2");
}

static struct trap tileloaddrs(void)
{
	return NEWER("0xc4, 0xe2, 0x7b, 0x4a, 0x04, 0x3e");
}

/* H.9: the instructions that came later, by their bits in CPUID.1EH.1:EAX. */
static bool newer_classes(void)
{
	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	newer(4, "TDPBF8PS", tdpbf8ps);
	newer(6, "TMMULTF32PS", tmmultf32ps);
	newer(7, "TILEMOVROW", tilemovrow);
	newer(7, "TCVTROWD2PS", tcvtrowd2ps);
	newer(8, "TILELOADDRS", tileloaddrs);
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
	{ "H.7 XSETBV at CPL 3 is recorded", user_xsetbv_exits, NEEDS_XSAVE },
	{ "H.8 XFD_ERR at #NM is recorded", err_at_nm, NEEDS_AMX },
	{ "H.9 newer tile instructions under XFD are recorded", newer_classes,
	  NEEDS_AMX },
};
static const size_t record_count = ARRAY_SIZE(records);

/* --------------------------------------------------------- the platform */

#define NOPS        256
#define NOP_ROUNDS  8
#define EMULATED_AT 20 /* times slower at CPL 0 than at CPL 3 */

static u64 nops(u64 unused)
{
	const u64 begin = rdtsc();

	(void)unused;
	asm volatile(".fill %c0, 1, 0x90" : : "i"(NOPS));
	return rdtsc() - begin;
}

/*
 * A hypervisor without VT-x lets CPL 3 run and may emulate CPL 0, instruction
 * by instruction. What its emulator lacks stops the machine: KVM's lacks XGETBV
 * and XSAVE. Nothing enumerates that; it shows in the time. An XGETBV at CPL 3
 * tells nothing, for it runs.
 */
static bool cpl0_is_emulated(void)
{
	u64 kernel = ~0ul, user = ~0ul;

	for (u32 i = 0; i < NOP_ROUNDS; i++) {
		const u64 k = nops(0);
		const u64 u = user_call(nops, 0);

		kernel = k < kernel ? k : kernel;
		user   = u < user ? u : user;
	}
	printk("# %u instructions: %lu ticks at CPL 0, %lu at CPL 3\n", NOPS,
	       kernel, user);
	return kernel / EMULATED_AT > user;
}

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
	if (cpl0_is_emulated())
		guest.no_cpl0 = guest.no_xsave =
			"CPL 0 is emulated here, and could stop";
	if (!guest_number("sequences", 0))
		return tables;
	*count = 1;
	return &sequences;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the use of tiles costs in VM exits: the table of xfd.md C.6, row by
 * row, for a guest that behaves as Linux does and for one that never writes
 * XFD. Counts come from the hypervisor's calls; bare only the use is shown.
 */
#include "lib/check.h"
#include "lib/smp.h"

enum row {
	BOOT_WRITE_XFD,
	BOOT_XSETBV,
	SWITCH_BEFORE_GROWTH,
	FIRST_NM,
	FIRST_READ_ERR,
	FIRST_WRITE_ERR,
	FIRST_WRITE_XFD,
	FIRST_RETRY,
	SECOND_USE,
	NEXT_THREAD,
	SWITCH_AFTER_GROWTH,
	ROWS,
};

static u64 exits[ROWS];
static u64 in_handler[4];

/* All exits the tiles are to blame for. */
static u64 exits_now(void)
{
	return counted(CALL_NM_EXITS, 0) + counted(CALL_XFD_EXITS, 0) +
	       counted(CALL_EXITS, EXIT_XSETBV);
}

/* As Linux' handler, with the count taken between its steps. */
static bool on_nm(struct frame *f)
{
	(void)f;
	in_handler[0]     = exits_now();
	const bool is_xfd = rdmsr(MSR_XFD_ERR);

	in_handler[1] = exits_now();
	if (!is_xfd)
		return false;
	wrmsr(MSR_XFD_ERR, 0);
	in_handler[2] = exits_now();
	wrmsr(MSR_XFD, 0);
	in_handler[3] = exits_now();
	return true;
}

static void first_thread(void)
{
	const u64 before = exits_now();

	asm volatile("tileloadd (%0,%1,1), %%tmm0"
		     :
		     : "r"(tile_source()), "r"(64ul)
		     : "memory");
	const u64 after = exits_now();

	exits[FIRST_NM]        = in_handler[0] - before;
	exits[FIRST_READ_ERR]  = in_handler[1] - in_handler[0];
	exits[FIRST_WRITE_ERR] = in_handler[2] - in_handler[1];
	exits[FIRST_WRITE_XFD] = in_handler[3] - in_handler[2];
	exits[FIRST_RETRY]     = after - in_handler[3];
}

static void write_xfd(u64 val, enum row row)
{
	const u64 before = exits_now();

	wrmsr(MSR_XFD, val);
	exits[row] = exits_now() - before;
}

static bool use(enum row row)
{
	const u64 before    = exits_now();
	const struct trap t = tileload0(tile_source());

	exits[row] = exits_now() - before;
	return none(t);
}

/* A boot, two threads, and switches between them, in Linux' order. */
static bool like_linux(void)
{
	bool ok;

	write_cr4(read_cr4() | CR4_OSXSAVE);
	write_xfd(TILEDATA, BOOT_WRITE_XFD);
	const u64 before = exits_now();

	xsetbv(guest.xcr0_max);
	exits[BOOT_XSETBV] = exits_now() - before;
	write_xfd(TILEDATA, SWITCH_BEFORE_GROWTH);
	asm volatile("ldtilecfg (%0)" : : "r"(tile_config_full));
	trap_set_hook(TRAP_NM, on_nm);
	first_thread();
	ok = use(SECOND_USE);
	write_xfd(TILEDATA, SWITCH_AFTER_GROWTH);
	return ok && use(NEXT_THREAD) && tile0_is(tile_source());
}

static const u8 expected[ROWS][INJECT + 1] = {
	/* clang-format off */
	[BOOT_WRITE_XFD]       = { [NM] = 1, [WRMSR] = 1, [KVM] = 1,
				   [INJECT] = 1 },
	[BOOT_XSETBV]          = { [NM] = 1, [WRMSR] = 1, [EAGER] = 1,
				   [KVM] = 1, [INJECT] = 1 },
	[SWITCH_BEFORE_GROWTH] = { [NM] = 1, [WRMSR] = 1, [INJECT] = 1 },
	[FIRST_NM]             = { [KVM] = 1 },
	[FIRST_WRITE_ERR]      = { [KVM] = 1 },
	[FIRST_WRITE_XFD]      = { [NM] = 1, [WRMSR] = 1, [INJECT] = 1 },
	[FIRST_RETRY]          = { [NM] = 1 },
	[NEXT_THREAD]          = { [KVM] = 2 },
	/* clang-format on */
};

static bool row_is(enum row row)
{
	return same("exits", exits[row], expected[row][guest.policy]);
}

#define ROW(name, row)                                                         \
	static bool name(void)                                                 \
	{                                                                      \
		return row_is(row);                                            \
	}
ROW(boot_write_xfd, BOOT_WRITE_XFD)
ROW(boot_xsetbv, BOOT_XSETBV)
ROW(switch_before, SWITCH_BEFORE_GROWTH)
ROW(first_nm, FIRST_NM)
ROW(first_read_err, FIRST_READ_ERR)
ROW(first_write_err, FIRST_WRITE_ERR)
ROW(first_write_xfd, FIRST_WRITE_XFD)
ROW(first_retry, FIRST_RETRY)
ROW(second_use, SECOND_USE)
ROW(next_thread, NEXT_THREAD)
ROW(switch_after, SWITCH_AFTER_GROWTH)

/* What a guest that never writes XFD cost, on a CPU of its own. */
static struct {
	u64 nm, xfd, growths_boot, growths, area_before, area_after;
} quiet;

static bool never_writes_xfd(void)
{
	quiet.area_before = counted(CALL_AREA_BYTES, 0);
	const u64 nm      = counted(CALL_NM_EXITS, 0);
	const u64 xfd     = counted(CALL_XFD_EXITS, 0);
	bool ok           = true;

	xstate_start();
	quiet.growths_boot = counted(CALL_GROWTHS, 0);
	for (u32 i = 0; i < 1000; i++)
		ok &= tileload0(tile_source()).vector == TRAP_NONE;
	quiet.nm         = counted(CALL_NM_EXITS, 0) - nm;
	quiet.xfd        = counted(CALL_XFD_EXITS, 0) - xfd;
	quiet.growths    = counted(CALL_GROWTHS, 0);
	quiet.area_after = counted(CALL_AREA_BYTES, 0);
	return is("1000 loads without #NM", ok) && tile0_is(tile_source());
}

static bool quiet_nm(void)
{
	return same("#NM exits", quiet.nm, guest.policy == NM);
}

static bool quiet_xfd(void)
{
	return same("XFD and XFD_ERR exits", quiet.xfd, 0);
}

static bool quiet_growth(void)
{
	const bool grows = guest.policy == NM || guest.policy == WRMSR;

	return same("growths after XSETBV", quiet.growths_boot,
		    guest.policy == WRMSR) &&
	       same("growths in the end", quiet.growths, grows) &&
	       is("the area grew by the tiles, if at all",
		  grows ? quiet.area_after >= quiet.area_before + TILEDATA_BYTES
			: quiet.area_after == quiet.area_before);
}

static bool policy_is(void)
{
	static const u8 number[] = {
		[NM] = 0, [WRMSR] = 1, [EAGER] = 2, [KVM] = 3, [INJECT] = 4
	};

	return same("policy", vmcall(CALL_POLICY, 0), number[guest.policy]);
}

static bool passthrough_after(void)
{
	return same("XFD is passed through", vmcall(CALL_PASSTHROUGH, 0), 1);
}

static bool grow_and_look(void)
{
	xstate_start();
	wrmsr(MSR_XFD, TILEDATA);
	wrmsr(MSR_XFD, 0);
	tileload0(tile_source());
	return passthrough_after();
}

static bool unknown_call(void)
{
	return same("RAX", vmcall((enum call)99, 0), ~0ull);
}

#define AMX    (NEEDS_AMX | FRESH)
#define COUNTS (ON_HOSTED | NEEDS_AMX)
/* Where the rows of C.6 hold; inject has no column there. */
#define ROWS_HOLD (ON_NM | ON_WRMSR | ON_EAGER | ON_KVM | NEEDS_AMX)

const struct claim claims[] = {
	{ "C.6 two threads as under Linux use tiles", like_linux, AMX },
	{ "F.1 a guest that never writes XFD uses tiles", never_writes_xfd,
	  AMX | NOT_INJECT },
	{ "the policy is the one asked for", policy_is, ON_HOSTED },
	{ "an unknown call answers -1", unknown_call, ON_HOSTED },
	{ "C.6 boot: WRMSR XFD", boot_write_xfd, COUNTS },
	{ "C.6 boot: XSETBV", boot_xsetbv, COUNTS },
	{ "C.6 XFD write at a switch before growth", switch_before, COUNTS },
	{ "C.6 first use: #NM", first_nm, ROWS_HOLD },
	{ "C.6 first use: RDMSR XFD_ERR", first_read_err, ROWS_HOLD },
	{ "C.6 first use: WRMSR XFD_ERR", first_write_err, ROWS_HOLD },
	{ "C.6 first use: WRMSR XFD", first_write_xfd, ROWS_HOLD },
	{ "C.6 first use: the retried instruction", first_retry, ROWS_HOLD },
	{ "C.6 second use", second_use, COUNTS },
	{ "C.6 first use of a further thread", next_thread, COUNTS },
	{ "C.6 XFD write at a switch after growth", switch_after, COUNTS },
	{ "F.1 #NM exits in the life of the other guest", quiet_nm, ROWS_HOLD },
	{ "F.1 its XFD exits", quiet_xfd, ROWS_HOLD },
	{ "F.1 its growths", quiet_growth, ROWS_HOLD },
	{ "C.2 after growth XFD is passed through", grow_and_look,
	  ROWS_HOLD | FRESH },
};
CLAIMS_END

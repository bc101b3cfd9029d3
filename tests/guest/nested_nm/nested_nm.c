/* SPDX-License-Identifier: MIT */
/*
 * The guest's own #NM handler takes #NM: xfd.md F.73, and delivery that
 * fails: F.52. #NM is benign, so no double fault may come of the first.
 */
#include "lib/check.h"
#include "lib/smp.h"

#define DEPTH 5

static u32 depth;
static u64 errs[DEPTH];
static bool order;

/* Uses tiles itself until DEPTH frames are on the stack. */
static bool on_nm(struct frame *f)
{
	const u32 mine = depth++;

	(void)f;
	errs[mine] = rdmsr(MSR_XFD_ERR);
	wrmsr(MSR_XFD_ERR, 0);
	if (depth == DEPTH)
		wrmsr(MSR_XFD, 0);
	else
		asm volatile("tilezero %%tmm1" : : : "memory");
	order &= --depth == mine;
	return true;
}

static bool f73(void)
{
	bool ok = true;

	depth = 0;
	order = true;
	tiles_start();
	wrmsr(MSR_XFD, TILEDATA);
	trap_set_hook(TRAP_NM, on_nm);
	ok &= none(tileload0(tile_source()));
	for (u32 i = 0; i < DEPTH; i++)
		ok &= same("XFD_ERR", errs[i], TILEDATA);
	return ok && is("frames end in the reverse order", order) &&
	       xfd_is(0, 0) && tile0_is(tile_source());
}

static u64 np_error, df_error, err_then;

static bool on_np(struct frame *f)
{
	np_error = f->error;
	err_then = rdmsr(MSR_XFD_ERR);
	return false;
}

static bool on_df(struct frame *f)
{
	df_error = f->error;
	err_then = rdmsr(MSR_XFD_ERR);
	return false;
}

/* The gate of #NM is not present, nor that of #NP if BOTH. */
static struct trap deliver_broken(bool both)
{
	tiles_start();
	np_error = df_error = err_then = ~0ull;
	trap_set_hook(TRAP_NP, on_np);
	trap_set_hook(TRAP_DF, on_df);
	wrmsr(MSR_XFD, TILEDATA);
	trap_set_gate(TRAP_NM, false, 0);
	if (both)
		trap_set_gate(TRAP_NP, false, 0);
	const struct trap t = tileload0(tile_source());

	trap_set_gate(TRAP_NM, true, 0);
	trap_set_gate(TRAP_NP, true, 0);
	xstate_reset();
	return t;
}

static bool f52_np(void)
{
	const struct trap t = deliver_broken(false);

	/* Index 7, IDT, and EXT as the hardware sets it. */
	return same("vector", t.vector, TRAP_NP) &&
	       same("error code without EXT", np_error & ~1ull, 7 * 8 + 2) &&
	       same("XFD_ERR", err_then, TILEDATA) &&
	       is("the fault is at the instruction", t.at_insn);
}

static bool f52_df(void)
{
	const struct trap t = deliver_broken(true);

	return same("vector", t.vector, TRAP_DF) &&
	       same("error code", df_error, 0) &&
	       same("XFD_ERR", err_then, TILEDATA);
}

const struct claim claims[] = {
	{ "F.73 #NM in the #NM handler nests", f73, NEEDS_AMX | FRESH },
	{ "F.52 #NM through an absent gate is #NP", f52_np, NEEDS_AMX | FRESH },
	{ "F.52 and with #NP absent too #DF", f52_df, NEEDS_AMX | FRESH },
};
CLAIMS_END

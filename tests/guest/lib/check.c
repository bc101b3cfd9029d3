/* SPDX-License-Identifier: MIT */
/* See check.h. */
#include "lib/check.h"

#define SEED 0x5eed

bool none(struct trap t)
{
	return same("vector", t.vector, TRAP_NONE);
}

bool took(struct trap t, u64 vector, u64 error)
{
	return same("vector", t.vector, vector) &&
	       same("error code", t.error, error) &&
	       is("the fault is at the instruction", t.at_insn);
}

bool xfd_is(u64 xfd, u64 xfd_err)
{
	return same("XFD", rdmsr(MSR_XFD), xfd) &
	       same("XFD_ERR", rdmsr(MSR_XFD_ERR), xfd_err);
}

bool tile0_is(const void *want)
{
	u8 got[TILE_BYTES];

	memset(got, 0xee, sizeof(got));
	return none(tilestore0(got)) && is("tile 0 has the expected bytes",
					   memcmp(got, want, sizeof(got)) == 0);
}

bool tiles_are(const void *want)
{
	static u8 got[TILEDATA_BYTES];

	memset(got, 0xee, sizeof(got));
	tiles_store(got);
	return is("8192 bytes of tiles are as expected",
		  want ? memcmp(got, want, sizeof(got)) == 0
		       : mem_is(got, 0, sizeof(got)));
}

void tiles_start(void)
{
	xstate_start();
	if (rdmsr(MSR_XFD) || rdmsr(MSR_XFD_ERR))
		xstate_reset();
}

u64 counted(enum call number, u64 arg)
{
	return hosted() ? vmcall(number, arg) : 0;
}

const u8 *tile_source(void)
{
	static u8 source[TILEDATA_BYTES] __attribute__((aligned(64)));

	mem_random(source, sizeof(source), SEED);
	return source;
}

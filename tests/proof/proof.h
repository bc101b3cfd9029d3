/* SPDX-License-Identifier: MIT */
/*
 * What every proof needs: arbitrary values, assertions that know when they are
 * vacuous, and a panic that must not be reachable. For CBMC only. One
 * translation unit per proof.
 */
#ifndef TESTS_PROOF_PROOF_H
#define TESTS_PROOF_PROOF_H

#include "boot/lib/panic.h"
#include "boot/lib/types.h"

/* Any value at all; CBMC takes functions of this name without a body so. */
bool nondet_bool(void);
u8 nondet_u8(void);
u32 nondet_u32(void);
u64 nondet_u64(void);

#define ASSUME(condition) __CPROVER_assume(condition)

/*
 * NAME, a string such as "P1 ...": wherever WHEN holds, CLAIM does. With
 * -DCOVER the question is instead whether WHEN can hold at all here.
 */
#ifdef COVER
#define CHECK(name, when, claim)                                               \
	do {                                                                   \
		if (when)                                                      \
			__CPROVER_cover(true);                                 \
	} while (0)
#else
#define CHECK(name, when, claim) __CPROVER_assert(!(when) || (claim), name)
#endif

void panic(const char *fmt, ...)
{
	__CPROVER_assert(false, "P0 no panic is reachable");
	ASSUME(false);
}

void refuse(const char *fmt, ...)
{
	__CPROVER_assert(false, "P0 the machine is not refused");
	ASSUME(false);
}

#endif

/* SPDX-License-Identifier: MIT */
/* The sentences most claims are made of; each says what was wrong. */
#ifndef LIB_CHECK_H
#define LIB_CHECK_H

#include "lib/insn.h"
#include "lib/tap.h"
#include "lib/trap.h"
#include "lib/vmcall.h"
#include "lib/xstate.h"

/* T is no exception at all. */
bool none(struct trap t);

/* T is VECTOR with ERROR, raised by the instruction under test itself. */
bool took(struct trap t, u64 vector, u64 error);

/* RDMSR answers these. */
bool xfd_is(u64 xfd, u64 xfd_err);

/* Tile 0 holds the 1024 bytes at WANT. */
bool tile0_is(const void *want);

/* All tiles hold the 8192 bytes at WANT, or zeros if WANT is NULL. */
bool tiles_are(const void *want);

/* xstate_start(), and XFD and XFD_ERR 0, written only if they are not. */
void tiles_start(void);

/* A call's answer when hosted, 0 when bare. */
u64 counted(enum call number, u64 arg);

/* 8192 bytes for tiles, the same at every call. */
const u8 *tile_source(void);

#endif

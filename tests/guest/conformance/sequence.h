/* SPDX-License-Identifier: MIT */
/*
 * Random sequences of steps on the extended state. A step is one instruction
 * in circumstances; what the guest can see of it is folded into a hash, and
 * written down if asked for. Equal machines, equal hashes: nothing here knows
 * what is right. sequence.c carries steps out, step.c makes them up.
 */
#ifndef CONFORMANCE_SEQUENCE_H
#define CONFORMANCE_SEQUENCE_H

#include "lib/tap.h"
#include "lib/trap.h"
#include "lib/xstate.h"

#define CODE_BYTES 32
#define IRQ_VECTOR 0x50

/* Which breakpoint DR0 is for, as DR7's R/W0 field; see SDM 3, "DR7". */
enum watch {
	WATCH_NOTHING,
	WATCH_CODE,
	WATCH_DATA,
};

/* One step, before it is carried out. */
struct step {
	const char *name;
	u64 random;
	u8 code[CODE_BYTES]; /* ends with INT3 */
	u32 code_bytes;
	u32 insn;  /* where the instruction itself begins in CODE */
	u64 r[16]; /* as in struct frame; RSP is the stack's */
	u64 rflags;
	bool user;
	bool interrupted; /* an interrupt is pending from the start */
	bool lone;        /* it would not go on as wanted with a #DB */
	bool answers_nm;  /* #NM: XFD_ERR := 0, XFD := 0, CLTS, and retry */
	enum watch watch;
	u32 may_differ; /* registers that are not compared, as bits */
	bool saves;     /* AREA gets an image from the XSAVE family, */
	bool packs;     /* ... in the compacted format */
	bool in_use;    /* it asks for XINUSE */
	u8 *area;       /* 16 KiB at the same place for all steps */
	u32 written;    /* bytes of AREA that it may write */
	u8 *config;     /* 64 bytes */
	u64 nowhere;    /* a page that is not there */
	u64 readonly;   /* AREA again, in pages that nobody may write */
	u64 *pushed;    /* on top of the stack */
};

/* Step INDEX of the sequence SEED. The buffers are set already. */
void step_make(struct step *s, u64 seed, u32 index);

/* SEED and INDEX stand for it: no two sequences share their steps. */
u64 step_random(u64 seed, u32 index);

/* A number below COUNT. */
u32 step_pick(struct step *s, u32 count);

/* A claim: sequences as the command line says, their hashes as lines. */
bool sequences_run(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One vCPU's save area: made, grown, scrubbed, given back, and charged to its
 * VM. Knows pages and layouts, no registers: growing copies nothing, because
 * the vCPU that grows is on a CPU and its state in the registers.
 */
#ifndef FPU_AREA_H
#define FPU_AREA_H

#include "fpu/layout.h"

/*
 * The areas of one VM. They are whole pages, so what is charged is the memory
 * they take (page_count * 4096), not the bytes an XSAVE uses of it; the latter
 * is area.bytes. Charged from any CPU, without a lock.
 */
struct fpu_account {
	u64 limit_bytes; /* areas=; 0: none */
	u64 used_bytes;
};

struct area {
	struct xsave_area *base; /* 64-byte aligned; NULL: none */
	u64 components;          /* those it has room for */
	u32 bytes;               /* layout_size(components) */
	u32 page_count;          /* may hold more than bytes: a reserve */
	bool compacted;
};

/* Why an area could not be had. */
struct area_shortage {
	u64 need_bytes;
	u64 have_bytes; /* under the limit, or free in the machine */
	bool by_limit;  /* areas= said no; else the machine has no such run */
};

/*
 * An area with room for COMPONENTS, in its RESET state. RESERVE, a superset, is
 * what area_grow() will be able to grow to without asking for memory. False: no
 * memory, nothing has changed and *SHORT_OF says what was missing.
 */
bool area_create(struct area *a, const struct xstate_layout *l, u64 components,
		 u64 reserve, bool compacted, struct fpu_account *account,
		 struct area_shortage *short_of);

/*
 * Room for COMPONENTS, a superset. The contents are undefined afterwards up to
 * the next save: the vCPU's state must be in the registers. The old memory is
 * scrubbed and given back. False as above.
 */
bool area_grow(struct area *a, const struct xstate_layout *l, u64 components,
	       struct fpu_account *account, struct area_shortage *short_of);

/*
 * The image of a vCPU after RESET, with room for COMPONENTS, a subset, and with
 * the memory of RESERVE as in area_create(); what is beyond goes back. Only
 * while no CPU holds its state. Cannot fail.
 */
void area_reset(struct area *a, const struct xstate_layout *l, u64 components,
		u64 reserve, struct fpu_account *account);

/* Scrub and give back; an empty area stays empty. */
void area_destroy(struct area *a, struct fpu_account *account);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How often a VM may reset itself: so many times in a row, and once more for
 * each period that has passed since, so that a machine that reboots every day
 * does so for ever and one that does nothing else ends. Pure.
 */
#ifndef GUEST_RESET_LIMIT_H
#define GUEST_RESET_LIMIT_H

#include "boot/lib/types.h"

#define RESET_LIMIT_PERIOD_S 60 /* after which one reset is forgotten */

/* Zeroed, but for max: none was counted yet. */
struct reset_limit {
	u32 max;       /* in a row */
	u64 forgotten; /* when the last of those counted will be forgotten */
};

/* Count a reset at NOW, PERIOD in the same ticks. False: it is one too many. */
static inline bool reset_limit_take(struct reset_limit *l, u64 now, u64 period)
{
	const u64 forgotten = max_u64(l->forgotten, now) + period;

	if (forgotten - now > l->max * period)
		return false;
	l->forgotten = forgotten;
	return true;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * "Counted and logged once": which ports or MSRs a VM has touched that are not
 * there. Pure; bounded, so that a guest cannot fill the log.
 */
#ifndef GUEST_SEEN_H
#define GUEST_SEEN_H

#include "boot/lib/types.h"

#define SEEN_MAX 48

struct seen {
	u64 total; /* accesses, logged or not */
	u32 used;
	u32 key[SEEN_MAX];
};

/* Count an access to KEY. True: it is the first one, and there is room. */
static inline bool seen_first(struct seen *s, u32 key)
{
	s->total++;
	for (u32 i = 0; i < s->used; i++)
		if (s->key[i] == key)
			return false;
	if (s->used == SEEN_MAX)
		return false;
	s->key[s->used++] = key;
	return true;
}

/* No room is left: later ones are counted only. */
static inline bool seen_is_full(const struct seen *s)
{
	return s->used == SEEN_MAX;
}

#endif

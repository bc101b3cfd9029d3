/* SPDX-License-Identifier: MIT */
/*
 * A queue of bytes of a fixed size. Pure; whoever shares one holds a lock.
 */
#ifndef GUEST_RING_H
#define GUEST_RING_H

#include "boot/lib/types.h"

#define RING_BYTES 4096 /* a power of two */

/* Empty when zeroed. */
struct ring {
	u32 put, taken; /* since the beginning of time, modulo 2^32 */
	u8 byte[RING_BYTES];
};

static inline u32 ring_count(const struct ring *r)
{
	return r->put - r->taken;
}

static inline u32 ring_room(const struct ring *r)
{
	return RING_BYTES - ring_count(r);
}

/* There must be room. */
static inline void ring_put(struct ring *r, u8 byte)
{
	r->byte[r->put++ % RING_BYTES] = byte;
}

/* There must be a byte. */
static inline u8 ring_take(struct ring *r)
{
	return r->byte[r->taken++ % RING_BYTES];
}

#endif

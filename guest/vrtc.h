/* SPDX-License-Identifier: MIT */
/*
 * The clock half of a PC's MC146818: the time is the host's own clock chip,
 * read only; no alarm, no interrupt, no CMOS memory. It is here because kernels
 * wait a second for a clock that is not there.
 */
#ifndef GUEST_VRTC_H
#define GUEST_VRTC_H

#include "boot/lib/types.h"

#define VRTC_INDEX_PORT 0x70
#define VRTC_DATA_PORT  0x71

struct vrtc {
	u8 index;
};

/* What a register reads, given what the host's chip reads there. Pure. */
u8 vrtc_value(u8 index, u8 host);

u8 vrtc_read(struct vrtc *r, u16 port);
void vrtc_write(struct vrtc *r, u16 port, u8 value);

#endif

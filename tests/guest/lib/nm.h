/* SPDX-License-Identifier: MIT */
/*
 * Watching #NM: a hook that counts and records, and goes on in one of two
 * ways. For one CPU at a time.
 */
#ifndef LIB_NM_H
#define LIB_NM_H

#include "lib/trap.h"

enum nm_answer {
	NM_ENABLE, /* XFD_ERR := 0, XFD := 0, and retry, as Linux does */
	NM_RETURN, /* retry only */
	NM_CLTS,   /* clear CR0.TS and retry */
};

struct nm_seen {
	u32 count;
	struct frame frame; /* of the last one */
	u64 frame_at;       /* where the CPU pushed it */
	u64 xfd, xfd_err, cr0, cr2, dr6;
};
extern struct nm_seen nm_seen;

/*
 * From now on #NM is answered so, LIMIT times; one more goes to the fix-up of
 * TRY(). RDMSR of XFD is done only if READ_XFD, as it may exit.
 */
void nm_watch(enum nm_answer answer, u32 limit, bool read_xfd);

#endif

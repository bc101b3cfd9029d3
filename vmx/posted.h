/* SPDX-License-Identifier: MIT */
/*
 * A posted-interrupt descriptor (SDM vol. 3, "Posted-Interrupt Processing"):
 * interrupts that other CPUs have for a vCPU, which a CPU in the guest takes
 * over by itself when the notification vector arrives, and software with
 * posted_take(). Pure; who is notified is vcpu.c's business. All other bits of
 * the descriptor are for devices that post by themselves, of which a guest has
 * none.
 */
#ifndef VMX_POSTED_H
#define VMX_POSTED_H

#include "boot/lib/types.h"

#define POSTED_WORDS 8

#define POSTED_ON 1u /* in control: a notification is on its way */

/* All of it atomic, written by any CPU. */
struct posted {
	u32 pir[POSTED_WORDS]; /* by vector */
	u32 control;
	u32 unused[7];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct posted) == 64, "SDM, descriptor's format");
_Static_assert(offsetof(struct posted, control) == 32, "bit 256 is ON");

/*
 * VECTOR is requested. True: nobody has said so yet, and the caller must, by
 * waking the vCPU or by the notification.
 */
static inline bool posted_request(struct posted *p, u8 vector)
{
	__atomic_fetch_or(&p->pir[vector / 32], 1u << vector % 32,
			  __ATOMIC_SEQ_CST);
	return !(__atomic_fetch_or(&p->control, POSTED_ON, __ATOMIC_SEQ_CST) &
		 POSTED_ON);
}

/* Has something been requested that nobody has taken over? */
static inline bool posted_is_on(const struct posted *p)
{
	return __atomic_load_n(&p->control, __ATOMIC_SEQ_CST) & POSTED_ON;
}

/*
 * All that is requested goes to IRR. ON first: what is requested later finds it
 * clear, and is announced again.
 */
static inline void posted_take(struct posted *p, u32 irr[POSTED_WORDS])
{
	__atomic_fetch_and(&p->control, ~POSTED_ON, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < POSTED_WORDS; i++)
		irr[i] = __atomic_exchange_n(&p->pir[i], 0, __ATOMIC_SEQ_CST);
}

#endif

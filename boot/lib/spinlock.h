/* SPDX-License-Identifier: MIT */
/*
 * A ticket lock: CPUs get it in the order in which they asked. Root mode runs
 * with interrupts off, so holders are never preempted; NMI and machine-check
 * handlers take no lock. Lock order: architecture, "CPUs and concurrency".
 */
#ifndef BOOT_LIB_SPINLOCK_H
#define BOOT_LIB_SPINLOCK_H

#include "boot/lib/types.h"

/* Free when zeroed. */
struct spinlock {
	u32 next;    /* the ticket that the next asker draws */
	u32 serving; /* whose turn it is; written only by the holder */
};

static inline void spin_lock(struct spinlock *l)
{
	const u32 mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != mine)
		__builtin_ia32_pause();
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->serving, l->serving + 1, __ATOMIC_RELEASE);
}

#endif

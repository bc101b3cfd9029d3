/* SPDX-License-Identifier: MIT */
/*
 * A page of a VM's RAM goes to another place in the host's memory and comes
 * back, while the VM runs: what a machine does with memory that fails, and here
 * the proof that no CPU uses a translation that was taken away. Only a test
 * guest asks for it (calls=on).
 */
#ifndef GUEST_PAGE_MOVE_H
#define GUEST_PAGE_MOVE_H

#include "boot/lib/types.h"

struct vm;

enum page_move_step {
	PAGE_AT_HOME,
	PAGE_LEAVES,  /* it cannot be written; its content is copied next */
	PAGE_AWAY,    /* it is elsewhere; the old place is overwritten next */
	PAGE_RETURNS, /* as PAGE_LEAVES, for the way back */
	PAGE_BACK,    /* as PAGE_AWAY */
};

/* One page at a time; under the VM's lock. */
struct page_move {
	enum page_move_step step;
	u64 at; /* guest-physical */
	u8 *home, *away;
};

enum page_move_result {
	PAGE_MOVE_DONE,
	PAGE_MOVE_AGAIN,  /* call again until it is done */
	PAGE_MOVE_REFUSED /* not a page of RAM, another one moves, no memory */
};

/*
 * The next step for the page at AT, if every CPU has heard of the last one.
 * Never waits: a vCPU that writes to the page meanwhile yields and tries again.
 */
enum page_move_result page_move(struct vm *vm, u64 at);

/* No vCPU of VM is on any CPU: a page that is away is at home again. */
void page_move_cancel(struct vm *vm);

#endif

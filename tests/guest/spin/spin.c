/* SPDX-License-Identifier: MIT */
/*
 * A guest that keeps the CPU as well as it can: it spins with interrupts off
 * until the TSC is from=, and for ticks=N more, and counts how much of the
 * latter it was given. share=P is the percentage it may have; all of it, by
 * default, as on a machine of its own.
 */
#include "lib/check.h"
#include "lib/serial.h"

#define TICKS     50000000
#define GAP_TICKS 20000 /* longer between two reads: somebody else ran */
#define TOLERANCE 1     /* percent: slices do not divide the time exactly */

static bool spin(void)
{
	const u64 ticks = guest_number("ticks", TICKS);
	const u64 share = guest_number("share", 100);
	const u64 from  = guest_number("from", 0);
	u64 start, now, away = 0;

	cli();
	do {
		now = start = rdtsc();
	} while (now < from);
	while (now - start < ticks) {
		const u64 last = now;

		now = rdtsc();
		if (now - last > GAP_TICKS)
			away += now - last;
	}

	const u64 percent = 100 * (now - start - away) / (now - start);

	printk("# %u of 100 ticks were its own\n", (u32)percent);
	return is("no more than its share", percent <= share + TOLERANCE) &&
	       is("not much less either", percent + TOLERANCE >= share);
}

const struct claim claims[] = {
	{ "spinning with interrupts off, it has its share of the CPU", spin,
	  0 },
};
CLAIMS_END

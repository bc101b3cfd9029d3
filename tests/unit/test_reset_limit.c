/* SPDX-License-Identifier: MIT */
/* How often a VM may reset itself. */
#include "guest/reset_limit.h"

#include "tests/unit/tap.h"

#define PERIOD 1000

static u32 taken(struct reset_limit *l, u64 now, u32 tries)
{
	u32 n = 0;

	while (tries--)
		n += reset_limit_take(l, now, PERIOD);
	return n;
}

int main(void)
{
	struct reset_limit none = { .max = 0 }, five = { .max = 5 };
	struct reset_limit daily = { .max = 1 }, fast = { .max = 5 };
	u32 n = 0;

	tap_is(taken(&none, 77, 3), 0, "reboot=0: not one");
	tap_is(taken(&none, ~0ULL / 2, 1), 0, "however late");
	tap_is(taken(&five, 0, 10), 5, "five in a row");
	tap_is(taken(&five, PERIOD - 1, 10), 0, "no more within the period");
	tap_is(taken(&five, PERIOD, 10), 1, "one when it is over");
	tap_is(taken(&five, 4 * PERIOD, 10), 3, "three after three periods");
	tap_is(taken(&five, 100 * PERIOD, 10), 5, "never more than five");
	for (u64 day = 1; day <= 1000; day++)
		n += reset_limit_take(&daily, day * PERIOD, PERIOD);
	tap_is(n, 1000, "once in a period goes on for ever");
	n = 0;
	for (u64 now = 0; reset_limit_take(&fast, now, PERIOD); now += 900)
		n++;
	tap_is(n, 41, "a little faster than that comes to an end");
	return tap_done();
}

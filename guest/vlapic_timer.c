/* SPDX-License-Identifier: MIT */
/* The local APIC's timer: one-shot, periodic, TSC deadline. */
#include "guest/vlapic_parts.h"

/*
 * A periodic timer that would fire again before its handler can run gives the
 * guest no instruction at all; hardware has latency instead.
 */
#define PERIOD_MIN 4096

/* TSC ticks of one count. */
static u64 count_ticks(const struct vlapic *l)
{
	const u32 code = (l->divide >> 1 & 4) | (l->divide & 3);

	return (u64)l->tsc_per_tick << ((code + 1) & 7);
}

static u64 period(const struct vlapic *l)
{
	return max_u64(l->initial * count_ticks(l), PERIOD_MIN);
}

u32 vlapic_timer_count(const struct vlapic *l, u64 now)
{
	u64 left = l->due > now ? l->due - now : 0;

	if (!l->due)
		return 0;
	if (!left && (l->lvt[LVT_TIMER] & TIMER_PERIODIC))
		left = period(l) - (now - l->due) % period(l);
	const u64 count = (left + count_ticks(l) - 1) / count_ticks(l);

	return (u32)min_u64(count, l->initial);
}

void vlapic_timer_start(struct vlapic *l, u32 count, u64 now)
{
	if (l->lvt[LVT_TIMER] & TIMER_DEADLINE)
		return;
	l->due = count ? now + count * count_ticks(l) : 0;
}

void vlapic_timer_divide(struct vlapic *l, u32 value, u64 now)
{
	const u32 left = vlapic_timer_count(l, now);

	l->divide = value & DIVIDE_BITS;
	vlapic_timer_start(l, left, now);
}

void vlapic_timer_stop(struct vlapic *l)
{
	l->due      = 0;
	l->initial  = 0;
	l->deadline = 0;
}

u64 vlapic_read_deadline(const struct vlapic *l)
{
	return l->lvt[LVT_TIMER] & TIMER_DEADLINE ? l->deadline : 0;
}

void vlapic_write_deadline(struct vlapic *l, u64 value)
{
	if (l->lvt[LVT_TIMER] & TIMER_DEADLINE)
		l->deadline = value;
}

/*
 * The deadline in host TSC. The offset may have either sign and a deadline any
 * value: what lies beyond either end of time is there, and not wrapped around.
 */
static u64 host_deadline(const struct vlapic *l, u64 tsc_offset)
{
	const u64 behind = -tsc_offset;

	if (tsc_offset >> 63)
		return l->deadline < ~0ULL - behind ? l->deadline + behind
						    : ~0ULL;
	return l->deadline > tsc_offset ? l->deadline - tsc_offset : 0;
}

u64 vlapic_next_due(const struct vlapic *l, u64 tsc_offset)
{
	const u32 timer = l->lvt[LVT_TIMER];

	if (timer & LVT_MASKED)
		return ~0ULL;
	if (timer & TIMER_DEADLINE)
		return l->deadline ? host_deadline(l, tsc_offset) : ~0ULL;
	return l->due ? l->due : ~0ULL;
}

/* Has the timer run out? It is then armed again, or not, as its mode says. */
static bool timer_expired(struct vlapic *l, u64 now, u64 tsc_offset)
{
	if (l->lvt[LVT_TIMER] & TIMER_DEADLINE) {
		if (!l->deadline || now < host_deadline(l, tsc_offset))
			return false;
		l->deadline = 0;
		return true;
	}
	if (!l->due || now < l->due)
		return false;
	if (l->lvt[LVT_TIMER] & TIMER_PERIODIC)
		l->due += ((now - l->due) / period(l) + 1) * period(l);
	else
		l->due = 0;
	return true;
}

bool vlapic_tick(struct vlapic *l, u64 now, u64 tsc_offset)
{
	if (!timer_expired(l, now, tsc_offset) ||
	    (l->lvt[LVT_TIMER] & LVT_MASKED))
		return false;
	return vlapic_post(l, (u8)l->lvt[LVT_TIMER], false);
}

/* SPDX-License-Identifier: MIT */
#include "vmx/ept_duty.h"

static u64 done_by(const struct ept_duty *d, u32 cpu)
{
	return __atomic_load_n(&d->done[cpu], __ATOMIC_ACQUIRE);
}

bool ept_duty_owed(const struct ept_duty *d, u32 cpu, u64 generation)
{
	return done_by(d, cpu) <= generation;
}

void ept_duty_done(struct ept_duty *d, u32 cpu, u64 generation)
{
	__atomic_store_n(&d->done[cpu], generation + 1, __ATOMIC_RELEASE);
}

void ept_duty_left(struct ept_duty *d, u32 cpu)
{
	__atomic_store_n(&d->done[cpu], 0, __ATOMIC_RELEASE);
}

bool ept_duty_all_done(const struct ept_duty *d, u64 generation)
{
	for (u32 i = 0; i < d->cpu_count; i++)
		if (done_by(d, i) && done_by(d, i) <= generation)
			return false;
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * CPUs beside the boot CPU: started by INIT-SIPI-SIPI for one task, halted
 * for ever after it, startable again. CPU n has the APIC id n.
 */
#ifndef LIB_SMP_H
#define LIB_SMP_H

#include "lib/cpu.h"

/* The boot CPU gets its block. Once, before everything else here. */
void smp_init(void);

/* Start CPU with TASK, which it runs once. Does not wait for it. */
void smp_start(u32 cpu, bool (*task)(void));

/* Wait for CPU's task and return what it returned. */
bool smp_wait(u32 cpu);

/* Both, with the task guarded as a claim. */
bool smp_run(u32 cpu, bool (*task)(void));

/* TASK on all guest.vcpus CPUs at once; true if all returned true. */
bool smp_run_all(bool (*task)(void));

/* A CPU that never used tiles: one of the guest.fresh behind the others, or
 * bare any but the first that was not named before; CPU 0 when there are none.
 */
u32 smp_fresh(void);

/* CPU INDEX, which was started before. */
struct cpu *smp_cpu(u32 index);

/* Let others run: the yield call when hosted, PAUSE when bare. */
void smp_relax(void);

/* Wait until COUNT CPUs have come here; reusable. */
struct barrier {
	u32 arrived, round;
};
void smp_barrier(struct barrier *b, u32 count);

#endif

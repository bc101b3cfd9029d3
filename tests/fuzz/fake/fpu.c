/* SPDX-License-Identifier: MIT */
/* All of fpu/ on the unit tests' CPU, for targets that need a real one. */
#include "tests/unit/cpuid_0d.h"
#include "tests/unit/fake_cpu.h"

#include "fpu/fpu.c"
#include "fpu/machine.c"

void fake_fpu_machine(void);
void fake_fpu_machine(void)
{
	fake_cpu_reset(&cpuid_sapphire_rapids);
	fake_pages_left = 1 << 20;
	fpu_init();
	fpu_init_cpu();
}

/* The guest's instruction: a tile is written, or #NM as in hardware. */
bool fake_fpu_use_tile(void);
bool fake_fpu_use_tile(void)
{
	if (!(cpu.xcr0 & XSTATE_TILEDATA) || (cpu.xfd & XSTATE_TILEDATA)) {
		cpu.xfd_err |= cpu.xfd & XSTATE_TILEDATA;
		return false;
	}
	cpu.content[18] = 1;
	return true;
}

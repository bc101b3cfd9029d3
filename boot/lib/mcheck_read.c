/* SPDX-License-Identifier: MIT */
/* Reads this CPU's machine-check banks for boot/lib/mcheck.c. */
#include "boot/lib/mcheck.h"
#include "boot/lib/print.h"
#include "boot/lib/x86.h"

#define MC_STRIDE  4
#define MC_STATUS  1
#define MC_ADDRESS 2
#define MC_MISC    3

void mcheck_first(char text[MCHECK_TEXT])
{
	u64 cap;

	rdmsr_safe(MSR_IA32_MCG_CAP, &cap);
	for (u32 bank = 0; bank < (cap & 0xff); bank++) {
		const u32 msr = MSR_IA32_MC0_CTL + MC_STRIDE * bank;
		struct mcheck m;

		/* An address or MISC that does not hold faults: read 0. */
		rdmsr_safe(msr + MC_STATUS, &m.status);
		rdmsr_safe(msr + MC_ADDRESS, &m.address);
		rdmsr_safe(msr + MC_MISC, &m.misc);
		if (mcheck_describe(bank, &m, text))
			return;
	}
	tv_snprintf(text, MCHECK_TEXT, "none of %lu banks says why",
		    cap & 0xff);
}

/* SPDX-License-Identifier: MIT */
/*
 * Machine-check banks in words (SDM vol. 3, "Machine-Check Architecture"):
 * what kind of error, how bad, where. Pure, but for mcheck_first().
 */
#ifndef BOOT_LIB_MCHECK_H
#define BOOT_LIB_MCHECK_H

#include "boot/lib/types.h"

#define MCHECK_TEXT 200

/* IA32_MCi_STATUS and, where STATUS says that they hold, _ADDR and _MISC. */
struct mcheck {
	u64 status, address, misc;
};

/* False: STATUS holds no error, and TEXT is "". */
bool mcheck_describe(unsigned int bank, const struct mcheck *m,
		     char text[MCHECK_TEXT]);

/*
 * The first bank of this CPU with an error, described; else a sentence that
 * says so. Safe in the machine-check handler.
 */
void mcheck_first(char text[MCHECK_TEXT]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The option `report`: everything about the machine that a bug report should
 * have, as lines for people and as one event. Reads only; what is there is
 * printed as it is, for a machine that cannot run VMs as well.
 */
#ifndef GUEST_MACHINE_REPORT_H
#define GUEST_MACHINE_REPORT_H

#include "boot/boot_info.h"

/* Once all CPUs are up and VMX is judged. */
void machine_report(const struct boot_info *bi);

#endif

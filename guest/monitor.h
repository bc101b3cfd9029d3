/* SPDX-License-Identifier: MIT */
/*
 * The monitor: answers to what is typed at the terminal, about all VMs and for
 * any number of them. The guests run on meanwhile. What it reads of a vCPU that
 * another CPU runs may be a moment old.
 */
#ifndef GUEST_MONITOR_H
#define GUEST_MONITOR_H

#include "guest/monitor_line.h"

/*
 * Do what TEXT says, on the boot CPU, no lock held. False: the terminal goes
 * back to its VM. Does not return if the machine ends.
 */
bool monitor_execute(char *text);

#endif

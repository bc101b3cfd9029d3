/* SPDX-License-Identifier: MIT */
/* How a Linux kernel is put into a VM's memory and where it is entered. */
#ifndef GUEST_LINUX_H
#define GUEST_LINUX_H

#include "boot/lib/types.h"
#include "guest/memory.h"

struct linux_file {
	const void *data;
	u64 bytes;
};

struct linux_start {
	u64 rip, rsi, cr3;
	u64 gdt_base;
	u32 gdt_limit;
};

/*
 * Load KERNEL by the 64-bit boot protocol: kernel, initrds one behind the
 * other, command line, zero page, a seed for its random numbers, GDT, identity
 * page tables of the low 4 GiB. The ACPI tables are the caller's. False: WHY is
 * one sentence.
 */
bool linux_load(struct memory *m, const struct linux_file *kernel,
		const struct linux_file *initrd, u32 initrd_count,
		const char *cmdline, u64 rsdp, struct linux_start *start,
		char *why, size_t why_size);

#endif

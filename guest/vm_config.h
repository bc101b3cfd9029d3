/* SPDX-License-Identifier: MIT */
/*
 * From the boot modules' command lines to one struct vm_config per VM. Pure: it
 * reads text and knows neither memory nor devices; whether an image is one that
 * can run is told from its content elsewhere.
 */
#ifndef GUEST_VM_CONFIG_H
#define GUEST_VM_CONFIG_H

#include "boot/lib/types.h"
#include "fpu/xfd.h"

#define VM_NAME_SIZE      16  /* with its NUL */
#define VM_VCPUS_MAX      255 /* xAPIC ids 0 .. 254; 255 means all */
#define VM_MEMORY_MIN     (2 * MIB)
#define VM_MEMORY_MAX     (1024 * GIB)
#define VM_MEMORY_DEFAULT (64 * MIB)
#define VM_INITRD_MAX     6
#define VM_REBOOT_DEFAULT 5
#define VM_REBOOT_MAX     1000000
#define VM_CPU_MAX        99999
#define VM_ERROR_SIZE     256

struct vm_config {
	char name[VM_NAME_SIZE]; /* "#3" for a module 3 that names no VM */
	u32 vcpu_count;
	u64 memory_bytes;
	enum xfd_policy policy;
	bool reserve;    /* fpu=reserve */
	u64 areas_bytes; /* areas=; 0: no limit */
	bool amx;
	bool calls;
	bool hypervisor;  /* CPUID says that there is one */
	u32 reboots;      /* reboot=: resets in a row, see reset_limit.h */
	const char *cpus; /* cpus=, checked, not terminated; NULL: all */
	size_t cpus_length;
	u32 cpu_last;        /* the greatest number in it */
	const char *cmdline; /* the guest's; points into its module's line */
	u32 image;           /* index of the module; valid if has_image */
	bool has_image;
	u32 initrd_count;
	u32 initrd[VM_INITRD_MAX];                 /* modules, in order */
	const char *initrd_cmdline[VM_INITRD_MAX]; /* text behind their "--" */
	char error[VM_ERROR_SIZE]; /* why it cannot be created, or "" */
};

struct vm_config_module {
	const char *cmdline;
	u64 bytes;
};

struct vm_config_defaults {
	enum xfd_policy policy;
	bool reserve;
};

/*
 * One entry in OUT, which has room for COUNT, for each VM that the COUNT
 * modules name, in the order of their first naming; returns how many. An entry
 * with an error names the first thing wrong with any of its modules; a module
 * that cannot be given to a VM gets an entry of its own.
 */
u32 vm_config_parse(const struct vm_config_module *module, u32 count,
		    const struct vm_config_defaults *defaults,
		    struct vm_config *out);

/* May C's vCPUs run on the CPU of this number? */
bool vm_config_allows(const struct vm_config *c, u32 cpu);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A VM's image: told by its content what it is, put into the VM's memory, and
 * the first vCPU set to its entry.
 */
#ifndef GUEST_IMAGE_H
#define GUEST_IMAGE_H

#include "guest/memory.h"
#include "vmx/vcpu.h"

struct image_file {
	const void *data;
	u64 bytes;
	const char *cmdline;
};

/*
 * The initrds become Linux' initrd or multiboot modules. V is loaded nowhere.
 * The kind's name ("multiboot1", "linux"), or NULL: WHY is one sentence.
 */
const char *image_load(struct memory *m, struct vcpu *v,
		       const struct image_file *image,
		       const struct image_file *initrd, u32 initrd_count,
		       char *why, size_t why_size);

#endif

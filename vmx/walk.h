/* SPDX-License-Identifier: MIT */
/*
 * Guest linear to guest-physical addresses, as the guest's own page tables say,
 * in every paging mode (SDM vol. 3, "Paging"). Pure but for the guest memory it
 * reads through policy_memory().
 */
#ifndef VMX_WALK_H
#define VMX_WALK_H

#include "boot/lib/addr.h"
#include "vmx/vcpu.h"

/* The registers that decide how an address is translated. */
struct paging {
	u64 cr0, cr3, cr4, efer;
	u64 pdpte[4]; /* PAE paging: the CPU's copies */
	bool user;    /* CPL 3 */
	bool ac;      /* RFLAGS.AC: SMAP is overridden */
	u64 address_mask;
};

enum walk_access {
	WALK_READ,
	WALK_WRITE,
	WALK_FETCH,
};

enum walk_result {
	WALK_OK,
	WALK_FAULT, /* #PF with *ERROR */
	WALK_HOLE,  /* a page table lies where there is no memory */
};

/*
 * Translate AT for one access; sets accessed and dirty flags as the CPU would.
 * V is only handed on to policy_memory().
 */
enum walk_result walk(struct vcpu *v, const struct paging *p, gva_t at,
		      enum walk_access access, gpa_t *to, u32 *error);

#endif

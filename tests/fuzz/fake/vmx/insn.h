/* SPDX-License-Identifier: MIT */
/*
 * In place of the tree's vmx/insn.h for fuzz targets: a VMCS as an array by
 * field encoding. As strict as the CPU about what may be written.
 */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include <stdlib.h>

#include "boot/lib/addr.h"
#include "boot/lib/panic.h"
#include "vmx/vmcs_field.h"

enum vmx_status {
	VMX_OK,
	VMX_FAIL_INVALID,
	VMX_FAIL_VALID,
};

enum invalidation {
	INV_SINGLE_CONTEXT = 1,
	INV_ALL_CONTEXTS   = 2,
};

/* Encodings have 15 bits; bits 11:10 are the kind, 1 is read-only. */
#define FAKE_VMCS_FIELDS 0x8000
#define FAKE_KIND(field) ((unsigned int)(field) >> 10 & 3)

extern u64 fake_vmcs[FAKE_VMCS_FIELDS]; /* the target's */

/* Bits 14:13 of an encoding: 16, 64, 32 bits, natural width. */
static inline u64 fake_width_mask(enum vmcs_field field)
{
	static const u64 mask[] = { 0xffff, ~0ULL, 0xffffffff, ~0ULL };

	return mask[(unsigned int)field >> 13 & 3];
}

static inline u64 vmread(enum vmcs_field field)
{
	return fake_vmcs[(unsigned int)field];
}

static inline u32 vmread32(enum vmcs_field field)
{
	return lo32(vmread(field));
}

static inline enum vmx_status vmread_checked(enum vmcs_field field, u64 *value)
{
	*value = vmread(field);
	return VMX_OK;
}

/* What does not fit would be cut off silently: here it is a finding. */
static inline void vmwrite(enum vmcs_field field, u64 value)
{
	if (FAKE_KIND(field) == 1)
		panic("vmwrite of a read-only field");
	if (value & ~fake_width_mask(field))
		panic("vmwrite of more than the field has");
	fake_vmcs[(unsigned int)field] = value;
}

static inline enum vmx_status invept(enum invalidation kind, u64 pointer)
{
	(void)kind;
	(void)pointer;
	return VMX_OK;
}

static inline enum vmx_status invvpid(enum invalidation kind, u16 vpid)
{
	(void)kind;
	(void)vpid;
	return VMX_OK;
}

extern u64 fake_host_nmis;

static inline void deliver_host_nmi(void)
{
	fake_host_nmis++;
}

#endif

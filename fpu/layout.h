/* SPDX-License-Identifier: MIT */
/*
 * Where each state component lies in an XSAVE area and how big the area is, for
 * any set of components in either format. Pure: a function of what CPUID.0DH
 * says, so that no size or offset is written down anywhere else. IA32_XFD does
 * not enter: it changes neither sizes nor formats (xfd.md A.1.6).
 */
#ifndef FPU_LAYOUT_H
#define FPU_LAYOUT_H

#include "fpu/xstate.h"

/* CPUID.0DH as read: sub-leaf i in entry i. */
struct cpuid_0d {
	struct {
		u32 eax, ebx, ecx, edx;
	} sub[XSTATE_COUNT];
};

struct xstate_layout {
	u64 user;       /* components that XCR0 may enable */
	u64 supervisor; /* components that IA32_XSS may enable */
	u64 xfd;        /* components that IA32_XFD may disable */
	u64 aligned;    /* on a 64-byte boundary in the compacted format */
	u32 size[XSTATE_COUNT];   /* bytes; 0: no such component */
	u32 offset[XSTATE_COUNT]; /* standard format; user components only */
	bool xsaveopt;
	bool xsavec;  /* and the compacted format */
	bool xgetbv1; /* XGETBV with ECX = 1 */
	bool xsaves;  /* and XRSTORS and IA32_XSS; needs xsavec */
	bool has_xfd; /* IA32_XFD and IA32_XFD_ERR exist */
};

/*
 * SDM volume 1, "Enumeration of CPU Support for XSAVE Instructions and XSAVE-
 * Supported Features". False: the tables contradict themselves (a component
 * without size, one inside the legacy region or the header, two that overlap);
 * *WRONG then is the component.
 */
bool layout_read(struct xstate_layout *l, const struct cpuid_0d *cpuid,
		 unsigned int *wrong);

/*
 * Bytes of an area with room for COMPONENTS. In the standard format supervisor
 * components have no place and are not counted. At least the legacy region and
 * the header.
 */
u32 layout_size(const struct xstate_layout *l, u64 components, bool compacted);

/* Where component I lies in such an area; I is one of COMPONENTS. */
u32 layout_offset(const struct xstate_layout *l, u64 components, unsigned int i,
		  bool compacted);

/*
 * Bytes that a save moves when only IN_USE are not in their initial state: the
 * header and those components. An upper bound: the processor may skip what was
 * not modified since the restore.
 */
u32 layout_moved(const struct xstate_layout *l, u64 in_use);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * When a vCPU's save area grows, and what must exit to us until then: the state
 * machine of xfd.md C.2-C.3, pure, for all five policies. It decides; fpu/fpu.c
 * acts. Nothing here touches a register or allocates.
 */
#ifndef FPU_XFD_H
#define FPU_XFD_H

#include "boot/lib/types.h"

enum xfd_policy {
	XFD_NM = 0, /* grow at the first use, a #NM that the guest never sees */
	XFD_WRMSR = 1, /* grow when the guest enables: XSETBV or WRMSR XFD */
	XFD_EAGER = 2, /* grown from creation, no exits */
	XFD_KVM =
		3, /* grown from creation, exits as Linux 5.17 and later has */
	XFD_INJECT =
		4, /* as XFD_NM, then the #NM in the guest: wrong, on purpose */
};
#define XFD_POLICY_COUNT 5

/* What must exit. An MSR of a guest without XFD has both bits: #GP(0) for it.
 */
enum fpu_trap {
	FPU_TRAP_NM        = 1,
	FPU_TRAP_XFD_READ  = 2,
	FPU_TRAP_XFD_WRITE = 4,
	FPU_TRAP_ERR_READ  = 8,
	FPU_TRAP_ERR_WRITE = 16,
};

struct xfd {
	enum xfd_policy policy;
	bool opened;    /* XFD_KVM: the guest wrote a value other than 0 */
	u64 machine;    /* bits that the hardware's IA32_XFD takes */
	u64 legal;      /* bits that the guest's takes; 0: it has no XFD */
	u64 lazy;       /* components for which room is made when needed */
	u64 missing;    /* those it may get and has no room for: F */
	u64 guest_xcr0; /* what the guest believes, here and below */
	u64 guest_xfd;
	u64 guest_xfd_err;
};

/*
 * Components the guest may use right now although its area has no room: T, the
 * seed's condition for trapping #NM.
 */
u64 xfd_owed(const struct xfd *x);

/* #NM traps and the hardware's IA32_XFD_ERR is held at 0: "armed". */
bool xfd_is_armed(const struct xfd *x);

/* IA32_XFD and IA32_XFD_ERR while the guest runs. */
u64 xfd_hardware(const struct xfd *x);
u64 xfd_err_hardware(const struct xfd *x);

/* What must exit in this state: bits of enum fpu_trap. */
u32 xfd_traps(const struct xfd *x);

/* Is the area of a new vCPU to be without the components XFD can disable? */
bool xfd_starts_small(enum xfd_policy policy);

/* Must the area grow before this state may run? Only ever under XFD_WRMSR. */
bool xfd_must_grow(const struct xfd *x);

/* A #NM exit, with what IA32_XFD_ERR held at it. */
enum nm_action {
	NM_GROW,             /* ours: grow, run the same instruction again */
	NM_GROW_AND_REFLECT, /* ours too, but XFD_INJECT lets the guest see it
			      */
	NM_REFLECT,          /* the guest's own, or CR0.TS, EM, MP: inject it */
};
enum nm_action xfd_decide_nm(const struct xfd *x, u64 xfd_err);

/*
 * Carry out what was decided, after the area has grown if it had to: MISSING,
 * the guest's IA32_XFD_ERR.
 */
void xfd_take_nm(struct xfd *x, enum nm_action action, u64 xfd_err);

/* The area has room for everything now. */
void xfd_grown(struct xfd *x);

/* Writes by the guest, of legal values. */
void xfd_write(struct xfd *x, u64 value);
void xfd_err_write(struct xfd *x, u64 value);

/*
 * RESET, a new life: what the guest believes is 0 again, and what is made when
 * needed is missing again (xfd.md F.66). For a new vCPU as well.
 */
void xfd_reset(struct xfd *x);

/* "nm" ... "inject"; false: no such policy. And back. */
bool xfd_policy_parse(const char *name, enum xfd_policy *policy);
const char *xfd_policy_name(enum xfd_policy policy);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The five policies side by side, a switch per question. All share one formula,
 * xfd_owed(). Answers are computed from the whole state, never adjusted, so
 * that none of the places of xfd.md C.3.4 can forget to. No hardware, no
 * memory.
 */
#include "fpu/xfd.h"

#include "boot/lib/panic.h"
#include "boot/lib/string.h"

u64 xfd_owed(const struct xfd *x)
{
	return x->missing & x->guest_xcr0 & ~x->guest_xfd;
}

bool xfd_is_armed(const struct xfd *x)
{
	switch (x->policy) {
	case XFD_NM:
	case XFD_INJECT:
		return xfd_owed(x) != 0;
	case XFD_WRMSR:
	case XFD_EAGER:
	case XFD_KVM:
		return false;
	}
	panic("xfd policy %d", (int)x->policy);
}

u64 xfd_hardware(const struct xfd *x)
{
	switch (x->policy) {
	case XFD_NM:
	case XFD_INJECT:
		return x->guest_xfd | x->missing;
	case XFD_WRMSR:
	case XFD_EAGER:
	case XFD_KVM:
		return x->guest_xfd;
	}
	panic("xfd policy %d", (int)x->policy);
}

/* Held at 0 while armed, so that any bit in it is news. */
u64 xfd_err_hardware(const struct xfd *x)
{
	return xfd_is_armed(x) ? 0 : x->guest_xfd_err;
}

static u32 policy_traps(const struct xfd *x)
{
	const u32 xfd = FPU_TRAP_XFD_READ | FPU_TRAP_XFD_WRITE;
	const u32 err = FPU_TRAP_ERR_READ | FPU_TRAP_ERR_WRITE;

	switch (x->policy) {
	case XFD_NM:
	case XFD_INJECT:
		return (x->missing ? xfd : 0) |
		       (xfd_is_armed(x) ? FPU_TRAP_NM | err : 0);
	case XFD_WRMSR:
		return x->missing ? FPU_TRAP_XFD_WRITE : 0;
	case XFD_EAGER:
		return 0;
	case XFD_KVM:
		return FPU_TRAP_ERR_WRITE | (x->opened ? FPU_TRAP_NM : xfd);
	}
	panic("xfd policy %d", (int)x->policy);
}

/*
 * Hardware judges a passed-through write by its own mask, so a guest with a
 * narrower one cannot have it passed through (xfd.md F.22, F.24).
 */
u32 xfd_traps(const struct xfd *x)
{
	const u32 write = FPU_TRAP_XFD_WRITE | FPU_TRAP_ERR_WRITE;
	const u32 read  = FPU_TRAP_XFD_READ | FPU_TRAP_ERR_READ;

	return policy_traps(x) | (x->legal != x->machine ? write : 0) |
	       (x->legal == 0 ? write | read : 0);
}

bool xfd_starts_small(enum xfd_policy policy)
{
	switch (policy) {
	case XFD_NM:
	case XFD_WRMSR:
	case XFD_INJECT:
		return true;
	case XFD_EAGER:
	case XFD_KVM:
		return false;
	}
	panic("xfd policy %d", (int)policy);
}

bool xfd_must_grow(const struct xfd *x)
{
	return x->policy == XFD_WRMSR && xfd_owed(x) != 0;
}

/*
 * By the value of XFD_ERR, never by CR0.TS (xfd.md A.4.19). A bit that is not
 * owed is one the guest disabled itself (C.3.1).
 */
enum nm_action xfd_decide_nm(const struct xfd *x, u64 xfd_err)
{
	if (!xfd_is_armed(x) || !(xfd_err & xfd_owed(x)))
		return NM_REFLECT;
	return x->policy == XFD_INJECT ? NM_GROW_AND_REFLECT : NM_GROW;
}

void xfd_take_nm(struct xfd *x, enum nm_action action, u64 xfd_err)
{
	if (action != NM_GROW && xfd_is_armed(x) && xfd_err != 0)
		x->guest_xfd_err = xfd_err;
	if (action != NM_REFLECT)
		xfd_grown(x);
}

void xfd_grown(struct xfd *x)
{
	x->missing = 0;
}

void xfd_write(struct xfd *x, u64 value)
{
	x->guest_xfd = value;
	x->opened |= value != 0;
}

void xfd_err_write(struct xfd *x, u64 value)
{
	x->guest_xfd_err = value;
}

void xfd_reset(struct xfd *x)
{
	x->missing       = x->lazy;
	x->guest_xcr0    = 1;
	x->guest_xfd     = 0;
	x->guest_xfd_err = 0;
	x->opened        = false;
}

static const char *const policy_name[] = {
	[XFD_NM] = "nm",   [XFD_WRMSR] = "wrmsr",   [XFD_EAGER] = "eager",
	[XFD_KVM] = "kvm", [XFD_INJECT] = "inject",
};
_Static_assert(ARRAY_SIZE(policy_name) == XFD_POLICY_COUNT, "one name each");

bool xfd_policy_parse(const char *name, enum xfd_policy *policy)
{
	for (unsigned int i = 0; i < XFD_POLICY_COUNT; i++)
		if (strcmp(name, policy_name[i]) == 0) {
			*policy = (enum xfd_policy)i;
			return true;
		}
	return false;
}

const char *xfd_policy_name(enum xfd_policy policy)
{
	return policy_name[policy];
}

/* SPDX-License-Identifier: MIT */
/* links: fpu/xfd.c */
/*
 * The decisions one by one: what traps, what the hardware holds, and what a #NM
 * means, for every policy in every state of xfd.md C.2. Their interplay is
 * test_fpu.c's.
 */
#include "fpu/xfd.h"

#include <setjmp.h>

#include "boot/lib/panic.h"
#include "tests/unit/tap.h"

static jmp_buf way_out;
static bool panic_wanted;

void panic(const char *fmt, ...)
{
	if (panic_wanted)
		longjmp(way_out, 1);
	printf("Bail out! %s\n", fmt);
	exit(EXIT_FAILURE);
}

#define TILE BIT(18)
#define NEXT BIT(20)
#define ON   (TILE | 7)

#define NM   FPU_TRAP_NM
#define XFD  (FPU_TRAP_XFD_READ | FPU_TRAP_XFD_WRITE)
#define XFDW FPU_TRAP_XFD_WRITE
#define ERR  (FPU_TRAP_ERR_READ | FPU_TRAP_ERR_WRITE)
#define ERRW FPU_TRAP_ERR_WRITE

/* clang-format off */

/* A guest that has XFD, on a machine where it may be passed through. */
static const struct {
	const char *claim;
	enum xfd_policy policy;
	u64 missing, xcr0, xfd;
	bool opened;
	u32 traps;
	u64 hw_xfd;
	bool armed;
} t[] = {
	{ "C.2: quiet, XCR0 lacks tiles",     XFD_NM,     TILE, 7,  0,    false, XFD,            TILE, false },
	{ "C.2: quiet, XFD set",              XFD_NM,     TILE, ON, TILE, false, XFD,            TILE, false },
	{ "C.2: quiet, both",                 XFD_NM,     TILE, 7,  TILE, false, XFD,            TILE, false },
	{ "C.2: armed",                       XFD_NM,     TILE, ON, 0,    false, NM | XFD | ERR, TILE, true  },
	{ "C.2: grown, XFD clear",            XFD_NM,     0,    ON, 0,    false, 0,              0,    false },
	{ "C.2: grown, XFD set",              XFD_NM,     0,    ON, TILE, false, 0,              TILE, false },
	{ "C.5 P4: armed",                    XFD_INJECT, TILE, ON, 0,    false, NM | XFD | ERR, TILE, true  },
	{ "C.5 P4: grown",                    XFD_INJECT, 0,    ON, 0,    false, 0,              0,    false },
	{ "C.5 P2: small, no forced bit",     XFD_WRMSR,  TILE, 7,  0,    false, XFDW,           0,    false },
	{ "C.5 P2: small, XFD set",           XFD_WRMSR,  TILE, ON, TILE, false, XFDW,           TILE, false },
	{ "C.5 P2: grown",                    XFD_WRMSR,  0,    ON, 0,    false, 0,              0,    false },
	{ "C.5 P0: nothing ever",             XFD_EAGER,  0,    ON, TILE, false, 0,              TILE, false },
	{ "C.5 P5: until the first write",    XFD_KVM,    0,    ON, 0,    false, XFD | ERRW,     0,    false },
	{ "C.5 P5: after it",                 XFD_KVM,    0,    ON, TILE, true,  NM | ERRW,      TILE, false },
	{ "C.5 P5: after it, XFD clear",      XFD_KVM,    0,    ON, 0,    true,  NM | ERRW,      0,    false },
};

/* What a #NM exit means in state armed, by XFD_ERR alone (A.4.19). */
static const struct {
	const char *claim;
	enum xfd_policy policy;
	u64 missing, guest_xfd, xfd_err;
	enum nm_action want;
	u64 err_after; /* the guest's; before it was TILE */
} nm[] = {
	{ "F.1: first use of enabled tiles",      XFD_NM,     TILE,        0,    TILE,        NM_GROW,             TILE },
	{ "F.39: CR0.TS sets no bit in XFD_ERR",  XFD_NM,     TILE,        0,    0,           NM_REFLECT,          TILE },
	{ "F.3: the guest disabled tiles itself", XFD_NM,     TILE,        TILE, TILE,        NM_REFLECT,          TILE },
	{ "C.3.1: one of two, the guest's own",   XFD_NM,     TILE | NEXT, NEXT, NEXT,        NM_REFLECT,          NEXT },
	{ "C.3.1: both, one of them ours",        XFD_NM,     TILE | NEXT, NEXT, TILE | NEXT, NM_GROW,             TILE },
	{ "once grown, #NM is the guest's",       XFD_NM,     0,           TILE, TILE,        NM_REFLECT,          TILE },
	{ "P4: grow, and let the guest see it",   XFD_INJECT, TILE,        0,    TILE,        NM_GROW_AND_REFLECT, TILE },
	{ "P4: CR0.TS is no use of tiles",        XFD_INJECT, TILE,        0,    0,           NM_REFLECT,          TILE },
	{ "P5: always the guest's",               XFD_KVM,    0,           TILE, TILE,        NM_REFLECT,          TILE },
};
/* clang-format on */

static void states(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct xfd x = {
			.policy        = t[i].policy,
			.opened        = t[i].opened,
			.machine       = TILE,
			.legal         = TILE,
			.missing       = t[i].missing,
			.guest_xcr0    = t[i].xcr0,
			.guest_xfd     = t[i].xfd,
			.guest_xfd_err = TILE,
		};
		const char *name  = xfd_policy_name(t[i].policy);
		struct xfd narrow = x, none = x;

		tap_is(xfd_traps(&x), t[i].traps, "%s, %s: traps", name,
		       t[i].claim);
		tap_is(xfd_hardware(&x), t[i].hw_xfd, "%s, %s: IA32_XFD", name,
		       t[i].claim);
		tap_is(xfd_err_hardware(&x), t[i].armed ? 0 : TILE,
		       "%s, %s: IA32_XFD_ERR", name, t[i].claim);
		narrow.machine = TILE | NEXT;
		tap_is(xfd_traps(&narrow), t[i].traps | XFDW | ERRW,
		       "%s, %s: F.22, a narrower mask keeps writes trapped",
		       name, t[i].claim);
		none.legal = 0;
		tap_is(xfd_traps(&none) | NM, XFD | ERR | NM,
		       "%s, %s: F.24, hidden XFD exits always", name,
		       t[i].claim);
	}
}

static void nm_exits(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(nm); i++) {
		struct xfd x = {
			.policy        = nm[i].policy,
			.opened        = true,
			.machine       = TILE | NEXT,
			.legal         = TILE | NEXT,
			.missing       = nm[i].missing,
			.guest_xcr0    = TILE | NEXT | 7,
			.guest_xfd     = nm[i].guest_xfd,
			.guest_xfd_err = TILE,
		};
		const enum nm_action action = xfd_decide_nm(&x, nm[i].xfd_err);

		tap_is(action, nm[i].want, "#NM: %s", nm[i].claim);
		xfd_take_nm(&x, action, nm[i].xfd_err);
		tap_is(x.guest_xfd_err, nm[i].err_after,
		       "#NM: %s: XFD_ERR for the guest", nm[i].claim);
		tap_is(x.missing, action == NM_REFLECT ? nm[i].missing : 0,
		       "#NM: %s: missing", nm[i].claim);
	}
}

static void writes(void)
{
	struct xfd x = { .policy     = XFD_WRMSR,
			 .machine    = TILE,
			 .legal      = TILE,
			 .missing    = TILE,
			 .guest_xcr0 = ON,
			 .guest_xfd  = TILE };
	enum xfd_policy policy;
	u32 known = 0;

	tap_ok(!xfd_must_grow(&x), "wrmsr: XFD set, nothing to do");
	xfd_write(&x, 0);
	tap_ok(xfd_must_grow(&x), "C.5 P2: WRMSR XFD, 0 has to grow");
	xfd_grown(&x);
	tap_ok(!xfd_must_grow(&x), "and then not again");
	x = (struct xfd){ .policy     = XFD_NM,
			  .machine    = TILE,
			  .legal      = TILE,
			  .lazy       = TILE,
			  .missing    = TILE,
			  .guest_xcr0 = ON };
	tap_ok(!xfd_must_grow(&x), "C.1.4: nm never grows at a write");
	xfd_err_write(&x, TILE);
	tap_is(xfd_err_hardware(&x), 0, "C.3.1: the shadow stays out");
	xfd_write(&x, TILE);
	tap_is(xfd_err_hardware(&x), TILE, "ARMED->QUIET: and goes in");
	xfd_reset(&x);
	tap_ok(x.guest_xcr0 == 1 && !x.guest_xfd && !x.guest_xfd_err,
	       "F.21, F.66: values after RESET");
	tap_is(x.missing, TILE, "RESET grows nothing");
	xfd_grown(&x);
	xfd_reset(&x);
	tap_is(x.missing, TILE, "F.66: what has grown is missing again");

	x = (struct xfd){ .policy     = XFD_INJECT,
			  .missing    = TILE,
			  .guest_xcr0 = ON };
	xfd_take_nm(&x, NM_GROW_AND_REFLECT, TILE);
	tap_is(x.guest_xfd_err, TILE, "P4: the guest sees our bit in XFD_ERR");

	x = (struct xfd){ .policy = XFD_KVM, .machine = TILE, .legal = TILE };
	xfd_write(&x, 0);
	tap_ok(!x.opened, "P5: writing 0 opens nothing");
	xfd_write(&x, TILE);
	xfd_write(&x, 0);
	tap_ok(x.opened, "P5: opened stays open");
	xfd_reset(&x);
	tap_ok(!x.opened, "P5: until RESET (F.66)");

	for (unsigned int p = 0; p < XFD_POLICY_COUNT; p++)
		if (xfd_policy_parse(xfd_policy_name((enum xfd_policy)p),
				     &policy) &&
		    policy == (enum xfd_policy)p)
			known++;
	tap_is(known, XFD_POLICY_COUNT, "every policy has its name");
	tap_ok(!xfd_policy_parse("lazy", &policy), "an unknown name");
	tap_ok(xfd_policy_parse("kvm", &policy) && policy == XFD_KVM,
	       "the names are those of the documentation");
	tap_ok(xfd_starts_small(XFD_NM) && xfd_starts_small(XFD_WRMSR) &&
		       xfd_starts_small(XFD_INJECT) &&
		       !xfd_starts_small(XFD_EAGER) &&
		       !xfd_starts_small(XFD_KVM),
	       "nm, wrmsr and inject start small");
}

/* No question about a policy that there is not has an answer. */
static void bugs(void)
{
	const struct xfd x = { .policy = (enum xfd_policy)XFD_POLICY_COUNT };
	static volatile int panics;

	panic_wanted = true;
	for (volatile int question = 0; question < 4; question++) {
		if (setjmp(way_out) != 0) {
			panics++;
			continue;
		}
		switch (question) {
		case 0:
			xfd_is_armed(&x);
			break;
		case 1:
			xfd_hardware(&x);
			break;
		case 2:
			xfd_traps(&x);
			break;
		case 3:
			xfd_starts_small(x.policy);
			break;
		}
	}
	panic_wanted = false;
	tap_is(panics, 4, "an unknown policy is a panic, not a guess");
}

int main(void)
{
	states();
	nm_exits();
	writes();
	bugs();
	return tap_done();
}

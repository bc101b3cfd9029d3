/* SPDX-License-Identifier: MIT */
/*
 * What this CPU's VMX can do, judged once from the capability MSRs: the control
 * words we use, and what is missing. Pure; vmxon.c reads the MSRs.
 */
#ifndef VMX_CAPS_H
#define VMX_CAPS_H

#include "boot/lib/types.h"

/* The MSRs as read; those that do not exist are 0. */
struct vmx_msrs {
	bool cpuid_vmx;      /* CPUID.1:ECX[5] */
	u64 feature_control; /* IA32_FEATURE_CONTROL */
	u64 basic;
	u64 pin, cpu, cpu2, exit, entry; /* the TRUE ones if basic[55] is 1 */
	u64 misc;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 ept_vpid;
};

struct vmx_caps {
	u32 revision;                    /* VMCS revision identifier */
	bool true_ctls;                  /* IA32_VMX_BASIC[55] */
	u32 pin, cpu, cpu2, exit, entry; /* control words for every vCPU */
	u64 cr0_fixed0,
		cr0_fixed1; /* PE and PG taken out: unrestricted guest */
	u64 cr4_fixed0, cr4_fixed1;
	bool ept_2m, ept_1g; /* for ept_init() */
	bool invept_single;
	bool invvpid_single;
	bool vpid;
	bool timer;               /* VMX-preemption timer */
	bool save_timer;          /* ... and exits save what is left of it */
	unsigned int timer_shift; /* one timer tick is 2^this TSC ticks */
	bool xsaves;              /* the guest may use XSAVES and XRSTORS */
	bool rdtscp, invpcid;
	bool apicv;  /* all of APIC virtualization: apicv.h; not in the words */
	bool posted; /* ... and interrupts may be posted: posted.h; likewise */
};

enum refusal {
	REFUSE_NOTHING,
	REFUSE_NO_VMX,
	REFUSE_LOCKED_OFF,
	REFUSE_NO_SECONDARY,
	REFUSE_CONTROL, /* caps_verdict.name says which */
	REFUSE_EPT_KIND,
	REFUSE_VMCS_TYPE,
	REFUSE_COUNT,
};

struct caps_verdict {
	enum refusal why;
	const char *name; /* a control's name; NULL: see why */
};

/* Its sentence; the one of REFUSE_CONTROL ends before the control's name. */
extern const char *const refusal_text[REFUSE_COUNT];

/*
 * CAP is a VMX capability MSR: a bit set in its low half must be 1, a bit clear
 * in its high half must be 0. False: something in WANT cannot be had.
 */
bool vmx_ctl_fit(u64 cap, u32 want, u32 *out);

/* Judge M. Unless the verdict is REFUSE_NOTHING, *CAPS is not to be used. */
struct caps_verdict caps_judge(const struct vmx_msrs *m, struct vmx_caps *caps);

/* The INDEX-th control that we know by name. False: there are not so many. */
struct caps_control {
	const char *name;
	bool required;  /* nothing goes without */
	bool available; /* M lets it be 1 */
};
bool caps_control(const struct vmx_msrs *m, unsigned int index,
		  struct caps_control *out);

/* What CAPS lacks: the INDEX-th sentence, NULL after the last. */
const char *caps_missing(const struct vmx_caps *caps, unsigned int index);

/*
 * BOOT was judged, and its verdict holds for every CPU. Why not for the one
 * with OTHER; NULL: it does.
 */
const char *caps_complaint(const struct vmx_msrs *boot,
			   const struct vmx_msrs *other);

/* This machine's, after vmx_init(); the same on every CPU. */
extern struct vmx_caps vmx_caps;

#endif

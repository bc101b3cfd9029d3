/* SPDX-License-Identifier: MIT */
/*
 * A guest is a table of claims. lib/main.c prints the plan, runs every claim
 * that applies, and ends through the exit port. The claims file defines
 * claims[] and claim_count and nothing else that others see.
 */
#ifndef LIB_TAP_H
#define LIB_TAP_H

#include "lib/types.h"

/* What the guest runs on: the word hosted= of its command line. */
enum policy {
	BARE,
	NM,
	WRMSR,
	EAGER,
	KVM,
	INJECT,
};

/* When a claim is made. No bit of the first group: always. */
#define ON_BARE    BIT(BARE)
#define ON_NM      BIT(NM)
#define ON_WRMSR   BIT(WRMSR)
#define ON_EAGER   BIT(EAGER)
#define ON_KVM     BIT(KVM)
#define ON_INJECT  BIT(INJECT)
#define ON_HOSTED  (ON_NM | ON_WRMSR | ON_EAGER | ON_KVM | ON_INJECT)
#define NOT_INJECT (ON_BARE | ON_NM | ON_WRMSR | ON_EAGER | ON_KVM)
#define ON_ANY     (ON_BARE | ON_HOSTED)
/* What it needs; a machine without it makes the claim a SKIP. */
#define NEEDS_AMX    BIT(8)  /* XFD and both tile components */
#define NEEDS_SMP    BIT(9)  /* a second CPU */
#define NEEDS_COUNT  BIT(10) /* hosted with calls=on */
#define NEEDS_X2APIC BIT(11)
#define NEEDS_XSAVE  BIT(12)
#define NEEDS_APIC   BIT(13)
#define NEEDS_TSC_DL BIT(14) /* the APIC timer's TSC-deadline mode */
#define NEEDS_NO_AMX BIT(15) /* neither AMX nor XFD */
#define NEEDS_CPL0   BIT(17) /* instructions of all kinds at CPL 0 */
/* Runs on a CPU that never used tiles; without fresh=, on CPU 0 in the end. */
#define FRESH BIT(16)
/*
 * Item N of what only silicon can settle (xfd.md H). The emulator's answer is
 * asserted on the emulator; an image for any machine records it.
 */
#define OPEN(n)      ((u32)(n) << 20)
#define OPEN_ITEM(w) ((w) >> 20 & 0xf)

struct claim {
	const char *text;
	bool (*holds)(void);
	u32 when;
};

extern const struct claim claims[];
extern const size_t claim_count;

/* An image made of several claims files names their tables itself. */
struct claim_table {
	const struct claim *claims;
	const size_t *count;
};

/* True: claims that are OPEN are recorded, and pass either way. */
extern bool claims_record;

/* The tables in order, and how many. Weak: claims[] alone. */
const struct claim_table *claim_tables(size_t *count);

#define CLAIMS_END const size_t claim_count = ARRAY_SIZE(claims);

/* Where a component lies in the standard format; bytes 0: not there. */
struct component {
	u32 offset, bytes;
};

/* The machine as found, and the command line as given. */
struct guest {
	enum policy policy;
	u32 vcpus;
	u32 fresh; /* vCPUs beyond those, for claims that are FRESH */
	bool has_xfd, has_amx, has_x2apic, has_apic, has_tsc_deadline;
	const char *no_cpl0, *no_xsave; /* why claims about it are skipped */
	u64 xcr0_max;                   /* CPUID.0DH.0 */
	struct component component[64];
	u64 ram_end; /* the first byte after the RAM from 1 MiB up */
	char command_line[512];
};
extern struct guest guest;

/* "nm" and so on, "bare" without hosted=. */
const char *policy_name(void);

static inline bool hosted(void)
{
	return guest.policy != BARE;
}

/* The number after WORD= on the command line, else OTHERWISE. */
u64 guest_number(const char *word, u64 otherwise);

/* True if WORD stands on the command line by itself. */
bool guest_flag(const char *word);

/* True if GOT is WANT; if not, says so in a diagnostic line. */
bool same(const char *what, u64 got, u64 want);

/* True if COND; if not, WHAT goes into a diagnostic line. */
bool is(const char *what, bool cond);

/* Ends the run: a last line, the exit port, and a halt for ever. */
_Noreturn void guest_end(bool passed);

#endif

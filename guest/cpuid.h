/* SPDX-License-Identifier: MIT */
/*
 * What a VM sees in CPUID: a table made once per VM from what the machine says,
 * an allow-list of bits, and the VM's configuration. Pure. What depends on the
 * moment (CR4, XCR0, the APIC) is named by the answer and filled in by the
 * caller.
 */
#ifndef GUEST_CPUID_H
#define GUEST_CPUID_H

#include "boot/lib/types.h"
#include "boot/lib/x86.h"

#define CPUID_HOST_MAX 160

/* What the machine says, as read. */
struct cpuid_entry {
	u32 leaf, subleaf;
	struct cpuid_regs r;
};

struct cpuid_host {
	u32 count;
	struct cpuid_entry entry[CPUID_HOST_MAX];
};

struct cpuid_config {
	u32 vcpu_count;
	bool amx;
	bool hypervisor;     /* 1:ECX[31] and the leaves from 40000000H on; */
	bool calls;          /* in which this is told */
	u64 xcr0, xss, xfd;  /* components the VM may have, legal sets */
	u32 xsave_bytes;     /* standard format, for all of xcr0 */
	bool xsaves, rdtscp; /* what VMX lets a guest execute */
	u64 tsc_hz;
};

/* What the caller still has to fill in. */
enum cpuid_fix {
	CPUID_FIXED,
	CPUID_FEATURES,  /* 1: EBX[31:24], ECX.OSXSAVE, EDX.APIC */
	CPUID_PKE,       /* 7.0: ECX.OSPKE */
	CPUID_STANDARD,  /* 0DH.0: EBX, bytes for XCR0 */
	CPUID_COMPACTED, /* 0DH.1: EBX, bytes for XCR0 | IA32_XSS */
	CPUID_TOPOLOGY,  /* 0BH, 1FH: EDX, x2APIC id */
};

#define CPUID_BASIC_COUNT    0x20
#define CPUID_EXTENDED_COUNT 9
#define CPUID_ANSWER_MAX     96

/*
 * What a guest may know of us: docs/platform.md. 40000000H: EAX the highest of
 * these leaves, EBX, ECX, EDX a signature of 12 bytes. 40000001H: EAX the
 * version of this interface, EBX bits of what the VM was given.
 */
#define CPUID_HYPERVISOR       0x40000000u
#define CPUID_HYPERVISOR_COUNT 2
#define CPUID_HYPERVISOR_RANGE 0x100u /* leaves that are nobody else's */
#define CPUID_SIGNATURE        "Tilevisor\0\0"
#define CPUID_VERSION          1
#define CPUID_GIVEN_CALLS      BIT(0) /* VMCALL reaches our calls */

struct cpuid_leaf {
	u8 first;     /* answer of sub-leaf 0 */
	u8 count;     /* 0: all sub-leaves are 0 */
	bool indexed; /* ECX selects; else it is ignored */
	u8 fix[2];    /* of sub-leaves 0 and 1 */
};

struct cpuid_table {
	u32 max_basic, max_extended;
	u32 hypervisor_count; /* leaves from 40000000H on; 0: not shown */
	struct cpuid_regs hypervisor[CPUID_HYPERVISOR_COUNT];
	u32 used;
	u32 tsc_per_tick; /* TSC ticks per tick of the APIC timer's clock */
	struct cpuid_leaf basic[CPUID_BASIC_COUNT];
	struct cpuid_leaf extended[CPUID_EXTENDED_COUNT];
	struct cpuid_regs answer[CPUID_ANSWER_MAX];
};

/* CPUID.7.0:EDX and so on show all of AMX, and XFD with it (xfd.md A.1). */
bool cpuid_has_amx(const struct cpuid_host *host);

void cpuid_build(struct cpuid_table *t, const struct cpuid_host *host,
		 const struct cpuid_config *config);

/* Read this CPU. */
void cpuid_read_host(struct cpuid_host *host);

/*
 * The answer, but for what the returned value names. A leaf above the highest
 * gives the highest basic leaf's data (SDM vol. 2, CPUID).
 */
enum cpuid_fix cpuid_find(const struct cpuid_table *t, u32 leaf, u32 subleaf,
			  struct cpuid_regs *out);

#define CPUID_1_ECX_OSXSAVE BIT(27)
#define CPUID_1_EDX_APIC    BIT(9)
#define CPUID_7_ECX_OSPKE   BIT(4)

#endif

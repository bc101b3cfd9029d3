/* SPDX-License-Identifier: MIT */
/*
 * MSRs that do not exist are #GP(0), never silence; those every 64-bit system
 * needs keep their values. SDM 4, and SDM 2 "RDMSR", "WRMSR".
 */
#include "lib/check.h"

#define MSR_TSC_AUX 0xc0000103
#define CANONICAL   0xffff800012345678ul

static const u32 unknown[] = {
	0x2,        0x3,        0x5,        0x15,       0x100,      0x5000,
	0x1fff,     0x2000,     0x40000000, 0x40000f00, 0x80000000, 0xbfffffff,
	0xc0000000, 0xc0001fff, 0xc0002000, 0xffffffff,
};

static bool unknown_fault(void)
{
	bool ok = true;
	u64 val;

	for (u32 i = 0; i < ARRAY_SIZE(unknown); i++) {
		if (!took(try_rdmsr(unknown[i], &val), TRAP_GP, 0) ||
		    !took(try_wrmsr(unknown[i], 0), TRAP_GP, 0))
			ok = same("MSR", unknown[i], 0);
	}
	return ok;
}

/* VMX capability MSRs, for a guest that is shown no VMX. */
static bool vmx_msrs(void)
{
	bool ok = true;
	u64 val;

	for (u32 msr = 0x480; msr <= 0x491; msr++)
		ok &= took(try_rdmsr(msr, &val), TRAP_GP, 0);
	return ok;
}

static bool read_back(void)
{
	static const struct {
		const char *name;
		u32 msr;
		u64 val;
	} t[] = {
		{ "IA32_SYSENTER_CS", 0x174, 0x1234 },
		{ "IA32_SYSENTER_ESP", 0x175, CANONICAL },
		{ "IA32_SYSENTER_EIP", 0x176, CANONICAL },
		{ "IA32_PAT", 0x277, 0x0007040600070406 },
		{ "IA32_STAR", 0xc0000081, 0x0023001000000000 },
		{ "IA32_LSTAR", 0xc0000082, CANONICAL },
		{ "IA32_CSTAR", 0xc0000083, CANONICAL },
		{ "IA32_FMASK", 0xc0000084, 0x47700 },
		{ "IA32_FS_BASE", MSR_FS_BASE, CANONICAL },
		{ "IA32_KERNEL_GS_BASE", 0xc0000102, CANONICAL },
		{ "IA32_TSC_AUX", MSR_TSC_AUX, 0x12345 },
	};
	bool ok = true;

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		if (t[i].msr == MSR_TSC_AUX &&
		    !(cpuid(0x80000001, 0).d & BIT(27)))
			continue;
		const u64 before = rdmsr(t[i].msr);

		wrmsr(t[i].msr, t[i].val);
		cpuid(0, 0);
		ok &= same(t[i].name, rdmsr(t[i].msr), t[i].val);
		wrmsr(t[i].msr, before);
	}
	return ok;
}

static bool non_canonical(void)
{
	static const u32 msrs[] = { 0x175,       0x176,       0xc0000082,
				    MSR_FS_BASE, MSR_GS_BASE, 0xc0000102 };
	bool ok                 = true;

	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		ok &= took(try_wrmsr(msrs[i], 0x8000000000000000), TRAP_GP, 0);
	return ok;
}

static bool pat_reserved(void)
{
	const u64 before = rdmsr(0x277);

	return took(try_wrmsr(0x277, 2), TRAP_GP, 0) &
	       took(try_wrmsr(0x277, 8), TRAP_GP, 0) &
	       same("IA32_PAT", rdmsr(0x277), before);
}

static bool tsc_moves(void)
{
	const u64 before = rdtsc();

	wrmsr(MSR_TSC, before + 1000000000);
	const bool ok = is("TSC jumped", rdtsc() - before >= 1000000000) &
			is("not far", rdtsc() - before < 2000000000);

	wrmsr(MSR_TSC, before);
	return ok;
}

const struct claim claims[] = {
	{ "unknown MSRs are #GP(0)", unknown_fault, 0 },
	{ "MSRs of a 64-bit system keep their values", read_back, 0 },
	{ "non-canonical bases are #GP(0)", non_canonical, 0 },
	{ "reserved types in IA32_PAT are #GP(0)", pat_reserved, 0 },
	{ "IA32_TIME_STAMP_COUNTER can be written", tsc_moves, 0 },
	{ "the VMX capability MSRs are #GP(0)", vmx_msrs, ON_HOSTED },
};
CLAIMS_END

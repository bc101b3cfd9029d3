/* SPDX-License-Identifier: MIT */
/*
 * CPUID agrees with itself and with what the machine then does: xfd.md A.1,
 * D.3, F.43, F.74. Nothing here names a processor.
 */
#include "lib/check.h"
#include "lib/smp.h"

#define POLLS    2000
#define AMX_BITS (BIT(22) | BIT(24) | BIT(25))

static const u8 components[] = { 2, 5, 6, 7, 9, 17, 18 };

static u32 standard_size(u64 xcr0)
{
	u32 end = 576;

	for (u32 i = 2; i < 63; i++) {
		const struct component c = guest.component[i];

		if ((xcr0 & BIT(i)) && c.offset + c.bytes > end)
			end = c.offset + c.bytes;
	}
	return end;
}

static u32 compacted_size(u64 mask)
{
	u32 end = 576;

	for (u32 i = 2; i < 63; i++) {
		if (!(mask & BIT(i)))
			continue;
		if (cpuid(0xd, i).c & 2)
			end = (end + 63) & ~63u;
		end += guest.component[i].bytes;
	}
	return end;
}

/* All legal XCR0 of the known components. */
static bool sizes_follow_xcr0(void)
{
	const bool packs = cpuid(0xd, 1).a & (BIT(1) | BIT(3));
	bool ok          = true;

	xstate_start();
	for (u32 n = 0; n < 1u << ARRAY_SIZE(components); n++) {
		u64 xcr0 = XCR0_X87 | XCR0_SSE;

		for (u32 i = 0; i < ARRAY_SIZE(components); i++)
			xcr0 |= n & 1u << i ? BIT(components[i]) : 0;
		if (try_xsetbv(0, xcr0).vector != TRAP_NONE)
			continue;
		ok &= same("0DH.0:EBX", cpuid(0xd, 0).b, standard_size(xcr0)) &
		      same("0DH.1:EBX", cpuid(0xd, 1).b,
			   packs ? compacted_size(xcr0) : 0);
	}
	xstate_start();
	return ok && same("0DH.0:ECX", cpuid(0xd, 0).c,
			  standard_size(guest.xcr0_max));
}

static bool components_do_not_overlap(void)
{
	bool ok = true;

	for (u32 i = 2; i < 63; i++) {
		const struct component a = guest.component[i];

		if (!(guest.xcr0_max & BIT(i)))
			continue;
		ok &= is("offset behind the header", a.offset >= 576) &
		      is("a size", a.bytes != 0) &
		      same("user component", cpuid(0xd, i).c & 1, 0);
		for (u32 k = i + 1; k < 63; k++) {
			const struct component b = guest.component[k];

			if (guest.xcr0_max & BIT(k))
				ok &= is("no overlap",
					 a.offset + a.bytes <= b.offset ||
						 b.offset + b.bytes <=
							 a.offset);
		}
	}
	return ok;
}

static bool absent_components(void)
{
	const struct cpuid one = cpuid(0xd, 1);
	const u64 known        = guest.xcr0_max | (u64)one.d << 32 | one.c;
	bool ok                = true;

	for (u32 i = 2; i < 64; i++) {
		const struct cpuid c = cpuid(0xd, i);

		if (!(known & BIT(i)))
			ok &= same("EAX, EBX, ECX, EDX", c.a | c.b | c.c | c.d,
				   0);
	}
	return ok;
}

/* A bit of IA32_XSS may be set if and only if CPUID says so. */
static bool xss(void)
{
	const struct cpuid one = cpuid(0xd, 1);
	const u64 legal        = (u64)one.d << 32 | one.c;
	bool ok                = true;

	xstate_start();
	if (!(one.a & BIT(3)))
		return true;
	for (u32 i = 0; i < 64; i++) {
		const struct trap t = try_wrmsr(MSR_XSS, BIT(i));

		ok &= same("vector", t.vector,
			   legal & BIT(i) ? TRAP_NONE : TRAP_GP);
		if (t.vector == TRAP_NONE)
			ok &= same("0DH.1:EBX", cpuid(0xd, 1).b,
				   compacted_size(xgetbv(0) | BIT(i)));
		wrmsr(MSR_XSS, 0);
	}
	return ok;
}

/* The tiles, their features, leaves and XFD: all there or none. */
static bool amx_is_whole(void)
{
	const struct cpuid seven = cpuid(7, 0);
	const u64 want           = guest.has_amx ? AMX_BITS : 0;
	const u32 max            = cpuid(0, 0).a;
	const u32 palettes       = max >= 0x1d ? cpuid(0x1d, 0).a : 0;

	return same("7.0:EDX", seven.d & AMX_BITS, want) &
	       same("XCR0[18:17]", guest.xcr0_max & XCR0_TILES,
		    guest.has_amx ? XCR0_TILES : 0) &
	       same("0DH.12H:ECX[2]", cpuid(0xd, 18).c >> 2 & 1,
		    guest.has_amx && guest.has_xfd) &
	       same("palettes", palettes, guest.has_amx) &
	       same("1EH.0:EBX is there", max >= 0x1e && cpuid(0x1e, 0).b != 0,
		    guest.has_amx);
}

static bool osxsave(void)
{
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	const u32 off = cpuid(1, 0).c >> 27 & 1;

	write_cr4(read_cr4() | CR4_OSXSAVE);
	return same("without", off, 0) &
	       same("with", cpuid(1, 0).c >> 27 & 1, 1);
}

enum reg {
	EAX,
	EBX,
	ECX,
	EDX
};

/* What a VM is not given: its bit, the first and last of its MSRs if it has
 * any, its bit of CR4 (SDM vol. 2, CPUID; vol. 4). */
static const struct absent {
	const char *name;
	u32 leaf, sub;
	enum reg reg;
	u32 bit;
	u32 msr_first, msr_last;
	u64 cr4;
} absent[] = {
	{ "MONITOR", 1, 0, ECX, 3, 0, 0, 0 },
	{ "VMX", 1, 0, ECX, 5, 0x480, 0x491, BIT(13) },
	{ "SMX", 1, 0, ECX, 6, 0, 0, BIT(14) },
	{ "EIST", 1, 0, ECX, 7, 0x198, 0x199, 0 },
	{ "PDCM", 1, 0, ECX, 15, 0x345, 0x345, 0 },
	{ "perfmon", 0xa, 0, EAX, 0, 0x186, 0x189, 0 },
	{ "its counters", 0xa, 0, EAX, 0, 0xc1, 0xc8, 0 },
	{ "its control", 0xa, 0, EAX, 0, 0x38d, 0x390, 0 },
	{ "HWP", 6, 0, EAX, 7, 0x770, 0x774, 0 },
	{ "SGX", 7, 0, EBX, 2, 0x8c, 0x8f, 0 },
	{ "RDT-M", 7, 0, EBX, 12, 0xc8d, 0xc8f, 0 },
	{ "RDT-A", 7, 0, EBX, 15, 0xc90, 0xc9f, 0 },
	{ "PT", 7, 0, EBX, 25, 0x570, 0x572, 0 },
	{ "WAITPKG", 7, 0, ECX, 5, 0xe1, 0xe1, 0 },
	{ "CET_SS", 7, 0, ECX, 7, 0x6a0, 0x6a8, BIT(23) },
	{ "TME", 7, 0, ECX, 13, 0x981, 0x984, 0 },
	{ "LA57", 7, 0, ECX, 16, 0, 0, BIT(12) },
	{ "KL", 7, 0, ECX, 23, 0xd90, 0xd91, BIT(19) },
	{ "ENQCMD", 7, 0, ECX, 29, 0xd93, 0xd93, 0 },
	{ "PKS", 7, 0, ECX, 31, 0x6e1, 0x6e1, BIT(24) },
	{ "UINTR", 7, 0, EDX, 5, 0x985, 0x98a, BIT(25) },
	{ "PCONFIG", 7, 0, EDX, 18, 0, 0, 0 },
	{ "ARCH_LBR", 7, 0, EDX, 19, 0x14ce, 0x14cf, 0 },
	{ "CET_IBT", 7, 0, EDX, 20, 0, 0, BIT(23) },
	{ "SPEC_CTRL", 7, 0, EDX, 26, 0x48, 0x49, 0 },
	{ "L1D_FLUSH", 7, 0, EDX, 28, 0x10b, 0x10b, 0 },
	{ "ARCH_CAPABILITIES", 7, 0, EDX, 29, 0x10a, 0x10a, 0 },
	{ "CORE_CAPABILITIES", 7, 0, EDX, 30, 0xcf, 0xcf, 0 },
	{ "FRED", 7, 1, EAX, 17, 0x1cc, 0x1d4, BIT(32) },
	{ "LAM", 7, 1, EAX, 26, 0, 0, BIT(28) },
};

static bool is_absent(const struct absent *a)
{
	const struct cpuid c = cpuid(a->leaf, a->sub);
	const u32 words[]    = { c.a, c.b, c.c, c.d };
	bool ok              = same("its bit", words[a->reg] >> a->bit & 1, 0);
	u64 val;

	for (u32 msr = a->msr_first; msr && msr <= a->msr_last; msr++) {
		ok &= took(try_rdmsr(msr, &val), TRAP_GP, 0) &
		      took(try_wrmsr(msr, 0), TRAP_GP, 0);
	}
	if (a->cr4)
		ok &= took(try_write_cr4(read_cr4() | a->cr4), TRAP_GP, 0);
	return ok;
}

static bool absent_features(void)
{
	bool ok = true;

	for (u32 i = 0; i < ARRAY_SIZE(absent); i++)
		ok &= is(absent[i].name, is_absent(&absent[i]));
	return ok;
}

/* docs/platform.md */
static bool hypervisor(void)
{
	const struct cpuid ours = cpuid(0x40000000, 0);
	const u32 name[]        = { ours.b, ours.c, ours.d };
	const bool shown        = !guest_flag("alone");
	const struct cpuid top  = cpuid(cpuid(0, 0).a, 0);

	if (!shown)
		return same("1:ECX[31]", cpuid(1, 0).c >> 31, 0) &
		       same("40000000H as the highest leaf", ours.a, top.a);
	return same("1:ECX[31]", cpuid(1, 0).c >> 31, 1) &
	       same("the last leaf", ours.a, 0x40000001) &
	       is("the signature", !memcmp(name, "Tilevisor\0\0", 12)) &
	       same("the version", cpuid(0x40000001, 0).a, 1) &
	       same("calls=on", cpuid(0x40000001, 0).b, 1);
}

static bool topology(void)
{
	const u32 index = this_cpu()->index;
	const u32 max   = cpuid(0, 0).a;
	bool ok         = same("1:EBX[31:24]", cpuid(1, 0).b >> 24, index);

	if (max >= 0xb && cpuid(0xb, 0).b)
		ok &= same("0BH.0:EDX", cpuid(0xb, 0).d, index) &
		      same("0BH.1:EDX", cpuid(0xb, 1).d, index);
	return ok;
}

static bool all_topology(void)
{
	return smp_run_all(topology);
}

/* The leaf of TILEDATA never changes, whoever grows meanwhile. */
static bool polls(void)
{
	const struct cpuid first = cpuid(0xd, 18);
	u32 changes              = 0;

	tiles_start();
	for (u32 i = 0; i < POLLS; i++) {
		const struct cpuid c = cpuid(0xd, 18);

		changes += memcmp(&c, &first, sizeof(c)) != 0;
		if (i == POLLS / 2)
			tileload0(tile_source());
	}
	return same("changes", changes, 0);
}

static bool f74(void)
{
	return smp_run_all(polls);
}

const struct claim claims[] = {
	{ "D.3 #3 sizes follow XCR0, for every legal value", sizes_follow_xcr0,
	  NEEDS_XSAVE },
	{ "components lie behind each other", components_do_not_overlap, 0 },
	{ "absent components are all zero", absent_components, 0 },
	{ "IA32_XSS takes what CPUID names, and sizes follow", xss,
	  NEEDS_XSAVE },
	{ "D.3 #6 AMX and XFD are there as one, or not at all", amx_is_whole,
	  0 },
	{ "CPUID.1:ECX.OSXSAVE follows CR4", osxsave, NEEDS_XSAVE },
	{ "every CPU has its id in leaves 1 and 0BH", all_topology, 0 },
	{ "F.74 leaf 0DH.12H is constant during growth", f74,
	  NEEDS_AMX | NOT_INJECT },
	{ "what a guest is not given: no bit, no MSR, no bit of CR4",
	  absent_features, ON_HOSTED },
	{ "leaf 40000000H says who is there, if at all", hypervisor,
	  ON_HOSTED },
};
CLAIMS_END

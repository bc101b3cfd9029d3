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

static bool no_vmx(void)
{
	return same("CPUID.1:ECX.VMX", cpuid(1, 0).c >> 5 & 1, 0) &
	       same("CPUID.1:ECX.SMX", cpuid(1, 0).c >> 6 & 1, 0);
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
	  0 },
	{ "components lie behind each other", components_do_not_overlap, 0 },
	{ "absent components are all zero", absent_components, 0 },
	{ "IA32_XSS takes what CPUID names, and sizes follow", xss, 0 },
	{ "D.3 #6 AMX and XFD are there as one, or not at all", amx_is_whole,
	  0 },
	{ "CPUID.1:ECX.OSXSAVE follows CR4", osxsave, 0 },
	{ "every CPU has its id in leaves 1 and 0BH", all_topology, 0 },
	{ "F.74 leaf 0DH.12H is constant during growth", f74,
	  NEEDS_AMX | NOT_INJECT },
	{ "a guest sees neither VMX nor SMX", no_vmx, ON_HOSTED },
};
CLAIMS_END

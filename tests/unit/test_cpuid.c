/* SPDX-License-Identifier: MIT */
/* links: guest/cpuid.c */
/*
 * What guests see in CPUID: allow-lists, AMX whole or not at all, topology, and
 * the leaves that nobody has.
 */
#include "guest/cpuid.h"

#include <string.h>

#include "fpu/xstate.h"
#include "tests/unit/cpuid_0d.h"
#include "tests/unit/tap.h"

#define AVX512_SET                                                             \
	(XSTATE_X87 | XSTATE_SSE | XSTATE_AVX | XSTATE_AVX512 | XSTATE_PKRU)

static struct cpuid_host host;
static struct cpuid_table t;

static void say(u32 leaf, u32 subleaf, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	host.entry[host.count++] =
		(struct cpuid_entry){ leaf, subleaf, { eax, ebx, ecx, edx } };
}

/* A Sapphire Rapids that sets every feature bit that exists, and more. */
static void fill_host(void)
{
	host.count = 0;
	say(0, 0, 0x20, 0x756e6547, 0x6c65746e, 0x49656e69);
	say(1, 0, 0x806f8, 0x07400800, ~0u, ~0u);
	say(4, 0, 0x7c004121, 0x02c0003f, 0x3f, 0);
	say(4, 1, 0x7c004122, 0x01c0003f, 0x3f, 0);
	say(4, 2, 0x7c004143, 0x03c0003f, 0x7ff, 0);
	say(4, 3, 0x7c1fc163, 0x03c0003f, 0xffff, 4);
	say(5, 0, 0x40, 0x40, 3, 0x1020);
	say(6, 0, ~0u, ~0u, ~0u, ~0u);
	say(7, 0, 2, ~0u, ~0u, ~0u);
	say(7, 1, ~0u, ~0u, ~0u, ~0u);
	say(0xa, 0, 0x7300805, 0, 7, 0x604);
	for (u32 i = 0; i < XSTATE_COUNT; i++)
		say(0xd, i, cpuid_sapphire_rapids.sub[i].eax,
		    cpuid_sapphire_rapids.sub[i].ebx,
		    cpuid_sapphire_rapids.sub[i].ecx,
		    cpuid_sapphire_rapids.sub[i].edx);
	say(0x14, 0, 1, ~0u, ~0u, 0);
	say(0x15, 0, 2, 176, 25000000, 0);
	say(0x16, 0, 2200, 3500, 100, 0);
	say(0x1d, 0, 1, 0, 0, 0);
	say(0x1d, 1, 0x04002000, 0x00080040, 16, 0);
	say(0x1e, 0, 1, 0x4010, 0, 0);
	say(0x1e, 1, ~0u, 0, 0, 0);
	say(0x80000000, 0, 0x80000008, 0, 0, 0);
	say(0x80000001, 0, 0, 0, ~0u, ~0u);
	say(0x80000002, 0, 1, 2, 3, 4);
	say(0x80000007, 0, ~0u, ~0u, ~0u, ~0u);
	say(0x80000008, 0, 0x3934, ~0u, ~0u, ~0u);
}

static struct cpuid_config config(bool amx, u32 vcpus)
{
	const u64 tiles = amx ? XSTATE_AMX : 0;

	return (struct cpuid_config){
		.vcpu_count  = vcpus,
		.amx         = amx,
		.xcr0        = AVX512_SET | tiles,
		.xfd         = amx ? XSTATE_TILEDATA : 0,
		.xsave_bytes = amx ? 0x2b00 : 0xa88,
		.xsaves      = true,
		.rdtscp      = true,
		.tsc_hz      = 2200000000,
	};
}

static void build(bool amx, u32 vcpus)
{
	const struct cpuid_config c = config(amx, vcpus);

	cpuid_build(&t, &host, &c);
}

static struct cpuid_regs get(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	cpuid_find(&t, leaf, subleaf, &r);
	return r;
}

static u32 word(struct cpuid_regs r, char reg)
{
	return reg == 'a'   ? r.eax
	       : reg == 'b' ? r.ebx
	       : reg == 'c' ? r.ecx
			    : r.edx;
}

/* clang-format off */
static const struct {
	const char *name;
	u32 leaf, subleaf;
	char reg;
	unsigned int bit;
} hidden[] = {
	{ "MONITOR", 1, 0, 'c', 3 },      { "VMX", 1, 0, 'c', 5 },
	{ "SMX", 1, 0, 'c', 6 },          { "PDCM", 1, 0, 'c', 15 },
	{ "PCID", 1, 0, 'c', 17 },        { "OSXSAVE", 1, 0, 'c', 27 },
	{ "a hypervisor", 1, 0, 'c', 31 }, { "DS", 1, 0, 'd', 21 },
	{ "ACPI throttling", 1, 0, 'd', 22 },
	{ "SGX", 7, 0, 'b', 2 },          { "HLE", 7, 0, 'b', 4 },
	{ "INVPCID", 7, 0, 'b', 10 },     { "RTM", 7, 0, 'b', 11 },
	{ "MPX", 7, 0, 'b', 14 },         { "PT", 7, 0, 'b', 25 },
	{ "OSPKE", 7, 0, 'c', 4 },        { "WAITPKG", 7, 0, 'c', 5 },
	{ "CET_SS", 7, 0, 'c', 7 },       { "TME", 7, 0, 'c', 13 },
	{ "LA57", 7, 0, 'c', 16 },        { "KL", 7, 0, 'c', 23 },
	{ "ENQCMD", 7, 0, 'c', 29 },      { "PKS", 7, 0, 'c', 31 },
	{ "UINTR", 7, 0, 'd', 5 },        { "PCONFIG", 7, 0, 'd', 18 },
	{ "ARCH_LBR", 7, 0, 'd', 19 },    { "CET_IBT", 7, 0, 'd', 20 },
	{ "SPEC_CTRL", 7, 0, 'd', 26 },   { "ARCH_CAPABILITIES", 7, 0, 'd', 29 },
	{ "LAM", 7, 1, 'a', 26 },         { "FRED", 7, 1, 'a', 17 },
	{ "HWP", 6, 0, 'a', 7 },          { "APERF", 6, 0, 'c', 0 },
	{ "APX", 7, 1, 'd', 21 },
};

static const struct {
	const char *name;
	u32 leaf, subleaf;
	char reg;
	unsigned int bit;
} shown[] = {
	{ "X2APIC", 1, 0, 'c', 21 },      { "TSC_DEADLINE", 1, 0, 'c', 24 },
	{ "XSAVE", 1, 0, 'c', 26 },       { "AVX", 1, 0, 'c', 28 },
	{ "MTRR", 1, 0, 'd', 12 },        { "FSGSBASE", 7, 0, 'b', 0 },
	{ "SMEP", 7, 0, 'b', 7 },         { "ERMS", 7, 0, 'b', 9 },
	{ "AVX512F", 7, 0, 'b', 16 },     { "SMAP", 7, 0, 'b', 20 },
	{ "UMIP", 7, 0, 'c', 2 },         { "PKU", 7, 0, 'c', 3 },
	{ "RDPID", 7, 0, 'c', 22 },       { "FSRM", 7, 0, 'd', 4 },
	{ "AVX512_BF16", 7, 1, 'a', 5 },  { "ARAT", 6, 0, 'a', 2 },
	{ "XSAVES", 0xd, 1, 'a', 3 },     { "LM", 0x80000001, 0, 'd', 29 },
	{ "RDTSCP", 0x80000001, 0, 'd', 27 },
	{ "invariant TSC", 0x80000007, 0, 'd', 8 },
};

/* xfd.md A.1: all of these, or none. */
static const struct {
	const char *name;
	u32 leaf, subleaf;
	char reg;
	u32 mask, value;
} amx[] = {
	{ "AMX-BF16, TILE, INT8", 7, 0, 'd', 0x3400000 & 0x03400000,
	  0x03400000 },
	{ "AMX-FP16", 7, 1, 'a', 1 << 21, 1 << 21 },
	{ "AMX-COMPLEX", 7, 1, 'd', 1 << 8, 1 << 8 },
	{ "XCR0[18:17]", 0xd, 0, 'a', 0x60000, 0x60000 },
	{ "XFD", 0xd, 1, 'a', 1 << 4, 1 << 4 },
	{ "TILECFG's size", 0xd, 17, 'a', ~0u, 0x40 },
	{ "TILEDATA's size", 0xd, 18, 'a', ~0u, 0x2000 },
	{ "TILEDATA's offset", 0xd, 18, 'b', ~0u, 0xb00 },
	{ "TILEDATA's XFD bit", 0xd, 18, 'c', 4, 4 },
	{ "the size of everything", 0xd, 0, 'c', ~0u, 0x2b00 },
	{ "the palette count", 0x1d, 0, 'a', ~0u, 1 },
	{ "palette 1", 0x1d, 1, 'a', ~0u, 0x04002000 },
	{ "TMUL", 0x1e, 0, 'b', ~0u, 0x4010 },
	{ "TMUL's features", 0x1e, 1, 'a', ~0u, 0xf },
};
/* clang-format on */

static void test_bits(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		tap_ok(!(word(get(hidden[i].leaf, hidden[i].subleaf),
			      hidden[i].reg) &
			 BIT(hidden[i].bit)),
		       "%s is not shown", hidden[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		tap_ok(word(get(shown[i].leaf, shown[i].subleaf),
			    shown[i].reg) &
			       BIT(shown[i].bit),
		       "%s is shown", shown[i].name);
	tap_is(get(5, 0).eax | get(0xa, 0).eax | get(0x14, 0).eax, 0,
	       "MONITOR, perfmon and PT leaves are empty");
}

static void test_amx(void)
{
	tap_ok(cpuid_has_amx(&host), "the machine has all of AMX");
	for (size_t i = 0; i < ARRAY_SIZE(amx); i++)
		tap_is(word(get(amx[i].leaf, amx[i].subleaf), amx[i].reg) &
			       amx[i].mask,
		       amx[i].value, "amx=on: %s", amx[i].name);
	build(false, 1);
	for (size_t i = 0; i < ARRAY_SIZE(amx); i++) {
		const bool size = amx[i].leaf == 0xd && amx[i].subleaf == 0 &&
				  amx[i].reg == 'c';

		tap_is(word(get(amx[i].leaf, amx[i].subleaf), amx[i].reg) &
			       amx[i].mask,
		       size ? 0xa88 : 0, "amx=off: %s", amx[i].name);
	}
	/* Take XFD away from the machine: xfd.md A.1, hardware pitfall 1. */
	for (u32 i = 0; i < host.count; i++)
		if (host.entry[i].leaf == 0xd && host.entry[i].subleaf == 1)
			host.entry[i].r.eax = UP_TO_XSAVES;
	tap_ok(!cpuid_has_amx(&host), "AMX without XFD is no AMX");
	fill_host();
}

static void test_fixes(void)
{
	struct cpuid_regs r;

	build(true, 2);
	tap_is(cpuid_find(&t, 1, 0, &r), CPUID_FEATURES, "leaf 1 follows CR4");
	tap_is(cpuid_find(&t, 7, 0, &r), CPUID_PKE, "leaf 7 follows CR4");
	tap_is(cpuid_find(&t, 7, 1, &r), CPUID_FIXED,
	       "its sub-leaf 1 does not");
	tap_is(cpuid_find(&t, 0xd, 0, &r), CPUID_STANDARD,
	       "0DH.0 follows XCR0");
	tap_is(cpuid_find(&t, 0xd, 1, &r), CPUID_COMPACTED,
	       "0DH.1 follows XCR0 and XSS");
	tap_is(cpuid_find(&t, 0xd, 2, &r), CPUID_FIXED,
	       "0DH.2 follows nothing");
	tap_is(cpuid_find(&t, 0xb, 7, &r), CPUID_TOPOLOGY,
	       "every sub-leaf of 0BH gives the x2APIC id");
	tap_is(r.ecx, 7, "with its own number, and level type 0");
	tap_is(r.eax | r.ebx, 0, "and nothing else");
}

static void test_shape(void)
{
	tap_is(get(0, 0).eax, 0x1f, "the highest leaf we know");
	tap_is(get(0x20, 0).eax, get(0x1f, 0).eax,
	       "a leaf above it is the highest one's data");
	tap_is(get(0x40000000, 1).ebx, get(0x1f, 1).ebx,
	       "also, if hidden, where hypervisors speak of themselves");
	tap_is(get(0x80000009, 0).ebx, get(0x1f, 0).ebx,
	       "and above the extended ones");
	tap_is(get(0x80000000, 0).eax, 0x80000008, "the highest extended one");
	tap_is(get(1, 99).eax, get(1, 0).eax, "leaf 1 has no sub-leaves");
	tap_is(get(7, 0).eax, 1, "leaf 7 has two");
	tap_is(get(7, 2).eax, 0, "and the third is empty");
	tap_is(get(0xd, 8).eax, 0, "0DH.8: a component we do not offer");
	tap_is(get(0xd, 19).eax | get(0xd, 62).eax, 0, "nor any later one");
	tap_is(get(0x80000008, 0).eax, 48 << 8 | 48,
	       "addresses end where EPT ends, and LA57 is not shown");
	tap_is(get(0x80000002, 0).edx, 4, "the brand string passes");
}

static void test_hypervisor(void)
{
	struct cpuid_config c = config(true, 1);
	char signature[12];

	tap_is(get(1, 0).ecx >> 31, 0, "off: no hypervisor bit");
	c.hypervisor = true;
	cpuid_build(&t, &host, &c);
	tap_is(get(1, 0).ecx >> 31, 1, "on: the hypervisor bit");
	tap_is(get(0x40000000, 7).eax, 0x40000001, "two leaves");
	const struct cpuid_regs r = get(0x40000000, 0);

	memcpy(signature, &r.ebx, 4);
	memcpy(signature + 4, &r.ecx, 4);
	memcpy(signature + 8, &r.edx, 4);
	tap_ok(!memcmp(signature, "Tilevisor\0\0", 12), "the signature");
	tap_is(get(0x40000001, 0).eax, 1, "the version of the interface");
	tap_is(get(0x40000001, 0).ebx, 0, "no calls");
	tap_is(get(0x40000002, 0).eax | get(0x400000ff, 0).eax, 0,
	       "the rest of the range is empty");
	tap_is(get(0x40000100, 0).ebx, get(0x1f, 0).ebx,
	       "and behind it is the highest leaf's data again");
	c.calls = true;
	cpuid_build(&t, &host, &c);
	tap_is(get(0x40000001, 0).ebx, 1, "calls=on is told");
	build(true, 1);
}

static void test_topology(void)
{
	build(true, 1);
	tap_is(get(1, 0).edx >> 28 & 1, 0, "one vCPU: no HTT");
	tap_is(get(0xb, 1).eax, 0, "and no id bits");
	build(true, 3);
	tap_is(get(1, 0).edx >> 28 & 1, 1, "three: HTT");
	tap_is(get(1, 0).ebx >> 16 & 0xff, 4, "room for four ids");
	tap_is(get(0xb, 0).ebx, 1, "a thread per core");
	tap_is(get(0xb, 1).eax, 2, "two id bits of cores");
	tap_is(get(0xb, 1).ebx, 3, "three of them");
	tap_is(get(0x1f, 1).ebx, 3, "1FH says the same");
	tap_is(get(4, 0).eax >> 14, 3 << 12, "L1 is a core's own");
	tap_is(get(4, 3).eax >> 14, 3 << 12 | 3, "L3 is everybody's");
	tap_is(get(4, 4).eax, 0, "there is no fifth cache");
}

static void test_tsc(void)
{
	build(true, 1);
	tap_is(t.tsc_per_tick, 88, "2.2 GHz by a 25 MHz crystal");
	tap_is(get(0x15, 0).ecx, 25000000, "passes as it is");
	for (u32 i = 0; i < host.count; i++)
		if (host.entry[i].leaf == 0x15)
			host.entry[i].r.ecx = 0;
	build(true, 1);
	tap_is((u64)get(0x15, 0).ecx * get(0x15, 0).ebx / get(0x15, 0).eax,
	       2200000000, "a machine that does not tell: one is made up");
	tap_is(t.tsc_per_tick, get(0x15, 0).ebx, "and the timer follows it");
	fill_host();
	host.entry[0].r.eax = 0xb;
	build(false, 1);
	tap_is(get(0, 0).eax, 0x16, "an old machine's guests have it as well");
	for (u32 i = 0; i < host.count; i++)
		if (host.entry[i].leaf == 0x16)
			host.entry[i].r.eax = 0;
	build(false, 1);
	tap_is(get(0x16, 0).eax, 2200, "and its frequency in MHz");
	fill_host();
}

/* The machine's answer, to be changed; fill_host() undoes it. */
static struct cpuid_regs *answer(u32 leaf, u32 subleaf)
{
	for (u32 i = 0; i < host.count; i++)
		if (host.entry[i].leaf == leaf &&
		    host.entry[i].subleaf == subleaf)
			return &host.entry[i].r;
	return NULL;
}

/* AMX is whole or none: xfd.md A.1. */
static void test_part_of_amx(void)
{
	static const struct {
		const char *name;
		u32 leaf, subleaf;
		size_t reg;
		u32 value;
	} part[] = {
		{ "AMX_TILE", 7, 0, offsetof(struct cpuid_regs, edx), 0 },
		{ "TILEDATA in XCR0", 0xd, 0, offsetof(struct cpuid_regs, eax),
		  0x202e7 },
		{ "TILECFG in XCR0", 0xd, 0, offsetof(struct cpuid_regs, eax),
		  0x402e7 },
		{ "XFD", 0xd, 1, offsetof(struct cpuid_regs, eax),
		  UP_TO_XSAVES },
		{ "XFD for TILEDATA", 0xd, 18, offsetof(struct cpuid_regs, ecx),
		  2 },
		{ "a palette", 0x1d, 0, offsetof(struct cpuid_regs, eax), 0 },
		{ "palette 1's data", 0x1d, 1, offsetof(struct cpuid_regs, eax),
		  0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		u8 *const r = (u8 *)answer(part[i].leaf, part[i].subleaf);

		*(u32 *)(r + part[i].reg) = part[i].value;
		tap_ok(!cpuid_has_amx(&host), "no AMX without %s",
		       part[i].name);
		fill_host();
	}
	tap_ok(cpuid_has_amx(&host), "with all of them there is");
}

/* What the machine's VMX cannot let a guest have. */
static void test_without(void)
{
	struct cpuid_config c = config(true, 1);

	c.xsaves = c.rdtscp = false;
	cpuid_build(&t, &host, &c);
	tap_is(get(0xd, 1).eax & 0x1f, 0x17, "no XSAVES, the rest stays");
	tap_ok(!(get(7, 0).ecx & BIT(22)), "no RDPID");
	tap_ok(!(get(0x80000001, 0).edx & BIT(27)), "no RDTSCP");
	c.xcr0 = 0;
	cpuid_build(&t, &host, &c);
	tap_is(get(0xd, 0).eax | get(0xd, 0).ecx | get(0xd, 1).eax |
		       get(0xd, 2).eax,
	       0, "a guest without XCR0 has no leaf 0DH");
}

/* Ratios from which no whole number of ticks comes: one is made up. */
static void test_odd_tsc(void)
{
	answer(0x15, 0)->eax = 3;
	build(true, 1);
	tap_is(get(0x15, 0).eax, 1, "176/3 is no whole number");
	tap_is((u64)get(0x15, 0).ecx * get(0x15, 0).ebx, 2200000000,
	       "what is made up gives the TSC's rate");
	answer(0x15, 0)->eax = 0;
	build(true, 1);
	tap_is(get(0x15, 0).eax, 1, "nor is a ratio by 0");
	fill_host();
	build(true, 1);
}

int main(void)
{
	fill_host();
	build(true, 1);
	test_bits();
	test_shape();
	test_hypervisor();
	test_amx();
	test_fixes();
	test_topology();
	test_tsc();
	test_part_of_amx();
	test_without();
	test_odd_tsc();
	return tap_done();
}

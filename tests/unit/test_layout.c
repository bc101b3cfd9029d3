/* SPDX-License-Identifier: MIT */
/* links: fpu/layout.c */
/*
 * Sizes and offsets for any set of components. What the sizes must be is taken
 * from recorded machines; nothing here knows a size that CPUID did not give.
 */
#include "fpu/layout.h"

#include "tests/unit/cpuid_0d.h"
#include "tests/unit/tap.h"

#define SMALL_SET 0x202e7ULL /* 0-2, 5-7, 9, 17 */
#define BIG_SET   0x602e7ULL /* and 18 */

static struct xstate_layout layout_of(const struct cpuid_0d *c)
{
	struct xstate_layout l;
	unsigned int wrong;

	tap_ok(layout_read(&l, c, &wrong), "the table is accepted");
	return l;
}

static void sapphire_rapids(void)
{
	const struct xstate_layout l = layout_of(&cpuid_sapphire_rapids);

	tap_is(l.user, BIG_SET, "A.1.3: user components");
	tap_is(l.supervisor, 0xdd00, "A.1.3: supervisor components");
	tap_is(l.xfd, XSTATE_TILEDATA, "A.1.3: only TILEDATA obeys XFD");
	tap_is(l.aligned, XSTATE_AMX, "A.1.3: 17 and 18 are aligned");
	tap_ok(l.has_xfd && l.xsaves && l.xgetbv1 && l.xsavec && l.xsaveopt,
	       "A.1.1: features from 0D.1:EAX");
	tap_is(layout_size(&l, SMALL_SET, true), 2560, "A.1.5: small area");
	tap_is(layout_size(&l, BIG_SET, true), 10752, "A.1.5: big area");
	tap_is(layout_size(&l, SMALL_SET | CET_SUPERVISOR, true), 2560,
	       "CET's 40 bytes fit before TILECFG's boundary");
	tap_is(layout_size(&l, SMALL_SET, false), 2816,
	       "A.1.5: standard, small");
	tap_is(layout_size(&l, BIG_SET, false), 11008, "A.1.5: standard, big");
	tap_is(layout_size(&l, BIG_SET | CET_SUPERVISOR, false), 11008,
	       "supervisor components have no place in the standard format");
	tap_is(layout_size(&l, XSTATE_X87, true), 576, "legacy and header");
	tap_is(layout_size(&l, 0, false), 576, "never less than both");
	tap_is(layout_size(&l, 0x7, false), 832, "AVX ends at 832");
	tap_is(layout_offset(&l, BIG_SET, 9, true), 2432, "A.1.5: PKRU");
	tap_is(layout_offset(&l, BIG_SET, 17, true), 2496, "A.1.5: TILECFG");
	tap_is(layout_offset(&l, BIG_SET, 18, true), 2560,
	       "TILEDATA, compacted");
	tap_is(layout_offset(&l, BIG_SET, 18, false), 2816, "E.13: TILEDATA");
	tap_is(layout_offset(&l, XSTATE_TILEDATA, 18, true), 576,
	       "alone in the mask it follows the header");
	tap_is(layout_offset(&l, BIG_SET, 1, true), 160, "XMM never moves");
	tap_is(layout_moved(&l, 0), 64, "nothing in use: the header moves");
	tap_is(layout_moved(&l, XSTATE_X87 | XSTATE_SSE), 64 + 160 + 256,
	       "x87 and SSE in use");
	tap_is(layout_moved(&l, XSTATE_AMX), 64 + 64 + 8192, "tiles in use");
}

static void component_19(void)
{
	const struct cpuid_0d c      = cpuid_with_apx();
	const struct xstate_layout l = layout_of(&c);
	const u64 small = SMALL_SET | XSTATE_APX, big = BIG_SET | XSTATE_APX;

	tap_is(layout_offset(&l, small, 19, true), 2560,
	       "A.1.5: APX follows TILECFG in a small area");
	tap_is(layout_offset(&l, big, 19, true), 10752,
	       "A.1.5: and moves behind TILEDATA in a big one");
	tap_is(layout_offset(&l, small, 19, false), 960,
	       "standard: MPX's place");
	tap_is(layout_size(&l, small, true), 2688, "small area with APX");
	tap_is(layout_size(&l, big, true), 10880, "big area with APX");
	tap_is(layout_size(&l, big, false), 11008, "standard: no growth");
	tap_is(layout_size(&l, XSTATE_APX, false), 960 + 128,
	       "standard: alone it ends where it ends");
	tap_is(l.xfd, XSTATE_TILEDATA, "APX does not obey XFD");
}

static void other_machines(void)
{
	const struct cpuid_0d no_xsaves = cpuid_with_features(UP_TO_XSAVEC);
	const struct cpuid_0d no_xfd    = cpuid_with_features(UP_TO_XSAVES);
	const struct cpuid_0d odd     = cpuid_with_features(XSAVEOPT_ONLY | 8);
	const struct cpuid_0d unknown = cpuid_with_unknown_20();
	struct xstate_layout l        = layout_of(&cpuid_amd);

	tap_is(l.size[9], 64, "A.1.4: a PKRU of 64 bytes");
	tap_is(layout_size(&l, 0x207, true), 896, "and its area");
	l = layout_of(&no_xsaves);
	tap_ok(!l.xsaves && l.supervisor == 0, "no XSAVES: no IA32_XSS");
	tap_is(layout_size(&l, SMALL_SET, true), 2560, "XSAVEC compacts too");
	l = layout_of(&odd);
	tap_ok(!l.xsaves, "XSAVES without the compacted format is none");
	l = layout_of(&no_xfd);
	tap_ok(!l.has_xfd && l.xfd == 0, "F.77: no XFD, nothing obeys it");
	l = layout_of(&unknown);
	tap_is(l.xfd, XSTATE_TILEDATA | BIT(20), "an unknown one may obey XFD");
	tap_is(layout_size(&l, BIG_SET | BIT(20), true), 10752 + 0x1234,
	       "and has a place");
}

/* Each feature bit of CPUID.(0DH,1):EAX is its own. SDM vol. 2, CPUID. */
static void features(void)
{
	static const struct {
		u32 eax;
		bool xsaveopt, xsavec, xgetbv1, xsaves, xfd;
	} t[] = {
		{ 0, false, false, false, false, false },
		{ 1, true, false, false, false, false },
		{ 2, false, true, false, false, false },
		{ 4, false, false, true, false, false },
		{ 8, false, false, false, false, false },
		{ 0xa, false, true, false, true, false },
		{ 0x10, false, false, false, false, true },
		{ 0x12, false, true, false, false, true },
		{ 0x1f, true, true, true, true, true },
		{ ~0x1fu, false, false, false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct cpuid_0d c = cpuid_with_features(t[i].eax);
		struct xstate_layout l;
		unsigned int wrong;

		tap_ok(layout_read(&l, &c, &wrong) &&
			       l.xsaveopt == t[i].xsaveopt &&
			       l.xsavec == t[i].xsavec &&
			       l.xgetbv1 == t[i].xgetbv1 &&
			       l.xsaves == t[i].xsaves && l.has_xfd == t[i].xfd,
		       "0D.1:EAX of %#x", t[i].eax);
	}
}

/* The ends of what is believed: components 62 and 63, sizes of 16 MiB. */
static void limits(void)
{
	struct cpuid_0d c = cpuid_sapphire_rapids;
	struct xstate_layout l;

	c.sub[0].edx  = 3u << 30;
	c.sub[1].edx  = 1u << 31 | 1;
	c.sub[62].eax = 64;
	c.sub[62].ebx = 0x2b00;
	c.sub[32].eax = 64;
	l             = layout_of(&c);
	tap_is(l.user, BIG_SET | BIT(62), "component 62 is the last in XCR0");
	tap_is(l.supervisor, 0xdd00 | BIT(32),
	       "IA32_XSS has 64 bits, and bit 63 is none");
	tap_is(layout_size(&l, BIG_SET | BIT(62), true), 10752 + 64,
	       "it has a place");

	c            = cpuid_sapphire_rapids;
	c.sub[2].ebx = 0x2b00;
	l            = layout_of(&c);
	tap_is(layout_offset(&l, BIG_SET, 2, true), 576,
	       "compacted, AVX comes first wherever its standard place is");

	c             = cpuid_sapphire_rapids;
	c.sub[15].eax = 16 * MIB;
	l             = layout_of(&c);
	tap_is(layout_size(&l, XSTATE_X87 | BIT(15), true), 576 + 16 * MIB,
	       "a supervisor component of 16 MiB, which overlaps none");
	c             = cpuid_sapphire_rapids;
	c.sub[18].eax = 16 * MIB - c.sub[18].ebx;
	l             = layout_of(&c);
	tap_is(layout_size(&l, BIG_SET, false), 16 * MIB,
	       "one that ends at 16 MiB");
}

static void claim_wrong(struct cpuid_0d c, unsigned int component,
			const char *claim)
{
	struct xstate_layout l;
	unsigned int wrong = 64;

	tap_ok(!layout_read(&l, &c, &wrong) && wrong == component, "%s", claim);
}

static void contradictions(void)
{
	struct cpuid_0d c = cpuid_sapphire_rapids;

	c.sub[9].eax = 0;
	claim_wrong(c, 9, "refused: a component without size");
	c            = cpuid_sapphire_rapids;
	c.sub[2].ebx = 0x200;
	claim_wrong(c, 2, "refused: a component inside the header");
	c            = cpuid_sapphire_rapids;
	c.sub[6].ebx = 0x450;
	claim_wrong(c, 6, "refused: two components that overlap");
	c             = cpuid_sapphire_rapids;
	c.sub[18].eax = 0xffffff00;
	claim_wrong(c, 18, "refused: a size that overflows sums");
	c             = cpuid_sapphire_rapids;
	c.sub[18].ebx = 0xfffffff0;
	claim_wrong(c, 18, "refused: an offset that overflows sums");
	c             = cpuid_sapphire_rapids;
	c.sub[15].eax = 16 * MIB + 1;
	claim_wrong(c, 15, "refused: a supervisor component above 16 MiB");
	c             = cpuid_sapphire_rapids;
	c.sub[18].eax = 16 * MIB - c.sub[18].ebx + 1;
	claim_wrong(c, 18, "refused: one that ends a byte above 16 MiB");
	c            = cpuid_sapphire_rapids;
	c.sub[6].ebx = 0x440;
	claim_wrong(c, 6, "refused: two components at the same place");
	c            = cpuid_sapphire_rapids;
	c.sub[6].ebx = 0x47f;
	claim_wrong(c, 6, "refused: one whose first byte is another's last");
	c             = cpuid_with_apx();
	c.sub[19].eax = 0x81;
	claim_wrong(c, 19, "refused: one whose last byte is another's first");
	c            = cpuid_sapphire_rapids;
	c.sub[2].ebx = 0x23f;
	claim_wrong(c, 2, "refused: a byte before the header's end");
	c = cpuid_sapphire_rapids;
	c.sub[1].ecx |= 4;
	claim_wrong(c, 2, "refused: a component in XCR0 and in IA32_XSS");
	c = cpuid_sapphire_rapids;
	c.sub[1].ecx |= 1;
	claim_wrong(c, 0, "refused: x87 in both, which is component 0");
	c = cpuid_sapphire_rapids;
	c.sub[0].eax &= ~1u;
	claim_wrong(c, 0, "refused: XCR0 without x87");
}

/* For every set of components: no overlap, in order, aligned, inside. */
static void every_set(void)
{
	const struct cpuid_0d c      = cpuid_with_apx();
	const struct xstate_layout l = layout_of(&c);
	static const u8 bit[] = { 2, 5, 6, 7, 9, 11, 12, 14, 15, 17, 18, 19 };
	unsigned int bad      = 0;

	for (u32 n = 0; n < 1u << ARRAY_SIZE(bit); n++) {
		u64 set = 0;
		u32 end = 576;

		for (size_t b = 0; b < ARRAY_SIZE(bit); b++)
			set |= (n >> b & 1) ? BIT(bit[b]) : 0;
		for (size_t b = 0; b < ARRAY_SIZE(bit); b++) {
			if (!(set & BIT(bit[b])))
				continue;
			const u32 at = layout_offset(&l, set, bit[b], true);

			if ((l.aligned & BIT(bit[b]))
				    ? at != (end + 63) / 64 * 64
				    : at != end)
				bad++;
			end = at + l.size[bit[b]];
		}
		if (layout_size(&l, set, true) != end)
			bad++;
	}
	tap_is(bad, 0, "all 4096 sets: in order, packed, aligned, inside");
}

int main(void)
{
	sapphire_rapids();
	component_19();
	other_machines();
	features();
	limits();
	contradictions();
	every_set();
	return tap_done();
}

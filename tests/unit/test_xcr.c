/* SPDX-License-Identifier: MIT */
/* links: fpu/xcr.c */
/*
 * Legal values of XCR0 and of the three bitmap MSRs: the SDM's rules by name,
 * then every combination against the rules written a second time.
 */
#include "fpu/xcr.h"

#include "tests/unit/tap.h"

#define SPR 0x602e7ULL
#define ALL 0xe02ffULL /* and MPX and APX */

/* clang-format off */
static const struct {
	const char *claim;
	u64 value, allowed;
	bool legal;
} t[] = {
	{ "the value after RESET",                    0x1,     SPR, true  },
	{ "everything",                               SPR,     SPR, true  },
	{ "F.35: bit 0 clear",                        0x602e6, SPR, false },
	{ "F.35: nothing at all",                     0x0,     SPR, false },
	{ "F.35: AVX without SSE",                    0x5,     SPR, false },
	{ "SSE without AVX",                          0x3,     SPR, true  },
	{ "F.35: only 17",                            0x20003, SPR, false },
	{ "F.35: only 18",                            0x40003, SPR, false },
	{ "17 and 18 without AVX",                    0x60003, SPR, true  },
	{ "B.6: opmask alone",                        0x27,    SPR, false },
	{ "B.6: two of the AVX-512 three",            0xc7,    SPR, false },
	{ "B.6: the three together",                  0xe7,    SPR, true  },
	{ "B.6: AVX-512 without AVX",                 0xe3,    SPR, false },
	{ "PKRU alone",                               0x201,   SPR, true  },
	{ "F.35: an unsupported bit",                 0x100001, SPR, false },
	{ "F.35: bit 63",                             BIT(63) | 1, SPR, false },
	{ "F.35: all ones",                           ~0ULL,   SPR, false },
	{ "a supervisor component",                   0x801,   SPR, false },
	{ "MPX that the guest does not have",         0x19,    SPR, false },
	{ "B.6: one of the MPX two",                  0x9,     ALL, false },
	{ "B.6: the MPX two",                         0x19,    ALL, true  },
	{ "component 19",                             0x80001, ALL, true  },
	{ "component 19 not offered",                 0x80001, SPR, false },
	{ "tiles hidden from the guest",              0x60003, 0x2e7, false },
};
/* clang-format on */

static bool both(u64 v, unsigned int a, unsigned int b)
{
	return (v >> a & 1) == (v >> b & 1);
}

static bool legal_again(u64 v)
{
	const bool avx = v & 4;

	return (v & 1) && (!avx || (v & 2)) && both(v, 3, 4) && both(v, 5, 6) &&
	       both(v, 6, 7) && (!(v & 0x20) || avx) && both(v, 17, 18);
}

static void every_combination(void)
{
	static const u8 bit[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 17, 18, 19 };
	unsigned int differ = 0, illegal = 0, lossy = 0;

	for (u32 n = 0; n < 1u << ARRAY_SIZE(bit); n++) {
		u64 v = 0;

		for (size_t b = 0; b < ARRAY_SIZE(bit); b++)
			v |= (n >> b & 1) ? BIT(bit[b]) : 0;
		differ += xcr0_is_legal(v, ALL) != legal_again(v);
		const u64 subset = xcr0_legal_subset(v);

		illegal += !xcr0_is_legal(subset, v | 1);
		lossy += legal_again(v) && subset != v;
	}
	tap_is(differ, 0, "all 4096 values agree with the rules written twice");
	tap_is(illegal, 0, "the legal subset of any mask is legal within it");
	tap_is(lossy, 0, "and is the mask itself where that is legal");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		tap_ok(xcr0_is_legal(t[i].value, t[i].allowed) == t[i].legal,
		       "XCR0: %s is %s", t[i].claim,
		       t[i].legal ? "legal" : "#GP");
	every_combination();

	for (unsigned int i = 0; i < 64; i++)
		if (i == 17 || i == 18 || i == 0 || i == 63)
			tap_ok(xfd_is_legal(BIT(i), XSTATE_TILEDATA) ==
				       (i == 18),
			       "F.22: bit %u of XFD and XFD_ERR", i);
	tap_ok(!xfd_is_legal(~0ULL, XSTATE_TILEDATA), "F.22: XFD := -1");
	tap_ok(xfd_is_legal(0, 0), "XFD := 0 is legal to the rule itself");
	tap_ok(xss_is_legal(0x1800, 0x1800), "XSS: both CET components");
	tap_ok(!xss_is_legal(0x900, 0x1800), "XSS: one that is not offered");
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* links: boot/lib/mcheck.c boot/lib/print.c */
/*
 * Machine-check banks in words. Source: SDM vol. 3, "Interpreting the MCA Error
 * Codes" and "IA32_MCi_STATUS MSRs".
 */
#include "boot/lib/mcheck.h"

#include <string.h>

#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

#define V    BIT(63)
#define OVER BIT(62)
#define UC   BIT(61)
#define M    BIT(59)
#define A    BIT(58)
#define PCC  BIT(57)

static const struct {
	const char *claim;
	struct mcheck m;
	const char *said;
} row[] = {
	{ "memory, with its address",
	  { V | UC | A | M | 0x9f, 0x12345000, 0x8c },
	  "bank 7: a memory controller error, uncorrected, address 0x12345000, "
	  "status 0xac0000000000009f, misc 0x8c" },
	{ "a cache, corrected",
	  { V | 0x17a, 0, 0 },
	  "a cache error, corrected, no address" },
	{ "the filter bit is no kind", { V | 0x117a, 0, 0 }, "a cache error" },
	{ "an address that does not hold",
	  { V | 0x10, 0xdead, 0 },
	  "a TLB error, corrected, no address" },
	{ "misc that does not hold", { V | 0x10, 0, 0xdead }, "misc 0" },
	{ "the interconnect, and others lost",
	  { V | OVER | UC | PCC | 0xe0b, 0, 0 },
	  "a bus or interconnect error, uncorrected, context lost, others "
	  "lost" },
	{ "an internal error", { V | UC | 0x402, 0, 0 }, "an internal error" },
	{ "another CPU's", { V | UC | 0x3, 0, 0 }, "another CPU signalled" },
	{ "a kind that is none", { V | 0x8000, 0, 0 }, "we do not know" },
};

int main(void)
{
	char text[MCHECK_TEXT];

	tap_ok(!mcheck_describe(0, &(struct mcheck){ ~V, 1, 1 }, text) &&
		       !*text,
	       "a bank that does not hold says nothing");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		if (!tap_ok(mcheck_describe(7, &row[i].m, text) &&
				    strstr(text, row[i].said),
			    "%s", row[i].claim))
			tap_note("said: %s", text);
	tap_ok(mcheck_describe(~0u, &(struct mcheck){ ~0ULL, ~0ULL, ~0ULL },
			       text) &&
		       strlen(text) < MCHECK_TEXT - 1,
	       "the longest fits");
	return tap_done();
}

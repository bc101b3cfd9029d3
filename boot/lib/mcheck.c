/* SPDX-License-Identifier: MIT */
/* The banks' words; mcheck_read.c reads the banks. */
#include "boot/lib/mcheck.h"

#include "boot/lib/print.h"

#define STATUS_VALID    BIT(63)
#define STATUS_OVERFLOW BIT(62)
#define STATUS_UC       BIT(61)
#define STATUS_MISC     BIT(59)
#define STATUS_ADDRESS  BIT(58)
#define STATUS_PCC      BIT(57) /* processor context corrupt */
#define STATUS_CODE     FIELD(15, 0)
#define CODE_FILTER     BIT(12) /* says nothing about the kind */

/* Compound error codes: which bits are fixed, and their values. */
static const struct {
	u32 mask, value;
	const char *name;
} kind[] = {
	{ 0xffff, 0x0000, "no error code" },
	{ 0xffff, 0x0001, "an unclassified error" },
	{ 0xffff, 0x0002, "a parity error in the microcode ROM" },
	{ 0xffff, 0x0003, "an error that another CPU signalled" },
	{ 0xffff, 0x0005, "an internal parity error" },
	{ 0xfc00, 0x0400, "an internal error" },
	{ 0xfffc, 0x000c, "a generic cache error" },
	{ 0xfff0, 0x0010, "a TLB error" },
	{ 0xff80, 0x0080, "a memory controller error" },
	{ 0xff00, 0x0100, "a cache error" },
	{ 0xf800, 0x0800, "a bus or interconnect error" },
};

static const char *kind_of(u64 status)
{
	const u64 code = status & STATUS_CODE & ~CODE_FILTER;

	for (size_t i = 0; i < ARRAY_SIZE(kind); i++)
		if ((code & kind[i].mask) == kind[i].value)
			return kind[i].name;
	return "an error of a kind we do not know";
}

bool mcheck_describe(unsigned int bank, const struct mcheck *m,
		     char text[MCHECK_TEXT])
{
	const u64 s    = m->status;
	char where[32] = "no address";

	text[0] = '\0';
	if (!(s & STATUS_VALID))
		return false;
	if (s & STATUS_ADDRESS)
		tv_snprintf(where, sizeof(where), "address %#lx", m->address);
	tv_snprintf(text, MCHECK_TEXT,
		    "bank %u: %s, %scorrected%s%s, %s, status %#lx, misc %#lx",
		    bank, kind_of(s), s & STATUS_UC ? "un" : "",
		    s & STATUS_PCC ? ", context lost" : "",
		    s & STATUS_OVERFLOW ? ", others lost" : "", where, s,
		    s & STATUS_MISC ? m->misc : 0);
	return true;
}

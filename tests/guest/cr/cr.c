/* SPDX-License-Identifier: MIT */
/*
 * Which values CR0, CR3, CR4, CR8, DR6, DR7 and EFER take. SDM 3, "Control
 * Registers", and the pages of MOV to them. What CPUID does not offer must
 * be refused, and what it offers must be taken.
 */
#include "lib/check.h"

#define CR0_CD      BIT(30)
#define CR0_NW      BIT(29)
#define CR4_PAE     BIT(5)
#define CR4_LA57    BIT(12)
#define EFER_SCE    BIT(0)
#define EFER_LME    BIT(8)
#define EFER_LMA    BIT(10)
#define EFER_NXE    BIT(11)
#define NEVER_TRIED 32

static bool cr0_refused(void)
{
	const u64 now = read_cr0();
	static const struct {
		u64 set, clear;
	} t[] = {
		{ 0, CR0_PE },      { 0, CR0_PG },  { 0, CR0_PE | CR0_PG },
		{ CR0_NW, CR0_CD }, { BIT(32), 0 }, { BIT(63), 0 },
	};
	bool ok = true;

	for (u32 i = 0; i < ARRAY_SIZE(t); i++)
		ok &= took(try_write_cr0((now | t[i].set) & ~t[i].clear),
			   TRAP_GP, 0) &
		      same("CR0", read_cr0(), now);
	return ok;
}

static bool cr0_taken(void)
{
	static const u64 bits[] = { CR0_MP, CR0_EM, CR0_TS, CR0_NE,
				    CR0_WP, CR0_AM, CR0_CD };
	const u64 now           = read_cr0();
	bool ok                 = true;

	for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
		const struct trap t = try_write_cr0(now ^ bits[i]);

		ok &= none(t) & same("CR0", read_cr0(), now ^ bits[i]);
		write_cr0(now);
	}
	return ok & same("CR0", read_cr0(), now);
}

static bool cr0_by_lmsw(void)
{
	const u64 now = read_cr0();
	u64 smsw;

	asm volatile("lmsw %w0" : : "r"((u32)(now | CR0_TS)) : "memory");
	const u64 set = read_cr0();

	asm volatile("smsw %0" : "=r"(smsw));
	asm volatile("lmsw %w0" : : "r"((u32)(now & 0xf & ~CR0_PE)));
	const u64 after = read_cr0();

	return same("LMSW sets TS", set, now | CR0_TS) &
	       same("SMSW", smsw & 0xffff, set & 0xffff) &
	       same("LMSW clears TS but not PE", after, now);
}

static bool feature(u32 leaf, u32 sub, char reg, u32 bit)
{
	const struct cpuid c = cpuid(leaf, sub);
	const u32 val        = reg == 'a'   ? c.a
			       : reg == 'b' ? c.b
			       : reg == 'c' ? c.c
					    : c.d;

	return leaf <= cpuid(0, 0).a && (val >> bit & 1);
}

/*
 * Bits whose enabling changes the ground this code stands on are tried only
 * if they must be refused: its pages are user pages in the lower half.
 */
static bool cr4_is_offered(u32 bit)
{
	switch (bit) {
	case 0:
	case 1:
		return feature(1, 0, 'd', 1);
	case 2:
		return feature(1, 0, 'd', 4);
	case 3:
		return feature(1, 0, 'd', 2);
	case 4:
		return feature(1, 0, 'd', 3);
	case 6:
		return feature(1, 0, 'd', 7);
	case 7:
		return feature(1, 0, 'd', 13);
	case 8:
	case 9:
	case 10:
		return true;
	case 11:
		return feature(7, 0, 'c', 2);
	case 13:
		return feature(1, 0, 'c', 5);
	case 14:
		return feature(1, 0, 'c', 6);
	case 16:
		return feature(7, 0, 'b', 0);
	case 17:
		return feature(1, 0, 'c', 17);
	case 18:
		return feature(1, 0, 'c', 26);
	case 19:
		return feature(7, 0, 'c', 23);
	case 20:
		return feature(7, 0, 'b', 7);
	case 21:
		return feature(7, 0, 'b', 20);
	case 22:
		return feature(7, 0, 'c', 3);
	case 23:
		return feature(7, 0, 'c', 7) || feature(7, 0, 'd', 20);
	case 24:
		return feature(7, 0, 'c', 31);
	case 25:
		return feature(7, 0, 'd', 5);
	case 27:
		return feature(7, 1, 'a', 6);
	case 28:
		return feature(7, 1, 'a', 26);
	case NEVER_TRIED:
		return feature(7, 1, 'a', 17);
	default:
		return false;
	}
}

static bool cr4_bits(void)
{
	const u64 now      = read_cr4();
	const u64 ground   = BIT(20) | BIT(21) | BIT(27) | BIT(NEVER_TRIED);
	const u64 required = CR4_PAE | CR4_LA57;
	bool ok            = true;

	for (u32 i = 0; i < 64; i++) {
		const bool offered = cr4_is_offered(i);

		if (((required | now) & BIT(i)) ||
		    ((ground & BIT(i)) && offered))
			continue;
		const struct trap t = try_write_cr4(now | BIT(i));

		if (t.vector != (offered ? TRAP_NONE : TRAP_GP) ||
		    read_cr4() != (offered ? now | BIT(i) : now)) {
			same("CR4 bit", i, 64);
			same("its vector", t.vector,
			     offered ? TRAP_NONE : TRAP_GP);
			same("CR4", read_cr4(), offered ? now | BIT(i) : now);
			ok = false;
		}
		write_cr4(now);
	}
	return ok;
}

static bool cr4_fixed(void)
{
	const u64 now = read_cr4();

	return took(try_write_cr4(now & ~CR4_PAE), TRAP_GP, 0) &
	       took(try_write_cr4(now ^ CR4_LA57), TRAP_GP, 0) &
	       same("CR4", read_cr4(), now);
}

static bool cr4_pcide(void)
{
	const u64 now = read_cr4();
	const u64 cr3 = read_cr3();

	if (!feature(1, 0, 'c', 17))
		return true;
	write_cr3(cr3 | 8); /* PWT: CR3[11:0] is not 0 */
	const struct trap t = try_write_cr4(now | BIT(17));

	write_cr3(cr3);
	return took(t, TRAP_GP, 0) & same("CR4", read_cr4(), now);
}

static struct trap try_cr3(u64 val)
{
	return TRY("mov %0, %%cr3", : : "r"(val) : "memory");
}

static bool cr3_reserved(void)
{
	const u32 width = cpuid(0x80000008, 0).a & 0xff;
	const u64 now   = read_cr3();
	bool ok         = true;

	for (u32 i = width; i < 61; i++)
		ok &= took(try_cr3(now | BIT(i)), TRAP_GP, 0);
	return ok & took(try_cr3(now | BIT(63)), TRAP_GP, 0) &
	       same("CR3", read_cr3(), now);
}

static bool cr8(void)
{
	bool ok = true;
	u64 got;

	for (u64 v = 0; v < 16; v++) {
		asm volatile("mov %0, %%cr8" : : "r"(v) : "memory");
		asm volatile("mov %%cr8, %0" : "=r"(got));
		ok &= same("CR8", got, v);
	}
	asm volatile("mov %0, %%cr8" : : "r"(0ul) : "memory");
	return ok & took(TRY("mov %0, %%cr8",
			     :
			     : "r"(16ul)
			     : "memory"),
			 TRAP_GP, 0);
}

static bool efer(void)
{
	const u64 now = rdmsr(MSR_EFER);
	bool ok       = true;

	for (u32 i = 0; i < 64; i++) {
		const u64 bit = BIT(i);

		if (bit == EFER_LMA || bit == EFER_LME)
			continue;
		const bool legal    = bit == EFER_SCE || bit == EFER_NXE;
		const struct trap t = try_wrmsr(MSR_EFER, now ^ bit);

		ok &= same("vector", t.vector, legal ? TRAP_NONE : TRAP_GP) &
		      same("EFER", rdmsr(MSR_EFER), legal ? now ^ bit : now);
		wrmsr(MSR_EFER, now);
	}
	return ok & took(try_wrmsr(MSR_EFER, now & ~EFER_LME), TRAP_GP, 0) &
	       same("EFER", rdmsr(MSR_EFER), now);
}

static bool dr_upper(void)
{
	return took(TRY("mov %0, %%dr6",
			:
			: "r"(BIT(32))
			: "memory"),
		    TRAP_GP, 0) &
	       took(TRY("mov %0, %%dr7",
			:
			: "r"(BIT(63))
			: "memory"),
		    TRAP_GP, 0);
}

static bool dr_values(void)
{
	write_dr0(0x123456789abc);
	write_dr6(0);
	const u64 dr6 = read_dr6();

	write_dr6(0xffff0ff0);
	write_dr7(0x400);
	return same("DR0", read_dr0(), 0x123456789abc) &
	       same("DR6 of 0", dr6 & 0xfff0ul, 0x0ff0) &
	       same("DR7", read_dr7(), 0x400);
}

static u64 user_cr(u64 which)
{
	u64 val = 0;

	if (which == 0)
		return TRY("mov %%cr0, %0", : "+r"(val) : : "memory").vector;
	if (which == 1)
		return TRY("mov %0, %%cr4", : : "r"(val) : "memory").vector;
	if (which == 2)
		return TRY("clts", : : : "memory").vector;
	return TRY("hlt", : : : "memory").vector;
}

static bool user_is_gp(void)
{
	bool ok = true;

	for (u64 i = 0; i < 4; i++)
		ok &= same("vector", user_call(user_cr, i), TRAP_GP);
	return ok;
}

const struct claim claims[] = {
	{ "CR0: illegal combinations are #GP(0)", cr0_refused, 0 },
	{ "CR0: every other bit reads back", cr0_taken, 0 },
	{ "CR0: LMSW, SMSW, CLTS", cr0_by_lmsw, 0 },
	{ "CR4: a bit is taken if and only if CPUID offers it", cr4_bits, 0 },
	{ "CR4: PAE and LA57 cannot change in 64-bit mode", cr4_fixed, 0 },
	{ "CR4: PCIDE needs CR3[11:0] 0", cr4_pcide, 0 },
	{ "CR3: reserved bits are #GP(0)", cr3_reserved, 0 },
	{ "CR8: 0 to 15 read back, 16 is #GP(0)", cr8, 0 },
	{ "EFER: SCE and NXE alone may change", efer, 0 },
	{ "DR6, DR7: the upper half is #GP(0)", dr_upper, 0 },
	{ "DR0, DR6, DR7 read back", dr_values, 0 },
	{ "at CPL 3 all of it is #GP", user_is_gp, 0 },
};
CLAIMS_END

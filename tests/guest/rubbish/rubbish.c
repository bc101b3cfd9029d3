/* SPDX-License-Identifier: MIT */
/*
 * Rubbish to everything: all 65536 ports in every width, and every MSR that a
 * CPU may have. What must come of it: ports without a device read all ones,
 * MSRs are there or raise #GP(0), and the guest goes on. `flood` on the command
 * line: rubbish to the console instead, for ever.
 */
#include "lib/check.h"
#include "lib/page.h"
#include "lib/serial.h"

#define PORTS      0x10000u
#define UART       0x3f8
#define EXIT_PORT  0xf4
#define SLEEP_PORT 0x600
#define RESET_PORT 0xcf9
#define RUBBISH    0x5a5a5a5a5a5a5a5aul

/* What one may not write to and go on. */
static bool port_ends(u32 port)
{
	return port == EXIT_PORT || port == SLEEP_PORT || port == RESET_PORT;
}

static bool port_out(void)
{
	cli();
	for (u32 port = 0; port < PORTS; port++) {
		if (port_ends(port))
			continue;
		outb((u16)port, (u8)RUBBISH);
		outw((u16)port, (u16)RUBBISH);
		outl((u16)port, (u32)RUBBISH);
		/* The claims' own line may not stay as it is now. */
		if (port == UART + 7)
			serial_init();
	}
	printk("\n"); /* what the line has printed of it */
	return true;
}

static bool port_in(void)
{
	u32 answers = 0;

	for (u32 port = 0; port < PORTS; port++) {
		const bool one = inb((u16)port) != 0xff;

		answers += one;
		/* A wide access is one to each of its ports. */
		if (port < PORTS - 4 && !one && inl((u16)port) == 0 &&
		    inw((u16)port) == 0)
			return is("a wide read that is like a narrow one",
				  false);
	}
	printk("# %u ports answer\n", answers);
	serial_init();
	return is("fewer than 64 of them", answers < 64);
}

/* Those that hold up the guest itself. */
static bool msr_is_vital(u32 msr)
{
	return msr == MSR_TSC || msr == MSR_EFER || msr == MSR_FS_BASE ||
	       msr == MSR_GS_BASE;
}

static bool msr_range(u32 first, u32 last, u32 *there)
{
	static const u64 values[] = { RUBBISH, ~0ul, 1, 0 };

	for (u32 msr = first; msr <= last; msr++) {
		u64 old              = 0;
		const struct trap in = try_rdmsr(msr, &old);

		if (in.vector != TRAP_NONE && !took(in, TRAP_GP, 0))
			return same("reading MSR", msr, 0);
		*there += in.vector == TRAP_NONE;
		for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
			if (msr_is_vital(msr))
				continue;
			const struct trap out = try_wrmsr(msr, values[i]);

			if (out.vector != TRAP_NONE && !took(out, TRAP_GP, 0))
				return same("writing MSR", msr, 0);
		}
		if (in.vector == TRAP_NONE && !msr_is_vital(msr))
			try_wrmsr(msr, old);
	}
	return true;
}

static bool msrs(void)
{
	u32 there = 0;
	bool ok   = msr_range(0, 0x1fff, &there) &
		  msr_range(0x40000000, 0x400001ff, &there) &
		  msr_range(0x4b564d00, 0x4b564d0f, &there) &
		  msr_range(0xc0000000, 0xc0001fff, &there) &
		  msr_range(0xc0010000, 0xc00101ff, &there) &
		  msr_range(0xfffffff0, 0xfffffffe, &there);

	printk("# %u MSRs are there\n", there);
	return ok & is("fewer than 128 of them", there < 128);
}

/* Nothing is at the holes of the memory map, nor beyond its end. */
static bool memory_beyond(void)
{
	static const u64 holes[] = { 0xc0000000, 0xd1234000, 0xfec10000,
				     0xffc00000 };
	bool ok                  = true;

	for (u32 i = 0; i < ARRAY_SIZE(holes); i++) {
		volatile u64 *p = (volatile u64 *)holes[i];

		*p = RUBBISH;
		ok &= same("a hole", *p, ~0ul);
	}
	for (u64 at = guest.ram_end; at < guest.ram_end + 0x100000;
	     at += 4096) {
		volatile u64 *p = (volatile u64 *)at;

		*p = RUBBISH;
		ok &= same("beyond the end", *p, ~0ul);
	}
	return ok;
}

static bool flood(void)
{
	while (guest_flag("flood"))
		printk("# rubbish rubbish rubbish rubbish rubbish rubbish\n");
	return true;
}

const struct claim claims[] = {
	{ "the console is not flooded", flood, ON_HOSTED },
	{ "rubbish to every port in every width", port_out, ON_HOSTED },
	{ "every port can be read", port_in, ON_HOSTED },
	{ "every MSR is there, or #GP(0)", msrs, ON_HOSTED },
	{ "where there is no memory all bits read as ones", memory_beyond,
	  ON_HOSTED },
};
CLAIMS_END

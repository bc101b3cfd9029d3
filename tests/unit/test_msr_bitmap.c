/* SPDX-License-Identifier: MIT */
/* links: vmx/msr_bitmap.c */
/*
 * The MSR bitmap denies everything but its table, at the positions that the SDM
 * gives ("MSR-Bitmap Address"), and opens what it is told to.
 */
#include "vmx/msr_bitmap.h"

#include "boot/lib/x86.h"
#include "tests/unit/tap.h"

static u8 page[4096];

static unsigned int open_count(bool write)
{
	unsigned int n = 0;

	for (u32 i = 0; i < 0x2000; i++) {
		n += !msr_bitmap_exits(page, i, write);
		n += !msr_bitmap_exits(page, 0xc0000000 + i, write);
	}
	return n;
}

int main(void)
{
	msr_bitmap_init(page, false);
	tap_is(open_count(false), 13, "13 MSRs may be read");
	tap_is(open_count(true), 11, "11 MSRs may be written");
	tap_ok(msr_bitmap_exits(page, MSR_IA32_XFD, false) &&
		       msr_bitmap_exits(page, MSR_IA32_XFD, true) &&
		       msr_bitmap_exits(page, MSR_IA32_XFD_ERR, false) &&
		       msr_bitmap_exits(page, MSR_IA32_XFD_ERR, true),
	       "XFD and XFD_ERR exit at first");
	tap_ok(msr_bitmap_exits(page, MSR_IA32_EFER, true),
	       "writes to EFER exit");
	tap_ok(msr_bitmap_exits(page, MSR_IA32_TIME_STAMP_COUNTER, true),
	       "writes to the TSC exit");
	tap_ok(msr_bitmap_exits(page, MSR_IA32_XSS, true) &&
		       msr_bitmap_exits(page, MSR_IA32_XSS, false),
	       "IA32_XSS exits");
	tap_ok(msr_bitmap_exits(page, MSR_IA32_TSC_AUX, false),
	       "no TSC_AUX without RDTSCP");
	tap_ok(msr_bitmap_exits(page, 0x2000, false) &&
		       msr_bitmap_exits(page, 0x40000000, true) &&
		       msr_bitmap_exits(page, 0xc0002000, true),
	       "MSRs outside the bitmap exit");

	tap_is(page[0x38] & 0x30, 0x30, "B.5: reads in byte 38H, bits 4 and 5");
	msr_bitmap_set(page, MSR_IA32_XFD, true, false);
	tap_is(page[0x38] & 0x30, 0x20, "B.5: XFD is bit 4");
	tap_is(page[0x838] & 0x30, 0x30, "B.5: its writes stay closed");
	msr_bitmap_set(page, MSR_IA32_XFD_ERR, false, true);
	tap_is(page[0x838] & 0x30, 0x10, "B.5: writes of XFD_ERR: byte 838H");
	msr_bitmap_set(page, MSR_IA32_XFD, false, false);
	tap_is(page[0x38] & 0x30, 0x30, "and closed again");
	tap_is(open_count(true), 12, "nothing else has changed");

	msr_bitmap_init(page, true);
	tap_ok(!msr_bitmap_exits(page, MSR_IA32_TSC_AUX, true),
	       "TSC_AUX with RDTSCP");
	tap_is(page[0x400 + 0x103 / 8] & 8, 0, "high MSRs: byte 400H on");
	return tap_done();
}

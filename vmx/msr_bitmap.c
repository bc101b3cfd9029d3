/* SPDX-License-Identifier: MIT */
#include "vmx/msr_bitmap.h"

#include "boot/lib/x86.h"

/* Quarters of the page: reads low, reads high, writes low, writes high. */
#define HIGH_MSRS     0xc0000000u
#define MSRS_PER_HALF 0x2000u
#define OFFSET_HIGH   1024u
#define OFFSET_WRITE  2048u

struct open_msr {
	u32 msr;
	bool read, write;
};

/*
 * Why each entry is open. "VMCS": entry and exit switch it. "switched": it is
 * saved and restored when another vCPU gets the CPU, and the host never uses
 * it. The CPU itself checks what is written, so an illegal value is the guest's
 * #GP. IA32_XFD and IA32_XFD_ERR follow fpu_traps().
 */
static const struct open_msr table[] = {
	/* reading it adds the VMCS's TSC offset; writing moves the offset */
	{ MSR_IA32_TIME_STAMP_COUNTER, .read = true },
	/* VMCS */
	{ MSR_IA32_SYSENTER_CS, .read = true, .write = true },
	{ MSR_IA32_SYSENTER_ESP, .read = true, .write = true },
	{ MSR_IA32_SYSENTER_EIP, .read = true, .write = true },
	{ MSR_IA32_PAT, .read = true, .write = true },
	{ MSR_IA32_FS_BASE, .read = true, .write = true },
	{ MSR_IA32_GS_BASE, .read = true, .write = true },
	/* VMCS; writing decides what mode we believe the guest is in */
	{ MSR_IA32_EFER, .read = true },
	/* switched; the host has no system calls and no SWAPGS */
	{ MSR_IA32_STAR, .read = true, .write = true },
	{ MSR_IA32_LSTAR, .read = true, .write = true },
	{ MSR_IA32_CSTAR, .read = true, .write = true },
	{ MSR_IA32_FMASK, .read = true, .write = true },
	{ MSR_IA32_KERNEL_GS_BASE, .read = true, .write = true },
};

static u8 *byte_of(u8 *bitmap, u32 msr, bool write)
{
	const u32 half = msr >= HIGH_MSRS ? OFFSET_HIGH : 0;

	return bitmap + (write ? OFFSET_WRITE : 0) + half +
	       (msr % MSRS_PER_HALF) / 8;
}

static void set(u8 *bitmap, u32 msr, bool write, bool open)
{
	u8 *byte      = byte_of(bitmap, msr, write);
	const u8 mask = (u8)(1u << msr % 8);

	*byte = open ? *byte & (u8)~mask : *byte | mask;
}

void msr_bitmap_set(void *bitmap, u32 msr, bool open_read, bool open_write)
{
	set(bitmap, msr, false, open_read);
	set(bitmap, msr, true, open_write);
}

bool msr_bitmap_exits(const void *bitmap, u32 msr, bool write)
{
	const bool low  = msr < MSRS_PER_HALF;
	const bool high = msr >= HIGH_MSRS && msr < HIGH_MSRS + MSRS_PER_HALF;
	const u32 at = (write ? OFFSET_WRITE : 0) + (high ? OFFSET_HIGH : 0) +
		       (msr % MSRS_PER_HALF) / 8;

	if (!low && !high)
		return true;
	return ((const u8 *)bitmap)[at] & 1u << msr % 8;
}

void msr_bitmap_init(void *bitmap, bool tsc_aux)
{
	u8 *bytes = bitmap;

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		bytes[i] = 0xff;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		msr_bitmap_set(bitmap, table[i].msr, table[i].read,
			       table[i].write);
	if (tsc_aux)
		msr_bitmap_set(bitmap, MSR_IA32_TSC_AUX, true, true);
}

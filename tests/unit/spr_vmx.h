/* SPDX-License-Identifier: MIT */
/* The VMX MSRs that the emulator's sapphire_rapids model reports. */
#ifndef TESTS_UNIT_SPR_VMX_H
#define TESTS_UNIT_SPR_VMX_H

#include "vmx/caps.h"

static const struct vmx_msrs sapphire_rapids_vmx = {
	.cpuid_vmx       = true,
	.feature_control = 5,
	.basic           = 0x00d8100000000004,
	.pin             = 0x000000ff00000016,
	.cpu             = 0xfffbfffe04006172,
	.cpu2            = 0x06d77fff00000000,
	.exit            = 0x00ffffff00036dfb,
	.entry           = 0x0007ffff000011fb,
	.misc            = 0x00000000000401e5,
	.cr0_fixed0      = 0x80000021,
	.cr0_fixed1      = 0xffffffff,
	.cr4_fixed0      = 0x2000,
	.cr4_fixed1      = 0x7ff7ff,
	.ept_vpid        = 0x00000f0106734141,
};

#endif

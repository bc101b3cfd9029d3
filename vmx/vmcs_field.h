/* SPDX-License-Identifier: MIT */
/*
 * The VMCS fields and the bits of the control words, once, as data (SDM vol. 3,
 * "Field Encoding in VMCS" and "Virtual Machine Control Structures"). Accessors
 * take these enums and nothing else; dumps print the names. No code.
 */
#ifndef VMX_VMCS_FIELD_H
#define VMX_VMCS_FIELD_H

#include "boot/lib/types.h"

/* clang-format off */
#define VMCS_CONTROL_FIELDS(F) \
	F(VPID,                        0x0000) \
	F(POSTED_VECTOR,               0x0002) \
	F(IO_BITMAP_A,                 0x2000) \
	F(IO_BITMAP_B,                 0x2002) \
	F(MSR_BITMAP,                  0x2004) \
	F(EXIT_MSR_STORE_ADDR,         0x2006) \
	F(EXIT_MSR_LOAD_ADDR,          0x2008) \
	F(ENTRY_MSR_LOAD_ADDR,         0x200a) \
	F(TSC_OFFSET,                  0x2010) \
	F(VIRTUAL_APIC_ADDR,           0x2012) \
	F(APIC_ACCESS_ADDR,            0x2014) \
	F(POSTED_DESCRIPTOR_ADDR,      0x2016) \
	F(EPT_POINTER,                 0x201a) \
	F(EOI_EXIT_BITMAP0,            0x201c) \
	F(EOI_EXIT_BITMAP1,            0x201e) \
	F(EOI_EXIT_BITMAP2,            0x2020) \
	F(EOI_EXIT_BITMAP3,            0x2022) \
	F(XSS_EXITING_BITMAP,          0x202c) \
	F(ENCLS_EXITING_BITMAP,        0x202e) \
	F(PIN_CONTROLS,                0x4000) \
	F(CPU_CONTROLS,                0x4002) \
	F(EXCEPTION_BITMAP,            0x4004) \
	F(PF_ERROR_MASK,               0x4006) \
	F(PF_ERROR_MATCH,              0x4008) \
	F(CR3_TARGET_COUNT,            0x400a) \
	F(EXIT_CONTROLS,               0x400c) \
	F(EXIT_MSR_STORE_COUNT,        0x400e) \
	F(EXIT_MSR_LOAD_COUNT,         0x4010) \
	F(ENTRY_CONTROLS,              0x4012) \
	F(ENTRY_MSR_LOAD_COUNT,        0x4014) \
	F(ENTRY_INTR_INFO,             0x4016) \
	F(ENTRY_EXCEPTION_ERROR_CODE,  0x4018) \
	F(ENTRY_INSTRUCTION_LENGTH,    0x401a) \
	F(TPR_THRESHOLD,               0x401c) \
	F(CPU2_CONTROLS,               0x401e) \
	F(CR0_MASK,                    0x6000) \
	F(CR4_MASK,                    0x6002) \
	F(CR0_READ_SHADOW,             0x6004) \
	F(CR4_READ_SHADOW,             0x6006)

/* Written by VM exits only. */
#define VMCS_EXIT_FIELDS(F) \
	F(GUEST_PHYSICAL_ADDRESS,      0x2400) \
	F(VM_INSTRUCTION_ERROR,        0x4400) \
	F(EXIT_REASON,                 0x4402) \
	F(EXIT_INTR_INFO,              0x4404) \
	F(EXIT_INTR_ERROR_CODE,        0x4406) \
	F(IDT_VECTORING_INFO,          0x4408) \
	F(IDT_VECTORING_ERROR_CODE,    0x440a) \
	F(EXIT_INSTRUCTION_LENGTH,     0x440c) \
	F(EXIT_INSTRUCTION_INFO,       0x440e) \
	F(EXIT_QUALIFICATION,          0x6400) \
	F(GUEST_LINEAR_ADDRESS,        0x640a)

/* Segment fields lie 2 apart, in the order of enum segment. */
#define VMCS_GUEST_FIELDS(F) \
	F(GUEST_ES_SELECTOR,           0x0800) \
	F(GUEST_CS_SELECTOR,           0x0802) \
	F(GUEST_SS_SELECTOR,           0x0804) \
	F(GUEST_DS_SELECTOR,           0x0806) \
	F(GUEST_FS_SELECTOR,           0x0808) \
	F(GUEST_GS_SELECTOR,           0x080a) \
	F(GUEST_LDTR_SELECTOR,         0x080c) \
	F(GUEST_TR_SELECTOR,           0x080e) \
	F(GUEST_INTERRUPT_STATUS,      0x0810) \
	F(GUEST_VMCS_LINK,             0x2800) \
	F(GUEST_IA32_DEBUGCTL,         0x2802) \
	F(GUEST_IA32_PAT,              0x2804) \
	F(GUEST_IA32_EFER,             0x2806) \
	F(GUEST_PDPTE0,                0x280a) \
	F(GUEST_PDPTE1,                0x280c) \
	F(GUEST_PDPTE2,                0x280e) \
	F(GUEST_PDPTE3,                0x2810) \
	F(GUEST_ES_LIMIT,              0x4800) \
	F(GUEST_CS_LIMIT,              0x4802) \
	F(GUEST_SS_LIMIT,              0x4804) \
	F(GUEST_DS_LIMIT,              0x4806) \
	F(GUEST_FS_LIMIT,              0x4808) \
	F(GUEST_GS_LIMIT,              0x480a) \
	F(GUEST_LDTR_LIMIT,            0x480c) \
	F(GUEST_TR_LIMIT,              0x480e) \
	F(GUEST_GDTR_LIMIT,            0x4810) \
	F(GUEST_IDTR_LIMIT,            0x4812) \
	F(GUEST_ES_ACCESS,             0x4814) \
	F(GUEST_CS_ACCESS,             0x4816) \
	F(GUEST_SS_ACCESS,             0x4818) \
	F(GUEST_DS_ACCESS,             0x481a) \
	F(GUEST_FS_ACCESS,             0x481c) \
	F(GUEST_GS_ACCESS,             0x481e) \
	F(GUEST_LDTR_ACCESS,           0x4820) \
	F(GUEST_TR_ACCESS,             0x4822) \
	F(GUEST_INTERRUPTIBILITY,      0x4824) \
	F(GUEST_ACTIVITY_STATE,        0x4826) \
	F(GUEST_SYSENTER_CS,           0x482a) \
	F(GUEST_PREEMPTION_TIMER,      0x482e) \
	F(GUEST_CR0,                   0x6800) \
	F(GUEST_CR3,                   0x6802) \
	F(GUEST_CR4,                   0x6804) \
	F(GUEST_ES_BASE,               0x6806) \
	F(GUEST_CS_BASE,               0x6808) \
	F(GUEST_SS_BASE,               0x680a) \
	F(GUEST_DS_BASE,               0x680c) \
	F(GUEST_FS_BASE,               0x680e) \
	F(GUEST_GS_BASE,               0x6810) \
	F(GUEST_LDTR_BASE,             0x6812) \
	F(GUEST_TR_BASE,               0x6814) \
	F(GUEST_GDTR_BASE,             0x6816) \
	F(GUEST_IDTR_BASE,             0x6818) \
	F(GUEST_DR7,                   0x681a) \
	F(GUEST_RSP,                   0x681c) \
	F(GUEST_RIP,                   0x681e) \
	F(GUEST_RFLAGS,                0x6820) \
	F(GUEST_PENDING_DEBUG,         0x6822) \
	F(GUEST_SYSENTER_ESP,          0x6824) \
	F(GUEST_SYSENTER_EIP,          0x6826)

#define VMCS_HOST_FIELDS(F) \
	F(HOST_ES_SELECTOR,            0x0c00) \
	F(HOST_CS_SELECTOR,            0x0c02) \
	F(HOST_SS_SELECTOR,            0x0c04) \
	F(HOST_DS_SELECTOR,            0x0c06) \
	F(HOST_FS_SELECTOR,            0x0c08) \
	F(HOST_GS_SELECTOR,            0x0c0a) \
	F(HOST_TR_SELECTOR,            0x0c0c) \
	F(HOST_IA32_PAT,               0x2c00) \
	F(HOST_IA32_EFER,              0x2c02) \
	F(HOST_SYSENTER_CS,            0x4c00) \
	F(HOST_CR0,                    0x6c00) \
	F(HOST_CR3,                    0x6c02) \
	F(HOST_CR4,                    0x6c04) \
	F(HOST_FS_BASE,                0x6c06) \
	F(HOST_GS_BASE,                0x6c08) \
	F(HOST_TR_BASE,                0x6c0a) \
	F(HOST_GDTR_BASE,              0x6c0c) \
	F(HOST_IDTR_BASE,              0x6c0e) \
	F(HOST_SYSENTER_ESP,           0x6c10) \
	F(HOST_SYSENTER_EIP,           0x6c12) \
	F(HOST_RSP,                    0x6c14) \
	F(HOST_RIP,                    0x6c16)

#define VMCS_ENUM(name, encoding) VMCS_##name = (encoding),
enum vmcs_field {
	VMCS_CONTROL_FIELDS(VMCS_ENUM)
	VMCS_EXIT_FIELDS(VMCS_ENUM)
	VMCS_GUEST_FIELDS(VMCS_ENUM)
	VMCS_HOST_FIELDS(VMCS_ENUM)
};
#undef VMCS_ENUM
/* clang-format on */

/* Order of the segment fields: VMCS_GUEST_ES_x + 2 * segment. */
enum segment {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_LDTR,
	SEG_TR,
	SEG_COUNT,
};

enum pin_control {
	PIN_EXTERNAL_INTR_EXITING = 1u << 0,
	PIN_NMI_EXITING           = 1u << 3,
	PIN_VIRTUAL_NMIS          = 1u << 5,
	PIN_PREEMPTION_TIMER      = 1u << 6,
	PIN_POSTED_INTERRUPTS     = 1u << 7,
};

enum cpu_control {
	CPU_INTR_WINDOW_EXITING = 1u << 2,
	CPU_TSC_OFFSETTING      = 1u << 3,
	CPU_HLT_EXITING         = 1u << 7,
	CPU_INVLPG_EXITING      = 1u << 9,
	CPU_MWAIT_EXITING       = 1u << 10,
	CPU_RDPMC_EXITING       = 1u << 11,
	CPU_RDTSC_EXITING       = 1u << 12,
	CPU_CR3_LOAD_EXITING    = 1u << 15,
	CPU_CR3_STORE_EXITING   = 1u << 16,
	CPU_TERTIARY_CONTROLS   = 1u << 17,
	CPU_CR8_LOAD_EXITING    = 1u << 19,
	CPU_CR8_STORE_EXITING   = 1u << 20,
	CPU_TPR_SHADOW          = 1u << 21,
	CPU_NMI_WINDOW_EXITING  = 1u << 22,
	CPU_MOV_DR_EXITING      = 1u << 23,
	CPU_UNCONDITIONAL_IO    = 1u << 24,
	CPU_IO_BITMAPS          = 1u << 25,
	CPU_MONITOR_TRAP_FLAG   = 1u << 27,
	CPU_MSR_BITMAPS         = 1u << 28,
	CPU_MONITOR_EXITING     = 1u << 29,
	CPU_PAUSE_EXITING       = 1u << 30,
	CPU_SECONDARY_CONTROLS  = 1u << 31,
};

enum cpu2_control {
	CPU2_APIC_ACCESSES       = 1u << 0,
	CPU2_EPT                 = 1u << 1,
	CPU2_DESCRIPTOR_EXITING  = 1u << 2,
	CPU2_RDTSCP              = 1u << 3,
	CPU2_X2APIC              = 1u << 4,
	CPU2_VPID                = 1u << 5,
	CPU2_WBINVD_EXITING      = 1u << 6,
	CPU2_UNRESTRICTED_GUEST  = 1u << 7,
	CPU2_APIC_REGISTERS      = 1u << 8,
	CPU2_VIRTUAL_INTERRUPTS  = 1u << 9,
	CPU2_RDRAND_EXITING      = 1u << 11,
	CPU2_INVPCID             = 1u << 12,
	CPU2_VM_FUNCTIONS        = 1u << 13,
	CPU2_ENCLS_EXITING       = 1u << 15,
	CPU2_RDSEED_EXITING      = 1u << 16,
	CPU2_PML                 = 1u << 17,
	CPU2_CONCEAL_FROM_PT     = 1u << 19,
	CPU2_XSAVES              = 1u << 20,
	CPU2_TSC_SCALING         = 1u << 25,
	CPU2_USER_WAIT_AND_PAUSE = 1u << 26,
};

enum exit_control {
	EXIT_SAVE_DEBUG            = 1u << 2,
	EXIT_HOST_64BIT            = 1u << 9,
	EXIT_LOAD_PERF_GLOBAL_CTRL = 1u << 12,
	EXIT_ACK_INTERRUPT         = 1u << 15,
	EXIT_SAVE_PAT              = 1u << 18,
	EXIT_LOAD_PAT              = 1u << 19,
	EXIT_SAVE_EFER             = 1u << 20,
	EXIT_LOAD_EFER             = 1u << 21,
	EXIT_SAVE_TIMER            = 1u << 22,
};

enum entry_control {
	ENTRY_LOAD_DEBUG            = 1u << 2,
	ENTRY_GUEST_64BIT           = 1u << 9, /* "IA-32e mode guest" */
	ENTRY_TO_SMM                = 1u << 10,
	ENTRY_DEACTIVATE_DUAL       = 1u << 11,
	ENTRY_LOAD_PERF_GLOBAL_CTRL = 1u << 13,
	ENTRY_LOAD_PAT              = 1u << 14,
	ENTRY_LOAD_EFER             = 1u << 15,
};

/* "Guest Interruptibility State". */
enum interruptibility {
	BLOCKED_BY_STI    = 1u << 0,
	BLOCKED_BY_MOV_SS = 1u << 1,
	BLOCKED_BY_SMI    = 1u << 2,
	BLOCKED_BY_NMI    = 1u << 3,
};

/* "Pending Debug Exceptions": a single step is due. */
#define PENDING_DEBUG_BS     BIT(14)
#define PENDING_DEBUG_ENABLE BIT(12)

/* Guest segment access rights beyond the descriptor's own bits. */
#define ACCESS_UNUSABLE BIT(16)
#define ACCESS_G        BIT(15)
#define ACCESS_DB       BIT(14)
#define ACCESS_L        BIT(13)
#define ACCESS_P        BIT(7)
#define ACCESS_S        BIT(4)

#endif

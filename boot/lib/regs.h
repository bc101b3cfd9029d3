/* SPDX-License-Identifier: MIT */
/*
 * The names of what the CPU's registers hold: vectors, control register bits,
 * MSR numbers. Names are the SDM's; constants only.
 */
#ifndef BOOT_LIB_REGS_H
#define BOOT_LIB_REGS_H

#include "boot/lib/types.h"

/* Vectors of exceptions (SDM 3A, "Exceptions and Interrupts"). */
enum vector {
	VEC_DE  = 0,
	VEC_DB  = 1,
	VEC_NMI = 2,
	VEC_BP  = 3,
	VEC_OF  = 4,
	VEC_BR  = 5,
	VEC_UD  = 6,
	VEC_NM  = 7,
	VEC_DF  = 8,
	VEC_TS  = 10,
	VEC_NP  = 11,
	VEC_SS  = 12,
	VEC_GP  = 13,
	VEC_PF  = 14,
	VEC_MF  = 16,
	VEC_AC  = 17,
	VEC_MC  = 18,
	VEC_XM  = 19,
	VEC_VE  = 20,
	VEC_CP  = 21,
};

/* Vectors that have an error code on the stack. */
#define VEC_HAS_ERROR_CODE                                                     \
	(BIT(VEC_DF) | BIT(VEC_TS) | BIT(VEC_NP) | BIT(VEC_SS) | BIT(VEC_GP) | \
	 BIT(VEC_PF) | BIT(VEC_AC) | BIT(VEC_CP))

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_KL         BIT(19)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)
#define CR4_CET        BIT(23)
#define CR4_PKS        BIT(24)
#define CR4_UINTR      BIT(25)
#define CR4_LAM_SUP    BIT(28)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define RFLAGS_CF    BIT(0)
#define RFLAGS_FIXED BIT(1) /* reads 1 */
#define RFLAGS_PF    BIT(2)
#define RFLAGS_AF    BIT(4)
#define RFLAGS_ZF    BIT(6)
#define RFLAGS_SF    BIT(7)
#define RFLAGS_TF    BIT(8)
#define RFLAGS_IF    BIT(9)
#define RFLAGS_DF    BIT(10)
#define RFLAGS_OF    BIT(11)
#define RFLAGS_IOPL  FIELD(13, 12)
#define RFLAGS_NT    BIT(14)
#define RFLAGS_RF    BIT(16)
#define RFLAGS_VM    BIT(17)
#define RFLAGS_AC    BIT(18)
#define RFLAGS_VIF   BIT(19)
#define RFLAGS_VIP   BIT(20)
#define RFLAGS_ID    BIT(21)

/* Model-specific registers (SDM 4, "Architectural MSRs"). */
#define MSR_IA32_P5_MC_ADDR               0x0u
#define MSR_IA32_P5_MC_TYPE               0x1u
#define MSR_IA32_MONITOR_FILTER_SIZE      0x6u
#define MSR_IA32_TIME_STAMP_COUNTER       0x10u
#define MSR_IA32_PLATFORM_ID              0x17u
#define MSR_IA32_APIC_BASE                0x1bu
#define MSR_IA32_FEATURE_CONTROL          0x3au
#define MSR_IA32_TSC_ADJUST               0x3bu
#define MSR_IA32_SPEC_CTRL                0x48u
#define MSR_IA32_PRED_CMD                 0x49u
#define PRED_CMD_IBPB                     BIT(0)
#define MSR_IA32_BIOS_UPDT_TRIG           0x79u
#define MSR_IA32_BIOS_SIGN_ID             0x8bu
#define MSR_IA32_SMM_MONITOR_CTL          0x9bu
#define MSR_IA32_SMBASE                   0x9eu
#define MSR_PLATFORM_INFO                 0xceu
#define MSR_IA32_UMWAIT_CONTROL           0xe1u
#define MSR_IA32_MPERF                    0xe7u
#define MSR_IA32_APERF                    0xe8u
#define MSR_IA32_MTRRCAP                  0xfeu
#define MSR_IA32_ARCH_CAPABILITIES        0x10au
#define MSR_IA32_FLUSH_CMD                0x10bu
#define MSR_IA32_TSX_CTRL                 0x122u
#define MSR_MISC_FEATURES_ENABLES         0x140u
#define MSR_IA32_SYSENTER_CS              0x174u
#define MSR_IA32_SYSENTER_ESP             0x175u
#define MSR_IA32_SYSENTER_EIP             0x176u
#define MSR_IA32_MCG_CAP                  0x179u
#define MSR_IA32_MCG_STATUS               0x17au
#define MSR_IA32_MCG_CTL                  0x17bu
#define MSR_IA32_PERFEVTSEL0              0x186u
#define MSR_IA32_PERF_STATUS              0x198u
#define MSR_IA32_PERF_CTL                 0x199u
#define MSR_IA32_CLOCK_MODULATION         0x19au
#define MSR_IA32_THERM_INTERRUPT          0x19bu
#define MSR_IA32_THERM_STATUS             0x19cu
#define MSR_IA32_MISC_ENABLE              0x1a0u
#define MSR_IA32_ENERGY_PERF_BIAS         0x1b0u
#define MSR_IA32_PACKAGE_THERM_STATUS     0x1b1u
#define MSR_IA32_XFD                      0x1c4u
#define MSR_IA32_XFD_ERR                  0x1c5u
#define MSR_IA32_DEBUGCTL                 0x1d9u
#define MSR_IA32_MTRR_PHYSBASE0           0x200u /* + 2 n */
#define MSR_IA32_MTRR_PHYSMASK0           0x201u /* + 2 n */
#define MSR_IA32_MTRR_FIX64K_00000        0x250u
#define MSR_IA32_MTRR_FIX16K_80000        0x258u
#define MSR_IA32_MTRR_FIX16K_A0000        0x259u
#define MSR_IA32_MTRR_FIX4K_C0000         0x268u /* + n, to 0x26f */
#define MSR_IA32_PAT                      0x277u
#define MSR_IA32_MTRR_DEF_TYPE            0x2ffu
#define MSR_IA32_PERF_CAPABILITIES        0x345u
#define MSR_IA32_FIXED_CTR_CTRL           0x38du
#define MSR_IA32_PERF_GLOBAL_STATUS       0x38eu
#define MSR_IA32_PERF_GLOBAL_CTRL         0x38fu
#define MSR_IA32_PEBS_ENABLE              0x3f1u
#define MSR_IA32_MC0_CTL                  0x400u /* + 4 n; STATUS, ADDR, MISC */
#define MSR_IA32_VMX_BASIC                0x480u
#define MSR_IA32_VMX_PINBASED_CTLS        0x481u
#define MSR_IA32_VMX_PROCBASED_CTLS       0x482u
#define MSR_IA32_VMX_EXIT_CTLS            0x483u
#define MSR_IA32_VMX_ENTRY_CTLS           0x484u
#define MSR_IA32_VMX_MISC                 0x485u
#define MSR_IA32_VMX_CR0_FIXED0           0x486u
#define MSR_IA32_VMX_CR0_FIXED1           0x487u
#define MSR_IA32_VMX_CR4_FIXED0           0x488u
#define MSR_IA32_VMX_CR4_FIXED1           0x489u
#define MSR_IA32_VMX_VMCS_ENUM            0x48au
#define MSR_IA32_VMX_PROCBASED_CTLS2      0x48bu
#define MSR_IA32_VMX_EPT_VPID_CAP         0x48cu
#define MSR_IA32_VMX_TRUE_PINBASED_CTLS   0x48du
#define MSR_IA32_VMX_TRUE_PROCBASED_CTLS  0x48eu
#define MSR_IA32_VMX_TRUE_EXIT_CTLS       0x48fu
#define MSR_IA32_VMX_TRUE_ENTRY_CTLS      0x490u
#define MSR_IA32_VMX_VMFUNC               0x491u
#define MSR_IA32_VMX_PROCBASED_CTLS3      0x492u
#define MSR_IA32_DS_AREA                  0x600u
#define MSR_IA32_U_CET                    0x6a0u
#define MSR_IA32_S_CET                    0x6a2u
#define MSR_IA32_PL0_SSP                  0x6a4u
#define MSR_IA32_PL3_SSP                  0x6a7u
#define MSR_IA32_INTERRUPT_SSP_TABLE_ADDR 0x6a8u
#define MSR_IA32_TSC_DEADLINE             0x6e0u
#define MSR_IA32_PKRS                     0x6e1u
#define MSR_IA32_X2APIC_BASE              0x800u /* to 0x8ff */
#define MSR_IA32_X2APIC_APICID            0x802u
#define MSR_IA32_X2APIC_VERSION           0x803u
#define MSR_IA32_X2APIC_TPR               0x808u
#define MSR_IA32_X2APIC_PPR               0x80au
#define MSR_IA32_X2APIC_EOI               0x80bu
#define MSR_IA32_X2APIC_LDR               0x80du
#define MSR_IA32_X2APIC_SIVR              0x80fu
#define MSR_IA32_X2APIC_ISR0              0x810u
#define MSR_IA32_X2APIC_TMR0              0x818u
#define MSR_IA32_X2APIC_IRR0              0x820u
#define MSR_IA32_X2APIC_ESR               0x828u
#define MSR_IA32_X2APIC_LVT_CMCI          0x82fu
#define MSR_IA32_X2APIC_ICR               0x830u
#define MSR_IA32_X2APIC_LVT_TIMER         0x832u
#define MSR_IA32_X2APIC_LVT_THERMAL       0x833u
#define MSR_IA32_X2APIC_LVT_PMI           0x834u
#define MSR_IA32_X2APIC_LVT_LINT0         0x835u
#define MSR_IA32_X2APIC_LVT_LINT1         0x836u
#define MSR_IA32_X2APIC_LVT_ERROR         0x837u
#define MSR_IA32_X2APIC_INIT_COUNT        0x838u
#define MSR_IA32_X2APIC_CUR_COUNT         0x839u
#define MSR_IA32_X2APIC_DIV_CONF          0x83eu
#define MSR_IA32_X2APIC_SELF_IPI          0x83fu
#define MSR_IA32_TME_ACTIVATE             0x982u
#define MSR_IA32_XSS                      0xda0u
#define MSR_IA32_UINTR_RR                 0x985u
#define MSR_IA32_EFER                     0xc0000080u
#define MSR_IA32_STAR                     0xc0000081u
#define MSR_IA32_LSTAR                    0xc0000082u
#define MSR_IA32_CSTAR                    0xc0000083u
#define MSR_IA32_FMASK                    0xc0000084u
#define MSR_IA32_FS_BASE                  0xc0000100u
#define MSR_IA32_GS_BASE                  0xc0000101u
#define MSR_IA32_KERNEL_GS_BASE           0xc0000102u
#define MSR_IA32_TSC_AUX                  0xc0000103u

#define FEATURE_CONTROL_LOCK            BIT(0)
#define FEATURE_CONTROL_VMX_IN_SMX      BIT(1)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX BIT(2)

#define APIC_BASE_BSP    BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

#endif

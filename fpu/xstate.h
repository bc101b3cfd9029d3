/* SPDX-License-Identifier: MIT */
/*
 * The state components of the XSAVE feature set and the two fixed parts of an
 * XSAVE area, as the SDM defines them (volume 1, chapter "Managing State Using
 * the XSAVE Feature Set"). Sizes and offsets of the components are not here:
 * they differ between processors (fpu/layout.h).
 */
#ifndef FPU_XSTATE_H
#define FPU_XSTATE_H

#include "boot/lib/types.h"

#define XSTATE_COUNT                                                           \
	63 /* bit 63 is no component: it marks the compact format */

/* User components: XCR0 enables them. */
#define XSTATE_X87       BIT(0)
#define XSTATE_SSE       BIT(1)
#define XSTATE_AVX       BIT(2)
#define XSTATE_BNDREGS   BIT(3)
#define XSTATE_BNDCSR    BIT(4)
#define XSTATE_OPMASK    BIT(5)
#define XSTATE_ZMM_HI256 BIT(6)
#define XSTATE_HI16_ZMM  BIT(7)
#define XSTATE_PKRU      BIT(9)
#define XSTATE_TILECFG   BIT(17)
#define XSTATE_TILEDATA  BIT(18)
#define XSTATE_APX       BIT(19)

/* Supervisor components: IA32_XSS enables them. */
#define XSTATE_PT    BIT(8)
#define XSTATE_PASID BIT(10)
#define XSTATE_CET_U BIT(11)
#define XSTATE_CET_S BIT(12)
#define XSTATE_HDC   BIT(13)
#define XSTATE_UINTR BIT(14)
#define XSTATE_LBR   BIT(15)
#define XSTATE_HWP   BIT(16)

#define XSTATE_MPX    (XSTATE_BNDREGS | XSTATE_BNDCSR)
#define XSTATE_AVX512 (XSTATE_OPMASK | XSTATE_ZMM_HI256 | XSTATE_HI16_ZMM)
#define XSTATE_AMX    (XSTATE_TILECFG | XSTATE_TILEDATA)

/*
 * Who owns a component. All user components are a vCPU's, those that we do not
 * know by name as well: XCR0 of the host enables every one, so that each is
 * switched whatever a guest may see of it (some, like PKRU, can be used without
 * XCR0's permission). The supervisor components steer the physical CPU (PT,
 * HDC, HWP) or belong to features that no guest is offered, so that none is
 * switched; a feature that comes to be offered (CET) adds its bits here.
 */
#define XSTATE_VCPU_SUPERVISOR 0ULL

#define XCOMP_BV_COMPACTED BIT(63)

/* SDM volume 1, "Legacy Region of an XSAVE Area". */
struct xsave_legacy {
	u16 fcw;
	u16 fsw;
	u8 ftw; /* abridged: a bit per physical register, 1 = not empty */
	u8 reserved0;
	u16 fop;
	u64 fip;
	u64 fdp;
	u32 mxcsr;
	u32 mxcsr_mask;
	u8 st[8][16];
	u8 xmm[16][16];
	u8 reserved1[96];
};
_Static_assert(offsetof(struct xsave_legacy, mxcsr) == 24,
	       "SDM: Legacy Region");
_Static_assert(offsetof(struct xsave_legacy, st) == 32, "SDM: Legacy Region");
_Static_assert(offsetof(struct xsave_legacy, xmm) == 160, "SDM: Legacy Region");
_Static_assert(sizeof(struct xsave_legacy) == 512, "SDM: Legacy Region");

/* SDM volume 1, "XSAVE Header". */
struct xsave_header {
	u64 xstate_bv;   /* components that are not in their initial state */
	u64 xcomp_bv;    /* bit 63: compacted; the rest: which ones have room */
	u64 reserved[6]; /* must be zero, or XRSTORS faults */
};
_Static_assert(sizeof(struct xsave_header) == 64, "SDM: XSAVE Header");

struct xsave_area {
	struct xsave_legacy legacy;
	struct xsave_header header;
	u8 extended[]; /* layout_offset() tells where a component lies */
};
_Static_assert(offsetof(struct xsave_area, header) == 512, "SDM: XSAVE Area");
_Static_assert(offsetof(struct xsave_area, extended) == 576, "SDM: XSAVE Area");

#define XSAVE_ALIGN 64 /* SDM: every instruction but FXSAVE faults without */

/* Registers after RESET (SDM volume 3, "Processor State After Reset"). */
#define FCW_RESET   0x0040 /* not FNINIT's 037FH */
#define FTW_RESET   0xff   /* 5555H in full: all valid, all +0 */
#define MXCSR_RESET 0x1f80
#define XCR0_RESET  XSTATE_X87

#endif

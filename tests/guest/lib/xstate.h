/* SPDX-License-Identifier: MIT */
/*
 * The extended state: XCR0, the XSAVE family and the tile instructions, each
 * as a function that returns the exception it raised, if it can raise one.
 */
#ifndef LIB_XSTATE_H
#define LIB_XSTATE_H

#include "lib/insn.h"
#include "lib/tap.h"
#include "lib/trap.h"

#define XCR0_X87     BIT(0)
#define XCR0_SSE     BIT(1)
#define XCR0_AVX     BIT(2)
#define XCR0_MPX     (BIT(3) | BIT(4))
#define XCR0_AVX512  (BIT(5) | BIT(6) | BIT(7))
#define XCR0_PKRU    BIT(9)
#define TILECFG      BIT(17)
#define TILEDATA     BIT(18)
#define XCR0_TILES   (TILECFG | TILEDATA)
#define XCOMP_PACKED BIT(63)

#define TILECFG_BYTES  64ul
#define TILEDATA_BYTES 8192ul
#define TILE_BYTES     1024ul
#define AREA_BYTES     16384ul

/* The header of an XSAVE area; the legacy region lies before it. */
#define AREA_HEADER 512

struct xsave_header {
	u64 xstate_bv, xcomp_bv, reserved[6];
};
_Static_assert(sizeof(struct xsave_header) == 64, "SDM 1: XSAVE Header");

static inline struct xsave_header *area_header(void *area)
{
	return (struct xsave_header *)((u8 *)area + AREA_HEADER);
}

static inline u64 xgetbv(u32 ecx)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(ecx) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void xsetbv(u64 val)
{
	asm volatile("xsetbv"
		     :
		     : "c"(0), "a"(lo32(val)), "d"(hi32(val))
		     : "memory");
}

#define XSAVE_FORM(name, insn)                                                 \
	static inline struct trap name(void *area, u64 mask)                   \
	{                                                                      \
		return TRY(insn " (%0)",                                       \
			   :                                                   \
			   : "r"(area), "a"(lo32(mask)), "d"(hi32(mask))       \
			   : "memory");                                        \
	}
XSAVE_FORM(xsave, "xsave64")
XSAVE_FORM(xsaveopt, "xsaveopt64")
XSAVE_FORM(xsavec, "xsavec64")
XSAVE_FORM(xsaves, "xsaves64")
XSAVE_FORM(xrstor, "xrstor64")
XSAVE_FORM(xrstors, "xrstors64")

static inline struct trap ldtilecfg(const void *config)
{
	return TRY("ldtilecfg (%0)", : : "r"(config) : "memory");
}

static inline struct trap sttilecfg(void *config)
{
	return TRY("sttilecfg (%0)", : : "r"(config) : "memory");
}

static inline struct trap tilerelease(void)
{
	return TRY("tilerelease", : : : "memory");
}

static inline struct trap tilezero0(void)
{
	return TRY("tilezero %%tmm0", : : : "memory");
}

/* Tile 0 from 16 rows of 64 bytes that lie one after the other. */
static inline struct trap tileload0(const void *from)
{
	return TRY("tileloadd (%0,%1,1), %%tmm0",
		   :
		   : "r"(from), "r"(64ul)
		   : "memory");
}

static inline struct trap tilestore0(void *to)
{
	return TRY("tilestored %%tmm0, (%0,%1,1)",
		   :
		   : "r"(to), "r"(64ul)
		   : "memory");
}

static inline struct trap tdpbssd(void)
{
	return TRY("tdpbssd %%tmm2, %%tmm1, %%tmm0", : : : "memory");
}

/* The palette-1 configuration with eight tiles of 16 rows by 64 bytes. */
extern const u8 tile_config_full[TILECFG_BYTES];

/* Load or store all eight tiles, 8192 bytes; configured in full before. */
void tiles_load(const void *from);
void tiles_store(void *to);

/* Component I of a standard-format area. */
static inline u8 *area_component(void *area, u32 i)
{
	return (u8 *)area + guest.component[i].offset;
}

/*
 * Enable all of XCR0 (or all but the tiles), CR4.OSXSAVE first. Writes no
 * XFD register. xstate_start() leaves the tiles released and configured.
 */
void xstate_enable(bool tiles);
void xstate_start(void);

/* As xstate_start(), with XFD and XFD_ERR written to 0 too. */
void xstate_reset(void);

/* This CPU's scratch area, 16 KiB, zeroed. */
void *area_scratch(void);

/* Every byte of STATE an XSAVE area can legally hold, from SEED. */
void area_random(void *area, u64 components, u64 seed);

/* Copy component I from one standard area to another. */
void area_copy(void *to, const void *from, u32 i);

/* The first component in which the standard areas A and B differ, or -1. */
int area_difference(const void *a, const void *b, u64 components);

#endif

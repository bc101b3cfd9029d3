/* SPDX-License-Identifier: MIT */
/* Areas and tiles as whole values: set up, randomise, compare. */
#include "lib/xstate.h"

#include "lib/page.h"
#include "lib/tap.h"

#define LEGACY_MXCSR      24
#define LEGACY_MXCSR_MASK 28
#define LEGACY_ST0        32
#define LEGACY_XMM0       160
#define XMM_BYTES         256

const u8 tile_config_full[TILECFG_BYTES] __attribute__((aligned(64))) = {
	[0]  = 1,                                   /* palette */
	[16] = 64, [18] = 64, [20] = 64, [22] = 64, /* bytes per row */
	[24] = 64, [26] = 64, [28] = 64, [30] = 64, [48] = 16, 16,
	16,        16,        16,        16,        16,        16, /* rows */
};

void tiles_load(const void *from)
{
	const u8 *p = from;

#define LOAD(n)                                                                \
	asm volatile("tileloadd (%0,%1,1), %%tmm" #n                           \
		     :                                                         \
		     : "r"(p + (n)*TILE_BYTES), "r"(64ul)                      \
		     : "memory")
	LOAD(0);
	LOAD(1);
	LOAD(2);
	LOAD(3);
	LOAD(4);
	LOAD(5);
	LOAD(6);
	LOAD(7);
#undef LOAD
}

void tiles_store(void *to)
{
	u8 *p = to;

#define STORE(n)                                                               \
	asm volatile("tilestored %%tmm" #n ", (%0,%1,1)"                       \
		     :                                                         \
		     : "r"(p + (n)*TILE_BYTES), "r"(64ul)                      \
		     : "memory")
	STORE(0);
	STORE(1);
	STORE(2);
	STORE(3);
	STORE(4);
	STORE(5);
	STORE(6);
	STORE(7);
#undef STORE
}

void xstate_enable(bool tiles)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	xsetbv(tiles ? guest.xcr0_max : guest.xcr0_max & ~XCR0_TILES);
}

void xstate_start(void)
{
	xstate_enable(guest.has_amx);
	if (guest.has_amx) {
		asm volatile("tilerelease");
		asm volatile("ldtilecfg (%0)" : : "r"(tile_config_full));
	}
}

void xstate_reset(void)
{
	xstate_start();
	if (guest.has_xfd) {
		wrmsr(MSR_XFD, 0);
		wrmsr(MSR_XFD_ERR, 0);
	}
}

void *area_scratch(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->area)
		cpu->area = page_alloc(AREA_BYTES / PAGE_BYTES);
	memset(cpu->area, 0, AREA_BYTES);
	return cpu->area;
}

static void legacy_random(u8 *area, u64 components, u64 seed)
{
	if (components & XCR0_X87) {
		const u64 r = random_next(&seed);

		area[0] = 0x7f; /* all exceptions masked */
		area[1] = (u8)((r & 0x0f) | 0x00);
		area[2] = 0x41; /* no pending unmasked exception */
		area[3] = (u8)(r >> 8 & 0x7f);
		area[4] = (u8)(r >> 16);
		for (u32 i = 0; i < 8; i++)
			mem_random(area + LEGACY_ST0 + 16ul * i, 10,
				   random_next(&seed));
	}
	if (components & XCR0_SSE) {
		const u32 mxcsr = 0x1f80 | (random_next(&seed) & 0xe03f);

		memcpy(area + LEGACY_MXCSR, &mxcsr, sizeof(mxcsr));
		mem_random(area + LEGACY_XMM0, XMM_BYTES, random_next(&seed));
	}
}

void area_random(void *area, u64 components, u64 seed)
{
	u8 *a = area;

	memset(a, 0, AREA_BYTES);
	legacy_random(a, components, seed);
	for (u32 i = 2; i < 63; i++) {
		if (!(components & BIT(i)))
			continue;
		const struct component c = guest.component[i];

		if (BIT(i) == TILECFG)
			memcpy(a + c.offset, tile_config_full, TILECFG_BYTES);
		else
			mem_random(a + c.offset,
				   BIT(i) == XCR0_PKRU ? 4 : c.bytes,
				   random_next(&seed) + i);
	}
	area_header(a)->xstate_bv = components;
}

static bool legacy_same(const u8 *a, const u8 *b, u32 component)
{
	if (component == 1)
		return memcmp(a + LEGACY_XMM0, b + LEGACY_XMM0, XMM_BYTES) ==
			       0 &&
		       memcmp(a + LEGACY_MXCSR, b + LEGACY_MXCSR, 4) == 0;
	if (memcmp(a, b, 5) != 0)
		return false;
	for (u32 i = LEGACY_ST0; i < LEGACY_XMM0; i += 16)
		if (memcmp(a + i, b + i, 10) != 0)
			return false;
	return true;
}

int area_difference(const void *a, const void *b, u64 components)
{
	const u8 *x = a;
	const u8 *y = b;

	for (u32 i = 0; i < 63; i++) {
		if (!(components & BIT(i)))
			continue;
		if (i < 2) {
			if (!legacy_same(x, y, i))
				return (int)i;
			continue;
		}
		const struct component c = guest.component[i];
		const u32 bytes          = BIT(i) == XCR0_PKRU ? 4 : c.bytes;

		if (memcmp(x + c.offset, y + c.offset, bytes) != 0)
			return (int)i;
	}
	return -1;
}

void area_copy(void *to, const void *from, u32 i)
{
	const struct component c = guest.component[i];
	u8 *t                    = to;
	const u8 *f              = from;

	if (i == 0) {
		memcpy(t, f, LEGACY_MXCSR);
		memcpy(t + LEGACY_ST0, f + LEGACY_ST0,
		       LEGACY_XMM0 - LEGACY_ST0);
	} else if (i == 1) {
		memcpy(t + LEGACY_MXCSR, f + LEGACY_MXCSR, 8);
		memcpy(t + LEGACY_XMM0, f + LEGACY_XMM0, XMM_BYTES);
	} else {
		memcpy(t + c.offset, f + c.offset, c.bytes);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The instructions and the page allocator of tests/proof/model.h. Included by
 * the proofs, so that what is static inline in the real headers is so here.
 */
#include "tests/proof/model.h"

#include "boot/lib/string.h"

struct cpu cpu;
static struct {
	struct xsave_area area;
	u8 rest[RUN_PAGES_MAX * PAGE_SIZE - sizeof(struct xsave_area)];
} memory_0, memory_1, memory_2;
bool run_taken[RUNS];
u32 run_pages[RUNS];
u32 run_dirty[RUNS];
u32 run_image[RUNS];
bool may_allocate;

bool model_xcr0_is_valid(u64 value)
{
	return (value & 1) && !(value & ~(u64)M_USER) &&
	       (value >> 17 & 1) == (value >> 18 & 1);
}

static const struct {
	u64 bit;
	u32 bytes;
	bool aligned;
} extended[] = {
	{ B_PKRU, 8, false },
	{ B_CFG, 64, true },
	{ B_TILE, 8192, true },
	{ B_NEXT, 4660, true },
};

u64 model_compacted_bytes(u64 components)
{
	u64 end = 576;

	for (int i = 0; i < 4; i++) {
		if (!(components & extended[i].bit))
			continue;
		if (extended[i].aligned && end % 64)
			end += 64 - end % 64;
		end += extended[i].bytes;
	}
	return end;
}

u64 model_pages(u64 components)
{
	return (model_compacted_bytes(components) + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* ---- CPUID ---- */

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	const u32 ecx = MACHINE == 3 ? 2 : 6;

	CHECK("H1 only leaf 0DH is read", true, leaf == 0xd);
	switch (subleaf) {
	case 0:
		return (struct cpuid_regs){ (u32)M_USER, 0, 0, 0 };
	case 1:
		return (struct cpuid_regs){ MACHINE == 3   ? 0xf
					    : MACHINE == 4 ? 0x17
							   : 0x1f,
					    0, 0x1800, 0 };
	case 9:
		return (struct cpuid_regs){ 8, 0xa80, 0, 0 };
	case 11:
		return (struct cpuid_regs){ 0x10, 0, 1, 0 };
	case 12:
		return (struct cpuid_regs){ 0x18, 0, 1, 0 };
	case 17:
		return (struct cpuid_regs){ 64, 0xac0, 2, 0 };
	case 18:
		return (struct cpuid_regs){ 8192, 0xb00, ecx, 0 };
	case 20:
		if (MACHINE == 2)
			return (struct cpuid_regs){ 4660, 0x2b00, 6, 0 };
	}
	return (struct cpuid_regs){ 0 };
}

/* ---- registers ---- */

static inline u64 rdmsr(u32 msr)
{
	CHECK("H2 RDMSR of an MSR that this CPU has", true,
	      (msr == MSR_IA32_XSS && MACHINE_HAS_XSAVES) ||
		      (MACHINE_HAS_XFD &&
		       (msr == MSR_IA32_XFD || msr == MSR_IA32_XFD_ERR)));
	return msr == MSR_IA32_XFD       ? cpu.xfd
	       : msr == MSR_IA32_XFD_ERR ? cpu.xfd_err
					 : cpu.xss;
}

static inline void wrmsr(u32 msr, u64 value)
{
	CHECK("H3 WRMSR of an MSR that this CPU has, of a legal value", true,
	      msr == MSR_IA32_XSS ? MACHINE_HAS_XSAVES && !(value & ~0x1800ULL)
				  : MACHINE_HAS_XFD &&
					    (msr == MSR_IA32_XFD ||
					     msr == MSR_IA32_XFD_ERR) &&
					    !(value & ~(u64)M_XFD));
	if (msr == MSR_IA32_XFD)
		cpu.xfd = value;
	else if (msr == MSR_IA32_XFD_ERR)
		cpu.xfd_err = value;
	else
		cpu.xss = value;
}

static inline u64 xgetbv(u32 index)
{
	u64 in_use = 3;

	for (int i = 0; i < TRACKED; i++)
		in_use |= cpu.content[i] ? bit_of[i] : 0;
	return index ? cpu.xcr0 & in_use : cpu.xcr0;
}

static inline void xsetbv(u32 index, u64 value)
{
	CHECK("P15 XCR0 gets only valid combinations", true,
	      index == 0 && model_xcr0_is_valid(value));
	cpu.xcr0 = value;
}

static inline void tilerelease(void)
{
	CHECK("H4 TILERELEASE with XCR0[18:17] set", true,
	      (cpu.xcr0 & XSTATE_AMX) == XSTATE_AMX);
	cpu.content[CFG] = cpu.content[TILE] = 0;
	cpu.modified |= 1 << CFG | 1 << TILE;
}

/* ---- pages ---- */

u8 model_run(const void *p)
{
	const u8 r = __CPROVER_same_object(p, &memory_0)   ? 0
		     : __CPROVER_same_object(p, &memory_1) ? 1
		     : __CPROVER_same_object(p, &memory_2) ? 2
							   : NO_RUN;

	__CPROVER_assert(r != NO_RUN, "H5 an address that is no run of pages");
	ASSUME(r != NO_RUN);
	return r;
}

static u64 offset_in(const void *p)
{
	return __CPROVER_POINTER_OFFSET(p);
}

static void *memory_of(u8 r)
{
	return r == 0   ? &memory_0.area
	       : r == 1 ? &memory_1.area
			: &memory_2.area;
}

static struct xsave_header get_header(u8 r)
{
	return r == 0   ? memory_0.area.header
	       : r == 1 ? memory_1.area.header
			: memory_2.area.header;
}

static void set_header(u8 r, u64 xstate_bv, u64 xcomp_bv)
{
	const struct xsave_header h = { xstate_bv, xcomp_bv };

	if (r == 0)
		memory_0.area.header = h;
	else if (r == 1)
		memory_1.area.header = h;
	else
		memory_2.area.header = h;
}

/* Software writes the run, so that an image in it is one no more. */
static void zero(u8 r)
{
	if (cpu.restored == r)
		cpu.intact = false;
	set_header(r, 0, 0);
	run_image[r] = 0;
}

void *pages_alloc(u64 page_count)
{
	const u8 r = nondet_u8();

	CHECK("P14 memory is only taken where that is allowed", true,
	      may_allocate);
	CHECK("H6 a run has pages", true, page_count > 0);
	if (r >= RUNS || run_taken[r] || page_count > RUN_PAGES_MAX)
		return NULL;
	zero(r);
	run_pages[r] = (u32)page_count;
	run_taken[r] = true;
	run_dirty[r] = 0;
	return memory_of(r);
}

/* All of a run, or its end. */
void pages_free(void *p, u64 page_count)
{
	const u8 r      = model_run(p);
	const u64 first = offset_in(p) / PAGE_SIZE;

	CHECK("P11 a run is given back once, as it was taken", true,
	      run_taken[r] && offset_in(p) % PAGE_SIZE == 0 && page_count &&
		      first + page_count == run_pages[r]);
	CHECK("P11 and scrubbed", true, run_dirty[r] <= offset_in(p));
	zero(r);
	run_pages[r] = (u32)first;
	run_taken[r] = first != 0;
}

u64 pages_free_count(void)
{
	return nondet_u32();
}

/* Only ever of an area, from its start. */
void *memset(void *to, int byte, size_t n)
{
	const u8 r = model_run(to);

	CHECK("P3 memset within the run", true,
	      run_taken[r] && offset_in(to) == 0 &&
		      n <= run_pages[r] * PAGE_SIZE);
	CHECK("H7 memset to zero of at least the header", true,
	      byte == 0 && n >= 576);
	zero(r);
	if (n >= run_dirty[r])
		run_dirty[r] = 0;
	return to;
}

/* ---- save and restore, compacted format ---- */

/* Some component that XFD disables is not in its initial state. */
static bool hidden_state(void)
{
	for (int i = 0; i < TRACKED; i++)
		if (cpu.content[i] && (cpu.xfd & bit_of[i]))
			return true;
	return false;
}

static bool fits(u8 r, u64 components)
{
	return run_taken[r] &&
	       model_compacted_bytes(components) <= run_pages[r] * PAGE_SIZE;
}

static void save(struct xsave_area *a, u64 rfbm)
{
	const u8 r        = model_run(a);
	const u64 xcomp   = XCOMP_BV_COMPACTED | rfbm;
	const bool repeat = cpu.restored == r && cpu.restored_xcomp == xcomp;
	u64 bv            = nondet_u64() & rfbm & ~B_FOLLOWED;
	u32 image         = run_image[r];

	CHECK("P2 no save with XFD set over live state", cpu.content[TILE] != 0,
	      !hidden_state());
	CHECK("P3 a save fits its area", rfbm & M_XFD, fits(r, rfbm));
	CHECK("P3 a save fits its area, small", !(rfbm & B_TILE),
	      fits(r, rfbm));
	CHECK("P13 the image that a save may leave as it is was not touched",
	      repeat, cpu.intact);
	for (int i = 0; i < TRACKED; i++) {
		const bool off = cpu.xcr0 & cpu.xfd & bit_of[i];

		if (!(rfbm & bit_of[i]) || off || !cpu.content[i])
			continue;
		bv |= bit_of[i];
		/* The modified optimisation: the CPU may, it need not. */
		if (repeat && !(cpu.modified & 1 << i) && nondet_bool())
			continue;
		image = (image & ~(0xffu << 8 * i)) | (u32)cpu.content[i]
							      << 8 * i;
	}
	run_image[r] = image;
	run_dirty[r] = (u32)max_u64(run_dirty[r], model_compacted_bytes(rfbm));
	set_header(r, bv, xcomp);
}

static void restore(struct xsave_area *a, u64 rfbm, u64 enabled)
{
	const u8 r                  = model_run(a);
	const struct xsave_header h = get_header(r);
	const u64 room              = h.xcomp_bv & ~XCOMP_BV_COMPACTED;

	CHECK("P1 no restore of state that XFD disables", h.xstate_bv & B_TILE,
	      !(h.xstate_bv & rfbm & cpu.xcr0 & cpu.xfd));
	CHECK("P3 a restore stays within its area", true, fits(r, room));
	CHECK("H8 no #GP by the header", true,
	      (h.xcomp_bv & XCOMP_BV_COMPACTED) && !(room & ~enabled) &&
		      !(h.xstate_bv & ~room) && !h.reserved[0] &&
		      !h.reserved[5]);
	CHECK("H9 a restore names every component", true,
	      rfbm == enabled && (rfbm & M_USER) == M_USER);
	for (int i = 0; i < TRACKED; i++)
		if (rfbm & bit_of[i])
			cpu.content[i] =
				h.xstate_bv & bit_of[i]
					? (u8)(run_image[r] >> 8 * i & 0xff)
					: 0;
	cpu.modified       = 0;
	cpu.restored       = r;
	cpu.restored_xcomp = h.xcomp_bv;
	cpu.intact         = true;
}

static inline void xsaves(struct xsave_area *a, u64 mask)
{
	save(a, mask & (cpu.xcr0 | cpu.xss));
}

static inline void xsavec(struct xsave_area *a, u64 mask)
{
	save(a, mask & cpu.xcr0);
}

static inline void xrstors(struct xsave_area *a, u64 mask)
{
	restore(a, mask & (cpu.xcr0 | cpu.xss), cpu.xcr0 | cpu.xss);
}

static inline void xrstor(struct xsave_area *a, u64 mask)
{
	restore(a, mask & cpu.xcr0, cpu.xcr0);
}

/* The machine of these proofs has XSAVES: the standard format is not used. */
static inline void xsave(struct xsave_area *a, u64 mask)
{
	__CPROVER_assert(false, "H10 no XSAVE here");
}

static inline void xsaveopt(struct xsave_area *a, u64 mask)
{
	__CPROVER_assert(false, "H10 no XSAVEOPT here");
}

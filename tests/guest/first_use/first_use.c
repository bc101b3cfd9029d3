/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's first use of tiles, by every instruction that can be the first:
 * xfd.md F.1-F.18 and F.20. Exit counts are in exit_counts.
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/nm.h"
#include "lib/page.h"
#include "lib/smp.h"

#define NON_CANONICAL 0x8000000000000000ul
#define VECTOR_SELF   0x41
#define PACKED_17     576 /* the first component of a compacted area */
#define PACKED_18     640
#define WAIT_TICKS    100000

static const u8 *source;
static u8 sink[TILEDATA_BYTES] __attribute__((aligned(64)));
static u8 config[TILECFG_BYTES] __attribute__((aligned(64)));

/* Tiles configured, XFD and XFD_ERR 0; a CPU that never wrote XFD still has. */
static void start(void)
{
	source = tile_source();
	memset(sink, 0xff, sizeof(sink));
	tiles_start();
}

static u64 growths(void)
{
	return counted(CALL_GROWTHS, 0);
}

static bool f1(void)
{
	start();
	nm_watch(NM_ENABLE, 0, true);
	return none(tileload0(source)) && same("#NM", nm_seen.count, 0) &&
	       xfd_is(0, 0) && tile0_is(source) && none(tileload0(source)) &&
	       tile0_is(source);
}

static bool f1_inject(void)
{
	start();
	return took(tileload0(source), TRAP_NM, 0) && xfd_is(0, TILEDATA);
}

static bool f2(void)
{
	start();
	wrmsr(MSR_XFD, TILEDATA);
	wrmsr(MSR_XFD, 0);
	return xfd_is(0, 0) && none(tileload0(source)) && xfd_is(0, 0) &&
	       tile0_is(source);
}

static bool f3(void)
{
	const u64 cr2 = 0x123456789000;

	start();
	write_cr2(cr2);
	const u64 dr6 = read_dr6();

	wrmsr(MSR_XFD, TILEDATA);
	nm_watch(NM_ENABLE, 1, true);
	return xfd_is(TILEDATA, 0) && none(tileload0(source)) &&
	       same("#NM", nm_seen.count, 1) &&
	       same("RIP", nm_seen.frame.rip, this_cpu()->insn) &&
	       same("XFD_ERR in the handler", nm_seen.xfd_err, TILEDATA) &&
	       same("XFD in the handler", nm_seen.xfd, TILEDATA) &&
	       same("CR0.TS", nm_seen.cr0 & CR0_TS, 0) &&
	       same("CR2", nm_seen.cr2, cr2) && same("DR6", nm_seen.dr6, dr6) &&
	       xfd_is(0, 0) && tile0_is(source);
}

/* Under inject the retry is trapped, and reflected with XFD clear. */
static bool f3_inject(void)
{
	start();
	wrmsr(MSR_XFD, TILEDATA);
	nm_watch(NM_ENABLE, 2, true);
	return none(tileload0(source)) && same("#NM", nm_seen.count, 2) &&
	       same("XFD in the last handler", nm_seen.xfd, 0) &&
	       tile0_is(source);
}

static bool f4(void)
{
	const u32 times = 100;

	start();
	wrmsr(MSR_XFD, TILEDATA);
	nm_watch(NM_RETURN, times, true);
	const struct trap t = tileload0(source);
	const bool ok       = took(t, TRAP_NM, 0) &&
			same("#NM", nm_seen.count, times + 1) &&
			same("XFD_ERR", nm_seen.xfd_err, TILEDATA);

	xstate_reset();
	return ok;
}

/* An image of live tiles, standard or compacted. */
static void *image(bool packed)
{
	u8 *area = area_scratch();

	area_header(area)->xstate_bv = XCR0_TILES;
	if (packed)
		area_header(area)->xcomp_bv = XCOMP_PACKED | XCR0_TILES;
	memcpy(packed ? area + PACKED_17 : area_component(area, 17),
	       tile_config_full, TILECFG_BYTES);
	memcpy(packed ? area + PACKED_18 : area_component(area, 18), source,
	       TILEDATA_BYTES);
	return area;
}

static bool f5_standard(void)
{
	start();
	return none(xrstor(image(false), XCR0_TILES)) && xfd_is(0, 0) &&
	       tiles_are(source);
}

static bool f5_packed(void)
{
	start();
	return none(xrstor(image(true), XCR0_TILES)) && xfd_is(0, 0) &&
	       tiles_are(source);
}

static bool f5_xrstors(void)
{
	start();
	return none(xrstors(image(true), XCR0_TILES)) && xfd_is(0, 0) &&
	       tiles_are(source);
}

static bool f6(void)
{
	start();
	u8 *area = image(false);

	wrmsr(MSR_XFD, TILEDATA);
	const bool ok = took(xrstor(area, XCR0_TILES), TRAP_NM, 0) &
			xfd_is(TILEDATA, TILEDATA);

	xstate_reset();
	return ok;
}

static bool f7(void)
{
	start();
	u8 *area = area_scratch();

	tiles_load(source);
	area_header(area)->xstate_bv = TILECFG;
	memcpy(area_component(area, 17), tile_config_full, TILECFG_BYTES);
	wrmsr(MSR_XFD, TILEDATA);
	const bool quiet = none(xrstor(area, XCR0_TILES));
	const bool msrs  = xfd_is(TILEDATA, 0);

	wrmsr(MSR_XFD, 0);
	return quiet && msrs && tiles_are(NULL);
}

static bool f8(void)
{
	start();
	const u64 grown = growths();
	u8 *area        = area_scratch();

	memset(area, 0xff, AREA_BYTES);
	return none(xsavec(area, TILEDATA)) &&
	       same("XSTATE_BV[18]", area_header(area)->xstate_bv & TILEDATA,
		    0) &&
	       same("XCOMP_BV", area_header(area)->xcomp_bv,
		    XCOMP_PACKED | TILEDATA) &&
	       is("the tile bytes are untouched",
		  mem_is(area + PACKED_17, 0xff, TILEDATA_BYTES + 64)) &&
	       same("growths", growths(), grown);
}

static bool f9(void)
{
	start();
	const u64 grown = growths();
	u8 *area        = area_scratch();

	memset(area, 0xff, AREA_BYTES);
	memset(area_header(area), 0, sizeof(struct xsave_header));
	return none(xsave(area, XCR0_TILES)) &&
	       same("XSTATE_BV[18]", area_header(area)->xstate_bv & TILEDATA,
		    0) &&
	       is("the tile bytes are zero",
		  mem_is(area_component(area, 18), 0, TILEDATA_BYTES)) &&
	       same("growths", growths(), grown);
}

static bool f10(void)
{
	start();
	const u64 grown = growths();
	const u64 used  = xgetbv(1);

	asm volatile("tilerelease");
	return same("XINUSE[17] after LDTILECFG", used & TILECFG, TILECFG) &&
	       same("XINUSE after TILERELEASE", xgetbv(1) & XCR0_TILES, 0) &&
	       same("growths", growths(), grown);
}

static bool config_instructions(u64 xfd)
{
	start();
	wrmsr(MSR_XFD, xfd);
	const u64 grown = growths();

	nm_watch(NM_ENABLE, 0, false);
	const bool ok =
		none(ldtilecfg(tile_config_full)) && none(sttilecfg(config)) &&
		is("the image comes back",
		   memcmp(config, tile_config_full, TILECFG_BYTES) == 0) &&
		none(tilerelease()) && none(sttilecfg(config)) &&
		is("released is all zeros", mem_is(config, 0, TILECFG_BYTES)) &&
		same("#NM", nm_seen.count, 0) &&
		same("growths", growths(), grown) && xfd_is(xfd, 0);

	wrmsr(MSR_XFD, 0);
	return ok;
}

static bool f11_off(void)
{
	return config_instructions(0);
}

static bool f11_on(void)
{
	return config_instructions(TILEDATA);
}

static bool f12_tilezero(void)
{
	start();
	return none(tilezero0()) && xfd_is(0, 0);
}

static bool f12_tilestored(void)
{
	start();
	return none(tilestore0(sink)) && xfd_is(0, 0) &&
	       is("zeros are stored", mem_is(sink, 0, TILE_BYTES));
}

static bool f12_tdpbssd(void)
{
	start();
	return none(tdpbssd()) && xfd_is(0, 0) && none(tilestore0(sink)) &&
	       is("0 + 0 * 0 is 0", mem_is(sink, 0, TILE_BYTES));
}

static bool f13_off(void)
{
	start();
	asm volatile("tilerelease");
	return took(tilezero0(), TRAP_UD, 0) && xfd_is(0, 0);
}

static bool f13_on(void)
{
	start();
	asm volatile("tilerelease");
	wrmsr(MSR_XFD, TILEDATA);
	const bool ok =
		took(tilezero0(), TRAP_NM, 0) & xfd_is(TILEDATA, TILEDATA);

	xstate_reset();
	return ok;
}

/* TDPBSSD tmm0, tmm0, tmm1: no assembler writes it. */
static struct trap tdpbssd_twice(void)
{
	return TRY(".byte 0xc4, 0xe2, 0x73, 0x5e, 0xc0", : : : "memory");
}

static bool f14_off(void)
{
	start();
	return took(tdpbssd_twice(), TRAP_UD, 0) && xfd_is(0, 0);
}

static bool f14_on(void)
{
	start();
	wrmsr(MSR_XFD, TILEDATA);
	const bool ok = took(tdpbssd_twice(), TRAP_UD, 0) & xfd_is(TILEDATA, 0);

	xstate_reset();
	return ok;
}

static u32 pf_count;
static u64 pf_cr2, pf_error;
static u8 *pf_page;

static bool on_pf(struct frame *f)
{
	pf_count++;
	pf_cr2   = read_cr2();
	pf_error = f->error;
	asm volatile("sttilecfg (%0)" : : "r"(config) : "memory");
	window_map(1, pf_page, PTE_PRESENT | PTE_WRITE);
	return true;
}

/* Rows 0-4 end where the missing page begins. */
static bool f15(void)
{
	const u32 rows = 5;
	u8 *pages      = page_alloc(2);
	u8 *va         = window_map(0, pages, PTE_PRESENT | PTE_WRITE);

	start();
	pf_count = 0;
	pf_page  = pages + PAGE_BYTES;
	window_map(1, NULL, 0);
	memcpy(pages + PAGE_BYTES - 64ul * rows, source, TILE_BYTES);
	trap_set_hook(TRAP_PF, on_pf);
	const struct trap t = tileload0(va + PAGE_BYTES - 64ul * rows);

	trap_set_hook(TRAP_PF, NULL);
	return none(t) && same("#PF", pf_count, 1) &&
	       same("CR2", pf_cr2, WINDOW + PAGE_BYTES) &&
	       same("error code", pf_error, 0) &&
	       same("start_row at the fault", config[1], rows) &&
	       xfd_is(0, 0) && tile0_is(source) && none(sttilecfg(config)) &&
	       same("start_row afterwards", config[1], 0);
}

static bool f16_gp(void)
{
	start();
	return took(tileload0((void *)NON_CANONICAL), TRAP_GP, 0) &&
	       xfd_is(0, 0);
}

static bool f16_ss(void)
{
	start();
	const struct trap t =
		TRY_WITHIN("mov %%rbp, %%r12; mov %0, %%rbp",
			   "tileloadd (%%rbp,%1,1), %%tmm0", "mov %%r12, %%rbp",
			   :
			   : "r"(NON_CANONICAL), "r"(64ul)
			   : "r12", "memory");

	return took(t, TRAP_SS, 0) && xfd_is(0, 0);
}

static bool f17(void)
{
	extern u8 image_end[];
	const u8 *far = image_end + 0x200000;

	start();
	return none(tileload0(far)) && xfd_is(0, 0) && tile0_is(far);
}

static u64 user_first_use(u64 arg)
{
	(void)arg;
	return tileload0(source).vector;
}

static bool f18_on(void)
{
	start();
	wrmsr(MSR_XFD, TILEDATA);
	nm_watch(NM_ENABLE, 1, true);
	const u64 vector = user_call(user_first_use, 0);
	const u64 stack  = this_cpu()->tss.rsp[0];

	return same("vector", vector, TRAP_NONE) &&
	       same("#NM", nm_seen.count, 1) &&
	       same("CPL", nm_seen.frame.cs & 3, 3) &&
	       same("frame", nm_seen.frame_at + sizeof(struct frame), stack) &&
	       same("XFD_ERR in the handler", nm_seen.xfd_err, TILEDATA) &&
	       xfd_is(0, 0) && tile0_is(source);
}

static bool f18_off(void)
{
	start();
	nm_watch(NM_ENABLE, 0, true);
	return same("vector", user_call(user_first_use, 0), TRAP_NONE) &&
	       same("#NM", nm_seen.count, 0) && xfd_is(0, 0) &&
	       tile0_is(source);
}

static volatile u32 event_count, nested_count;

static bool on_self(struct frame *f)
{
	(void)f;
	event_count++;
	asm volatile("tileloadd (%0,%1,1), %%tmm0"
		     :
		     : "r"(source), "r"(64ul)
		     : "memory");
	apic_eoi();
	return true;
}

static void wait_for(volatile u32 *count, u32 want)
{
	const u64 end = rdtsc() + WAIT_TICKS * 100;

	while (*count < want && rdtsc() < end)
		pause();
}

static bool f20_interrupt(void)
{
	start();
	apic_enable();
	event_count = 0;
	trap_set_hook(VECTOR_SELF, on_self);
	sti();
	apic_send(this_cpu()->index, VECTOR_SELF);
	wait_for(&event_count, 1);
	cli();
	return same("interrupts", event_count, 1) && xfd_is(0, 0) &&
	       tile0_is(source);
}

/* The first NMI sends another one, which must wait for IRET. */
static bool on_nmi(struct frame *f)
{
	(void)f;
	if (event_count++)
		return true;
	apic_send(this_cpu()->index, APIC_NMI);
	asm volatile("tileloadd (%0,%1,1), %%tmm0"
		     :
		     : "r"(source), "r"(64ul)
		     : "memory");
	for (const u64 end = rdtsc() + WAIT_TICKS; rdtsc() < end;)
		pause();
	nested_count = event_count;
	return true;
}

static bool f20_nmi(void)
{
	start();
	apic_enable();
	event_count = nested_count = 0;
	trap_set_hook(TRAP_NMI, on_nmi);
	apic_send(this_cpu()->index, APIC_NMI);
	wait_for(&event_count, 2);
	return same("NMIs when the first handler ended", nested_count, 1) &&
	       same("NMIs in the end", event_count, 2) && xfd_is(0, 0) &&
	       tile0_is(source);
}

static bool f75(void)
{
	const bool rtm = cpuid(7, 0).b >> 11 & 1;
	u32 status     = ~0u;

	start();
	nm_watch(NM_ENABLE, 0, false);
	const u64 grown = growths();
	const struct trap t =
		TRY(".byte 0xc7, 0xf8, 0x0b, 0, 0, 0\n\t" /* XBEGIN over it */
		    "tileloadd (%1,%2,1), %%tmm0\n\t"
		    "xend\n\t"
		    "nop\n\tnop",
		    : "+a"(status)
		    : "r"(source), "r"(64ul)
		    : "memory");

	if (!rtm)
		return took(t, TRAP_UD, 0);
	return none(t) && is("the transaction aborted", status != ~0u) &&
	       same("#NM", nm_seen.count, 0) &&
	       same("growths", growths(), grown);
}

#define SEEN   (NEEDS_AMX | FRESH)
#define SILENT (NEEDS_AMX | FRESH | NOT_INJECT)

const struct claim claims[] = {
	{ "F.1 TILELOADD completes if XFD was never written", f1, SILENT },
	{ "F.1 inject shows a #NM that XFD does not explain", f1_inject,
	  NEEDS_AMX | FRESH | ON_INJECT },
	{ "F.2 TILELOADD completes after XFD was set and cleared", f2, SILENT },
	{ "F.3 XFD set: exactly one #NM, then it completes", f3, SILENT },
	{ "F.3 inject shows a second #NM after XFD was cleared", f3_inject,
	  NEEDS_AMX | FRESH | ON_INJECT },
	{ "F.4 a handler that only returns sees #NM for ever", f4, SEEN },
	{ "F.5 XRSTOR of a standard image is a first use", f5_standard,
	  SILENT },
	{ "F.5 XRSTOR of a compacted image is a first use", f5_packed, SILENT },
	{ "F.5 XRSTORS is a first use", f5_xrstors, SILENT },
	{ "F.6 XFD set: XRSTOR of live tiles is #NM", f6, SEEN },
	{ "F.7 XFD set: XRSTOR of initial tiles is no #NM", f7, SILENT },
	{ "F.8 XSAVEC before first use omits the tiles", f8, SEEN },
	{ "F.9 XSAVE before first use writes zeros", f9, SEEN },
	{ "F.10 XGETBV(1) before first use", f10, SEEN },
	{ "F.11 LDTILECFG, STTILECFG, TILERELEASE are no use", f11_off, SEEN },
	{ "F.11 nor with XFD set, and no #NM", f11_on, SEEN },
	{ "F.12 TILEZERO as first use", f12_tilezero, SILENT },
	{ "F.12 TILESTORED as first use stores zeros", f12_tilestored, SILENT },
	{ "F.12 TDPBSSD as first use", f12_tdpbssd, SILENT },
	{ "F.13 TILEZERO without configuration is only #UD", f13_off, SILENT },
	{ "F.13 XFD set: it is #NM", f13_on, SEEN | OPEN(2) },
	{ "F.14 TDPBSSD of one tile twice is #UD", f14_off, SEEN },
	{ "F.14 XFD set: it is #UD still", f14_on, SEEN | OPEN(2) },
	{ "F.15 #PF at row 5 restarts there", f15, SILENT },
	{ "F.16 a non-canonical address is #GP(0)", f16_gp, SILENT },
	{ "F.16 RBP-based it is #SS(0)", f16_ss, SILENT },
	{ "F.17 a page nobody touched before is loaded", f17, SILENT },
	{ "F.18 at CPL 3, XFD set: #NM on the stack of the TSS", f18_on,
	  SILENT },
	{ "F.18 at CPL 3, XFD clear: nothing seen", f18_off, SILENT },
	{ "F.20 first use in an interrupt handler", f20_interrupt, SILENT },
	{ "F.20 first use in an NMI handler keeps NMIs blocked", f20_nmi,
	  SILENT },
	{ "F.75 in a transaction: an abort, or #UD without TSX", f75, SEEN },
};
CLAIMS_END

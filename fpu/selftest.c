/* SPDX-License-Identifier: MIT */
/*
 * Does this CPU treat extended state as the SDM says? Run at boot, in root
 * mode, before any guest: what a wrong CPU or emulator would do to the guests'
 * tests is found here by name. Tests no code of ours but the instructions under
 * it.
 */
#include "fpu/machine.h"

#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/string.h"
#include "boot/lib/x86.h"
#include "fpu/xsave.h"

/* CPUID leaf 1DH, sub-leaf 1 (SDM volume 1, "Intel AMX"). */
struct palette {
	u32 total_bytes;
	u32 tile_bytes;
	u32 row_bytes;
	u32 names;
	u32 rows;
};

struct trial {
	struct xsave_area *a; /* two whole areas and a pattern */
	struct xsave_area *b;
	u8 *pattern;
	u32 area_pages;
	u32 pattern_pages;
	struct palette palette;
};

static struct palette read_palette(void)
{
	const struct cpuid_regs r = cpuid(0x1d, 1);

	return (struct palette){
		.total_bytes = lo32(field_get(r.eax, 15, 0)),
		.tile_bytes  = lo32(field_get(r.eax, 31, 16)),
		.row_bytes   = lo32(field_get(r.ebx, 15, 0)),
		.names       = lo32(field_get(r.ebx, 31, 16)),
		.rows        = lo32(field_get(r.ecx, 15, 0)),
	};
}

static u64 every(void)
{
	return machine.host.xcr0 | machine.host.xss;
}

static const u8 *tiles_in(const struct xsave_area *a)
{
	return (const u8 *)a + layout_offset(&machine.layout, every(), 18,
					     machine.is_compacted);
}

static bool holds_pattern(const struct trial *t, const struct xsave_area *a)
{
	return (a->header.xstate_bv & XSTATE_TILEDATA) &&
	       memcmp(tiles_in(a), t->pattern, t->palette.total_bytes) == 0;
}

/* A sentence on what is wrong, or NULL. Leaves live tiles behind. */
static const char *fill_tiles(const struct trial *t)
{
	const struct palette *p                         = &t->palette;
	struct tilecfg cfg __attribute__((aligned(64))) = { .palette = 1 };
	struct tilecfg seen __attribute__((aligned(64)));

	for (u32 i = 0; i < p->names; i++) {
		cfg.colsb[i] = (u16)p->row_bytes;
		cfg.rows[i]  = (u8)p->rows;
	}
	for (u32 i = 0; i < p->total_bytes; i++)
		t->pattern[i] = (u8)(i * 167 + (i >> 8) + 1);
	ldtilecfg(&cfg);
	sttilecfg(&seen);
	if (memcmp(&cfg, &seen, sizeof(cfg)) != 0)
		return "STTILECFG does not store what LDTILECFG loaded";
	tiles_load(t->pattern, p->row_bytes, p->tile_bytes);
	if (machine.layout.xgetbv1 && !(xgetbv(1) & XSTATE_TILEDATA))
		return "XGETBV(1) says that loaded tiles are not in use";
	return NULL;
}

static const char *save_and_restore(const struct trial *t)
{
	machine_save(t->a, every());
	if (!holds_pattern(t, t->a))
		return "a save does not hold every row of the tiles";
	tilerelease();
	machine_restore(t->a, every());
	machine_save(t->b, every());
	if (!holds_pattern(t, t->b))
		return "a restore does not bring the tiles back";
	machine_restore(t->a, XSTATE_TILECFG);
	memset(t->b, 0, t->area_pages * PAGE_SIZE);
	machine_save(t->b, every());
	if (!holds_pattern(t, t->b))
		return "a restore of TILECFG alone changes the tiles";
	return NULL;
}

static const char *disabled(const struct trial *t)
{
	u32 vector;
	u64 err;

	wrmsr(MSR_IA32_XFD, XSTATE_TILEDATA);
	vector = tileloadd_safe(t->pattern, t->palette.row_bytes);
	err    = rdmsr(MSR_IA32_XFD_ERR);
	wrmsr(MSR_IA32_XFD_ERR, 0);
	if (vector != VEC_NM || err != XSTATE_TILEDATA)
		return "IA32_XFD does not stop TILELOADD";
	vector = machine.form == FORM_XSAVES ? xrstors_safe(t->a, every())
					     : xrstor_safe(t->a, every());
	err    = rdmsr(MSR_IA32_XFD_ERR);
	wrmsr(MSR_IA32_XFD_ERR, 0);
	if (vector != VEC_NM || err != XSTATE_TILEDATA)
		return "IA32_XFD does not stop a restore of live tiles";
	return NULL;
}

static const char *run(const struct trial *t)
{
	const char *wrong = fill_tiles(t);

	if (!wrong)
		wrong = save_and_restore(t);
	if (!wrong && machine.layout.has_xfd)
		wrong = disabled(t);
	return wrong;
}

/* Registers as fpu_init_cpu() left them, every component initial. */
static void leave_known_state(const struct trial *t)
{
	if (machine.layout.has_xfd) {
		wrmsr(MSR_IA32_XFD, 0);
		wrmsr(MSR_IA32_XFD_ERR, 0);
	}
	memset(t->a, 0, t->area_pages * PAGE_SIZE);
	t->a->legacy.mxcsr = MXCSR_RESET;
	if (machine.is_compacted)
		t->a->header.xcomp_bv = XCOMP_BV_COMPACTED | every();
	machine_restore(t->a, every());
}

static bool take_trial(struct trial *t)
{
	const u32 bytes =
		layout_size(&machine.layout, every(), machine.is_compacted);

	t->palette    = read_palette();
	t->area_pages = lo32(align_up(bytes, PAGE_SIZE) / PAGE_SIZE);
	t->pattern_pages =
		lo32(align_up(t->palette.total_bytes, PAGE_SIZE) / PAGE_SIZE);
	t->a       = pages_alloc(t->area_pages);
	t->b       = pages_alloc(t->area_pages);
	t->pattern = pages_alloc(t->pattern_pages);
	return t->a && t->b && t->pattern;
}

bool fpu_selftest(void)
{
	struct trial t;
	const char *wrong = NULL;

	if ((machine.host.xcr0 & XSTATE_AMX) != XSTATE_AMX) {
		log_info("self-test: this machine has no tiles");
		return true;
	}
	if (!take_trial(&t))
		refuse("no memory for the self-test of extended state");
	if (t.palette.names != 8 || t.palette.rows > 16 ||
	    t.palette.total_bytes != machine.layout.size[18])
		wrong = "CPUID leaf 1DH describes no eight tiles";
	else
		wrong = run(&t);
	if (t.a)
		leave_known_state(&t);
	pages_free(t.a, t.area_pages);
	pages_free(t.b, t.area_pages);
	pages_free(t.pattern, t.pattern_pages);
	if (wrong)
		log_error("self-test of extended state: %s", wrong);
	else
		log_info(
			"self-test: tiles survive save and restore%s",
			machine.layout.has_xfd
				? "; IA32_XFD stops their use and their XRSTORS"
				: "");
	return !wrong;
}

/* SPDX-License-Identifier: MIT */
/*
 * Carries steps out and writes down what can be seen. Every CPU has its buffers
 * at the same addresses, in page tables of its own, so that addresses can be
 * compared too: those that x87 saves, for one.
 */
#include "conformance/sequence.h"

#include "lib/apic.h"
#include "lib/insn.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/smp.h"
#include "lib/vmcall.h"

#define STEPS         24
#define EVENT_LIMIT   8
#define NOTE_COUNT    4096
#define CPU_COUNT     64
#define AREA_PAGES    (AREA_BYTES / PAGE_BYTES)
#define BLOCKS        16384
#define LEGACY_BYTES  576 /* with the header */
#define MXCSR_AT      24
#define MXCSR_INITIAL 0x1f80u

/* Buffers, and pages in them; what is between them is not there. */
#define BUFFERS       0x10000000000ul /* PML4 entry 2 */
#define BUFFERS_PML4E 2
#define PAGE_CODE     0
#define PAGE_STACK    2
#define PAGE_CONFIG   4
#define PAGE_AREA     8
#define PAGE_READONLY 16
#define ENTRIES       512

#define CPUID_D_ALIGNED BIT(1)
#define DR6_INITIAL     0xffff0ff0ul
#define DR7_INITIAL     0x400ul
#define DR6_B0          BIT(0)

struct note {
	const char *what; /* a new line for a step: its name */
	u64 val;
	bool begins;
};

struct run {
	u64 hash;
	struct step step;
	u64 entered[16]; /* the general registers at the step's start */
	struct frame frame;
	u32 events;
	bool answered;
	u8 *code;
	u64 cr3;
	struct note *notes; /* NULL: nobody wants to see them */
	u32 note_count;
};

#define USER_PAGE (PTE_PRESENT | PTE_WRITE | PTE_USER)

extern u64 boot_pml4[ENTRIES];

static struct run *runs[CPU_COUNT];
static u64 block_hash[BLOCKS];
static bool aligned[32]; /* components, in the compacted format */
static u8 pool[AREA_BYTES] __attribute__((aligned(4096)));

/* An image of nothing. MXCSR is loaded even so. */
static u8 initial[LEGACY_BYTES] __attribute__((aligned(64)));

/* The command line. */
static u64 first_seed, sequence_count, block_size, step_count, dropped, shown;
static u64 cr0_initial, cr4_initial;

static void note(struct run *r, const char *what, u64 val)
{
	r->hash = (r->hash ^ val) * 0x9e3779b97f4a7c15ul;
	r->hash ^= r->hash >> 29;
	if (r->notes && r->note_count < NOTE_COUNT)
		r->notes[r->note_count++] = (struct note){ what, val, false };
}

static u64 hash_of(const u64 *words, u32 bytes)
{
	u64 hash = bytes;

	for (u32 i = 0; i < bytes / 8; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ul;
		hash ^= hash >> 29;
	}
	return hash;
}

/* ------------------------------------------------------------------ events */

/* As Linux answers an XFD #NM, and CLTS for the other kind. */
static void answer_nm(struct run *r)
{
	note(r, "xfd_err", rdmsr(MSR_XFD_ERR));
	wrmsr(MSR_XFD_ERR, 0);
	wrmsr(MSR_XFD, 0);
	clts();
	r->answered = true;
}

static bool goes_on(struct run *r, struct frame *f)
{
	switch (f->vector) {
	case TRAP_DB:
		f->rflags &= ~RFLAGS_TF;
		f->rflags |= RFLAGS_RF;
		return true;
	case IRQ_VECTOR:
		return true;
	case TRAP_NM:
		if (!r->step.answers_nm || r->answered)
			return false;
		answer_nm(r);
		return true;
	default:
		return false;
	}
}

/* Every event of a step comes here; the INT3 at its end is one of them. */
static bool on_event(struct frame *f)
{
	struct run *r      = runs[this_cpu()->index];
	const bool in_step = f->rip - (u64)r->code <= r->step.code_bytes;

	note(r, trap_name(f->vector), f->vector);
	if (f->vector == IRQ_VECTOR)
		apic_eoi();
	if (!in_step)
		return f->vector == IRQ_VECTOR;
	note(r, "at", in_step ? f->rip - (u64)r->code : ~0ul);
	note(r, "error", f->error);
	note(r, "cpl", f->cs & 3);
	note(r, "flags", f->rflags);
	if (f->vector == TRAP_PF)
		note(r, "cr2", read_cr2());
	if (f->vector == TRAP_DB) {
		note(r, "dr6", read_dr6());
		write_dr6(DR6_INITIAL);
	}
	if (++r->events < EVENT_LIMIT && goes_on(r, f))
		return true;
	r->frame = *f;
	user_leave(0);
}

/* --------------------------------------------------------- tiles in use */

/* Where component 18 lies in a compacted image of COMPONENTS. */
static u64 packed_offset(u64 components)
{
	u64 at = LEGACY_BYTES;

	for (u32 i = 2; i < 18; i++) {
		if (!(components & guest.xcr0_max & BIT(i)))
			continue;
		at = aligned[i] ? (at + 63) & ~63ul : at;
		at += guest.component[i].bytes;
	}
	return (at + 63) & ~63ul; /* SDM 1-18: TILEDATA is aligned */
}

/*
 * Tiles that are all zero may be in use or not, as the processor likes (xfd.md
 * A.5.25); it may change its mind when a hypervisor saves and restores them.
 * The image becomes that of tiles not in use.
 */
static void area_settle(u8 *area, bool packed)
{
	struct xsave_header *h = area_header(area);
	u64 *tiles = (u64 *)(area + (packed ? packed_offset(h->xcomp_bv)
					    : guest.component[18].offset));
	u64 any    = 0;

	if (packed && !(h->xcomp_bv & TILEDATA))
		return;
	for (u32 i = 0; i < TILEDATA_BYTES / 8; i++)
		any |= tiles[i];
	if (!any)
		h->xstate_bv &= ~TILEDATA;
	if (!(h->xstate_bv & TILEDATA))
		memset(tiles, 0, TILEDATA_BYTES);
}

/* ------------------------------------------------------------------- steps */

static void watch(const struct run *r)
{
	u64 at, dr7 = DR7_INITIAL;

	if (r->step.watch == WATCH_NOTHING)
		return;
	if (r->step.watch == WATCH_CODE) {
		at = (u64)r->code + r->step.insn;
		dr7 |= BIT(0);
	} else {
		at = (u64)r->step.area + 576; /* 8 bytes, read or written */
		dr7 |= BIT(0) | 3ul << 16 | 2ul << 18;
	}
	write_dr0(at);
	write_dr7(dr7);
}

static void step_run(struct run *r)
{
	struct step *s = &r->step;
	struct frame f = {
		.rip    = (u64)r->code,
		.cs     = s->user ? SEL_USER_CODE : SEL_CODE64,
		.rflags = s->rflags,
		.rsp    = (u64)s->pushed,
		.ss     = s->user ? SEL_USER_DATA : SEL_DATA,
	};

	memcpy(f.r, s->r, sizeof(f.r));
	memcpy(r->code, s->code, s->code_bytes);
	r->events   = 0;
	r->answered = false;
	write_cr2(0);
	watch(r);
	if (s->interrupted)
		apic_send(this_cpu()->index, IRQ_VECTOR);
	frame_enter(&f);
	if (s->interrupted)
		asm volatile("sti; nop; cli" : : : "memory");
	if (s->watch != WATCH_NOTHING)
		write_dr7(DR7_INITIAL);
	if (s->in_use)
		r->frame.r[0] &= ~TILEDATA;
	if (s->saves)
		area_settle(s->area, s->packs);
	for (u32 i = 0; i < 16; i++)
		if (i != 4 && !(s->may_differ & BIT(i)) &&
		    r->frame.r[i] != s->r[i])
			note(r, "reg", (u64)i << 60 ^ r->frame.r[i]);
	note(r, "rsp", r->frame.rsp);
	if (s->written)
		note(r, "memory", hash_of((u64 *)s->area, s->written));
}

static void one_step(struct run *r, u64 seed, u32 index)
{
	struct step *s = &r->step;

	*s = (struct step){
		.area     = s->area,
		.config   = s->config,
		.nowhere  = s->nowhere,
		.readonly = s->readonly,
		.pushed   = s->pushed,
	};
	step_make(s, seed, index);
	if (seed == shown && (dropped >> index & 1))
		return;
	if (r->notes && r->note_count < NOTE_COUNT)
		r->notes[r->note_count++] =
			(struct note){ s->name, index, true };
	step_run(r);
}

/* --------------------------------------------------------------- sequences */

/*
 * As after RESET, but for x87's control word; hosted with an area that has yet
 * to grow.
 */
static void renew(struct run *r)
{
	write_cr4(cr4_initial | CR4_OSXSAVE);
	write_cr0(cr0_initial);
	memcpy(r->step.area, pool, AREA_BYTES);
	if (hosted()) {
		vmcall(CALL_RENEW, 0);
	} else {
		wrmsr(MSR_XFD, 0);
		wrmsr(MSR_XFD_ERR, 0);
		xsetbv(guest.xcr0_max);
		xrstor(initial, ~0ul);
		xsetbv(XCR0_X87);
	}
	xrstor(initial, ~0ul);
}

static u32 area_bytes(void)
{
	const struct component last = guest.component[18];

	return last.offset + last.bytes;
}

/* All that a sequence has left behind. */
static void note_state(struct run *r)
{
	u8 *area = r->step.area;

	write_cr4(read_cr4() | CR4_OSXSAVE);
	note(r, "cr0", read_cr0());
	write_cr0(cr0_initial);
	note(r, "xcr0", xgetbv(0));
	note(r, "xfd", rdmsr(MSR_XFD));
	note(r, "xfd_err", rdmsr(MSR_XFD_ERR));
	xsetbv(guest.xcr0_max);
	note(r, "xinuse", xgetbv(1) & ~TILEDATA);
	wrmsr(MSR_XFD, 0);
	memset(area, 0, LEGACY_BYTES);
	xsave(area, ~0ul);
	area_settle(area, false);
	note(r, "state", hash_of((u64 *)area, area_bytes()));
	wrmsr(MSR_XFD_ERR, 0);
}

static void sequence(struct run *r, u64 seed)
{
	renew(r);
	if (seed % 4)
		xsetbv(guest.xcr0_max);
	for (u32 i = 0; i < step_count; i++)
		one_step(r, seed, i);
	note_state(r);
}

/* ------------------------------------------------------------- all of them */

/* COUNT new pages at PAGE of the buffers, whose page table is PT. */
static void *buffer(u64 *pt, u32 page, u32 count)
{
	u8 *p = page_alloc(count);

	for (u32 i = 0; i < count; i++)
		pt[page + i] = (u64)(p + i * PAGE_BYTES) | USER_PAGE;
	return (void *)(BUFFERS + page * PAGE_BYTES);
}

static struct run *run_create(void)
{
	struct run *r  = page_alloc(1);
	struct step *s = &r->step;
	u64 *pml4      = page_alloc(1);
	u64 *pdpt      = page_alloc(1);
	u64 *pd        = page_alloc(1);
	u64 *pt        = page_alloc(1);

	_Static_assert(sizeof(struct run) <= PAGE_BYTES, "one page");
	memcpy(pml4, boot_pml4, PAGE_BYTES);
	pml4[BUFFERS_PML4E] = (u64)pdpt | USER_PAGE;
	pdpt[0]             = (u64)pd | USER_PAGE;
	pd[0]               = (u64)pt | USER_PAGE;
	r->cr3              = (u64)pml4;
	r->code             = buffer(pt, PAGE_CODE, 1);
	s->config           = buffer(pt, PAGE_CONFIG, 1);
	s->area             = buffer(pt, PAGE_AREA, AREA_PAGES);
	s->nowhere          = (u64)s->area + AREA_BYTES;
	s->readonly         = BUFFERS + PAGE_READONLY * PAGE_BYTES;
	s->pushed = (u64 *)((u64)buffer(pt, PAGE_STACK, 1) + PAGE_BYTES) - 2;
	for (u32 i = 0; i < AREA_PAGES; i++)
		pt[PAGE_READONLY + i] = pt[PAGE_AREA + i] & ~PTE_WRITE;
	return r;
}

/* Blocks go round, so that the same CPU gets the same ones again. */
static bool run_blocks(void)
{
	struct run *r = runs[this_cpu()->index];
	u64 seed;

	apic_enable();
	xstate_enable(true);
	write_cr3(r->cr3);
	for (u64 b = this_cpu()->index;
	     b * block_size < sequence_count && !r->notes; b += guest.vcpus) {
		r->hash = 0;
		for (u64 i = 0; i < block_size; i++) {
			seed = first_seed + b * block_size + i;
			if (b * block_size + i >= sequence_count)
				break;
			if (seed == shown)
				r->notes = page_alloc(NOTE_COUNT *
						      sizeof(struct note) /
						      PAGE_BYTES);
			sequence(r, seed);
			if (seed == shown)
				break;
		}
		block_hash[b] = r->hash;
	}
	write_cr3((u64)boot_pml4);
	return true;
}

/* One line a step; the last has what is left at the end. */
static void print_notes(const struct run *r)
{
	for (u32 i = 0; i < r->note_count; i++) {
		const struct note *n = &r->notes[i];

		if (n->begins)
			printk("%s# step %lu %s", i ? "\n" : "", n->val,
			       n->what);
		else if (!strcmp(n->what, "cr0"))
			printk("\n# end cr0=%lx", n->val);
		else
			printk(" %s=%lx", n->what, n->val);
	}
	printk("\n");
}

static void print_blocks(void)
{
	for (u64 b = 0; b * block_size < sequence_count; b++)
		printk("# trace %lu %lu %016lx\n", first_seed + b * block_size,
		       block_size, block_hash[b]);
}

bool sequences_run(void)
{
	const u32 mxcsr = MXCSR_INITIAL;
	bool ok;

	first_seed     = guest_number("seed", 1);
	sequence_count = guest_number("sequences", 0);
	block_size     = guest_number("block", 10);
	step_count     = guest_number("steps", STEPS);
	dropped        = guest_number("drop", 0);
	shown          = guest_number("verbose", 0);
	if (!is("that many sequences fit",
		block_size && sequence_count / block_size < BLOCKS) ||
	    !is("that many steps fit", step_count <= 64))
		return false;
	cr0_initial = read_cr0() & ~(CR0_TS | CR0_EM);
	cr4_initial = read_cr4();
	for (u32 i = 2; i < ARRAY_SIZE(aligned); i++)
		aligned[i] = cpuid(0xd, i).c & CPUID_D_ALIGNED;
	mem_random(pool, sizeof(pool), 1);
	memcpy(initial + MXCSR_AT, &mxcsr, sizeof(mxcsr));
	for (u32 i = 0; i < guest.vcpus; i++)
		runs[i] = run_create();
	for (u32 v = 0; v < 32; v++)
		trap_set_hook(v, on_event);
	trap_set_hook(IRQ_VECTOR, on_event);
	trap_open_gate(TRAP_BP);
	ok = smp_run_all(run_blocks);
	trap_set_gate(TRAP_BP, true, 0);
	trap_clear_hooks();
	for (u32 i = 0; shown && i < guest.vcpus; i++)
		if (runs[i]->notes)
			print_notes(runs[i]);
	if (!shown)
		print_blocks();
	return ok;
}

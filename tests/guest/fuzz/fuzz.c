/* SPDX-License-Identifier: MIT */
/*
 * The loop, the way back from whatever it did, a second CPU that sends an NMI
 * when nothing moves, and the canary: the same image with the word canary,
 * whose registers and memory must never change.
 */
#include "fuzz/fuzz.h"

#include "lib/apic.h"
#include "lib/check.h"
#include "lib/mode.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/smp.h"
#include "lib/vmcall.h"
#include "lib/xstate.h"

#define ROUNDS        20000
#define SHOWN_EVERY   1000
#define EVENT_IST     3
#define APIC_FIRST    16 /* vectors that a local APIC delivers */
#define APIC_ON       (0x100 | APIC_SPURIOUS_VECTOR)
#define STUCK_TICKS   20000000ul
#define DR6_INITIAL   0xffff0ff0ul
#define DR7_INITIAL   0x400ul
#define MAPPED        (4ul << 30) /* by lib/start.S, to itself */
#define CANARY_CHECKS 50
#define CANARY_PAGES  1024u
#define CANARY_SPIN   20000u
#define CANARY_MEMORY 8 /* checks until memory is looked at again */
#define CANARY_TICKS  50000u
#define CANARY_TIMER  0x40u

extern u64 boot_pd[];

static struct fuzz fuzz;
static u64 moves; /* for the watchdog */
static bool finished;
static u32 stuck;

u64 fuzz_pick(struct fuzz *z, u64 count)
{
	/* An emulator takes its time for a division. */
	return (random_next(&z->random) >> 32) * count >> 32;
}

u64 fuzz_number(struct fuzz *z)
{
	const u64 bit = BIT(fuzz_pick(z, 64));

	switch (fuzz_pick(z, 8)) {
	case 0:
		return 0;
	case 1:
		return ~0ul;
	case 2:
		return bit;
	case 3:
		return bit - 1;
	case 4:
		return ~bit;
	case 5:
		return fuzz_pick(z, 16);
	case 6:
		return random_next(&z->random) & 0xffffffff;
	default:
		return random_next(&z->random);
	}
}

void fuzz_note(struct fuzz *z, u64 val)
{
	z->hash = (z->hash ^ val) * 0x9e3779b97f4a7c15ul;
	z->hash ^= z->hash >> 29;
}

u32 fuzz_apic_read(const struct fuzz *z, u32 reg)
{
	return z->x2apic ? lo32(rdmsr(MSR_X2APIC + reg))
			 : ((volatile u32 *)APIC_MMIO)[reg * 4];
}

void fuzz_apic_write(const struct fuzz *z, u32 reg, u32 val)
{
	if (z->x2apic)
		wrmsr(MSR_X2APIC + reg, val);
	else
		((volatile u32 *)APIC_MMIO)[reg * 4] = val;
}

/* Vectors 16 to 31 may be the local APIC's or exceptions. */
static bool is_interrupt(u64 vector)
{
	return vector >= 32 ||
	       (vector >= APIC_FIRST &&
		(fuzz_apic_read(&fuzz, APIC_REG_ISR) & BIT(vector)));
}

/* Events of the code under test end it; elsewhere only some are in order. */
static bool on_event(struct frame *f)
{
	struct fuzz *z       = &fuzz;
	const bool interrupt = is_interrupt(f->vector);

	if (interrupt)
		fuzz_apic_write(z, APIC_REG_EOI, 0);
	if (this_cpu()->index != 0 || !z->running)
		return interrupt || f->vector == TRAP_NMI;
	if (interrupt)
		return true;
	stuck += f->vector == TRAP_NMI;
	z->frame   = *f;
	z->running = false;
	user_leave(0);
}

static void enter(struct fuzz *z, const struct frame *f)
{
	z->frame   = (struct frame){ .vector = TRAP_NONE };
	z->running = true;
	frame_enter(f);
	fuzz_note(z, z->frame.vector);
	fuzz_note(z, z->frame.error);
	fuzz_note(z, z->frame.rip);
	write_dr7(DR7_INITIAL);
	write_dr6(DR6_INITIAL);
}

void fuzz_show(const u8 *code, u32 bytes, const char *where)
{
	printk("#   %s:", where);
	for (u32 i = 0; i < bytes; i++)
		printk(" %02x", code[i]);
	printk("\n");
}

void fuzz_code(struct fuzz *z, const u8 *code, u32 bytes, bool user, bool step)
{
	struct frame f = {
		.rip    = (u64)z->code,
		.cs     = user ? SEL_USER_CODE : SEL_CODE64,
		.rflags = BIT(1) | (step ? RFLAGS_TF : 0),
		.rsp    = z->stack_top - 64,
		.ss     = user ? SEL_USER_DATA : SEL_DATA,
	};

	/* Pointers into the window, or such that no displacement helps. */
	for (u32 i = 0; i < 16; i++) {
		const u64 r = random_next(&z->random);

		f.r[i] = r & 3 ? (u64)z->area +
					 ((r >> 32) * (3 * PAGE_BYTES) >> 32)
			       : (r | BIT(63)) & ~BIT(62);
	}
	if (z->rsi)
		f.r[6] = z->rsi;
	if (z->round >= z->shown_from)
		fuzz_show(code, bytes, user ? "user" : "system");
	memcpy(z->code, code, bytes);
	z->code[bytes] = 0xcc;
	enter(z, &f);
}

u64 fuzz_compat(struct fuzz *z, const struct mode_frame *m)
{
	const struct frame f = {
		.r      = { m->eax, m->ecx, m->edx, m->ebx, 0, m->ebp, m->esi,
			    m->edi },
		.rip    = m->eip,
		.cs     = m->cs,
		.rflags = m->eflags,
		.rsp    = m->esp,
		.ss     = m->ss,
	};

	asm volatile("mov %0, %%ds\n\t"
		     "mov %0, %%es\n\t"
		     "mov %0, %%fs"
		     :
		     : "r"(m->ds)
		     : "memory");
	enter(z, &f);
	asm volatile("mov %0, %%fs" : : "r"(SEL_USER_DATA) : "memory");
	return z->frame.vector;
}

/* What a primitive may have left behind, without needless exits. */
static void settle(struct fuzz *z)
{
	if (read_cr0() != z->cr0)
		write_cr0(z->cr0);
	if (read_cr4() != z->cr4)
		write_cr4(z->cr4);
	asm volatile("mov %0, %%cr8" : : "r"(0ul));
	if (z->unsettled & UNSETTLED_EFER)
		wrmsr(MSR_EFER, z->efer);
	if (z->unsettled & UNSETTLED_APIC) {
		fuzz_apic_write(z, APIC_REG_TIMER, APIC_MASKED);
		fuzz_apic_write(z, APIC_REG_SVR, APIC_ON);
	}
	z->unsettled = 0;
	sti();
	asm volatile("nop");
	cli();
}

static bool watchdog(void)
{
	while (!__atomic_load_n(&finished, __ATOMIC_RELAXED)) {
		const u64 seen = __atomic_load_n(&moves, __ATOMIC_RELAXED);
		const u64 end  = rdtsc() + STUCK_TICKS;

		while (rdtsc() < end &&
		       __atomic_load_n(&moves, __ATOMIC_RELAXED) == seen)
			smp_relax();
		if (__atomic_load_n(&moves, __ATOMIC_RELAXED) == seen &&
		    !__atomic_load_n(&finished, __ATOMIC_RELAXED))
			apic_send(0, APIC_NMI);
	}
	return true;
}

/* Wherever an NMI or a start finds a victim in real mode, there is HLT. */
static void halts_fill(void)
{
	u32 *vectors = NULL;

	static const u8 self_init[] = {
		0x66, 0xb9, 0x1b, 0,    0, 0, /* MOV ECX, IA32_APIC_BASE */
		0x0f, 0x32,                   /* RDMSR */
		0x80, 0xcc, 0x0c,             /* OR AH, EN and EXTD */
		0x0f, 0x30,                   /* WRMSR */
		0x66, 0xb9, 0x02, 0x08, 0, 0, /* MOV ECX, the ID */
		0x0f, 0x32,                   /* RDMSR */
		0x66, 0x89, 0xc2,             /* MOV EDX, EAX */
		0x66, 0xb8, 0,    0x45, 0, 0, /* MOV EAX, INIT */
		0x66, 0xb9, 0x30, 0x08, 0, 0, /* MOV ECX, the ICR */
		0x0f, 0x30,                   /* WRMSR */
	};

	memset((void *)HALT_START, 0xf4, HALT_END - HALT_START);
	memset((void *)SELF_INIT, 0xf4, PAGE_BYTES);
	/* With xAPIC mode the APIC-access page would go for good. */
	if (guest.has_x2apic)
		memcpy((void *)SELF_INIT, self_init, sizeof(self_init));
	asm("" : "+r"(vectors)); /* address 0 is memory here */
	for (u32 i = 0; i < 256; i++)
		vectors[i] = HALT_START >> 4 << 16;
}

/*
 * A stray address finds no page, rather than a device or nothing: there the
 * hypervisor decodes MOV alone (docs/caveats.md). The local APIC stays where it
 * is needed, for CPL 0.
 */
static void strays_unmap(const struct fuzz *z)
{
	const u64 large = 2ul << 20;

	for (u64 at = (guest.ram_end + large - 1) / large; at < MAPPED / large;
	     at++)
		boot_pd[at] = 0;
	if (!z->x2apic) {
		u64 *pt = page_alloc(1);

		pt[APIC_MMIO % large / PAGE_BYTES] =
			APIC_MMIO | PTE_PRESENT | PTE_WRITE | PTE_UNCACHED;
		boot_pd[APIC_MMIO / large] = (u64)pt | PTE_PRESENT | PTE_WRITE;
	}
	write_cr3(read_cr3());
}

static void fuzz_init(struct fuzz *z)
{
	z->random     = guest_number("seed", 1);
	z->shown_from = guest_number("from", ~0ul);
	z->code       = window_map(PAGE_CODE, page_alloc(1),
				   PTE_PRESENT | PTE_WRITE | PTE_USER);
	for (u32 i = AREA_PAGES; i-- > 0;)
		z->area = window_map(PAGE_AREA + i, page_alloc(1),
				     PTE_PRESENT | PTE_WRITE | PTE_USER);
	z->stack_top = (u64)window_map(PAGE_STACK, page_alloc(1),
				       PTE_PRESENT | PTE_WRITE | PTE_USER) +
		       PAGE_BYTES;
	xstate_enable(guest.has_amx);
	z->cr0  = read_cr0();
	z->cr4  = read_cr4();
	z->efer = rdmsr(MSR_EFER);
	mem_random(z->area, AREA_PAGES * PAGE_BYTES, z->random);
	z->scratch = page_alloc(1);
	fuzz_primitive_init();
	mode_pen();
	memset((void *)PEN, 0xcc, PEN_BYTES);
	halts_fill();
	strays_unmap(z);
	/* Whatever RSP has become, an event finds a stack. */
	for (u32 v = 0; v < 256; v++) {
		if (v != TRAP_NMI && v != TRAP_DF)
			trap_set_gate(v, true, EVENT_IST);
		trap_set_hook(v, on_event);
	}
}

static bool fuzz_rounds(void)
{
	struct fuzz *z   = &fuzz;
	const u64 rounds = guest_number("rounds", ROUNDS);

	if (guest_flag("xapic"))
		guest.has_x2apic = false;
	z->x2apic = guest.has_x2apic;

	fuzz_init(z);
	apic_enable();
	for (u32 i = CPU_WATCHDOG; i < guest.vcpus; i++)
		smp_start(i, watchdog);
	for (; z->round < rounds; z->round++) {
		fuzz_primitive(z);
		settle(z);
		__atomic_add_fetch(&moves, 1, __ATOMIC_RELAXED);
		if (z->round % SHOWN_EVERY == 0)
			printk("# hash %016lx before round %lu\n", z->hash,
			       z->round + 1);
	}
	finished = true;
	trap_clear_hooks();
	printk("# hash %016lx after %lu rounds, stuck %u times\n", z->hash,
	       z->round, stuck);
	return true;
}

/* ---------------------------------------------------------------- canary */

static bool on_canary(struct frame *f)
{
	fuzz.frame = *f;
	user_leave(0);
}

static bool on_timer(struct frame *f)
{
	(void)f;
	apic_eoi();
	return true;
}

/*
 * All general registers over a sleep until the next tick and a while of
 * nothing, but RSP and the counter.
 */
static bool registers_stay(u64 seed)
{
	static const u8 code[] = { 0xf4, 0xf3, 0x90, 0xff,
				   0xc9, 0x75, 0xfa, 0xcc };
	struct frame f         = {
			.rip    = (u64)code,
			.cs     = SEL_CODE64,
			.ss     = SEL_DATA,
			.rflags = BIT(1) | RFLAGS_IF,
			.rsp    = this_cpu()->tss.rsp[0],
	};
	bool same_all = true;

	mem_random(f.r, sizeof(f.r), seed);
	f.r[1] = CANARY_SPIN; /* ECX */
	trap_set_hook(TRAP_BP, on_canary);
	frame_enter(&f);
	for (u32 i = 0; i < 16; i++)
		if (i != 1 && i != 4)
			same_all &= same("a general register", fuzz.frame.r[i],
					 f.r[i]);
	return same_all;
}

static bool memory_stays(const u8 *memory, const u8 *copy)
{
	bool ok = true;

	for (u32 i = 0; ok && i < CANARY_PAGES * PAGE_BYTES; i += PAGE_BYTES)
		ok = is("memory stays",
			!memcmp(memory + i, copy + i, PAGE_BYTES));
	return ok;
}

static bool canary(void)
{
	const u64 checks = guest_number("checks", CANARY_CHECKS);
	u8 *memory       = page_alloc(CANARY_PAGES);
	u8 *copy         = page_alloc(CANARY_PAGES);
	u8 *want         = page_alloc(4);
	u8 *got          = page_alloc(4);
	bool ok          = true;

	xstate_enable(guest.has_amx);
	mem_random(memory, CANARY_PAGES * PAGE_BYTES, CANARY_PAGES);
	memcpy(copy, memory, CANARY_PAGES * PAGE_BYTES);
	apic_enable();
	trap_set_hook(CANARY_TIMER, on_timer);
	apic_write(APIC_REG_TIMER, APIC_TIMER_PERIODIC | CANARY_TIMER);
	apic_write(APIC_REG_INITIAL, CANARY_TICKS);
	for (u64 n = 0; ok && n < checks; n++) {
		area_random(want, guest.xcr0_max, n);
		xrstor(want, ~0ul);
		ok = registers_stay(n + 1);
		xsave(got, ~0ul);
		ok &= same("the component that changed",
			   (u64)area_difference(want, got, guest.xcr0_max),
			   ~0ul);
		if (n % CANARY_MEMORY == 0)
			ok = ok && memory_stays(memory, copy);
	}
	return ok && memory_stays(memory, copy);
}

static bool run(void)
{
	return guest_flag("canary") ? canary() : fuzz_rounds();
}

const struct claim claims[] = {
	{ "it is still there at the end", run, 0 },
};
CLAIMS_END

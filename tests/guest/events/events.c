/* SPDX-License-Identifier: MIT */
/*
 * Interrupts, single steps and breakpoints around a vCPU's first use of
 * tiles: xfd.md F.44-F.50, F.53, F.54, F.56.
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define VECTOR      0x41
#define ROUNDS      64
#define WAIT_TICKS  10000000
#define DR6_INITIAL 0xffff0ff0ul
#define DR6_B0      BIT(0)
#define DR6_BS      BIT(14)
#define DR7_INITIAL 0x400ul
#define DR7_EXEC0   (DR7_INITIAL | 0x1)
#define DR7_RW0_8   (DR7_INITIAL | 0x1 | 0xbul << 16)

/* Each loads tile 0 from FROM, rows STRIDE bytes apart; see below. */
void tile_plain(const void *from, u64 stride);
void tile_after_sti(const void *from, u64 stride);
void tile_after_mov_ss(const void *from, u64 stride);
void tile_stepped(const void *from, u64 stride);
void irq_tile_first(void);
extern const u8 tile_plain_after[], tile_after_sti_after[];
extern const u8 tile_after_mov_ss_after[], tile_stepped_after[];
extern const u8 tile_after_sti_insn[], tile_stepped_insn[];

asm(".pushsection .text\n"
    "tile_plain:\n"
    "	tileloadd (%rdi,%rsi,1), %tmm0\n"
    "tile_plain_after:\n"
    "	ret\n"
    "tile_after_sti:\n"
    "	sti\n"
    "tile_after_sti_insn:\n"
    "	tileloadd (%rdi,%rsi,1), %tmm0\n"
    "tile_after_sti_after:\n"
    "	nop\n"
    "	cli\n"
    "	ret\n"
    "tile_after_mov_ss:\n"
    "	mov %ss, %eax\n"
    "	sti\n"
    "	mov %eax, %ss\n"
    "	tileloadd (%rdi,%rsi,1), %tmm0\n"
    "tile_after_mov_ss_after:\n"
    "	nop\n"
    "	cli\n"
    "	ret\n"
    "tile_stepped:\n"
    "	pushfq\n"
    "	orq $0x100, (%rsp)\n"
    "	popfq\n"
    "tile_stepped_insn:\n"
    "	tileloadd (%rdi,%rsi,1), %tmm0\n"
    "tile_stepped_after:\n"
    "	nop\n"
    "	ret\n"
    "	.balign 16\n"
    "irq_tile_first:\n"
    "	tilezero %tmm1\n"
    "	jmp trap_stubs + 0x41 * 16\n"
    ".popsection");

static volatile u32 irq_count, db_count, nm_count;
static u64 irq_rip, db_rip, db_dr6;
static struct frame nm_frame;
static u64 nm_flags;
static bool db_sets_rf;

static bool on_irq(struct frame *f)
{
	irq_count++;
	irq_rip = f->rip;
	apic_eoi();
	return true;
}

static bool on_db(struct frame *f)
{
	db_count++;
	db_rip = f->rip;
	db_dr6 = read_dr6();
	write_dr6(DR6_INITIAL);
	f->rflags &= ~RFLAGS_TF;
	if (db_sets_rf)
		f->rflags |= RFLAGS_RF;
	return true;
}

static bool on_nm(struct frame *f)
{
	nm_count++;
	nm_frame = *f;
	nm_flags = read_flags();
	wrmsr(MSR_XFD_ERR, 0);
	wrmsr(MSR_XFD, 0);
	return true;
}

static void start(void)
{
	tiles_start();
	apic_enable();
	irq_count = db_count = nm_count = 0;
	irq_rip = db_rip = db_dr6 = 0;
	db_sets_rf                = false;
	write_dr6(DR6_INITIAL);
	trap_set_hook(VECTOR, on_irq);
	trap_set_hook(TRAP_DB, on_db);
}

static void wait_for_irq(void)
{
	const u64 end = rdtsc() + WAIT_TICKS;

	sti();
	while (!irq_count && rdtsc() < end)
		pause();
	cli();
}

/* The timer fires at some instruction around the load, of 64 of them. */
static bool timer_around(void)
{
	bool ok = true;

	start();
	apic_write(APIC_REG_DIVIDE, 0xb);
	apic_write(APIC_REG_TIMER, APIC_TIMER_ONE_SHOT | VECTOR);
	for (u32 i = 0; i < ROUNDS && ok; i++) {
		irq_count = 0;
		sti();
		apic_write(APIC_REG_INITIAL, 1 + i);
		tile_plain(tile_source() + i * 64, 64);
		wait_for_irq();
		ok = same("interrupts", irq_count, 1) &&
		     tile0_is(tile_source() + i * 64);
	}
	apic_write(APIC_REG_TIMER, APIC_MASKED);
	return ok && xfd_is(0, 0);
}

/* One timer interrupt that becomes due while the first use is trapped. */
static bool timer_at_growth(void)
{
	bool ok;

	start();
	apic_write(APIC_REG_DIVIDE, 0xb);
	apic_write(APIC_REG_TIMER, APIC_TIMER_ONE_SHOT | VECTOR);
	sti();
	apic_write(APIC_REG_INITIAL, 20);
	tile_plain(tile_source(), 64);
	wait_for_irq();
	ok = same("interrupts", irq_count, 1) && tile0_is(tile_source());
	apic_write(APIC_REG_TIMER, APIC_MASKED);
	return ok && xfd_is(0, 0);
}

/* An interrupt is pending; it must wait for the load behind the shadow. */
static bool shadow(void (*load)(const void *, u64), const u8 *after)
{
	start();
	apic_send(this_cpu()->index, VECTOR);
	load(tile_source(), 64);
	return same("interrupts", irq_count, 1) &&
	       same("saved RIP", irq_rip, (u64)after) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static bool f45(void)
{
	return shadow(tile_after_sti, tile_after_sti_after);
}

static bool f46(void)
{
	return shadow(tile_after_mov_ss, tile_after_mov_ss_after);
}

static bool f47(void)
{
	start();
	tile_stepped(tile_source(), 64);
	return same("#DB", db_count, 1) &&
	       same("saved RIP", db_rip, (u64)tile_stepped_after) &&
	       same("DR6", db_dr6, DR6_INITIAL | DR6_BS) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static bool f48(void)
{
	start();
	db_sets_rf = true;
	write_dr0((u64)tile_plain);
	write_dr7(DR7_EXEC0);
	tile_plain(tile_source(), 64);
	write_dr7(DR7_INITIAL);
	return same("#DB", db_count, 1) &&
	       same("saved RIP", db_rip, (u64)tile_plain) &&
	       same("DR6", db_dr6, DR6_INITIAL | DR6_B0) && xfd_is(0, 0) &&
	       tile0_is(tile_source());
}

static bool f49(void)
{
	const u8 *from = tile_source();

	start();
	write_dr0((u64)from + 64);
	write_dr7(DR7_RW0_8);
	tile_plain(from, 64);
	write_dr7(DR7_INITIAL);
	return same("#DB", db_count, 1) &&
	       same("saved RIP", db_rip, (u64)tile_plain_after) &&
	       same("DR6", db_dr6, DR6_INITIAL | DR6_B0) && xfd_is(0, 0) &&
	       tile0_is(from);
}

static bool f50(void)
{
	start();
	wrmsr(MSR_XFD, TILEDATA);
	trap_set_hook(TRAP_NM, on_nm);
	tile_stepped(tile_source(), 64);
	return same("#NM", nm_count, 1) &&
	       same("its RIP", nm_frame.rip, (u64)tile_stepped_insn) &&
	       same("TF and RF it saved",
		    nm_frame.rflags & (RFLAGS_TF | RFLAGS_RF),
		    RFLAGS_TF | RFLAGS_RF) &&
	       same("TF in the handler", nm_flags & RFLAGS_TF, 0) &&
	       same("#DB", db_count, 1) &&
	       same("saved RIP", db_rip, (u64)tile_stepped_after) &&
	       tile0_is(tile_source());
}

/* The handler's own first instruction takes #NM. */
static bool f53(void)
{
	start();
	wrmsr(MSR_XFD, TILEDATA);
	trap_set_hook(TRAP_NM, on_nm);
	trap_point_gate(VECTOR, irq_tile_first);
	apic_send(this_cpu()->index, VECTOR);
	wait_for_irq();
	trap_set_gate(VECTOR, true, 0);
	return same("interrupts", irq_count, 1) && same("#NM", nm_count, 1) &&
	       same("its RIP", nm_frame.rip, (u64)irq_tile_first) &&
	       same("IF it saved", nm_frame.rflags & RFLAGS_IF, 0) &&
	       xfd_is(0, 0);
}

static bool f56(void)
{
	static const u8 bad[TILECFG_BYTES] = { 2 };
	u8 config[TILECFG_BYTES];

	start();
	const u64 grown = counted(CALL_GROWTHS, 0);

	return took(ldtilecfg(bad), TRAP_GP, 0) && none(sttilecfg(config)) &&
	       is("TILECFG is unchanged",
		  !memcmp(config, tile_config_full, TILECFG_BYTES)) &&
	       same("growths", counted(CALL_GROWTHS, 0), grown);
}

#define SEEN   (NEEDS_AMX | FRESH)
#define SILENT (NEEDS_AMX | FRESH | NOT_INJECT)

const struct claim claims[] = {
	{ "F.44 a timer interrupt around the load runs once", timer_around,
	  SILENT },
	{ "F.54 a timer due at the first use runs once", timer_at_growth,
	  SILENT },
	{ "F.45 STI: the interrupt waits for the load", f45, SILENT },
	{ "F.46 MOV SS: the interrupt waits for the load", f46, SILENT },
	{ "F.47 a single step over the load is one #DB", f47, SILENT },
	{ "F.48 an execution breakpoint on the load is one #DB", f48, SILENT },
	{ "F.49 a data breakpoint on its source is one #DB after it", f49,
	  SILENT },
	{ "F.50 XFD set, single step: #NM first, then one #DB", f50, SILENT },
	{ "F.53 #NM at the first instruction of a handler", f53, SILENT },
	{ "F.56 LDTILECFG of a bad palette is #GP(0)", f56, SEEN },
};
CLAIMS_END

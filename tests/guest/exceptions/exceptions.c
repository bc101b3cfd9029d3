/* SPDX-License-Identifier: MIT */
/*
 * Every exception with its error code, and events around instructions that a
 * hypervisor emulates: a single step over CPUID, an interrupt behind STI, a
 * fault in the middle of REP INS. SDM 3, "Interrupt and Exception Handling".
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/mode.h"
#include "lib/page.h"

#define DR6_INITIAL 0xffff0ff0ul
#define DR6_B0      BIT(0)
#define DR6_BS      BIT(14)
#define RFLAGS_AC   BIT(18)
#define NO_PORT     0x1234
#define WAIT_TICKS  10000000
#define VECTOR_A    0x41
#define VECTOR_B    0x51
#define VECTOR_C    0x61

static bool divide(void)
{
	u64 low = 1;

	return took(TRY("div %1",
			: "+a"(low)
			: "r"(0ul), "d"(0ul)
			: "memory"),
		    TRAP_DE, 0);
}

static bool traps_behind(void)
{
	const struct trap bp   = TRY("int3", : : : "memory");
	const u64 bp_insn      = this_cpu()->insn;
	const struct trap db   = TRY(".byte 0xf1", : : : "memory"); /* INT1 */
	const u64 db_insn      = this_cpu()->insn;
	const struct trap soft = TRY("int $0x60", : : : "memory");
	const u64 soft_insn    = this_cpu()->insn;

	return same("INT3", bp.vector, TRAP_BP) &
	       same("its RIP", bp.rip, bp_insn + 1) &
	       same("INT1", db.vector, TRAP_DB) &
	       same("its RIP", db.rip, db_insn + 1) &
	       same("INT 60H", soft.vector, 0x60) &
	       same("its RIP", soft.rip, soft_insn + 2);
}

static struct trap load_fs(u16 selector)
{
	return TRY("mov %w0, %%fs", : : "r"((u32)selector) : "memory");
}

static struct trap load_ss(u16 selector)
{
	return TRY("mov %w0, %%ss", : : "r"((u32)selector) : "memory");
}

static bool segments(void)
{
	u64 *entry    = &this_cpu()->gdt[SEL_DATA16 / 8];
	const u64 was = *entry;
	bool ok       = took(load_fs(0xfff8), TRAP_GP, 0xfff8) &
		  took(load_fs(SEL_TSS), TRAP_GP, SEL_TSS) &
		  took(load_ss(SEL_CODE64), TRAP_GP, SEL_CODE64) &
		  none(load_ss(0));

	*entry &= ~BIT(47);
	ok &= took(load_fs(SEL_DATA16), TRAP_NP, SEL_DATA16) &
	      took(load_ss(SEL_DATA16), TRAP_SS, SEL_DATA16);
	*entry = was;
	load_ss(SEL_DATA);
	return ok;
}

static bool general(void)
{
	return took(TRY("mov (%0), %%al",
			:
			: "r"(0x8000000000000000)
			: "al", "memory"),
		    TRAP_GP, 0) &
	       took(TRY("movaps (%0), %%xmm0",
			:
			: "r"(8ul)
			: "memory"),
		    TRAP_GP, 0);
}

static bool x87_error(void)
{
	u16 control = 0x037b; /* division by zero is not masked */

	asm volatile("fninit; fldcw %0; fld1; fldz; fdivrp" : : "m"(control));
	const struct trap t = TRY("fwait", : : : "memory");

	asm volatile("fninit");
	return took(t, TRAP_MF, 0);
}

static bool sse_error(void)
{
	const u32 unmasked = 0x1d80;
	const u32 masked   = 0x1f80;

	asm volatile("ldmxcsr %0; xorps %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1;"
		     "pslld $25, %%xmm1; psrld $2, %%xmm1"
		     :
		     : "m"(unmasked));
	const struct trap t = TRY("divps %%xmm0, %%xmm1", : : : "memory");

	asm volatile("ldmxcsr %0" : : "m"(masked));
	return took(t, TRAP_XM, 0);
}

static u64 user_unaligned(u64 at)
{
	u64 val;

	asm volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(RFLAGS_AC));
	const struct trap t = TRY("mov (%1), %0",
				  : "=r"(val)
				  : "r"(at + 1)
				  : "memory");

	asm volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~RFLAGS_AC));
	return t.vector << 16 | t.error;
}

static bool alignment(void)
{
	u64 *data = page_alloc(1);

	write_cr0(read_cr0() | CR0_AM);
	const u64 got = user_call(user_unaligned, (u64)data);

	write_cr0(read_cr0() & ~CR0_AM);
	return same("vector and error code", got, TRAP_AC << 16);
}

static u64 user_int(u64 arg)
{
	(void)arg;
	const struct trap t = TRY("int $0x60", : : : "memory");

	return t.vector << 16 | t.error;
}

static bool gate_privilege(void)
{
	return same("vector and error code", user_call(user_int, 0),
		    TRAP_GP << 16 | (0x60 * 8 + 2));
}

static bool absent_gate(void)
{
	trap_set_gate(0x60, false, 0);
	const struct trap t = TRY("int $0x60", : : : "memory");

	trap_set_gate(0x60, true, 0);
	return took(t, TRAP_NP, 0x60 * 8 + 2);
}

static bool double_fault(void)
{
	trap_set_gate(TRAP_GP, false, 0);
	trap_set_gate(TRAP_NP, false, 0);
	const struct trap t = load_fs(0xfff8);

	trap_set_gate(TRAP_GP, true, 0);
	trap_set_gate(TRAP_NP, true, 0);
	return took(t, TRAP_DF, 0);
}

/* #PF whose stack is missing: #PF while #PF is delivered. */
static bool page_fault_twice(void)
{
	struct cpu *cpu = this_cpu();
	void *missing   = window_map(0, NULL, 0);

	cpu->tss.ist[2] = (u64)missing + 64;
	trap_set_gate(TRAP_PF, true, 3);
	const struct trap t = TRY("mov (%0), %%al",
				  :
				  : "r"(missing)
				  : "al", "memory");

	trap_set_gate(TRAP_PF, true, 0);
	return took(t, TRAP_DF, 0) && same("CR2", t.cr2, (u64)missing + 56);
}

static volatile u32 db_count, irq_count;
static u64 db_rip, db_dr6, irq_rip;
static u8 order[3];

static bool on_db(struct frame *f)
{
	db_count++;
	db_rip = f->rip;
	db_dr6 = read_dr6();
	write_dr6(DR6_INITIAL);
	f->rflags &= ~RFLAGS_TF;
	return true;
}

static bool on_irq(struct frame *f)
{
	if (irq_count < ARRAY_SIZE(order))
		order[irq_count] = (u8)f->vector;
	irq_count++;
	irq_rip = f->rip;
	apic_eoi();
	return true;
}

/*
 * Single-step INSN, which the hypervisor may well emulate: one #DB, behind
 * it. R gets the address behind it.
 */
#define STEP(insn, ...)                                                        \
	({                                                                     \
		u64 behind_;                                                   \
                                                                               \
		db_count = 0;                                                  \
		write_dr6(DR6_INITIAL);                                        \
		asm volatile("lea 79f(%%rip), %0\n\t"                          \
			     "pushfq\n\t"                                      \
			     "orq $0x100, (%%rsp)\n\t"                         \
			     "popfq\n\t" insn "\n"                             \
			     "79:\tnop"                                        \
			     : "=&r"(behind_)__VA_ARGS__);                     \
		same(insn ": #DB", db_count, 1) &                              \
			same(insn ": RIP", db_rip, behind_) &                  \
			same(insn ": DR6", db_dr6, DR6_INITIAL | DR6_BS);      \
	})

static bool single_steps(void)
{
	u32 a = 0, c = 0, d = 0;
	bool ok;

	trap_set_hook(TRAP_DB, on_db);
	ok = STEP("nop", : : "memory");
	ok &= STEP("cpuid", , "+a"(a), "+c"(c)::"rbx", "rdx", "memory");
	c = MSR_MISC_ENABLE;
	ok &= STEP("rdmsr", , "+a"(a), "+d"(d) : "c"(c) : "memory");
	d = NO_PORT;
	ok &= STEP("inb %%dx, %%al", , "+a"(a) : "d"(d) : "memory");
	ok &= STEP("outb %%al, %%dx", : "a"(a), "d"(d) : "memory");
	const u64 cr0 = read_cr0();

	ok &= STEP("mov %1, %%cr0", : "r"(cr0) : "memory");
	const u64 cr4 = read_cr4();

	ok &= STEP("mov %1, %%cr4", : "r"(cr4) : "memory");
	ok &= STEP("clts", : : "memory");
	ok &= STEP("wbinvd", : : "memory");
	if (hosted()) {
		u64 call = CALL_POLICY;

		ok &= STEP("vmcall", , "+a"(call) : "b"(0ul) : "memory");
	}
	if (guest.xcr0_max) {
		xstate_enable(guest.has_amx);
		const u64 xcr0 = xgetbv(0);

		ok &= STEP("xsetbv",
			   : "a"(lo32(xcr0)), "d"(hi32(xcr0)), "c"(0)
			   : "memory");
	}
	return ok;
}

/* An exit must end the shadow of STI and MOV SS behind its instruction. */
#define SHADOW(before, insn, ...)                                              \
	({                                                                     \
		u64 behind_;                                                   \
                                                                               \
		irq_count = 0;                                                 \
		apic_send(this_cpu()->index, VECTOR_A);                        \
		asm volatile("lea 79f(%%rip), %0\n\t" before "\n\t" insn "\n"  \
			     "79:\tnop\n\tnop\n\tcli"                          \
			     : "=&r"(behind_)__VA_ARGS__);                     \
		same(insn ": interrupts", irq_count, 1) &                      \
			same(insn ": RIP", irq_rip, behind_);                  \
	})

static bool shadows(void)
{
	u32 a = 0, c = 0;
	const u32 d = NO_PORT;
	bool ok;

	apic_enable();
	trap_set_hook(VECTOR_A, on_irq);
	ok = SHADOW("sti", "nop", : : "memory");
	ok &= SHADOW("sti", "cpuid", , "+a"(a), "+c"(c)::"rbx", "rdx",
		     "memory");
	ok &= SHADOW("sti", "inb %%dx, %%al", , "+a"(a) : "d"(d) : "memory");
	ok &= SHADOW("mov %%ss, %%ecx; sti; mov %%ecx, %%ss", "cpuid", ,
		     "+a"(a)::"rbx", "rcx", "rdx", "memory");
	return ok;
}

static bool highest_first(void)
{
	apic_enable();
	irq_count = 0;
	trap_set_hook(VECTOR_A, on_irq);
	trap_set_hook(VECTOR_B, on_irq);
	trap_set_hook(VECTOR_C, on_irq);
	apic_send(this_cpu()->index, VECTOR_B);
	apic_send(this_cpu()->index, VECTOR_A);
	apic_send(this_cpu()->index, VECTOR_C);
	sti();
	asm volatile("nop; nop; nop; nop");
	cli();
	return same("interrupts", irq_count, 3) &
	       same("first", order[0], VECTOR_C) &
	       same("second", order[1], VECTOR_B) &
	       same("third", order[2], VECTOR_A);
}

/* REP INSB into a page that is missing stops where it begins. */
static bool string_fault(void)
{
	u8 *page  = page_alloc(1);
	u8 *va    = window_map(0, page, PTE_PRESENT | PTE_WRITE);
	u8 *to    = va + PAGE_BYTES - 5;
	u64 count = 16;

	window_map(1, NULL, 0);
	const struct trap t = TRY("rep insb",
				  : "+D"(to), "+c"(count)
				  : "d"((u16)NO_PORT)
				  : "memory");

	return took(t, TRAP_PF, 2) &&
	       same("CR2", t.cr2, (u64)va + PAGE_BYTES) &&
	       same("RCX", count, 16 - 5) &&
	       same("RDI", (u64)to, (u64)va + PAGE_BYTES) &&
	       is("five bytes arrived", mem_is(page + PAGE_BYTES - 5, 0xff, 5));
}

/* Instructions that exit, in the other modes; INT3 behind them is reached. */
static bool other_modes(void)
{
	static const u8 insn_cpuid[] = { 0x0f, 0xa2 };
	static const u8 insn_in[]    = { 0xec };
	static const u8 insn_rdmsr[] = { 0x0f, 0x32 };
	bool ok                      = true;

	for (u32 m = 0; m < MODE_COUNT; m++) {
		const bool v86 = m == MODE_V86;

		ok &= same("CPUID", mode_run(m, insn_cpuid, 2, 0, 0, 0),
			   TRAP_BP) &
		      same("IN", mode_run(m, insn_in, 1, 0, NO_PORT, 0),
			   v86 ? TRAP_GP : TRAP_BP) &
		      same("RDMSR",
			   mode_run(m, insn_rdmsr, 2, 0, 0, MSR_APIC_BASE),
			   v86 ? TRAP_GP : TRAP_BP);
	}
	return ok;
}

const struct claim claims[] = {
	{ "#DE", divide, 0 },
	{ "INT3, INT1 and INT n return behind themselves", traps_behind, 0 },
	{ "segment loads: #GP, #NP, #SS with the selector", segments, 0 },
	{ "#GP(0) of addresses", general, 0 },
	{ "#MF", x87_error, 0 },
	{ "#XM", sse_error, 0 },
	{ "#AC at CPL 3", alignment, 0 },
	{ "INT n at CPL 3 needs the gate's DPL", gate_privilege, 0 },
	{ "INT n through an absent gate is #NP", absent_gate, 0 },
	{ "#DF of #GP and #NP", double_fault, 0 },
	{ "#DF of #PF and #PF", page_fault_twice, 0 },
	{ "a single step over what exits is one #DB", single_steps, 0 },
	{ "an exit ends the shadow of STI and MOV SS", shadows, 0 },
	{ "the highest of three interrupts comes first", highest_first, 0 },
	{ "REP INS stops at a missing page", string_fault, 0 },
	{ "CPUID, IN, RDMSR in every mode", other_modes, 0 },
};
CLAIMS_END

/* SPDX-License-Identifier: MIT */
/*
 * The IDT and what happens to an event: a hook, the fix-up of TRY(), or the
 * end of the running claim.
 */
#include "lib/trap.h"

#include "lib/insn.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/tap.h"

#define VECTOR_USER_RETURN 0x80
#define STUB_BYTES         16
#define GATE_DPL3          (3 << 5)

struct gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 3: 64-Bit IDT Gate");

struct table_ptr {
	u16 limit;
	u64 base;
} __attribute__((packed));

extern const u8 trap_stubs[];
u64 user_enter(u64 (*fn)(u64 arg), u64 arg, u64 stack_top);
void user_return(void);
bool guarded_call(bool (*claim)(void));
_Noreturn void guarded_fail(void);
void trap_dispatch(struct frame *f);

static struct gate idt[256] __attribute__((aligned(16)));
static trap_hook *hooks[256];

static const char *const names[] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
	"#DF", "(9)", "#TS", "#NP", "#SS", "#GP", "#PF", "(15)",
	"#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

const char *trap_name(u64 vector)
{
	if (vector == TRAP_NONE)
		return "none";
	return vector < ARRAY_SIZE(names) ? names[vector] : "interrupt";
}

void trap_set_hook(unsigned int vector, trap_hook *hook)
{
	hooks[vector] = hook;
}

void trap_clear_hooks(void)
{
	memset(hooks, 0, sizeof(hooks));
}

void trap_set_gate(unsigned int vector, bool present, unsigned int ist)
{
	const u64 at = (u64)trap_stubs + vector * STUB_BYTES;
	const u8 dpl = vector == VECTOR_USER_RETURN ? GATE_DPL3 : 0;

	idt[vector] = (struct gate){
		.offset0  = (u16)at,
		.selector = SEL_CODE64,
		.ist      = (u8)ist,
		.type     = (u8)((present ? 0x8e : 0x0e) | dpl),
		.offset1  = (u16)(at >> 16),
		.offset2  = hi32(at),
	};
}

void trap_open_gate(unsigned int vector)
{
	idt[vector].type |= GATE_DPL3;
}

void trap_point_gate(unsigned int vector, void (*entry)(void))
{
	const u64 at = (u64)entry;

	idt[vector].offset0 = (u16)at;
	idt[vector].offset1 = (u16)(at >> 16);
	idt[vector].offset2 = hi32(at);
}

void trap_load_idt(void)
{
	const struct table_ptr p = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(p));
}

void trap_init(void)
{
	for (unsigned int v = 0; v < ARRAY_SIZE(idt); v++)
		trap_set_gate(v, true, 0);
	trap_set_gate(TRAP_NMI, true, 1);
	trap_set_gate(TRAP_DF, true, 2);
}

void trap_forget(void)
{
	this_cpu()->trap = (struct trap){ .vector = TRAP_NONE };
}

struct trap trap_last(void)
{
	return this_cpu()->trap;
}

static struct trap trap_of(const struct cpu *cpu, const struct frame *f)
{
	return (struct trap){
		.vector  = f->vector,
		.error   = f->error,
		.rip     = f->rip,
		.cs      = f->cs,
		.rflags  = f->rflags,
		.rsp     = f->rsp,
		.cr0     = read_cr0(),
		.cr2     = read_cr2(),
		.at_insn = f->rip == cpu->insn,
	};
}

static _Noreturn void trap_unexpected(struct cpu *cpu, const struct trap *t)
{
	printk("# cpu %u: unexpected %s (vector %lu) error %#lx rip %#lx "
	       "cs %#lx rflags %#lx cr2 %#lx\n",
	       cpu->index, trap_name(t->vector), t->vector, t->error, t->rip,
	       t->cs, t->rflags, t->cr2);
	cpu->unexpected = *t;
	cpu->fixup      = 0;
	if (cpu->recover)
		guarded_fail();
	guest_end(false);
}

/* A hook may TRY() for itself, and its own faults are not the fix-up's. */
static bool hook_takes(struct cpu *cpu, struct frame *f)
{
	const u64 fixup = cpu->fixup;
	const u64 insn  = cpu->insn;
	bool taken;

	if (!hooks[f->vector])
		return false;
	cpu->fixup = 0;
	taken      = hooks[f->vector](f);
	cpu->fixup = fixup;
	cpu->insn  = insn;
	return taken;
}

/* What emulates all instructions may lack INT n at CPL 3: there it is #UD. */
static bool is_user_return(const struct frame *f)
{
	return f->vector == VECTOR_USER_RETURN ||
	       (f->vector == TRAP_UD && f->rip == (u64)user_return);
}

void trap_dispatch(struct frame *f)
{
	struct cpu *cpu = this_cpu();

	if (hook_takes(cpu, f))
		return;
	if (is_user_return(f))
		user_leave(f->r[0]);
	const struct trap t = trap_of(cpu, f);

	if (!cpu->fixup)
		trap_unexpected(cpu, &t);
	cpu->trap  = t;
	f->rip     = cpu->fixup;
	cpu->fixup = 0;
	f->rflags &= ~RFLAGS_TF;
}

struct trap try_rdmsr(u32 msr, u64 *val)
{
	u32 lo = 0, hi = 0;
	const struct trap t = TRY("rdmsr",
				  : "+a"(lo), "+d"(hi)
				  : "c"(msr)
				  : "memory");

	*val = (u64)hi << 32 | lo;
	return t;
}

struct trap try_wrmsr(u32 msr, u64 val)
{
	return TRY("wrmsr",
		   :
		   : "c"(msr), "a"(lo32(val)), "d"(hi32(val))
		   : "memory");
}

struct trap try_xsetbv(u32 ecx, u64 val)
{
	return TRY("xsetbv",
		   :
		   : "c"(ecx), "a"(lo32(val)), "d"(hi32(val))
		   : "memory");
}

struct trap try_write_cr0(u64 val)
{
	return TRY("mov %0, %%cr0", : : "r"(val) : "memory");
}

struct trap try_write_cr4(u64 val)
{
	return TRY("mov %0, %%cr4", : : "r"(val) : "memory");
}

u64 user_call(u64 (*fn)(u64 arg), u64 arg)
{
	static const size_t stack_pages = 2;
	u8 *stack                       = page_alloc(stack_pages);

	return user_enter(fn, arg, (u64)stack + stack_pages * PAGE_BYTES);
}

bool trap_guarded(bool (*claim)(void))
{
	return guarded_call(claim);
}

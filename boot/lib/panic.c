/* SPDX-License-Identifier: MIT */
/*
 * The dump of a panic, and the one sentence of a refusal. Writes to the UART
 * directly: whoever holds the console's lock may be the one that failed.
 */
#include "boot/lib/panic.h"

#include "boot/lib/percpu.h"
#include "boot/lib/power.h"
#include "boot/lib/serial.h"
#include "boot/lib/stop.h"
#include "boot/lib/symbols.h"
#include "boot/lib/trap.h"
#include "boot/lib/x86.h"

#define BACKTRACE_MAX 24

extern const char text_end[], image_start[]; /* linker.ld */

void (*panic_dump_hook)(void);

static u32 panics; /* atomic: how often panic was entered */

/* Static, because a panic may have come from a stack without room. */
static char line[256];

static void vsay(const char *fmt, va_list ap)
{
	tv_vsnprintf(line, sizeof(line), fmt, ap);
	for (const char *c = line; *c; c++) {
		if (*c == '\n')
			serial_write("\r", 1);
		serial_write(c, 1);
	}
}

PRINTF_LIKE(1, 2) static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

const struct symbol *symbol_find(u64 address)
{
	const u64 offset = address - (u64)(uintptr_t)image_start;
	u64 low = 0, high = symbol_count;

	if (offset >= (u64)(text_end - image_start))
		return NULL;
	while (low < high) {
		const u64 middle = low + (high - low) / 2;

		if (symbol_table[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbol_table[low - 1] : NULL;
}

static void say_address(const char *label, u64 address)
{
	const struct symbol *s = symbol_find(address);

	if (s)
		say("tv: %s %016lx %s+%#lx\n", label, address,
		    symbol_names + s->name,
		    address - (u64)(uintptr_t)image_start - s->offset);
	else
		say("tv: %s %016lx\n", label, address);
}

static void say_registers(const struct trap_frame *f)
{
	static const char *const name[] = { "rax", "rcx", "rdx", "rbx",
					    NULL,  "rbp", "rsi", "rdi",
					    "r8 ", "r9 ", "r10", "r11",
					    "r12", "r13", "r14", "r15" };
	u32 column                      = 0;

	say("tv: vector %lu error %#lx cs %#lx ss %#lx rflags %#lx cr2 %#lx\n",
	    f->vector, f->error_code, f->cs, f->ss, f->rflags, read_cr2());
	say("tv: rip %016lx rsp %016lx", f->rip, f->rsp);
	for (u32 i = 0; i < ARRAY_SIZE(name); i++) {
		if (!name[i])
			continue;
		say("%s%s %016lx", column % 4 ? " " : "\ntv: ", name[i],
		    f->r[i]);
		column++;
	}
	say("\n");
}

static void say_control(void)
{
	say("tv: cr0 %#lx cr3 %#lx cr4 %#lx efer %#lx\n", read_cr0(),
	    read_cr3(), read_cr4(), rdmsr(MSR_IA32_EFER));
	if (cpu_count) {
		const struct percpu *cpu = this_cpu();

		say("tv: cpu %u apic %u tsc %lu\n", cpu->index, cpu->apic_id,
		    rdtsc());
	}
}

/* False: there is nothing readable at P. */
static bool peek(u64 p, u64 *value)
{
	u32 low, high;

	if (!is_aligned(p, 8) || !read32_safe((const void *)p, &low) ||
	    !read32_safe((const void *)(p + 4), &high))
		return false;
	*value = make64(high, low);
	return true;
}

/* By the chain of frame pointers, which grows upwards. */
static void say_backtrace(u64 rip, u64 rbp)
{
	if (rip)
		say_address("at", rip);
	for (u32 depth = 0; depth < BACKTRACE_MAX; depth++) {
		u64 next, from;

		if (!peek(rbp, &next) || !peek(rbp + 8, &from) || !from)
			return;
		say_address("by", from - 1);
		if (next <= rbp)
			return;
		rbp = next;
	}
	say("tv: by ...\n");
}

_Noreturn static void vpanic(const struct trap_frame *frame, u64 rbp,
			     const char *fmt, va_list ap)
{
	cli();
	/* When two panic at once, one of them does not return. */
	const u32 stopped = cpus_stop();

	log_without_lock();
	const u32 earlier = __atomic_fetch_add(&panics, 1, __ATOMIC_SEQ_CST);

	if (earlier >= 2)
		power_halt();
	say("\ntv: panic: ");
	vsay(fmt, ap);
	say("\n");
	if (earlier == 0) {
		say("tv: build %s\n", build_id);
		if (frame)
			say_registers(frame);
		say_control();
		if (cpu_count > 1)
			say("tv: %u of the %u other CPUs have stopped\n",
			    stopped, cpu_count - 1);
		if (frame)
			say_backtrace(frame->rip, frame->r[5]);
		else
			say_backtrace(0, rbp);
		if (panic_dump_hook)
			panic_dump_hook();
	} else {
		say("tv: that was a panic inside a panic\n");
	}
	say("tv: panic ends\n");
	power_end(1);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vpanic(NULL, read_rbp(), fmt, ap);
}

void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vpanic(frame, read_rbp(), fmt, ap);
}

void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("\ntv: refused: ");
	vsay(fmt, ap);
	say("\n");
	va_end(ap);
	power_end(1);
}

/* The compiler's stack protector; boot/entry.c replaces the first value. */
extern u64 __stack_chk_guard;
u64 __stack_chk_guard = 0x00000aff0a0d0000; /* ends every kind of string */

_Noreturn void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
	panic("a function wrote beyond its part of the stack");
}

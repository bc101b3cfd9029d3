/* SPDX-License-Identifier: MIT */
/*
 * Guests that misbehave. By itself the image runs what ends by itself; a word
 * of the command line makes it end in a way that only a hypervisor survives:
 * triple_fault, no_idt, cli_hlt, cli_loop, far_jump, nmi_storm. With
 * others_loop or others_hlt it ends while its other CPUs do that for ever.
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define BUSY_TICKS 5000000ul
#define STORM      20000
#define VECTOR     0x41
#define UNBACKED   0xd0000000ul
#define RUNG_LIMIT 20

static volatile u32 irq_count;

static bool on_irq(struct frame *f)
{
	(void)f;
	irq_count++;
	apic_eoi();
	return true;
}

static bool busy(void)
{
	const u64 end = rdtsc() + BUSY_TICKS;

	cli();
	while (rdtsc() < end)
		;
	return true;
}

static bool exit_storm(void)
{
	for (u32 i = 0; i < STORM; i++)
		cpuid(0x40000000, i);
	return true;
}

static bool port_storm(void)
{
	u32 wrong = 0;

	for (u32 i = 0; i < STORM; i++)
		wrong += inb((u16)(0x9000 + i % 256)) != 0xff;
	return same("ports that answer", wrong, 0);
}

static bool ipi_storm(void)
{
	apic_enable();
	irq_count = 0;
	trap_set_hook(VECTOR, on_irq);
	for (u32 i = 0; i < STORM; i++) {
		apic_send(this_cpu()->index, VECTOR);
		sti();
		asm volatile("nop");
		cli();
	}
	return same("interrupts", irq_count, STORM);
}

static u32 ladder;

static bool on_ud_again(struct frame *f)
{
	(void)f;
	if (++ladder < RUNG_LIMIT)
		asm volatile("ud2; nop" : : : "memory");
	f->rip += 2;
	return true;
}

static bool nested_faults(void)
{
	ladder = 0;
	trap_set_hook(TRAP_UD, on_ud_again);
	asm volatile("ud2" : : : "memory");
	return same("faults on top of each other", ladder, RUNG_LIMIT);
}

static bool unbacked_memory(void)
{
	volatile u32 *p = (volatile u32 *)UNBACKED;

	*p = 0x12345678;
	return same("a read", *p, 0xffffffff);
}

static bool cache_storm(void)
{
	for (u32 i = 0; i < 100; i++)
		asm volatile("wbinvd" : : : "memory");
	return true;
}

static void idt_limit_zero(void)
{
	const struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none_at_all = { 0, 0 };

	asm volatile("lidt %0" : : "m"(none_at_all));
}

static bool unbacked_code(void)
{
	const struct trap t = TRY("jmp *%0", : : "r"(UNBACKED) : "memory");

	return same("vector", t.vector, TRAP_UD) &&
	       same("RIP", t.rip, UNBACKED);
}

static void gates_take_away(void)
{
	for (u32 v = 0; v < 32; v++)
		trap_set_gate(v, false, 0);
}

static bool loop(void)
{
	asm volatile("cli; 1: jmp 1b");
	return false;
}

static bool sleep(void)
{
	asm volatile("cli; hlt");
	return false;
}

static void others_do(bool (*task)(void))
{
	for (u32 i = 1; i < guest.vcpus; i++)
		smp_start(i, task);
}

static bool no_return(void)
{
	if (guest_flag("others_loop"))
		others_do(loop);
	if (guest_flag("others_hlt"))
		others_do(sleep);
	if (guest_flag("triple_fault")) {
		printk("# triple fault\n");
		gates_take_away();
		asm volatile("ud2");
	}
	if (guest_flag("no_idt")) {
		printk("# no IDT\n");
		idt_limit_zero();
		asm volatile("int3");
	}
	if (guest_flag("cli_hlt")) {
		printk("# cli; hlt\n");
		asm volatile("cli; hlt");
	}
	if (guest_flag("cli_loop")) {
		printk("# cli; jmp .\n");
		asm volatile("cli; 1: jmp 1b");
	}
	if (guest_flag("far_jump")) {
		printk("# code where there is no memory\n");
		gates_take_away();
		((void (*)(void))UNBACKED)();
	}
	if (guest_flag("nmi_storm")) {
		printk("# an NMI to where there is no memory\n");
		apic_enable();
		gates_take_away();
		trap_set_gate(TRAP_NMI, true, 0);
		trap_point_gate(TRAP_NMI, (void (*)(void))UNBACKED);
		apic_send(this_cpu()->index, APIC_NMI);
	}
	return true;
}

const struct claim claims[] = {
	{ "millions of ticks with interrupts off", busy, 0 },
	{ "a storm of CPUID", exit_storm, 0 },
	{ "a storm of unknown ports", port_storm, 0 },
	{ "a storm of IPIs to oneself", ipi_storm, 0 },
	{ "20 faults on top of each other", nested_faults, 0 },
	{ "memory that does not exist reads all ones", unbacked_memory, 0 },
	{ "code where there is no memory is #UD", unbacked_code, 0 },
	{ "a storm of WBINVD", cache_storm, 0 },
	{ "nothing was asked for that does not return", no_return, 0 },
};
CLAIMS_END

/* SPDX-License-Identifier: MIT */
/* CPU blocks, the start of application processors, and waiting for them. */
#include "lib/smp.h"

#include "lib/apic.h"
#include "lib/insn.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/tap.h"
#include "lib/trap.h"
#include "lib/vmcall.h"

#define AP_START      0x8000ul
#define CPU_LIMIT     64
#define STACK_PAGES   4
#define INIT_TICKS    20000
#define START_TICKS   400000000ul
#define TSS_AVAILABLE 0x890000000000ul

extern const u8 ap_start[], ap_start_end[];
extern const u64 boot_gdt[GDT_ENTRIES];
extern struct cpu *ap_cpu;
_Noreturn void ap_main(struct cpu *cpu);

static struct cpu *cpus[CPU_LIMIT];
static u32 next_fresh, fresh_end;

struct cpu *cpu_create(u32 index)
{
	struct cpu *cpu  = page_alloc(1);
	const u64 tss    = (u64)&cpu->tss;
	const u64 stacks = STACK_PAGES * PAGE_BYTES;
	const u64 base   = (u64)page_alloc(5 * STACK_PAGES);

	_Static_assert(sizeof(struct cpu) <= 4096, "one page");
	cpu->self       = cpu;
	cpu->index      = index;
	cpu->stack_top  = base + stacks;
	cpu->tss.rsp[0] = base + 2 * stacks;
	cpu->tss.ist[0] = base + 3 * stacks;
	cpu->tss.ist[1] = base + 4 * stacks;
	cpu->tss.ist[2] = base + 5 * stacks; /* for who wants it */
	cpu->tss.iomap  = sizeof(struct tss);
	memcpy(cpu->gdt, boot_gdt, sizeof(cpu->gdt));
	cpu->gdt[SEL_TSS / 8] = TSS_AVAILABLE | (sizeof(struct tss) - 1) |
				(tss & 0xffffff) << 16 |
				(tss >> 24 & 0xff) << 56;
	cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	return cpu;
}

void cpu_load(struct cpu *cpu)
{
	const struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) p = { sizeof(cpu->gdt) - 1, (u64)cpu->gdt };

	cpu->gdt[SEL_TSS / 8] &= ~BIT(41); /* available, not busy */
	asm volatile("lgdt %0\n\t"
		     "mov %1, %%ds\n\t"
		     "mov %1, %%es\n\t"
		     "mov %1, %%ss\n\t"
		     "mov %2, %%fs\n\t"
		     "mov %2, %%gs\n\t"
		     "ltr %w3"
		     :
		     : "m"(p), "r"(SEL_DATA), "r"(SEL_USER_DATA), "r"(SEL_TSS)
		     : "memory");
	wrmsr(MSR_GS_BASE, (u64)cpu);
	trap_load_idt();
}

void smp_init(void)
{
	cpus[0] = cpu_create(0);
	cpu_load(cpus[0]);
	if (guest.vcpus > CPU_LIMIT)
		guest.vcpus = CPU_LIMIT;
	fresh_end  = guest.vcpus + guest.fresh;
	next_fresh = guest.fresh ? guest.vcpus : 1;
	if (fresh_end > CPU_LIMIT)
		fresh_end = CPU_LIMIT;
}

struct cpu *smp_cpu(u32 index)
{
	return cpus[index];
}

u32 smp_fresh(void)
{
	return next_fresh < fresh_end ? next_fresh++ : 0;
}

void smp_relax(void)
{
	if (hosted())
		vmcall(CALL_YIELD, 0);
	else
		pause();
}

static void delay(u64 ticks)
{
	const u64 end = rdtsc() + ticks;

	while (rdtsc() < end)
		smp_relax();
}

_Noreturn void ap_main(struct cpu *cpu)
{
	cpu_load(cpu);
	cpu->up     = true;
	cpu->result = trap_guarded(cpu->task);
	__atomic_store_n(&cpu->done, true, __ATOMIC_RELEASE);
	for (;;)
		asm volatile("cli; hlt");
}

void smp_start(u32 index, bool (*task)(void))
{
	if (!cpus[index])
		cpus[index] = cpu_create(index);
	struct cpu *cpu = cpus[index];

	cpu->task    = task;
	cpu->done    = false;
	cpu->up      = false;
	cpu->fixup   = 0;
	cpu->recover = 0;
	ap_cpu       = cpu;
	memcpy((void *)AP_START, ap_start, (size_t)(ap_start_end - ap_start));
	apic_enable();
	apic_send(index, APIC_INIT);
	delay(INIT_TICKS);
	apic_send(index, APIC_STARTUP | AP_START >> 12);
	const u64 end = rdtsc() + START_TICKS;

	while (!__atomic_load_n(&cpu->up, __ATOMIC_ACQUIRE)) {
		smp_relax();
		if (rdtsc() > end) {
			printk("# cpu %u does not start\n", index);
			cpu->done   = true;
			cpu->result = false;
			return;
		}
	}
}

bool smp_wait(u32 index)
{
	struct cpu *cpu = cpus[index];

	while (!__atomic_load_n(&cpu->done, __ATOMIC_ACQUIRE))
		smp_relax();
	return cpu->result;
}

bool smp_run(u32 index, bool (*task)(void))
{
	smp_start(index, task);
	return smp_wait(index);
}

bool smp_run_all(bool (*task)(void))
{
	bool result;

	for (u32 i = 1; i < guest.vcpus; i++)
		smp_start(i, task);
	result = trap_guarded(task);
	for (u32 i = 1; i < guest.vcpus; i++)
		result &= smp_wait(i);
	return result;
}

void smp_barrier(struct barrier *b, u32 count)
{
	const u32 round = __atomic_load_n(&b->round, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == count) {
		__atomic_store_n(&b->arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&b->round, round + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&b->round, __ATOMIC_ACQUIRE) == round)
		smp_relax();
}

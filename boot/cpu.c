/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables in the hardware's layout and the values of the control
 * registers. No decision about guests is made here.
 */
#include "boot/cpu.h"

#include "boot/cpu_alike.h"
#include "boot/lib/lapic.h"
#include "boot/lib/pages.h"
#include "boot/lib/paging.h"
#include "boot/lib/panic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/x86.h"
#include "boot/trap.h"

/* SDM 3A, "64-Bit Task State Segment (TSS)"; IST entries count from 1. */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3A: 64-bit TSS");

/* One CPU's own tables; written by that CPU alone. */
struct cpu_tables {
	struct tss tss;
	u64 gdt[5]; /* null, code, data, TSS in two slots */
	struct cpu_stacks *stacks;
};

#define GDT_CODE64  0x00af9b000000ffffULL
#define GDT_DATA    0x00cf93000000ffffULL
#define GDT_TSS     0x0000890000000000ULL
#define PAT_VALUE   0x0007040600070406ULL /* RESET's: WB WT UC- UC, twice */
#define CPUID_7_CET (BIT(7))

/* Of the boot CPU: head.S starts on the main one. */
extern struct cpu_stacks boot_cpu_stacks;
struct cpu_stacks boot_cpu_stacks __attribute__((aligned(4096)));

static struct cpu_tables boot_cpu_tables;

/* CPUID bits without which Tilevisor cannot run, whatever the guests do. */
static const struct {
	u32 leaf;
	char reg; /* 'c': ECX, 'd': EDX */
	unsigned int bit;
	const char *text;
} required[] = {
	{ 0x00000001, 'd', 5, "CPUID.1:EDX.MSR is 0: no RDMSR and WRMSR" },
	{ 0x00000001, 'd', 9, "CPUID.1:EDX.APIC is 0: no local APIC" },
	{ 0x00000001, 'd', 16,
	  "CPUID.1:EDX.PAT is 0: no page attribute table" },
	{ 0x00000001, 'c', 26, "CPUID.1:ECX.XSAVE is 0: no XSAVE" },
	{ 0x80000001, 'd', 20,
	  "CPUID.80000001H:EDX.NX is 0: no execute-disable pages" },
};

static void require_features(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
		const struct cpuid_regs r = cpuid(required[i].leaf, 0);
		const u32 reg = required[i].reg == 'c' ? r.ecx : r.edx;

		if (!(reg & BIT(required[i].bit)))
			refuse("%s", required[i].text);
	}
}

static void make_tables(struct cpu_tables *t)
{
	const u64 base  = (u64)(uintptr_t)&t->tss;
	const u64 limit = sizeof(t->tss) - 1;

	for (u32 i = 0; i < ARRAY_SIZE(t->stacks->ist); i++)
		t->tss.ist[i] =
			(u64)(uintptr_t)(t->stacks->ist[i].stack +
					 sizeof(t->stacks->ist[i].stack));
	t->tss.rsp[0] =
		(u64)(uintptr_t)(t->stacks->main + sizeof(t->stacks->main));
	t->tss.io_map            = sizeof(t->tss);
	t->gdt[CPU_SEL_CODE / 8] = GDT_CODE64;
	t->gdt[CPU_SEL_DATA / 8] = GDT_DATA;
	t->gdt[CPU_SEL_TSS / 8]  = GDT_TSS | limit |
				  field_get(base, 23, 0) << 16 |
				  field_get(base, 31, 24) << 56;
	t->gdt[CPU_SEL_TSS / 8 + 1] = base >> 32;
}

/* The busy bit of the TSS descriptor is clear again: make_tables() was here. */
static void load_tables(struct percpu *cpu)
{
	const struct descriptor_table gdt = {
		sizeof(cpu->tables->gdt) - 1,
		(u64)(uintptr_t)cpu->tables->gdt,
	};

	lgdt(&gdt);
	load_segments(CPU_SEL_CODE, CPU_SEL_DATA);
	lldt(0);
	ltr(CPU_SEL_TSS);
	wrmsr(MSR_IA32_FS_BASE, 0);
	wrmsr(MSR_IA32_GS_BASE, (u64)(uintptr_t)cpu);
	wrmsr(MSR_IA32_KERNEL_GS_BASE, 0);
	trap_load_idt();
}

/*
 * Complete values, whatever the firmware left. CET's MSR goes first: CR4.CET
 * was cleared at entry, and it must not start with leftovers when it is set
 * again.
 */
static void known_control_registers(void)
{
	const u32 max_leaf      = cpuid(0, 0).eax;
	struct cpuid_regs leaf7 = { 0 };
	u64 cr4 = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;

	if (max_leaf >= 7)
		leaf7 = cpuid(7, 0);
	if ((leaf7.ecx & CPUID_7_CET) || (leaf7.edx & BIT(20)))
		wrmsr(MSR_IA32_S_CET, 0);
	cr4 |= leaf7.ebx & BIT(7) ? CR4_SMEP : 0;
	cr4 |= leaf7.ebx & BIT(20) ? CR4_SMAP : 0;
	cr4 |= leaf7.ecx & BIT(2) ? CR4_UMIP : 0;
	write_cr4(cr4);
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	wrmsr(MSR_IA32_EFER, EFER_LME | EFER_LMA | EFER_NXE);
	wrmsr(MSR_IA32_PAT, PAT_VALUE);
	write_cr8(0);
	write_dr7(0x400);
}

/* The boot CPU's, in the order of cpu_alike; written by cpu_init(). */
static struct cpuid_regs boot_cpuid[CPU_ALIKE_COUNT];

static struct cpuid_regs cpuid_if_there(u32 leaf, u32 subleaf)
{
	if (cpuid(leaf & 0x80000000, 0).eax < leaf)
		return (struct cpuid_regs){ 0 };
	return cpuid(leaf, subleaf);
}

static void read_alike(struct cpuid_regs r[CPU_ALIKE_COUNT])
{
	for (size_t i = 0; i < CPU_ALIKE_COUNT; i++)
		r[i] = cpuid_if_there(cpu_alike[i].leaf, cpu_alike[i].subleaf);
}

const char *cpu_differs(void)
{
	struct cpuid_regs own[CPU_ALIKE_COUNT];

	read_alike(own);
	return cpu_alike_complaint(boot_cpuid, own);
}

/* All 32 bits where the topology leaf is there, as boot/smp.S does. */
static u32 own_apic_id(void)
{
	const struct cpuid_regs r = cpuid_if_there(0xb, 0);

	return r.ebx ? r.edx : cpuid(1, 0).ebx >> 24;
}

void cpu_init(void)
{
	struct percpu *cpu = percpu_create(own_apic_id());

	boot_cpu_tables.stacks = &boot_cpu_stacks;
	cpu->tables            = &boot_cpu_tables;
	cpu->state             = CPU_READY;
	make_tables(cpu->tables);
	trap_init();
	load_tables(cpu);
	require_features();
	known_control_registers();
	read_alike(boot_cpuid);
}

static void guard_stacks(const struct cpu_stacks *s)
{
	paging_guard(s->guard);
	for (u32 i = 0; i < ARRAY_SIZE(s->ist); i++)
		paging_guard(s->ist[i].guard);
}

void cpu_prepare(struct percpu *cpu)
{
	if (!cpu->tables) {
		cpu->tables = pages_alloc(sizeof(*cpu->tables) / PAGE_SIZE + 1);
		if (cpu->tables)
			cpu->tables->stacks = pages_alloc(
				sizeof(struct cpu_stacks) / PAGE_SIZE);
		if (!cpu->tables || !cpu->tables->stacks)
			refuse("no memory for the stacks of CPU %u",
			       cpu->index);
		cpu->stack_top =
			(u64)(uintptr_t)cpu->tables->stacks + CPU_STACK_TOP;
	}
	guard_stacks(cpu->tables->stacks);
}

void cpu_init_cpu(void)
{
	struct percpu *cpu = this_cpu();

	make_tables(cpu->tables);
	load_tables(cpu);
	known_control_registers();
	lapic_init_cpu();
	cpu->apic_id = lapic_id();
	log_debug("CPU %u: APIC id %u, %s", cpu->index, cpu->apic_id,
		  lapic_mode());
}

const char *cpu_stack_of_guard(u64 address)
{
	static const char *const ist_name[] = { "NMI stack",
						"double-fault stack",
						"machine-check stack" };

	for (const struct percpu *c = cpu_first; c; c = c->next) {
		const struct cpu_stacks *s =
			c->tables ? c->tables->stacks : NULL;

		if (!s)
			continue;
		if (address - (u64)(uintptr_t)s->guard < sizeof(s->guard))
			return "main stack";
		for (u32 i = 0; i < ARRAY_SIZE(s->ist); i++)
			if (address - (u64)(uintptr_t)s->ist[i].guard <
			    sizeof(s->ist[i].guard))
				return ist_name[i];
	}
	return NULL;
}

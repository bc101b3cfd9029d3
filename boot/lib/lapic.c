/* SPDX-License-Identifier: MIT */
/*
 * One register file, two ways to reach it: MSRs in x2APIC mode, memory
 * otherwise. Offsets are those of the memory form (SDM 3A, "Local APIC Register
 * Address Map"); MSR number = 800H + offset / 16.
 */
#include "boot/lib/lapic.h"

#include "boot/lib/clock.h"
#include "boot/lib/panic.h"
#include "boot/lib/x86.h"

enum lapic_reg {
	REG_ID            = 0x20,
	REG_VERSION       = 0x30,
	REG_TPR           = 0x80,
	REG_EOI           = 0xb0,
	REG_SIVR          = 0xf0,
	REG_ESR           = 0x280,
	REG_LVT_CMCI      = 0x2f0,
	REG_ICR           = 0x300,
	REG_ICR_HIGH      = 0x310,
	REG_LVT_TIMER     = 0x320,
	REG_LVT_THERMAL   = 0x330,
	REG_LVT_PMI       = 0x340,
	REG_LVT_LINT0     = 0x350,
	REG_LVT_LINT1     = 0x360,
	REG_LVT_ERROR     = 0x370,
	REG_INITIAL_COUNT = 0x380,
	REG_CURRENT_COUNT = 0x390,
	REG_DIVIDE        = 0x3e0,
};

#define SIVR_ENABLE  BIT(8)
#define LVT_NMI      0x400u
#define LVT_MASKED   BIT(16)
#define LVT_DEADLINE (2u << 17)
#define ICR_PENDING  BIT(12)
#define ICR_ASSERT   (1u << 14)
#define ICR_NMI      (4u << 8)
#define ICR_INIT     (5u << 8)
#define ICR_SIPI     (6u << 8)

#define XAPIC_BROADCAST 0xffu
#define DIVIDE_BY_1     0xbu
#define ICR_POLLS       1000000
#define CALIBRATE_US    1000

#define PIC_MASTER_DATA 0x21
#define PIC_SLAVE_DATA  0xa1

/* The same on every CPU; written by lapic_init_cpu() of the boot CPU. */
static struct {
	bool chosen;
	bool x2apic;
	bool deadline; /* CPUID.1:ECX[24] */
	u64 count_hz;  /* timer's rate, where the deadline mode is missing */
} lapic;

static u32 reg_read(enum lapic_reg reg)
{
	if (lapic.x2apic)
		return lo32(rdmsr(MSR_IA32_X2APIC_BASE + reg / 16));
	return *(volatile u32 *)(uintptr_t)(LAPIC_MMIO + reg);
}

static void reg_write(enum lapic_reg reg, u32 value)
{
	if (lapic.x2apic)
		wrmsr(MSR_IA32_X2APIC_BASE + reg / 16, value);
	else
		*(volatile u32 *)(uintptr_t)(LAPIC_MMIO + reg) = value;
}

/* Rate of the count-down timer, measured against the TSC. */
static u64 measure_count_hz(void)
{
	const u64 end = rdtsc() + us_to_ticks(CALIBRATE_US);
	u32 left;

	reg_write(REG_LVT_TIMER, LVT_MASKED | LAPIC_VECTOR_TIMER);
	reg_write(REG_INITIAL_COUNT, UINT32_MAX);
	while (rdtsc() < end)
		cpu_pause();
	left = reg_read(REG_CURRENT_COUNT);
	reg_write(REG_INITIAL_COUNT, 0);
	return clock_scale(UINT32_MAX - left, 1000000, CALIBRATE_US);
}

static void choose_mode(void)
{
	const struct cpuid_regs r = cpuid(1, 0);

	lapic.x2apic   = r.ecx & BIT(21);
	lapic.deadline = r.ecx & BIT(24);
	lapic.chosen   = true;
	outb(PIC_MASTER_DATA, 0xff);
	outb(PIC_SLAVE_DATA, 0xff);
}

/*
 * A local APIC that the firmware left in x2APIC mode stays there: going back
 * needs it to be off first (SDM 3A, "x2APIC State Transitions").
 */
static void enable(void)
{
	const u64 base = rdmsr(MSR_IA32_APIC_BASE);

	if ((base & APIC_BASE_X2APIC) && (base & APIC_BASE_ENABLE))
		return;
	if (!lapic.x2apic && align_down(base, PAGE_SIZE) != LAPIC_MMIO)
		refuse("the local APIC is at %#lx, not at %#llx",
		       align_down(base, PAGE_SIZE), LAPIC_MMIO);
	wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_ENABLE);
	if (lapic.x2apic)
		wrmsr(MSR_IA32_APIC_BASE,
		      base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
}

void lapic_init_cpu(void)
{
	if (!lapic.chosen)
		choose_mode();
	enable();
	const u32 lvt_count = (u32)field_get(reg_read(REG_VERSION), 23, 16) + 1;

	reg_write(REG_SIVR, SIVR_ENABLE | LAPIC_VECTOR_SPURIOUS);
	reg_write(REG_TPR, 0);
	reg_write(REG_LVT_TIMER, LVT_MASKED | LAPIC_VECTOR_TIMER);
	reg_write(REG_LVT_LINT0, LVT_MASKED);
	reg_write(REG_LVT_LINT1, LVT_NMI);
	reg_write(REG_LVT_ERROR, LAPIC_VECTOR_ERROR);
	if (lvt_count > 4)
		reg_write(REG_LVT_PMI, LVT_MASKED);
	if (lvt_count > 5)
		reg_write(REG_LVT_THERMAL, LVT_MASKED);
	if (lvt_count > 6)
		reg_write(REG_LVT_CMCI, LVT_MASKED);
	reg_write(REG_ESR, 0);
	reg_write(REG_DIVIDE, DIVIDE_BY_1);
	if (!lapic.deadline && !lapic.count_hz)
		lapic.count_hz = measure_count_hz();
	reg_write(REG_INITIAL_COUNT, 0);
}

u32 lapic_id(void)
{
	const u32 id = reg_read(REG_ID);

	return lapic.x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

void lapic_timer_arm(u64 deadline)
{
	if (lapic.deadline) {
		reg_write(REG_LVT_TIMER, LVT_DEADLINE | LAPIC_VECTOR_TIMER);
		/* The memory form of the LVT write must be seen first. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		wrmsr(MSR_IA32_TSC_DEADLINE, deadline ? deadline : 1);
		return;
	}
	const u64 now   = rdtsc();
	const u64 ticks = deadline > now ? deadline - now : 0;
	const u64 count = clock_scale(ticks, lapic.count_hz, tsc_hz()) + 1;

	reg_write(REG_LVT_TIMER, LAPIC_VECTOR_TIMER);
	reg_write(REG_INITIAL_COUNT, (u32)min_u64(count, UINT32_MAX));
}

void lapic_timer_disarm(void)
{
	if (lapic.deadline)
		wrmsr(MSR_IA32_TSC_DEADLINE, 0);
	else
		reg_write(REG_INITIAL_COUNT, 0);
	reg_write(REG_LVT_TIMER, LVT_MASKED | LAPIC_VECTOR_TIMER);
}

/* What was written before is seen by whoever gets the interrupt: in x2APIC mode
 * the MSR write alone does not order that.
 */
static void write_icr(u32 apic_id, u32 low)
{
	if (lapic.x2apic) {
		fence();
		wrmsr(MSR_IA32_X2APIC_ICR, make64(apic_id, low));
		return;
	}
	for (u32 polls = ICR_POLLS; (reg_read(REG_ICR) & ICR_PENDING) && polls;
	     polls--)
		cpu_pause();
	reg_write(REG_ICR_HIGH, apic_id << 24);
	reg_write(REG_ICR, low);
}

void lapic_send(u32 apic_id, u8 vector)
{
	write_icr(apic_id, ICR_ASSERT | vector);
}

void lapic_send_nmi(u32 apic_id)
{
	write_icr(apic_id, ICR_ASSERT | ICR_NMI);
}

void lapic_send_init(u32 apic_id)
{
	write_icr(apic_id, ICR_ASSERT | ICR_INIT);
}

void lapic_send_sipi(u32 apic_id, u8 page)
{
	write_icr(apic_id, ICR_ASSERT | ICR_SIPI | page);
}

bool lapic_reaches(u32 apic_id)
{
	return lapic.x2apic || apic_id < XAPIC_BROADCAST;
}

const char *lapic_mode(void)
{
	return lapic.x2apic ? "x2APIC" : "xAPIC";
}

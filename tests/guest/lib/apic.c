/* SPDX-License-Identifier: MIT */
/* Local APIC access in both modes; the mode is read from IA32_APIC_BASE. */
#include "lib/apic.h"

#include "lib/insn.h"
#include "lib/tap.h"

#define APIC_MMIO        0xfee00000ul
#define APIC_MSR         0x800
#define APIC_BASE_EXTD   BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define SVR_ENABLE       0x100
#define ICR_PENDING      0x1000
#define ICR_ASSERT       0x4000
#define SEND_POLLS       1000000

static bool is_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

static volatile u32 *mmio(u32 reg)
{
	return (volatile u32 *)(APIC_MMIO + reg * 16ul);
}

u32 apic_read(u32 reg)
{
	return is_x2() ? lo32(rdmsr(APIC_MSR + reg)) : *mmio(reg);
}

void apic_write(u32 reg, u32 val)
{
	if (is_x2())
		wrmsr(APIC_MSR + reg, val);
	else
		*mmio(reg) = val;
}

void apic_enable_mode(bool x2)
{
	const u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	if (!(base & APIC_BASE_EXTD))
		wrmsr(MSR_APIC_BASE, x2 ? base | APIC_BASE_EXTD : base);
	apic_write(APIC_REG_SVR, SVR_ENABLE | APIC_SPURIOUS_VECTOR);
}

void apic_enable(void)
{
	apic_enable_mode(guest.has_x2apic);
}

void apic_send(u32 cpu, u32 icr)
{
	if (is_x2()) {
		wrmsr(APIC_MSR + APIC_REG_ICR,
		      (u64)cpu << 32 | icr | ICR_ASSERT);
		return;
	}
	*mmio(APIC_REG_ICR_HIGH) = cpu << 24;
	*mmio(APIC_REG_ICR)      = icr | ICR_ASSERT;
	for (u32 i = 0; i < SEND_POLLS; i++)
		if (!(*mmio(APIC_REG_ICR) & ICR_PENDING))
			return;
}

void apic_eoi(void)
{
	apic_write(APIC_REG_EOI, 0);
}

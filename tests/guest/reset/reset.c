/* SPDX-License-Identifier: MIT */
/*
 * RESET, asked for by the guest itself. Each life looks at what RESET has to
 * have set (SDM vol. 3, "Processor State After Reset"; xfd.md F.66), spoils all
 * of it and asks for the next one in another way; the last life makes the
 * claims. Which life it is only the hypervisor knows: memory is zeroed.
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/serial.h"
#include "lib/smp.h"

#define RESET_PORT     0xcf9
#define RESET_VALUE    6
#define KEYBOARD       0x64
#define KEYBOARD_RESET 0xfe
#define UART_SCRATCH   0x3ff
#define SPOIL_BYTES    0x40000ul
#define SPOILT         0x5a
#define INITIAL        0x1badb002u
#define XCR0_RESET     1
#define IOAPIC_SELECT  ((volatile u32 *)0xfec00000ul)
#define IOAPIC_WINDOW  ((volatile u32 *)0xfec00010ul)
#define IOAPIC_ENTRY   (0x10 + 2 * 9)

/* Those that the guests' frame does not write. */
static const struct {
	u32 msr;
	u64 reset;
} msrs[] = {
	{ 0x3b, 0 },                     /* IA32_TSC_ADJUST */
	{ 0x174, 0 },                    /* IA32_SYSENTER_CS */
	{ 0x175, 0 },                    /* IA32_SYSENTER_ESP */
	{ 0x176, 0 },                    /* IA32_SYSENTER_EIP */
	{ 0x277, 0x0007040600070406ul }, /* IA32_PAT */
	{ 0xc0000081, 0 },               /* IA32_STAR */
	{ 0xc0000082, 0 },               /* IA32_LSTAR */
	{ 0xc0000084, 0 },               /* IA32_FMASK */
	{ 0xc0000102, 0 },               /* IA32_KERNEL_GS_BASE */
};

/* In the image: the loader sets it again. */
static volatile u32 initial = INITIAL;

/* Near the end of RAM, where neither image nor stacks are. */
static u8 *spoil(void)
{
	return (u8 *)(guest.ram_end - SPOIL_BYTES);
}

static bool memory(void)
{
	return is("it is zero", mem_is(spoil(), 0, SPOIL_BYTES)) &
	       same("a word of the image", initial, INITIAL);
}

static bool registers(void)
{
	bool ok = same("DR0", read_dr0(), 0) & same("CR2", read_cr2(), 0);

	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		if (rdmsr(msrs[i].msr) != msrs[i].reset)
			ok &= same("an MSR", rdmsr(msrs[i].msr),
				   msrs[i].reset) &
			      same("which is", 0, msrs[i].msr);
	return ok;
}

static bool devices(void)
{
	*IOAPIC_SELECT = IOAPIC_ENTRY;
	return same("an I/O APIC entry", *IOAPIC_WINDOW, APIC_MASKED) &
	       same("UART scratch", inb(UART_SCRATCH), 0) &
	       same("TPR", *(volatile u32 *)0xfee00080ul, 0) &
	       same("SVR", *(volatile u32 *)0xfee000f0ul, 0x1ff) &
	       same("timer LVT", *(volatile u32 *)0xfee00320ul, APIC_MASKED);
}

static bool extended_state(void)
{
	const bool small = guest.policy == NM || guest.policy == WRMSR;

	write_cr4(read_cr4() | CR4_OSXSAVE);
	return same("XCR0", xgetbv(0), XCR0_RESET) & xfd_is(0, 0) &
	       is("an area as small as before",
		  vmcall(CALL_AREA_BYTES, 0) < TILEDATA_BYTES || !small);
}

static bool of_another_cpu(void)
{
	return guest.vcpus < 2 || smp_run(1, extended_state);
}

static bool spoil_cpu(void)
{
	const u64 growths = vmcall(CALL_GROWTHS, 0);

	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		wrmsr(msrs[i].msr, msrs[i].reset ? 0 : SPOILT);
	write_dr0(SPOILT);
	write_cr2(SPOILT);
	xstate_start();
	tiles_load(tile_source());
	wrmsr(MSR_XFD, TILEDATA);
	if (guest.policy == NM || guest.policy == WRMSR)
		return same("growths in this life",
			    vmcall(CALL_GROWTHS, 0) - growths, 1);
	return true;
}

static bool ask(void)
{
	outb(RESET_PORT, RESET_VALUE);
	return is("a reset from another CPU", false);
}

static bool next_life(u64 life)
{
	bool ok = spoil_cpu();

	memset(spoil(), SPOILT, SPOIL_BYTES);
	initial        = SPOILT;
	*IOAPIC_SELECT = IOAPIC_ENTRY;
	*IOAPIC_WINDOW = SPOILT;
	outb(UART_SCRATCH, SPOILT);
	if (guest.vcpus > 1)
		ok &= smp_run(1, spoil_cpu);
	apic_enable();
	apic_write(APIC_REG_TPR, SPOILT);
	apic_write(APIC_REG_TIMER, APIC_TIMER_PERIODIC | SPOILT);
	apic_write(APIC_REG_INITIAL, 1000000);
	if (!ok)
		return false;
	cli();
	if (life % 3 == 0)
		outb(RESET_PORT, RESET_VALUE);
	else if (life % 3 == 1)
		outb(KEYBOARD, KEYBOARD_RESET);
	else if (guest.vcpus < 2)
		ask();
	else
		smp_start(1, ask);
	for (;;)
		pause();
}

static bool lives(void)
{
	const u64 life = vmcall(CALL_RESETS, 0);

	if (life == guest_number("lives", 1))
		return true;
	printk("# life %u\n", (u32)life);
	return memory() & registers() & devices() & extended_state() &
		       of_another_cpu() &&
	       next_life(life);
}

const struct claim claims[] = {
	{ "every life but the last ended in a reset", lives, ON_HOSTED },
	{ "memory is zero, the image as loaded", memory, ON_HOSTED },
	{ "registers are as after RESET", registers, ON_HOSTED },
	{ "devices are as after RESET", devices, ON_HOSTED },
	{ "F.66 XCR0, XFD and the area are as after RESET", extended_state,
	  ON_HOSTED | NEEDS_AMX },
	{ "F.66 those of another CPU as well", of_another_cpu,
	  ON_HOSTED | NEEDS_AMX },
};
CLAIMS_END

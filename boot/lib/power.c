/* SPDX-License-Identifier: MIT */
/*
 * Powering off, in the order from the most specific way to the one that always
 * works. A port that nobody decodes ignores what is written to it.
 */
#include "boot/lib/power.h"

#include "boot/lib/options.h"
#include "boot/lib/serial.h"
#include "boot/lib/stop.h"
#include "boot/lib/x86.h"

#define PORT_EXIT       0xf4   /* isa-debug-exit: status is v << 1 | 1 */
#define PORT_BOCHS_OFF  0x8900 /* takes the word "Shutdown" */
#define PORT_PM_Q35     0x604
#define PORT_PM_PIIX4   0xb004
#define PM_SCI_EN       BIT(0)
#define PM_SLP_EN       BIT(13)
#define PM_SLP_TYP(t)   ((u16)((t) << 10))
#define POLLS           1000000
#define PORT_RESET      0xcf9
#define RESET_FULL      0x0e
#define PORT_KBD        0x64
#define KBD_PULSE_RESET 0xfe

/* Set once at boot, before other CPUs run; port 0: unknown. */
static struct power_acpi acpi;
static u16 reset_port;
static u8 reset_value;

void power_set_reset(u16 port, u8 value)
{
	reset_port  = port;
	reset_value = value;
}

void power_set_acpi(const struct power_acpi *how)
{
	acpi = *how;
}

void power_halt(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

/* Firmware leaves SCI_EN clear until an operating system asks for ACPI. */
static void acpi_off(void)
{
	if (acpi.smi_cmd && !(inw(acpi.pm1a) & PM_SCI_EN)) {
		outb(acpi.smi_cmd, acpi.acpi_enable);
		for (u32 i = 0; i < POLLS && !(inw(acpi.pm1a) & PM_SCI_EN); i++)
			cpu_pause();
	}
	outw(acpi.pm1a, (u16)(PM_SLP_TYP(acpi.slp_typa) | PM_SLP_EN));
	if (acpi.pm1b)
		outw(acpi.pm1b, (u16)(PM_SLP_TYP(acpi.slp_typb) | PM_SLP_EN));
}

static void power_off(int code)
{
	outb(PORT_EXIT, (u8)code);
	for (const char *c = "Shutdown"; *c; c++)
		outb(PORT_BOCHS_OFF, (u8)*c);
	if (acpi.pm1a)
		acpi_off();
	outw(PORT_PM_Q35, PM_SLP_EN);
	outw(PORT_PM_PIIX4, PM_SLP_EN);
}

static void reboot(void)
{
	static const struct descriptor_table no_idt = { 0, 0 };

	if (reset_port)
		outb(reset_port, reset_value);
	outb(PORT_RESET, RESET_FULL);
	outb(PORT_KBD, KBD_PULSE_RESET);
	for (u32 i = 0; i < POLLS; i++)
		cpu_pause();
	lidt(&no_idt); /* the next exception is a triple fault */
	ud2();
}

void power_end(int code)
{
	cli();
	cpus_stop();
	serial_drain();
	switch (host_options()->end) {
	case HOST_END_OFF:
		power_off(code);
		break;
	case HOST_END_REBOOT:
		reboot();
		break;
	case HOST_END_HALT:
		break;
	}
	power_halt();
}

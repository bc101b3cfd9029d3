/* SPDX-License-Identifier: MIT */
/* 82093AA: two registers that show the others. */
#include "boot/ioapic.h"

#include "boot/acpi.h"
#include "boot/isa_irq.h"
#include "boot/lib/lapic.h"
#include "boot/lib/options.h"
#include "boot/lib/paging.h"
#include "boot/lib/panic.h"
#include "boot/lib/serial.h"

#define SELECT_OFFSET 0x00
#define WINDOW_OFFSET 0x10
#define REG_VERSION   0x01
#define REG_ENTRY     0x10 /* two for each input */
#define VERSION_NONE  0xffffffffu
#define ENTRY_LOW     BIT(13) /* active low */
#define ENTRY_LEVEL   BIT(15)
#define ENTRY_MASKED  BIT(16)
#define ID_MAX        254 /* physical destinations have 8 bits */

static u32 *reg(u32 address, u32 offset)
{
	return (u32 *)(uintptr_t)(address + offset);
}

static u32 read(u32 address, u32 number)
{
	*(volatile u32 *)reg(address, SELECT_OFFSET) = number;
	return *(volatile u32 *)reg(address, WINDOW_OFFSET);
}

static void write(u32 address, u32 number, u32 value)
{
	*(volatile u32 *)reg(address, SELECT_OFFSET) = number;
	*(volatile u32 *)reg(address, WINDOW_OFFSET) = value;
}

static void map(u32 address)
{
	const u64 page = align_down(address, PAGE_SIZE);

	if (!paging_map(page, page + PAGE_SIZE, PAGING_WRITE | PAGING_DEVICE))
		refuse("no memory for the page tables of the I/O APIC");
	paging_load();
}

/* NULL: it is done; else why not. */
static const char *route(const struct isa_irq *to, u8 vector)
{
	const u32 entry = REG_ENTRY + 2 * to->input;
	u32 version;

	if (lapic_id() > ID_MAX)
		return "the boot CPU's APIC id has more than 8 bits";
	map(to->address);
	version = read(to->address, REG_VERSION);
	if (version == VERSION_NONE)
		return "nothing answers where the MADT has the I/O APIC";
	if (to->input > field_get(version, 23, 16))
		return "no I/O APIC has its input";
	write(to->address, entry, ENTRY_MASKED);
	write(to->address, entry + 1, lapic_id() << 24);
	write(to->address, entry,
	      vector | (u32)((to->low ? ENTRY_LOW : 0) |
			     (to->level ? ENTRY_LEVEL : 0)));
	return NULL;
}

/* Where the console's interrupt comes in; WHY_NOT: it does not. */
static struct {
	struct isa_irq input;
	const char *why_not;
} console;

static const char *find(const struct boot_info *bi, struct isa_irq *input)
{
	const struct acpi_window low = ACPI_FIRST_WINDOW;
	const u8 irq                 = isa_irq_of_uart(serial_port());
	enum acpi_fault fault        = ACPI_ABSENT;
	const u8 *madt               = NULL;
	u32 length;

	if (!irq)
		return "its port tells no IRQ";
	if (bi->rsdp)
		madt = acpi_table(&low, bi->rsdp_copy, "APIC", &length, &fault);
	if (!madt)
		return "there is no MADT to be used";
	if (!isa_irq_find(madt, length, irq, input))
		return "the MADT names no I/O APIC for its IRQ";
	return NULL;
}

void ioapic_find_console(const struct boot_info *bi)
{
	console.why_not = find(bi, &console.input);
}

void ioapic_listen_to_console(void)
{
	const char *why = console.why_not;

	if (!serial_port())
		return;
	if (!why)
		why = route(&console.input, LAPIC_VECTOR_UART);
	if (!why)
		serial_listen();
	else
		log_info("the console's input is polled: %s", why);
}

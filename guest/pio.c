/* SPDX-License-Identifier: MIT */
/* The port table and the devices too small for a file of their own. */
#include "guest/pio.h"

#include "boot/lib/print.h"
#include "guest/acpi_tables.h"
#include "guest/interrupts.h"

#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe
#define RESET_CPU        BIT(2)

/* VM's lock is held. */
typedef u8 in_fn(struct vm *vm, u16 port);
typedef void out_fn(struct vm *vm, u16 port, u8 value);

/* A read may have made room for input, a write may have asked for it. */
static void uart_accessed(struct vm *vm)
{
	vuart_fill(&vm->uart, &vm->line);
	interrupts_line(vm, VUART_IRQ, vuart_irq(&vm->uart));
}

static u8 uart_in(struct vm *vm, u16 port)
{
	const u8 value = vuart_read(&vm->uart, port - VUART_PORT);

	uart_accessed(vm);
	return value;
}

static void uart_out(struct vm *vm, u16 port, u8 value)
{
	if (vuart_write(&vm->uart, port - VUART_PORT, value))
		console_put(&vm->console, value, rdtsc());
	uart_accessed(vm);
}

static u8 pic_in(struct vm *vm, u16 port)
{
	return vpic_read(&vm->pic, port);
}

static void pic_out(struct vm *vm, u16 port, u8 value)
{
	vpic_write(&vm->pic, port, value);
	if (vpic_pending(&vm->pic) >= 0)
		vcpu_post(&vm->vcpu[0], VCPU_EVENT_INTR);
}

static u8 rtc_in(struct vm *vm, u16 port)
{
	return vrtc_read(&vm->rtc, port);
}

static void rtc_out(struct vm *vm, u16 port, u8 value)
{
	vrtc_write(&vm->rtc, port, value);
}

static u8 zero_in(struct vm *vm, u16 port)
{
	(void)vm;
	(void)port;
	return 0;
}

static u8 ones_in(struct vm *vm, u16 port)
{
	(void)vm;
	(void)port;
	return 0xff;
}

static void ignore_out(struct vm *vm, u16 port, u8 value)
{
	(void)vm;
	(void)port;
	(void)value;
}

struct port_range {
	u16 first, last;
	in_fn *in;
	out_fn *out;
};

/* What ends the VM is not here but in ends_vm(). */
static const struct port_range table[] = {
	{ VUART_PORT, VUART_PORT + VUART_PORTS - 1, uart_in, uart_out },
	{ 0x20, 0x21, pic_in, pic_out },
	{ 0xa0, 0xa1, pic_in, pic_out },
	{ VRTC_INDEX_PORT, VRTC_DATA_PORT, rtc_in, rtc_out },
	/* power-on self-test codes, which kernels write to pass time */
	{ 0x80, 0x80, ones_in, ignore_out },
	{ 0xed, 0xed, ones_in, ignore_out },
	{ PIO_EXIT_PORT, PIO_EXIT_PORT + 3, ones_in, ignore_out },
	/* there is no PCI: the configuration ports read all-ones */
	{ 0xcf8, 0xcf8, ones_in, ignore_out },
	{ ACPI_RESET_PORT, ACPI_RESET_PORT, zero_in, ignore_out },
	{ 0xcfa, 0xcff, ones_in, ignore_out },
	{ ACPI_SLEEP_PORT, ACPI_SLEEP_STATUS, zero_in, ignore_out },
};

static const struct port_range *find(u16 port)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (port >= table[i].first && port <= table[i].last)
			return &table[i];
	return NULL;
}

/* VM's lock is held. */
static void note_unknown(struct vm *vm, u16 port)
{
	if (!seen_first(&vm->ports, port))
		return;
	log_info("%s: nothing is at port %#x, it reads all-ones%s",
		 vm->config.name, port,
		 seen_is_full(&vm->ports) ? "; later ones are only counted"
					  : "");
}

/* Is this a write after which the VM does not go on? Then it was seen to. */
static bool ends_vm(struct vm *vm, u16 port, u32 value)
{
	if (port == PIO_EXIT_PORT)
		vm_stop(vm, "the guest wrote to its exit port",
			(int)(value << 1 | 1));
	else if (port == ACPI_SLEEP_PORT &&
		 (value & 0xff) == ACPI_SLEEP_POWEROFF)
		vm_stop(vm, "the guest powered off", VM_CODE_SUCCESS);
	else if (port == ACPI_RESET_PORT && (value & RESET_CPU))
		vm_reset_by_guest(vm, "the guest asked for a reset at port "
				      "0xcf9");
	else if (port == KEYBOARD_COMMAND && (value & 0xff) == KEYBOARD_RESET)
		vm_reset_by_guest(vm, "the guest asked the keyboard controller "
				      "for a reset");
	else
		return false;
	return true;
}

enum verdict pio_access(struct vcpu *v, u16 port, unsigned int bytes, bool in,
			u32 *value)
{
	struct vm *vm = v->vm;
	u32 read      = 0;

	if (!in && ends_vm(vm, port, *value))
		return RUN_STOP;
	spin_lock(&vm->lock);
	if (!find(port))
		note_unknown(vm, port);
	for (unsigned int i = 0; i < bytes; i++) {
		const u16 at               = (u16)(port + i);
		const struct port_range *r = find(at);

		if (in)
			read |= (u32)(r ? r->in(vm, at) : 0xff) << 8 * i;
		else if (r)
			r->out(vm, at, (u8)(*value >> 8 * i));
	}
	spin_unlock(&vm->lock);
	if (in)
		*value = read;
	return RUN_AGAIN;
}

/* SPDX-License-Identifier: MIT */
/* Ports: nothing where there is nothing, and the 16550 at 3F8H, IRQ 4. */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/serial.h"

#define UART       0x3f8
#define UART_IER   (UART + 1)
#define UART_IIR   (UART + 2)
#define UART_LCR   (UART + 3)
#define UART_MCR   (UART + 4)
#define UART_LSR   (UART + 5)
#define UART_MSR   (UART + 6)
#define UART_SCR   (UART + 7)
#define LSR_EMPTY  0x60
#define IIR_NONE   1
#define IIR_THRE   2
#define IER_THRE   2
#define MCR_LOOP   0x10
#define MCR_OUT2   0x08
#define MCR_NORMAL 0x03
#define LCR_DLAB   0x80
#define LCR_8N1    0x03

#define IOAPIC_SELECT   ((volatile u32 *)0xfec00000ul)
#define IOAPIC_WINDOW   ((volatile u32 *)0xfec00010ul)
#define IOAPIC_ENTRY(n) (0x10 + 2 * (n))
#define IOAPIC_MASKED   0x10000
#define UART_IRQ        4
#define VECTOR          0x51
#define WAIT_TICKS      20000000

static volatile u32 irq_count;
static u8 irq_iir;

static bool unknown_ports(void)
{
	static const u16 ports[] = { 0x1234, 0x5678, 0xabc0 };
	bool ok                  = true;

	for (u32 i = 0; i < ARRAY_SIZE(ports); i++) {
		outb(ports[i], 0);
		outw(ports[i], 0);
		outl(ports[i], 0);
		ok &= same("8 bits", inb(ports[i]), 0xff) &
		      same("16 bits", inw(ports[i]), 0xffff) &
		      same("32 bits", inl(ports[i]), 0xffffffff);
	}
	return ok;
}

static bool string_io(void)
{
	static u8 bytes[16];
	void *to  = bytes;
	u64 count = sizeof(bytes);

	memset(bytes, 0, sizeof(bytes));
	asm volatile("cld; rep insb"
		     : "+D"(to), "+c"(count)
		     : "d"((u16)0x1234)
		     : "memory");
	return is("all ones", mem_is(bytes, 0xff, sizeof(bytes))) &&
	       same("RCX", count, 0) &&
	       same("RDI", (u64)to, (u64)bytes + sizeof(bytes));
}

static bool scratch(void)
{
	bool ok = true;

	for (u32 v = 0; v < 256; v += 85) {
		outb(UART_SCR, (u8)v);
		ok &= same("scratch register", inb(UART_SCR), v);
	}
	return ok;
}

static void drain(void)
{
	while ((inb(UART_LSR) & LSR_EMPTY) != LSR_EMPTY)
		pause();
}

static bool divisor(void)
{
	drain();
	outb(UART_LCR, LCR_DLAB | LCR_8N1);
	const u32 low  = inb(UART);
	const u32 high = inb(UART_IER);

	outb(UART_LCR, LCR_8N1);
	return same("divisor", high << 8 | low, 1) &
	       same("LCR", inb(UART_LCR), LCR_8N1);
}

static bool loopback(void)
{
	drain();
	outb(UART_MCR, MCR_LOOP | 0x0f);
	const u8 lines = inb(UART_MSR) & 0xf0;

	outb(UART, 'x');
	for (u32 i = 0; i < 1000000 && !(inb(UART_LSR) & 1); i++)
		pause();
	const u8 got = inb(UART);

	outb(UART_MCR, MCR_NORMAL);
	return same("received", got, 'x') & same("modem lines", lines, 0xf0);
}

static bool on_irq(struct frame *f)
{
	(void)f;
	irq_iir = inb(UART_IIR) & 0x0f;
	irq_count++;
	apic_eoi();
	return true;
}

static void ioapic_write(u32 reg, u32 val)
{
	*IOAPIC_SELECT = reg;
	*IOAPIC_WINDOW = val;
}

static bool interrupt(void)
{
	drain();
	apic_enable();
	irq_count = 0;
	trap_set_hook(VECTOR, on_irq);
	ioapic_write(IOAPIC_ENTRY(UART_IRQ) + 1, 0);
	ioapic_write(IOAPIC_ENTRY(UART_IRQ), VECTOR);
	inb(UART_IIR);
	outb(UART_MCR, MCR_NORMAL | MCR_OUT2);
	outb(UART_IER, IER_THRE);
	const u64 end = rdtsc() + WAIT_TICKS;

	sti();
	while (!irq_count && rdtsc() < end)
		pause();
	cli();
	outb(UART_IER, 0);
	outb(UART_MCR, MCR_NORMAL);
	ioapic_write(IOAPIC_ENTRY(UART_IRQ), IOAPIC_MASKED);
	return same("interrupts", irq_count, 1) &
	       same("IIR in the handler", irq_iir, IIR_THRE) &
	       same("IIR afterwards", inb(UART_IIR) & 0x0f, IIR_NONE);
}

static u64 user_in(u64 port)
{
	u8 val = 0;

	return TRY("inb %1, %0",
		   : "+a"(val)
		   : "d"((u16)port)
		   : "memory")
		.vector;
}

static bool user_port(void)
{
	return same("vector", user_call(user_in, 0x1234), TRAP_GP);
}

const struct claim claims[] = {
	{ "ports without a device read all ones", unknown_ports, 0 },
	{ "REP INS reads them too", string_io, 0 },
	{ "IN at CPL 3 with IOPL 0 is #GP", user_port, 0 },
	{ "UART: the scratch register keeps its value", scratch, 0 },
	{ "UART: the divisor latch reads back", divisor, 0 },
	{ "UART: loopback returns data and modem lines", loopback, 0 },
	{ "UART: an empty transmitter interrupts once, by IRQ 4", interrupt,
	  0 },
};
CLAIMS_END

/* SPDX-License-Identifier: MIT */
/*
 * The 16550 at 3F8H in both directions, FIFOs and all (PC16550D's data sheet).
 * With the word `session` on its command line it then does what is typed:
 *
 *	sum N	take N bytes by interrupts, say their checksum
 *	late N	the same, but look at them only after a while
 *	held N	the same, with RTS down for that while
 *	raw N	send N bytes back as they come
 *	ask	a prompt without a newline
 *	end	end
 */
#include "lib/apic.h"
#include "lib/check.h"
#include "lib/serial.h"

#define UART     0x3f8
#define UART_IER (UART + 1)
#define UART_IIR (UART + 2)
#define UART_FCR (UART + 2)
#define UART_MCR (UART + 4)
#define UART_LSR (UART + 5)
#define FIFO     16

#define IER_RECEIVED 0x01
#define IIR_CAUSE    0x0f
#define IIR_NONE     0x01
#define IIR_STATUS   0x06
#define IIR_RECEIVED 0x04
#define IIR_TIMEOUT  0x0c
#define IIR_FIFOS    0xc0
#define FCR_ON       0x01
#define FCR_CLEAR    0x06
#define FCR_8        0x80
#define LSR_DATA     0x01
#define LSR_OVERRUN  0x02
#define LSR_EMPTY    0x60
#define MCR_NORMAL   0x03
#define MCR_RTS      0x02
#define MCR_OUT2     0x08
#define MCR_LOOP     0x10

#define IOAPIC_SELECT   ((volatile u32 *)0xfec00000ul)
#define IOAPIC_WINDOW   ((volatile u32 *)0xfec00010ul)
#define IOAPIC_ENTRY(n) (0x10 + 2 * (n))
#define IOAPIC_MASKED   0x10000
#define UART_IRQ        4
#define VECTOR          0x51

#define LATE_TICKS   100000000
#define QUIET_TICKS  200000
#define STATUS_POLLS 1000000
#define INPUT_BYTES  0x40000 /* more than any test sends at a time */

static u8 input[INPUT_BYTES];
static volatile u32 input_put; /* by the handler */
static u32 input_taken, interrupts, overruns, strange;

static void drain(void)
{
	while ((inb(UART_LSR) & LSR_EMPTY) != LSR_EMPTY)
		pause();
}

static bool fifos_are_there(void)
{
	return same("IIR[7:6]", inb(UART_IIR) & IIR_FIFOS, IIR_FIFOS);
}

/* Loopback, FIFOs empty, bytes 0 to COUNT - 1 sent to ourselves. */
static void loop(u32 count)
{
	drain();
	outb(UART_FCR, FCR_ON | FCR_CLEAR | FCR_8);
	outb(UART_MCR, MCR_NORMAL | MCR_LOOP);
	for (u32 i = 0; i < count; i++) {
		outb(UART, (u8)i);
		drain();
	}
}

/*
 * The emulator's timeout comes even if all has been read meanwhile, and lasts
 * until the next read: both must be over when the next claim begins.
 */
static void unloop(void)
{
	const u64 end = rdtsc() + QUIET_TICKS;

	while (rdtsc() < end)
		pause();
	inb(UART);
	outb(UART_MCR, MCR_NORMAL);
	outb(UART_FCR, FCR_ON | FCR_CLEAR);
}

static bool receives_in_order(void)
{
	bool ok = true;

	loop(FIFO);
	for (u32 i = 0; i < FIFO; i++)
		ok &= same("LSR.DR", inb(UART_LSR) & LSR_DATA, LSR_DATA) &
		      same("byte", inb(UART), i);
	ok &= same("LSR.DR at the end", inb(UART_LSR) & LSR_DATA, 0);
	unloop();
	return ok;
}

static bool overrun_keeps_the_fifo(void)
{
	bool ok;

	loop(FIFO);
	ok = same("LSR.OE", inb(UART_LSR) & LSR_OVERRUN, 0);
	outb(UART, 0xee);
	ok &= same("LSR.OE", inb(UART_LSR) & LSR_OVERRUN, LSR_OVERRUN) &
	      same("LSR.OE, read again", inb(UART_LSR) & LSR_OVERRUN, 0);
	for (u32 i = 0; i < FIFO; i++)
		ok &= same("byte", inb(UART), i);
	unloop();
	return ok;
}

static bool trigger_level(void)
{
	outb(UART_IER, IER_RECEIVED);
	loop(8);
	const u8 at = inb(UART_IIR) & IIR_CAUSE;

	for (u32 i = 0; i < 8; i++)
		inb(UART);
	const u8 after = inb(UART_IIR) & IIR_CAUSE;

	outb(UART_IER, 0);
	unloop();
	return same("IIR with 8 bytes", at, IIR_RECEIVED) &
	       same("IIR with none", after, IIR_NONE);
}

/* Four character times are 350 us at 115200 baud. */
static bool timeout(void)
{
	u8 cause = IIR_NONE;

	outb(UART_IER, IER_RECEIVED);
	loop(3);
	for (u32 i = 0; i < STATUS_POLLS && cause == IIR_NONE; i++)
		cause = inb(UART_IIR) & IIR_CAUSE;
	for (u32 i = 0; i < 3; i++)
		inb(UART);
	const u8 after = inb(UART_IIR) & IIR_CAUSE;

	outb(UART_IER, 0);
	unloop();
	return same("IIR with 3 bytes", cause, IIR_TIMEOUT) &
	       same("IIR with none", after, IIR_NONE);
}

static bool on_irq(struct frame *f)
{
	u8 cause;

	(void)f;
	interrupts++;
	while ((cause = inb(UART_IIR) & IIR_CAUSE) != IIR_NONE) {
		if (cause == IIR_STATUS) {
			overruns += !!(inb(UART_LSR) & LSR_OVERRUN);
			continue;
		}
		strange += cause != IIR_RECEIVED && cause != IIR_TIMEOUT;
		for (;;) {
			const u8 status = inb(UART_LSR);

			overruns += !!(status & LSR_OVERRUN);
			if (!(status & LSR_DATA))
				break;
			input[input_put % INPUT_BYTES] = inb(UART);
			input_put++;
		}
	}
	apic_eoi();
	return true;
}

static void ioapic_write(u32 reg, u32 val)
{
	*IOAPIC_SELECT = reg;
	*IOAPIC_WINDOW = val;
}

/* The next byte; the CPU halts until it is there. */
static u8 take(void)
{
	cli();
	while (input_put == input_taken) {
		sti_hlt();
		cli();
	}
	sti();
	return input[input_taken++ % INPUT_BYTES];
}

/* "word N" or "word"; echoes nothing. Returns N. */
static u32 command(char word[8])
{
	u32 n = 0, length = 0;
	u8 c;

	while ((c = take()) != '\n' && c != '\r')
		if (c >= '0' && c <= '9')
			n = n * 10 + c - '0';
		else if (c != ' ' && length < 7)
			word[length++] = (char)c;
	word[length] = '\0';
	return n;
}

/* FNV-1a: also of order, also of zeros. */
static void sum(u32 count)
{
	u32 hash = 2166136261u;

	for (u32 i = 0; i < count; i++)
		hash = (hash ^ take()) * 16777619u;
	printk("sum %u is %x, %u overruns, %u strange causes, %s\n", count,
	       hash, overruns, strange,
	       interrupts < count || count < 64 ? "by FIFO" : "one by one");
	interrupts = 0;
}

static void wait(void)
{
	const u64 end = rdtsc() + LATE_TICKS;

	while (rdtsc() < end)
		pause();
}

static bool is_word(const char *word, const char *name)
{
	return memcmp(word, name, strlen(name) + 1) == 0;
}

static bool obey(void)
{
	char word[8];
	const u32 n = command(word);

	if (is_word(word, "end"))
		return false;
	if (is_word(word, "sum")) {
		printk("go\n");
		sum(n);
	} else if (is_word(word, "late")) {
		cli();
		printk("go\n");
		wait();
		sti();
		sum(n);
	} else if (is_word(word, "held")) {
		outb(UART_MCR, (MCR_NORMAL & ~MCR_RTS) | MCR_OUT2);
		printk("go\n");
		wait();
		printk("%u bytes without RTS\n", input_put - input_taken);
		outb(UART_MCR, MCR_NORMAL | MCR_OUT2);
		sum(n);
	} else if (is_word(word, "raw")) {
		printk("go\n");
		for (u32 i = 0; i < n; i++)
			printk("%c", take());
	} else if (is_word(word, "ask")) {
		printk("name? ");
	} else {
		printk("what is \"%s\"?\n", word);
	}
	return true;
}

/* True when it was ended by its command. */
static bool session(void)
{
	if (!guest_flag("session"))
		return true;
	apic_enable();
	trap_set_hook(VECTOR, on_irq);
	ioapic_write(IOAPIC_ENTRY(UART_IRQ) + 1, 0);
	ioapic_write(IOAPIC_ENTRY(UART_IRQ), VECTOR);
	outb(UART_FCR, FCR_ON | FCR_CLEAR | FCR_8);
	outb(UART_MCR, MCR_NORMAL | MCR_OUT2);
	outb(UART_IER, IER_RECEIVED);
	sti();
	printk("uart: ready\n");
	while (obey())
		;
	cli();
	outb(UART_IER, 0);
	outb(UART_MCR, MCR_NORMAL);
	ioapic_write(IOAPIC_ENTRY(UART_IRQ), IOAPIC_MASKED);
	return same("overruns", overruns, 0) & same("causes", strange, 0);
}

const struct claim claims[] = {
	{ "it has FIFOs that work", fifos_are_there, 0 },
	{ "16 bytes are received in order", receives_in_order, 0 },
	{ "one more is lost, the FIFO keeps the others", overrun_keeps_the_fifo,
	  0 },
	{ "at the trigger level data is available", trigger_level, 0 },
	{ "below it a timeout tells of them", timeout, 0 },
	{ "what is typed arrives", session, 0 },
};
CLAIMS_END

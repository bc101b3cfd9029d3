/* SPDX-License-Identifier: MIT */
/* links: guest/console.c guest/vuart.c guest/monitor_line.c boot/lib/print.c */
/*
 * Who gets what is typed, and flow control from the UART to a VM's receiver:
 * the real guest/terminal.c on a UART of ours.
 */
#include "guest/terminal.h"

#include <linux/serial_reg.h>
#include <string.h>

#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/percpu.h"
#include "boot/lib/serial.h"
#include "guest/interrupts.h"
#include "guest/monitor.h"
#include "tests/unit/tap.h"

#define US 1000 /* ticks */

static struct vm vms[2];
static struct percpu boot_cpu, other_cpu, *here = &boot_cpu;
static struct host_options options;
struct percpu *cpu_first = &boot_cpu;

static u8 typed[20000];
static u32 typed_put, typed_taken;
static bool babbles; /* the UART: there is always one more byte */
static u32 babbled;
static bool interrupt, listens, receiving = true;
static char out[20000];
static size_t out_length;
static char executed[100];
static u64 time_now;

struct percpu *this_cpu(void)
{
	return here;
}

u64 us_to_ticks(u64 us)
{
	return us * US;
}

const struct host_options *host_options(void)
{
	return &options;
}

struct vm *vm_first(void)
{
	return &vms[0];
}

void serial_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length && out_length < sizeof(out) - 1; i++)
		out[out_length++] = text[i];
	out[out_length] = '\0';
}

bool serial_read(u8 *byte)
{
	if (babbles) {
		*byte = 'b';
		return ++babbled < 100000;
	}
	if (typed_taken == typed_put)
		return false;
	*byte = typed[typed_taken++];
	return true;
}

void serial_receive(bool on)
{
	receiving = on;
}

bool serial_listens(void)
{
	return listens;
}

bool serial_take_interrupt(void)
{
	const bool was = interrupt;

	interrupt = false;
	return was;
}

void interrupts_line(struct vm *to, unsigned int irq, bool level)
{
	(void)to;
	(void)irq;
	(void)level;
}

bool monitor_execute(char *text)
{
	strcpy(executed, text);
	return strcmp(text, "quit") != 0;
}

#include "guest/terminal.c"

/* Visit after visit, as long as more may be there. */
static u64 serve(void)
{
	u32 before;
	u64 next;

	do {
		before    = typed_taken;
		next      = terminal_service(time_now);
		interrupt = typed_taken - before == BURST_BYTES;
	} while (interrupt);
	return next;
}

/* Types TEXT and lets MS milliseconds pass. */
static u64 type(const char *text, size_t length, u64 ms)
{
	memcpy(typed + typed_put, text, length);
	typed_put += (u32)length;
	interrupt = true;
	time_now += ms * 1000 * US;
	return serve();
}

static u64 pass(u64 ms)
{
	time_now += ms * 1000 * US;
	return serve();
}

static void begin(const char *console_raw)
{
	memset(vms, 0, sizeof(vms));
	memset(&terminal, 0, sizeof(terminal));
	typed_put = typed_taken = 0;
	out_length              = 0;
	out[0]                  = '\0';
	receiving               = true;
	interrupt               = false;
	listens                 = true;
	time_now                = 1;
	vms[0].next             = &vms[1];
	strcpy(vms[0].config.name, "a");
	strcpy(vms[1].config.name, "b");
	strcpy(options.console_raw, console_raw);
	for (int i = 0; i < 2; i++) {
		console_init(&vms[i].console, vms[i].config.name);
		vuart_reset(&vms[i].uart);
		vuart_write(&vms[i].uart, UART_MCR, UART_MCR_RTS);
		vuart_write(&vms[i].uart, UART_FCR, UART_FCR_ENABLE_FIFO);
	}
	terminal_init();
}

/* What VM receives; its UART is read until nothing more comes. */
static const char *received(struct vm *from)
{
	static char text[20000];
	size_t length = 0;

	while (vuart_read(&from->uart, UART_LSR) & UART_LSR_DR) {
		text[length++] = (char)vuart_read(&from->uart, UART_RX);
		vuart_fill(&from->uart, &from->line);
	}
	text[length] = '\0';
	return text;
}

static void print(struct vm *from, const char *text)
{
	for (; *text; text++)
		console_put(&from->console, (u8)*text, time_now);
}

static void expect(const char *text, const char *claim)
{
	if (!tap_ok(!strcmp(out, text), "%s", claim))
		tap_note("got \"%s\"", out);
	out_length = 0;
	out[0]     = '\0';
}

static void owners(void)
{
	begin("");
	print(&vms[0], "a\n");
	print(&vms[1], "half");
	expect("[a] a\r\n", "at first all VMs are shown in whole lines");
	type("x", 1, 1);
	tap_ok(!strcmp(received(&vms[0]), "x"), "the first has the terminal");
	print(&vms[0], "a\rb\n");
	expect("a\rb\n", "and is shown as it is since it was used");
	begin("b");
	print(&vms[1], "$ ");
	expect("", "half a line waits");
	tap_is(terminal_service(time_now), time_now + 1000 * US,
	       "a millisecond");
	pass(1);
	expect("$ ", "and is shown");
	type("y", 1, 1);
	tap_ok(!strcmp(received(&vms[1]), "y"), "console-raw= names another");
	vms[1].stopped = true;
	terminal_vm_stopped(&vms[1]);
	expect("\r\ntv: the terminal is a's now\r\n",
	       "when it stops the next one has it");
	type("z", 1, 1);
	tap_ok(!strcmp(received(&vms[0]), "z"), "with what is typed");
	vms[0].stopped = true;
	terminal_vm_stopped(&vms[0]);
	type("lost", 4, 1);
	tap_ok(!terminal_owner(), "without a VM nobody has it");
}

/* Owners that change, or cannot take anything now. */
static void changes(void)
{
	begin("nobody-of-this-name");
	print(&vms[0], "a\n");
	expect("[a] a\r\n",
	       "console-raw= names no VM: as if it were not there");
	terminal_give(&vms[1]);
	print(&vms[1], "b\rb\n");
	expect("b\rb\n", "who is given the terminal is shown as it is");
	type("x", 1, 1);
	tap_ok(!strcmp(received(&vms[1]), "x"), "and gets what is typed");
	vms[0].stopped = true;
	terminal_vm_stopped(&vms[0]);
	expect("", "another VM that stops is of no concern");
	vms[1].resetting = true;
	type("y", 1, 1);
	tap_ok(!strcmp(received(&vms[1]), ""), "at RESET it gets nothing");
	vms[1].resetting = false;
	type("z", 1, 1);
	tap_ok(!strcmp(received(&vms[1]), "yz"), "until it is through");
	vms[1].stopped = true;
	type("y", 1, 1);
	tap_ok(!strcmp(received(&vms[1]), ""), "nor while it ends");
	terminal_vm_stopped(&vms[1]);
	expect("", "the last one says nothing about the next");
	type("\035", 1, 1);
	tap_ok(strstr(out, "Ctrl-] sends nobody a Ctrl-]"),
	       "the monitor is there all the same");
	out_length = 0;
	type("\035", 1, 1);
	expect("\r\n", "and is left for nobody");
}

static void monitor(void)
{
	begin("a");
	type("1\0352\r", 4, 1);
	tap_ok(!strcmp(received(&vms[0]), "1"), "Ctrl-] ends the VM's input");
	tap_ok(!strcmp(executed, "2"), "and what follows is the monitor's");
	out_length = 0;
	print(&vms[0], "hi\n");
	expect("\r\n[a] hi\r\n", "meanwhile the VM is shown in lines");
	type("\001", 1, 1);
	expect("", "a key without a meaning does nothing");
	type("ab", 2, 1);
	expect("tv> ab", "the prompt comes back with the next key");
	type("\b", 1, 1);
	expect("\r\033[Ktv> a", "Backspace");
	type("\035", 1, 1);
	tap_ok(!strcmp(received(&vms[0]), "\035"),
	       "Ctrl-] again is sent to the VM");
	out_length = 0;
	print(&vms[0], "\r");
	pass(1);
	expect("\r", "which is shown as it is again");
	type("\035quit\rx", 7, 1);
	tap_ok(!strcmp(received(&vms[0]), "x"), "quit goes back to the VM");
	type("\035\004y", 3, 1);
	tap_ok(!strcmp(received(&vms[0]), "y"), "so does Ctrl-D");
}

/* A broken UART must not keep the CPU, whoever its bytes would go to. */
static void babble(const char *to)
{
	babbles = interrupt = true;
	babbled             = 0;
	time_now += 10 * 1000 * US;
	tap_is(terminal_service(time_now), time_now + 1000 * US,
	       "a UART that always has one more byte, to %s: next look", to);
	tap_ok(babbled <= BURST_BYTES, "after a few bytes of it");
	babbles = false;
}

static void broken_uart(void)
{
	static char much[2 * RING_BYTES];

	memset(much, 'm', sizeof(much));
	begin("a");
	babble("a VM");
	begin("a");
	type(much, sizeof(much), 1);
	pass(1001);
	babble("a VM that does not read");
	begin("a");
	type("\035", 1, 1);
	babble("the monitor");
	begin("a");
	terminal.owner = NULL;
	babble("nobody");
}

static void flow(void)
{
	static char much[3 * RING_BYTES];
	const char *got;
	u64 next;

	memset(much, 'm', sizeof(much));
	begin("a");
	here = &other_cpu;
	type(much, 1, 1);
	tap_is(typed_taken, 0, "another CPU takes no input");
	here = &boot_cpu;

	begin("a");
	next = type(much, sizeof(much), 1);
	tap_is(next, time_now + 1000 * US,
	       "a full line is looked at every millisecond");
	tap_ok(!receiving, "and RTS is down");
	tap_is(typed_taken, RING_BYTES + VUART_FIFO,
	       "what does not fit is not taken");
	got = received(&vms[0]);
	tap_is(strlen(got), RING_BYTES + VUART_FIFO, "the VM gets what was");
	pass(1);
	received(&vms[0]);
	pass(1);
	tap_ok(strlen(received(&vms[0])) > 0 && typed_taken == sizeof(much),
	       "and all the rest as it reads on");
	tap_is(pass(1), ~0ULL, "then nothing need be looked at");
	tap_ok(receiving, "and RTS is up");
	tap_ok(!strstr(out, "drop"), "nothing was dropped");

	begin("a");
	type(much, sizeof(much), 1);
	vuart_read(&vms[0].uart, UART_RX);
	vuart_fill(&vms[0].uart, &vms[0].line);
	pass(900);
	vuart_read(&vms[0].uart, UART_RX);
	vuart_fill(&vms[0].uart, &vms[0].line);
	pass(900);
	pass(100);
	tap_ok(!strstr(out, "drop"), "a VM that reads slowly loses nothing");
	pass(1001);
	tap_ok(strstr(out, "a does not read its 4096 bytes of input; more are "
			   "dropped"),
	       "one that reads nothing for a second does, and it is said");
	tap_is(typed_taken, sizeof(much), "all is taken");
	type("\035", 1, 1);
	tap_ok(strstr(out, "bytes of input were dropped") &&
		       strstr(out, "tv: monitor"),
	       "so that Ctrl-] gets through");

	begin("a");
	type(much, sizeof(much), 1);
	pass(1001);
	out_length = 0;
	vuart_read(&vms[0].uart, UART_RX);
	vuart_fill(&vms[0].uart, &vms[0].line);
	type(much, 100, 1);
	tap_ok(strstr(out, "bytes of input were dropped"),
	       "one that reads again is told how much was");
	tap_ok(!receiving, "and the next bytes wait");

	begin("a");
	listens = false;
	next    = pass(1);
	tap_is(next, time_now + 1000 * US,
	       "a UART without interrupts is polled");
	type(much, 10, 1);
	interrupt = false;
	pass(1);
	tap_is(strlen(received(&vms[0])), 10, "every millisecond");
	begin("a");
	pass(10);
	type(much, 10, 1);
	interrupt = false;
	pass(8);
	tap_is(strlen(received(&vms[0])), 10, "bytes come by interrupt");
	memcpy(typed + typed_put, much, 5);
	typed_put += 5;
	pass(1);
	tap_is(strlen(received(&vms[0])), 0, "without one they wait");
	pass(10);
	tap_is(strlen(received(&vms[0])), 5,
	       "at most 10 ms if the CPU is awake");
}

int main(void)
{
	owners();
	changes();
	monitor();
	flow();
	broken_uart();
	return tap_done();
}

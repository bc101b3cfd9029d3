/* SPDX-License-Identifier: MIT */
/*
 * Bytes take this way: UART, the line (a queue) of the VM that has the
 * terminal, the receiver of its virtual UART. When the line is full RTS goes
 * down and the rest waits outside. A VM that reads nothing at all for a second
 * does not keep the keyboard from the monitor: then bytes are dropped, which is
 * said.
 */
#include "guest/terminal.h"

#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/percpu.h"
#include "boot/lib/serial.h"
#include "boot/lib/string.h"
#include "guest/interrupts.h"
#include "guest/monitor.h"

#define PATIENCE_US 1000    /* of half a line with being shown */
#define POLL_US     1000    /* a FIFO lasts for 1.4 ms at 115200 baud */
#define LOOK_US     10000   /* beside interrupts, if the CPU is awake anyway */
#define DROP_US     1000000 /* of a VM that reads nothing */
#define BURST_BYTES 64      /* taken at a time: four FIFOs */

static struct {
	struct spinlock lock; /* of owner and raw, before any VM's lock */
	struct vm *owner;
	bool raw; /* its output appears as it is, when the monitor is closed */

	/* The boot CPU's own from here on. */
	bool open; /* the monitor has the keyboard */
	struct monitor_line typed;
	u64 next_poll;
	bool polls;     /* and a CPU without work is to wake up for it */
	u64 held_since; /* the line of the owner is full; 0: it is not */
	u32 held_taken; /* ... and the VM had read so much of it */
	u64 dropped;    /* since it was said that bytes are */
	bool dropping;
} terminal;

struct vm *terminal_owner(void)
{
	return __atomic_load_n(&terminal.owner, __ATOMIC_ACQUIRE);
}

/* The console of VM, which may be NULL, as the rest of the state wants it. */
static void apply(struct vm *vm)
{
	if (!vm)
		return;
	spin_lock(&vm->lock);
	console_set_terminal(&vm->console,
			     vm == terminal.owner && terminal.raw &&
				     !terminal.open,
			     us_to_ticks(PATIENCE_US));
	spin_unlock(&vm->lock);
}

static void change(struct vm *to, bool raw)
{
	spin_lock(&terminal.lock);
	struct vm *from = terminal.owner;

	__atomic_store_n(&terminal.owner, to, __ATOMIC_RELEASE);
	terminal.raw = raw;
	apply(from);
	apply(to);
	spin_unlock(&terminal.lock);
}

void terminal_init(void)
{
	const char *name = host_options()->console_raw;
	struct vm *vm    = vm_first();

	while (vm && strcmp(vm->config.name, name) != 0)
		vm = vm->next;
	change(vm ? vm : vm_first(), vm);
}

void terminal_give(struct vm *vm)
{
	change(vm, true);
}

void terminal_vm_stopped(struct vm *vm)
{
	struct vm *other = vm_first();

	if (vm != terminal_owner())
		return;
	while (other && other->stopped)
		other = other->next;
	change(other, terminal.raw);
	if (other)
		say_line("the terminal is %s's now", other->config.name);
}

/*
 * What waits on its line, to the UART of VM; unless that is being taken apart
 * or put together, by somebody who holds no lock.
 */
static void deliver(struct vm *vm)
{
	spin_lock(&vm->lock);
	if (!vm->stopped && !vm->resetting) {
		vuart_fill(&vm->uart, &vm->line);
		interrupts_line(vm, VUART_IRQ, vuart_irq(&vm->uart));
	}
	spin_unlock(&vm->lock);
}

/* There is room, or what has none is to be dropped. */
static void to_vm(u8 byte)
{
	struct vm *vm = terminal_owner();

	if (!vm)
		return;
	if (!terminal.raw)
		change(vm, true);
	spin_lock(&vm->lock);
	if (ring_room(&vm->line))
		ring_put(&vm->line, byte);
	else
		terminal.dropped++;
	spin_unlock(&vm->lock);
}

static void go_on(void)
{
	if (terminal.dropping)
		log_warn("%llu bytes of input were dropped",
			 (unsigned long long)terminal.dropped);
	terminal.held_since = 0;
	terminal.dropped    = 0;
	terminal.dropping   = false;
	serial_receive(true);
}

static void show_prompt(void)
{
	console_write(&terminal, "tv> ", "", 0, false);
}

static void open_monitor(void)
{
	const struct vm *vm = terminal_owner();

	if (terminal.held_since)
		go_on();
	terminal.open  = true;
	terminal.typed = (struct monitor_line){ 0 };
	change(terminal.owner, true);
	say_line("monitor; help lists its commands, Ctrl-D leaves it, Ctrl-] "
		 "sends %s a Ctrl-]",
		 vm ? vm->config.name : "nobody");
	show_prompt();
}

static void close_monitor(void)
{
	const struct vm *vm = terminal_owner();

	console_write(&terminal, "", "\n", 1, false);
	terminal.open = false;
	change(terminal.owner, true);
	if (vm)
		say_line("the terminal is %s's", vm->config.name);
}

/* The line as it is now, in place of what stands there. */
static void show_line(void)
{
	static const char clear[] = "\r\033[K";

	console_write(&terminal, "", clear, sizeof(clear) - 1, true);
	console_write(&terminal, "", "tv> ", 4, true);
	console_write(&terminal, "", terminal.typed.text, terminal.typed.length,
		      true);
}

/* The last of the typed text, after all of it if other lines came between. */
static void echo(void)
{
	const u32 before = terminal.typed.length - 1;
	char begun[MONITOR_LINE_MAX + 8];

	tv_snprintf(begun, sizeof(begun), "tv> %.*s", (int)before,
		    terminal.typed.text);
	console_write(&terminal, begun, terminal.typed.text + before, 1, false);
}

static void enter(void)
{
	struct monitor_line l = terminal.typed;

	terminal.typed = (struct monitor_line){ 0 };
	console_write(&terminal, "", "\n", 1, false);
	if (monitor_execute(l.text))
		show_prompt();
	else
		close_monitor();
}

static void to_monitor(u8 byte)
{
	switch (monitor_line_key(&terminal.typed, byte)) {
	case MONITOR_KEY_NOTHING:
		break;
	case MONITOR_KEY_TYPED:
		echo();
		break;
	case MONITOR_KEY_ERASED:
	case MONITOR_KEY_CLEARED:
		show_line();
		break;
	case MONITOR_KEY_ENTER:
		enter();
		break;
	case MONITOR_KEY_LEAVE:
		close_monitor();
		break;
	case MONITOR_KEY_SEND:
		close_monitor();
		to_vm(MONITOR_ESCAPE);
		break;
	}
}

static bool has_room(void)
{
	const struct vm *vm = terminal_owner();

	return terminal.open || !vm || ring_room(&vm->line);
}

static void hold(const struct vm *vm, u64 now)
{
	if (!terminal.held_since)
		serial_receive(false);
	terminal.held_since = now;
	terminal.held_taken = vm->line.taken;
}

/* May the next byte be taken from the UART? */
static bool may_read(u64 now)
{
	const struct vm *vm = terminal_owner();

	if (!terminal.held_since) {
		if (!has_room())
			hold(vm, now);
		return !terminal.held_since;
	}
	/* Not for every byte: half the line, or the monitor. */
	if (terminal.open || !vm || ring_room(&vm->line) >= RING_BYTES / 2) {
		go_on();
		return true;
	}
	if (vm->line.taken != terminal.held_taken) {
		if (terminal.dropping)
			go_on();
		hold(vm, now);
		return false;
	}
	if (!terminal.dropping &&
	    now - terminal.held_since > us_to_ticks(DROP_US)) {
		terminal.dropping = true;
		log_warn("%s does not read its %u bytes of input; more are "
			 "dropped until it does (Ctrl-] opens the monitor)",
			 vm->config.name, RING_BYTES);
		serial_receive(true);
	}
	return terminal.dropping;
}

/* False: there may be more; a UART that never has enough stops nobody. */
static bool read_input(u64 now)
{
	u32 count = 0;
	u8 byte;

	while (count < BURST_BYTES && may_read(now) && serial_read(&byte)) {
		count++;
		if (terminal.open)
			to_monitor(byte);
		else if (byte == MONITOR_ESCAPE)
			open_monitor();
		else
			to_vm(byte);
	}
	if (count && terminal_owner())
		deliver(terminal_owner());
	return count < BURST_BYTES;
}

/* Half a line that stands too long. Returns when the next one will. */
static u64 show_partial(u64 now)
{
	struct vm *vm = terminal_owner();
	u64 due = vm ? __atomic_load_n(&vm->console.due, __ATOMIC_RELAXED) : 0;

	if (!due || due > now)
		return due ? due : ~0ULL;
	spin_lock(&vm->lock);
	console_flush(&vm->console);
	spin_unlock(&vm->lock);
	return ~0ULL;
}

u64 terminal_service(u64 now)
{
	const u64 next = show_partial(now);
	bool all, polls;

	if (this_cpu() != cpu_first)
		return next;
	if (serial_take_interrupt() || now >= terminal.next_poll) {
		all   = read_input(now);
		polls = !all || !serial_listens() || terminal.held_since;
		terminal.next_poll =
			now + us_to_ticks(polls ? POLL_US : LOOK_US);
		terminal.polls = polls;
	}
	return terminal.polls ? min_u64(next, terminal.next_poll) : next;
}

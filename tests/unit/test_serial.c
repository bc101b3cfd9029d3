/* SPDX-License-Identifier: MIT */
/*
 * The console's UART when it is not what it should be: never ready, ready
 * late, gone. Every wait is bounded, counted in reads of its ports.
 */
#define BOOT_LIB_X86_H /* its ports are these */

#include <string.h>

#include "boot/lib/types.h"

#include <linux/serial_reg.h>

static u8 scratch;
static u8 line_status;
static u64 reads, ready_at;
static char sent[256];
static size_t sent_length;
static bool gone;
static u8 latch[2], line_control, modem, interrupts;

static u8 inb(u16 port)
{
	reads++;
	if (gone)
		return 0xff;
	switch (port - 0x3f8) {
	case UART_SCR:
		return scratch;
	case UART_LSR:
		return reads >= ready_at ? line_status : 0;
	default:
		return 0;
	}
}

static void outb(u16 port, u8 value)
{
	switch (port - 0x3f8) {
	case UART_LCR:
		line_control = value;
		return;
	case UART_MCR:
		modem = value;
		return;
	case UART_DLM: /* and UART_IER */
		*(line_control & UART_LCR_DLAB ? &latch[1] : &interrupts) =
			value;
		return;
	case UART_DLL: /* and UART_TX */
		if (!(line_control & UART_LCR_DLAB))
			break;
		latch[0] = value;
		return;
	}
	if (port == 0x3f8 + UART_SCR)
		scratch = value;
	if (port == 0x3f8 + UART_TX && sent_length < sizeof(sent))
		sent[sent_length++] = (char)value;
}

static void cpu_pause(void)
{
}

#include "boot/lib/serial.c"

#include "tests/unit/tap.h"

static void plug(u8 at_first)
{
	line_status = at_first;
	reads       = 0;
	ready_at    = 0;
	sent_length = 0;
	gone        = false;
	serial_init(0x3f8, 0);
}

static void write_bytes(u32 count)
{
	char text[1000];

	memset(text, 'x', sizeof(text));
	for (; count; count -= (u32)min_u64(count, sizeof(text)))
		serial_write(text, min_u64(count, sizeof(text)));
}

/* The divisor of BAUD: PC16550D data sheet, "Programmable Baud Generator". */
static void speeds(void)
{
	static const struct {
		u32 baud, divisor;
	} t[] = { { 115200, 1 }, { 57600, 2 },   { 9600, 12 },
		  { 300, 384 },  { 1000000, 1 }, { 0, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		latch[0] = latch[1] = 0;
		line_control        = 0;
		serial_init(0x3f8, t[i].baud);
		tap_is(latch[0] | latch[1] << 8, t[i].divisor,
		       "%u baud: divisor %u", t[i].baud, t[i].divisor);
		tap_is(line_control, t[i].baud ? UART_LCR_WLEN8 : 0,
		       "and 8 bits, unless all is left as it is");
	}
}

/* Interrupts and flow control: what goes to MCR and IER. */
static void listening(void)
{
	plug(UART_LSR_THRE);
	tap_is(serial_port(), 0x3f8, "its port");
	tap_ok(!serial_listens() && interrupts == 0,
	       "at first it does not interrupt");
	tap_is(modem, UART_MCR_DTR | UART_MCR_RTS, "DTR and RTS are up");
	serial_listen();
	tap_ok(serial_listens() && interrupts == UART_IER_RDI &&
		       (modem & UART_MCR_OUT2),
	       "then received bytes do, OUT2 lets them");
	tap_ok(serial_take_interrupt() && !serial_take_interrupt(),
	       "what came before is looked for once");
	serial_interrupted();
	tap_ok(serial_take_interrupt() && !serial_take_interrupt(),
	       "an interrupt is taken once");
	serial_receive(false);
	tap_is(modem, UART_MCR_DTR | UART_MCR_OUT2, "RTS down: wait");
	serial_receive(true);
	tap_is(modem, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2, "go on");
	line_status = UART_LSR_THRE | UART_LSR_TEMT;
	reads       = 0;
	serial_drain();
	tap_is(reads, 1, "nothing left to send: one look");
}

/* No UART at all: nothing is touched. */
static void none(void)
{
	u8 byte;

	gone = true;
	serial_init(0x3f8, 0);
	reads = 0;
	modem = 0;
	serial_write("none", 4);
	serial_drain();
	serial_receive(true);
	tap_ok(!serial_read(&byte) && !serial_port() && reads == 0 &&
		       modem == 0,
	       "without a UART no port is touched");
}

int main(void)
{
	u8 byte;

	plug(UART_LSR_THRE | UART_LSR_TEMT);
	serial_write("hello", 5);
	tap_ok(sent_length == 5 && !memcmp(sent, "hello", 5),
	       "a UART that is ready gets the bytes");

	plug(0);
	write_bytes(100000);
	tap_ok(reads < WAIT_POLLS + 100000 + 100,
	       "one that never gets ready costs one long wait, then one look "
	       "a byte");
	tap_is(sent_length, 0, "and is sent nothing");
	reads = 0;
	serial_drain();
	tap_ok(reads <= 1, "its end is not waited for");

	plug(0);
	write_bytes(100);
	line_status = UART_LSR_THRE | UART_LSR_TEMT;
	serial_write("back", 4);
	tap_ok(sent_length == 4 && !memcmp(sent, "back", 4),
	       "one that gets ready again is used again");

	plug(UART_LSR_THRE);
	ready_at = reads + WAIT_POLLS / 2;
	serial_write("late", 4);
	tap_is(sent_length, 4, "one that is slow loses nothing");
	reads = 0;
	serial_drain();
	tap_ok(reads <= WAIT_POLLS, "a last byte that never leaves is waited "
				    "for once");

	plug(UART_LSR_THRE);
	tap_ok(!serial_read(&byte), "nothing came");
	line_status |= UART_LSR_DR;
	tap_ok(serial_read(&byte), "something came");
	gone = true;
	tap_ok(!serial_read(&byte), "nothing comes from one that is gone");
	tap_ok(!serial_init(0x3f8, 0), "which is none to begin with, either");
	none();
	plug(UART_LSR_THRE);
	speeds();
	listening();
	return tap_done();
}

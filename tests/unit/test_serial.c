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
	serial_write("none", 4);
	return tap_done();
}

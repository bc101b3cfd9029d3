/* SPDX-License-Identifier: MIT */
/*
 * 16550 on I/O ports, transmit side by FIFO bursts. A UART that does not get
 * ready costs one long wait; after that its bytes are dropped until it does.
 * Bytes come in one at a time, when asked for; RTS tells the other end to wait.
 */
#include "boot/lib/serial.h"

#include <linux/serial_reg.h>

#include "boot/lib/x86.h"

#define CLOCK_HZ   115200
#define FIFO_BYTES 16
#define GONE       0xff    /* what a port reads that nobody answers at */
#define WAIT_POLLS 1000000 /* a read of a port takes about 1 us */

/* Interrupt at half a FIFO: half of one comes while we are on our way. */
#define FIFO_ON (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8)

static u16 uart_port;    /* 0: none; written by serial_init() only */
static u32 room;         /* bytes the FIFO takes before the next wait */
static bool stuck;       /* the last wait was in vain */
static bool listens;     /* it interrupts; OUT2 lets it on a PC */
static bool interrupted; /* atomic: since serial_take_interrupt() */

static u8 modem_control(bool receive)
{
	return (u8)(UART_MCR_DTR | (receive ? UART_MCR_RTS : 0) |
		    (listens ? UART_MCR_OUT2 : 0));
}

bool serial_init(u16 port, u32 baud)
{
	uart_port = 0;
	listens   = false;
	outb((u16)(port + UART_SCR), 0x5a);
	if (inb((u16)(port + UART_SCR)) != 0x5a)
		return false;
	outb((u16)(port + UART_IER), 0);
	if (baud) {
		const u32 divisor = baud < CLOCK_HZ ? CLOCK_HZ / baud : 1;

		outb((u16)(port + UART_LCR), UART_LCR_DLAB);
		outb((u16)(port + UART_DLL), (u8)divisor);
		outb((u16)(port + UART_DLM), (u8)(divisor >> 8));
		outb((u16)(port + UART_LCR), UART_LCR_WLEN8);
	}
	outb((u16)(port + UART_FCR),
	     FIFO_ON | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	outb((u16)(port + UART_MCR), modem_control(true));
	uart_port = port;
	room      = 0;
	stuck     = false;
	return true;
}

u16 serial_port(void)
{
	return uart_port;
}

void serial_listen(void)
{
	listens     = true;
	interrupted = true; /* what came before made no edge */
	outb((u16)(uart_port + UART_MCR), modem_control(true));
	outb((u16)(uart_port + UART_IER), UART_IER_RDI);
}

bool serial_listens(void)
{
	return listens;
}

void serial_interrupted(void)
{
	__atomic_store_n(&interrupted, true, __ATOMIC_RELEASE);
}

bool serial_take_interrupt(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&interrupted, false, __ATOMIC_ACQUIRE);
}

void serial_drain(void)
{
	if (!uart_port)
		return;
	for (u32 polls = stuck ? 1 : WAIT_POLLS; polls; polls--) {
		if (inb((u16)(uart_port + UART_LSR)) & UART_LSR_TEMT)
			return;
		cpu_pause();
	}
}

bool serial_read(u8 *byte)
{
	if (!uart_port)
		return false;

	const u8 status = inb((u16)(uart_port + UART_LSR));

	if (status == GONE || !(status & UART_LSR_DR))
		return false;
	*byte = inb((u16)(uart_port + UART_RX));
	return true;
}

void serial_receive(bool on)
{
	if (uart_port)
		outb((u16)(uart_port + UART_MCR), modem_control(on));
}

static bool wait_ready(void)
{
	for (u32 polls = stuck ? 1 : WAIT_POLLS; polls; polls--) {
		if (inb((u16)(uart_port + UART_LSR)) & UART_LSR_THRE) {
			room  = FIFO_BYTES;
			stuck = false;
			return true;
		}
		cpu_pause();
	}
	stuck = true;
	return false;
}

static void put(char c)
{
	if (!room && !wait_ready())
		return;
	room--;
	outb((u16)(uart_port + UART_TX), (u8)c);
}

void serial_write(const char *text, size_t length)
{
	if (!uart_port)
		return;
	for (size_t i = 0; i < length; i++)
		put(text[i]);
}

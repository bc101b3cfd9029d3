/* SPDX-License-Identifier: MIT */
/* The 16550A's registers, as its data sheet has them. */
#include "guest/vuart.h"

#include <linux/serial_reg.h>

#include "boot/lib/string.h"

#define IIR_FIFOS 0xc0 /* both FIFOs are on */
#define MCR_BITS  0x1f
#define IER_BITS  0x0f

void vuart_reset(struct vuart *u)
{
	memset(u, 0, sizeof(*u));
	u->dll = 1; /* 115200 baud */
}

static bool fifos_on(const struct vuart *u)
{
	return u->fcr & UART_FCR_ENABLE_FIFO;
}

/* Modem lines: a peer that is ready; in loopback our own outputs. */
static u8 modem_lines(u8 mcr)
{
	if (!(mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (u8)((mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
		    (mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
		    (mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
		    (mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0));
}

static u8 lsr(const struct vuart *u)
{
	return UART_LSR_THRE | UART_LSR_TEMT | u->lsr_errors |
	       (u->rx_count ? UART_LSR_DR : 0);
}

/* Bytes in the FIFO that make "received data available". */
static u8 trigger(const struct vuart *u)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	return fifos_on(u) ? level[u->fcr >> 6] : 1;
}

/* The highest-priority cause that is enabled, as IIR[3:0] has it. */
static u8 cause(const struct vuart *u)
{
	if ((u->ier & UART_IER_RLSI) && u->lsr_errors)
		return UART_IIR_RLSI;
	if ((u->ier & UART_IER_RDI) && u->rx_count >= trigger(u))
		return UART_IIR_RDI;
	/* Nothing follows by itself: the timeout need not be waited for. */
	if ((u->ier & UART_IER_RDI) && u->rx_count)
		return UART_IIR_RX_TIMEOUT;
	if ((u->ier & UART_IER_THRI) && u->thri)
		return UART_IIR_THRI;
	if ((u->ier & UART_IER_MSI) && u->msr_delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

bool vuart_irq(const struct vuart *u)
{
	/* In loopback the outputs, OUT2 among them, are inactive. */
	return cause(u) != UART_IIR_NO_INT && (u->mcr & UART_MCR_OUT2) &&
	       !(u->mcr & UART_MCR_LOOP);
}

static u8 take(struct vuart *u)
{
	if (!u->rx_count)
		return 0;
	const u8 byte = u->rx[u->rx_head];

	u->rx_head = (u8)((u->rx_head + 1) % VUART_FIFO);
	u->rx_count--;
	return byte;
}

static u8 capacity(const struct vuart *u)
{
	return fifos_on(u) ? VUART_FIFO : 1;
}

static void receive(struct vuart *u, u8 byte)
{
	u->rx[(u->rx_head + u->rx_count++) % VUART_FIFO] = byte;
}

static void loop_back(struct vuart *u, u8 byte)
{
	if (u->rx_count == capacity(u)) {
		u->lsr_errors |= UART_LSR_OE;
		if (fifos_on(u)) /* the FIFO keeps what it has */
			return;
		u->rx_count = 0;
	}
	receive(u, byte);
}

/* Its RTS is up: a peer with hardware flow control sends. */
static bool takes_input(const struct vuart *u)
{
	return (u->mcr & UART_MCR_RTS) && !(u->mcr & UART_MCR_LOOP) &&
	       u->rx_count < capacity(u);
}

void vuart_fill(struct vuart *u, struct ring *line)
{
	while (ring_count(line) && takes_input(u))
		receive(u, ring_take(line));
}

u8 vuart_read(struct vuart *u, unsigned int offset)
{
	u8 value;

	if ((u->lcr & UART_LCR_DLAB) && offset <= UART_DLM)
		return offset == UART_DLL ? u->dll : u->dlm;
	switch (offset) {
	case UART_RX:
		return take(u);
	case UART_IER:
		return u->ier;
	case UART_IIR:
		value = cause(u);
		if (value == UART_IIR_THRI)
			u->thri = false;
		return value | (fifos_on(u) ? IIR_FIFOS : 0);
	case UART_LCR:
		return u->lcr;
	case UART_MCR:
		return u->mcr;
	case UART_LSR:
		value         = lsr(u);
		u->lsr_errors = 0;
		return value;
	case UART_MSR:
		value        = modem_lines(u->mcr) | u->msr_delta;
		u->msr_delta = 0;
		return value;
	default:
		return u->scr;
	}
}

static void write_fcr(struct vuart *u, u8 value)
{
	if ((value ^ u->fcr) & UART_FCR_ENABLE_FIFO)
		u->rx_count = 0;
	if (value & UART_FCR_CLEAR_RCVR)
		u->rx_count = 0;
	u->fcr = value & UART_FCR_ENABLE_FIFO ? value : 0;
}

static void write_mcr(struct vuart *u, u8 value)
{
	const u8 before = modem_lines(u->mcr);

	u->mcr           = value & MCR_BITS;
	const u8 after   = modem_lines(u->mcr);
	const u8 changed = before ^ after;

	/* Delta bits lie four below their lines; RI tells only its end. */
	u->msr_delta |= (changed >> 4) &
			(UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD);
	if (before & ~after & UART_MSR_RI)
		u->msr_delta |= UART_MSR_TERI;
}

bool vuart_write(struct vuart *u, unsigned int offset, u8 value)
{
	if ((u->lcr & UART_LCR_DLAB) && offset <= UART_DLM) {
		*(offset == UART_DLL ? &u->dll : &u->dlm) = value;
		return false;
	}
	switch (offset) {
	case UART_TX:
		u->thri = true; /* sent at once: empty again */
		if (u->mcr & UART_MCR_LOOP) {
			loop_back(u, value);
			return false;
		}
		return true;
	case UART_IER:
		/* Enabling it while the transmitter is empty tells at once. */
		if (value & ~u->ier & UART_IER_THRI)
			u->thri = true;
		u->ier = value & IER_BITS;
		return false;
	case UART_FCR:
		write_fcr(u, value);
		return false;
	case UART_LCR:
		u->lcr = value;
		return false;
	case UART_MCR:
		write_mcr(u, value);
		return false;
	case UART_SCR:
		u->scr = value;
		return false;
	default: /* LSR and MSR take no writes */
		return false;
	}
}

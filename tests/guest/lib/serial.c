/* SPDX-License-Identifier: MIT */
/* Polled serial output and a small printk(). */
#include "lib/serial.h"

#include <stdarg.h>

#include "lib/insn.h"

#define UART        0x3f8
#define UART_IER    (UART + 1)
#define UART_FCR    (UART + 2)
#define UART_LCR    (UART + 3)
#define UART_MCR    (UART + 4)
#define UART_LSR    (UART + 5)
#define LSR_THRE    0x20
#define POLLS_LIMIT 1000000

static u32 lock;

void serial_init(void)
{
	outb(UART_IER, 0);
	outb(UART_LCR, 0x80);
	outb(UART, 1); /* divisor 1 */
	outb(UART_IER, 0);
	outb(UART_LCR, 0x03);
	outb(UART_FCR, 0x07);
	outb(UART_MCR, 0x03);
}

static void put(char c)
{
	for (u32 i = 0; i < POLLS_LIMIT && !(inb(UART_LSR) & LSR_THRE); i++)
		pause();
	outb(UART, (u8)c);
}

static void put_number(u64 val, unsigned int base, unsigned int width)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val || n < width);
	while (n)
		put(digits[--n]);
}

static void put_arg(const char **format, va_list *args)
{
	const char *p      = *format;
	bool wide          = false;
	unsigned int width = 0;

	if (*p == '#') {
		put('0');
		put('x');
		p++;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		width = width * 10 + (unsigned int)(*p - '0');
	for (; *p == 'l' || *p == 'z'; p++)
		wide = true;
	*format = p + 1;
	if (*p == 's') {
		for (const char *s = va_arg(*args, const char *); *s; s++)
			put(*s);
	} else if (*p == 'c') {
		put((char)va_arg(*args, int));
	} else if (*p == 'd') {
		const long v = wide ? va_arg(*args, long) : va_arg(*args, int);

		if (v < 0)
			put('-');
		put_number(v < 0 ? -(u64)v : (u64)v, 10, width);
	} else if (*p == 'u' || *p == 'x') {
		put_number(wide ? va_arg(*args, u64)
				: va_arg(*args, unsigned int),
			   *p == 'x' ? 16 : 10, width < 20 ? width : 20);
	} else {
		put(*p);
	}
}

void printk(const char *format, ...)
{
	va_list args;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
	va_start(args, format);
	while (*format) {
		const char c = *format++;

		if (c == '%')
			put_arg(&format, &args);
		else
			put(c);
	}
	va_end(args);
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

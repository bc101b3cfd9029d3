/* SPDX-License-Identifier: MIT */
/*
 * The formatter, and whole lines on the console. A panic does not come through
 * here: it takes no lock.
 */
#include "boot/lib/print.h"

#include "boot/lib/serial.h"
#include "boot/lib/spinlock.h"
#include "boot/lib/string.h"

#define LINE_BYTES  1000
#define EVENT_BYTES 4000

/* Where formatted text goes; counts on when it is full. */
struct sink {
	char *buf;
	size_t size;
	size_t length;
};

struct conversion {
	bool left;      /* '-' */
	bool zero;      /* '0' */
	bool alternate; /* '#' */
	size_t width;
	size_t precision;   /* SIZE_MAX: none given */
	unsigned int bytes; /* size of the argument */
};

static void put(struct sink *s, char c)
{
	if (s->length + 1 < s->size)
		s->buf[s->length] = c;
	s->length++;
}

static void put_many(struct sink *s, char c, size_t count)
{
	while (count--)
		put(s, c);
}

/* SIGN is put before zeroes and after blanks, as in C. */
static void put_field(struct sink *s, const struct conversion *c,
		      const char *sign, const char *text, size_t length)
{
	const size_t used = strlen(sign) + length;
	const size_t pad  = c->width > used ? c->width - used : 0;

	if (!c->left && !c->zero)
		put_many(s, ' ', pad);
	for (; *sign; sign++)
		put(s, *sign);
	if (!c->left && c->zero)
		put_many(s, '0', pad);
	for (size_t i = 0; i < length; i++)
		put(s, text[i]);
	if (c->left)
		put_many(s, ' ', pad);
}

static void put_number(struct sink *s, const struct conversion *c,
		       const char *sign, u64 v, unsigned int base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	size_t at = sizeof(text);

	do
		text[--at] = digits[v % base];
	while ((v /= base) != 0);
	put_field(s, c, sign, text + at, sizeof(text) - at);
}

static u64 take_unsigned(unsigned int bytes, va_list *ap)
{
	switch (bytes) {
	case 8:
		return va_arg(*ap, u64);
	case 2:
		return (u16)va_arg(*ap, unsigned int);
	case 1:
		return (u8)va_arg(*ap, unsigned int);
	}
	return va_arg(*ap, unsigned int);
}

static s64 take_signed(unsigned int bytes, va_list *ap)
{
	switch (bytes) {
	case 8:
		return va_arg(*ap, s64);
	case 2:
		return (int16_t)va_arg(*ap, int);
	case 1:
		return (int8_t)va_arg(*ap, int);
	}
	return va_arg(*ap, int);
}

static size_t parse_count(const char **at, va_list *ap)
{
	size_t n = 0;

	if (**at == '*') {
		const int given = va_arg(*ap, int);

		(*at)++;
		return given > 0 ? (size_t)given : 0;
	}
	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = n * 10 + (size_t)(**at - '0');
	return n;
}

/* What is between '%' and the conversion's letter. */
static void parse_conversion(struct conversion *c, const char **at, va_list *ap)
{
	*c = (struct conversion){ .precision = SIZE_MAX, .bytes = 4 };
	for (;; (*at)++) {
		if (**at == '-')
			c->left = true;
		else if (**at == '0')
			c->zero = true;
		else if (**at == '#')
			c->alternate = true;
		else
			break;
	}
	c->width = parse_count(at, ap);
	if (**at == '.') {
		(*at)++;
		c->precision = parse_count(at, ap);
	}
	if (**at == 'h') {
		c->bytes = (*at)[1] == 'h' ? 1 : 2;
		*at += c->bytes == 1 ? 2 : 1;
	} else if (**at == 'l' || **at == 'z') {
		c->bytes = 8;
		*at += (*at)[0] == 'l' && (*at)[1] == 'l' ? 2 : 1;
	}
}

static void put_conversion(struct sink *s, struct conversion *c, char letter,
			   va_list *ap)
{
	const char *text;
	char one;
	s64 n;
	u64 v;

	switch (letter) {
	case 'd':
	case 'i':
		n = take_signed(c->bytes, ap);
		put_number(s, c, n < 0 ? "-" : "", n < 0 ? -(u64)n : (u64)n, 10,
			   false);
		return;
	case 'u':
		put_number(s, c, "", take_unsigned(c->bytes, ap), 10, false);
		return;
	case 'x':
	case 'X':
		v = take_unsigned(c->bytes, ap);
		put_number(s, c, c->alternate && v ? "0x" : "", v, 16,
			   letter == 'X');
		return;
	case 'p':
		put_number(s, c, "0x", (u64)(uintptr_t)va_arg(*ap, void *), 16,
			   false);
		return;
	case 'c':
		one     = (char)va_arg(*ap, int);
		c->zero = false;
		put_field(s, c, "", &one, 1);
		return;
	case 's':
		text    = va_arg(*ap, const char *);
		text    = text ? text : "(null)";
		c->zero = false;
		put_field(s, c, "", text, strnlen(text, c->precision));
		return;
	}
}

int tv_vsnprintf(char *buf, size_t size, const char *fmt, va_list given)
{
	struct sink s = { .buf = buf, .size = size };
	va_list ap;

	va_copy(ap, given);
	while (*fmt) {
		const char *start = fmt;
		struct conversion c;

		if (*fmt++ != '%') {
			put(&s, *start);
			continue;
		}
		parse_conversion(&c, &fmt, &ap);
		if (*fmt && strchr("diuxXpcs", *fmt)) {
			put_conversion(&s, &c, *fmt++, &ap);
		} else if (*fmt == '%') {
			put(&s, *fmt++);
		} else {
			while (start < fmt)
				put(&s, *start++);
		}
	}
	va_end(ap);
	if (size)
		buf[s.length < size ? s.length : size - 1] = '\0';
	return (int)s.length;
}

int tv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int length = tv_vsnprintf(buf, size, fmt, ap);

	va_end(ap);
	return length;
}

/* Under the console's lock: who writes a line has all of this. */
static struct {
	struct spinlock lock;
	bool mid_line;      /* the last byte written did not end a line, */
	const void *writer; /* which is this one's, NULL: the host's */
	char line[EVENT_BYTES + 8];
} console;

static bool lockless; /* set by a panic, the only CPU that still runs */

void log_without_lock(void)
{
	lockless = true;
}

static void lock(void)
{
	if (!lockless)
		spin_lock(&console.lock);
}

static void unlock(void)
{
	if (!lockless)
		spin_unlock(&console.lock);
}

static enum log_level log_level_chosen = LOG_INFO;

void log_set_level(enum log_level level)
{
	log_level_chosen = level;
}

static void write_raw(const char *text, size_t length)
{
	if (!length)
		return;
	serial_write(text, length);
	console.mid_line = text[length - 1] != '\n';
}

/* LF becomes CR LF. */
static void write_text(const char *text, size_t length)
{
	size_t begin = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n')
			continue;
		write_raw(text + begin, i - begin);
		write_raw("\r\n", 2);
		begin = i + 1;
	}
	write_raw(text + begin, length - begin);
}

/* What WHO writes does not go on where somebody else's line stands. */
static void begin_write(const void *who)
{
	if (console.mid_line && console.writer != who)
		write_text("\n", 1);
	console.writer = who;
}

/* PREFIX, FMT's text cut to MOST characters, SUFFIX, newline. */
static void print_line(const char *prefix, const char *suffix, size_t most,
		       const char *fmt, va_list ap)
{
	lock();
	const int wanted = tv_vsnprintf(console.line, most + 1, fmt, ap);
	size_t length    = strlen(console.line);

	if ((size_t)wanted > most)
		memcpy(console.line + most - 3, "...", 3);
	begin_write(NULL);
	write_text(prefix, strlen(prefix));
	if (*suffix)
		console.line[length++] = *suffix;
	console.line[length++] = '\n';
	write_text(console.line, length);
	unlock();
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_level_chosen)
		return;
	va_start(ap, fmt);
	print_line("tv: ", "", LINE_BYTES, fmt, ap);
	va_end(ap);
}

void say_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("tv: ", "", LINE_BYTES, fmt, ap);
	va_end(ap);
}

void log_event(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("tv: event {", "}", EVENT_BYTES, fmt, ap);
	va_end(ap);
}

void console_write(const void *who, const char *prefix, const char *text,
		   size_t length, bool raw)
{
	lock();
	begin_write(who);
	if (!console.mid_line)
		write_text(prefix, strlen(prefix));
	if (raw)
		write_raw(text, length);
	else
		write_text(text, length);
	unlock();
}

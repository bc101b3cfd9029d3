/* SPDX-License-Identifier: MIT */
/*
 * Formatted output. The formatter is pure; the console behind it is serial.h.
 * Conversions: %d %i %u %x %X %p %s %c %% with 0, -, width, * and precision
 * for %s, and the lengths hh, h, l, ll, z. Anything else prints as it stands.
 */
#ifndef BOOT_LIB_PRINT_H
#define BOOT_LIB_PRINT_H

#include "boot/lib/types.h"

enum log_level {
	LOG_ERROR, /* our bug, or broken hardware; never a misbehaving guest */
	LOG_WARN,  /* something was found wanting, and what we do instead */
	LOG_INFO,  /* the story of a normal run */
	LOG_DEBUG, /* for those who debug Tilevisor itself */
};

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/*
 * As C11's: at most SIZE bytes including the terminating NUL; returns the
 * length the whole text would have had.
 */
int tv_vsnprintf(char *buf, size_t size, const char *fmt, va_list given);
PRINTF_LIKE(3, 4)
int tv_snprintf(char *buf, size_t size, const char *fmt, ...);

/*
 * One whole line on the console, prefixed "tv: ", if LEVEL is not above the
 * level chosen by log=. FMT has no newline at its end. Lines of different CPUs
 * do not mix. At most 1000 characters; longer text is cut and ends in "...".
 */
PRINTF_LIKE(2, 3)
void log_line(enum log_level level, const char *fmt, ...);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

void log_set_level(enum log_level level);

/*
 * A machine-readable line, at every log level: `tv: event {JSON}`. FMT is the
 * JSON text without its outer braces, at most 4000 characters.
 */
PRINTF_LIKE(1, 2)
void log_event(const char *fmt, ...);

/* A line as log_line() prints it, at every log level: an answer. */
PRINTF_LIKE(1, 2)
void say_line(const char *fmt, ...);

/*
 * Bytes of the writer WHO, any address but NULL, in one piece. PREFIX goes
 * before them unless they go on with a line of his; a line of somebody else's
 * that is not finished is ended first. RAW: as they are, else LF becomes CR LF.
 */
void console_write(const void *who, const char *prefix, const char *text,
		   size_t length, bool raw);

/*
 * For a panic, when all other CPUs stand: lines are printed from now on without
 * the console's lock, which one of them may hold for ever.
 */
void log_without_lock(void);

#endif

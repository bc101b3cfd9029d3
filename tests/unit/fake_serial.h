/* SPDX-License-Identifier: MIT */
/*
 * The serial port that boot/lib/print.c wants behind it, with nobody at its
 * other end. One translation unit only.
 */
#ifndef TESTS_UNIT_FAKE_SERIAL_H
#define TESTS_UNIT_FAKE_SERIAL_H

#include <stddef.h>

void serial_write(const char *text, size_t length);
void serial_write(const char *text, size_t length)
{
	(void)text;
	(void)length;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The four functions that a compiler may call on its own, and the few others
 * that the tree uses. As in C11, nothing else. On the host the C library's own.
 */
#ifndef BOOT_LIB_STRING_H
#define BOOT_LIB_STRING_H

#include "boot/lib/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int byte, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

#endif

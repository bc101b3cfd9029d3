/* SPDX-License-Identifier: MIT */
/*
 * The names of our own functions, for back-traces, and the build id: generated
 * by boot/lib/symbols.awk from the linked image.
 */
#ifndef BOOT_LIB_SYMBOLS_H
#define BOOT_LIB_SYMBOLS_H

#include "boot/lib/types.h"

struct symbol {
	u64 address;
	const char *name;
};

/* In order of address. */
extern const struct symbol symbol_table[];
extern const u64 symbol_count;

/* 16 hexadecimal digits: a hash of the image before its symbols were added. */
extern const char build_id[];

/* The function that contains ADDRESS; NULL: none does. */
const struct symbol *symbol_find(u64 address);

#endif

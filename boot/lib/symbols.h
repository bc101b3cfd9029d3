/* SPDX-License-Identifier: MIT */
/*
 * The names of our own functions, for back-traces, and the build id: generated
 * by boot/lib/symbols.awk from the linked image. Holds no addresses, only
 * distances: the image may lie anywhere.
 */
#ifndef BOOT_LIB_SYMBOLS_H
#define BOOT_LIB_SYMBOLS_H

#include "boot/lib/types.h"

struct symbol {
	u32 offset; /* from image_start */
	u32 name;   /* where it begins in symbol_names */
};

/* In order of offset. */
extern const struct symbol symbol_table[];
extern const u32 symbol_count;
extern const char symbol_names[];

/* 16 hexadecimal digits: a hash of the image before its symbols were added. */
extern const char build_id[];

/* The function that contains ADDRESS; NULL: none does. */
const struct symbol *symbol_find(u64 address);

#endif

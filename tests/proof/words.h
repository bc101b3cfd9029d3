/* SPDX-License-Identifier: MIT */
/*
 * What boot/lib/options.h promises of words, for the proofs of those who read
 * whole lines: any words of any text of up to TEXT characters, whatever they
 * mean. That the tokenizer keeps the promise is options.c's parts 1 and 2.
 */
#ifndef TESTS_PROOF_WORDS_H
#define TESTS_PROOF_WORDS_H

#include "boot/lib/options.h"

#ifndef TEXT
#define TEXT 2
#endif

static char text[TEXT + 1]; /* the last one stays 0 */

static void any_line_of_text(void)
{
	for (u32 i = 0; i < TEXT; i++)
		text[i] = (char)(nondet_u8() & 0x7f);
}

/* A piece of it behind FROM, and its length. */
static const char *any_piece(u64 from, size_t *length)
{
	const u64 at = nondet_u8(), bytes = nondet_u8();

	ASSUME(at >= from && at <= TEXT && bytes <= TEXT - at);
	*length = bytes;
	return &text[at];
}

enum option_next any_option_next(const char **cursor, struct option *o)
{
	const enum option_next next = (enum option_next)(nondet_u8() & 3);
	const u64 from              = __CPROVER_POINTER_OFFSET(*cursor);
	const u64 to                = nondet_u8();

	__CPROVER_assert(__CPROVER_same_object(*cursor, text) && from <= TEXT,
			 "a line is read on from where it was read to");
	*o      = (struct option){ .key = &text[TEXT] };
	*cursor = &text[TEXT];
	if (next == OPTION_END || from == TEXT)
		return OPTION_END;
	ASSUME(to > from && to <= TEXT);
	*cursor = &text[to];
	o->key  = any_piece(from, &o->key_length);
	if (next == OPTION_CONTROL)
		o->key_length = 1;
	if (next == OPTION_WORD && nondet_bool())
		o->value = any_piece(from, &o->value_length);
	return next;
}

bool any_option_is(const struct option *o, const char *name)
{
	return nondet_bool();
}

bool any_option_copy(const struct option *o, char *to, size_t size)
{
	const bool ok = nondet_bool();

	__CPROVER_assert(size && __CPROVER_w_ok(to, size), "room for a copy");
	for (size_t i = 0; i < size; i++)
		to[i] = ok && i < size - 1 ? (char)(nondet_u8() & 0x7f) : '\0';
	/* No word has a NUL inside. */
	ASSUME(!ok || !o->value_length || to[0]);
	return ok && o->value;
}

bool any_option_number(const struct option *o, u64 *value)
{
	const bool ok = o->value && nondet_bool();

	if (ok)
		*value = nondet_u64();
	return ok;
}

int any_option_choice(const struct option *o, const char *const *names,
		      size_t count)
{
	const u8 i = nondet_u8();

	return o->value && i < count ? i : -1;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Words of a command line: PART 1 the tokenizer over any text of TEXT_MAX
 * characters, 2 the values of any word.
 */
#include "tests/proof/parser.h"

#include "boot/lib/options.c"

#define TEXT_MAX 12

static void words(void)
{
	const char *text   = any_text(TEXT_MAX);
	const char *cursor = text + nondet_u8() % (TEXT_MAX + 1);
	const char *before = cursor;
	struct option o;
	const enum option_next next = option_next(&cursor, &o);

	CHECK("the cursor stays inside", true,
	      cursor >= before && cursor <= text + TEXT_MAX);
	CHECK("a word takes the cursor further", next == OPTION_WORD,
	      cursor > before);
	CHECK("its key is inside", next == OPTION_WORD,
	      o.key >= before && o.key + o.key_length <= cursor);
	CHECK("its value is inside", next == OPTION_WORD && o.value,
	      o.value > o.key && o.value + o.value_length <= cursor);
	CHECK("an open quote ends it", next == OPTION_UNQUOTED,
	      *cursor == '\0');
}

static void values(void)
{
	const char *text      = any_text(TEXT_MAX);
	const struct option o = {
		.key          = text,
		.value        = nondet_bool() ? text : NULL,
		.value_length = nondet_u8() % (TEXT_MAX + 1),
	};
	static const char *const names[] = { "off", "on" };
	char copy[8];
	u64 v             = 0;
	const bool copied = option_copy(&o, copy, sizeof(copy));
	const int choice  = option_choice(&o, names, ARRAY_SIZE(names));

	CHECK("what does not fit is not copied", !copied, copy[0] == '\0');
	CHECK("what fits ends", copied, copy[o.value_length] == '\0');
	CHECK("a choice is one of them", choice >= 0,
	      choice < (int)ARRAY_SIZE(names));
	if (nondet_bool()) {
		const bool ok = option_size(&o, &v);

		CHECK("a size is a value", ok, o.value && o.value_length);
	} else {
		const bool ok = option_number(&o, &v);

		CHECK("a number is a value", ok, o.value && o.value_length);
	}
}

int main(void)
{
	if (PART == 1)
		words();
	else
		values();
	return 0;
}

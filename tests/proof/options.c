/* SPDX-License-Identifier: MIT */
/*
 * Words of a command line: PART 1 the tokenizer over any text of TEXT_MAX
 * characters, 2 the values of any word. 3: the host's whole line, over their
 * contract in words.h.
 */
#include "tests/proof/parser.h"

#include "tests/proof/words.h"

#include "boot/lib/options.c"

#define TEXT_MAX 12

static void words(void)
{
	const char *text   = any_text(TEXT_MAX);
	const char *cursor = text + nondet_u8() % (TEXT_MAX + 1);
	const char *before = cursor;
	struct option o;
	const enum option_next next = option_next(&cursor, &o);
	const u8 middle             = nondet_u8();

	CHECK("the cursor stays inside", true,
	      cursor >= before && cursor <= text + TEXT_MAX);
	CHECK("a word takes the cursor further", next == OPTION_WORD,
	      cursor > before);
	CHECK("its key is inside", next == OPTION_WORD,
	      o.key >= before && o.key + o.key_length <= cursor);
	CHECK("its value is inside", next == OPTION_WORD && o.value,
	      o.value > o.key && o.value + o.value_length <= cursor);
	CHECK("its value has no NUL", next == OPTION_WORD && o.value,
	      middle >= o.value_length || o.value[middle]);
	CHECK("a control character is inside", next == OPTION_CONTROL,
	      o.key >= before && o.key < cursor && o.key_length == 1);
	CHECK("what an open quote begins is inside", next == OPTION_UNQUOTED,
	      o.key >= before && o.key + o.key_length <= cursor);
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

static void line(void)
{
	struct host_options o;
	char why[16];
	bool ok;

	any_line_of_text();
	ok = host_options_parse(text, &o, why, sizeof(why));
	CHECK("what is accepted makes sense", ok,
	      o.port >= 0x100 && o.port <= 0xfff8 && o.baud <= 115200 &&
		      o.slice_us >= SLICE_US_MIN &&
		      o.slice_us <= SLICE_US_MAX && o.log <= LOG_DEBUG &&
		      o.end <= HOST_END_REBOOT &&
		      o.console_raw[sizeof(o.console_raw) - 1] == '\0');
}

int main(void)
{
	if (PART == 1)
		words();
	else if (PART == 2)
		values();
	else
		line();
	return 0;
}

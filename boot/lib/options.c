/* SPDX-License-Identifier: MIT */
/*
 * The tokenizer and the host's options. Pure but for host_options_set(): text
 * in, values or one sentence out.
 */
#include "boot/lib/options.h"

#include "boot/lib/string.h"

const char *const host_log_names[4] = { "error", "warn", "info", "debug" };
const char *const host_xfd_names[5] = { "nm", "wrmsr", "eager", "kvm",
					"inject" };
const char *const host_fpu_names[2] = { "lazy", "reserve" };

static const char *const end_names[] = { "off", "halt", "reboot" };

static const char *const selftest_names[] = { "panic", "nx",     "write",
					      "guard", "double", "divide",
					      "null",  "stack",  "late",
					      "mc",    "nmi" };

/* vmx/fail_entry.c has them, too. */
static const char *const fail_entry_names[] = { "vmcs",  "launch", "control",
						"event", "host",   "guest",
						"msr" };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * The end of what starts at TEXT: a closing quote if TEXT is inside one, else
 * the first blank, or '=' if STOP_AT_EQUALS.
 */
static const char *word_end(const char *text, bool quoted, bool stop_at_equals)
{
	while (*text) {
		if (quoted ? *text == '"' : is_blank(*text))
			break;
		if (stop_at_equals && *text == '=')
			break;
		text++;
	}
	return text;
}

/* The first control character of [FROM, TO); NULL: there is none. */
static const char *control_in(const char *from, const char *to)
{
	for (; from < to; from++)
		if ((u8)*from < 0x20 || *from == 0x7f)
			return from;
	return NULL;
}

enum option_next option_next(const char **cursor, struct option *o)
{
	const char *at = *cursor;
	const char *start, *control;
	bool quoted;

	while (is_blank(*at))
		at++;
	*o = (struct option){ .key = at };
	if (!*at) {
		*cursor = at;
		return OPTION_END;
	}
	start  = at;
	quoted = *at == '"';
	if (quoted)
		o->key = ++at;
	at            = word_end(at, quoted, true);
	o->key_length = (size_t)(at - o->key);
	if (*at == '=') {
		at++;
		if (!quoted && *at == '"') {
			quoted = true;
			at++;
		}
		o->value        = at;
		at              = word_end(at, quoted, false);
		o->value_length = (size_t)(at - o->value);
	}
	control = control_in(start, at);
	if (control) {
		*o      = (struct option){ .key = control, .key_length = 1 };
		*cursor = at;
		return OPTION_CONTROL;
	}
	if (quoted && *at != '"') {
		*o      = (struct option){ .key        = start,
					   .key_length = (size_t)(at - start) };
		*cursor = at;
		return OPTION_UNQUOTED;
	}
	*cursor = quoted ? at + 1 : at;
	return OPTION_WORD;
}

static bool text_is(const char *text, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(text, name, length) == 0;
}

bool option_key_is(const struct option *o, const char *name)
{
	return text_is(o->key, o->key_length, name);
}

bool option_value_is(const struct option *o, const char *name)
{
	return o->value && text_is(o->value, o->value_length, name);
}

bool option_copy(const struct option *o, char *to, size_t size)
{
	to[0] = '\0';
	if (!o->value || o->value_length >= size)
		return false;
	memcpy(to, o->value, o->value_length);
	to[o->value_length] = '\0';
	return true;
}

/* -1: C is not a digit to BASE. */
static int digit_value(char c, unsigned int base)
{
	int v = -1;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	return v < (int)base ? v : -1;
}

static bool parse_number(const char *text, size_t length, u64 *value)
{
	unsigned int base = 10;
	u64 v             = 0;

	if (length > 2 && text[0] == '0' &&
	    (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
		length -= 2;
	}
	if (!length)
		return false;
	for (; length; text++, length--) {
		const int digit = digit_value(*text, base);

		if (digit < 0 || v > (UINT64_MAX - (u64)digit) / base)
			return false;
		v = v * base + (u64)digit;
	}
	*value = v;
	return true;
}

bool option_number(const struct option *o, u64 *value)
{
	return o->value && parse_number(o->value, o->value_length, value);
}

/* Power of two that the suffix C stands for, 0: C is none. */
static unsigned int suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	}
	return 0;
}

bool option_size(const struct option *o, u64 *bytes)
{
	u64 v;

	if (!o->value || !o->value_length)
		return false;
	const unsigned int shift = suffix_shift(o->value[o->value_length - 1]);

	if (!parse_number(o->value, o->value_length - (shift ? 1 : 0), &v) ||
	    v > UINT64_MAX >> shift)
		return false;
	*bytes = v << shift;
	return true;
}

int option_choice(const struct option *o, const char *const *names,
		  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (option_value_is(o, names[i]))
			return (int)i;
	return -1;
}

/* One option: its name, what it accepts (for messages), how it is taken. */
struct host_option {
	const char *name;
	const char *accepts;
	bool (*take)(struct host_options *o, const struct option *word);
	bool alone; /* it may stand without a value */
};

/* WORD's value before its first comma and, if there is one, behind it. */
static bool at_comma(const struct option *word, struct option *part,
		     struct option *rest)
{
	const char *comma = memchr(word->value, ',', word->value_length);

	*part = *word;
	*rest = *word;
	if (!comma)
		return false;
	part->value_length = (size_t)(comma - word->value);
	rest->value        = comma + 1;
	rest->value_length -= part->value_length + 1;
	return true;
}

static bool take_console(struct host_options *o, const struct option *word)
{
	struct option part, rest;
	u64 baud = 115200, port;

	if (!word->value)
		return false;
	if (at_comma(word, &part, &rest) &&
	    (!option_number(&rest, &baud) || baud > 115200))
		return false;
	if (option_value_is(&part, "com1"))
		port = 0x3f8;
	else if (option_value_is(&part, "com2"))
		port = 0x2f8;
	else if (!option_number(&part, &port) || port < 0x100 || port > 0xfff8)
		return false;
	o->console_given = true;
	o->port          = (u16)port;
	o->baud          = (u32)baud;
	return true;
}

static bool take_log(struct host_options *o, const struct option *word)
{
	const int i =
		option_choice(word, host_log_names, ARRAY_SIZE(host_log_names));

	if (i >= 0)
		o->log = (enum log_level)i;
	return i >= 0;
}

static bool take_slice(struct host_options *o, const struct option *word)
{
	u64 us;

	if (!option_number(word, &us) || us < SLICE_US_MIN || us > SLICE_US_MAX)
		return false;
	o->slice_us = (u32)us;
	return true;
}

static bool take_end(struct host_options *o, const struct option *word)
{
	const int i = option_choice(word, end_names, ARRAY_SIZE(end_names));

	if (i >= 0)
		o->end = (enum host_end)i;
	return i >= 0;
}

static bool take_console_raw(struct host_options *o, const struct option *word)
{
	return word->value_length > 0 &&
	       option_copy(word, o->console_raw, sizeof(o->console_raw));
}

static bool take_xfd(struct host_options *o, const struct option *word)
{
	return option_choice(word, host_xfd_names,
			     ARRAY_SIZE(host_xfd_names)) >= 0 &&
	       option_copy(word, o->xfd, sizeof(o->xfd));
}

static bool take_fpu(struct host_options *o, const struct option *word)
{
	return option_choice(word, host_fpu_names,
			     ARRAY_SIZE(host_fpu_names)) >= 0 &&
	       option_copy(word, o->fpu, sizeof(o->fpu));
}

static bool take_apicv(struct host_options *o, const struct option *word)
{
	o->apicv = option_value_is(word, "on");
	return o->apicv || option_value_is(word, "off");
}

static bool take_migrate(struct host_options *o, const struct option *word)
{
	return option_number(word, &o->migrate) && o->migrate >= MIGRATE_MIN;
}

static bool take_fail_alloc(struct host_options *o, const struct option *word)
{
	return option_number(word, &o->fail_alloc) && o->fail_alloc > 0;
}

static bool take_fail_entry(struct host_options *o, const struct option *word)
{
	struct option kind, entry;

	return word->value && at_comma(word, &kind, &entry) &&
	       option_choice(&kind, fail_entry_names,
			     ARRAY_SIZE(fail_entry_names)) >= 0 &&
	       option_copy(&kind, o->fail_entry, sizeof(o->fail_entry)) &&
	       option_number(&entry, &o->fail_entry_at) && o->fail_entry_at > 0;
}

static bool take_report(struct host_options *o, const struct option *word)
{
	o->report = !word->value;
	return o->report;
}

static bool take_selftest(struct host_options *o, const struct option *word)
{
	if (!word->value) {
		o->test_machine = true;
		return true;
	}
	return TV_DEBUG &&
	       option_choice(word, selftest_names,
			     ARRAY_SIZE(selftest_names)) >= 0 &&
	       option_copy(word, o->selftest, sizeof(o->selftest));
}

static const struct host_option table[] = {
	{ "console", "com1, com2 or a port from 0x100, then ,BAUD up to 115200",
	  take_console, false },
	{ "log", "error, warn, info, debug", take_log, false },
	{ "slice", "microseconds from 10 to 10000000", take_slice, false },
	{ "end", "off, halt, reboot", take_end, false },
	{ "console-raw", "the name of a VM, at most 15 characters",
	  take_console_raw, false },
	{ "xfd", "nm, wrmsr, eager, kvm, inject", take_xfd, false },
	{ "fpu", "lazy, reserve", take_fpu, false },
	{ "apicv", "on, off", take_apicv, false },
	{ "report", "no value", take_report, true },
	{ "selftest",
	  "no value, or panic, nx, write, guard, double, divide, null, stack, "
	  "late, mc, nmi (debug builds)",
	  take_selftest, true },
	{ "migrate", "TSC ticks from 2000 (debug builds)", take_migrate,
	  false },
	{ "fail-alloc", "the number of a call from 1 (debug builds)",
	  take_fail_alloc, false },
	{ "fail-entry",
	  "vmcs, launch, control, event, host, guest or msr, then ,NUMBER of "
	  "an entry from 1 (debug builds)",
	  take_fail_entry, false },
};

/* Every option for people; the last three are for those who debug Tilevisor. */
#define LISTED                                                                 \
	"console, log, slice, end, console-raw, xfd, fpu, apicv, report, "     \
	"selftest"
#define LISTED_COUNT (ARRAY_SIZE(table) - (TV_DEBUG ? 0 : 3))

static const struct host_option *find(const struct option *word)
{
	for (size_t i = 0; i < LISTED_COUNT; i++)
		if (option_key_is(word, table[i].name))
			return &table[i];
	return NULL;
}

/* An earlier word of CMDLINE with the same key as WORD but another value. */
static bool contradicts(const char *cmdline, const struct option *word,
			struct option *earlier)
{
	while (option_next(&cmdline, earlier) == OPTION_WORD &&
	       earlier->key != word->key) {
		if (earlier->key_length != word->key_length ||
		    memcmp(earlier->key, word->key, word->key_length) != 0)
			continue;
		if (earlier->value_length != word->value_length ||
		    !earlier->value != !word->value ||
		    (word->value && memcmp(earlier->value, word->value,
					   word->value_length) != 0))
			return true;
	}
	return false;
}

static int shown(size_t length)
{
	return (int)min_u64(length, 60);
}

static bool take_word(const char *cmdline, const struct option *word,
		      struct host_options *o, char *why, size_t why_size)
{
	const struct host_option *known = find(word);
	struct option earlier;

	if (!known) {
		tv_snprintf(why, why_size,
			    "unknown option \"%.*s\": the options are " LISTED,
			    shown(word->key_length), word->key);
		return false;
	}
	if (!word->value && !known->alone) {
		tv_snprintf(why, why_size,
			    "option \"%s\" needs a value: %s=VALUE, one of: %s",
			    known->name, known->name, known->accepts);
		return false;
	}
	if (!known->take(o, word)) {
		tv_snprintf(
			why, why_size,
			"option \"%s\" does not accept \"%.*s\": it takes %s",
			known->name, shown(word->value_length), word->value,
			known->accepts);
		return false;
	}
	if (contradicts(cmdline, word, &earlier)) {
		tv_snprintf(why, why_size,
			    "option \"%s\" is given twice, as \"%.*s\" and as "
			    "\"%.*s\": give it once",
			    known->name, shown(earlier.value_length),
			    earlier.value ? earlier.value : "",
			    shown(word->value_length),
			    word->value ? word->value : "");
		return false;
	}
	return true;
}

bool host_options_parse(const char *cmdline, struct host_options *o, char *why,
			size_t why_size)
{
	const char *cursor = cmdline;
	struct option word;

	*o = (struct host_options){
		.port     = 0x3f8,
		.baud     = 115200,
		.log      = LOG_INFO,
		.slice_us = SLICE_US_DEFAULT,
		.end      = HOST_END_OFF,
		.apicv    = true,
		.xfd      = "nm",
		.fpu      = "lazy",
	};
	for (;;) {
		switch (option_next(&cursor, &word)) {
		case OPTION_END:
			return true;
		case OPTION_UNQUOTED:
			tv_snprintf(why, why_size,
				    "a quote is opened and never closed: %.*s",
				    shown(word.key_length), word.key);
			return false;
		case OPTION_CONTROL:
			tv_snprintf(why, why_size,
				    "the command line has the control "
				    "character %#x in its column %lu",
				    (unsigned int)*word.key,
				    (u64)(word.key - cmdline) + 1);
			return false;
		case OPTION_WORD:
			if (!take_word(cmdline, &word, o, why, why_size))
				return false;
		}
	}
}

/* Written once, by host_options_set(), before other CPUs start. */
static struct host_options chosen = {
	.port = 0x3f8,
	.baud = 115200,
	.log  = LOG_INFO,
	.end  = HOST_END_OFF,
};

const struct host_options *host_options(void)
{
	return &chosen;
}

bool host_options_set(const char *cmdline, char *why, size_t why_size)
{
	return host_options_parse(cmdline, &chosen, why, why_size);
}

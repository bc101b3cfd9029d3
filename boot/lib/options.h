/* SPDX-License-Identifier: MIT */
/*
 * Command lines: words "key=value" and "key", blank separated, quotes around a
 * word or a value. A pure tokenizer for all of them, and the host's own
 * options. Module options are guest/vm_config.c's.
 */
#ifndef BOOT_LIB_OPTIONS_H
#define BOOT_LIB_OPTIONS_H

#include "boot/lib/print.h"
#include "boot/lib/types.h"

/* One word; the pointers point into the text that was given. */
struct option {
	const char *key;
	size_t key_length;
	const char *value; /* NULL: the word has no '=' */
	size_t value_length;
};

enum option_next {
	OPTION_WORD,     /* *o is filled in, *cursor is behind the word */
	OPTION_END,      /* nothing but blanks was left */
	OPTION_UNQUOTED, /* a quote is never closed: *o is the rest of the text
			  */
	OPTION_CONTROL,  /* o->key is at a control character, which no word may
			  * have: messages repeat words */
};

/*
 * The next word at *CURSOR. A value may be quoted ("..."), and so may a whole
 * word; the quotes are not part of what is returned, blanks inside are.
 */
enum option_next option_next(const char **cursor, struct option *o);

bool option_key_is(const struct option *o, const char *name);
bool option_value_is(const struct option *o, const char *name);

/*
 * The value as a NUL-terminated string. False: it has none, or does not fit in
 * SIZE bytes with its NUL; TO is then "".
 */
bool option_copy(const struct option *o, char *to, size_t size);

/*
 * The value as a number, decimal or 0x. option_size() also takes one of the
 * suffixes K, M, G (either case). False: no value, another character, overflow.
 */
bool option_number(const struct option *o, u64 *value);
bool option_size(const struct option *o, u64 *bytes);

/*
 * The value as an index into COUNT names. -1: none of them, or no value.
 */
int option_choice(const struct option *o, const char *const *names,
		  size_t count);

enum host_end {
	HOST_END_OFF,  /* power off: the default */
	HOST_END_HALT, /* stop and stay */
	HOST_END_REBOOT,
};

#define SLICE_US_DEFAULT 1000
#define SLICE_US_MIN     10
#define SLICE_US_MAX     10000000
#define MIGRATE_MIN      2000 /* enough for an instruction between two moves */

/* The words that log=, xfd= and fpu= accept. */
extern const char *const host_log_names[4];
extern const char *const host_xfd_names[5];
extern const char *const host_fpu_names[2];

struct host_options {
	u16 port; /* of the console's UART */
	u32 baud; /* 0: leave it as it is */
	enum log_level log;
	u32 slice_us;
	enum host_end end;
	char console_raw[16]; /* name of the VM whose lines get no prefix, or ""
			       */
	char xfd[16];         /* the VMs' default policy, one of the names */
	char fpu[16]; /* the VMs' default reservation, one of the names */
	bool apicv;   /* use APIC virtualization if the CPU has it */
	bool console_given;
	u64 migrate; /* debug builds: slices of at most so many TSC ticks, and
		      * after each the vCPU goes on on the next CPU; 0: off */
	bool report; /* print all about the machine */
	bool test_machine; /* run the self-tests, then end */
	u64 fail_alloc;    /* debug builds: this call of pages_alloc*() finds no
			    * memory; 0: none */
	char fail_entry[8]; /* debug builds: how this VM entry is to fail, of
			     * those that something had delayed; 0: none */
	u64 fail_entry_at;
	char selftest[16]; /* debug builds: provoke a failure; "" normally */
};

/*
 * Defaults, then every word of CMDLINE. False: the first wrong word, explained
 * by one sentence in WHY; *O then holds what was understood before it.
 */
bool host_options_parse(const char *cmdline, struct host_options *o, char *why,
			size_t why_size);

/* What boot_main() parsed; read-only afterwards. */
const struct host_options *host_options(void);

/* Boot only: parse into what host_options() returns. */
bool host_options_set(const char *cmdline, char *why, size_t why_size);

#endif

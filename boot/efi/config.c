/* SPDX-License-Identifier: MIT */
/* A line at a time; each is cut into NUL-terminated words where it stands. */
#include "boot/efi/config.h"

#include "boot/lib/print.h"
#include "boot/lib/string.h"

#define SHOWN 40 /* characters of a wrong word that a sentence repeats */

struct parse {
	struct efi_config *config;
	u32 line;
	bool options_given;
	char *why;
	size_t why_size;
};

/* Always false, so that a check can return it. */
PRINTF_LIKE(2, 3) static bool fail(struct parse *p, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	tv_vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	tv_snprintf(p->why, p->why_size, "tilevisor.cfg, line %u: %s", p->line,
		    what);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/*
 * The word at *S, which is moved to what follows it. NULL: there is none, or
 * its quote is not closed.
 */
static char *take_word(char **s)
{
	const char quote = **s == '"' ? '"' : '\0';
	char *const word = *s + (quote ? 1 : 0);
	char *end        = word;

	while (*end && (quote ? *end != quote : !is_blank(*end)))
		end++;
	if (end == word || (quote && !*end))
		return NULL;
	*s   = skip_blanks(*end ? end + 1 : end);
	*end = '\0';
	return word;
}

static bool take_module(struct parse *p, char *rest)
{
	struct efi_config *c = p->config;
	char *const path     = take_word(&rest);

	if (!path)
		return fail(p, "module needs the name of a file");
	if (strlen(path) >= EFI_PATH_MAX)
		return fail(p,
			    "the file's name has %zu characters, at most %d "
			    "are accepted",
			    strlen(path), EFI_PATH_MAX - 1);
	if (c->module_count == BOOT_MODULE_MAX)
		return fail(p, "there are more than %d modules",
			    BOOT_MODULE_MAX);
	c->module[c->module_count].path  = path;
	c->module[c->module_count].words = rest;
	c->module_count++;
	return true;
}

static bool take_options(struct parse *p, const char *rest)
{
	if (p->options_given)
		return fail(p, "options are given twice");
	p->options_given   = true;
	p->config->options = rest;
	return true;
}

/* S is one line, NUL-terminated; tabs become blanks, so that all is printable.
 */
static bool take_line(struct parse *p, char *s)
{
	char *end = s + strlen(s);

	while (end > s && (is_blank(end[-1]) || end[-1] == '\r'))
		*--end = '\0';
	s = skip_blanks(s);
	if (!*s || *s == '#')
		return true;
	for (char *c = s; *c; c++) {
		if (*c == '\t')
			*c = ' ';
		if (*c < ' ' || *c > '~')
			return fail(p, "character %#x is not plain ASCII text",
				    (u8)*c);
	}
	if (end - s >= BOOT_CMDLINE_MAX)
		return fail(p, "it has %zu characters, at most %d are accepted",
			    (size_t)(end - s), BOOT_CMDLINE_MAX - 1);

	const char *const word = take_word(&s);

	if (word && strcmp(word, "module") == 0)
		return take_module(p, s);
	if (word && strcmp(word, "options") == 0)
		return take_options(p, s);
	return fail(p, "\"%.*s\" is neither \"options\" nor \"module\"", SHOWN,
		    word ? word : s);
}

bool efi_config_parse(char *text, size_t length, struct efi_config *c,
		      char *why, size_t why_size)
{
	struct parse p  = { .config = c, .why = why, .why_size = why_size };
	char *s         = text;
	char *const end = text + length;

	*c   = (struct efi_config){ .options = "" };
	*end = '\0';
	if (length >= 2 &&
	    (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0)) {
		p.line = 1;
		return fail(&p, "the file is UTF-16; save it as plain text");
	}
	if (length >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	while (s < end) {
		char *const stop = memchr(s, '\n', (size_t)(end - s));
		char *const next = stop ? stop : end;

		p.line++;
		*next = '\0';
		if (strlen(s) != (size_t)(next - s))
			return fail(&p, "character 0 is not plain ASCII text");
		if (!take_line(&p, s))
			return false;
		s = next + 1;
	}
	return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The boot modules' lines: PART 1, any one line of words.h's; 2, MODULES of
 * them together, each of any words with any values, over 1's contract; 3, a
 * list of CPUs.
 */
/* take_choice(): "|" and the longest name, "reserve"; no message is empty. */
#define PRINTED_MAX 12
#define PRINTED_MIN 1
#define CLEARED     clear
static void clear(void *to, unsigned long bytes);

#include "tests/proof/parser.h"

#include "tests/proof/words.h"

#include "guest/vm_config.c"

#ifndef MODULES
#define MODULES 1
#endif

static void clear(void *to, unsigned long bytes)
{
	if (bytes == sizeof(struct line))
		*(struct line *)to = (struct line){ 0 };
}

/* In the place of read_line(). */
void any_line(struct line *l, const char *from)
{
	struct line any;
	size_t length;

	for (u32 k = 0; k < KEY_COUNT; k++) {
		any.given[k]    = nondet_bool();
		any.word[k].key = text;
		any.word[k].value =
			nondet_bool() ? any_piece(0, &length) : NULL;
		any.word[k].value_length = any.word[k].value ? length : 0;
	}
	any.cmdline                  = text;
	any.name[VM_NAME_SIZE - 1]   = '\0';
	any.error[VM_ERROR_SIZE - 1] = '\0';
	*l                           = any;
}

static void modules(void)
{
	static struct vm_config out[MODULES];
	struct vm_config_module module[MODULES];
	const struct vm_config_defaults defaults = { XFD_NM, nondet_bool() };
	u32 used;

	for (u32 i = 0; i < MODULES; i++)
		module[i] = (struct vm_config_module){ text, nondet_u64() };
	used = vm_config_parse(module, MODULES, &defaults, out);
	CHECK("no more VMs than modules", true, used >= 1 && used <= MODULES);
	for (u32 i = 0; i < MODULES; i++) {
		const bool ok = i < used && !out[i].error[0];

		CHECK("a VM without an error has an image", ok,
		      out[i].has_image && out[i].image < MODULES);
		CHECK("and vCPUs", ok,
		      out[i].vcpu_count >= 1 &&
			      out[i].vcpu_count <= VM_VCPUS_MAX);
		CHECK("and whole pages of memory", ok,
		      out[i].memory_bytes >= VM_MEMORY_MIN &&
			      out[i].memory_bytes <= VM_MEMORY_MAX &&
			      out[i].memory_bytes % PAGE_SIZE == 0);
	}
}

static void cpus(void)
{
	struct vm_config c = { .cpus = NULL };
	struct option o    = { .key = text };
	const u32 cpu      = nondet_u32();
	bool ok;

	if (nondet_bool())
		o.value = any_piece(0, &o.value_length);
	ok = take_cpus(&c, &o);
	CHECK("a CPU that is allowed is in the list",
	      ok && vm_config_allows(&c, cpu), cpu <= c.cpu_last);
	CHECK("a list allows a CPU", ok, vm_config_allows(&c, c.cpu_last));
}

int main(void)
{
	any_line_of_text();
	if (PART == 1) {
		struct line l;

		read_line(&l, text);
		CHECK("a line that is right has no message, or a name",
		      !l.error[0] && l.given[KEY_VM], l.name[0]);
	} else if (PART == 2) {
		modules();
	} else {
		cpus();
	}
	return 0;
}

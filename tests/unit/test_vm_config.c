/* SPDX-License-Identifier: MIT */
/* links: guest/vm_config.c boot/lib/options.c boot/lib/print.c */
/*
 * Module lines to VM configurations: what is understood, and one sentence for
 * everything that is not.
 */
#include "guest/vm_config.h"

#include <string.h>

#include "tests/unit/fake_serial.h"
#include "tests/unit/tap.h"

#define MODULES 16

static struct vm_config vm[MODULES];

/* Parse lines up to a NULL; every file has a page unless its line is "empty".
 */
static u32 parse(const char *const *lines)
{
	const struct vm_config_defaults defaults = { .policy = XFD_NM };
	struct vm_config_module module[MODULES];
	u32 n = 0;

	for (; lines[n]; n++)
		module[n] = (struct vm_config_module){
			.cmdline = lines[n],
			.bytes   = strstr(lines[n], "empty") ? 0 : 4096,
		};
	return vm_config_parse(module, n, &defaults, vm);
}

/* clang-format off */
static const struct {
	const char *line;
	const char *error; /* a part of the sentence; "" if there is none */
} one[] = {
	{ "vm=a", "" },
	{ "vm=a vcpus=255 mem=2M", "" },
	{ "/boot/kernel vm=a", "" },
	{ "vm=a.b-c_9", "" },
	{ "vm=abcdefghijklmno", "" },
	{ "vm=a areas=8K", "" },
	{ "vm=a fpu=reserve xfd=kvm amx=off calls=on reboot=0 "
	  "hypervisor=off", "" },
	{ "vm=a -- mem=banana", "" },
	{ "", "no vm= says whose file this is" },
	{ "mem=64M", "no vm= says whose file this is" },
	{ "vm", "vm= needs a name" },
	{ "vm=", "vm= needs a name" },
	{ "vm=abcdefghijklmnop", "a name has 1 to 15" },
	{ "vm=a/b", "a name has 1 to 15" },
	{ "vm=AZaz09_-.", "" },
	{ "vm=@", "a name has 1 to 15" },
	{ "vm=[", "a name has 1 to 15" },
	{ "vm=`", "a name has 1 to 15" },
	{ "vm={", "a name has 1 to 15" },
	{ "vm=:", "a name has 1 to 15" },
	{ "vm=a --=b", "unknown option \"--\"" },
	{ "vm=a of-so-long-a-word-a-message-shows-the-beginning-only",
	  "unknown option \"of-so-long-a-word-a-message-shows-the-be\"" },
	{ "vm=a mem", "mem=: a multiple of 4K" },
	{ "vm=a colour=red", "unknown option \"colour\"" },
	{ "colour=red vm=a", "a module takes vm= vcpus= mem= xfd= fpu= areas= "
			     "amx= calls= reboot= hypervisor= cpus= initrd" },
	{ "vm=a cpus=0", "" },
	{ "vm=a cpus=0-3,6,8-99999", "" },
	{ "vm=a cpus=", "cpus=: numbers of CPUs" },
	{ "vm=a cpus", "cpus=: numbers of CPUs" },
	{ "vm=a cpus=0,", "cpus=0,: numbers of CPUs" },
	{ "vm=a cpus=,0", "cpus=,0: numbers of CPUs" },
	{ "vm=a cpus=3-1", "cpus=3-1: numbers of CPUs" },
	{ "vm=a cpus=1-", "cpus=1-: numbers of CPUs" },
	{ "vm=a cpus=1-2-3", "cpus=1-2-3: numbers of CPUs" },
	{ "vm=a cpus=all", "cpus=all: numbers of CPUs" },
	{ "vm=a cpus=100000", "cpus=100000: numbers of CPUs" },
	{ "vm=a cpus=99999999999999999999", "numbers of CPUs" },
	{ "vm=a /boot/kernel", "unknown option \"/boot/kernel\"" },
	{ "vm=a vm=b", "vm is given twice" },
	{ "vm=a mem=4M mem=4M", "mem is given twice" },
	{ "vm=a vcpus=0", "vcpus=0: a number from 1 to 255" },
	{ "vm=a vcpus=256", "vcpus=256: a number from 1 to 255" },
	{ "vm=a vcpus=two", "vcpus=two: a number" },
	{ "vm=a vcpus", "vcpus=: a number" },
	{ "vm=a mem=1M", "mem=1M: a multiple of 4K from 2048K" },
	{ "vm=a mem=2000T", "mem=2000T: a multiple" },
	{ "vm=a mem=2097153", "mem=2097153: a multiple of 4K" },
	{ "vm=a mem=99999999999999999999", "a multiple of 4K" },
	{ "vm=a areas=0", "areas=0: a multiple of 4K from 4K" },
	{ "vm=a xfd=lazy", "xfd=lazy: it is one of nm|wrmsr|eager|kvm|inject" },
	{ "vm=a fpu=eager", "fpu=eager: it is one of lazy|reserve" },
	{ "vm=a amx=yes", "amx=yes: it is one of off|on" },
	{ "vm=a hypervisor=no", "hypervisor=no: it is one of off|on" },
	{ "vm=a calls", "calls=: it is one of off|on" },
	{ "vm=a reboot=-1", "reboot=-1: a number from 0 to 1000000" },
	{ "vm=a reboot=on", "reboot=on: a number" },
	{ "vm=a initrd=file", "initrd takes no value" },
	{ "vm=a initrd", "module 0 is its initrd, but no module is its image" },
	{ "vm=a \"mem=4M", "a quote is never closed" },
	{ "vm=a -- empty", "module 0 is empty" },
};

static const struct {
	const char *claim;
	const char *lines[4];
	u32 vms;
	const char *name, *error; /* of the first VM with an error, or NULL */
} several[] = {
	{ "two VMs", { "vm=a", "vm=b" }, 2, NULL, NULL },
	{ "an initrd may come first", { "vm=a initrd", "vm=a" }, 1, NULL,
	  NULL },
	{ "two images", { "vm=a", "vm=b", "vm=a" }, 2, "a",
	  "modules 0 and 2 are both its image" },
	{ "an initrd of a VM without image", { "vm=a", "vm=b initrd" }, 2, "b",
	  "module 1 is its initrd, but no module is its image" },
	{ "an option on the initrd's line", { "vm=a", "vm=a initrd mem=4M" }, 1,
	  "a", "mem= belongs on the image's line" },
	{ "a nameless module is nobody's", { "vm=a", "-- hello" }, 2, "#1",
	  "no vm= says" },
	{ "a wrong word hits only its VM", { "vm=a bad", "vm=b" }, 2, "a",
	  "unknown option" },
	{ "behind a wrong word too, a name has a name's letters",
	  { "bad vm=a/b" }, 1, "#0", "unknown option" },
	{ "a control character, which messages would repeat",
	  { "vm=a\033[2J" }, 1, "#0",
	  "has the control character 0x1b in column 5" },
	{ "... within quotes", { "vm=a \"mem=\n4M\"" }, 1, "a",
	  "has the control character 0xa in column 11" },
	{ "blanks before an open quote are not repeated",
	  { "vm=a \n\"mem=4M" }, 1, "a", "never closed: \"mem=4M" },
	{ "behind a wrong word other words are of no interest",
	  { "bad mem=4M vm=a vm=b" }, 1, "a", "unknown option" },
	{ "the first thing wrong with a VM is said",
	  { "vm=a bad", "vm=a initrd=x" }, 1, "a", "unknown option \"bad\"" },
	{ "a wrong initrd hits its VM", { "vm=a", "initrd bad vm=a" }, 1, "a",
	  "unknown option" },
};
/* clang-format on */

static void test_several(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(several); i++) {
		const u32 n               = parse(several[i].lines);
		const struct vm_config *c = NULL;
		bool ok                   = n == several[i].vms;

		for (u32 v = 0; v < n && !c; v++)
			if (vm[v].error[0])
				c = &vm[v];
		if (several[i].error)
			ok = ok && c && !strcmp(c->name, several[i].name) &&
			     strstr(c->error, several[i].error);
		else
			ok = ok && !c;
		if (!tap_ok(ok, "%s", several[i].claim))
			tap_note("%u VMs; %s", n, c ? c->error : "no error");
	}
}

static void test_values(void)
{
	static const char *const lines[] = {
		"vm=a initrd -- first",
		"vm=a vcpus=3 mem=128M xfd=wrmsr fpu=reserve areas=8K amx=off "
		"calls=on cpus=1-2,4 --  console=ttyS0 -- mem=1 \"x y\"",
		"vm=a initrd",
		"vm=b",
		NULL,
	};

	tap_is(parse(lines), 2, "four modules are two VMs");
	tap_is(vm[0].vcpu_count, 3, "vcpus=");
	tap_is(vm[0].memory_bytes, 128 * MIB, "mem=");
	tap_is(vm[0].policy, XFD_WRMSR, "xfd=");
	tap_is(vm[0].reserve, true, "fpu=");
	tap_is(vm[0].areas_bytes, 8192, "areas=");
	tap_is(vm[0].amx, false, "amx=");
	tap_is(vm[0].cpu_last, 4, "the greatest of cpus=");
	for (u32 i = 0; i < 6; i++)
		tap_is(vm_config_allows(&vm[0], i), i == 1 || i == 2 || i == 4,
		       "cpus= and CPU %u", i);
	tap_ok(vm_config_allows(&vm[1], 77), "without cpus= all are allowed");
	tap_is(vm[0].calls, true, "calls=");
	tap_is(vm[0].image, 1, "the image's module");
	tap_is(vm[0].initrd_count, 2, "both initrds");
	tap_is(vm[0].initrd[1], 2, "in order");
	tap_ok(!strcmp(vm[0].initrd_cmdline[0], "first"),
	       "an initrd's own line");
	tap_ok(!strcmp(vm[0].cmdline, "console=ttyS0 -- mem=1 \"x y\""),
	       "everything behind the first -- is the guest's, unchanged");
	tap_ok(vm[1].vcpu_count == 1 && vm[1].memory_bytes == 64 * MIB &&
		       vm[1].policy == XFD_NM && !vm[1].reserve &&
		       !vm[1].areas_bytes && vm[1].amx && !vm[1].calls &&
		       !strcmp(vm[1].cmdline, ""),
	       "the defaults");
}

static void test_limits(void)
{
	static const char *const lines[] = {
		"vm=a",        "vm=a initrd", "vm=a initrd",
		"vm=a initrd", "vm=a initrd", "vm=a initrd",
		"vm=a initrd", "vm=a initrd", NULL,
	};

	parse(lines);
	tap_ok(strstr(vm[0].error, "more than 6 initrds"),
	       "more initrds than there is room for");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
		const char *const lines[] = { one[i].line, NULL };
		const bool one_vm         = parse(lines) == 1;
		const bool ok = one[i].error[0] ? strstr(vm[0].error,
							 one[i].error) != NULL
						: !vm[0].error[0];

		if (!tap_ok(one_vm && ok, "\"%s\": %s", one[i].line,
			    one[i].error[0] ? one[i].error : "right"))
			tap_note("said: %s", vm[0].error);
	}
	test_several();
	test_values();
	test_limits();
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/* Two modules with any line of TEXT_MAX characters. */
#include "tests/proof/parser.h"

#include "boot/lib/options.c"
#include "guest/vm_config.c"

#define TEXT_MAX 6 /* "vm=a b" */
#define MODULES  2

int main(void)
{
	const struct vm_config_module module[MODULES] = {
		{ any_text(TEXT_MAX), nondet_u64() },
		{ any_text(TEXT_MAX), nondet_u64() },
	};
	const struct vm_config_defaults defaults = { XFD_NM, nondet_bool() };
	static struct vm_config out[MODULES];
	const u32 n = vm_config_parse(module, MODULES, &defaults, out);

	CHECK("no more VMs than modules", true, n >= 1 && n <= MODULES);
	for (u32 i = 0; i < n; i++) {
		CHECK("a VM that can be created has an image and memory",
		      !out[i].error[0],
		      out[i].has_image && out[i].image < MODULES &&
			      out[i].vcpu_count >= 1 &&
			      out[i].vcpu_count <= VM_VCPUS_MAX &&
			      out[i].memory_bytes >= VM_MEMORY_MIN &&
			      out[i].initrd_count <= VM_INITRD_MAX);
		CHECK("another says why", out[i].error[0],
		      memchr(out[i].error, '\0', VM_ERROR_SIZE));
	}
	return 0;
}

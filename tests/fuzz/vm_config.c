/* SPDX-License-Identifier: MIT */
/* links: guest/vm_config.c fpu/xfd.c boot/lib/options.c boot/lib/print.c */
/* seconds: 60 */
/*
 * The modules' command lines, one a line of the input: VMs within their bounds,
 * or each with a sentence.
 */
#include "guest/vm_config.h"
#include "tests/fuzz/fuzz.h"

#define MODULES 16

static struct vm_config vm[MODULES];

static void judge(const struct vm_config *c, u32 count, u64 used[MODULES])
{
	REQUIRE(memchr(c->name, 0, sizeof(c->name)) && c->name[0]);
	if (c->error[0]) {
		require_sentence(c->error, sizeof(c->error));
		return;
	}
	REQUIRE(c->vcpu_count >= 1 && c->vcpu_count <= VM_VCPUS_MAX);
	REQUIRE(c->memory_bytes >= VM_MEMORY_MIN &&
		c->memory_bytes <= VM_MEMORY_MAX);
	REQUIRE(c->policy < XFD_POLICY_COUNT);
	REQUIRE(c->has_image && c->image < count && c->cmdline);
	REQUIRE(!used[c->image]++);
	REQUIRE(c->initrd_count <= VM_INITRD_MAX);
	for (u32 i = 0; i < c->initrd_count; i++)
		REQUIRE(c->initrd[i] < count && !used[c->initrd[i]]++ &&
			c->initrd_cmdline[i]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct vm_config_defaults defaults = { XFD_NM, false };
	struct vm_config_module module[MODULES];
	u64 used[MODULES] = { 0 };
	u32 count         = 0;
	char *text        = malloc(size + 1), *rest, *line;

	REQUIRE(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (rest = text; count < MODULES && (line = strsep(&rest, "\n"));)
		module[count++] = (struct vm_config_module){ line, 4096 };

	const u32 made = vm_config_parse(module, count, &defaults, vm);

	REQUIRE(made >= 1 && made <= count);
	for (u32 i = 0; i < made; i++)
		judge(&vm[i], count, used);
	free(text);
	return 0;
}

static void fuzz_seeds(void)
{
	fuzz_seed_text("vm=a vcpus=2 mem=512M xfd=nm -- console=ttyS0\n"
		       "vm=a initrd -- x");
	fuzz_seed_text("vm=a fpu=reserve areas=64K amx=off calls=on\nvm=b\n\n");
	fuzz_seed_text("vm=a mem=1025G\nvm=a mem=0\ninitrd\nvm=\"b c\"");
}

/* SPDX-License-Identifier: MIT */
/*
 * From boot/head.S to boot_main(): the stack protector's seed, the boot
 * information. Another loader's entry path would have another such file.
 */
#include "boot/lib/options.h"
#include "boot/lib/panic.h"
#include "boot/lib/serial.h"
#include "boot/lib/x86.h"
#include "boot/main.h"
#include "boot/mb2.h"

#define FIRST_TABLES_REACH (4 * GIB) /* boot/head.S */
#define CPUID_1_RDRAND     BIT(30)

extern const char image_start[], image_end[]; /* linker.ld */
extern u64 __stack_chk_guard;                 /* boot/lib/panic.c */

static struct boot_info info; /* written here, once */

/* The lowest byte stays 0, so that no string can be read past the guard. */
static u64 guard_seed(u64 tsc)
{
	u64 seed = 0;

	if (!(cpuid(1, 0).ecx & CPUID_1_RDRAND) || !rdrand(&seed))
		seed = 0;
	return (seed ^ tsc * 0x9e3779b97f4a7c15) & ~0xffULL;
}

/* The console is needed to refuse; the command line may say where it is. */
_Noreturn static void refuse_boot(const struct mb2_problem *p)
{
	const struct host_options *o = host_options();
	char why[240];

	serial_init(o->port, o->baud);
	mb2_explain(p, why, sizeof(why));
	refuse("%s", why);
}

static void parse(u32 magic, u32 at)
{
	const struct mb2_placement placement = {
		.info        = at,
		.image_start = (u64)(uintptr_t)image_start,
		.image_end   = (u64)(uintptr_t)image_end,
	};
	struct mb2_problem p;

	if (!mb2_parse(magic, (const void *)(uintptr_t)at,
		       FIRST_TABLES_REACH - at, &placement, &info, &p))
		refuse_boot(&p);
}

/*
 * Called by boot/head.S with what the loader left in EAX and EBX. Seeds the
 * guard, so it must not be protected itself.
 */
_Noreturn void boot_entry(u32 magic, u32 at, u64 tsc);
__attribute__((no_stack_protector)) void boot_entry(u32 magic, u32 at, u64 tsc)
{
	__stack_chk_guard = guard_seed(tsc);
	parse(magic, at);
	info.entry_tsc = tsc;
	boot_main(&info);
}

/* SPDX-License-Identifier: MIT */
/* From the boot modules to running VMs, and from those to the end. */
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/power.h"
#include "boot/lib/print.h"
#include "boot/lib/string.h"
#include "guest/report.h"
#include "guest/vm_parts.h"

/* Every VM that was created, stopped or not. Start-up appends. */
static struct vm *first_vm;

/* Those that did not start or did not end with VM_CODE_SUCCESS. Atomic. */
static u32 failed_count;

/* Those that have not been reported as stopped. Atomic. */
static u32 running_count;

struct vm *vm_first(void)
{
	return first_vm;
}

static void start(const struct vm_config *c, const struct boot_info *bi,
		  const struct cpuid_host *host)
{
	char why[WHY_SIZE] = "no memory for the VM itself";
	struct vm **last   = &first_vm;
	struct vm *vm;

	if (c->error[0]) {
		report_vm_refused(c->name, c->error);
		failed_count++;
		return;
	}
	vm = pages_alloc(page_count(sizeof(*vm)));
	if (vm)
		vm->config = *c;
	if (!vm || !vm_build(vm, bi, host, why)) {
		vm_discard(vm);
		report_vm_refused(c->name, why);
		failed_count++;
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = vm;
	running_count++;
	vm_start(vm);
}

/* Nothing is left to run. */
static _Noreturn void end(void)
{
	report_end(first_vm, failed_count);
	power_end(failed_count ? 1 : 0);
}

/* The modules as vm_config.c reads them. NULL: there are none. */
static struct vm_config *read_configs(const struct boot_info *bi, u32 *count)
{
	static struct vm_config_module module[BOOT_MODULE_MAX];
	const struct host_options *o       = host_options();
	struct vm_config_defaults defaults = {
		.reserve = !strcmp(o->fpu, "reserve"),
	};
	struct vm_config *config =
		pages_alloc(page_count(bi->module_count * sizeof(*config)));

	*count = 0;
	if (!config && bi->module_count)
		refuse("no memory for the options of %u modules",
		       bi->module_count);
	if (!config)
		return NULL;
	xfd_policy_parse(o->xfd, &defaults.policy);
	for (u32 i = 0; i < bi->module_count; i++)
		module[i] = (struct vm_config_module){
			.cmdline = bi->module[i].cmdline,
			.bytes   = bi->module[i].end - bi->module[i].start,
		};
	*count = vm_config_parse(module, bi->module_count, &defaults, config);
	return config;
}

/* AMX is shown whole, with XFD, or not at all. */
static void judge_amx(const struct cpuid_host *host, struct vm_config *config,
		      u32 count)
{
	const u64 amx = fpu_machine_xcr0() & XSTATE_AMX;

	if (cpuid_has_amx(host) && amx == XSTATE_AMX)
		return;
	if (amx)
		log_warn("this machine's AMX is not complete (no XFD?); no VM "
			 "sees AMX");
	for (u32 i = 0; i < count; i++)
		config[i].amx = false;
}

void vm_create_all(const struct boot_info *bi)
{
	static struct cpuid_host host;
	u32 count;

	report_boot(bi);
	cpuid_read_host(&host);

	struct vm_config *config = read_configs(bi, &count);

	if (config)
		judge_amx(&host, config, count);
	for (u32 i = 0; i < count; i++)
		start(&config[i], bi, &host);
	if (config)
		pages_free(config,
			   page_count(bi->module_count * sizeof(*config)));
	if (first_vm)
		return;
	log_error("there is no VM to run: %s",
		  bi->module_count
			  ? "none of the modules could be started"
			  : "the loader gave no module (module2 FILE vm=NAME)");
	failed_count += !failed_count;
	end();
}

void vm_ended(const struct vm *vm)
{
	if (vm->code != VM_CODE_SUCCESS)
		__atomic_fetch_add(&failed_count, 1, __ATOMIC_RELAXED);
	if (__atomic_sub_fetch(&running_count, 1, __ATOMIC_ACQ_REL) == 0)
		end();
}

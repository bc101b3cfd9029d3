/* SPDX-License-Identifier: MIT */
/* From the boot modules to running VMs, and from those to the end. */
#include "guest/vm.h"

#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/power.h"
#include "boot/lib/string.h"
#include "fpu/xcr.h"
#include "guest/acpi_tables.h"
#include "guest/image.h"
#include "guest/report.h"
#include "vmx/caps.h"
#include "vmx/policy.h"
#include "vmx/sched.h"

#define WHY_SIZE 200

#define RESET_VECTOR 16 /* bytes below 1 MiB and 4 GiB */

/* Every VM that was created, stopped or not. Start-up appends. */
static struct vm *first_vm;

/* Those that did not start or did not end with VM_CODE_SUCCESS. Atomic. */
static u32 failed_count;

/* Those that have not been reported as stopped. Atomic. */
static u32 running_count;

/* Components that a guest may have: those whose CPUID bits we know. */
#define XCR0_KNOWN                                                             \
	(XSTATE_X87 | XSTATE_SSE | XSTATE_AVX | XSTATE_AVX512 | XSTATE_PKRU |  \
	 XSTATE_AMX)

struct vm *vm_first(void)
{
	return first_vm;
}

static u64 page_count(u64 bytes)
{
	return align_up(bytes, PAGE_SIZE) / PAGE_SIZE;
}

static void *table_page(void *context)
{
	(void)context;
	return pages_alloc(1);
}

static void table_page_free(void *context, void *page)
{
	(void)context;
	pages_free(page, 1);
}

/* All RAM at creation, write-back. Hypervisor pages are in no EPT. */
static bool map_memory(struct vm *vm)
{
	const struct ept_source source = { table_page, table_page_free, NULL };

	if (!ept_init(&vm->ept, source, vmx_caps.ept_2m, vmx_caps.ept_1g))
		return false;
	for (u32 i = 0; i < vm->memory.run_count; i++) {
		const struct memory_run *r = &vm->memory.run[i];

		if (!ept_map(&vm->ept, gpa(r->start), ptr_hpa(r->host),
			     r->bytes, EPT_READ | EPT_WRITE | EPT_EXEC, MEM_WB))
			return false;
	}
	return true;
}

/* What this VM may have of the extended state; CPUID says the same. */
static struct fpu_config fpu_config(struct vm *vm)
{
	const struct vm_config *c = &vm->config;
	u64 xcr0                  = fpu_machine_xcr0() & XCR0_KNOWN;

	if (!c->amx)
		xcr0 &= ~XSTATE_AMX;
	xcr0 = xcr0_legal_subset(xcr0);
	return (struct fpu_config){
		.policy       = c->policy,
		.reserve      = c->reserve,
		.xcr0_allowed = xcr0,
		.xss_allowed  = 0,
		.xfd_allowed  = fpu_machine_xfd_mask() & xcr0,
		.account      = &vm->account,
	};
}

static void make_cpuid(struct vm *vm, const struct cpuid_host *host)
{
	const struct fpu_config f        = fpu_config(vm);
	const struct cpuid_config config = {
		.vcpu_count  = vm->config.vcpu_count,
		.amx         = vm->config.amx,
		.xcr0        = f.xcr0_allowed,
		.xss         = f.xss_allowed,
		.xfd         = f.xfd_allowed,
		.xsave_bytes = fpu_size_for(f.xcr0_allowed, false),
		.xsaves      = vmx_caps.xsaves,
		.rdtscp      = vmx_caps.rdtscp,
		.tsc_hz      = tsc_hz(),
	};
	struct cpuid_regs r;

	cpuid_build(&vm->cpuid, host, &config);
	cpuid_find(&vm->cpuid, 0x80000008, 0, &r);
	vm->phys_bits = r.eax & 0xff;
}

/* All CPUs. False: no memory. */
static bool choose_cpus(struct vm *vm)
{
	vm->cpus = pages_alloc(page_count(cpu_count * sizeof(*vm->cpus)));
	if (!vm->cpus)
		return false;
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		vm->cpus[vm->cpus_count++] = cpu;
	return true;
}

/*
 * The microcode revision of this machine, by the SDM's recipe: kernels decide
 * by it whether an erratum is theirs.
 */
static u64 microcode_revision(void)
{
	u64 value;

	wrmsr_safe(MSR_IA32_BIOS_SIGN_ID, 0);
	cpuid(1, 0);
	rdmsr_safe(MSR_IA32_BIOS_SIGN_ID, &value);
	return value;
}

static bool make_vcpus(struct vm *vm)
{
	const u32 n         = vm->config.vcpu_count;
	const u64 microcode = microcode_revision();

	vm->account.limit_bytes = vm->config.areas_bytes;
	vm->vcpu   = pages_alloc(page_count(n * sizeof(*vm->vcpu)));
	vm->device = pages_alloc(page_count(n * sizeof(*vm->device)));
	if (!vm->vcpu || !vm->device || !choose_cpus(vm))
		return false;
	for (u32 i = 0; i < n; i++) {
		const struct vcpu_config config = {
			.vm         = vm,
			.vm_name    = vm->config.name,
			.index      = i,
			.cpus       = vm->cpus,
			.cpus_count = vm->cpus_count,
			.ept        = &vm->ept,
			.calls      = vm->config.calls,
			.device     = &vm->device[i],
			.fpu        = fpu_config(vm),
		};

		vlapic_reset(&vm->device[i].lapic, i, vm->cpuid.tsc_per_tick);
		if (i == 0)
			vlapic_virtual_wire(&vm->device[i].lapic);
		msr_reset(&vm->device[i].msr, microcode);
		if (!vcpu_create(&vm->vcpu[i], &config))
			return false;
		vm->vcpu_made = i + 1;
	}
	return true;
}

/* Why its vCPU number vcpu_made could not be made. */
static void say_no_vcpu(const struct vm *vm, char *why)
{
	const struct area_shortage none = { 0 };
	const struct area_shortage *s   = &none;

	if (vm->vcpu && vm->device)
		s = &vm->vcpu[vm->vcpu_made].fpu.short_of;
	tv_snprintf(why, WHY_SIZE,
		    "%s vCPU %u: %llu bytes are needed, %llu are there",
		    s->by_limit     ? "areas= leaves no room for the area of"
		    : s->need_bytes ? "no memory for the area of"
				    : "no memory for",
		    vm->vcpu_made, (unsigned long long)s->need_bytes,
		    (unsigned long long)s->have_bytes);
}

/* Memory, tables and vCPUs go back; the rest stays for the report. */
static void release(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_made; i++)
		vcpu_destroy(&vm->vcpu[i]);
	if (vm->ept.root)
		ept_fini(&vm->ept);
	memory_destroy(&vm->memory);
}

/* A VM that did not come to be; it may be NULL. */
static void discard(struct vm *vm)
{
	const u64 n = vm ? vm->config.vcpu_count : 0;

	if (!vm)
		return;
	release(vm);
	pages_free(vm->vcpu, page_count(n * sizeof(*vm->vcpu)));
	pages_free(vm->device, page_count(n * sizeof(*vm->device)));
	pages_free(vm->cpus, page_count(cpu_count * sizeof(*vm->cpus)));
	pages_free(vm, page_count(sizeof(*vm)));
}

/*
 * What firmware leaves at the top of the first MiB: ACPI tables, and at the
 * reset vector, which is also just below 4 GiB, a reset. Kernels jump there
 * when they know no better way.
 */
static bool put_firmware(struct vm *vm)
{
	/* clang-format off */
	static const u8 reset[] = {
		0xb0, ACPI_RESET_VALUE,           /* mov al, 6 */
		0xba, ACPI_RESET_PORT & 0xff,     /* mov dx, 0cf9h */
		      ACPI_RESET_PORT >> 8,
		0xee,                             /* out dx, al */
		0xf4, 0xeb, 0xfd,                 /* hlt, for ever */
	};
	/* clang-format on */
	u8 *at = memory_host(&vm->memory, gpa(MEMORY_BIOS), MIB - MEMORY_BIOS);

	if (!at || !acpi_tables_build(at, (u32)(MIB - MEMORY_BIOS - PAGE_SIZE),
				      MEMORY_BIOS, vm->config.vcpu_count))
		return false;
	at += MIB - MEMORY_BIOS - PAGE_SIZE;
	memcpy(at + PAGE_SIZE - RESET_VECTOR, reset, sizeof(reset));
	return ept_map(&vm->ept, gpa(4 * GIB - PAGE_SIZE), ptr_hpa(at),
		       PAGE_SIZE, EPT_READ | EPT_EXEC, MEM_WB);
}

static struct image_file module_file(const struct boot_info *bi, u32 i,
				     const char *cmdline)
{
	const struct boot_module *m = &bi->module[i];

	return (struct image_file){
		.data    = hpa_ptr(hpa(m->start)),
		.bytes   = m->end - m->start,
		.cmdline = cmdline,
	};
}

/* The image into memory, the first vCPU to its entry. */
static bool load(struct vm *vm, const struct boot_info *bi, char *why)
{
	const struct vm_config *c     = &vm->config;
	const struct image_file image = module_file(bi, c->image, c->cmdline);
	struct image_file initrd[VM_INITRD_MAX];

	for (u32 i = 0; i < c->initrd_count; i++)
		initrd[i] = module_file(bi, c->initrd[i], c->initrd_cmdline[i]);
	vm->image = image_load(&vm->memory, &vm->vcpu[0], &image, initrd,
			       c->initrd_count, why, WHY_SIZE);
	return vm->image;
}

static bool create(struct vm *vm, const struct boot_info *bi,
		   const struct cpuid_host *host, char *why)
{
	const struct vm_config *c = &vm->config;

	console_init(&vm->console, c->name,
		     !strcmp(host_options()->console_raw, c->name));
	vuart_reset(&vm->uart);
	vioapic_reset(&vm->ioapic);
	vpic_reset(&vm->pic);
	make_cpuid(vm, host);
	if (!memory_create(&vm->memory, c->memory_bytes)) {
		tv_snprintf(why, WHY_SIZE, "mem= wants %llu KiB, %llu are free",
			    (unsigned long long)(c->memory_bytes / KIB),
			    (unsigned long long)(pages_free_count() *
						 PAGE_SIZE / KIB));
		return false;
	}
	if (!map_memory(vm) || !put_firmware(vm)) {
		tv_snprintf(why, WHY_SIZE, "no memory for its page tables");
		return false;
	}
	if (!make_vcpus(vm)) {
		say_no_vcpu(vm, why);
		return false;
	}
	return load(vm, bi, why);
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
	if (!vm || !create(vm, bi, host, why)) {
		report_vm_refused(c->name, why);
		failed_count++;
		discard(vm);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last       = vm;
	vm->present = c->vcpu_count;
	running_count++;
	report_vm_start(vm);
	sched_add(&vm->vcpu[0]);
}

/* Nothing is left to run. */
static _Noreturn void end(void)
{
	report_end(first_vm, failed_count);
	power_end(failed_count ? 1 : 0);
}

/* The modules as vm_config.c reads them. NULL: no memory, or no modules. */
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

void vm_stop(struct vm *vm, const char *reason, int code)
{
	if (__atomic_exchange_n(&vm->stopped, true, __ATOMIC_ACQ_REL))
		return;
	vm->code = code;
	tv_snprintf(vm->reason, sizeof(vm->reason), "%s", reason);
	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		vcpu_remove(&vm->vcpu[i]);
}

/* The last vCPU has left: nobody touches VM any more but us. */
static void finish(struct vm *vm)
{
	console_flush(&vm->console);
	report_vm_stop(vm);
	if (vm->code != VM_CODE_SUCCESS)
		__atomic_fetch_add(&failed_count, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		vm->device[i].area_bytes = fpu_area_bytes(&vm->vcpu[i].fpu);
	release(vm);
	log_debug("%s is gone; %llu KiB are free", vm->config.name,
		  (unsigned long long)(pages_free_count() * PAGE_SIZE / KIB));
	if (__atomic_sub_fetch(&running_count, 1, __ATOMIC_ACQ_REL) == 0)
		end();
}

void policy_left(struct vcpu *v)
{
	if (__atomic_sub_fetch(&v->vm->present, 1, __ATOMIC_ACQ_REL) == 0)
		finish(v->vm);
}

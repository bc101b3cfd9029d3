/* SPDX-License-Identifier: MIT */
/*
 * What a VM is made of: memory and its page tables, vCPUs, devices, firmware's
 * leavings and its image; the first time, and again after RESET. Starts and
 * stops nothing.
 */
#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/percpu.h"
#include "boot/lib/string.h"
#include "fpu/xcr.h"
#include "guest/acpi_tables.h"
#include "guest/image.h"
#include "guest/vm_parts.h"
#include "vmx/apicv.h"
#include "vmx/caps.h"

#define RESET_VECTOR 16 /* bytes below 1 MiB and 4 GiB */

/* Components that a guest may have: those whose CPUID bits we know. */
#define XCR0_KNOWN                                                             \
	(XSTATE_X87 | XSTATE_SSE | XSTATE_AVX | XSTATE_AVX512 | XSTATE_PKRU |  \
	 XSTATE_AMX)

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
	vm->ept.duty.done =
		pages_alloc(page_count(cpu_count * sizeof(*vm->ept.duty.done)));
	if (!vm->ept.duty.done)
		return false;
	vm->ept.duty.cpu_count = cpu_count;
	for (u32 i = 0; i < vm->memory.run_count; i++) {
		const struct memory_run *r = &vm->memory.run[i];

		if (!ept_map(&vm->ept, gpa(r->start), ptr_hpa(r->host),
			     r->bytes, EPT_READ | EPT_WRITE | EPT_EXEC, MEM_WB))
			return false;
	}
	return true;
}

struct fpu_config vm_fpu_config(struct vm *vm)
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
	const struct fpu_config f        = vm_fpu_config(vm);
	const struct cpuid_config config = {
		.vcpu_count  = vm->config.vcpu_count,
		.amx         = vm->config.amx,
		.hypervisor  = vm->config.hypervisor,
		.calls       = vm->config.calls,
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

/* False: no memory. What cpus= names has been found to exist. */
static bool choose_cpus(struct vm *vm)
{
	vm->cpus = pages_alloc(page_count(cpu_count * sizeof(*vm->cpus)));
	if (!vm->cpus)
		return false;
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		if (vm_config_allows(&vm->config, cpu->index))
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
	const u32 n = vm->config.vcpu_count;

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
			.fpu        = vm_fpu_config(vm),
		};

		if (!vcpu_create(&vm->vcpu[i], &config))
			return false;
		vm->vcpu_made = i + 1;
	}
	return true;
}

/* Why its vCPU number vcpu_made could not be made. */
static void say_no_vcpu(const struct vm *vm, char *why)
{
	const struct area_shortage *s;

	if (!vm->vcpu || !vm->device || !vm->cpus) {
		tv_snprintf(why, WHY_SIZE, "no memory for its %u vCPUs",
			    vm->config.vcpu_count);
		return;
	}
	s = &vm->vcpu[vm->vcpu_made].fpu.short_of;
	if (!s->need_bytes) {
		tv_snprintf(why, WHY_SIZE, "no memory for the VMCS of vCPU %u",
			    vm->vcpu_made);
		return;
	}
	tv_snprintf(why, WHY_SIZE,
		    "%s vCPU %u: %llu bytes are needed, %llu are there",
		    s->by_limit ? "areas= leaves no room for the area of"
				: "no memory for the area of",
		    vm->vcpu_made, (unsigned long long)s->need_bytes,
		    (unsigned long long)s->have_bytes);
}

void vm_release(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_made; i++)
		vcpu_destroy(&vm->vcpu[i]);
	if (vm->ept.root)
		ept_fini(&vm->ept);
	pages_free(vm->ept.duty.done,
		   page_count(cpu_count * sizeof(*vm->ept.duty.done)));
	vm->ept.duty.done = NULL;
	memory_destroy(&vm->memory);
}

void vm_discard(struct vm *vm)
{
	const u64 n = vm ? vm->config.vcpu_count : 0;

	if (!vm)
		return;
	vm_release(vm);
	pages_free(vm->vcpu, page_count(n * sizeof(*vm->vcpu)));
	pages_free(vm->device, page_count(n * sizeof(*vm->device)));
	pages_free(vm->cpus, page_count(cpu_count * sizeof(*vm->cpus)));
	pages_free(vm, page_count(sizeof(*vm)));
}

/*
 * What firmware leaves at the top of the first MiB: ACPI tables, and at the
 * reset vector, which is also just below 4 GiB, a reset. Kernels jump there
 * when they know no better way. False: not enough memory for it.
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

	if (!at ||
	    !acpi_tables_build(at, (u32)(MIB - MEMORY_BIOS - PAGE_SIZE),
			       MEMORY_BIOS, vm->config.vcpu_count, acpi_dsdt,
			       (u32)(acpi_dsdt_end - acpi_dsdt)))
		return false;
	memcpy(at + MIB - MEMORY_BIOS - RESET_VECTOR, reset, sizeof(reset));
	return true;
}

/* The page with the reset vector, where a CPU looks for it. */
static bool map_firmware(struct vm *vm)
{
	const gpa_t low = gpa(MIB - PAGE_SIZE);
	void *const at  = memory_host(&vm->memory, low, PAGE_SIZE);

	return at && ept_map(&vm->ept, gpa(4 * GIB - PAGE_SIZE), ptr_hpa(at),
			     PAGE_SIZE, EPT_READ | EPT_EXEC, MEM_WB);
}

/* All devices as RESET and the firmware leave them. */
static void reset_devices(struct vm *vm)
{
	const u64 microcode = microcode_revision();

	vuart_reset(&vm->uart);
	vioapic_reset(&vm->ioapic);
	vpic_reset(&vm->pic);
	vm->rtc = (struct vrtc){ 0 };
	for (u32 i = 0; i < vm->config.vcpu_count; i++) {
		struct vm_vcpu *d = &vm->device[i];

		vlapic_reset(&d->lapic, i, vm->cpuid.tsc_per_tick);
		msr_reset(&d->msr, microcode);
	}
	vlapic_virtual_wire(&vm->device[0].lapic);
}

/*
 * Where the CPU can take accesses to the local APIC for such, they must lead
 * to one page; without memory for its tables they exit.
 */
static void map_apic_page(struct vm *vm)
{
	vm->apic_page = vmx_caps.apicv &&
			ept_map(&vm->ept, gpa(VLAPIC_BASE), apicv_access_page(),
				PAGE_SIZE, EPT_READ | EPT_WRITE, MEM_WB);
	if (vmx_caps.apicv && !vm->apic_page)
		log_warn("%s: no memory to map the APIC-access page; all "
			 "accesses to its local APIC exit",
			 vm->config.name);
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
static bool load(struct vm *vm, char *why)
{
	const struct vm_config *c = &vm->config;
	const struct image_file image =
		module_file(vm->boot, c->image, c->cmdline);
	struct image_file initrd[VM_INITRD_MAX];

	for (u32 i = 0; i < c->initrd_count; i++)
		initrd[i] = module_file(vm->boot, c->initrd[i],
					c->initrd_cmdline[i]);
	vm->image = image_load(&vm->memory, &vm->vcpu[0], &image, initrd,
			       c->initrd_count, why, WHY_SIZE);
	return vm->image;
}

bool vm_build(struct vm *vm, const struct boot_info *bi,
	      const struct cpuid_host *host, char *why)
{
	const struct vm_config *c = &vm->config;

	vm->boot = bi;
	console_init(&vm->console, c->name);
	make_cpuid(vm, host);
	if (c->cpus && c->cpu_last >= cpu_count) {
		tv_snprintf(why, WHY_SIZE,
			    "cpus= names CPU %u; CPUs 0 to %u are there",
			    c->cpu_last, cpu_count - 1);
		return false;
	}
	if (!memory_create(&vm->memory, c->memory_bytes)) {
		tv_snprintf(why, WHY_SIZE, "mem= wants %llu KiB, %llu are free",
			    (unsigned long long)(c->memory_bytes / KIB),
			    (unsigned long long)(pages_free_count() *
						 PAGE_SIZE / KIB));
		return false;
	}
	if (!map_memory(vm) || !map_firmware(vm) || !put_firmware(vm)) {
		tv_snprintf(why, WHY_SIZE, "no memory for its page tables");
		return false;
	}
	if (!make_vcpus(vm)) {
		say_no_vcpu(vm, why);
		return false;
	}
	reset_devices(vm);
	map_apic_page(vm);
	return load(vm, why);
}

bool vm_rebuild(struct vm *vm, char *why)
{
	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		vcpu_reset(&vm->vcpu[i]);
	spin_lock(&vm->lock);
	reset_devices(vm);
	map_apic_page(vm);
	spin_unlock(&vm->lock);
	if (!put_firmware(vm)) {
		tv_snprintf(why, WHY_SIZE, "no room for its ACPI tables");
		return false;
	}
	return load(vm, why);
}

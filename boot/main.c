/* SPDX-License-Identifier: MIT */
/*
 * The list of everything that is set up, in order: once for the machine, then
 * on every CPU. The one file that may know every module.
 */
#include "boot/main.h"

#include "boot/acpi.h"
#include "boot/acpi_check.h"
#include "boot/cpu.h"
#include "boot/ioapic.h"
#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/panic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/serial.h"
#include "boot/lib/string.h"
#include "boot/lib/symbols.h"
#include "boot/lib/x86.h"
#include "boot/machine_test.h"
#include "boot/memory.h"
#include "boot/mitigation.h"
#include "boot/selftest.h"
#include "boot/smp.h"
#include "fpu/fpu.h"
#include "guest/terminal.h"
#include "guest/machine_report.h"
#include "guest/vm.h"
#include "vmx/runloop.h"
#include "vmx/sched.h"
#include "vmx/vmxon.h"

#define ACPI_COMPLAINTS_MAX 16 /* a machine with more has made its point */

/* The console speaks, or says why the command line was not understood. */
static void host_console_init(const struct boot_info *bi)
{
	const struct acpi_window low = ACPI_FIRST_WINDOW;
	const struct host_options *o = host_options();
	u16 port;
	u32 baud;
	char why[240];
	const bool understood = host_options_set(bi->cmdline, why, sizeof(why));

	if (!o->console_given && bi->rsdp &&
	    acpi_console(&low, bi->rsdp_copy, &port, &baud))
		serial_init(port, baud);
	else
		serial_init(o->port, o->baud);
	log_set_level(o->log);
	if (!understood)
		refuse("%s", why);
}

/* Whatever firmware got wrong is named, and survived. */
static void acpi_criticize(const struct boot_info *bi)
{
	const struct acpi_window low = ACPI_FIRST_WINDOW;
	char text[200];

	if (!bi->rsdp)
		return;
	for (u32 i = 0; i < ACPI_COMPLAINTS_MAX; i++) {
		if (!acpi_complaint(&low, bi->rsdp_copy, i, text, sizeof(text)))
			return;
		log_warn("ACPI: %s", text);
	}
}

/* ACPI's tables lie anywhere: read while the first page tables map them all. */
static void power_init(const struct boot_info *bi)
{
	const struct acpi_window low = ACPI_FIRST_WINDOW;
	struct power_acpi how;
	u16 port;
	u8 value;

	if (bi->rsdp && acpi_reset(&low, bi->rsdp_copy, &port, &value))
		power_set_reset(port, value);
	if (!bi->rsdp || !acpi_power(&low, bi->rsdp_copy, &how)) {
		log_debug("ACPI does not say how to power off");
		return;
	}
	log_debug("ACPI: PM1 control at %#x and %#x, S5 is %u, %u", how.pm1a,
		  how.pm1b, how.slp_typa, how.slp_typb);
	power_set_acpi(&how);
}

/* Who runs on what. guest/ prints the same and more as the event `boot`. */
static void announce(const struct boot_info *bi)
{
	char brand[49] = "";
	u64 ram        = 0;

	for (u32 i = 0; i < bi->region_count; i++)
		if (bi->region[i].kind == BOOT_REGION_RAM)
			ram += bi->region[i].end - bi->region[i].start;
	if (cpuid(0x80000000, 0).eax >= 0x80000004)
		for (u32 i = 0; i < 3; i++) {
			const struct cpuid_regs r = cpuid(0x80000002 + i, 0);

			memcpy(brand + 16 * i, &r, 16);
		}
	log_info("Tilevisor, build %s, started by %s", build_id,
		 *bi->loader ? bi->loader : "a loader without a name");
	log_info("machine: %s, %lu MiB of RAM, TSC %lu kHz by %s", brand,
		 ram >> 20, tsc_hz() / 1000, tsc_source());
	mitigation_report();
}

/* What the emulators got wrong before, and hardware never should. */
static void self_check(void)
{
	if (TV_DEBUG && !fpu_selftest())
		refuse("this CPU does not save and restore extended state as "
		       "the manual says; see the line above");
}

/* What every CPU does for itself; cpu_main() also asks whether it may. */
static void cpu_up(void)
{
	cpu_init_cpu();        /* gs, TSS, control registers, local APIC */
	mitigation_init_cpu(); /* IA32_SPEC_CTRL for good */
	fpu_init_cpu();        /* known XCR0 and XSS; XFD and XFD_ERR 0 */
	vmx_init_cpu();        /* FEATURE_CONTROL, CR4.VMXE, VMXON */
}

/* For whoever writes a bug report. */
static void report(const struct boot_info *bi)
{
	if (host_options()->report)
		machine_report(bi);
}

/* Runs on every other CPU. */
void cpu_main(void)
{
	const char *why = cpu_differs();

	cpu_init_cpu();
	mitigation_init_cpu();
	fpu_init_cpu();
	why = why ? why : vmx_differs();
	if (!why)
		vmx_init_cpu();
	smp_wait(why); /* until the VMs are made; for ever if it differs */
	runloop();
}

/* Runs once, on the boot CPU. */
void boot_main(const struct boot_info *bi)
{
	host_console_init(bi);   /* first: everything below can now speak */
	cpu_init();              /* GDT, IDT; required CPU features */
	clock_init();            /* how fast the TSC counts */
	announce(bi);            /* the machine and the build */
	acpi_criticize(bi);      /* what is wrong with its tables */
	power_init(bi);          /* how this machine switches itself off */
	pages_init(bi);          /* free memory, in pages */
	smp_init(bi);            /* MADT: a block for every CPU */
	ioapic_find_console(bi); /* MADT: where its interrupt comes in */
	machine_test_acpi(bi);   /* if asked for, while all tables are mapped */
	paging_init(bi);         /* our own page tables: W^X, guard pages */
	fpu_init();              /* CPUID.0DH: components, sizes, host XCR0 */
	vmx_init();              /* capability MSRs: read and judged once */
	cpu_prepare(this_cpu());
	cpu_up();     /* VMCSs are made in VMX operation */
	self_check(); /* debug builds: is the machine as we believe? */
	ioapic_listen_to_console(); /* input by interrupt */
	smp_start(bi);     /* the other CPUs come to cpu_main() and wait */
	machine_test(bi);  /* if asked for: what can be tested so far */
	report(bi);        /* if asked for: everything about the machine */
	selftest();        /* fail on purpose, if asked to */
	vmx_require();     /* from here on nothing goes without VMX */
	sched_init();      /* a run queue in each CPU's block */
	vm_create_all(bi); /* the VMs and their vCPUs, queued to run */
	terminal_init();   /* who gets what is typed */
	smp_release();     /* everybody */
	runloop();         /* pick, switch, run; for ever */
}

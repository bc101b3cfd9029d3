/* SPDX-License-Identifier: MIT */
/*
 * One function for each part: it prints its lines and adds its members to the
 * event. What does not fit into the event is counted there.
 */
#include "guest/machine_report.h"

#include "boot/lib/clock.h"
#include "boot/lib/lapic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/physaddr.h"
#include "boot/lib/serial.h"
#include "boot/lib/string.h"
#include "boot/lib/symbols.h"
#include "boot/lib/x86.h"
#include "fpu/fpu.h"
#include "guest/report.h"
#include "vmx/caps.h"
#include "vmx/vmxon.h"

#define EVENT_MAX  3900 /* log_event()'s 4000, less what closes it */
#define MAP_SPARE  400  /* of these, for what comes behind the memory map */
#define LINE_BYTES 900
#define NAME_BYTES 13

#define CPUID_1_ECX_XSAVE      BIT(26)
#define CPUID_1_ECX_HYPERVISOR BIT(31)
#define CPUID_1_ECX_X2APIC     BIT(21)
#define CPUID_INVARIANT_TSC    BIT(8)
#define MISC_EFER_LMA          BIT(5)

/* Text that grows; what does not fit any more is dropped as a whole. */
struct text {
	char *to;
	size_t size, used;
};

PRINTF_LIKE(2, 3) static bool add(struct text *t, const char *fmt, ...)
{
	const size_t room = t->size - t->used;
	va_list ap;

	va_start(ap, fmt);
	const size_t n = (size_t)tv_vsnprintf(t->to + t->used, room, fmt, ap);
	va_end(ap);
	if (n >= room) {
		t->to[t->used] = '\0';
		return false;
	}
	t->used += n;
	return true;
}

static const char *truth(bool b)
{
	return b ? "true" : "false";
}

/* Three registers of CPUID as a name. */
static void copy_name(char name[NAME_BYTES], u32 a, u32 b, u32 c)
{
	memcpy(name, &a, 4);
	memcpy(name + 4, &b, 4);
	memcpy(name + 8, &c, 4);
	name[NAME_BYTES - 1] = '\0';
}

static void report_cpu(struct text *event)
{
	const struct cpuid_regs zero = cpuid(0, 0), one = cpuid(1, 0);
	char vendor[NAME_BYTES], below[NAME_BYTES]      = "none";
	char clean[2 * NAME_BYTES], clean_below[2 * NAME_BYTES];
	struct physaddr p;
	u64 microcode;

	copy_name(vendor, zero.ebx, zero.edx, zero.ecx);
	if (one.ecx & CPUID_1_ECX_HYPERVISOR) {
		const struct cpuid_regs h = cpuid(0x40000000, 0);

		copy_name(below, h.ebx, h.ecx, h.edx);
	}
	/* SDM vol. 3, "Determining the Signature": write 0, CPUID.1, read. */
	wrmsr_safe(MSR_IA32_BIOS_SIGN_ID, 0);
	cpuid(1, 0);
	rdmsr_safe(MSR_IA32_BIOS_SIGN_ID, &microcode);
	physaddr_read(&p);
	log_info("report: build %s; CPU %s, signature %#x, microcode %#x, "
		 "hypervisor below: %s",
		 build_id, report_json(clean, sizeof(clean), vendor), one.eax,
		 hi32(microcode),
		 report_json(clean_below, sizeof(clean_below), below));
	log_info("report: CPUID up to %#x and %#x; addresses of %u bits, %u of "
		 "them for keys; TSC %lu Hz by %s, %sinvariant",
		 zero.eax, cpuid(0x80000000, 0).eax,
		 physaddr_bits(&p) + physaddr_key_bits(&p),
		 physaddr_key_bits(&p), tsc_hz(), tsc_source(),
		 cpuid(0x80000007, 0).edx & CPUID_INVARIANT_TSC ? "" : "not ");
	add(event,
	    "\"event\":\"report\",\"build\":\"%s\",\"vendor\":\"%s\","
	    "\"signature\":\"%#x\",\"microcode\":\"%#x\",\"below\":\"%s\","
	    "\"physical_bits\":%u,\"key_bits\":%u,\"tsc_hz\":%lu",
	    build_id, clean, one.eax, hi32(microcode), clean_below,
	    physaddr_bits(&p), physaddr_key_bits(&p), tsc_hz());
}

static void report_cpus(struct text *event)
{
	static char line[LINE_BYTES];
	struct text t = { line, sizeof(line), 0 };
	u32 left_out  = 0;

	for (const struct percpu *c = cpu_first; c; c = c->next)
		if (!add(&t, "%s%u", c == cpu_first ? "" : " ", c->apic_id))
			left_out++;
	log_info("report: %u CPUs, APIC ids %s%s, %s; %lu NMIs on the first",
		 cpu_count, line, left_out ? " ..." : "", lapic_mode(),
		 cpu_first->nmis);
	add(event, ",\"cpus\":%u,\"apic_ids\":\"%s\",\"apic\":\"%s\"",
	    cpu_count, left_out || t.used > 200 ? "many" : line, lapic_mode());
}

/* The names of the controls that are there, or that are not. */
static void list_controls(struct text *t, bool available, const char *quote,
			  const char *between)
{
	struct caps_control c;
	bool first = true;

	for (unsigned int i = 0; caps_control(vmx_machine(), i, &c); i++) {
		if (c.available != available)
			continue;
		add(t, "%s%s%s%s", first ? "" : between, quote, c.name, quote);
		first = false;
	}
}

static void report_vmx(struct text *event)
{
	const struct vmx_msrs *m = vmx_machine();
	static char has[LINE_BYTES], lacks[LINE_BYTES];
	struct text with    = { has, sizeof(has), 0 };
	struct text without = { lacks, sizeof(lacks), 0 };

	list_controls(&with, true, "", ", ");
	list_controls(&without, false, "", ", ");
	log_info("report: VMX has %s", *has ? has : "nothing");
	log_info("report: VMX lacks %s", *lacks ? lacks : "nothing of ours");
	log_info("report: VMX MSRs: feature control %#lx basic %#lx pin %#lx "
		 "cpu %#lx cpu2 %#lx exit %#lx entry %#lx misc %#lx EPT %#lx "
		 "CR0 %#lx %#lx CR4 %#lx %#lx",
		 m->feature_control, m->basic, m->pin, m->cpu, m->cpu2, m->exit,
		 m->entry, m->misc, m->ept_vpid, m->cr0_fixed0, m->cr0_fixed1,
		 m->cr4_fixed0, m->cr4_fixed1);
	add(event,
	    ",\"vmx\":{\"feature_control\":\"%#lx\",\"basic\":\"%#lx\","
	    "\"pin\":\"%#lx\",\"cpu\":\"%#lx\",\"cpu2\":\"%#lx\","
	    "\"exit\":\"%#lx\",\"entry\":\"%#lx\",\"misc\":\"%#lx\","
	    "\"ept_vpid\":\"%#lx\",\"lacks\":[",
	    m->feature_control, m->basic, m->pin, m->cpu, m->cpu2, m->exit,
	    m->entry, m->misc, m->ept_vpid);
	list_controls(event, false, "\"", ",");
	add(event, "]}");
}

static void report_xstate(struct text *event)
{
	const struct xstate_layout *l = fpu_machine_layout();
	const u64 all                 = fpu_machine_xcr0() | fpu_machine_xss();
	const u64 small               = all & ~fpu_machine_xfd_mask();
	static char line[LINE_BYTES];
	struct text t = { line, sizeof(line), 0 };

	for (unsigned int i = 2; i < XSTATE_COUNT; i++)
		if (l->size[i])
			add(&t, "%s%u%s%s %u", t.used ? ", " : "", i,
			    l->supervisor & BIT(i) ? "s" : "",
			    l->xfd & BIT(i) ? "x" : "", l->size[i]);
	log_info("report: XSAVE components and bytes (s: supervisor, x: under "
		 "XFD): %s",
		 line);
	log_info("report: XCR0 %#lx XSS %#lx XFD %#lx;%s%s%s%s%s; areas of %u "
		 "and %u bytes",
		 l->user, l->supervisor, l->xfd, l->xsaveopt ? " XSAVEOPT" : "",
		 l->xsavec ? " XSAVEC" : "", l->xgetbv1 ? " XGETBV1" : "",
		 l->xsaves ? " XSAVES" : "", l->has_xfd ? " XFD" : "",
		 fpu_size_for(small, true), fpu_size_for(all, true));
	add(event,
	    ",\"xsave\":{\"user\":\"%#lx\",\"supervisor\":\"%#lx\","
	    "\"xfd\":\"%#lx\",\"bytes\":\"%s\",\"xsavec\":%s,\"xsaves\":%s,"
	    "\"small\":%u,\"full\":%u}",
	    l->user, l->supervisor, l->xfd, line, truth(l->xsavec),
	    truth(l->xsaves), fpu_size_for(small, true),
	    fpu_size_for(all, true));
}

/* What we need, and what we are better off with. */
static void report_requirements(struct text *event)
{
	const struct caps_verdict v = vmx_verdict();
	const struct vmx_msrs *m    = vmx_machine();
	const u32 one               = cpuid(1, 0).ecx;
	const struct {
		const char *name, *text;
		bool needed, holds;
	} row[] = {
		{ "vmx", "VMX, not locked off", true,
		  v.why != REFUSE_NO_VMX && v.why != REFUSE_LOCKED_OFF },
		{ "controls", "the VMX controls without which nothing goes",
		  true, v.why == REFUSE_NOTHING },
		{ "efer", "VM exits that save IA32_EFER.LMA", true,
		  m->misc & MISC_EFER_LMA },
		{ "xsave", "XSAVE", true, one & CPUID_1_ECX_XSAVE },
		{ "xsaves", "XSAVES", false, fpu_machine_has_xsaves() },
		{ "xfd", "XFD", false, fpu_machine_has_xfd() },
		{ "amx", "AMX tiles", false,
		  fpu_machine_xcr0() & XSTATE_TILEDATA },
		{ "x2apic", "x2APIC", false, one & CPUID_1_ECX_X2APIC },
		{ "invariant_tsc", "a TSC that counts evenly", false,
		  cpuid(0x80000007, 0).edx & CPUID_INVARIANT_TSC },
	};

	add(event, ",\"requirements\":{");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		log_info("report: %s %s: %s",
			 row[i].needed ? "needed," : "wanted,", row[i].text,
			 row[i].holds ? "yes" : "no");
		add(event, "%s\"%s\":%s", i ? "," : "", row[i].name,
		    truth(row[i].holds));
	}
	add(event, "}");
}

static void report_console(struct text *event, const struct boot_info *bi)
{
	char loader[128], cmdline[400];

	report_json(loader, sizeof(loader), bi->loader);
	report_json(cmdline, sizeof(cmdline), bi->cmdline);
	log_info("report: console at port %#x; loader \"%s\"; command line "
		 "\"%s\"; %u modules",
		 serial_port(), loader, cmdline, bi->module_count);
	add(event,
	    ",\"console\":\"%#x\",\"loader\":\"%s\",\"cmdline\":\"%s\","
	    "\"modules\":%u",
	    serial_port(), loader, cmdline, bi->module_count);
}

static void report_memory(struct text *event, const struct boot_info *bi)
{
	static const char *const kind[] = {
		[BOOT_REGION_RAM]      = "RAM",
		[BOOT_REGION_ACPI]     = "ACPI",
		[BOOT_REGION_NVS]      = "NVS",
		[BOOT_REGION_RESERVED] = "reserved",
	};
	struct text map = { event->to, event->size - MAP_SPARE, event->used };
	u32 left_out    = 0;

	add(&map, ",\"memory\":[");
	for (u32 i = 0; i < bi->region_count; i++) {
		const struct boot_region *r = &bi->region[i];
		const char *name            = kind[r->kind];

		log_info("report: memory %#lx-%#lx %s", r->start, r->end, name);
		if (left_out || !add(&map, "%s[\"%#lx\",\"%#lx\",\"%s\"]",
				     i ? "," : "", r->start, r->end, name))
			left_out++;
	}
	event->used = map.used;
	add(event, "],\"regions\":%u,\"left_out\":%u", bi->region_count,
	    left_out);
}

void machine_report(const struct boot_info *bi)
{
	static char buffer[EVENT_MAX];
	struct text event = { buffer, sizeof(buffer), 0 };

	report_cpu(&event);
	report_cpus(&event);
	report_vmx(&event);
	report_xstate(&event);
	report_requirements(&event);
	report_console(&event, bi);
	report_memory(&event, bi);
	log_event("%s", buffer);
}

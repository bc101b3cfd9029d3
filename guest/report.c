/* SPDX-License-Identifier: MIT */
#include "guest/report.h"

#include "boot/lib/clock.h"
#include "boot/lib/pages.h"
#include "boot/lib/percpu.h"
#include "boot/lib/string.h"
#include "vmx/caps.h"
#include "vmx/runloop.h"

#define LL(v) ((unsigned long long)(v))

/* TSC of our first instruction, for the ticks in `end`. */
static u64 entry_tsc;

static const struct {
	u32 reason;
	const char *name;
} exit_names[] = { VMX_EXIT_REASONS };

static const char *exit_name(u32 reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(exit_names); i++)
		if (exit_names[i].reason == reason)
			return exit_names[i].name;
	return NULL;
}

const char *report_json(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + 3 < size; from++) {
		if (*from == '"' || *from == '\\')
			to[n++] = '\\';
		if (*from >= ' ')
			to[n++] = *from;
	}
	to[n] = '\0';
	return to;
}

static const char *truth(bool b)
{
	return b ? "true" : "false";
}

/* The brand string of CPUID 80000002H-80000004H. */
static void cpu_name(char name[49])
{
	for (u32 i = 0; i < 3; i++) {
		const struct cpuid_regs r = cpuid(0x80000002u + i, 0);

		memcpy(name + 16 * i, &r, 16);
	}
	name[48] = '\0';
}

void report_boot(const struct boot_info *bi)
{
	const u64 all   = fpu_machine_xcr0() | fpu_machine_xss();
	const u64 small = all & ~fpu_machine_xfd_mask();
	char name[49], loader[64], cpu[64];

	entry_tsc = bi->entry_tsc;
	cpu_name(name);
	log_event("\"event\":\"boot\",\"cpu\":\"%s\",\"cpus\":%u,"
		  "\"tsc_hz\":%llu,\"free_bytes\":%llu,\"loader\":\"%s\","
		  "\"xcr0\":\"%#llx\",\"xss\":\"%#llx\",\"xfd\":\"%#llx\","
		  "\"xsaves\":%s,\"vpid\":%s,\"timer\":%s,\"ept_1g\":%s,"
		  "\"small_bytes\":%u,\"full_bytes\":%u,\"ticks\":%llu",
		  report_json(cpu, sizeof(cpu), name), cpu_count, LL(tsc_hz()),
		  LL(pages_free_count() * PAGE_SIZE),
		  report_json(loader, sizeof(loader), bi->loader),
		  LL(fpu_machine_xcr0()), LL(fpu_machine_xss()),
		  LL(fpu_machine_xfd_mask()), truth(fpu_machine_has_xsaves()),
		  truth(vmx_caps.vpid), truth(vmx_caps.timer),
		  truth(vmx_caps.ept_1g), fpu_size_for(small, true),
		  fpu_size_for(all, true), LL(rdtsc() - entry_tsc));
}

void report_vm_start(const struct vm *vm)
{
	const struct vm_config *c = &vm->config;

	log_event("\"event\":\"vm-start\",\"vm\":\"%s\",\"image\":\"%s\","
		  "\"vcpus\":%u,\"memory\":%llu,\"policy\":\"%s\","
		  "\"fpu\":\"%s\",\"amx\":%s,\"calls\":%s,\"areas\":%llu,"
		  "\"reboot\":%u,\"hypervisor\":%s,\"free_bytes\":%llu",
		  c->name, vm->image, c->vcpu_count, LL(c->memory_bytes),
		  xfd_policy_name(c->policy), c->reserve ? "reserve" : "lazy",
		  truth(c->amx), truth(c->calls), LL(c->areas_bytes),
		  c->reboots, truth(c->hypervisor),
		  LL(pages_free_count() * PAGE_SIZE));
}

void report_vm_refused(const char *name, const char *reason)
{
	char text[300];

	log_event("\"event\":\"vm-refused\",\"vm\":\"%s\",\"reason\":\"%s\","
		  "\"free_bytes\":%llu",
		  name, report_json(text, sizeof(text), reason),
		  LL(pages_free_count() * PAGE_SIZE));
	log_warn("VM %s is not started: %s", name, reason);
}

void report_grow(const struct vcpu *v, u64 rip)
{
	const struct fpu_growth *g = &v->fpu.last_growth;

	log_event("\"event\":\"grow\",\"vm\":\"%s\",\"vcpu\":%u,"
		  "\"rip\":\"%#llx\",\"from\":%u,\"to\":%u,"
		  "\"components\":\"%#llx\",\"ticks\":%llu,"
		  "\"nm_exits\":%llu,\"xfd_exits\":%llu,\"free_bytes\":%llu",
		  v->vm->config.name, v->index, LL(rip), g->from, g->to,
		  LL(g->components), LL(rdtsc() - v->last_exit_tsc),
		  LL(v->stats.nm_exits), LL(v->stats.xfd_exits),
		  LL(pages_free_count() * PAGE_SIZE));
}

/* "NAME":value,... of the reasons that have one, VALUES by basic reason. */
static void list_exits(const u64 *values, u32 count, char *to, size_t size)
{
	size_t used = 0;

	to[0] = '\0';
	for (u32 i = 0; i < count; i++) {
		const char *name = i == VCPU_EXIT_NONE ? "none" : exit_name(i);
		char number[12];

		if (!values[i] || used >= size)
			continue;
		tv_snprintf(number, sizeof(number), "%u", i);
		used += (size_t)tv_snprintf(
			to + used, size - used, "%s\"%s\":%llu",
			used ? "," : "", name ? name : number, LL(values[i]));
	}
}

static void report_stats(const struct vcpu *v)
{
	const struct vcpu_stats *s = &v->stats;
	char exits[560];

	list_exits(s->exits, VCPU_EXIT_REASON_COUNT, exits, sizeof(exits));
	log_event("\"event\":\"stats\",\"vm\":\"%s\",\"vcpu\":%u,"
		  "\"exits_total\":%llu,\"exits\":{%s},\"nm_exits\":%llu,"
		  "\"xfd_exits\":%llu,\"guest_ticks\":%llu,"
		  "\"host_ticks\":%llu,\"growths\":%llu,\"area_bytes\":%u,"
		  "\"switches\":%llu,\"moves\":%llu,\"ibpb\":%llu,"
		  "\"bytes_saved\":%llu",
		  v->vm->config.name, v->index, LL(s->exits_total), exits,
		  LL(s->nm_exits), LL(s->xfd_exits), LL(s->guest_ticks),
		  LL(s->host_ticks), LL(fpu_growths(&v->fpu)),
		  fpu_area_bytes(&v->fpu), LL(s->switches), LL(s->moves),
		  LL(s->ibpb), LL(v->fpu.stats.bytes_saved));
}

/* Ticks in root mode by the reason they are owed to; "none": being loaded. */
__attribute__((noinline)) static void report_root_ticks(const struct vcpu *v)
{
	char ticks[700];

	list_exits(v->stats.root_ticks, VCPU_EXIT_NONE + 1, ticks,
		   sizeof(ticks));
	log_event("\"event\":\"root-ticks\",\"vm\":\"%s\",\"vcpu\":%u,"
		  "\"ticks\":{%s}",
		  v->vm->config.name, v->index, ticks);
}

void report_vm_reset(const struct vm *vm)
{
	char text[300];

	log_event("\"event\":\"vm-reset\",\"vm\":\"%s\",\"reason\":\"%s\","
		  "\"count\":%u",
		  vm->config.name, report_json(text, sizeof(text), vm->reason),
		  vm->resets);
}

void report_vm_stop(const struct vm *vm)
{
	char text[300];

	log_event("\"event\":\"vm-stop\",\"vm\":\"%s\",\"reason\":\"%s\","
		  "\"code\":%d,\"resets\":%u,\"unknown_ports\":%llu,"
		  "\"unknown_msrs\":%llu,\"free_bytes\":%llu,"
		  "\"ticks\":%llu",
		  vm->config.name, report_json(text, sizeof(text), vm->reason),
		  vm->code, vm->resets, LL(vm->ports.total), LL(vm->msrs.total),
		  LL(pages_free_count() * PAGE_SIZE), LL(rdtsc() - entry_tsc));
	for (u32 i = 0; i < vm->config.vcpu_count; i++) {
		report_stats(&vm->vcpu[i]);
		report_root_ticks(&vm->vcpu[i]);
	}
}

void report_end(const struct vm *first, u32 failed)
{
	u32 count = 0;
	u64 nmis  = 0;

	log_info("%-15s %4s %10s %6s %6s %7s %7s %9s %5s", "VM", "vCPU",
		 "exits", "#NM", "XFD", "growths", "area", "switches", "code");
	for (const struct vm *vm = first; vm; vm = vm->next, count++) {
		for (u32 i = 0; i < vm->config.vcpu_count; i++) {
			const struct vcpu *v = &vm->vcpu[i];

			log_info("%-15s %4u %10llu %6llu %6llu %7llu %7u "
				 "%9llu %5d",
				 vm->config.name, i, LL(v->stats.exits_total),
				 LL(v->stats.nm_exits), LL(v->stats.xfd_exits),
				 LL(fpu_growths(&v->fpu)),
				 vm->device[i].area_bytes,
				 LL(v->stats.switches), vm->code);
		}
	}
	for (const struct percpu *c = cpu_first; c; c = c->next) {
		nmis += c->nmis;
		if (c->nmis)
			log_warn("CPU %u took %llu NMIs", c->index,
				 LL(c->nmis));
	}
	log_debug("%llu calls of the page allocator", LL(pages_calls()));
	log_event("\"event\":\"end\",\"verdict\":\"%s\",\"vms\":%u,"
		  "\"failed\":%u,\"nmis\":%llu,"
		  "\"first_entry_ticks\":%llu,\"ticks\":%llu",
		  failed ? "failed" : "ok", count, failed, LL(nmis),
		  LL(runloop_first_entry_tsc()
			     ? runloop_first_entry_tsc() - entry_tsc
			     : 0),
		  LL(rdtsc() - entry_tsc));
}

/* SPDX-License-Identifier: MIT */
#include "guest/monitor.h"

#include "boot/lib/clock.h"
#include "boot/lib/percpu.h"
#include "boot/lib/string.h"
#include "guest/terminal.h"
#include "vmx/exit.h"
#include "vmx/vmx_cpu.h"

#define WHY_SIZE 120

#define LL(v) ((unsigned long long)(v))

static struct vm *find_vm(const char *name)
{
	struct vm *vm = vm_first();

	while (vm && strcmp(vm->config.name, name) != 0)
		vm = vm->next;
	if (!vm)
		say_line("there is no VM \"%s\"; vms lists them", name);
	return vm;
}

static struct vm *find_running(const char *name)
{
	struct vm *vm = find_vm(name);

	if (vm && vm->stopped) {
		say_line("%s has stopped (code %d)", name, vm->code);
		return NULL;
	}
	return vm;
}

static void help(void)
{
	for (u32 c = MONITOR_HELP; c < MONITOR_COMMAND_COUNT; c++) {
		const enum monitor_command command = (enum monitor_command)c;

		say_line("%-12s %s", monitor_usage(command),
			 monitor_purpose(command));
	}
}

static void vms(void)
{
	say_line("  %-15s %-10s %5s %8s %-6s %s", "VM", "image", "vCPUs", "MiB",
		 "xfd", "state");
	for (const struct vm *vm = vm_first(); vm; vm = vm->next) {
		char state[32] = "runs";

		if (vm->stopped)
			tv_snprintf(state, sizeof(state), "stopped, code %d",
				    vm->code);
		say_line("%c %-15s %-10s %5u %8llu %-6s %s",
			 vm == terminal_owner() ? '*' : ' ', vm->config.name,
			 vm->image, vm->config.vcpu_count,
			 LL(vm->config.memory_bytes / MIB),
			 xfd_policy_name(vm->config.policy), state);
	}
}

static const char *state_name(const struct vcpu *v)
{
	switch (v->state) {
	case VCPU_STOPPED:
		return "stopped";
	case VCPU_RUNNING:
		return "running";
	case VCPU_RUNNABLE:
		return "ready";
	case VCPU_WAIT_SIPI:
	case VCPU_BLOCKED:
		break;
	}
	return v->activity == VCPU_HLT ? "halted" : "waits for SIPI";
}

/* Now, or when its VM stopped. */
static u32 area_bytes(const struct vcpu *v)
{
	const u32 bytes = fpu_area_bytes(&v->fpu);

	return bytes ? bytes : vm_device(v)->area_bytes;
}

static void vcpu_line(const struct vcpu *v)
{
	const u64 growths = fpu_growths(&v->fpu);

	say_line("%-18s %3u %-14s %10llu %8llu %9llu %6u %s", v->name,
		 v->cpu->index, state_name(v), LL(v->stats.exits_total),
		 LL(v->stats.nm_exits + v->stats.xfd_exits),
		 LL(v->stats.switches), area_bytes(v),
		 growths ? "grown" : "not grown");
}

static void vcpus(void)
{
	say_line("%-18s %3s %-14s %10s %8s %9s %6s", "vCPU", "CPU", "state",
		 "exits", "#NM+XFD", "switches", "area");
	for (const struct vm *vm = vm_first(); vm; vm = vm->next)
		for (u32 i = 0; i < vm->config.vcpu_count; i++)
			vcpu_line(&vm->vcpu[i]);
}

/* While a vCPU runs with its own XFD, only its CPU knows what it holds. */
static u64 guest_xfd(const struct vcpu *v)
{
	return v == this_cpu()->current ? fpu_read_xfd(&v->fpu)
					: v->fpu.xfd.guest_xfd;
}

static void xfd_line(const struct vcpu *v)
{
	static const struct {
		enum fpu_trap trap;
		const char *name;
	} names[] = {
		{ FPU_TRAP_NM, " #NM" },
		{ FPU_TRAP_XFD_READ, " RDMSR XFD" },
		{ FPU_TRAP_XFD_WRITE, " WRMSR XFD" },
		{ FPU_TRAP_ERR_READ, " RDMSR XFD_ERR" },
		{ FPU_TRAP_ERR_WRITE, " WRMSR XFD_ERR" },
	};
	const u32 traps = fpu_traps(&v->fpu);
	char text[80]   = "";
	size_t used     = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (traps & names[i].trap)
			used += (size_t)tv_snprintf(text + used,
						    sizeof(text) - used, "%s",
						    names[i].name);
	say_line("%-18s %-6s %#8llx %#8llx %#8llx  %s", v->name,
		 xfd_policy_name(v->fpu.xfd.policy),
		 LL(fpu_guest_xcr0(&v->fpu)), LL(guest_xfd(v)),
		 LL(v->fpu.xfd.missing),
		 !fpu_guest_has_xfd(&v->fpu) ? " no XFD"
		 : used                      ? text
					     : " nothing, all is native");
}

static void xfd(void)
{
	say_line("%-18s %-6s %8s %8s %8s   %s", "vCPU", "policy", "XCR0", "XFD",
		 "missing", "exits");
	for (const struct vm *vm = vm_first(); vm; vm = vm->next)
		for (u32 i = 0; i < vm->config.vcpu_count; i++)
			xfd_line(&vm->vcpu[i]);
}

static u64 exits_of(const struct vm *vm, u32 reason)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		sum += vm->vcpu[i].stats.exits[reason];
	return sum;
}

/* ONLY: one VM, NULL: all of them. */
static void exits(const struct vm *only)
{
	u64 total = 0;

	for (u32 r = 0; r < VCPU_EXIT_REASON_COUNT; r++) {
		u64 sum = 0;

		for (const struct vm *vm = vm_first(); vm; vm = vm->next)
			if (!only || vm == only)
				sum += exits_of(vm, r);
		if (sum)
			say_line("%10llu %s", LL(sum), exit_reason_name(r));
		total += sum;
	}
	say_line("%10llu exits of %s", LL(total),
		 only ? only->config.name : "all VMs");
}

static void trace_cpu(const struct percpu *cpu, u32 count, u64 now)
{
	const struct vmx_cpu *c = cpu->vmx;
	const u64 per_us        = us_to_ticks(1);

	count = (u32)min_u64(count, TRACE_COUNT);
	for (u32 i = TRACE_COUNT - count; c && i < TRACE_COUNT; i++) {
		const struct trace_entry *t =
			&c->trace[(c->trace_next + i) % TRACE_COUNT];

		if (!t->v)
			continue;
		say_line("CPU %u %10llu us ago %-18s rip %#18llx %s",
			 cpu->index, LL((now - t->tsc) / per_us), t->v->name,
			 LL(t->rip), exit_reason_name((u16)t->reason));
	}
}

static void trace(u32 count)
{
	const u64 now = rdtsc();

	if (count > TRACE_COUNT)
		say_line("%u exits are kept for each CPU", TRACE_COUNT);
	for (const struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		trace_cpu(cpu, count, now);
}

/* The machine ends when the last vCPU has left its CPU. */
static void off(void)
{
	for (struct vm *vm = vm_first(); vm; vm = vm->next)
		vm_stop(vm, "switched off at the monitor", VM_CODE_SUCCESS);
}

/* Of a VM that runs, RUNNING. False: the monitor is left. */
static bool act(enum monitor_command command, struct vm *vm)
{
	if (!vm)
		return true;
	if (command == MONITOR_CONSOLE) {
		terminal_give(vm);
		return false;
	}
	if (command == MONITOR_RESET) {
		vm_reset(vm, "reset at the monitor");
		return true;
	}
	vm_stop(vm, "killed at the monitor", VM_CODE_STOPPED);
	return true;
}

bool monitor_execute(char *text)
{
	struct monitor_request r;
	char why[WHY_SIZE];
	struct vm *vm;

	if (!monitor_parse(text, &r, why, sizeof(why))) {
		say_line("%s", why);
		return true;
	}
	switch (r.command) {
	case MONITOR_HELP:
		help();
		break;
	case MONITOR_VMS:
		vms();
		break;
	case MONITOR_VCPUS:
		vcpus();
		break;
	case MONITOR_XFD:
		xfd();
		break;
	case MONITOR_EXITS:
		vm = r.vm[0] ? find_vm(r.vm) : NULL;
		if (vm || !r.vm[0])
			exits(vm);
		break;
	case MONITOR_TRACE:
		trace(r.number);
		break;
	case MONITOR_CONSOLE:
	case MONITOR_KILL:
	case MONITOR_RESET:
		return act(r.command, find_running(r.vm));
	case MONITOR_OFF:
		off();
		break;
	case MONITOR_QUIT:
		return false;
	case MONITOR_NOTHING:
	case MONITOR_COMMAND_COUNT:
		break;
	}
	return true;
}

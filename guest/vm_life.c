/* SPDX-License-Identifier: MIT */
/*
 * A VM's life: it starts, is reset, stops. Both of the latter begin alike, from
 * any CPU: every vCPU is called off its CPU, and whoever is last to let go of
 * the VM has it alone. From then on its first vCPU's turns are spent on it,
 * slice by slice: its memory is zeroed, and either goes back or is filled
 * again.
 */
#include "boot/lib/clock.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/print.h"
#include "guest/report.h"
#include "guest/terminal.h"
#include "guest/vm_audit.h"
#include "guest/vm_parts.h"
#include "vmx/policy.h"
#include "vmx/sched.h"

/* Zeroed between two looks at the time. */
#define SCRUB_BYTES (256 * KIB)

void vm_start(struct vm *vm)
{
	vm->present         = vm->config.vcpu_count;
	vm->reset_limit.max = vm->config.reboots;
	report_vm_start(vm);
	sched_add(&vm->vcpu[0]);
}

static void report(struct vm *vm)
{
	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		vm->device[i].area_bytes = fpu_area_bytes(&vm->vcpu[i].fpu);
	report_vm_stop(vm);
	terminal_vm_stopped(vm);
	vm_ended(vm);
}

/* Nobody but the caller can reach VM any more. */
static void take_over(struct vm *vm)
{
	spin_lock(&vm->lock); /* the terminal may be showing half a line */
	console_flush(&vm->console);
	page_move_cancel(vm);
	spin_unlock(&vm->lock);
	if (!vm->resetting)
		report(vm);
	vcpu_do_chore(&vm->vcpu[0]);
}

static void let_go(struct vm *vm)
{
	if (__atomic_sub_fetch(&vm->present, 1, __ATOMIC_ACQ_REL) == 0)
		take_over(vm);
}

/* The caller holds on to VM while it calls: a reset may be over sooner. */
static void call_off(struct vm *vm)
{
	for (u32 i = 0; i < vm->config.vcpu_count; i++)
		vcpu_remove(&vm->vcpu[i]);
	let_go(vm);
}

void policy_left(struct vcpu *v)
{
	let_go(v->vm);
}

void vm_stop(struct vm *vm, const char *reason, int code)
{
	bool runs;

	spin_lock(&vm->lock);
	if (vm->stopped) {
		spin_unlock(&vm->lock);
		return;
	}
	runs        = !vm->resetting;
	vm->stopped = true;
	vm->code    = code;
	tv_snprintf(vm->reason, sizeof(vm->reason), "%s", reason);
	if (runs)
		vm->present++;
	spin_unlock(&vm->lock);
	if (runs)
		call_off(vm);
}

void vm_reset(struct vm *vm, const char *reason)
{
	spin_lock(&vm->lock);
	if (vm->stopped || vm->resetting) {
		spin_unlock(&vm->lock);
		return;
	}
	vm->resetting = true;
	tv_snprintf(vm->reason, sizeof(vm->reason), "%s", reason);
	vm->present++;
	spin_unlock(&vm->lock);
	call_off(vm);
}

void vm_reset_by_guest(struct vm *vm, const char *reason)
{
	const u64 period = RESET_LIMIT_PERIOD_S * tsc_hz();
	char text[VM_REASON_SIZE];
	bool allowed;

	/* Two vCPUs that ask at the same time get one reset. */
	spin_lock(&vm->lock);
	allowed = vm->stopped || vm->resetting ||
		  reset_limit_take(&vm->reset_limit, rdtsc(), period);
	spin_unlock(&vm->lock);
	if (allowed) {
		vm_reset(vm, reason);
		return;
	}
	tv_snprintf(text, sizeof(text),
		    "%s, once more than reboot=%u allows in a row (%u s make "
		    "up for one)",
		    reason, vm->reset_limit.max, RESET_LIMIT_PERIOD_S);
	vm_stop(vm, text, VM_CODE_RESET);
}

/* Out of the reset. False: somebody has stopped VM meanwhile. */
static bool begin_again(struct vm *vm)
{
	char why[WHY_SIZE];
	bool stopped;

	if (!vm_rebuild(vm, why))
		vm_stop(vm, why, VM_CODE_STOPPED);
	spin_lock(&vm->lock);
	stopped       = vm->stopped;
	vm->resetting = false;
	if (!stopped) {
		vm->resets++;
		vm->present = vm->config.vcpu_count;
		report_vm_reset(vm);
		for (u32 i = vm->config.vcpu_count; i-- > 0;)
			vcpu_begin(&vm->vcpu[i]);
	}
	spin_unlock(&vm->lock);
	return !stopped;
}

bool policy_chore(struct vcpu *v)
{
	struct vm *vm = v->vm;
	const u64 end = rdtsc() + us_to_ticks(host_options()->slice_us);

	while (!memory_scrub(&vm->memory, SCRUB_BYTES))
		if (rdtsc() >= end)
			return true;
	if (vm->resetting) {
		if (begin_again(vm))
			return false;
		report(vm);
	}
	if (TV_DEBUG >= 2)
		vm_audit(vm);
	vm_release(vm);
	log_debug("%s is gone; %llu KiB are free", vm->config.name,
		  (unsigned long long)(pages_free_count() * PAGE_SIZE / KIB));
	return false;
}

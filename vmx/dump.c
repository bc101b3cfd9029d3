/* SPDX-License-Identifier: MIT */
#include "vmx/dump.h"

#include "boot/lib/panic.h"
#include "vmx/exit.h"
#include "vmx/insn.h"
#include "vmx/vmx_cpu.h"

struct field_name {
	enum vmcs_field field;
	const char *name;
};

#define FIELD_NAME(name, encoding) { VMCS_##name, #name },
static const struct field_name fields[] = {
	VMCS_EXIT_FIELDS(FIELD_NAME) VMCS_GUEST_FIELDS(FIELD_NAME)
		VMCS_CONTROL_FIELDS(FIELD_NAME) VMCS_HOST_FIELDS(FIELD_NAME)
};
#undef FIELD_NAME

void dump_vmcs(enum log_level level)
{
	u64 value;

	if (!(read_cr4() & CR4_VMXE) ||
	    vmread_checked(VMCS_EXIT_REASON, &value) == VMX_FAIL_INVALID) {
		log_line(level, "vmcs: none is current");
		return;
	}
	/* A field that this CPU does not have fails and is left out. */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (vmread_checked(fields[i].field, &value) == VMX_OK)
			log_line(level, "vmcs: %-27s %#llx", fields[i].name,
				 (unsigned long long)value);
}

static void dump_entry(enum log_level level, const struct trace_entry *t)
{
	if (!t->v)
		return;
	log_line(level, "exit: tsc %llu %s %s%s qual %#llx rip %#llx",
		 (unsigned long long)t->tsc, t->v->name,
		 exit_reason_name((u16)t->reason),
		 t->reason & VMX_EXIT_REASONS_FAILED_VMENTRY ? " (entry failed)"
							     : "",
		 t->reason & TRACE_QUALIFIED
			 ? (unsigned long long)t->qualification
			 : 0,
		 (unsigned long long)t->rip);
}

void dump_trace(enum log_level level)
{
	const struct vmx_cpu *c = this_cpu()->vmx;

	for (u32 i = 0; c && i < TRACE_COUNT; i++)
		dump_entry(level, &c->trace[(c->trace_next + i) % TRACE_COUNT]);
}

void dump_forget(const struct vcpu *v)
{
	for (struct percpu *cpu = cpu_first; cpu; cpu = cpu->next)
		for (u32 i = 0; cpu->vmx && i < TRACE_COUNT; i++)
			if (cpu->vmx->trace[i].v == v)
				cpu->vmx->trace[i].v = NULL;
}

void dump_on_panic(void)
{
	const struct vcpu *v = this_cpu()->current;

	dump_trace(LOG_ERROR);
	if (v) {
		log_error("current vCPU %s", v->name);
		for (int i = 0; i < 16; i++)
			log_error("guest r[%d] %#llx", i,
				  (unsigned long long)v->regs.r[i]);
	}
	dump_vmcs(LOG_ERROR);
}

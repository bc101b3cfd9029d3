/* SPDX-License-Identifier: MIT */
/*
 * What VMX needs per CPU: the VMXON region, the last exits for dumps, and the
 * guest registers that this CPU holds although no VMCS does. Only its CPU
 * writes to it.
 */
#ifndef VMX_VMX_CPU_H
#define VMX_VMX_CPU_H

#include "boot/lib/percpu.h"
#include "vmx/entry_check.h"
#include "vmx/vcpu.h"

#define TRACE_COUNT 32 /* a power of two */

struct trace_entry {
	u64 tsc;
	const struct vcpu *v; /* NULL: unused, or its vCPU is gone */
	u64 rip;
	u64 qualification; /* valid with TRACE_QUALIFIED */
	u64 reason;        /* low half as in the VMCS */
};

/* In reason: the handler looked at the qualification. */
#define TRACE_QUALIFIED BIT(63)

struct vmx_cpu {
	void *vmxon;
	struct trace_entry trace[TRACE_COUNT];
	u32 trace_next; /* the slot of the next exit, the oldest one's now */

	struct entry_state entry; /* the last that was looked at (TV_DEBUG) */
	bool entry_passed;        /* ... and the CPU will take it */

	/* In the CPU's registers now, whoever left it there. */
	u64 msr[SWITCHED_COUNT];
	u64 dr[4], dr6;
	u64 cr2;

	const struct vcpu *trainer; /* of predictions, the last one */
};

static inline struct trace_entry *trace_last(struct vmx_cpu *c)
{
	return &c->trace[(c->trace_next + TRACE_COUNT - 1) % TRACE_COUNT];
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What VMX needs per CPU: the VMXON region, the last exits for dumps, and the
 * guest registers that this CPU holds although no VMCS does. Only its CPU writes
 * to it.
 */
#ifndef VMX_VMX_CPU_H
#define VMX_VMX_CPU_H

#include "boot/lib/percpu.h"
#include "vmx/vcpu.h"

#define TRACE_COUNT 32 /* a power of two */

struct trace_entry {
	u64 tsc;
	const struct vcpu *v; /* NULL: unused, or its vCPU is gone */
	u64 rip;
	u64 qualification; /* 0 where its handler had no use for it */
	u32 reason;
};

struct vmx_cpu {
	void *vmxon;
	struct trace_entry trace[TRACE_COUNT];
	u32 trace_next; /* counts on; the slot is its remainder */

	/* In the CPU's registers now, whoever left it there. */
	u64 msr[SWITCHED_COUNT];
	u64 dr[4], dr6;
	u64 cr2;
};

static inline struct trace_entry *trace_last(struct vmx_cpu *c)
{
	return &c->trace[(c->trace_next - 1) % TRACE_COUNT];
}

#endif

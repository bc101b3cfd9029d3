/* SPDX-License-Identifier: MIT */
/*
 * Spoils the current VMCS where the SDM's checks must find it (vol. 3, "VM
 * Entries"). What it spoils stays so: the VM or the machine ends by it.
 */
#include "vmx/fail_entry.h"

#include "boot/lib/options.h"
#include "boot/lib/string.h"
#include "vmx/inject.h"
#include "vmx/insn.h"

#define TYPE_RESERVED   (1u << 8)
#define CR3_TARGETS_MAX 4

static void no_vmcs(struct vcpu *v)
{
	vmclear(ptr_hpa(v->vmcs));
}

/* VMRESUME, but the VMCS is clear. */
static void not_launched(struct vcpu *v)
{
	vmclear(ptr_hpa(v->vmcs));
	if (vmptrld(ptr_hpa(v->vmcs)) != VMX_OK)
		panic("VMPTRLD for %s failed", v->name);
	v->regs.launched = 1;
}

static void bad_control(struct vcpu *v)
{
	(void)v;
	vmwrite(VMCS_CR3_TARGET_COUNT, CR3_TARGETS_MAX + 1);
}

static void bad_event(struct vcpu *v)
{
	(void)v;
	vmwrite(VMCS_ENTRY_INTR_INFO, EVENT_VALID | TYPE_RESERVED);
}

static void bad_host(struct vcpu *v)
{
	(void)v;
	vmwrite(VMCS_HOST_TR_SELECTOR, 0);
}

static void bad_guest(struct vcpu *v)
{
	(void)v;
	vmwrite(VMCS_GUEST_RFLAGS, 0); /* bit 1 is always 1 */
}

static void bad_msr(struct vcpu *v)
{
	static struct {
		u32 index, reserved;
		u64 value;
	} __attribute__((aligned(16)))
	list = { .index = MSR_IA32_FS_BASE /* it may not */ };

	(void)v;
	vmwrite(VMCS_ENTRY_MSR_LOAD_ADDR, ptr_hpa(&list).v);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
}

static const struct {
	const char *name; /* as the option has them */
	void (*spoil)(struct vcpu *v);
} kinds[] = {
	{ "vmcs", no_vmcs },        { "launch", not_launched },
	{ "control", bad_control }, { "event", bad_event },
	{ "host", bad_host },       { "guest", bad_guest },
	{ "msr", bad_msr },
};

void fail_entry(struct vcpu *v)
{
	static u64 entries; /* atomic */
	const struct host_options *o = host_options();

	if (!o->fail_entry_at ||
	    __atomic_add_fetch(&entries, 1, __ATOMIC_RELAXED) !=
		    o->fail_entry_at)
		return;
	log_warn("fail-entry=%s: entry %lu, which is %s's", o->fail_entry,
		 o->fail_entry_at, v->name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(o->fail_entry, kinds[i].name) == 0)
			kinds[i].spoil(v);
}

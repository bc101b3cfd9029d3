/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: its vCPUs, memory, devices and policy. Everything hangs
 * off struct vm; there is no global "the VM" anywhere.
 */
#ifndef GUEST_VM_H
#define GUEST_VM_H

#include "boot/boot_info.h"
#include "boot/lib/spinlock.h"
#include "guest/console.h"
#include "guest/cpuid.h"
#include "guest/memory.h"
#include "guest/msr.h"
#include "guest/seen.h"
#include "guest/vioapic.h"
#include "guest/vlapic.h"
#include "guest/vm_config.h"
#include "guest/vpic.h"
#include "guest/vrtc.h"
#include "guest/vuart.h"
#include "vmx/ept.h"
#include "vmx/vcpu.h"

/* What vcpu.device points to: only the CPU that runs the vCPU writes to it,
 * except for what vlapic_post() does. */
struct vm_vcpu {
	struct vlapic lapic;
	struct msr_state msr;
	u32 area_bytes; /* when its VM stopped */
};

/* Codes of vm-stop that no guest can give through its exit port (v << 1 | 1).
 */
#define VM_CODE_SUCCESS 1  /* exit port 0, or a clean power-off */
#define VM_CODE_STOPPED -1 /* by us, with a reason */
#define VM_CODE_RESET   -2 /* the guest asked for a reset */

#define VM_REASON_SIZE 256

struct vm {
	struct vm *next;
	struct vm_config config;
	const char *image; /* what it was told to be: "multiboot1", "linux" */
	struct memory memory;
	struct ept ept;
	struct fpu_account account;
	struct cpuid_table cpuid;
	unsigned int phys_bits;
	struct vcpu *vcpu;      /* config.vcpu_count of them */
	struct vm_vcpu *device; /* as many */
	u32 vcpu_made;          /* of them are there */
	struct percpu **cpus;   /* that they may run on */
	u32 cpus_count;
	u32 present; /* atomic: vCPUs that are still in some CPU's hands */

	struct spinlock lock; /* of what follows */
	struct vuart uart;
	struct vioapic ioapic;
	struct vpic pic;
	struct vrtc rtc;
	struct console console;
	struct seen ports, msrs; /* touched, but not there */
	bool stopped; /* atomic; its vCPUs leave their CPUs, or have left */
	int code;
	char reason[VM_REASON_SIZE]; /* why it stopped; valid with stopped */
};

/*
 * Create every VM that the boot modules describe and queue its vCPUs to run. A
 * VM that cannot be created is named with the reason and does not run; the
 * others do. No VM at all: a sentence, and the machine ends as end= says.
 */
void vm_create_all(const struct boot_info *bi);

/*
 * VM stops, alone: none of its vCPUs runs again. REASON is one sentence.
 * Callable from any CPU and more than once: the first reason counts. When all
 * its vCPUs have left their CPUs it is reported and its memory goes back; when
 * it was the last VM, the machine then ends as end= says.
 */
void vm_stop(struct vm *vm, const char *reason, int code);

/* All VMs that were created, in that order. */
struct vm *vm_first(void);

/* The devices of V. */
static inline struct vm_vcpu *vm_device(const struct vcpu *v)
{
	return (struct vm_vcpu *)v->device;
}

#endif

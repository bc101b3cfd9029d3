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
#include "guest/page_move.h"
#include "guest/reset_limit.h"
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
#define VM_CODE_RESET   -2 /* the guest was reset once too often */

#define VM_REASON_SIZE 256

struct vm {
	struct vm *next;
	struct vm_config config;
	const char *image; /* what it was told to be: "multiboot1", "linux" */
	const struct boot_info *boot; /* whose modules hold it */
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
	u32 present; /* atomic: who has hands on it: its vCPUs, vm_stop() */

	struct spinlock lock; /* of what follows */
	struct vuart uart;
	struct ring line; /* input on its way to the UART */
	struct vioapic ioapic;
	struct vpic pic;
	struct vrtc rtc;
	struct console console;
	struct page_move move;
	struct seen ports, msrs; /* touched, but not there */
	bool apic_page;          /* the APIC-access page is mapped */
	bool stopped;            /* its vCPUs leave their CPUs, or have left */
	bool resetting;          /* likewise, to begin again */
	u32 resets;
	struct reset_limit reset_limit;
	int code;                    /* valid with stopped */
	char reason[VM_REASON_SIZE]; /* of the stop, or of the last reset */
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

/*
 * RESET of VM, alone, for REASON: its vCPUs leave their CPUs, its memory is
 * zeroed, and it begins as it once did, with areas as small as then. Callable
 * from any CPU; nothing happens to a VM that has stopped or is being reset.
 */
void vm_reset(struct vm *vm, const char *reason);

/*
 * The same at the guest's own wish, in which there is a measure: reboot= on its
 * line says how often in a row, see reset_limit.h. One too many stops it.
 */
void vm_reset_by_guest(struct vm *vm, const char *reason);

/* All VMs that were created, in that order. */
struct vm *vm_first(void);

/* What this VM may have of the extended state; CPUID says the same. */
struct fpu_config vm_fpu_config(struct vm *vm);

/* The devices of V. */
static inline struct vm_vcpu *vm_device(const struct vcpu *v)
{
	return (struct vm_vcpu *)v->device;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One virtual CPU: its registers, VMCS, extended state and place in a run
 * queue. Knows no guest OS and no device; what depends on them is asked through
 * policy.h.
 */
#ifndef VMX_VCPU_H
#define VMX_VCPU_H

#include <asm/vmx.h>

#include "boot/lib/print.h"
#include "boot/lib/types.h"
#include "boot/lib/x86.h"
#include "fpu/fpu.h"
#include "vmx/apicv.h"
#include "vmx/ept.h"
#include "vmx/gprs.h"
#include "vmx/posted.h"

struct percpu;
struct vm; /* guest/vm.h; only guest/ looks inside */

/* Basic exit reasons of the SDM, and room for more. */
#define VCPU_EXIT_REASON_COUNT 80

/* After them, in counts of time: getting on the CPU, before the first entry. */
#define VCPU_EXIT_NONE VCPU_EXIT_REASON_COUNT

/* What the run loop does next with a vCPU; every exit handler returns one. */
enum verdict {
	RUN_AGAIN, /* enter the guest again at its current RIP */
	RUN_YIELD, /* the slice is over */
	RUN_BLOCK, /* wait for an event */
	RUN_STOP,  /* this VM is finished */
};

/* Under the lock of the run queue of the vCPU's CPU. */
enum vcpu_state {
	VCPU_WAIT_SIPI, /* an AP before its first SIPI, or after INIT */
	VCPU_RUNNABLE,  /* queued */
	VCPU_RUNNING,   /* some CPU's current one */
	VCPU_BLOCKED,   /* HLT: waits for an event */
	VCPU_STOPPED,   /* its VM stops or is reset */
};

/* Bits of vcpu.events: posted by any CPU, atomically; see vcpu_post(). */
enum vcpu_event {
	VCPU_EVENT_INTR = 1 << 0, /* ask policy_interrupt_*() again */
	VCPU_EVENT_NMI  = 1 << 1,
	VCPU_EVENT_INIT = 1 << 2,
	VCPU_EVENT_SIPI = 1 << 3, /* vector in vcpu.sipi_vector */
	VCPU_EVENT_STOP = 1 << 4, /* its VM has stopped */
	VCPU_EVENT_EPT  = 1 << 5, /* its EPT was cut; see vcpu_shoot_down() */
};

struct vcpu_stats {
	u64 exits[VCPU_EXIT_REASON_COUNT]; /* by basic exit reason */
	u64 exits_total;
	u64 root_ticks[VCPU_EXIT_NONE + 1]; /* from exit to next entry */
	u64 nm_exits;                       /* exception exits with vector 7 */
	u64 xfd_exits;   /* RDMSR and WRMSR of IA32_XFD and IA32_XFD_ERR */
	u64 guest_ticks; /* TSC ticks in non-root mode */
	u64 host_ticks;  /* ... in root mode on its behalf: vcpu_account() */
	u64 switches; /* times it gave the CPU to another vCPU or to idling */
	u64 moves;    /* times it went on on another CPU */
	u64 ibpb;     /* barriers before it, against others' predictions */
};

/* Reasons why the next entry takes the long way; see vcpu_prepare(). */
enum vcpu_work {
	WORK_TIMER = 1 << 0, /* the end of the slice or a virtual timer moved */
	WORK_INTR  = 1 << 1, /* ask policy_interrupt_pending() */
	WORK_INJECT = 1 << 2, /* vcpu.reinject holds an event */
	WORK_CHECK  = 1 << 3, /* we wrote guest state: check it (TV_DEBUG) */
};

/* What the guest is doing, in software: the VMCS says "active" at all times. */
enum vcpu_activity {
	VCPU_ACTIVE,
	VCPU_HLT,
	VCPU_WAITS_FOR_SIPI,
};

/* Where a vCPU begins after RESET; carried out when it is first loaded. */
enum vcpu_start_kind {
	VCPU_START_RESET,
	VCPU_START_PROTECTED,
	VCPU_START_LONG,
};

struct vcpu_start {
	enum vcpu_start_kind kind;
	u64 rip, rax, rbx, rsi, cr3, gdt_base;
	u32 gdt_limit;
};

/* MSRs that are passed through, are in no VMCS, and that the host never uses.
 */
enum switched_msr {
	SWITCHED_STAR,
	SWITCHED_LSTAR,
	SWITCHED_CSTAR,
	SWITCHED_FMASK,
	SWITCHED_KERNEL_GS_BASE,
	SWITCHED_TSC_AUX,
	SWITCHED_COUNT,
};

/* Answers of policy_cpuid() that are still right; see vcpu_forget_cpuid(). */
#define VCPU_CPUID_SLOTS 32
struct vcpu_cpuid {
	u32 leaf, subleaf;
	u64 rax, rbx, rcx, rdx;
};

static inline u32 vcpu_cpuid_slot(u32 leaf, u32 subleaf)
{
	return (leaf + 5 * subleaf) % VCPU_CPUID_SLOTS;
}

struct vcpu {
	struct gprs regs; /* guest's, while not running; RSP is in the VMCS */
	struct vm *vm;
	u32 index;          /* within its VM */
	char name[24];      /* "vm/index", for messages */
	struct percpu *cpu; /* where it is queued or runs; atomic, sched.c's */
	struct percpu *const *cpus; /* where it may, its VM's list */
	u32 cpus_count;

	/* VMCS and what goes with it; touched only by the CPU it is loaded on.
	 */
	void *vmcs;
	struct percpu *vmcs_cpu; /* where it is active; NULL: nowhere */
	u16 vpid;                /* 0: VPID is not in use */
	struct ept *ept;
	void *msr_bitmap;   /* one page, this vCPU's own */
	void *virtual_apic; /* the CPU's copy of its APIC; NULL: no APICv */
	struct apicv_entry apicv; /* what the VMCS says of it */
	bool posting;     /* ... and that others may post; atomic, for those */
	u32 traps;        /* enum fpu_trap bits programmed into the VMCS */
	u32 cpu_controls; /* as programmed: the windows come and go */
	u64 tsc_offset;   /* guest TSC = host TSC + this */
	u64 tsc_adjust;   /* IA32_TSC_ADJUST as the guest sees it */
	u64 cr4_allowed;  /* bits that its CPUID offers; 0: not asked yet */

	/* An event to deliver at the next entry (WORK_INJECT). */
	u32 reinject; /* VM-entry interruption information */
	u32 reinject_error;
	u32 reinject_length;
	bool nmi_pending;

	/* Guest state in no VMCS field, while another vCPU has the CPU. */
	u64 cr2, dr[4], dr6;
	u64 msr[SWITCHED_COUNT];

	struct fpu fpu;

	enum vcpu_state state;
	struct vcpu *queue_next; /* run queue's lock */
	u8 sipi_vector;

	enum vcpu_activity activity;
	bool fresh; /* START is still to be carried out */
	bool chore; /* it runs policy_chore() in place of the guest */
	struct vcpu_start start;

	/* Zero as one word: nothing keeps the vCPU from going on. */
	union {
		struct {
			u32 work;   /* enum vcpu_work */
			u32 events; /* atomic: enum vcpu_event */
		};
		u64 delays;
	};
	u64 rip;       /* guest RIP at the last exit */
	u64 slice_end; /* host TSC */
	u64 debt;      /* ticks of others' slices that it has used */
	u64 timer_end; /* what the hardware timer was set for */
	u64 last_exit_tsc;
	u32 last_reason; /* basic reason of the last exit, or VCPU_EXIT_NONE */
	u64 account_tsc; /* stats are complete up to here ... */
	u64 account_guest; /* ... when guest_ticks was this */

	bool calls; /* VMCALL reaches our own calls */
	struct vcpu_stats stats;
	struct posted posted; /* interrupts from other CPUs: vcpu_event.c */
	void *device; /* guest/'s per-vCPU devices (struct vlapic and so on) */
	u64 ones_reads, ones_writes; /* accesses to addresses without memory */
	struct vcpu_cpuid cpuid[VCPU_CPUID_SLOTS];
};

/* What vcpu_create() needs to know. */
struct vcpu_config {
	struct vm *vm;
	const char *vm_name;
	u32 index;
	struct percpu *const *cpus; /* lives as long as V */
	u32 cpus_count;
	struct ept *ept;
	bool calls;
	void *device;
	struct fpu_config fpu;
};

/*
 * Fill V, zeroed by the caller, and its VMCS; it is in RESET state, waiting for
 * SIPI, in no queue. False: no memory (everything taken is given back).
 */
bool vcpu_create(struct vcpu *v, const struct vcpu_config *config);
void vcpu_destroy(struct vcpu *v);

/*
 * V, which has left (policy_left()), is as vcpu_create() left it, its counters
 * apart: RESET. It needs no memory. Nothing can wake V before vcpu_begin().
 */
void vcpu_reset(struct vcpu *v);

/*
 * Initial states, for a vCPU that is loaded nowhere. Registers not named are
 * those of RESET (SDM vol. 3, "Processor State After Reset").
 */

/* 32-bit protected mode, flat segments, paging off: multiboot 1's machine
 * state. */
void vcpu_start_protected(struct vcpu *v, u32 eip, u32 eax, u32 ebx);

/*
 * 64-bit mode with page tables at CR3, flat segments 0x10 (code) and 0x18
 * (data), GDT at GDT_BASE: Linux' 64-bit boot protocol; RSI holds boot_params.
 */
void vcpu_start_long(struct vcpu *v, u64 rip, u64 rsi, u64 cr3, u64 gdt_base,
		     u32 gdt_limit);

/*
 * Post EVENT to V from any CPU, wake it if it is blocked, kick the CPU it runs
 * on. The event stays until V has seen it; posting twice is posting once.
 */
void vcpu_post(struct vcpu *v, enum vcpu_event event);

/*
 * An edge-triggered VECTOR for V from any CPU, if vcpu_is_posting(): V need not
 * leave the guest for it. What V must see to before it gets that interrupt (its
 * APIC, the EOIs that exit) is not for this way.
 */
bool vcpu_is_posting(const struct vcpu *v);
void vcpu_post_interrupt(struct vcpu *v, u8 vector);

/*
 * V never runs again, unless it is reset; callable from any CPU. policy_left()
 * follows on V's own CPU as soon as that has it out of its hands.
 */
void vcpu_remove(struct vcpu *v);

/*
 * V, which has left, gets turns like any other, in which policy_chore() is
 * called: what takes long is done in slices, and no neighbour waits for it.
 */
void vcpu_do_chore(struct vcpu *v);

/* V, which was reset, runs from now on if it was started, else awaits SIPI. */
void vcpu_begin(struct vcpu *v);

/*
 * COUNT vCPUs at V are all that use EPT, which was cut: no CPU enters one of
 * them again before it has executed INVEPT. Does not wait: ept_is_settled().
 */
void vcpu_shoot_down(struct ept *ept, struct vcpu *v, u32 count);

/* INIT and SIPI as a local APIC sends them: posts the event. */
void vcpu_post_sipi(struct vcpu *v, u8 vector);

/* State of V as its guest sees it; V is the current vCPU of this CPU. */
u64 vcpu_rip(const struct vcpu *v);
u64 vcpu_cr0(const struct vcpu *v);
u64 vcpu_cr3(const struct vcpu *v);
u64 vcpu_cr4(const struct vcpu *v);
u64 vcpu_efer(const struct vcpu *v);
unsigned int vcpu_cpl(const struct vcpu *v);
bool vcpu_is_64bit(const struct vcpu *v); /* CS.L = 1 and EFER.LMA = 1 */

/*
 * The answers of policy_cpuid() may differ from now on: CR4, XCR0, IA32_XSS or
 * an MSR of guest/ has changed. vmx/ calls it for the first three, guest/ for
 * its own MSRs.
 */
void vcpu_forget_cpuid(struct vcpu *v);

/* Brings stats.host_ticks up to now, for the current vCPU. */
void vcpu_account(struct vcpu *v);

/* Guest TSC now. */
u64 vcpu_tsc(const struct vcpu *v);

/*
 * The guest did something that cannot go on: its VM stops, alone, with this
 * sentence (policy_stop()). Returns RUN_STOP, so that a handler can return it.
 */
PRINTF_LIKE(2, 3)
enum verdict vcpu_stop(struct vcpu *v, const char *fmt, ...);

#endif

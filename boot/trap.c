/* SPDX-License-Identifier: MIT */
/*
 * Every exception of the host is a panic, unless the instruction has an entry
 * in the fix-up table (FIXUP in boot/lib/x86.h). Interrupts only end a wait:
 * they are acknowledged, and the run loop looks at what changed.
 */
#include "boot/trap.h"

#include "boot/cpu.h"
#include "boot/lib/lapic.h"
#include "boot/lib/mcheck.h"
#include "boot/lib/panic.h"
#include "boot/lib/percpu.h"
#include "boot/lib/serial.h"
#include "boot/lib/stop.h"
#include "boot/lib/symbols.h"
#include "boot/lib/x86.h"
#include "boot/selftest.h"

/* SDM 3A, "64-Bit Mode IDT". */
struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 3A: 64-bit gate");

#define GATE_INTERRUPT   0x8e /* present, DPL 0; clears RFLAGS.IF */
#define TRAP_ENTRY_BYTES 16
#define PF_PRESENT       BIT(0)
#define PF_WRITE         BIT(1)
#define PF_FETCH         BIT(4)
#define NMIS_SHOWN       8 /* lines of each CPU */
#define NMIS_LAST        "; later ones are only counted"

struct fixup {
	u64 from;
	u64 to;
};

extern const char image_start[];                      /* linker.ld */
extern const u8 trap_entries[];                       /* boot/trap.S */
extern const u8 sti_hlt_waits[];                      /* its HLT, likewise */
extern const struct fixup fixup_start[], fixup_end[]; /* linker.ld */

static struct gate idt[256]; /* constant after trap_init() */

void (*trap_nmi_hook)(void);

static const char *const exception_name[32] = {
	[VEC_DE]  = "divide error",
	[VEC_DB]  = "debug exception",
	[VEC_NMI] = "NMI",
	[VEC_BP]  = "breakpoint",
	[VEC_OF]  = "overflow",
	[VEC_BR]  = "bound range exceeded",
	[VEC_UD]  = "invalid opcode",
	[VEC_NM]  = "device not available",
	[VEC_DF]  = "double fault",
	[VEC_TS]  = "invalid TSS",
	[VEC_NP]  = "segment not present",
	[VEC_SS]  = "stack-segment fault",
	[VEC_GP]  = "general protection",
	[VEC_PF]  = "page fault",
	[VEC_MF]  = "x87 error",
	[VEC_AC]  = "alignment check",
	[VEC_MC]  = "machine check",
	[VEC_XM]  = "SIMD exception",
	[VEC_VE]  = "virtualization exception",
	[VEC_CP]  = "control protection",
};

static u8 ist_of(unsigned int vector)
{
	switch (vector) {
	case VEC_NMI:
		return CPU_IST_NMI;
	case VEC_DF:
		return CPU_IST_DF;
	case VEC_MC:
		return CPU_IST_MC;
	}
	return 0;
}

void trap_init(void)
{
	for (unsigned int v = 0; v < ARRAY_SIZE(idt); v++) {
		const u64 entry = (u64)(uintptr_t)trap_entries +
				  (u64)v * TRAP_ENTRY_BYTES;

		idt[v] = (struct gate){
			.offset_low    = (u16)entry,
			.selector      = CPU_SEL_CODE,
			.ist           = ist_of(v),
			.type          = GATE_INTERRUPT,
			.offset_middle = (u16)(entry >> 16),
			.offset_high   = hi32(entry),
		};
	}
}

void trap_load_idt(void)
{
	const struct descriptor_table t = { sizeof(idt) - 1,
					    (u64)(uintptr_t)idt };

	lidt(&t);
}

/* Continue where the fix-up table says. False: it does not know RIP. */
static bool fix_up(struct trap_frame *f)
{
	for (const struct fixup *x = fixup_start; x < fixup_end; x++) {
		if (x->from != f->rip)
			continue;
		f->rip  = x->to;
		f->r[1] = f->vector;
		return true;
	}
	return false;
}

_Noreturn static void page_fault(const struct trap_frame *f, u64 address)
{
	const char *stack = cpu_stack_of_guard(address);
	const char *what  = f->error_code & PF_FETCH   ? "executing"
			    : f->error_code & PF_WRITE ? "writing"
						       : "reading";

	if (stack)
		panic_frame(f, "the %s overflowed (%s its guard page at %#lx)",
			    stack, what, address);
	if (address < PAGE_SIZE)
		panic_frame(f, "page fault %s %#lx: a NULL pointer", what,
			    address);
	panic_frame(f, "page fault %s %#lx (%s)", what, address,
		    f->error_code & PF_PRESENT ? "it is mapped otherwise"
					       : "nothing is mapped there");
}

_Noreturn static void host_exception(const struct trap_frame *f)
{
	const char *name  = exception_name[f->vector];
	const u64 address = read_cr2();
	const char *stack = cpu_stack_of_guard(address);

	if (f->vector == VEC_PF)
		page_fault(f, address);
	if (f->vector == VEC_DF && stack)
		panic_frame(f, "double fault: the %s overflowed", stack);
	panic_frame(f, "%s (vector %lu, error code %#lx) in the host",
		    name ? name : "reserved exception", f->vector,
		    f->error_code);
}

void trap_nmi(const struct trap_frame *frame)
{
	struct percpu *cpu = this_cpu();

	cpu->nmis++;
	cpu->nmi_rip = frame->rip;
	cpus_stop_here();
	if (trap_nmi_hook)
		trap_nmi_hook();
}

/* Firmware, a watchdog or a broken device: nobody here sends one and goes on.
 */
void trap_tell_nmis(const char *guest, u64 rip)
{
	struct percpu *cpu = this_cpu();

	if (cpu->nmis == cpu->nmis_told)
		return;
	cpu->nmis_told = cpu->nmis;
	if (cpu->nmis_shown == NMIS_SHOWN)
		return;
	cpu->nmis_shown++;

	/* Another may come meanwhile. */
	const u64 count           = cpu->nmis_told;
	const u64 at              = cpu->nmi_rip;
	const struct symbol *host = symbol_find(at);
	const char *last = cpu->nmis_shown == NMIS_SHOWN ? NMIS_LAST : "";

	if (guest)
		log_warn("CPU %u: NMI %lu struck while %s ran, at its %#lx%s",
			 cpu->index, count, guest, rip, last);
	else
		log_warn("CPU %u: NMI %lu struck the host at %#lx (%s+%#lx)%s",
			 cpu->index, count, at,
			 host ? &symbol_names[host->name] : "no code of ours",
			 host ? at - (u64)(uintptr_t)image_start - host->offset
			      : 0,
			 last);
}

void trap_machine_check(const struct trap_frame *frame)
{
	char why[MCHECK_TEXT];
	u64 status;

	rdmsr_safe(MSR_IA32_MCG_STATUS, &status);
	mcheck_first(why);
	panic_frame(frame, "machine check in %s (IA32_MCG_STATUS %#lx): %s",
		    frame ? "the host" : "a guest", status, why);
}

void trap_interrupt(u8 vector)
{
	this_cpu()->interrupts++;
	switch (vector) {
	case LAPIC_VECTOR_SPURIOUS:
		return; /* it is not in service: nothing to end */
	case LAPIC_VECTOR_TIMER:
		selftest_timer();
		break;
	case LAPIC_VECTOR_KICK:
	case LAPIC_VECTOR_POSTED:
		break;
	case LAPIC_VECTOR_UART:
		serial_interrupted();
		break;
	case LAPIC_VECTOR_ERROR:
		log_error("the local APIC of CPU %u reported an error",
			  this_cpu()->index);
		break;
	default:
		log_warn("CPU %u: unexpected interrupt, vector %u",
			 this_cpu()->index, vector);
		break;
	}
	lapic_eoi();
}

/*
 * Interrupts that are pending come when the NMI's handler returns. Had the HLT
 * that they were to end still to come, it would last.
 */
static void skip_halt(struct trap_frame *f)
{
	if (f->rip == (u64)(uintptr_t)sti_hlt_waits)
		f->rip++;
}

void trap_dispatch(struct trap_frame *frame)
{
	if (frame->vector == VEC_NMI) {
		trap_nmi(frame);
		skip_halt(frame);
	} else if (frame->vector == VEC_MC) {
		trap_machine_check(frame);
	} else if (frame->vector >= 32) {
		trap_interrupt((u8)frame->vector);
	} else if (!fix_up(frame)) {
		host_exception(frame);
	}
}

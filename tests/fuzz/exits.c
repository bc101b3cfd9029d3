/* SPDX-License-Identifier: MIT */
/* links: vmx/exit.c vmx/exit_apic.c vmx/exit_ask.c vmx/exit_cr.c */
/* links: vmx/exit_ept.c */
/* links: vmx/exit_event.c vmx/exit_exception.c vmx/exit_io.c vmx/exit_msr.c */
/* links: vmx/exit_xstate.c vmx/inject.c vmx/guest_memory.c vmx/walk.c */
/* links: vmx/decode.c vmx/entry_check.c vmx/vmcs.c vmx/ept.c vmx/ept_duty.c */
/* links: fpu/xfd.c fpu/xcr.c fpu/layout.c fpu/area.c tests/fuzz/fake/fpu.c */
/* links: boot/lib/print.c vmx/vcpu_view.c */
/* seconds: 20 */
/*
 * The exit handlers on a VMCS of ours: a guest in some mode, and exits of every
 * reason, one after the other, with what a guest may put into registers,
 * qualification and memory. After each the state must be one that the software
 * entry check lets pass, or the VM has been stopped with a sentence. Exits that
 * only a broken CPU or a bug of ours can give panic by design and are left out.
 */
#include "vmx/exit.h"

#include "fpu/xstate.h"
#include "tests/fuzz/fuzz.h"
#include "vmx/caps.h"
#include "vmx/inject.h"
#include "vmx/memtype.h"
#include "vmx/policy.h"
#include "vmx/vcpu_run.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_cpu.h"

#define MEMORY_BYTES 0x8000
#define DEVICE_AT    0xfee00000ULL
#define CR4_FIXED1   0x17f7ffULL
#define DEBUGCTL_BTF BIT(1)

u64 fake_tsc, fake_cr2, fake_host_nmis;
u64 fake_vmcs[FAKE_VMCS_FIELDS];
void fake_fpu_machine(void);
bool fake_fpu_use_tile(void);
extern char vmx_exit[]; /* vmx/enter.S has it */
char vmx_exit[1];

struct vmx_caps vmx_caps = {
	.cr0_fixed0 = CR0_NE,
	.cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = CR4_VMXE,
	.cr4_fixed1 = CR4_FIXED1 | CR4_VMXE,
	.rdtscp     = true,
	.xsaves     = true,
};
struct mtrrs vmx_mtrrs = { .address_mask = FIELD(45, 12) };

static struct vmx_cpu vmx_cpu;
static struct percpu cpu = { .self = &cpu, .vmx = &vmx_cpu };
static u8 *memory;
static struct input in;
static unsigned int stops;

struct percpu *this_cpu(void)
{
	return &cpu;
}

/* What lies beside exits in vmx/: dumps, and a vCPU's life. */
void dump_vmcs(enum log_level level)
{
	(void)level;
}

u64 vcpu_cr4_allowed(struct vcpu *v)
{
	(void)v;
	return CR4_FIXED1 & ~CR4_VMXE;
}

void vcpu_account(struct vcpu *v)
{
	(void)v;
}

void vcpu_apply_traps(struct vcpu *v)
{
	v->traps = fpu_traps(&v->fpu);
}

enum verdict vcpu_stop(struct vcpu *v, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	tv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	policy_stop(v, text, -1);
	return RUN_STOP;
}

void trap_interrupt(u8 vector)
{
	(void)vector;
}

void trap_tell_nmis(const char *guest, u64 rip)
{
	REQUIRE(guest && rip == vmread(VMCS_GUEST_RIP));
}

void trap_machine_check(const struct trap_frame *frame)
{
	(void)frame;
	panic("a machine check");
}

/* The policy: the input answers, but for memory, which is real. */
void policy_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *out)
{
	(void)v;
	(void)subleaf;
	*out = (struct cpuid_regs){ 0 };
	if (leaf == 0x80000001)
		out->edx = BIT(11) | BIT(20) | BIT(29);
}

static enum policy_answer answer_msr(struct vcpu *v)
{
	switch (take(&in, 1) & 3) {
	case 0:
		return POLICY_GP;
	case 1:
		policy_stop(v, "an MSR ended it", -1);
		return POLICY_STOP;
	}
	return POLICY_OK;
}

enum policy_answer policy_rdmsr(struct vcpu *v, u32 index, u64 *value)
{
	(void)index;
	*value = take(&in, 8);
	return answer_msr(v);
}

enum policy_answer policy_wrmsr(struct vcpu *v, u32 index, u64 value)
{
	(void)index;
	(void)value;
	return answer_msr(v);
}

static enum verdict answer_device(struct vcpu *v)
{
	if ((take(&in, 1) & 15) != 1)
		return RUN_AGAIN;
	policy_stop(v, "a device ended it", 1);
	return RUN_STOP;
}

enum verdict policy_pio(struct vcpu *v, u16 port, unsigned int bytes, bool read,
			u32 *value)
{
	(void)port;
	REQUIRE(bytes == 1 || bytes == 2 || bytes == 4);
	if (read)
		*value = (u32)take(&in, 4);
	else
		REQUIRE(bytes == 4 || *value >> 8 * bytes == 0);
	return answer_device(v);
}

bool policy_is_mmio(struct vcpu *v, gpa_t at)
{
	(void)v;
	return at.v - DEVICE_AT < PAGE_SIZE;
}

enum verdict policy_mmio(struct vcpu *v, gpa_t at, unsigned int bytes,
			 bool write, u64 *value)
{
	REQUIRE(policy_is_mmio(v, at));
	REQUIRE(bytes <= 8);
	if (!write)
		*value = take(&in, 8);
	return answer_device(v);
}

void policy_apic_written(struct vcpu *v, u32 offset)
{
	(void)v;
	REQUIRE(offset < PAGE_SIZE);
}

void policy_apic_eoi(struct vcpu *v, u8 vector)
{
	(void)v;
	(void)vector;
}

u64 policy_apic_base(struct vcpu *v)
{
	(void)v;
	return DEVICE_AT;
}

void *policy_memory(struct vcpu *v, gpa_t at, u64 bytes)
{
	(void)v;
	if (at.v > MEMORY_BYTES || bytes > MEMORY_BYTES - at.v)
		return NULL;
	return memory + at.v;
}

u64 policy_get_tpr(struct vcpu *v)
{
	(void)v;
	return take(&in, 1) & 15;
}

void policy_set_tpr(struct vcpu *v, u64 cr8)
{
	(void)v;
	REQUIRE(cr8 <= 15);
}

enum verdict policy_triple_fault(struct vcpu *v)
{
	policy_stop(v, "a triple fault", -1);
	return RUN_STOP;
}

enum verdict policy_call(struct vcpu *v, u64 number, u64 argument, u64 *result)
{
	(void)number;
	*result = argument;
	return take(&in, 1) & 1 ? RUN_YIELD : answer_device(v);
}

void policy_stop(struct vcpu *v, const char *reason, int code)
{
	(void)v;
	(void)code;
	require_sentence(reason, 256);
	stops++;
}

u64 policy_service(u64 now)
{
	(void)now;
	return ~0ULL;
}

void policy_grown(struct vcpu *v, u64 rip)
{
	(void)rip;
	REQUIRE(fpu_growths(&v->fpu) == 1);
}

/* ---- the guest ---- */

/* A field that VM exits write: not for vmwrite(). */
static void exit_field(enum vmcs_field field, u64 value)
{
	fake_vmcs[(unsigned int)field] = value;
}

static void set_cpl(u64 dpl)
{
	static const enum vmcs_field access[] = { VMCS_GUEST_CS_ACCESS,
						  VMCS_GUEST_SS_ACCESS };

	for (size_t i = 0; i < ARRAY_SIZE(access); i++)
		vmwrite(access[i],
			(vmread(access[i]) & ~FIELD(6, 5)) | dpl << 5);
}

/* Long mode with page tables at 0x1000 for the first 2 MiB and a device. */
static void map_memory(void)
{
	put64(memory + 0x1000, 0x2007);
	put64(memory + 0x2000, 0x3007);
	put64(memory + 0x2018, 0x4007);
	put64(memory + 0x3000, 0x87);
	put64(memory + 0x4000 + 8 * 0x1f7, DEVICE_AT | 0x87);
	/* MOV [RDI], EAX at 5000H; PAE's four entries at 6000H. */
	put64(memory + 0x5000, 0x0789);
	put64(memory + 0x6000, 0x3001);
}

/* EPT with nothing in it: every violation is one. */
static void *ept_page(void *context)
{
	static u8 page[PAGE_SIZE] __attribute__((aligned(4096)));

	(void)context;
	return page;
}

static void begin(struct vcpu *v, struct ept *ept)
{
	const struct ept_source source        = { .alloc = ept_page };
	static const struct fpu_config config = {
		.policy       = XFD_NM,
		.xcr0_allowed = 0x602e7,
		.xfd_allowed  = XSTATE_TILEDATA,
	};
	static struct fpu_account account;
	struct fpu_config c = config;
	const u64 mode      = take(&in, 1);

	memset(fake_vmcs, 0, sizeof(fake_vmcs));
	memset(&vmx_cpu, 0, sizeof(vmx_cpu));
	memset(&account, 0, sizeof(account));
	memory = calloc(1, MEMORY_BYTES);
	REQUIRE(memory);
	map_memory();
	fake_fpu_machine();
	c.account = &account;
	c.policy  = (enum xfd_policy)(mode >> 2 & 3);
	memset(v, 0, sizeof(*v));
	REQUIRE(ept_init(ept, source, false, false));
	v->ept   = ept;
	v->calls = mode & 16;
	v->vpid  = 1;
	snprintf(v->name, sizeof(v->name), "fuzz/0");
	vcpu_forget_cpuid(v);
	REQUIRE(fpu_create(&v->fpu, &c));
	fpu_load(&v->fpu);
	v->start = (struct vcpu_start){
		.kind = (enum vcpu_start_kind)(mode % 3),
		.rip  = 0x5000,
		.cr3  = 0x1000,
	};
	vmwrite(VMCS_GUEST_VMCS_LINK, ~0ULL);
	vmcs_reset_guest(v);
	vmcs_apply_start(v);
	/* As RESET, paging is off with the caches; software enables them. */
	v->work = 0;
}

/* What a guest does to itself without an exit. */
static void guest_acts(struct vcpu *v)
{
	const u64 what = take(&in, 1);
	const u64 flags =
		RFLAGS_FIXED | (take(&in, 1) & 1 ? RFLAGS_IF : 0) |
		(what & 8 ? RFLAGS_TF : 0) | (what & 16 ? RFLAGS_DF : 0) |
		(what & 32 ? RFLAGS_RF : 0) | (what & 64 ? RFLAGS_AC : 0);

	switch (what & 7) {
	case 0:
		take_into(&in, memory + take(&in, 2) % (MEMORY_BYTES - 16), 16);
		break;
	case 1:
		vmwrite(VMCS_GUEST_RFLAGS, flags);
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
		vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
		break;
	case 2: /* an exit in the shadow of MOV SS */
		vmwrite(VMCS_GUEST_RFLAGS, flags);
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_MOV_SS);
		vmwrite(VMCS_GUEST_PENDING_DEBUG,
			(flags & RFLAGS_TF) &&
					!(vmread(VMCS_GUEST_IA32_DEBUGCTL) &
					  DEBUGCTL_BTF)
				? PENDING_DEBUG_BS
				: 0);
		break;
	case 3:
		if (vmread(VMCS_GUEST_CR0) & CR0_PE)
			set_cpl(take(&in, 1) & 1 ? 3 : 0);
		break;
	case 4:
		if (vmread(VMCS_GUEST_IA32_EFER) & EFER_LMA)
			vmwrite(VMCS_GUEST_CS_ACCESS,
				vmread(VMCS_GUEST_CS_ACCESS) ^
					(ACCESS_L | ACCESS_DB));
		break;
	case 5:
		vmwrite(VMCS_GUEST_CR3, take(&in, 2) & ~0xfffULL);
		break;
	case 6:
		fake_fpu_use_tile();
		break;
	}
	/* A far return into 32-bit code leaves 32 bits of RIP. */
	if (!vcpu_is_64bit(v))
		vmwrite(VMCS_GUEST_RIP, lo32(vmread(VMCS_GUEST_RIP)));
}

/* A qualification for REASON, as the SDM has it. */
static u64 qualification(u32 reason)
{
	static const u8 cr[] = { 0, 3, 4, 8 };
	u64 q                = take(&in, 4);

	switch (reason) {
	case EXIT_REASON_CR_ACCESS:
		q = (q & ~0xfULL) | cr[q & 3];
		if (field_get(q, 5, 4) == 1) /* reads: CR3 and CR8 */
			q |= (q & 3) == 3 ? 0 : 8;
		break;
	case EXIT_REASON_IO_INSTRUCTION:
		if ((q & 7) != 1 && (q & 7) != 3)
			q &= ~7ULL;
		break;
	}
	return q;
}

/* What goes to CR0 or CR4 differs from what is there in few bits. */
static void set_near_value(struct vcpu *v)
{
	const u64 q   = vmread(VMCS_EXIT_QUALIFICATION);
	const u64 gpr = field_get(q, 11, 8);
	const u64 old = (q & 15) == 0 ? vmcs_read_cr0() : vmcs_read_cr4();

	v->regs.r[gpr] = old ^ BIT(take(&in, 1) & 31) ^ BIT(take(&in, 1) & 31);
}

static void guest_exits(struct vcpu *v, u32 reason)
{
	static const u64 place[] = { DEVICE_AT, 0x10000000, 0x5000 };
	u64 info                 = 0;
	const u64 choice         = take(&in, 1);

	exit_field(VMCS_EXIT_REASON, reason);
	exit_field(VMCS_EXIT_QUALIFICATION, qualification(reason));
	exit_field(VMCS_EXIT_INSTRUCTION_LENGTH, 1 + (choice & 15) % 15);
	/* Address size of string instructions: 16, 32, 64 bits. */
	exit_field(VMCS_EXIT_INSTRUCTION_INFO, (choice >> 4) % 3 << 7);
	exit_field(VMCS_GUEST_LINEAR_ADDRESS, take(&in, 3));
	exit_field(VMCS_GUEST_PHYSICAL_ADDRESS,
		   place[choice % ARRAY_SIZE(place)] + (take(&in, 1) << 4));
	if (reason == EXIT_REASON_EXCEPTION_NMI) {
		const u64 event = take(&in, 1);

		info = EVENT_VALID | EVENT_HW_EXCEPTION << 8 | VEC_NM;
		if (event & 1)
			info = EVENT_VALID | EVENT_NMI << 8 | VEC_NMI;
		else if (event & 2)
			info = EVENT_VALID | EVENT_HW_EXCEPTION << 8 | VEC_GP;
		else if (v->traps & FPU_TRAP_NM)
			fake_fpu_use_tile();
	} else if (reason == EXIT_REASON_EXTERNAL_INTERRUPT) {
		info = EVENT_VALID | EVENT_EXTERNAL << 8 | (choice | 32);
	}
	exit_field(VMCS_EXIT_INTR_INFO, info);
	info = 0;
	if (reason == EXIT_REASON_EPT_VIOLATION && (choice & 0x80))
		info = EVENT_VALID | (take(&in, 1) & 0x7) << 8 | VEC_GP |
		       (choice & 0x40 ? EVENT_ERROR_VALID : 0);
	exit_field(VMCS_IDT_VECTORING_INFO, info);
	exit_field(VMCS_IDT_VECTORING_ERROR_CODE, take(&in, 2));
	for (int i = 0; i < 4; i++) {
		const u64 r = take(&in, 1);

		v->regs.r[r & 15] = take(&in, r >> 4 & 15 ? r >> 4 & 7 : 8);
	}
	if (reason == EXIT_REASON_CR_ACCESS && (choice & 0x80))
		set_near_value(v);
	v->rip = vmread(VMCS_GUEST_RIP);
}

/* Reasons with which CPL 3 never gets here: the CPU's own #GP is first. */
static bool is_privileged(u32 reason)
{
	return reason == EXIT_REASON_CR_ACCESS ||
	       reason == EXIT_REASON_MSR_READ ||
	       reason == EXIT_REASON_MSR_WRITE || reason == EXIT_REASON_HLT;
}

/* An instruction was carried out: it ends a shadow, RF, and traps under TF. */
static void judge_retired(const struct vcpu *v)
{
	const u64 shadow = BLOCKED_BY_STI | BLOCKED_BY_MOV_SS;

	if (vmread(VMCS_GUEST_RIP) == v->rip)
		return;
	REQUIRE(!(vmread(VMCS_GUEST_INTERRUPTIBILITY) & shadow));
	REQUIRE(!(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_RF));
	REQUIRE(!(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF) ||
		(vmread(VMCS_GUEST_IA32_DEBUGCTL) & DEBUGCTL_BTF) ||
		(vmread(VMCS_GUEST_PENDING_DEBUG) & PENDING_DEBUG_BS));
}

static void judge(struct vcpu *v)
{
	struct entry_state s;
	const char *complaint;

	if (v->work & WORK_INJECT) {
		complaint = entry_check_event(v->reinject, v->reinject_error,
					      v->reinject_length,
					      vmread(VMCS_GUEST_CR0) & CR0_PE);
		if (complaint)
			panic("%s", complaint);
		REQUIRE(v->reinject & EVENT_VALID);
	}
	v->work = 0;
	memset(&s, 0, sizeof(s));
	vmcs_read_entry_state(&s);
	complaint = entry_check(&s);
	if (complaint)
		panic("%s", complaint);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vcpu v;
	struct ept ept;

	in    = (struct input){ data, size };
	stops = 0;
	begin(&v, &ept);
	judge(&v);
	while (in.left && !stops) {
		const u32 reason = (u32)take(&in, 1);

		if (reason & 0x80) {
			guest_acts(&v);
			judge(&v);
			continue;
		}
		/* Our own mistake, and a machine's: both are panics. */
		if (reason == EXIT_REASON_EPT_MISCONFIG ||
		    reason >= VCPU_EXIT_REASON_COUNT + 8 ||
		    (is_privileged(reason) && vcpu_cpl(&v) != 0))
			continue;
		guest_exits(&v, reason);

		const enum verdict verdict = exit_dispatch(&v, reason);

		REQUIRE(stops == (verdict == RUN_STOP));
		REQUIRE(verdict != RUN_BLOCK);
		if (verdict == RUN_STOP)
			break;
		judge_retired(&v);
		judge(&v);
	}
	fpu_put(&v.fpu);
	fpu_destroy(&v.fpu);
	free(memory);
	return 0;
}

/* One exit: reason, qualification, choice, addresses, error code, registers. */
static void seed_exit(u8 *s, size_t *at, u8 reason, u32 q, u32 rcx, u32 rax)
{
	s[(*at)++] = reason;
	s[(*at)++] = 0;
	put32(s + *at, q);
	*at += 4 + 3 + 1 + 2;
	s[(*at)++] = RCX | 4 << 4;
	put32(s + *at, rcx);
	*at += 4;
	s[(*at)++] = RAX | 4 << 4;
	put32(s + *at, rax);
	*at += 4;
	s[(*at)++] = RDX | 1 << 4;
	*at += 1;
	s[(*at)++] = RSI | 1 << 4;
	*at += 1;
}

static void fuzz_seeds(void)
{
	for (u8 mode = 0; mode < 3; mode++) {
		u8 s[512] = { mode };
		size_t at = 1;

		seed_exit(s, &at, EXIT_REASON_XSETBV, 0, 0, 0x602e7);
		seed_exit(s, &at, EXIT_REASON_MSR_WRITE, 0, MSR_IA32_XFD, 0);
		seed_exit(s, &at, EXIT_REASON_CR_ACCESS, 0x004, 0, 0x6a0);
		seed_exit(s, &at, EXIT_REASON_CR_ACCESS, 0x100, 0x80010031, 0);
		seed_exit(s, &at, EXIT_REASON_MSR_WRITE, 0, MSR_IA32_EFER,
			  0x901);
		seed_exit(s, &at, EXIT_REASON_IO_INSTRUCTION, 0x3f80030, 4, 1);
		seed_exit(s, &at, EXIT_REASON_EPT_VIOLATION, 0x182, 0, 1);
		seed_exit(s, &at, EXIT_REASON_CPUID, 0, 0, 1);
		seed_exit(s, &at, EXIT_REASON_HLT, 0, 0, 0);
		fuzz_seed(s, at);
	}
}

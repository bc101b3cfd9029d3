/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzer does: instructions with operands at their boundaries, in all
 * modes, and bytes that are no instruction anybody thought of. An INIT of
 * itself is a victim's.
 */
#include "fuzz/fuzz.h"

#include "conformance/sequence.h"
#include "lib/apic.h"
#include "lib/insn.h"
#include "lib/mode.h"
#include "lib/page.h"
#include "lib/serial.h"
#include "lib/xstate.h"

#define MSR_X2APIC_LAST 0x83fu
#define MSR_DEBUGCTL    0x1d9u
#define IOAPIC_MMIO     0xfec00000ul
#define PAGE_NUMBER     0xffffffffff000ul /* of a page-table entry */
#define BATCH           16u               /* of one kind, at most, in a round */
#define CR4_SMEP        BIT(20)
#define CR4_SMAP        BIT(21)
#define CR4_PKS         BIT(24)
#define EXIT_PORT       0xf4u
#define UART_PORT       0x3f8u
#define RESET_PORT      0xcf9u
#define KEYBOARD_PORT   0x64u
#define RTC_DATA        0x71u

/* ------------------------------------------------------------------- MSRs */

static const u32 known_msrs[] = {
	0x10,       0x1b,       0x3a,       0x3b,       0x48,       0x49,
	0x8b,       0xc1,       0xe7,       0xe8,       0xfe,       0x10a,
	0x10b,      0x174,      0x175,      0x176,      0x179,      0x186,
	0x1a0,      0x1c4,      0x1c5,      0x1d9,      0x200,      0x201,
	0x250,      0x26f,      0x277,      0x2ff,      0x345,      0x38f,
	0x3f1,      0x400,      0x480,      0x48b,      0x491,      0x560,
	0x600,      0x6a0,      0x6a2,      0x6e0,      0x6e1,      0x985,
	0xd90,      0xda0,      0xe1,       0xc0000080, 0xc0000081, 0xc0000082,
	0xc0000083, 0xc0000084, 0xc0000100, 0xc0000102, 0xc0000103, 0xc0010117,
};

static u32 any_msr(struct fuzz *z)
{
	switch (fuzz_pick(z, 8)) {
	case 0:
		return (u32)(MSR_X2APIC + fuzz_pick(z, 64));
	case 1:
		return (u32)fuzz_pick(z, 0x2000);
	case 2:
		return (u32)(0xc0000000 + fuzz_pick(z, 0x2000));
	case 3:
		return (u32)fuzz_number(z);
	case 4:
		return (u32)(MSR_X2APIC - 16 + fuzz_pick(z, 0x120));
	default:
		return known_msrs[fuzz_pick(z, ARRAY_SIZE(known_msrs))];
	}
}

static void do_rdmsr(struct fuzz *z)
{
	u64 val;

	for (u64 n = 1 + fuzz_pick(z, BATCH); n-- > 0;)
		fuzz_note(z, try_rdmsr(any_msr(z), &val).vector);
}

/* What our own footing needs, and commands to other CPUs. */
static bool is_ours(u32 msr)
{
	return msr == MSR_GS_BASE || msr == MSR_APIC_BASE ||
	       msr == MSR_X2APIC + APIC_REG_ICR;
}

/* What settle() must put right, if MSR has been written. */
static u32 unsettled_by(u32 msr)
{
	if (msr == MSR_EFER)
		return UNSETTLED_EFER;
	return (msr >= MSR_X2APIC && msr <= MSR_X2APIC_LAST) ||
			       msr == MSR_TSC_DEADLINE
		       ? UNSETTLED_APIC
		       : 0;
}

static void write_any_msr(struct fuzz *z)
{
	const u32 msr = any_msr(z);
	u64 old;

	if (is_ours(msr))
		return;
	const bool read = try_rdmsr(msr, &old).vector == TRAP_NONE;
	/* What the APIC has had to report, and when, is no seed's matter. */
	const u64 val   = unsettled_by(msr) || fuzz_pick(z, 2)
				  ? fuzz_number(z)
				  : old ^ BIT(fuzz_pick(z, 64));

	fuzz_note(z, try_wrmsr(msr, val).vector);
	z->unsettled |= unsettled_by(msr);
	if (msr == MSR_DEBUGCTL)
		try_wrmsr(msr, 0);
	else if (read && msr != MSR_TSC)
		try_wrmsr(msr, old);
}

static void do_wrmsr(struct fuzz *z)
{
	for (u64 n = 1 + fuzz_pick(z, BATCH); n-- > 0;)
		write_any_msr(z);
}

/* ------------------------------------------------------------------ ports */

static bool ends_the_vm(u16 port)
{
	return (port >= EXIT_PORT - 3 && port <= EXIT_PORT + 3) ||
	       (port >= RESET_PORT - 8 && port <= RESET_PORT + 8) ||
	       (port >= KEYBOARD_PORT - 3 && port <= KEYBOARD_PORT) ||
	       (port >= UART_PORT - 3 && port < UART_PORT + 8) ||
	       (port >= 0x600 && port < 0x610);
}

/* An access that may read the RTC's seconds, which two VMs do not share. */
static bool tells_time(u16 port)
{
	return port >= RTC_DATA - 3 && port <= RTC_DATA;
}

/* MOV DX, MOV ECX, and an access. Returns how many bytes at CODE. */
static u32 make_port(struct fuzz *z, u8 *code)
{
	static const u16 known[]   = { 0x20, 0x21, 0xa0, 0xa1, 0x40,  0x43,
				       0x61, 0x70, 0x71, 0x80, 0x2f8, 0xcf8 };
	static const u8 forms[][3] = {
		{ 0xec },       { 0xed },       { 0x66, 0xed }, { 0xee },
		{ 0xef },       { 0x66, 0xef }, { 0x6c },       { 0x6d },
		{ 0xf3, 0x6c }, { 0xf3, 0x6d }, { 0x6e },       { 0xf3, 0x6f },
		{ 0xf2, 0x6e },
	};
	static const u32 bytes[] = { 1, 1, 2, 1, 1, 2, 1, 1, 2, 2, 1, 2, 2 };
	const u32 form           = (u32)fuzz_pick(z, ARRAY_SIZE(forms));
	const u16 port           = fuzz_pick(z, 2)
					   ? known[fuzz_pick(z, ARRAY_SIZE(known))]
					   : (u16)fuzz_pick(z, 0x10000);
	const u8 count           = (u8)fuzz_pick(z, fuzz_pick(z, 16) ? 6 : 40);
	const u8 operands[]      = { 0x66, 0xba,  (u8)port, (u8)(port >> 8),
				     0xb9, count, 0,        0,
				     0 };
	const bool writes        = forms[form][bytes[form] - 1] & 2;

	if (ends_the_vm(port) || (!writes && tells_time(port)))
		return 0;
	memcpy(code, operands, sizeof(operands));
	memcpy(code + sizeof(operands), forms[form], bytes[form]);
	return (u32)sizeof(operands) + bytes[form];
}

static void do_port(struct fuzz *z)
{
	u8 code[BATCH * 12];
	u32 bytes = 0;

	for (u64 n = 1 + fuzz_pick(z, BATCH); n-- > 0;)
		bytes += make_port(z, code + bytes);
	fuzz_code(z, code, bytes, fuzz_pick(z, 8) == 0, false);
}

/* ------------------------------------------------- CPUID, CR, DR, and more */

static void do_cpuid(struct fuzz *z)
{
	static const u32 bases[] = { 0, 0x40000000, 0x80000000, 0x20000000 };

	for (u64 n = 1 + fuzz_pick(z, BATCH); n-- > 0;) {
		const u64 leaf = bases[fuzz_pick(z, 4)] + fuzz_pick(z, 40);

		cpuid((u32)leaf, (u32)fuzz_pick(z, 20));
		fuzz_note(z, leaf);
	}
}

static void do_cr(struct fuzz *z)
{
	const u64 bit = BIT(fuzz_pick(z, 64));

	switch (fuzz_pick(z, 5)) {
	case 0:
		fuzz_note(z, try_write_cr0(z->cr0 ^ bit).vector);
		break;
	case 1: /* our pages are the user's: not these */
		fuzz_note(z, try_write_cr4((z->cr4 ^ bit) &
					   ~(CR4_SMEP | CR4_SMAP | CR4_PKS))
				     .vector);
		break;
	case 2:
		fuzz_note(z, TRY("mov %0, %%cr3",
				 :
				 : "r"(read_cr3() ^
				       (fuzz_pick(z, 2) ? bit | BIT(63) : 0))
				 : "memory")
				     .vector);
		break;
	case 3:
		fuzz_note(z, TRY("mov %0, %%cr8",
				 :
				 : "r"(fuzz_number(z)))
				     .vector);
		break;
	default:
		fuzz_note(z, TRY("lmsw %w0",
				 :
				 : "r"(lo32(z->cr0) | lo32(bit & 0xfffe)))
				     .vector);
	}
}

static void do_dr(struct fuzz *z)
{
	const u64 val = fuzz_number(z);

	switch (fuzz_pick(z, 4)) {
	case 0:
		write_dr0(val);
		break;
	case 1:
		fuzz_note(z, TRY("mov %0, %%dr6", : : "r"(val)).vector);
		break;
	case 2: /* breakpoints in our own way, but no general detect */
		fuzz_note(z, TRY("mov %0, %%dr7",
				 :
				 : "r"(val & ~0x22ffull))
				     .vector);
		break;
	default:
		fuzz_note(z, TRY("mov %%dr4, %0", : "=r"((u64){ 0 })).vector);
	}
	write_dr7(0x400);
	write_dr6(0xffff0ff0);
}

#define INSN(...)                                                              \
	{                                                                      \
		{ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ })           \
	}

struct insn {
	u8 code[10];
	u32 bytes;
};

static const struct insn special[] = {
	INSN(0x0f, 0x01, 0xc1),             /* VMCALL */
	INSN(0x0f, 0x01, 0xc2),             /* VMLAUNCH */
	INSN(0x0f, 0x01, 0xc3),             /* VMRESUME */
	INSN(0x0f, 0x01, 0xc4),             /* VMXOFF */
	INSN(0xf3, 0x0f, 0xc7, 0x36),       /* VMXON [RSI] */
	INSN(0x0f, 0xc7, 0x36),             /* VMPTRLD [RSI] */
	INSN(0x0f, 0xc7, 0x3e),             /* VMPTRST [RSI] */
	INSN(0x66, 0x0f, 0xc7, 0x36),       /* VMCLEAR [RSI] */
	INSN(0x0f, 0x78, 0xc1),             /* VMREAD */
	INSN(0x0f, 0x79, 0xc1),             /* VMWRITE */
	INSN(0x66, 0x0f, 0x38, 0x80, 0x0e), /* INVEPT */
	INSN(0x66, 0x0f, 0x38, 0x81, 0x0e), /* INVVPID */
	INSN(0x66, 0x0f, 0x38, 0x82, 0x0e), /* INVPCID */
	INSN(0x0f, 0x01, 0xd4),             /* VMFUNC */
	INSN(0x0f, 0x01, 0xd9),             /* VMMCALL */
	INSN(0x0f, 0x01, 0xc8),             /* MONITOR */
	INSN(0x0f, 0x01, 0xc9),             /* MWAIT */
	INSN(0x0f, 0x01, 0xcf),             /* ENCLS */
	INSN(0x0f, 0x01, 0xc5),             /* PCONFIG */
	INSN(0x0f, 0x01, 0xee),             /* RDPKRU */
	INSN(0x0f, 0x37),                   /* GETSEC */
	INSN(0x0f, 0xaa),                   /* RSM */
	INSN(0x0f, 0x08),                   /* INVD */
	INSN(0x0f, 0x09),                   /* WBINVD */
	INSN(0x0f, 0x33),                   /* RDPMC */
	INSN(0x0f, 0x31),                   /* RDTSC */
	INSN(0x0f, 0x01, 0xf9),             /* RDTSCP */
	INSN(0x0f, 0xc7, 0xf0),             /* RDRAND */
	INSN(0x0f, 0xc7, 0xf8),             /* RDSEED */
	INSN(0x0f, 0x01, 0x3e),             /* INVLPG [RSI] */
	INSN(0x0f, 0x01, 0x06),             /* SGDT [RSI] */
	INSN(0x0f, 0x01, 0x0e),             /* SIDT [RSI] */
	INSN(0x0f, 0x00, 0xc8),             /* STR */
	INSN(0x0f, 0x00, 0xd0),             /* LLDT AX */
	INSN(0x0f, 0x00, 0xd8),             /* LTR AX */
	INSN(0x0f, 0x01, 0xd1),             /* XSETBV */
	INSN(0x0f, 0x01, 0xd0),             /* XGETBV */
	INSN(0xf3, 0x0f, 0xae, 0xf1),       /* UMONITOR */
	INSN(0x66, 0x0f, 0xae, 0xf1),       /* TPAUSE */
	INSN(0xf3, 0x90),                   /* PAUSE */
	INSN(0xf1),                         /* INT1 */
	INSN(0xcd, 0x07),                   /* INT 7 */
	INSN(0xcd, 0xf3),                   /* INT F3H */
	INSN(0x0f, 0x0b),                   /* UD2 */
	INSN(0x8e, 0xd8),                   /* MOV DS, AX */
	INSN(0x0f, 0x02, 0xc1),             /* LAR */
	INSN(0xfb, 0x0f, 0xa2),             /* STI; CPUID */
	INSN(0x8e, 0xd0, 0x0f, 0xa2),       /* MOV SS, AX; CPUID */
	INSN(0x9d),                         /* POPF */
	INSN(0xc7, 0xf8, 0, 0, 0, 0),       /* XBEGIN */
};

static void do_special(struct fuzz *z)
{
	const u32 i = (u32)fuzz_pick(z, ARRAY_SIZE(special));

	fuzz_code(z, special[i].code, special[i].bytes, fuzz_pick(z, 5) == 0,
		  fuzz_pick(z, 6) == 0);
}

/* One of the conformance image's steps: the extended state. */
static void do_xstate(struct fuzz *z)
{
	static u64 config[8];
	struct step s = {
		.area     = z->area,
		.config   = (u8 *)config,
		.nowhere  = (u64)z->area + AREA_PAGES * PAGE_BYTES,
		.readonly = (u64)z->area,
		.pushed   = (u64 *)z->stack_top - 2,
	};

	step_make(&s, random_next(&z->random), 0);
	if (!s.lone)
		fuzz_code(z, s.code, s.code_bytes - 1, s.user, false);
}

/* ------------------------------------------------------------------ memory */

static u64 any_physical(struct fuzz *z)
{
	switch (fuzz_pick(z, 6)) {
	case 0:
		return APIC_MMIO;
	case 1:
		return IOAPIC_MMIO;
	case 2:
		return guest.ram_end + fuzz_pick(z, 64) * PAGE_BYTES;
	case 3:
		return 0xc0000000 + fuzz_pick(z, 0x3ffff) * PAGE_BYTES;
	case 4:
		return guest.ram_end + (fuzz_number(z) & 0x7fffffffff000);
	default:
		return 0xa0000 + fuzz_pick(z, 96) * PAGE_BYTES;
	}
}

/* What the hypervisor decodes where there is no memory. */
static const struct insn moves[] = {
	INSN(0x8b, 0x06),                      /* MOV EAX, [RSI] */
	INSN(0x89, 0x06),                      /* MOV [RSI], EAX */
	INSN(0x8a, 0x06),                      /* MOV AL */
	INSN(0x88, 0x06),                      /* MOV [RSI], AL */
	INSN(0x48, 0x8b, 0x06),                /* MOV RAX */
	INSN(0x48, 0x89, 0x06),                /* MOV [RSI], RAX */
	INSN(0x66, 0x8b, 0x06),                /* MOV AX */
	INSN(0xc7, 0x06, 1, 2, 3, 4),          /* MOV [RSI], imm */
	INSN(0x0f, 0xb6, 0x06),                /* MOVZX */
	INSN(0x48, 0x63, 0x06),                /* MOVSXD */
	INSN(0xff, 0xe6),                      /* JMP RSI */
	INSN(0x67, 0x8b, 0x86, 0, 0, 0, 0),    /* [ESI] */
	INSN(0x8b, 0x84, 0x26, 0x10, 0, 0, 0), /* SIB, disp32 */
};

/* Anything else there ends the VM (docs/caveats.md): these are for memory. */
static const struct insn accesses[] = {
	INSN(0xff, 0x06),                   /* INC [RSI] */
	INSN(0xf0, 0x0f, 0xc1, 0x06),       /* LOCK XADD */
	INSN(0x87, 0x06),                   /* XCHG */
	INSN(0x0f, 0xb1, 0x0e),             /* CMPXCHG */
	INSN(0x85, 0x06),                   /* TEST */
	INSN(0x3b, 0x06),                   /* CMP */
	INSN(0xa5),                         /* MOVSD */
	INSN(0xad),                         /* LODSD */
	INSN(0xff, 0x36),                   /* PUSH [RSI] */
	INSN(0x0f, 0x28, 0x06),             /* MOVAPS */
	INSN(0x0f, 0x29, 0x06),             /* MOVAPS to it */
	INSN(0xc5, 0xfc, 0x11, 0x06),       /* VMOVUPS */
	INSN(0x0f, 0xae, 0x06),             /* FXSAVE */
	INSN(0x48, 0x0f, 0xc7, 0x26),       /* XSAVEC */
	INSN(0x0f, 0xc3, 0x06),             /* MOVNTI */
	INSN(0x66, 0x0f, 0x38, 0xf6, 0x06), /* ADCX */
	INSN(0x0f, 0x38, 0xf1, 0x06),       /* MOVBE */
};

/* One access of an odd page, decoded by the CPU or by the hypervisor. */
static void do_page(struct fuzz *z)
{
	const bool ram         = fuzz_pick(z, 3) == 0;
	const u64 at           = ram ? (u64)z->scratch : any_physical(z);
	/* Sometimes another bit, of the address too; for RAM: PS, reserved, NX.
	 */
	static const u32 odd[] = { 7, 51, 63 };
	const u32 bit          = ram ? odd[fuzz_pick(z, ARRAY_SIZE(odd))]
				     : (u32)(7 + fuzz_pick(z, 57));
	const u64 flags        = PTE_PRESENT | (fuzz_number(z) & 0x1e) |
			  (fuzz_pick(z, 8) ? 0 : BIT(bit));
	const struct insn *insn =
		ram && fuzz_pick(z, 4)
			? &accesses[fuzz_pick(z, ARRAY_SIZE(accesses))]
			: &moves[fuzz_pick(z, ARRAY_SIZE(moves))];
	const bool apic = ((at | flags) & PAGE_NUMBER) == APIC_MMIO;
	/* Commands to other CPUs have a primitive of their own. */
	const u32 offset =
		(u32)(apic ? fuzz_pick(z, 48) * 16 : fuzz_pick(z, PAGE_BYTES));

	if (apic && !z->x2apic) {
		z->unsettled |= UNSETTLED_APIC;
		if (offset / 16 == APIC_REG_ID)
			return;
	}
	z->rsi = (u64)window_map(PAGE_ODD, (void *)at, flags) + offset;
	fuzz_code(z, insn->code, insn->bytes, fuzz_pick(z, 4) == 0, true);
	z->rsi = 0;
	window_map(PAGE_ODD, NULL, 0);
}

/* -------------------------------------------------------------------- APIC */

/* As an interrupt, #AC or #CP has no error code, and its stub counts on one. */
static bool has_error(u8 vector)
{
	return vector == TRAP_AC || vector == TRAP_CP;
}

static void apic_access(struct fuzz *z, u32 reg)
{
	const bool write = fuzz_pick(z, 2);
	u64 val          = fuzz_number(z);

	if (has_error((u8)val))
		val ^= BIT(7);
	if (z->x2apic)
		fuzz_note(z, write ? try_wrmsr(MSR_X2APIC + reg, val).vector
				   : try_rdmsr(MSR_X2APIC + reg, &val).vector);
	else if (!write)
		fuzz_apic_read(z, reg);
	else if (reg != APIC_REG_ID) /* it is where our NMIs are sent to */
		fuzz_apic_write(z, reg, lo32(val));
}

static void do_apic(struct fuzz *z)
{
	z->unsettled |= UNSETTLED_APIC;
	for (u64 n = 1 + fuzz_pick(z, BATCH); n-- > 0;) {
		const u32 reg = (u32)fuzz_pick(z, 0x40);

		if (reg != APIC_REG_ICR && reg != APIC_REG_ICR_HIGH)
			apic_access(z, reg);
	}
}

/* Anything but an INIT to ourselves or to the watchdog; HLT where SIPIs go. */
static void do_ipi(struct fuzz *z)
{
	const u32 victims =
		guest.vcpus > CPU_VICTIM ? guest.vcpus - CPU_VICTIM : 0;
	const u32 mode = (u32)fuzz_pick(z, 8) << 8;
	u32 to         = 0;
	u32 icr        = mode | (u32)(32 + fuzz_pick(z, 224));

	if (victims && fuzz_pick(z, 4))
		to = CPU_VICTIM + (u32)fuzz_pick(z, victims);
	if (!to)
		icr &= ~0x700u; /* fixed */
	else if (mode == (APIC_STARTUP & 0x700))
		icr = APIC_STARTUP |
		      (fuzz_pick(z, 4)
			       ? HALT_START >> 12 | (u32)fuzz_pick(z, 0x40)
			       : SELF_INIT >> 12);
	if (fuzz_pick(z, 4) == 0)
		icr |= (u32)fuzz_number(z) & 0xa000; /* level, trigger */
	if (z->x2apic) {
		fuzz_note(z, try_wrmsr(MSR_X2APIC + APIC_REG_ICR,
				       (u64)to << 32 | icr)
				     .vector);
		return;
	}
	fuzz_apic_write(z, APIC_REG_ICR_HIGH, to << 24);
	fuzz_apic_write(z, APIC_REG_ICR, icr);
}

/* --------------------------------------------------------- bytes and modes */

/*
 * Instructions that would take our footing away: GS, tables, far transfers,
 * HLT, our own ICR by WRMSR.
 */
enum {
	BAD           = 1,
	BAD_BEHIND_0F = 2,
	BAD_REAL      = 4,  /* STI and POPF; what changes SP */
	BAD_MODRM     = 8,  /* the same for the second and later bytes */
	BAD_COMPAT    = 16, /* GS, which is still that of 64-bit mode */
};
static u8 bad[256];

void fuzz_primitive_init(void)
{
	static const u8 one[] = { 0x8e, 0xcf, 0xcb, 0xca, 0xf4, 0x9a, 0xea,
				  0xff, 0x62, 0xc4, 0xc5, 0x17, 0x1f, 0x07,
				  0xe6, 0xe7, 0xee, 0xef, 0x6e, 0x6f, 0x67 };
	static const u8 two[] = { 0x00, 0x01, 0x05, 0x07, 0x22, 0x23,
				  0x30, 0x34, 0x35, 0xa1, 0xa9, 0xaa,
				  0xae, 0xb2, 0xb4, 0xb5 };

	/* Near 0 SP has no room for an event, which then shuts the CPU down. */
	static const u8 real[] = { 0xfb, 0x9d, 0x44, 0x4c, 0x5c,
				   0x94, 0xbc, 0xc8, 0xc9 };

	for (u32 i = 0; i < sizeof(one); i++)
		bad[one[i]] |= BAD;
	for (u32 i = 0; i < sizeof(two); i++)
		bad[two[i]] |= BAD_BEHIND_0F;
	for (u32 i = 0; i < sizeof(real); i++)
		bad[real[i]] |= BAD_REAL;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		if ((i & 0x38) == 0x20 || (i & 0xc7) == 0xc4)
			bad[i] |= BAD_MODRM; /* SP by its number */
	bad[0x65] |= BAD_COMPAT;
}

static bool is_bad(const u8 *code, u32 bytes, u32 kinds)
{
	u32 what = kinds & ~(u32)BAD_MODRM;

	for (u32 i = 0; i < bytes; i++) {
		if (bad[code[i]] & what)
			return true;
		what = code[i] == 0x0f ? kinds | BAD_BEHIND_0F : kinds;
	}
	return false;
}

static void any_bytes(struct fuzz *z, u8 *code, u32 bytes, u32 kinds)
{
	do {
		for (u32 i = 0; i < bytes; i++)
			code[i] = (u8)fuzz_pick(z, 256);
		if (fuzz_pick(z, 2))
			code[0] = 0x0f;
	} while (is_bad(code, bytes, kinds));
}

static void do_bytes(struct fuzz *z)
{
	u8 code[16];

	any_bytes(z, code, sizeof(code), BAD);
	fuzz_code(z, code, sizeof(code), fuzz_pick(z, 2), true);
}

/*
 * Exits while nothing could deliver an event: with any IDTR, GDTR or GS.
 * Nothing raises one meanwhile, but an NMI for a guest that stands still.
 */
static void do_footing(struct fuzz *z)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) odd, good;
	const u32 leaf = (u32)fuzz_pick(z, 40);
	const u64 gs   = rdmsr(MSR_GS_BASE);

	/* Canonical, or there is a #GP and all stays as it is. */
	odd.limit = (u16)fuzz_number(z);
	odd.base  = (u64)((int64_t)(fuzz_number(z) << 16) >> 16);
	switch (fuzz_pick(z, 3)) {
	case 0:
		asm volatile("sidt %0; lidt %1" : "=m"(good) : "m"(odd));
		cpuid(leaf, 0);
		asm volatile("lidt %0" : : "m"(good));
		break;
	case 1:
		asm volatile("sgdt %0; lgdt %1" : "=m"(good) : "m"(odd));
		cpuid(leaf, 0);
		asm volatile("lgdt %0" : : "m"(good));
		break;
	default:
		wrmsr(MSR_GS_BASE, odd.base);
		cpuid(leaf, 0);
		wrmsr(MSR_GS_BASE, gs);
	}
}

/* An offset into the pen, or any number. */
static u32 pen_number(struct fuzz *z)
{
	const u32 r = (u32)random_next(&z->random);

	return fuzz_pick(z, 4) ? r % PEN_BYTES : r;
}

/*
 * One instruction of any bytes in another mode: its segments are the pen, or
 * cannot reach beyond it. In protected and virtual-8086 mode at CPL 3, so that
 * an event finds a stack whatever has become of ESP.
 */
static void do_pen(struct fuzz *z)
{
	static const struct {
		const char *name;
		u32 mode, code, data, eflags, bad;
	} ways[] = {
		{ "compatibility, 32-bit", MODE_COMPAT, SEL_PEN_CODE32,
		  SEL_PEN_DATA32, 0, BAD_COMPAT },
		{ "compatibility, 16-bit", MODE_COMPAT, SEL_PEN_CODE16,
		  SEL_PEN_DATA16, 0, BAD_COMPAT },
		{ "compatibility, CPL 0", MODE_COMPAT, SEL_PEN_KCODE32,
		  SEL_PEN_KDATA32, 0, BAD_COMPAT },
		{ "protected, 32-bit", MODE_PROTECTED, SEL_PEN_CODE32,
		  SEL_PEN_DATA32, 0, 0 },
		{ "protected, 16-bit", MODE_PROTECTED, SEL_PEN_CODE16,
		  SEL_PEN_DATA16, 0, 0 },
		{ "PAE, 32-bit", MODE_PAE, SEL_PEN_CODE32, SEL_PEN_DATA32, 0,
		  0 },
		{ "PAE, 16-bit", MODE_PAE, SEL_PEN_CODE16, SEL_PEN_DATA16, 0,
		  0 },
		{ "virtual-8086", MODE_PROTECTED, PEN >> 4, PEN >> 4, RFLAGS_VM,
		  0 },
		{ "virtual-8086, PAE", MODE_PAE, PEN >> 4, PEN >> 4, RFLAGS_VM,
		  0 },
		{ "real", MODE_REAL, PEN >> 4, PEN >> 4, 0,
		  BAD_REAL | BAD_MODRM },
	};
	const u32 way       = (u32)fuzz_pick(z, ARRAY_SIZE(ways));
	struct mode_frame f = {
		.edi    = pen_number(z),
		.esi    = pen_number(z),
		.ebp    = pen_number(z),
		.ebx    = pen_number(z),
		.edx    = pen_number(z),
		.ecx    = pen_number(z),
		.eax    = pen_number(z),
		.eip    = (u32)fuzz_pick(z, PEN_BYTES - 32),
		.cs     = ways[way].code,
		.eflags = (u32)(BIT(1) | RFLAGS_TF) | ways[way].eflags,
		.esp    = 0x8000 | ((u32)fuzz_pick(z, 0x7ff0) & ~1u),
		.ss     = ways[way].data,
		.es     = ways[way].data,
		.ds     = ways[way].data,
		.fs     = ways[way].data,
		.gs     = ways[way].data,
	};
	u8 *at = (u8 *)(u64)PEN + f.eip;
	u8 code[16];

	any_bytes(z, code, sizeof(code), BAD | ways[way].bad);
	if (z->round >= z->shown_from)
		fuzz_show(code, sizeof(code), ways[way].name);
	memcpy(at, code, sizeof(code));
	const u64 vector = ways[way].mode == MODE_COMPAT
				   ? fuzz_compat(z, &f)
				   : mode_enter(ways[way].mode, &f);

	memset(at, 0xcc, sizeof(code));
	fuzz_note(z, vector);
	if (z->round >= z->shown_from)
		printk("#   vector %lu\n", vector);
}

static const struct insn legacy[] = {
	INSN(0x0f, 0xa2),                         /* CPUID */
	INSN(0x0f, 0x32),                         /* RDMSR */
	INSN(0xec),                               /* IN AL, DX */
	INSN(0xed),                               /* IN eAX, DX */
	INSN(0x66, 0xed),                         /* IN, the other size */
	INSN(0x0f, 0x20, 0xc0),                   /* MOV EAX, CR0 */
	INSN(0x0f, 0x20, 0xe0),                   /* MOV EAX, CR4 */
	INSN(0x0f, 0x01, 0xe0),                   /* SMSW */
	INSN(0x0f, 0x06),                         /* CLTS */
	INSN(0x0f, 0x09),                         /* WBINVD */
	INSN(0x0f, 0x08),                         /* INVD */
	INSN(0x0f, 0x31),                         /* RDTSC */
	INSN(0x0f, 0x33),                         /* RDPMC */
	INSN(0x0f, 0x01, 0xd0),                   /* XGETBV */
	INSN(0x0f, 0x01, 0xd1),                   /* XSETBV */
	INSN(0x0f, 0x01, 0xc1),                   /* VMCALL */
	INSN(0x0f, 0x01, 0xc2),                   /* VMLAUNCH */
	INSN(0x0f, 0x01, 0xc8),                   /* MONITOR */
	INSN(0x0f, 0xaa),                         /* RSM */
	INSN(0x0f, 0x37),                         /* GETSEC */
	INSN(0x0f, 0x00, 0xc8),                   /* STR */
	INSN(0x0f, 0x00, 0xd0),                   /* LLDT */
	INSN(0xd4, 0x00),                         /* AAM 0 */
	INSN(0xd5, 0x11),                         /* AAD */
	INSN(0x27),                               /* DAA */
	INSN(0xcd, 0x20),                         /* INT 20H */
	INSN(0xce),                               /* INTO */
	INSN(0xf1),                               /* INT1 */
	INSN(0x0f, 0x0b),                         /* UD2 */
	INSN(0x63, 0xc1),                         /* ARPL */
	INSN(0x0f, 0x02, 0xc1),                   /* LAR */
	INSN(0x9c, 0x9d),                         /* PUSHF; POPF */
	INSN(0x0f, 0xc7, 0xf0),                   /* RDRAND */
	INSN(0xc4, 0xe2, 0x78, 0x49, 0xc0),       /* TILERELEASE */
	INSN(0x0f, 0xae, 0xf0),                   /* MFENCE */
	INSN(0xd9, 0xee),                         /* FLDZ */
	INSN(0x0f, 0x57, 0xc0),                   /* XORPS */
	INSN(0xbf, 0x00, 0xa0, 0x00, 0x00, 0x6c), /* INSB to A000H */
	INSN(0xbe, 0x00, 0xa0, 0x00, 0x00, 0x6e), /* OUTSB */
	INSN(0xfb, 0x0f, 0xa2, 0xfa),             /* STI; CPUID; CLI */
	INSN(0x16, 0x17, 0x0f, 0xa2),             /* PUSH SS; POP SS; CPUID */
};

static void do_mode(struct fuzz *z)
{
	static const u32 modes[] = { MODE_COMPAT, MODE_PROTECTED,   MODE_REAL,
				     MODE_V86,    MODE_PROTECTED16, MODE_PAE };
	const u32 mode           = modes[fuzz_pick(z, ARRAY_SIZE(modes))];
	const u32 i              = (u32)fuzz_pick(z, ARRAY_SIZE(legacy));
	const u32 port           = (u32)fuzz_pick(z, 0x10000);

	if (ends_the_vm((u16)port) || tells_time((u16)port))
		return;
	if (z->round >= z->shown_from)
		printk("#   mode %u, instruction %u\n", mode, i);
	fuzz_note(z, mode_run(mode, legacy[i].code, legacy[i].bytes,
			      (u32)fuzz_number(z), port, (u32)fuzz_number(z)));
}

static const struct {
	const char *name;
	void (*make)(struct fuzz *z);
	u32 weight;
} kinds[] = {
	{ "rdmsr", do_rdmsr, 12 },
	{ "wrmsr", do_wrmsr, 8 },
	{ "port", do_port, 12 },
	{ "cpuid", do_cpuid, 6 },
	{ "cr", do_cr, 8 },
	{ "dr", do_dr, 3 },
	{ "special", do_special, 12 },
	{ "xstate", do_xstate, 10 },
	{ "page", do_page, 14 },
	{ "apic", do_apic, 6 },
	{ "ipi", do_ipi, 4 },
	{ "bytes", do_bytes, 10 },
	{ "mode", do_mode, 4 },
	{ "pen", do_pen, 8 },
	{ "footing", do_footing, 3 },
};

void fuzz_primitive(struct fuzz *z)
{
	u32 all = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		all += kinds[i].weight;
	u64 at = fuzz_pick(z, all);

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (at < kinds[i].weight) {
			fuzz_note(z, i);
			if (z->round >= z->shown_from)
				printk("# round %lu: %s, hash %lx\n", z->round,
				       kinds[i].name, z->hash);
			kinds[i].make(z);
			return;
		}
		at -= kinds[i].weight;
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * What a step may be. Every kind is an instruction whose operands come from the
 * step's own random numbers, so that leaving other steps out does not change
 * it. Illegal operands are as welcome as legal ones.
 */
#include "conformance/sequence.h"

#include "lib/insn.h"

#define XSAVE_TAIL   1024 /* room before the end of what is there */
#define LEAF_XSTATE  0xd
#define LEAF_PALETTE 0x1d
#define LEAF_TMUL    0x1e

/* PT, PASID, CET_U, CET_S, HDC, UINTR, LBR, HWP; SDM 1, "XSAVE-Supported". */
#define SUPERVISOR_COMPONENTS (BIT(8) | 0x7ful << 10)

#define RFLAGS_ALWAYS BIT(1)
#define RFLAGS_POPPED 0x243dd5ul /* what POPF takes, but for NT and IOPL */

enum reg {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
};

#define EMIT(s, ...)                                                           \
	emit(s, (const u8[]){ __VA_ARGS__ },                                   \
	     sizeof((const u8[]){ __VA_ARGS__ }))

static void emit(struct step *s, const u8 *code, size_t bytes)
{
	memcpy(s->code + s->code_bytes, code, bytes);
	s->code_bytes += (u32)bytes;
}

u32 step_pick(struct step *s, u32 count)
{
	return (u32)((random_next(&s->random) >> 32) % count);
}

static bool one_in(struct step *s, u32 count)
{
	return step_pick(s, count) == 0;
}

u64 step_random(u64 seed, u32 index)
{
	u64 state = seed * 0x9e3779b97f4a7c15ul + index;

	random_next(&state);
	return random_next(&state) ^ seed << 17 ^ index;
}

static void set_edx_eax(struct step *s, u64 val)
{
	s->r[RAX] = lo32(val);
	s->r[RDX] = hi32(val);
}

/* ------------------------------------------------------------ MSRs and CRs */

static u64 any_xfd(struct step *s)
{
	switch (step_pick(s, 10)) {
	case 0 ... 4:
		return TILEDATA;
	case 5 ... 7:
		return 0;
	case 8:
		return BIT(step_pick(s, 64));
	default:
		return TILEDATA | BIT(step_pick(s, 20));
	}
}

static void wrmsr_xfd(struct step *s)
{
	s->r[RCX] = MSR_XFD;
	set_edx_eax(s, any_xfd(s));
	EMIT(s, 0x0f, 0x30);
}

static void wrmsr_err(struct step *s)
{
	wrmsr_xfd(s);
	s->r[RCX] = MSR_XFD_ERR;
}

static void rdmsr_xfd(struct step *s)
{
	s->r[RCX] = one_in(s, 3) ? MSR_XFD_ERR : MSR_XFD;
	EMIT(s, 0x0f, 0x32);
}

/* What a guest without supervisor components may write: 0. */
static void msr_xss(struct step *s)
{
	s->r[RCX] = MSR_XSS;
	set_edx_eax(s, one_in(s, 2) ? 0 : BIT(step_pick(s, 8)));
	if (one_in(s, 2))
		EMIT(s, 0x0f, 0x30);
	else
		EMIT(s, 0x0f, 0x32);
}

static u64 any_xcr0(struct step *s)
{
	switch (step_pick(s, 10)) {
	case 0 ... 4:
		return guest.xcr0_max;
	case 5:
		return guest.xcr0_max & ~XCR0_TILES;
	case 6:
		return XCR0_X87;
	case 7:
		return XCR0_X87 | XCR0_SSE | XCR0_TILES;
	case 8:
		return guest.xcr0_max ^ BIT(step_pick(s, 20));
	default:
		return BIT(step_pick(s, 64)) | XCR0_X87;
	}
}

static void xsetbv_any(struct step *s)
{
	s->r[RCX] = one_in(s, 12);
	set_edx_eax(s, any_xcr0(s));
	EMIT(s, 0x0f, 0x01, 0xd1);
}

static void xgetbv_any(struct step *s)
{
	s->r[RCX] = step_pick(s, 8) ? step_pick(s, 2) : 2;
	s->in_use = s->r[RCX] == 1;
	EMIT(s, 0x0f, 0x01, 0xd0);
}

static void clts_insn(struct step *s)
{
	EMIT(s, 0x0f, 0x06);
}

static void mov_cr0(struct step *s)
{
	u64 cr0 = read_cr0() & ~(CR0_TS | CR0_EM | CR0_MP);

	cr0 |= step_pick(s, 2) ? CR0_TS : 0;
	cr0 |= step_pick(s, 4) ? CR0_MP : 0;
	cr0 |= step_pick(s, 8) ? 0 : CR0_EM;
	s->r[RAX] = cr0;
	EMIT(s, 0x0f, 0x22, 0xc0);
}

static void mov_from_cr0(struct step *s)
{
	if (one_in(s, 2))
		EMIT(s, 0x0f, 0x20, 0xc0);
	else
		EMIT(s, 0x0f, 0x01, 0xe0); /* SMSW EAX */
}

static void lmsw(struct step *s)
{
	s->r[RAX] = CR0_PE | CR0_MP | (one_in(s, 2) ? CR0_TS : 0);
	EMIT(s, 0x0f, 0x01, 0xf0);
}

static void cr4_osxsave(struct step *s)
{
	s->r[RAX] = read_cr4() | CR4_OSXSAVE;
	if (one_in(s, 4))
		s->r[RAX] ^= CR4_OSXSAVE;
	EMIT(s, 0x0f, 0x22, 0xe0);
}

/*
 * What may differ under a hypervisor, and why: docs/differential.md. A guest
 * need not be offered every supervisor component of its machine.
 */
static u32 may_differ(const struct step *s)
{
	if (s->r[RAX] != LEAF_XSTATE)
		return 0;
	if (s->r[RCX] == 1)
		return BIT(RCX); /* the bits of IA32_XSS */
	if (SUPERVISOR_COMPONENTS >> s->r[RCX] & 1)
		return BIT(RAX) | BIT(RCX);
	return 0;
}

static void cpuid_xstate(struct step *s)
{
	static const u32 leaf[] = { LEAF_XSTATE, LEAF_XSTATE, LEAF_XSTATE,
				    LEAF_PALETTE, LEAF_TMUL };

	s->r[RAX]     = leaf[step_pick(s, ARRAY_SIZE(leaf))];
	s->r[RCX]     = step_pick(s, s->r[RAX] == LEAF_XSTATE ? 20 : 2);
	s->may_differ = may_differ(s);
	EMIT(s, 0x0f, 0xa2);
}

/* ------------------------------------------------------------------- tiles */

/* Where a memory operand points: the area, or where it must not. */
static u64 any_address(struct step *s, u32 align)
{
	switch (step_pick(s, 24)) {
	case 0:
		return s->nowhere;
	case 1:
		return s->nowhere - align; /* the end of what is there */
	case 2:
		return 0x8000000000000000ul;
	case 3:
		return s->readonly;
	case 4:
		return (u64)s->area + 8;
	default:
		return (u64)s->area;
	}
}

static void ldtilecfg_any(struct step *s)
{
	memcpy(s->config, tile_config_full, TILECFG_BYTES);
	s->r[RSI] = (u64)s->config;
	switch (step_pick(s, 10)) {
	case 0: /* one field wrong, or another shape */
		s->config[step_pick(s, TILECFG_BYTES)] = (u8)step_pick(s, 256);
		break;
	case 1: /* palette 0: released */
		memset(s->config, 0, TILECFG_BYTES);
		break;
	case 2: /* smaller tiles */
		for (u32 i = 0; i < 8; i++) {
			s->config[16 + 2 * i] =
				(u8)(4 * (1 + step_pick(s, 16)));
			s->config[48 + i] = (u8)(1 + step_pick(s, 16));
		}
		break;
	case 3:
		s->r[RSI] = any_address(s, 32);
		break;
	}
	EMIT(s, 0xc4, 0xe2, 0x78, 0x49, 0x06);
}

static void sttilecfg_any(struct step *s)
{
	s->r[RSI]  = any_address(s, 32);
	s->written = TILECFG_BYTES;
	EMIT(s, 0xc4, 0xe2, 0x79, 0x49, 0x06);
}

static void tilerelease_insn(struct step *s)
{
	EMIT(s, 0xc4, 0xe2, 0x78, 0x49, 0xc0);
}

static void tilezero_any(struct step *s)
{
	EMIT(s, 0xc4, 0xe2, 0x7b, 0x49, (u8)(0xc0 | step_pick(s, 8) << 3));
}

/* With RSI as base and RCX as stride. */
static void tile_memory(struct step *s, u8 prefix)
{
	static const u64 strides[] = { 64, 64, 64, 128, 0, 72 };

	s->r[RSI] = any_address(s, 512);
	s->r[RCX] = strides[step_pick(s, ARRAY_SIZE(strides))];
	EMIT(s, 0xc4, 0xe2, prefix, 0x4b, (u8)(0x04 | step_pick(s, 8) << 3),
	     0x0e);
}

static void tileload_any(struct step *s)
{
	tile_memory(s, one_in(s, 4) ? 0x79 : 0x7b);
}

static void tilestore_any(struct step *s)
{
	tile_memory(s, 0x7a);
	s->written = 2048;
}

/* All forms of TDP*, some with a tile named twice. */
static void tdp_any(struct step *s)
{
	const u32 dst = step_pick(s, 8);
	const u32 a   = step_pick(s, 8);
	const u32 b   = step_pick(s, 8);
	const u32 pp  = step_pick(s, 4);
	const u8 op   = one_in(s, 4) ? 0x5c : 0x5e; /* 5C: BF16 with F3 */

	EMIT(s, 0xc4, 0xe2, (u8)((~b & 0xf) << 3 | (op == 0x5c ? 2 : pp)), op,
	     (u8)(0xc0 | dst << 3 | a));
}

/* ------------------------------------------------------- the XSAVE family */

static u64 any_mask(struct step *s)
{
	switch (step_pick(s, 8)) {
	case 0 ... 2:
		return ~0ul;
	case 3:
		return TILEDATA;
	case 4:
		return XCR0_TILES;
	case 5:
		return guest.xcr0_max & ~TILEDATA;
	case 6:
		return random_next(&s->random);
	default:
		return XCR0_X87 | XCR0_SSE | TILEDATA;
	}
}

static void xsave_operands(struct step *s)
{
	s->r[RSI] = any_address(s, XSAVE_TAIL);
	set_edx_eax(s, any_mask(s));
	if (step_pick(s, 8))
		EMIT(s, 0x48);
}

static void save_any(struct step *s)
{
	static const u8 forms[][3] = {
		{ 0x0f, 0xae, 0x26 }, /* XSAVE */
		{ 0x0f, 0xae, 0x36 }, /* XSAVEOPT */
		{ 0x0f, 0xc7, 0x26 }, /* XSAVEC */
		{ 0x0f, 0xc7, 0x2e }, /* XSAVES */
	};
	const u32 form = step_pick(s, ARRAY_SIZE(forms));

	xsave_operands(s);
	if (s->r[RSI] == s->nowhere - XSAVE_TAIL) /* see area_settle() */
		s->r[RSI] = (u64)s->area;
	s->saves   = s->r[RSI] == (u64)s->area;
	s->written = AREA_BYTES * 3 / 4;
	s->packs   = form >= 2;
	emit(s, forms[form], sizeof(forms[form]));
}

/* A header as an operating system or an attacker would leave it. */
static void header_make(struct step *s)
{
	struct xsave_header *h = area_header(s->area);
	const u32 mxcsr        = 0x1f80;

	if (one_in(s, 4))
		return; /* what the last save left, or rubbish */
	memset(h, 0, sizeof(*h));
	h->xstate_bv = random_next(&s->random) & guest.xcr0_max;
	if (one_in(s, 2))
		h->xstate_bv |= TILEDATA;
	if (one_in(s, 3))
		h->xstate_bv &= XCR0_TILES;
	if (one_in(s, 2))
		h->xcomp_bv = XCOMP_PACKED | h->xstate_bv;
	if (one_in(s, 4) && h->xcomp_bv)
		h->xcomp_bv |= guest.xcr0_max;
	switch (step_pick(s, 24)) {
	case 0:
		h->xstate_bv |= BIT(step_pick(s, 64));
		break;
	case 1:
		h->xcomp_bv ^= BIT(step_pick(s, 64));
		break;
	case 2:
		h->reserved[step_pick(s, 6)] = BIT(step_pick(s, 64));
		break;
	}
	if (step_pick(s, 8))
		memcpy(s->area + 24, &mxcsr, sizeof(mxcsr));
	if (step_pick(s, 4)) /* no unmasked x87 exception waits */
		memcpy(s->area, &(const u32){ 0x0000037f }, 4);
}

static void restore_any(struct step *s)
{
	header_make(s);
	xsave_operands(s);
	if (one_in(s, 3))
		EMIT(s, 0x0f, 0xc7, 0x1e); /* XRSTORS */
	else
		EMIT(s, 0x0f, 0xae, 0x2e); /* XRSTOR */
}

static void fxsave_any(struct step *s)
{
	s->r[RSI] = any_address(s, 256);
	if (one_in(s, 2)) {
		s->written = 512;
		EMIT(s, 0x48, 0x0f, 0xae, 0x06);
	} else {
		header_make(s);
		EMIT(s, 0x48, 0x0f, 0xae, 0x0e);
	}
}

/* ---------------------------------------- the other components, and events */

#define INSN(...)                                                              \
	{                                                                      \
		{ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ })           \
	}

static const struct {
	u8 code[8];
	u32 bytes;
} vector_insns[] = {
	INSN(0xd9, 0xe8),                         /* FLD1 */
	INSN(0xdb, 0xe3),                         /* FNINIT */
	INSN(0xd8, 0xc1),                         /* FADD */
	INSN(0x9b),                               /* FWAIT */
	INSN(0xdf, 0xe0),                         /* FNSTSW AX */
	INSN(0x0f, 0x77),                         /* EMMS */
	INSN(0x0f, 0xef, 0xc1),                   /* PXOR MM0, MM1 */
	INSN(0x0f, 0x28, 0xc8),                   /* MOVAPS XMM1, XMM0 */
	INSN(0x0f, 0x58, 0xc1),                   /* ADDPS */
	INSN(0x66, 0x0f, 0x76, 0xd2),             /* PCMPEQD XMM2, XMM2 */
	INSN(0x0f, 0x5e, 0xc3),                   /* DIVPS */
	INSN(0x0f, 0xae, 0x16),                   /* LDMXCSR [RSI] */
	INSN(0xc5, 0xfc, 0x58, 0xca),             /* VADDPS YMM1 */
	INSN(0xc5, 0xed, 0x76, 0xda),             /* VPCMPEQD YMM3 */
	INSN(0xc5, 0xfc, 0x77),                   /* VZEROALL */
	INSN(0xc5, 0xf8, 0x77),                   /* VZEROUPPER */
	INSN(0x62, 0xf1, 0x6d, 0x48, 0xfe, 0xe2), /* VPADDD ZMM4 */
	INSN(0x62, 0xa1, 0x6d, 0x40, 0xfe, 0xe2), /* VPADDD ZMM20 */
	INSN(0xc4, 0xe1, 0xfb, 0x92, 0xd8),       /* KMOVQ K3, RAX */
	INSN(0xc4, 0xe1, 0xfb, 0x93, 0xc3),       /* KMOVQ RAX, K3 */
	INSN(0x66, 0x48, 0x0f, 0x7e, 0xc0),       /* MOVQ RAX, XMM0 */
};

static void vector_any(struct step *s)
{
	const u32 i = step_pick(s, ARRAY_SIZE(vector_insns));

	s->r[RSI] = (u64)s->area + 24;
	emit(s, vector_insns[i].code, vector_insns[i].bytes);
}

static const struct {
	u8 code[8];
	u32 bytes;
} event_insns[] = {
	INSN(0xcc),             /* INT3 */
	INSN(0xcd, IRQ_VECTOR), /* INT n */
	INSN(0xf1),             /* INT1 */
	INSN(0x0f, 0x0b),       /* UD2 */
	INSN(0xf3, 0x90),       /* PAUSE */
	INSN(0x90),             /* NOP */
	INSN(0xfa),             /* CLI */
	INSN(0x9d),             /* POPF: an address, TF and all */
};

static void event_any(struct step *s)
{
	const u32 i = step_pick(s, ARRAY_SIZE(event_insns));

	emit(s, event_insns[i].code, event_insns[i].bytes);
}

/* STI; HLT with the interrupt already there. */
static void hlt(struct step *s)
{
	s->lone        = true;
	s->interrupted = true;
	EMIT(s, 0xfb, 0xf4);
}

static const struct {
	const char *name;
	void (*make)(struct step *s);
	u32 weight;
} kinds[] = {
	{ "wrmsr-xfd", wrmsr_xfd, 10 },
	{ "wrmsr-xfd-err", wrmsr_err, 5 },
	{ "rdmsr", rdmsr_xfd, 6 },
	{ "xss", msr_xss, 1 },
	{ "xsetbv", xsetbv_any, 5 },
	{ "xgetbv", xgetbv_any, 4 },
	{ "clts", clts_insn, 4 },
	{ "mov-cr0", mov_cr0, 3 },
	{ "read-cr0", mov_from_cr0, 1 },
	{ "lmsw", lmsw, 1 },
	{ "cr4", cr4_osxsave, 1 },
	{ "cpuid", cpuid_xstate, 3 },
	{ "ldtilecfg", ldtilecfg_any, 9 },
	{ "sttilecfg", sttilecfg_any, 3 },
	{ "tilerelease", tilerelease_insn, 3 },
	{ "tilezero", tilezero_any, 4 },
	{ "tileload", tileload_any, 9 },
	{ "tilestore", tilestore_any, 6 },
	{ "tdp", tdp_any, 5 },
	{ "save", save_any, 8 },
	{ "restore", restore_any, 8 },
	{ "fxsave", fxsave_any, 2 },
	{ "vector", vector_any, 8 },
	{ "event", event_any, 3 },
	{ "hlt", hlt, 2 },
};

static void kind_make(struct step *s)
{
	u32 all = 0, at;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		all += kinds[i].weight;
	at = step_pick(s, all);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (at < kinds[i].weight) {
			s->name = kinds[i].name;
			kinds[i].make(s);
			return;
		}
		at -= kinds[i].weight;
	}
}

static void prefix(struct step *s, const u8 *code, u32 bytes)
{
	memmove(s->code + bytes, s->code, s->code_bytes);
	memcpy(s->code, code, bytes);
	s->code_bytes += bytes;
	s->insn = bytes;
}

/* What is around the instruction: before it in the code, and in RFLAGS. */
static void surround(struct step *s)
{
	static const u8 sti_insn[]    = { 0xfb };
	static const u8 mov_ss_insn[] = { 0x41, 0x8e, 0xd0 }; /* from R8W */

	s->user = one_in(s, 6);
	switch (step_pick(s, 20)) {
	case 0:
		s->rflags |= RFLAGS_TF;
		break;
	case 1:
		s->watch = WATCH_CODE;
		break;
	case 2:
		s->watch = WATCH_DATA;
		break;
	case 3:
		s->interrupted = true;
		s->rflags |= RFLAGS_IF;
		break;
	case 4:
		s->interrupted = true;
		prefix(s, sti_insn, sizeof(sti_insn));
		break;
	case 5:
		s->r[R8] = SEL_DATA;
		prefix(s, mov_ss_insn, sizeof(mov_ss_insn));
		if (one_in(s, 2))
			s->rflags |= RFLAGS_TF;
		break;
	}
}

void step_make(struct step *s, u64 seed, u32 index)
{
	s->random     = step_random(seed, index);
	s->rflags     = RFLAGS_ALWAYS;
	s->answers_nm = one_in(s, 2);
	for (u32 i = 0; i < 16; i++)
		s->r[i] = 0x0101010101010101ul * (i + 1);
	*s->pushed = random_next(&s->random) & RFLAGS_POPPED;
	kind_make(s);
	if (!s->lone)
		surround(s);
	EMIT(s, 0xcc);
}

/* SPDX-License-Identifier: MIT */
/*
 * The CPUID policy. A bit that is not in a list below is 0 for every guest, so
 * that a newer CPU adds nothing that we do not carry.
 */
#include "guest/cpuid.h"

#include "boot/lib/string.h"
#include "fpu/xstate.h"

#define EXTENDED 0x80000000u
#define ALL      0xffffffffu

#define LEAF_CACHE     0x4
#define LEAF_TOPOLOGY  0xb
#define LEAF_XSTATE    0xd
#define LEAF_TSC       0x15
#define LEAF_FREQUENCY 0x16
#define LEAF_PALETTE   0x1d
#define LEAF_TMUL      0x1e
#define LEAF_TOPOLOGY2 0x1f

/* CPUID.1EH.1:EAX: INT8, BF16, COMPLEX, FP16, as leaf 7 shows them. */
#define TMUL_FEATURES FIELD(3, 0)

/* CPUID.1:ECX. Not here: DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, CNXT-ID,
 * SDBG, xTPR, PDCM, PCID, DCA; the hypervisor bit is the VM's own. */
#define FEATURES_1C                                                            \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(19) | BIT(20) |    \
	 BIT(22) | BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
#define X2APIC       BIT(21) /* ours, whatever the machine has */
#define TSC_DEADLINE BIT(24)
#define HYPERVISOR   BIT(31)

/* CPUID.1:EDX. Not here: PSN, DS, ACPI, TM, PBE; HTT is the VM's own. */
#define FEATURES_1D (FIELD(9, 0) | FIELD(17, 11) | BIT(19) | FIELD(27, 23))
#define HTT         BIT(28)

/* CPUID.7.0:EBX: FSGSBASE, TSC_ADJUST, BMI1, AVX2, FDP_EXCPTN_ONLY, SMEP, BMI2,
 * ERMS, no FCS and FDS, AVX512F, DQ, RDSEED, ADX, SMAP, IFMA, CLFLUSHOPT, CLWB,
 * AVX512CD, SHA, BW, VL. Not here: SGX, HLE, INVPCID, RTM, RDT, MPX, PT. */
#define FEATURES_7B                                                            \
	(FIELD(1, 0) | BIT(3) | FIELD(9, 5) | BIT(13) | FIELD(21, 16) |        \
	 BIT(23) | BIT(24) | FIELD(31, 28))

/* CPUID.7.0:ECX: PREFETCHWT1, VBMI, UMIP, PKU, VBMI2, GFNI, VAES, VPCLMULQDQ,
 * VNNI, BITALG, VPOPCNTDQ, CLDEMOTE, MOVDIRI, MOVDIR64B. Not here: WAITPKG,
 * CET, TME, LA57, RDPID (with RDTSCP below), KL, ENQCMD, SGX_LC, PKS. */
#define FEATURES_7C                                                            \
	(FIELD(3, 0) | BIT(6) | FIELD(12, 8) | BIT(14) | BIT(25) | BIT(27) |   \
	 BIT(28))
#define RDPID BIT(22)

/* CPUID.7.0:EDX: FSRM, VP2INTERSECT, MD_CLEAR, SERIALIZE, AVX512_FP16. Not
 * here: UINTR, RTM bits, HYBRID, PCONFIG, ARCH_LBR, CET, and the MSRs of the
 * speculation controls. */
#define FEATURES_7D (BIT(4) | BIT(8) | BIT(10) | BIT(14) | BIT(23))
#define AMX_7D      (BIT(22) | BIT(24) | BIT(25)) /* BF16, TILE, INT8 */

/* CPUID.7.1:EAX: SHA512, SM3, SM4, AVX_VNNI, AVX512_BF16, FZRM, FSRS, FSRC,
 * AVX_IFMA; EDX: AVX_VNNI_INT8, AVX_NE_CONVERT, AVX_VNNI_INT16, PREFETCHI. */
#define FEATURES_7_1A (FIELD(2, 0) | FIELD(5, 4) | FIELD(12, 10) | BIT(23))
#define FEATURES_7_1D (FIELD(5, 4) | BIT(10) | BIT(14))
#define AMX_7_1A      BIT(21) /* FP16 */
#define AMX_7_1D      BIT(8)  /* COMPLEX */

#define XSAVE_FORMS FIELD(3, 0) /* 0DH.1:EAX: XSAVEOPT, XSAVEC, XGETBV1, .. */
#define XSAVES      BIT(3)
#define XFD         BIT(4)
#define SUB_XFD     BIT(2) /* 0DH.n:ECX */

/* CPUID.80000001H: LAHF, LZCNT, PREFETCHW; SYSCALL, NX, 1 GiB pages, LM. */
#define FEATURES_X1C (BIT(0) | BIT(5) | BIT(8))
#define FEATURES_X1D (BIT(11) | BIT(20) | BIT(26) | BIT(29))
#define RDTSCP       BIT(27)

#define INVARIANT_TSC BIT(8)
#define ARAT          BIT(2)
#define EPT_GPA_BITS  48
#define TICK_DEFAULT  64 /* if the machine does not tell its crystal clock */

/* The leaves that pass by masks alone; those with more to do are below. */
struct rule {
	u32 leaf, subleaf;
	u32 eax, ebx, ecx, edx;
	u32 amx_eax, amx_edx; /* more, with AMX */
};

/* clang-format off */
static const struct rule rules[] = {
	/* vendor */
	{ 0x0, 0, ALL, ALL, ALL, ALL, 0, 0 },
	/* signature; EBX: CLFLUSH size */
	{ 0x1, 0, ALL, 0xff00, FEATURES_1C, (u32)FEATURES_1D, 0, 0 },
	/* cache descriptors */
	{ 0x2, 0, ALL, ALL, ALL, ALL, 0, 0 },
	/* the APIC timer runs in every C-state, there being none */
	{ 0x6, 0, ARAT, 0, 0, 0, 0, 0 },
	{ 0x7, 0, ALL, (u32)FEATURES_7B, (u32)FEATURES_7C, FEATURES_7D,
	  0, AMX_7D },
	{ 0x7, 1, (u32)FEATURES_7_1A, 0, 0, (u32)FEATURES_7_1D,
	  AMX_7_1A, AMX_7_1D },
	{ LEAF_TSC, 0, ALL, ALL, ALL, 0, 0, 0 },
	/* base, maximum and bus frequency, for the log of the guest */
	{ LEAF_FREQUENCY, 0, ALL, ALL, ALL, 0, 0, 0 },
	{ EXTENDED, 0, ALL, 0, 0, 0, 0, 0 },
	{ EXTENDED + 1, 0, 0, 0, FEATURES_X1C, (u32)FEATURES_X1D, 0, 0 },
	/* brand string */
	{ EXTENDED + 2, 0, ALL, ALL, ALL, ALL, 0, 0 },
	{ EXTENDED + 3, 0, ALL, ALL, ALL, ALL, 0, 0 },
	{ EXTENDED + 4, 0, ALL, ALL, ALL, ALL, 0, 0 },
	/* L2 cache */
	{ EXTENDED + 6, 0, 0, 0, ALL, 0, 0, 0 },
	{ EXTENDED + 7, 0, 0, 0, 0, INVARIANT_TSC, 0, 0 },
	/* address widths */
	{ EXTENDED + 8, 0, 0xffff, 0, 0, 0, 0, 0 },
};
/* clang-format on */

static struct cpuid_regs host_regs(const struct cpuid_host *h, u32 leaf,
				   u32 subleaf)
{
	for (u32 i = 0; i < h->count; i++)
		if (h->entry[i].leaf == leaf && h->entry[i].subleaf == subleaf)
			return h->entry[i].r;
	return (struct cpuid_regs){ 0 };
}

bool cpuid_has_amx(const struct cpuid_host *host)
{
	const u32 both = (u32)XSTATE_AMX;

	return (host_regs(host, 7, 0).edx & BIT(24)) &&
	       (host_regs(host, LEAF_XSTATE, 0).eax & both) == both &&
	       (host_regs(host, LEAF_XSTATE, 1).eax & XFD) &&
	       (host_regs(host, LEAF_XSTATE, 18).ecx & SUB_XFD) &&
	       host_regs(host, LEAF_PALETTE, 0).eax >= 1 &&
	       host_regs(host, LEAF_PALETTE, 1).eax != 0;
}

static struct cpuid_leaf *leaf_of(struct cpuid_table *t, u32 leaf)
{
	return leaf < EXTENDED ? &t->basic[leaf]
			       : &t->extended[leaf - EXTENDED];
}

/* The next sub-leaf of LEAF answers R. */
static void add(struct cpuid_table *t, u32 leaf, struct cpuid_regs r)
{
	struct cpuid_leaf *l = leaf_of(t, leaf);

	if (t->used == CPUID_ANSWER_MAX)
		return;
	if (!l->count)
		l->first = (u8)t->used;
	l->count++;
	t->answer[t->used++] = r;
}

static void add_indexed(struct cpuid_table *t, u32 leaf, struct cpuid_regs r)
{
	leaf_of(t, leaf)->indexed = true;
	add(t, leaf, r);
}

/* Bits of a count of N, as topology leaves give it. */
static u32 id_bits(u32 n)
{
	u32 bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

static void add_features(struct cpuid_table *t, const struct cpuid_config *c,
			 struct cpuid_regs r)
{
	r.ecx |= (u32)(X2APIC | TSC_DEADLINE);
	if (c->hypervisor)
		r.ecx |= (u32)HYPERVISOR;
	if (c->vcpu_count > 1) {
		r.edx |= (u32)HTT;
		r.ebx |= (u32)min_u64(1u << id_bits(c->vcpu_count), 255) << 16;
	}
	add(t, 1, r);
	t->basic[1].fix[0] = CPUID_FEATURES;
}

/* Every vCPU is a core; the last level of cache is shared by all of them. */
static void add_caches(struct cpuid_table *t, const struct cpuid_host *h,
		       const struct cpuid_config *c)
{
	const u32 ids = (1u << id_bits(c->vcpu_count)) - 1;

	for (u32 i = 0; i < 8; i++) {
		struct cpuid_regs r = host_regs(h, LEAF_CACHE, i);
		const u32 level     = (u32)field_get(r.eax, 7, 5);

		if (!(r.eax & 0x1f))
			break;
		r.eax &= (u32)FIELD(13, 0);
		r.eax |= (u32)min_u64(ids, 63) << 26;
		if (level >= 3)
			r.eax |= ids << 14;
		add_indexed(t, LEAF_CACHE, r);
	}
}

static void add_topology(struct cpuid_table *t, const struct cpuid_config *c,
			 u32 leaf)
{
	const struct cpuid_regs thread = { 0, 1, 0x100, 0 };
	const struct cpuid_regs core = { id_bits(c->vcpu_count), c->vcpu_count,
					 0x201, 0 };

	add_indexed(t, leaf, thread);
	add_indexed(t, leaf, core);
	t->basic[leaf].fix[0] = CPUID_TOPOLOGY;
	t->basic[leaf].fix[1] = CPUID_TOPOLOGY;
}

static void add_xstate(struct cpuid_table *t, const struct cpuid_host *h,
		       const struct cpuid_config *c)
{
	const u64 all       = c->xcr0 | c->xss;
	struct cpuid_regs r = { lo32(c->xcr0), 0, c->xsave_bytes,
				hi32(c->xcr0) };

	if (!c->xcr0)
		return;
	add_indexed(t, LEAF_XSTATE, r);
	r     = (struct cpuid_regs){ .ecx = lo32(c->xss), .edx = hi32(c->xss) };
	r.eax = host_regs(h, LEAF_XSTATE, 1).eax & (u32)XSAVE_FORMS;
	if (!c->xsaves)
		r.eax &= (u32)~XSAVES;
	if (c->xfd)
		r.eax |= (u32)XFD;
	add_indexed(t, LEAF_XSTATE, r);
	for (u32 i = 2; i < XSTATE_COUNT && all >> i; i++) {
		r = (struct cpuid_regs){ 0 };
		if (all & BIT(i))
			r = host_regs(h, LEAF_XSTATE, i);
		r.edx = 0;
		if (!(c->xfd & BIT(i)))
			r.ecx &= (u32)~SUB_XFD;
		add_indexed(t, LEAF_XSTATE, r);
	}
	t->basic[LEAF_XSTATE].fix[0] = CPUID_STANDARD;
	t->basic[LEAF_XSTATE].fix[1] = CPUID_COMPACTED;
}

/* TMUL, and newer CPUs' sub-leaf 1, which repeats leaf 7's AMX features. */
static void add_tmul(struct cpuid_table *t, struct cpuid_regs limits,
		     struct cpuid_regs features)
{
	add_indexed(t, LEAF_TMUL,
		    (struct cpuid_regs){
			    .eax = (u32)min_u64(limits.eax, 1),
			    .ebx = limits.ebx,
		    });
	add_indexed(t, LEAF_TMUL,
		    (struct cpuid_regs){
			    .eax = features.eax & (u32)TMUL_FEATURES,
		    });
}

/* Palettes and TMUL. */
static void add_amx(struct cpuid_table *t, const struct cpuid_host *h)
{
	const u32 palettes = (u32)min_u64(host_regs(h, LEAF_PALETTE, 0).eax, 1);

	add_indexed(t, LEAF_PALETTE, (struct cpuid_regs){ .eax = palettes });
	for (u32 i = 1; i <= palettes; i++)
		add_indexed(t, LEAF_PALETTE, host_regs(h, LEAF_PALETTE, i));
	add_tmul(t, host_regs(h, LEAF_TMUL, 0), host_regs(h, LEAF_TMUL, 1));
}

/*
 * The guest's TSC is the machine's, and its APIC timer counts the crystal that
 * this leaf names; one is made up if the machine names none.
 */
static void add_tsc(struct cpuid_table *t, const struct cpuid_config *c,
		    struct cpuid_regs r)
{
	if (!r.eax || r.ebx % r.eax || !r.ecx) {
		r.eax = 1;
		r.ebx = TICK_DEFAULT;
		r.ecx = (u32)(c->tsc_hz / TICK_DEFAULT);
	}
	t->tsc_per_tick = r.ebx / r.eax;
	add(t, LEAF_TSC, r);
}

static void add_rule(struct cpuid_table *t, const struct cpuid_host *h,
		     const struct cpuid_config *c, const struct rule *rule)
{
	struct cpuid_regs r = host_regs(h, rule->leaf, rule->subleaf);

	r.eax &= rule->eax | (c->amx ? rule->amx_eax : 0);
	r.ebx &= rule->ebx;
	r.ecx &= rule->ecx;
	r.edx &= rule->edx | (c->amx ? rule->amx_edx : 0);
	switch (rule->leaf) {
	case 0:
		r.eax = t->max_basic;
		break;
	case 1:
		add_features(t, c, r);
		return;
	case 6:
		r.eax = ARAT;
		break;
	case 7:
		if (rule->subleaf == 0) {
			r.eax = (u32)min_u64(r.eax, 1);
			if (c->rdtscp)
				r.ecx |= host_regs(h, 7, 0).ecx & (u32)RDPID;
		}
		add_indexed(t, 7, r);
		t->basic[7].fix[0] = CPUID_PKE;
		return;
	case LEAF_TSC:
		add_tsc(t, c, r);
		return;
	case LEAF_FREQUENCY:
		/* Without it a kernel would measure, by clocks we lack. */
		if (!r.eax)
			r.eax = r.ebx = (u32)(c->tsc_hz / 1000000);
		break;
	case EXTENDED:
		r.eax = t->max_extended;
		break;
	case EXTENDED + 1:
		if (c->rdtscp)
			r.edx |=
				host_regs(h, EXTENDED + 1, 0).edx & (u32)RDTSCP;
		break;
	case EXTENDED + 8:
		r.eax = (u32)(min_u64(r.eax & 0xff, EPT_GPA_BITS) | 48 << 8);
		break;
	default:
		break;
	}
	add(t, rule->leaf, r);
}

/* A kernel that knows nothing of us takes the signature for what it is. */
static void add_hypervisor(struct cpuid_table *t, const struct cpuid_config *c)
{
	static const u8 signature[12] = CPUID_SIGNATURE;
	struct cpuid_regs *r          = t->hypervisor;

	t->hypervisor_count = CPUID_HYPERVISOR_COUNT;
	r[0].eax            = CPUID_HYPERVISOR + CPUID_HYPERVISOR_COUNT - 1;
	memcpy(&r[0].ebx, signature, 4);
	memcpy(&r[0].ecx, signature + 4, 4);
	memcpy(&r[0].edx, signature + 8, 4);
	r[1].eax = CPUID_VERSION;
	r[1].ebx = c->calls ? (u32)CPUID_GIVEN_CALLS : 0;
}

void cpuid_build(struct cpuid_table *t, const struct cpuid_host *host,
		 const struct cpuid_config *config)
{
	memset(t, 0, sizeof(*t));
	t->max_basic =
		(u32)min_u64(max_u64(host_regs(host, 0, 0).eax, LEAF_FREQUENCY),
			     CPUID_BASIC_COUNT - 1);
	t->max_extended = EXTENDED + 8;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		add_rule(t, host, config, &rules[i]);
	add_caches(t, host, config);
	add_topology(t, config, LEAF_TOPOLOGY);
	add_topology(t, config, LEAF_TOPOLOGY2);
	add_xstate(t, host, config);
	if (config->amx)
		add_amx(t, host);
	if (config->hypervisor)
		add_hypervisor(t, config);
}

enum cpuid_fix cpuid_find(const struct cpuid_table *t, u32 leaf, u32 subleaf,
			  struct cpuid_regs *out)
{
	const u32 ours = leaf - CPUID_HYPERVISOR;
	const struct cpuid_leaf *l;

	if (t->hypervisor_count && ours < CPUID_HYPERVISOR_RANGE) {
		*out = ours < t->hypervisor_count ? t->hypervisor[ours]
						  : (struct cpuid_regs){ 0 };
		return CPUID_FIXED;
	}
	if (leaf <= t->max_basic)
		l = &t->basic[leaf];
	else if (leaf - EXTENDED <= t->max_extended - EXTENDED)
		l = &t->extended[leaf - EXTENDED];
	else
		l = &t->basic[t->max_basic];
	if (!l->indexed)
		subleaf = 0;
	if (subleaf < l->count) {
		*out = t->answer[l->first + subleaf];
		return subleaf < 2 ? (enum cpuid_fix)l->fix[subleaf]
				   : CPUID_FIXED;
	}
	*out = (struct cpuid_regs){ 0 };
	if (l->fix[0] != CPUID_TOPOLOGY)
		return CPUID_FIXED;
	out->ecx = subleaf & 0xff;
	return CPUID_TOPOLOGY;
}

/* SPDX-License-Identifier: MIT */
/* links: vmx/caps.c fpu/xfd.c fpu/xcr.c fpu/layout.c fpu/area.c */
/* links: boot/lib/physaddr.c */
/*
 * Whole machines, as one would meet them: what CPUID.0DH, the VMX capability
 * MSRs and the address width say, and what comes of it. Sapphire Rapids' CPUID
 * is recorded (xfd.md A.1.3), its MSRs are the emulator's; every other model is
 * it with the differences its row names. Source for nested KVM: Linux 6.12,
 * nested_vmx_setup_ctls_msrs().
 */
#include "tests/unit/cpuid_0d.h"
#include "tests/unit/fake_cpu.h"
#include "tests/unit/spr_vmx.h"
#include "tests/unit/tap.h"

#include "boot/lib/physaddr.h"
#include "fpu/fpu.c"
#include "fpu/machine.c"
#include "vmx/caps.h"
#include "vmx/vmcs_field.h"

#define TILES (XSTATE_TILECFG | XSTATE_TILEDATA)

/* Secondary controls that KVM gives a hypervisor in a VM: see above. */
#define NESTED_KVM_CPU2                                                        \
	(BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) |        \
	 BIT(8) | BIT(9) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(16) |   \
	 BIT(20) | BIT(25) | BIT(26))
#define CPU2_PLE   BIT(10)
#define CPU2_PML   BIT(17)
#define CPU2_VE    BIT(18)
#define MODE_BASED BIT(22)

static void no_vmx(struct vmx_msrs *m)
{
	*m = (struct vmx_msrs){ 0 };
}

static void locked_off(struct vmx_msrs *m)
{
	m->feature_control = 1;
}

static void not_locked(struct vmx_msrs *m)
{
	m->feature_control = 0;
}

/* Tertiary controls and second exit controls: IPI virtualization, CET. */
static void granite_rapids(struct vmx_msrs *m)
{
	m->cpu |= BIT(17) << 32;
	m->exit |= BIT(31) << 32 | BIT(28) << 32;
	m->entry |= BIT(20) << 32;
	m->cpu2 |= MODE_BASED << 32 | BIT(27) << 32 | BIT(30) << 32;
}

static void nested_kvm(struct vmx_msrs *m)
{
	m->cpu2 = NESTED_KVM_CPU2 << 32;
	m->cpu &= ~(BIT(17) << 32);
}

static void no_xsaves_control(struct vmx_msrs *m)
{
	m->cpu2 &= ~((u64)CPU2_XSAVES << 32);
}

static void same(struct vmx_msrs *m)
{
	(void)m;
}

/* CPUID.0DH of each. */
enum xstate {
	RECORDED,
	WITHOUT_XFD,
	WITHOUT_XSAVES, /* but with XFD */
	WITHOUT_AMX,
	WITH_APX,
};

static struct cpuid_0d xstate_of(enum xstate which)
{
	struct cpuid_0d c = cpuid_sapphire_rapids;

	switch (which) {
	case RECORDED:
		break;
	case WITHOUT_XFD:
		return cpuid_with_features(UP_TO_XSAVES);
	case WITHOUT_XSAVES:
		c = cpuid_with_features(UP_TO_XSAVEC | 0x10);
		break;
	case WITHOUT_AMX:
		c = cpuid_with_features(UP_TO_XSAVES);
		c.sub[0].eax &= (u32)~TILES;
		memset(&c.sub[17], 0, 2 * sizeof(c.sub[17]));
		break;
	case WITH_APX:
		return cpuid_with_apx();
	}
	return c;
}

/* clang-format off */
static const struct model {
	const char *name;
	void (*vmx)(struct vmx_msrs *m);
	enum xstate xstate;
	struct physaddr phys;

	/* What must come of it. */
	enum refusal why;
	u32 lacks; /* sentences about what is done without */
	bool xsaves;
	unsigned int bits;
	enum xfd_policy policy; /* where nm was asked for */
	u32 small, full;        /* bytes of an area at first, and grown */
} models[] = {
	{ "Sapphire Rapids", same, RECORDED, { 46, 0 },
	  REFUSE_NOTHING, 0, true, 46, XFD_NM, 2560, 10752 },
	{ "Sapphire Rapids with 6 bits of keys", same, RECORDED,
	  { 52, 3 | 6ULL << 32 },
	  REFUSE_NOTHING, 0, true, 46, XFD_NM, 2560, 10752 },
	{ "Granite Rapids", granite_rapids, RECORDED, { 52, 0 },
	  REFUSE_NOTHING, 0, true, 52, XFD_NM, 2560, 10752 },
	{ "a CPU with component 19, APX", granite_rapids, WITH_APX, { 52, 0 },
	  REFUSE_NOTHING, 0, true, 52, XFD_NM, 2688, 10880 },
	{ "nested KVM without PML, PLE, #VE and flexpriority", nested_kvm,
	  RECORDED, { 46, 0 },
	  REFUSE_NOTHING, 1, true, 46, XFD_NM, 2560, 10752 },
	{ "firmware that left VMX unlocked", not_locked, RECORDED, { 46, 0 },
	  REFUSE_NOTHING, 0, true, 46, XFD_NM, 2560, 10752 },
	{ "no XFD", same, WITHOUT_XFD, { 46, 0 },
	  REFUSE_NOTHING, 0, true, 46, XFD_EAGER, 10752, 10752 },
	{ "XFD without XSAVES", no_xsaves_control, WITHOUT_XSAVES, { 46, 0 },
	  REFUSE_NOTHING, 1, false, 46, XFD_NM, 2560, 10752 },
	{ "no AMX", same, WITHOUT_AMX, { 46, 0 },
	  REFUSE_NOTHING, 0, true, 46, XFD_EAGER, 2440, 2440 },
	{ "no VMX", no_vmx, RECORDED, { 46, 0 },
	  REFUSE_NO_VMX, 0, true, 46, XFD_NM, 2560, 10752 },
	{ "VMX locked off by firmware", locked_off, RECORDED, { 46, 0 },
	  REFUSE_LOCKED_OFF, 0, true, 46, XFD_NM, 2560, 10752 },
};
/* clang-format on */

static void judge_vmx(const struct model *m)
{
	struct vmx_msrs msrs = sapphire_rapids_vmx;
	struct vmx_caps caps;
	u32 lacks = 0;

	m->vmx(&msrs);

	const struct caps_verdict v = caps_judge(&msrs, &caps);

	tap_ok(v.why == m->why, "%s: %s", m->name,
	       v.why == REFUSE_NOTHING ? "runs VMs" : refusal_text[v.why]);
	if (v.why != REFUSE_NOTHING)
		return;
	while (caps_missing(&caps, lacks))
		lacks++;
	tap_is(lacks, m->lacks, "%s: says what it does without", m->name);
	tap_ok(!(caps.cpu2 & (CPU2_PLE | CPU2_PML | CPU2_VE | MODE_BASED)) &&
		       !(caps.cpu & BIT(17)) && !(caps.exit & BIT(31)),
	       "%s: controls that we know nothing of stay 0", m->name);
	tap_is(caps.xsaves, m->xsaves, "%s: XSAVES for guests", m->name);
}

static void judge_xstate(const struct model *m)
{
	static struct cpuid_0d c;
	static struct fpu_account account;
	struct fpu_config config = { .policy = XFD_NM, .account = &account };
	struct fpu f             = { 0 };

	c = xstate_of(m->xstate);
	fake_cpu_reset(&c);
	fpu_init();
	fpu_init_cpu();
	config.xcr0_allowed = fpu_machine_xcr0();
	config.xfd_allowed  = fpu_machine_xfd_mask();
	tap_ok(fpu_create(&f, &config), "%s: a vCPU's state", m->name);
	tap_is(f.xfd.policy, m->policy, "%s: its policy", m->name);
	tap_is(fpu_area_bytes(&f), m->small, "%s: its area at first", m->name);
	fpu_load(&f);
	fpu_set_xcr0(&f, fpu_machine_xcr0());
	if (cpu.xcr0 & cpu.xfd & XSTATE_TILEDATA) {
		cpu.xfd_err = XSTATE_TILEDATA;
		tap_is(fpu_nm_exit(&f), FPU_NM_RETRY, "%s: its first tile",
		       m->name);
	}
	tap_is(fpu_area_bytes(&f), m->full, "%s: its area then", m->name);
	fpu_put(&f);
	fpu_destroy(&f);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		judge_vmx(&models[i]);
		judge_xstate(&models[i]);
		tap_is(physaddr_bits(&models[i].phys), models[i].bits,
		       "%s: bits of an address", models[i].name);
	}
	return tap_done();
}

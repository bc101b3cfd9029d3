/* SPDX-License-Identifier: MIT */
/*
 * CPUID.0DH read once, and the host's own values of the registers that it
 * describes. Keeps no vCPU's state.
 */
#include "fpu/machine.h"

#include "boot/lib/panic.h"
#include "boot/lib/x86.h"
#include "fpu/xsave.h"

struct machine machine;

static enum xsave_form choose_form(const struct xstate_layout *l)
{
	if (l->xsaves)
		return FORM_XSAVES;
	if (l->xsavec)
		return FORM_XSAVEC;
	return l->xsaveopt ? FORM_XSAVEOPT : FORM_XSAVE;
}

void fpu_init(void)
{
	static struct cpuid_0d raw; /* 1 KiB: too big for a stack */
	unsigned int wrong;

	for (u32 i = 0; i < XSTATE_COUNT; i++) {
		const struct cpuid_regs r = cpuid(0xd, i);

		raw.sub[i].eax = r.eax;
		raw.sub[i].ebx = r.ebx;
		raw.sub[i].ecx = r.ecx;
		raw.sub[i].edx = r.edx;
	}
	if (!layout_read(&machine.layout, &raw, &wrong))
		refuse("CPUID.0DH contradicts itself at state component %u",
		       wrong);
	machine.form         = choose_form(&machine.layout);
	machine.is_compacted = machine.form <= FORM_XSAVEC;
	machine.host         = (struct xregs){
			.xcr0 = machine.layout.user,
			.xss  = machine.layout.supervisor & XSTATE_VCPU_SUPERVISOR,
	};
}

/* Written, not compared: nobody knows what was there. */
void fpu_init_cpu(void)
{
	xsetbv(0, machine.host.xcr0);
	if (machine.layout.xsaves)
		wrmsr(MSR_IA32_XSS, machine.host.xss);
	if (machine.layout.has_xfd) {
		wrmsr(MSR_IA32_XFD, machine.host.xfd);
		wrmsr(MSR_IA32_XFD_ERR, machine.host.xfd_err);
	}
}

void machine_save(struct xsave_area *a, u64 components)
{
	switch (machine.form) {
	case FORM_XSAVES:
		xsaves(a, components);
		return;
	case FORM_XSAVEC:
		xsavec(a, components);
		return;
	case FORM_XSAVEOPT:
		xsaveopt(a, components);
		return;
	case FORM_XSAVE:
		xsave(a, components);
		return;
	}
	panic("no such way to save: %d", (int)machine.form);
}

void machine_restore(struct xsave_area *a, u64 components)
{
	if (machine.form == FORM_XSAVES)
		xrstors(a, components);
	else
		xrstor(a, components);
}

void fpu_idle(void)
{
	if ((machine.layout.user & XSTATE_TILEDATA) && machine.layout.xgetbv1 &&
	    (xgetbv(1) & XSTATE_AMX))
		tilerelease();
}

bool fpu_machine_has_xfd(void)
{
	return machine.layout.has_xfd;
}

bool fpu_machine_has_xsaves(void)
{
	return machine.layout.xsaves;
}

u64 fpu_machine_xcr0(void)
{
	return machine.host.xcr0;
}

u64 fpu_machine_xss(void)
{
	return machine.host.xss;
}

u64 fpu_machine_xfd_mask(void)
{
	return machine.layout.xfd;
}

const struct xstate_layout *fpu_machine_layout(void)
{
	return &machine.layout;
}

u32 fpu_size_for(u64 components, bool compacted)
{
	return layout_size(&machine.layout, components, compacted);
}

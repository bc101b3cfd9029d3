/* SPDX-License-Identifier: MIT */
/*
 * A CPU for fpu/ on the host, in place of boot/lib/x86.h and fpu/xsave.h: the
 * registers that XSAVE and XFD know, and a state component as one number, 0
 * being its initial state. As strict as xfd.md A says: whatever would be an
 * exception in root mode ends the test, as does touching a register that this
 * CPU does not have. One translation unit only.
 */
#ifndef TESTS_UNIT_FAKE_CPU_H
#define TESTS_UNIT_FAKE_CPU_H

#define BOOT_LIB_X86_H
#define FPU_XSAVE_H

#include "fpu/layout.h"
#include "tests/unit/fake_host.h"

#define MSR_IA32_XFD     0x1c4u
#define MSR_IA32_XFD_ERR 0x1c5u
#define MSR_IA32_XSS     0xda0u

struct fake_cpu {
	const struct cpuid_0d *cpuid;
	struct xstate_layout l;
	u64 xcr0, xss, xfd, xfd_err;
	u64 content[XSTATE_COUNT];
	u64 msr_writes, saves, tilereleases; /* instructions executed */
};
static struct fake_cpu cpu;

static void fake_cpu_reset(const struct cpuid_0d *c)
{
	unsigned int wrong;

	memset(&cpu, 0, sizeof(cpu));
	cpu.cpuid = c;
	cpu.xcr0  = XSTATE_X87;
	if (!layout_read(&cpu.l, c, &wrong))
		fake_bug("bad table");
}

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	if (leaf != 0xd)
		fake_bug("CPUID other than 0DH");
	return (struct cpuid_regs){
		cpu.cpuid->sub[subleaf].eax,
		cpu.cpuid->sub[subleaf].ebx,
		cpu.cpuid->sub[subleaf].ecx,
		cpu.cpuid->sub[subleaf].edx,
	};
}

static u64 *fake_msr(u32 msr)
{
	if (msr == MSR_IA32_XFD && cpu.l.has_xfd)
		return &cpu.xfd;
	if (msr == MSR_IA32_XFD_ERR && cpu.l.has_xfd)
		return &cpu.xfd_err;
	if (msr == MSR_IA32_XSS && cpu.l.xsaves)
		return &cpu.xss;
	fake_bug("#GP in root mode: no such MSR");
}

static inline u64 rdmsr(u32 msr)
{
	return *fake_msr(msr);
}

static inline void wrmsr(u32 msr, u64 value)
{
	if (value & ~(msr == MSR_IA32_XSS ? cpu.l.supervisor : cpu.l.xfd))
		fake_bug("#GP in root mode: WRMSR of a reserved bit");
	*fake_msr(msr) = value;
	cpu.msr_writes++;
}

static inline u64 xgetbv(u32 index)
{
	u64 in_use = 0;

	if (index > 1 || (index == 1 && !cpu.l.xgetbv1))
		fake_bug("#GP in root mode: XGETBV");
	for (unsigned int i = 0; i < XSTATE_COUNT; i++)
		in_use |= cpu.content[i] ? BIT(i) : 0;
	return index ? cpu.xcr0 & in_use : cpu.xcr0;
}

static inline void xsetbv(u32 index, u64 value)
{
	if (index != 0 || (value & ~cpu.l.user) || !(value & 1) ||
	    (value >> 17 & 1) != (value >> 18 & 1))
		fake_bug("#GP in root mode: XSETBV");
	cpu.xcr0 = value;
}

static inline void tilerelease(void)
{
	cpu.content[17] = cpu.content[18] = 0;
	cpu.tilereleases++;
}

/* What an instruction for component I may touch (xfd.md A.5.23). */
static u8 *fake_touch(struct xsave_area *a, u64 rfbm, unsigned int i,
		      bool compacted)
{
	u8 *first      = (u8 *)a + layout_offset(&cpu.l, rfbm, i, compacted);
	volatile u8 *p = first;

	p[0]                 = p[0];
	p[cpu.l.size[i] - 1] = p[cpu.l.size[i] - 1];
	return first;
}

static void fake_save(struct xsave_area *a, u64 rfbm, bool compacted, bool all)
{
	if ((uintptr_t)a % 64)
		fake_bug("#GP in root mode: area not aligned");
	cpu.saves++;
	a->header.xstate_bv = compacted ? 0 : a->header.xstate_bv & ~rfbm;
	if (compacted)
		a->header.xcomp_bv = BIT(63) | rfbm;
	for (unsigned int i = 0; i < XSTATE_COUNT; i++) {
		if (!(rfbm & BIT(i)))
			continue;
		u8 *p          = fake_touch(a, rfbm, i, compacted);
		const bool off = cpu.xcr0 & cpu.xfd & BIT(i);
		const u64 now  = off ? 0 : cpu.content[i];

		if (now != 0)
			a->header.xstate_bv |= BIT(i);
		if (now != 0 || all) {
			memset(p, 0, cpu.l.size[i]);
			memcpy(p, &now, sizeof(now));
		}
	}
}

static inline void xsaves(struct xsave_area *a, u64 mask)
{
	if (!cpu.l.xsaves)
		fake_bug("#UD in root mode: XSAVES");
	fake_save(a, mask & (cpu.xcr0 | cpu.xss), true, false);
}

static inline void xsavec(struct xsave_area *a, u64 mask)
{
	if (!cpu.l.xsavec)
		fake_bug("#UD in root mode: XSAVEC");
	fake_save(a, mask & cpu.xcr0, true, false);
}

static inline void xsaveopt(struct xsave_area *a, u64 mask)
{
	if (!cpu.l.xsaveopt)
		fake_bug("#UD in root mode: XSAVEOPT");
	fake_save(a, mask & cpu.xcr0, false, false);
}

static inline void xsave(struct xsave_area *a, u64 mask)
{
	fake_save(a, mask & cpu.xcr0, false, true);
}

static void fake_restore(struct xsave_area *a, u64 rfbm, u64 enabled)
{
	const struct xsave_header *h = &a->header;
	const bool compacted         = h->xcomp_bv & BIT(63);
	const u64 room = compacted ? h->xcomp_bv & ~BIT(63) : enabled;

	for (unsigned int i = 0; i < ARRAY_SIZE(h->reserved); i++)
		if (h->reserved[i])
			fake_bug("#GP in root mode: reserved header bytes");
	if ((room & ~enabled) || (h->xstate_bv & ~room) ||
	    (!compacted && h->xcomp_bv))
		fake_bug("#GP in root mode: XSTATE_BV or XCOMP_BV");
	if (rfbm & h->xstate_bv & cpu.xcr0 & cpu.xfd)
		fake_bug("#NM in root mode: F.76, B.10");
	for (unsigned int i = 0; i < XSTATE_COUNT; i++) {
		if (!(rfbm & BIT(i)))
			continue;
		cpu.content[i] = 0;
		if (!compacted)
			fake_touch(a, room, i, false);
		if (h->xstate_bv & BIT(i))
			memcpy(&cpu.content[i],
			       fake_touch(a, room, i, compacted), 8);
	}
}

static inline void xrstors(struct xsave_area *a, u64 mask)
{
	if (!(a->header.xcomp_bv & BIT(63)) || !cpu.l.xsaves)
		fake_bug("#GP in root mode: XRSTORS wants a compacted area");
	fake_restore(a, mask & (cpu.xcr0 | cpu.xss), cpu.xcr0 | cpu.xss);
}

static inline void xrstor(struct xsave_area *a, u64 mask)
{
	fake_restore(a, mask & cpu.xcr0, cpu.xcr0);
}

#endif

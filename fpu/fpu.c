/* SPDX-License-Identifier: MIT */
/*
 * The shell: switches a vCPU's registers with the CPU's, and carries out what
 * fpu/xfd.c decides. Between fpu_put() and fpu_load() the
 * CPU holds machine.host; at all other times it holds hw of the loaded vCPU, in
 * root mode too, which is safe because no other code touches extended state.
 */
#include "fpu/fpu.h"

#include "boot/lib/panic.h"
#include "boot/lib/x86.h"
#include "fpu/machine.h"
#include "fpu/xcr.h"
#include "fpu/xsave.h"

/*
 * FROM is what the CPU holds now. Equal registers are not written, so a machine
 * without XFD or XSS, where both sides are 0, never touches their MSRs.
 */
static void xregs_switch(const struct xregs *from, const struct xregs *to)
{
	if (from->xcr0 != to->xcr0)
		xsetbv(0, to->xcr0);
	if (from->xss != to->xss)
		wrmsr(MSR_IA32_XSS, to->xss);
	if (from->xfd != to->xfd)
		wrmsr(MSR_IA32_XFD, to->xfd);
	if (from->xfd_err != to->xfd_err)
		wrmsr(MSR_IA32_XFD_ERR, to->xfd_err);
}

/* Take over what a loaded guest, or a #NM of its, wrote without an exit. */
static void read_back(struct fpu *f)
{
	if (!f->loaded || !machine.layout.has_xfd)
		return;
	if (!(xfd_traps(&f->xfd) & FPU_TRAP_XFD_WRITE)) {
		f->hw.xfd        = rdmsr(MSR_IA32_XFD);
		f->xfd.guest_xfd = f->hw.xfd;
	}
	f->hw.xfd_err = rdmsr(MSR_IA32_XFD_ERR);
	if (!xfd_is_armed(&f->xfd))
		f->xfd.guest_xfd_err = f->hw.xfd_err;
}

/* Give the CPU what the state now calls for; the other half of read_back(). */
static void apply(struct fpu *f)
{
	const struct xregs want = {
		.xcr0    = f->xfd.guest_xcr0,
		.xss     = f->hw.xss,
		.xfd     = xfd_hardware(&f->xfd),
		.xfd_err = xfd_err_hardware(&f->xfd),
	};

	if (f->loaded)
		xregs_switch(&f->hw, &want);
	f->hw = want;
}

/* The area only; the state in f->xfd is the caller's. */
static bool grow_area(struct fpu *f)
{
	const u32 from = f->area.bytes;

	ASSERT(f->loaded); /* nothing is copied: the state is in registers */
	if (!area_grow(&f->area, &machine.layout,
		       f->area.components | f->xfd.missing, f->account,
		       &f->short_of))
		return false;
	f->last_growth = (struct fpu_growth){
		.from       = from,
		.to         = f->area.bytes,
		.components = f->xfd.missing,
	};
	f->stats.growths++;
	return true;
}

/*
 * The area holds everything that could leave its initial state. TILEDATA cannot
 * while XCR0[18] is 0; other components can be used without XCR0's permission
 * (PKRU), so that they are always there. In the standard format a restore may
 * touch the bytes of every component it names, so that all have room.
 */
bool fpu_create(struct fpu *f, const struct fpu_config *c)
{
	const u64 every = machine.host.xcr0 | machine.host.xss;
	const u64 xcr0 = xcr0_legal_subset(c->xcr0_allowed & machine.host.xcr0);
	const u64 never = machine.is_compacted
				  ? (machine.layout.xfd | XSTATE_TILEDATA) &
					    machine.host.xcr0 & ~xcr0
				  : 0;
	const bool lazy = machine.layout.has_xfd && machine.is_compacted;

	*f = (struct fpu){
		.xfd = {
			.policy  = lazy ? c->policy : XFD_EAGER,
			.machine = machine.layout.xfd,
			.legal   = c->xfd_allowed & machine.layout.xfd,
		},
		.xcr0_allowed = xcr0,
		.xss_allowed  = c->xss_allowed & machine.host.xss,
		.account      = c->account,
	};
	if (xfd_starts_small(f->xfd.policy))
		f->xfd.lazy = machine.layout.xfd & xcr0;
	f->small   = every & ~never & ~f->xfd.lazy;
	f->reserve = c->reserve ? every & ~never : f->small;
	if (!area_create(&f->area, &machine.layout, f->small, f->reserve,
			 machine.is_compacted, c->account, &f->short_of))
		return false;
	fpu_reset(f);
	return true;
}

void fpu_destroy(struct fpu *f)
{
	ASSERT(!f->loaded);
	area_destroy(&f->area, f->account);
}

void fpu_reset(struct fpu *f)
{
	ASSERT(!f->loaded);
	xfd_reset(&f->xfd);
	f->hw.xss = 0;
	apply(f);
	area_reset(&f->area, &machine.layout, f->small, f->reserve, f->account);
}

/*
 * XFD is 0 here, or XRSTORS of live tiles would fault; it is written after. The
 * full mask: what the area lacks is put into its initial state, so that nothing
 * of the previous vCPU is left (xfd.md B.20).
 */
void fpu_load(struct fpu *f)
{
	ASSERT(!f->loaded);
	machine_restore(f->area.base, machine.host.xcr0 | machine.host.xss);
	f->loaded = true;
	xregs_switch(&machine.host, &f->hw);
	f->stats.restores++;
}

/*
 * XFD := 0 and XCR0 in full before XSAVES, or it drops the tiles of a guest
 * that has them switched off (xfd.md B.9). The mask is the area's own: an
 * instruction may touch the bytes of every component in it (A.5.23).
 */
void fpu_put(struct fpu *f)
{
	ASSERT(f->loaded);
	read_back(f);
	xregs_switch(&f->hw, &machine.host);
	machine_save(f->area.base, f->area.components);
	f->loaded = false;
	f->stats.saves++;
	f->stats.bytes_saved +=
		layout_moved(&machine.layout, f->area.base->header.xstate_bv);
}

u32 fpu_traps(const struct fpu *f)
{
	return xfd_traps(&f->xfd);
}

enum fpu_nm fpu_nm_exit(struct fpu *f)
{
	ASSERT(f->loaded);
	read_back(f);
	const u64 err               = f->hw.xfd_err;
	const enum nm_action action = xfd_decide_nm(&f->xfd, err);
	const bool ok               = action == NM_REFLECT || grow_area(f);

	if (ok)
		xfd_take_nm(&f->xfd, action, err);
	apply(f); /* without memory too: XFD_ERR goes back to 0 */
	if (!ok)
		return FPU_NM_NO_MEMORY;
	return action == NM_GROW ? FPU_NM_RETRY : FPU_NM_INJECT;
}

/* Make NEXT the state, after read_back(). */
static enum fpu_write commit(struct fpu *f, struct xfd next)
{
	if (xfd_must_grow(&next)) {
		if (!grow_area(f))
			return FPU_WRITE_NO_MEMORY;
		xfd_grown(&next);
	}
	f->xfd = next;
	apply(f);
	return FPU_WRITE_OK;
}

bool fpu_guest_has_xfd(const struct fpu *f)
{
	return f->xfd.legal != 0;
}

u64 fpu_read_xfd(const struct fpu *f)
{
	if (f->loaded && !(xfd_traps(&f->xfd) & FPU_TRAP_XFD_WRITE))
		return rdmsr(MSR_IA32_XFD);
	return f->xfd.guest_xfd;
}

enum fpu_write fpu_write_xfd(struct fpu *f, u64 value)
{
	if (!fpu_guest_has_xfd(f) || !xfd_is_legal(value, f->xfd.legal))
		return FPU_WRITE_GP;
	read_back(f);
	struct xfd next = f->xfd;

	xfd_write(&next, value);
	return commit(f, next);
}

u64 fpu_read_xfd_err(const struct fpu *f)
{
	if (f->loaded && fpu_guest_has_xfd(f) && !xfd_is_armed(&f->xfd))
		return rdmsr(MSR_IA32_XFD_ERR);
	return f->xfd.guest_xfd_err;
}

enum fpu_write fpu_write_xfd_err(struct fpu *f, u64 value)
{
	if (!fpu_guest_has_xfd(f) || !xfd_is_legal(value, f->xfd.legal))
		return FPU_WRITE_GP;
	read_back(f);
	struct xfd next = f->xfd;

	xfd_err_write(&next, value);
	return commit(f, next);
}

u64 fpu_guest_xcr0(const struct fpu *f)
{
	return f->xfd.guest_xcr0;
}

enum fpu_write fpu_set_xcr0(struct fpu *f, u64 value)
{
	if (!xcr0_is_legal(value, f->xcr0_allowed))
		return FPU_WRITE_GP;
	read_back(f);
	struct xfd next = f->xfd;

	next.guest_xcr0 = value;
	return commit(f, next);
}

u64 fpu_guest_xss(const struct fpu *f)
{
	return f->hw.xss;
}

enum fpu_write fpu_set_xss(struct fpu *f, u64 value)
{
	if (!machine.layout.xsaves || !xss_is_legal(value, f->xss_allowed))
		return FPU_WRITE_GP;
	if (f->loaded && f->hw.xss != value)
		wrmsr(MSR_IA32_XSS, value);
	f->hw.xss = value;
	return FPU_WRITE_OK;
}

u32 fpu_area_bytes(const struct fpu *f)
{
	return f->area.bytes;
}

u64 fpu_growths(const struct fpu *f)
{
	return f->stats.growths;
}

u64 fpu_need_bytes(const struct fpu *f)
{
	return f->short_of.need_bytes;
}

u64 fpu_have_bytes(const struct fpu *f)
{
	return f->short_of.have_bytes;
}

bool fpu_xfd_is_passed_through(const struct fpu *f)
{
	return !(xfd_traps(&f->xfd) & (FPU_TRAP_XFD_READ | FPU_TRAP_XFD_WRITE));
}

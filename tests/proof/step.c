/* SPDX-License-Identifier: MIT */
/*
 * P1-P15 for every sequence of events of any length, by induction: the state
 * after creation satisfies INV, and from every state that satisfies INV, reach-
 * able or not, any one event with any values leads to a state that does, with
 * every property of the model holding on the way. The whole of fpu/, as
 * shipped, two vCPUs that share a CPU, any allocation failing, against the bare
 * CPU that a guest believes to own.
 *
 * The vCPU that acts is A; a switch exchanges the two. Parameters: POLICY,
 * MACHINE (model.h), LEGAL, the bits of the guest's IA32_XFD, ALLOWED, the
 * components it is offered. -DBASE: the first half of the induction.
 */
#include "tests/proof/model.c"

#include "fpu/area.c"
#include "fpu/fpu.c"
#include "fpu/layout.c"
#include "fpu/machine.c"
#include "fpu/xcr.c"
#include "fpu/xfd.c"

#ifndef LEGAL
#define LEGAL M_XFD
#endif
#ifndef FIRST
#define FIRST E_XFD
#define LAST  E_REPLACE
#endif
#ifndef ALLOWED
#define ALLOWED M_USER
#endif

/* A fleet's lifetime of switches; no counter comes near its end. */
#define COUNT_MAX BIT(62)

static struct fpu a, b;
static struct bare bare_a, bare_b;
static struct fpu_account account;

/* ---- what these parameters make of a vCPU, from xfd.md C.2 and C.5 ---- */

static const u64 legal = MACHINE_HAS_XFD ? LEGAL & M_XFD : 0;

/* No room is ever needed for what the guest is never offered. */
static const u64 full = M_USER & ~((M_XFD | B_TILE) & M_USER & ~(u64)(ALLOWED));

/* Components whose room comes later: F at creation. */
static const u64 late =
	(MACHINE_HAS_XFD &&
	 (POLICY == XFD_NM || POLICY == XFD_WRMSR || POLICY == XFD_INJECT))
		? M_XFD & (ALLOWED)
		: 0;

enum seen {
	SEEN_OK,
	SEEN_NM,
	SEEN_STOP
};

static bool is_full(const struct fpu *f)
{
	return !(late & ~f->area.components);
}

static bool traps(const struct fpu *f, u32 which)
{
	return fpu_traps(f) & which;
}

/* P9's side: exactly what must exit, state by state. */
static u32 expected_traps(const struct fpu *f, const struct bare *bare)
{
	const bool armed = bare->xcr0 & M_XFD & ~bare->xfd;
	const u32 xfd    = FPU_TRAP_XFD_READ | FPU_TRAP_XFD_WRITE;
	const u32 err    = FPU_TRAP_ERR_READ | FPU_TRAP_ERR_WRITE;
	u32 want         = 0;

	if (!MACHINE_HAS_XFD)
		return xfd | err;
	if (legal != M_XFD)
		want |= FPU_TRAP_XFD_WRITE | FPU_TRAP_ERR_WRITE;
	if (legal == 0)
		want |= xfd | err;
	if ((POLICY == XFD_NM || POLICY == XFD_INJECT) && !is_full(f))
		want |= xfd | (armed ? FPU_TRAP_NM | err : 0);
	if (POLICY == XFD_WRMSR && !is_full(f))
		want |= FPU_TRAP_XFD_WRITE;
	if (POLICY == XFD_KVM)
		want |= FPU_TRAP_ERR_WRITE | (bare->opened ? FPU_TRAP_NM : xfd);
	return want;
}

/* ---- the invariant; with ASSUMED it is what the step starts from ---- */

#define INV(name, claim)                                                       \
	do {                                                                   \
		if (assumed)                                                   \
			ASSUME(claim);                                         \
		else                                                           \
			__CPROVER_assert(claim, "INV " name);                  \
	} while (0)

static void inv_vcpu(bool assumed, const struct fpu *f, const struct bare *bare)
{
	const u8 r      = model_run(f->area.base);
	const u64 least = full & ~late;

	INV("constants",
	    f->xfd.policy == (MACHINE_HAS_XFD ? POLICY : XFD_EAGER) &&
		    f->xfd.machine == M_XFD && f->xfd.legal == legal &&
		    f->xcr0_allowed == (ALLOWED) && f->xss_allowed == 0 &&
		    f->account == &account && f->area.compacted);
	INV("the area has room for what is not missing",
	    (f->area.components == full && f->xfd.missing == 0) ||
		    (f->area.components == least && f->xfd.missing == late));
	INV("the area's size",
	    f->area.bytes == model_compacted_bytes(f->area.components));
	INV("what is kept in reserve",
	    f->xfd.lazy == late && f->small == least &&
		    (f->reserve == least || f->reserve == full));
	INV("the area's pages",
	    run_taken[r] && f->area.page_count == run_pages[r] &&
		    f->area.page_count ==
			    model_pages(f->area.components | f->reserve));
	INV("no save went past the size", run_dirty[r] <= f->area.bytes);
	INV("XCR0 is the guest's",
	    model_xcr0_is_valid(bare->xcr0) && !(bare->xcr0 & ~(ALLOWED)) &&
		    f->xfd.guest_xcr0 == bare->xcr0 &&
		    f->hw.xcr0 == bare->xcr0 && f->hw.xss == 0);
	INV("XFD and XFD_ERR are legal",
	    !(bare->xfd & ~legal) && !(bare->xfd_err & ~legal));
	INV("without XFD its registers are 0",
	    MACHINE_HAS_XFD ||
		    (f->hw.xfd == 0 && f->hw.xfd_err == 0 &&
		     f->xfd.guest_xfd == 0 && f->xfd.guest_xfd_err == 0));
	INV("kvm: opened is the guest's history",
	    POLICY != XFD_KVM || f->xfd.opened == bare->opened);
	INV("wrmsr: no debt",
	    POLICY != XFD_WRMSR || !(f->xfd.missing & bare->xcr0 & ~bare->xfd));
	for (int i = 0; i < TRACKED; i++)
		INV("what the guest put there, or nothing",
		    (bare->content[i] == 0 ||
		     OWNER(bare->content[i]) == bare->owner) &&
			    (bare->content[i] == 0 || (full & bit_of[i])) &&
			    (bare->content[i] == 0 || is_full(f) ||
			     !(late & bit_of[i])));
}

static u64 err_while_running(const struct fpu *f, const struct bare *bare)
{
	return traps(f, FPU_TRAP_NM) &&
			       (POLICY == XFD_NM || POLICY == XFD_INJECT)
		       ? 0
		       : bare->xfd_err;
}

/* The vCPU's state is in the CPU. */
static void inv_loaded(bool assumed)
{
	const u8 r      = model_run(a.area.base);
	const u64 xcomp = XCOMP_BV_COMPACTED | a.area.components;
	const u64 small = XCOMP_BV_COMPACTED | (full & ~late);
	const u64 force =
		POLICY == XFD_NM || POLICY == XFD_INJECT ? a.xfd.missing : 0;

	INV("loaded: restored from here, or from what growth gave back",
	    (cpu.restored == r &&
	     (cpu.restored_xcomp == xcomp || cpu.restored_xcomp == small)) ||
		    (late && is_full(&a) && cpu.restored_xcomp == small));
	INV("loaded: XCR0 and XSS", cpu.xcr0 == bare_a.xcr0 && cpu.xss == 0);
	INV("loaded: XFD", cpu.xfd == (bare_a.xfd | force));
	INV("loaded: XFD_ERR", cpu.xfd_err == err_while_running(&a, &bare_a));
	INV("loaded: XFD as remembered while its writes exit",
	    !traps(&a, FPU_TRAP_XFD_WRITE) ||
		    (a.hw.xfd == cpu.xfd && a.xfd.guest_xfd == bare_a.xfd));
	INV("loaded: XFD_ERR as remembered while armed",
	    !xfd_is_armed(&a.xfd) || (a.hw.xfd_err == 0 &&
				      a.xfd.guest_xfd_err == bare_a.xfd_err));
	for (int i = 0; i < TRACKED; i++) {
		INV("loaded: components", cpu.content[i] == bare_a.content[i]);
		INV("loaded: what a save may skip is there",
		    cpu.restored != r || cpu.restored_xcomp != xcomp ||
			    (cpu.modified & 1 << i) || cpu.content[i] == 0 ||
			    (u8)(run_image[r] >> 8 * i & 0xff) ==
				    cpu.content[i]);
	}
	INV("loaded: a save that may skip finds the image untouched",
	    cpu.restored != r || cpu.restored_xcomp != xcomp || cpu.intact);
}

/* The vCPU's state is in its area. */
static void inv_put(bool assumed, const struct fpu *f, const struct bare *bare)
{
	const u8 r                  = model_run(f->area.base);
	const struct xsave_header h = get_header(r);

	INV("put: XFD and XFD_ERR as remembered",
	    f->xfd.guest_xfd == bare->xfd &&
		    f->xfd.guest_xfd_err == bare->xfd_err &&
		    f->hw.xfd == xfd_hardware(&f->xfd) &&
		    f->hw.xfd_err == err_while_running(f, bare));
	INV("put: the header",
	    h.xcomp_bv == (XCOMP_BV_COMPACTED | f->area.components) &&
		    !(h.xstate_bv & ~f->area.components));
	for (int i = 0; i < TRACKED; i++)
		INV("put: the image",
		    bare->content[i] ==
			    ((h.xstate_bv & bit_of[i])
				     ? (u8)(run_image[r] >> 8 * i & 0xff)
				     : 0));
}

static void invariant(bool assumed)
{
	const u8 ra = model_run(a.area.base), rb = model_run(b.area.base);

	INV("each has its own run", ra != rb);
	for (u8 r = 0; r < RUNS; r++)
		INV("a free run is scrubbed",
		    r == ra || r == rb || (!run_taken[r] && run_dirty[r] == 0));
	INV("all pages are charged",
	    account.used_bytes ==
		    ((u64)a.area.page_count + b.area.page_count) * PAGE_SIZE);
	inv_vcpu(assumed, &a, &bare_a);
	inv_vcpu(assumed, &b, &bare_b);
	INV("at most one is loaded", !b.loaded);
	inv_put(assumed, &b, &bare_b);
	if (a.loaded) {
		inv_loaded(assumed);
		return;
	}
	inv_put(assumed, &a, &bare_a);
	INV("nobody loaded: the host's registers",
	    cpu.xcr0 == M_USER && cpu.xss == 0 && cpu.xfd == 0 &&
		    cpu.xfd_err == 0);
	for (int i = 0; i < TRACKED; i++)
		INV("nobody loaded: no component that the CPU does not have",
		    cpu.content[i] == 0 || (M_USER & bit_of[i]));
}

/* ---- what the properties say of a loaded vCPU ---- */

static void check_msrs(void)
{
	const bool has = legal != 0;
	u64 xfd = 0, err = 0;
	bool gp_xfd = false, gp_err = false;

	if (!traps(&a, FPU_TRAP_XFD_READ))
		xfd = cpu.xfd;
	else if (fpu_guest_has_xfd(&a))
		xfd = fpu_read_xfd(&a);
	else
		gp_xfd = true;
	if (!traps(&a, FPU_TRAP_ERR_READ))
		err = cpu.xfd_err;
	else if (fpu_guest_has_xfd(&a))
		err = fpu_read_xfd_err(&a);
	else
		gp_err = true;
	CHECK("P7 RDMSR XFD: the guest's own value", has && bare_a.xfd == 0,
	      !gp_xfd && xfd == bare_a.xfd);
	CHECK("P7 RDMSR XFD: the guest's own value, set",
	      has && bare_a.xfd != 0, !gp_xfd && xfd == bare_a.xfd);
	CHECK("P7 RDMSR XFD_ERR: the guest's own value", has,
	      !gp_err && err == bare_a.xfd_err);
	CHECK("P7 RDMSR of hidden MSRs is #GP", !has, gp_xfd && gp_err);
	CHECK("P6 XFD and XFD_ERR read the same by us", has,
	      fpu_read_xfd(&a) == bare_a.xfd &&
		      fpu_read_xfd_err(&a) == bare_a.xfd_err);
}

static void check_components(void)
{
	for (int i = 0; i < TRACKED; i++) {
		const u8 here  = cpu.content[i];
		const u8 there = bare_a.content[i];
		const u64 off  = cpu.xcr0 & cpu.xfd & bit_of[i];
		const u64 bare = bare_a.xcr0 & bare_a.xfd & bit_of[i];

		CHECK("P8 no byte of another vCPU", true,
		      OWNER(here) == OWNER_NOBODY ||
			      OWNER(here) == bare_a.owner);
		CHECK("P7 every component as on bare hardware", there != 0,
		      here == there);
		CHECK("P7 every component as on bare hardware, initial",
		      there == 0, here == 0);
		/* XSAVEC and XGETBV(1) too see what XFD lets them. */
		CHECK("P7 XINUSE as on bare hardware", true,
		      (here && !off) == (there && !bare));
	}
}

static void check_loaded(void)
{
	const bool small = late && !is_full(&a);

	check_msrs();
	check_components();
	CHECK("P7 XCR0 is the guest's", true,
	      cpu.xcr0 == bare_a.xcr0 && fpu_guest_xcr0(&a) == bare_a.xcr0);
	CHECK("P4 not grown: the guest cannot reach what has no room", small,
	      !(cpu.xcr0 & ~cpu.xfd & late));
	CHECK("P4 not grown: hardware's XFD is set",
	      small && (POLICY == XFD_NM || POLICY == XFD_INJECT),
	      (cpu.xfd & late) == late);
	CHECK("P4 not grown: nothing but the initial state", small,
	      cpu.content[TILE] == 0 && cpu.content[NEXT] == 0);
	CHECK("P6 XCR0 and XSS as remembered", true,
	      a.hw.xcr0 == cpu.xcr0 && a.hw.xss == cpu.xss);
	CHECK("P6 XFD_ERR is 0 while armed", xfd_is_armed(&a.xfd),
	      cpu.xfd_err == 0);
	CHECK("P9 exactly the exits of this state", true,
	      fpu_traps(&a) == expected_traps(&a, &bare_a));
	CHECK("P9 grown: nothing exits",
	      !small && legal == M_XFD && legal && POLICY != XFD_KVM,
	      fpu_traps(&a) == 0 && fpu_xfd_is_passed_through(&a));
	CHECK("P15 XCR0 is a valid combination", true,
	      model_xcr0_is_valid(cpu.xcr0));
	CHECK("P3 the area knows its size", true,
	      a.area.bytes == model_compacted_bytes(a.area.components) &&
		      a.area.bytes <= a.area.page_count * PAGE_SIZE);
}

/* ---- events ---- */

static void bare_reset(struct bare *x)
{
	x->xcr0 = 1;
	x->xfd = x->xfd_err = 0;
	x->opened           = false;
	for (int i = 0; i < TRACKED; i++)
		x->content[i] = 0;
}

/* A value of A's own. */
static u8 own_value(void)
{
	const u8 v = nondet_u8();

	ASSUME(OWNER(v) == bare_a.owner);
	return v;
}

static void set_content(int i, u8 value)
{
	cpu.content[i] = bare_a.content[i] = value;
	cpu.modified |= (u8)(1 << i);
}

/* Before a call that may run out of memory, and after one that did. */
static struct fpu before;
static u64 used_before;

static void remember(void)
{
	before      = a;
	used_before = account.used_bytes;
}

static void check_nothing_changed(void)
{
	CHECK("P10 no memory: the area is as it was", true,
	      a.area.base == before.area.base &&
		      a.area.components == before.area.components &&
		      a.area.bytes == before.area.bytes &&
		      a.area.page_count == before.area.page_count);
	CHECK("P10 no memory: the registers are as they were", true,
	      a.xfd.missing == before.xfd.missing &&
		      a.xfd.guest_xcr0 == before.xfd.guest_xcr0 &&
		      a.xfd.opened == before.xfd.opened &&
		      a.hw.xcr0 == before.hw.xcr0 &&
		      a.hw.xss == before.hw.xss && a.loaded);
	CHECK("P10 no memory: nothing is charged or counted", true,
	      account.used_bytes == used_before &&
		      a.stats.growths == before.stats.growths);
	CHECK("P10 no memory: the report says what was missing", true,
	      fpu_need_bytes(&a) > 0 &&
		      (!a.short_of.by_limit ||
		       fpu_have_bytes(&a) < fpu_need_bytes(&a)));
}

/* True: the write took place, or was #GP, on both sides alike. */
static bool judge(enum fpu_write w, bool is_legal)
{
	if (w == FPU_WRITE_NO_MEMORY) {
		check_nothing_changed();
		return false;
	}
	CHECK("P7 a legal write takes place", is_legal, w == FPU_WRITE_OK);
	CHECK("P7 an illegal write is #GP", !is_legal, w == FPU_WRITE_GP);
	return is_legal;
}

static void write_msr(bool is_xfd, u64 value)
{
	const bool is_legal = legal && !(value & ~legal);
	enum fpu_write w;

	remember();
	if (traps(&a, is_xfd ? FPU_TRAP_XFD_WRITE : FPU_TRAP_ERR_WRITE)) {
		may_allocate = is_xfd && POLICY == XFD_WRMSR;
		w            = is_xfd ? fpu_write_xfd(&a, value)
				      : fpu_write_xfd_err(&a, value);
		may_allocate = false;
	} else if (value & ~(u64)M_XFD) {
		w = FPU_WRITE_GP; /* by the CPU */
	} else {
		*(is_xfd ? &cpu.xfd : &cpu.xfd_err) = value;
		w                                   = FPU_WRITE_OK;
	}
	if (!judge(w, is_legal))
		return;
	*(is_xfd ? &bare_a.xfd : &bare_a.xfd_err) = value;
	bare_a.opened |= is_xfd && value != 0;
}

static void write_xcr0(u64 value)
{
	enum fpu_write w;

	remember();
	may_allocate = POLICY == XFD_WRMSR;
	w            = fpu_set_xcr0(&a, value);
	may_allocate = false;
	if (judge(w, model_xcr0_is_valid(value) && !(value & ~(u64)(ALLOWED))))
		bare_a.xcr0 = value;
}

static void write_xss(u64 value)
{
	const enum fpu_write w = fpu_set_xss(&a, value);

	CHECK("P7 XSS takes nothing but 0", value == 0,
	      w == (MACHINE_HAS_XSAVES ? FPU_WRITE_OK : FPU_WRITE_GP));
	CHECK("P7 XSS: anything else is #GP", value != 0, w == FPU_WRITE_GP);
	CHECK("P7 RDMSR XSS", true, fpu_guest_xss(&a) == 0);
}

/* A #NM: what the guest sees, SEEN_OK if the instruction runs again. */
static enum seen not_available(void)
{
	const u64 growths = a.stats.growths;
	enum fpu_nm nm;

	if (!traps(&a, FPU_TRAP_NM))
		return SEEN_NM;
	remember();
	may_allocate = true;
	nm           = fpu_nm_exit(&a);
	may_allocate = false;
	if (nm == FPU_NM_NO_MEMORY) {
		check_nothing_changed();
		return SEEN_STOP;
	}
	CHECK("P12 run again exactly when it has grown, once", true,
	      a.stats.growths == growths + (nm == FPU_NM_RETRY));
	return nm == FPU_NM_RETRY ? SEEN_OK : SEEN_NM;
}

/*
 * A tile instruction, XRSTOR or XRSTORS that needs the components NEED and ends
 * with VALUE in them (G5).
 */
static void use(u64 need, u8 value)
{
	enum seen seen = SEEN_OK;

	CHECK("P7 #UD or #GP by XCR0 on both sides", need & ~cpu.xcr0,
	      need & ~bare_a.xcr0);
	if (need & ~cpu.xcr0)
		return;
	for (int i = 0; i < 2 && seen == SEEN_OK && (cpu.xfd & need); i++) {
		cpu.xfd_err = cpu.xfd & need;
		seen        = not_available();
	}
	if (seen == SEEN_STOP)
		return;
	CHECK("P12 the second try succeeds", seen == SEEN_OK,
	      !(cpu.xfd & need));
	CHECK("P7 #NM by XFD on both sides", bare_a.xfd & need,
	      seen == SEEN_NM);
	CHECK("P7 a use runs on both sides", !(bare_a.xfd & need),
	      seen == SEEN_OK);
	if (bare_a.xfd & need) {
		bare_a.xfd_err = bare_a.xfd & need;
		return;
	}
	for (int i = 0; i < TRACKED; i++)
		if (need & bit_of[i])
			set_content(i, value);
}

/* CR0.TS, EM or MP: a #NM that leaves XFD_ERR alone (xfd.md A.4.21). */
static void task_switched(void)
{
	CHECK("P7 a #NM by CR0.TS is the guest's", true,
	      not_available() == SEEN_NM);
}

static bool create(struct fpu *f)
{
	const struct fpu_config c = {
		.policy       = POLICY,
		.reserve      = nondet_bool(),
		.xcr0_allowed = (ALLOWED),
		.xss_allowed  = 0x1800,
		.xfd_allowed  = LEGAL,
		.account      = &account,
	};
	bool ok;

	may_allocate = true;
	ok           = fpu_create(f, &c);
	may_allocate = false;
	CHECK("P10 no memory at creation: nothing is half there", !ok,
	      f->area.base == NULL);
	CHECK("P5 a new vCPU is small where the policy says so", ok,
	      f->xfd.missing == late && (f->area.components & late) == 0);
	return ok;
}

/* False: there was no memory for the new one, and nothing is left to look at.
 */
static bool replace_vcpu(void)
{
	fpu_destroy(&a);
	CHECK("P11 a destroyed vCPU has nothing", true,
	      !a.area.base &&
		      account.used_bytes == b.area.page_count * PAGE_SIZE);
	fpu_destroy(&a);
	if (!create(&a)) {
		CHECK("P10 no memory at creation: nothing is charged", true,
		      account.used_bytes == b.area.page_count * PAGE_SIZE);
		return false;
	}
	bare_reset(&bare_a);
	return true;
}

/* The vCPU's other CPU, which has its own past. */
static void change_cpu(void)
{
	struct cpu other;

	for (int i = 0; i < TRACKED; i++) {
		cpu.content[i] = other.content[i];
		ASSUME(cpu.content[i] == 0 || (M_USER & bit_of[i]));
	}
	cpu.modified       = other.modified;
	cpu.restored       = other.restored;
	cpu.restored_xcomp = other.restored_xcomp;
	cpu.intact         = other.intact;
}

static void switch_vcpu(void)
{
	const struct fpu f    = a;
	const struct bare old = bare_a;

	a      = b;
	b      = f;
	bare_a = bare_b;
	bare_b = old;
}

enum event {
	/* of the vCPU that is loaded */
	E_XFD,
	E_XFD_ERR,
	E_XSETBV,
	E_XSS,
	E_USE,
	E_RESTORE_INITIAL,
	E_LDTILECFG,
	E_PKRU,
	E_TS,
	E_PUT,
	/* while none is */
	E_LOAD,
	E_SWITCH,
	E_MIGRATE,
	E_IDLE,
	E_RESET,
	E_REPLACE,
	E_COUNT,
};

static void guest_event(enum event e)
{
	if (e == E_XFD || e == E_XFD_ERR)
		write_msr(e == E_XFD, nondet_u64());
	else if (e == E_XSETBV)
		write_xcr0(nondet_u64());
	else if (e == E_XSS)
		write_xss(nondet_u64());
	else if (e == E_USE) {
		const u64 need = nondet_u64();

		ASSUME(need && !(need & ~(B_TILE | B_NEXT)));
		use(need, own_value());
	} else if (e == E_RESTORE_INITIAL && (cpu.xcr0 & B_TILE)) {
		set_content(TILE, 0); /* XRSTOR of it, TILERELEASE */
		set_content(CFG, 0);
	} else if (e == E_LDTILECFG && (cpu.xcr0 & B_CFG))
		set_content(CFG, own_value()); /* no #NM (xfd.md A.3.14) */
	else if (e == E_PKRU)
		set_content(PKRU, own_value()); /* without XCR0's leave */
	else if (e == E_TS)
		task_switched();
	else if (e == E_PUT)
		fpu_put(&a);
}

/* False: there was no memory for a new vCPU. */
static bool host_event(enum event e)
{
	if (e == E_LOAD)
		fpu_load(&a);
	else if (e == E_SWITCH)
		switch_vcpu();
	else if (e == E_MIGRATE)
		change_cpu();
	else if (e == E_RESET) {
		fpu_reset(&a);
		bare_reset(&bare_a);
	} else if (e == E_REPLACE) {
		return replace_vcpu();
	} else if (e == E_IDLE) {
		fpu_idle();
		CHECK("H11 an idle CPU has no tiles", true,
		      cpu.content[TILE] == 0);
	}
	return true;
}

static void any_state(void)
{
	struct fpu x, y;
	struct bare p, q;
	struct cpu c;
	const u8 ra = nondet_u8(), rb = nondet_u8();

	ASSUME(ra < RUNS && rb < RUNS);
	a         = x;
	b         = y;
	bare_a    = p;
	bare_b    = q;
	cpu       = c;
	a.account = b.account = &account;
	a.area.base           = memory_of(ra);
	b.area.base           = memory_of(rb);
	for (u8 r = 0; r < RUNS; r++) {
		run_taken[r] = r == ra || r == rb;
		run_pages[r] = nondet_u32();
		run_dirty[r] = nondet_u32();
		run_image[r] = nondet_u32();
		set_header(r, nondet_u64(), nondet_u64());
	}
	/* A bool is 0 or 1, which the compiler relies on. */
	a.loaded         = nondet_u8() & 1;
	b.loaded         = nondet_u8() & 1;
	a.xfd.opened     = nondet_u8() & 1;
	b.xfd.opened     = nondet_u8() & 1;
	bare_a.opened    = nondet_u8() & 1;
	bare_b.opened    = nondet_u8() & 1;
	cpu.intact       = nondet_u8() & 1;
	a.area.compacted = b.area.compacted = true;
	account.limit_bytes                 = nondet_u64();
	account.used_bytes                  = nondet_u64();
	bare_a.owner = nondet_bool() ? OWNER_FIRST : OWNER_SECOND;
	bare_b.owner = bare_a.owner == OWNER_FIRST ? OWNER_SECOND : OWNER_FIRST;
	invariant(true);
	ASSUME(a.stats.growths < COUNT_MAX && a.stats.saves < COUNT_MAX &&
	       a.stats.restores < COUNT_MAX && a.stats.bytes_saved < COUNT_MAX);
}

static void base(void)
{
	cpu.xcr0            = 1;
	bare_a.owner        = OWNER_FIRST;
	bare_b.owner        = OWNER_SECOND;
	account.limit_bytes = nondet_u64();
	change_cpu();
	fpu_init_cpu();
	bare_reset(&bare_a);
	bare_reset(&bare_b);
	if (!create(&a) || !create(&b))
		return;
	invariant(false);
}

static void step(void)
{
	/* CBMC is far quicker with a constant. */
	const u8 e = FIRST == LAST ? FIRST : nondet_u8();
	u64 components, missing;

	any_state();
	/* CBMC is quicker with a few at a time. */
	ASSUME(e >= FIRST && e <= LAST && a.loaded == (e < E_LOAD));
	components = a.area.components;
	missing    = a.xfd.missing;
	if (e < E_LOAD)
		guest_event((enum event)e);
	else if (!host_event((enum event)e))
		return;
	CHECK("P5 RESET makes it small again, with its reserve", e == E_RESET,
	      a.area.components == a.small && a.xfd.missing == late);
	CHECK("P5 what has room keeps it",
	      e != E_RESET && e != E_SWITCH && e != E_REPLACE,
	      !(components & ~a.area.components) &&
		      !(a.xfd.missing & ~missing));
	if (a.loaded)
		check_loaded();
	invariant(false);
}

int main(void)
{
	fpu_init();
#ifdef BASE
	base();
#else
	step();
#endif
	return 0;
}

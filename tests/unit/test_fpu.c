/* SPDX-License-Identifier: MIT */
/* links: fpu/xfd.c fpu/xcr.c fpu/layout.c fpu/area.c */
/*
 * The whole of fpu/ on a CPU of ours, against bare hardware. A guest's steps
 * are carried out twice, on a vCPU and on a model of the CPU it believes to
 * own; after each everything the guest could look at must be the same. The
 * joint states are explored until no new one turns up, so a claim covers
 * sequences of any length. Before that, as it takes longest, the counts of
 * exits, shortages, and odd machines.
 */
#include "tests/unit/cpuid_0d.h"
#include "tests/unit/fake_cpu.h"
#include "tests/unit/tap.h"

#include "fpu/fpu.c"
#include "fpu/machine.c"

#define TILE 18
#define PKRU 9
#define NEXT 20 /* the unknown component, where a machine has it */
#define T    BIT(TILE)
#define N    BIT(NEXT)

/* What a step looks like to the guest. */
enum seen {
	SEEN_OK,
	SEEN_UD,
	SEEN_NM,
	SEEN_GP,
	SEEN_STOP, /* the VM was stopped: bare hardware never does */
};
static const char *const seen_name[] = {
	[SEEN_OK] = "runs", [SEEN_UD] = "#UD",          [SEEN_NM] = "#NM",
	[SEEN_GP] = "#GP",  [SEEN_STOP] = "VM stopped",
};

/* The CPU that the guest believes to have. */
struct bare {
	u64 user;  /* what its CPUID.0DH offers */
	u64 legal; /* 0: no XFD */
	u64 xcr0, xfd, xfd_err;
	u64 content[XSTATE_COUNT];
};

static void bare_reset(struct bare *b)
{
	b->xcr0 = XSTATE_X87;
	b->xfd = b->xfd_err = 0;
	memset(b->content, 0, sizeof(b->content));
	b->content[0] = FCW_RESET | (u64)FTW_RESET << 32;
}

/* The vCPU under test, the one it shares the CPU with, and its exits. */
static struct fpu guest, other;
static struct fpu_account account;
static unsigned int lives; /* of the guest: each RESET begins one */
static struct {
	u64 nm, xfd_read, xfd_write, err_read, err_write, xsetbv;
} exits;

static u64 msr_exits(void)
{
	return exits.xfd_read + exits.xfd_write + exits.err_read +
	       exits.err_write;
}

static bool traps(u32 which)
{
	return fpu_traps(&guest) & which;
}

static enum seen seen_write(enum fpu_write w)
{
	return w == FPU_WRITE_OK   ? SEEN_OK
	       : w == FPU_WRITE_GP ? SEEN_GP
				   : SEEN_STOP;
}

static enum seen guest_rdmsr(u32 msr, u64 *value)
{
	const bool is_xfd = msr == MSR_IA32_XFD;

	*value = 0;
	if (!traps(is_xfd ? FPU_TRAP_XFD_READ : FPU_TRAP_ERR_READ)) {
		if (!cpu.l.has_xfd)
			return SEEN_GP;
		*value = is_xfd ? cpu.xfd : cpu.xfd_err;
		return SEEN_OK;
	}
	*(is_xfd ? &exits.xfd_read : &exits.err_read) += 1;
	if (!fpu_guest_has_xfd(&guest))
		return SEEN_GP;
	*value = is_xfd ? fpu_read_xfd(&guest) : fpu_read_xfd_err(&guest);
	return SEEN_OK;
}

static enum seen guest_wrmsr(u32 msr, u64 value)
{
	const bool is_xfd = msr == MSR_IA32_XFD;

	if (!traps(is_xfd ? FPU_TRAP_XFD_WRITE : FPU_TRAP_ERR_WRITE)) {
		if (!cpu.l.has_xfd || (value & ~cpu.l.xfd))
			return SEEN_GP;
		*(is_xfd ? &cpu.xfd : &cpu.xfd_err) = value;
		return SEEN_OK;
	}
	*(is_xfd ? &exits.xfd_write : &exits.err_write) += 1;
	return seen_write(is_xfd ? fpu_write_xfd(&guest, value)
				 : fpu_write_xfd_err(&guest, value));
}

static enum seen guest_xsetbv(u64 value)
{
	exits.xsetbv++;
	return seen_write(fpu_set_xcr0(&guest, value));
}

/* A #NM, with XFD_ERR as the CPU has left it; true: the step runs again. */
static bool guest_nm(enum seen *seen)
{
	*seen = SEEN_NM;
	if (!traps(FPU_TRAP_NM))
		return false;
	exits.nm++;
	const enum fpu_nm nm = fpu_nm_exit(&guest);

	if (nm == FPU_NM_NO_MEMORY)
		*seen = SEEN_STOP;
	return nm == FPU_NM_RETRY;
}

/* An instruction that needs COMPONENTS; VALUE goes into each of them. */
static enum seen guest_use(u64 components, u64 value)
{
	enum seen seen;

	if ((cpu.xcr0 & components) != components)
		return SEEN_UD;
	for (int tries = 0; cpu.xfd & components; tries++) {
		if (tries == 2)
			fake_bug("the same instruction grows for ever");
		cpu.xfd_err = cpu.xfd & components;
		if (!guest_nm(&seen))
			return seen;
	}
	for (unsigned int i = 0; i < XSTATE_COUNT; i++)
		if (components & BIT(i))
			cpu.content[i] = value;
	return SEEN_OK;
}

static enum seen bare_use(struct bare *b, u64 components, u64 value)
{
	if ((b->xcr0 & components) != components)
		return SEEN_UD;
	if (b->xfd & components) {
		b->xfd_err = b->xfd & components;
		return SEEN_NM;
	}
	for (unsigned int i = 0; i < XSTATE_COUNT; i++)
		if (components & BIT(i))
			b->content[i] = value;
	return SEEN_OK;
}

static enum seen bare_write(const struct bare *b, u64 *msr, u64 value)
{
	if (b->legal == 0 || (value & ~b->legal))
		return SEEN_GP;
	*msr = value;
	return SEEN_OK;
}

/* CR0.TS: a #NM that leaves XFD_ERR alone (xfd.md A.4.21). */
static enum seen guest_ts(void)
{
	enum seen seen;

	if (guest_nm(&seen))
		fake_bug("a #NM of CR0.TS was retried");
	return seen;
}

/* Another vCPU, with tiles and a PKRU of its own, has the CPU for a while. */
static void switch_away_and_back(void)
{
	fpu_put(&guest);
	fpu_load(&other);
	if (cpu.content[TILE] != (cpu.xcr0 & T ? 0xdead : 0) ||
	    cpu.xfd_err != (fpu_guest_has_xfd(&other) ? T : 0))
		fake_bug("the neighbour's state was lost");
	fpu_put(&other);
	fpu_load(&guest);
}

/* ---- steps ---- */

enum step {
	XFD_0,
	XFD_T,
	XFD_N,
	XFD_TN,
	XFD_BAD,
	ERR_0,
	ERR_T,
	ERR_N,
	XSETBV_ALL,
	XSETBV_NO_TILES,
	XSETBV_ONLY_17,
	USE_TILES,
	USE_NEXT,
	USE_BOTH,
	USE_PKRU,
	TILERELEASE,
	TS_NM,
	SWITCH,
	RESET,
	STEP_COUNT,
};
static const char *const step_name[] = {
	[XFD_0]           = "XFD:=0",
	[XFD_T]           = "XFD:=tiles",
	[XFD_N]           = "XFD:=20",
	[XFD_TN]          = "XFD:=tiles,20",
	[XFD_BAD]         = "XFD:=-1",
	[ERR_0]           = "XFD_ERR:=0",
	[ERR_T]           = "XFD_ERR:=tiles",
	[ERR_N]           = "XFD_ERR:=20",
	[XSETBV_ALL]      = "XSETBV all",
	[XSETBV_NO_TILES] = "XSETBV without tiles",
	[XSETBV_ONLY_17]  = "XSETBV with 17 only",
	[USE_TILES]       = "use tiles",
	[USE_NEXT]        = "use 20",
	[USE_BOTH]        = "use tiles and 20",
	[USE_PKRU]        = "write PKRU",
	[TILERELEASE]     = "TILERELEASE",
	[TS_NM]           = "#NM by CR0.TS",
	[SWITCH]          = "another vCPU runs",
	[RESET]           = "RESET",
};

static const u64 xfd_value[] = {
	[XFD_0] = 0,       [XFD_T] = T, [XFD_N] = N, [XFD_TN] = T | N,
	[XFD_BAD] = ~0ULL, [ERR_0] = 0, [ERR_T] = T, [ERR_N] = N,
};
static const u64 used[] = {
	[USE_TILES] = T,
	[USE_NEXT]  = N,
	[USE_BOTH]  = T | N,
};

/* The step on the vCPU and on the model; true: the guest sees no difference. */
static bool take_step(struct bare *b, enum step s, enum seen *vcpu,
		      enum seen *model)
{
	*vcpu = *model = SEEN_OK;
	switch (s) {
	case XFD_0:
	case XFD_T:
	case XFD_N:
	case XFD_TN:
	case XFD_BAD:
		*vcpu  = guest_wrmsr(MSR_IA32_XFD, xfd_value[s]);
		*model = bare_write(b, &b->xfd, xfd_value[s]);
		break;
	case ERR_0:
	case ERR_T:
	case ERR_N:
		*vcpu  = guest_wrmsr(MSR_IA32_XFD_ERR, xfd_value[s]);
		*model = bare_write(b, &b->xfd_err, xfd_value[s]);
		break;
	case XSETBV_ALL:
		*vcpu   = guest_xsetbv(b->user);
		b->xcr0 = b->user;
		break;
	case XSETBV_NO_TILES:
		*vcpu   = guest_xsetbv(b->user & ~XSTATE_AMX);
		b->xcr0 = b->user & ~XSTATE_AMX;
		break;
	case XSETBV_ONLY_17:
		*vcpu  = guest_xsetbv(XSTATE_X87 | XSTATE_TILECFG);
		*model = SEEN_GP;
		break;
	case USE_TILES:
	case USE_NEXT:
	case USE_BOTH:
		*vcpu  = guest_use(used[s], 0xaaaa);
		*model = bare_use(b, used[s], 0xaaaa);
		break;
	case USE_PKRU: /* no #UD by XCR0 (security: XSA-220) */
		cpu.content[PKRU] = b->content[PKRU] = 0x55;
		break;
	case TILERELEASE: /* #UD without XCR0; never #NM (xfd.md A.3.14) */
		if (cpu.xcr0 & T)
			cpu.content[17] = cpu.content[TILE] = 0;
		if (b->xcr0 & T)
			b->content[17] = b->content[TILE] = 0;
		break;
	case TS_NM:
		*vcpu  = guest_ts();
		*model = SEEN_NM;
		break;
	case SWITCH:
		switch_away_and_back();
		break;
	case RESET:
		lives++;
		fpu_put(&guest);
		fpu_reset(&guest);
		fpu_load(&guest);
		bare_reset(b);
		break;
	case STEP_COUNT:
		fake_bug("no such step");
	}
	return *vcpu == *model;
}

/* Everything the guest can look at, without disturbing either. */
static bool looks_the_same(const struct bare *b)
{
	u64 xfd, xfd_err;
	const enum seen has_xfd = b->legal ? SEEN_OK : SEEN_GP;

	if (guest_rdmsr(MSR_IA32_XFD, &xfd) != has_xfd ||
	    guest_rdmsr(MSR_IA32_XFD_ERR, &xfd_err) != has_xfd)
		return false;
	if (b->legal && (xfd != b->xfd || xfd_err != b->xfd_err))
		return false;
	for (unsigned int i = 0; i < XSTATE_COUNT; i++) {
		const bool off_here    = cpu.xcr0 & cpu.xfd & BIT(i);
		const bool off_there   = b->xcr0 & b->xfd & BIT(i);
		const u64 xsavec_here  = off_here ? 0 : cpu.content[i];
		const u64 xsavec_there = off_there ? 0 : b->content[i];

		if (cpu.content[i] != b->content[i] ||
		    xsavec_here != xsavec_there)
			return false;
	}
	return cpu.xcr0 == b->xcr0;
}

/* What must hold in every state, whatever the guest did. */
static void check_invariants(void)
{
	const struct xfd *x = &guest.xfd;

	if (cpu.xcr0 & ~cpu.xfd & x->missing)
		fake_bug("the guest can reach a component without room");
	if (x->missing & guest.area.components)
		fake_bug("missing, yet it has room");
	if (xfd_owed(x) && !traps(FPU_TRAP_NM))
		fake_bug("owed, and its use would not come to us");
	if (xfd_is_armed(x) && cpu.xfd_err)
		fake_bug("armed, and XFD_ERR is not 0");
	if (guest.stats.growths > lives)
		fake_bug("grown twice in one life");
	if (account.used_bytes !=
	    (guest.area.page_count + other.area.page_count) * PAGE_SIZE)
		fake_bug("the account is wrong");
	for (unsigned int i = 0; i < XSTATE_COUNT; i++)
		if ((x->missing & BIT(i)) && cpu.content[i])
			fake_bug("state without room is not initial (G3)");
}

/* ---- exploring ---- */

struct kind {
	const char *name;
	const struct cpuid_0d *cpuid;
	u64 user;  /* offered to the guest */
	u64 legal; /* its XFD */
	bool reserve;
};

static void start(const struct kind *k, enum xfd_policy policy, struct bare *b)
{
	const struct fpu_config c = {
		.policy       = policy,
		.reserve      = k->reserve,
		.xcr0_allowed = k->user,
		.xss_allowed  = CET_SUPERVISOR,
		.xfd_allowed  = k->legal,
		.account      = &account,
	};

	fake_cpu_reset(k->cpuid);
	memset(&exits, 0, sizeof(exits));
	account = (struct fpu_account){ 0 };
	lives   = 1;
	fpu_init();
	fpu_init_cpu();
	if (!fpu_create(&guest, &c) || !fpu_create(&other, &c))
		fake_bug("no memory");
	fpu_load(&other);
	if (k->user & T) {
		fpu_set_xcr0(&other, k->user);
		if (other.xfd.missing) {
			cpu.xfd_err = T;
			fpu_nm_exit(&other);
		}
		cpu.content[TILE] = 0xdead;
	}
	fpu_write_xfd_err(&other, T);
	fpu_put(&other);
	*b = (struct bare){ .user = k->user, .legal = k->legal };
	bare_reset(b);
	fpu_load(&guest);
}

static void finish(void)
{
	fpu_put(&guest);
	fpu_destroy(&guest);
	fpu_destroy(&other);
	if (account.used_bytes || fake_pages_out || fake_dirty_frees)
		fake_bug("memory was kept, or not scrubbed");
}

#define STATES 20000
#define LENGTH 64

/*
 * The joint state, as far as anything later can depend on it: the copies of
 * registers as well, which are older than the CPU's own.
 */
struct key {
	u64 policy, opened, missing, xfd, err, hw_xfd, hw_err;
	u64 components, xcr0, cpu_xfd, cpu_err, cfg, tile, pkru, next;
	u64 bare_xcr0, bare_xfd, bare_err, bare_tile, bare_next;
};

static struct {
	struct key key;
	u8 path[LENGTH];
	u8 length;
} state[STATES];
static unsigned int state_count;
static u32 state_hash[1 << 16]; /* index + 1; 0: free */

static struct key key_now(const struct bare *b)
{
	struct key k;

	memset(&k, 0, sizeof(k));
	k.policy     = guest.xfd.policy;
	k.opened     = guest.xfd.opened;
	k.missing    = guest.xfd.missing;
	k.xfd        = guest.xfd.guest_xfd;
	k.err        = guest.xfd.guest_xfd_err;
	k.hw_xfd     = guest.hw.xfd;
	k.hw_err     = guest.hw.xfd_err;
	k.components = guest.area.components;
	k.xcr0       = cpu.xcr0;
	k.cpu_xfd    = cpu.xfd;
	k.cpu_err    = cpu.xfd_err;
	k.cfg        = cpu.content[17];
	k.tile       = cpu.content[TILE];
	k.pkru       = cpu.content[PKRU];
	k.next       = cpu.content[NEXT];
	k.bare_xcr0  = b->xcr0;
	k.bare_xfd   = b->xfd;
	k.bare_err   = b->xfd_err;
	k.bare_tile  = b->content[TILE];
	k.bare_next  = b->content[NEXT];
	return k;
}

static void note_state(const struct key *k, const u8 *path, unsigned int length)
{
	const u64 *word = (const u64 *)k;
	u64 hash        = 0;
	u32 slot;

	for (size_t i = 0; i < sizeof(*k) / sizeof(*word); i++)
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ULL;
	for (slot = (u32)(hash >> 48); state_hash[slot];
	     slot = (slot + 1) % ARRAY_SIZE(state_hash))
		if (memcmp(&state[state_hash[slot] - 1].key, k, sizeof(*k)) ==
		    0)
			return;
	if (state_count == STATES || length > LENGTH)
		fake_bug("more states than there can be");
	state[state_count].key    = *k;
	state[state_count].length = (u8)length;
	memcpy(state[state_count].path, path, length);
	state_hash[slot] = ++state_count;
}

static void print_path(const u8 *path, unsigned int length, enum seen vcpu,
		       enum seen model)
{
	char line[1024] = "";

	for (unsigned int i = 0; i < length; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s%s", i ? ", then " : "", step_name[path[i]]);
	tap_note("%s: %s here, %s on bare hardware", line, seen_name[vcpu],
		 seen_name[model]);
}

/* The shortest path to a difference is printed; false: there is one. */
static bool explore(const struct kind *k, enum xfd_policy policy)
{
	struct bare b;
	u8 path[LENGTH + 1];
	enum seen vcpu, model;

	state_count = 0;
	memset(state_hash, 0, sizeof(state_hash));
	start(k, policy, &b);
	const struct key first = key_now(&b);

	finish();
	note_state(&first, path, 0);
	for (unsigned int i = 0; i < state_count; i++)
		for (enum step s = 0; s < STEP_COUNT; s++) {
			const unsigned int length = state[i].length + 1u;
			bool same                 = true;

			memcpy(path, state[i].path, state[i].length);
			path[state[i].length] = (u8)s;
			start(k, policy, &b);
			/* All but the last step were looked at before. */
			for (unsigned int n = 0; n < length; n++)
				same = take_step(&b, path[n], &vcpu, &model);
			same = same && looks_the_same(&b);
			check_invariants();
			const struct key now = key_now(&b);

			finish();
			if (!same) {
				print_path(path, length, vcpu, model);
				return false;
			}
			note_state(&now, path, length);
		}
	return true;
}

/* Each component of the guest's, in use at once, comes back after a switch. */
static bool keeps_everything(const struct kind *k)
{
	struct bare b;
	bool kept = true;
	u64 saves;

	start(k, XFD_NM, &b);
	guest_xsetbv(k->user);
	for (unsigned int i = 0; i < XSTATE_COUNT; i++)
		if (k->user & BIT(i))
			guest_use(BIT(i), 0x100 + i);
	switch_away_and_back();
	for (unsigned int i = 0; i < XSTATE_COUNT; i++)
		if (k->user & BIT(i))
			kept &= cpu.content[i] == 0x100 + i;
	saves = cpu.saves;
	fpu_put(&guest);
	kept &= cpu.saves == saves + 1;
	fpu_load(&guest);
	finish();
	return kept;
}

static void sequences_of_any_length(void)
{
	static struct cpuid_0d apx, unknown, xsavec, no_xfd, standard, xsaveopt,
		xsave;
	const u64 spr            = 0x602e7;
	const struct kind kind[] = {
		{ "Sapphire Rapids", &cpuid_sapphire_rapids, spr, T, false },
		{ "the same, fpu=reserve", &cpuid_sapphire_rapids, spr, T,
		  true },
		{ "XFD hidden (F.24, F.72)", &cpuid_sapphire_rapids, spr, 0,
		  false },
		{ "AMX hidden", &cpuid_sapphire_rapids, 0x2e7, 0, false },
		{ "component 19", &apx, spr | BIT(19), T, false },
		{ "two that XFD can disable", &unknown, spr | N, T | N, false },
		{ "one of two hidden (F.22)", &unknown, spr, T, false },
		{ "XSAVEC without XSAVES", &xsavec, spr, T, false },
		{ "no XFD (F.77)", &no_xfd, spr, 0, false },
		{ "XFD without XSAVEC", &standard, spr, T, false },
		{ "XSAVEOPT only", &xsaveopt, spr, 0, false },
		{ "XSAVE only", &xsave, spr, 0, false },
	};

	apx      = cpuid_with_apx();
	unknown  = cpuid_with_unknown_20();
	xsavec   = cpuid_with_features(UP_TO_XSAVEC | 0x10);
	no_xfd   = cpuid_with_features(UP_TO_XSAVES);
	standard = cpuid_with_features(XSAVEOPT_ONLY | 0x10);
	xsaveopt = cpuid_with_features(XSAVEOPT_ONLY);
	xsave    = cpuid_with_features(NO_FEATURES);
	for (size_t i = 0; i < ARRAY_SIZE(kind); i++)
		tap_ok(keeps_everything(&kind[i]),
		       "%s: one instruction keeps every component",
		       kind[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(kind); i++)
		for (enum xfd_policy p = XFD_NM; p <= XFD_KVM; p++) {
			const bool same = explore(&kind[i], p);

			tap_ok(same,
			       "%s, %s: the guest sees bare hardware "
			       "(%u states)",
			       kind[i].name, xfd_policy_name(p), state_count);
		}
	tap_ok(!explore(&kind[0], XFD_INJECT),
	       "inject is told from bare hardware: C.5, P4 is wrong");
	tap_ok(explore(&kind[3], XFD_INJECT), "inject without AMX is harmless");
}

/* ---- claims one by one ---- */

static const struct kind spr = { "", &cpuid_sapphire_rapids, 0x602e7, T,
				 false };

static struct bare boot_guest(enum xfd_policy policy)
{
	struct bare b;

	start(&spr, policy, &b);
	guest_xsetbv(0x602e7);
	memset(&exits, 0, sizeof(exits));
	return b;
}

/* A Linux thread's first tile instruction; its handler turns XFD off. */
static void linux_first_use(void)
{
	u64 v;

	while (guest_use(T, 1) == SEEN_NM) {
		guest_rdmsr(MSR_IA32_XFD_ERR, &v);
		guest_wrmsr(MSR_IA32_XFD_ERR, 0);
		guest_wrmsr(MSR_IA32_XFD, 0);
	}
}

static void exit_counts(void)
{
	/* C.6, in its columns' order: #NM and MSR exits by policy. */
	static const struct {
		enum xfd_policy policy;
		u64 boot, first_nm, first_msr, later_nm, later_msr;
	} t[] = {
		{ XFD_EAGER, 0, 0, 0, 0, 0 },
		{ XFD_WRMSR, 1, 0, 1, 0, 0 },
		{ XFD_NM, 1, 1, 1, 0, 0 },
		{ XFD_KVM, 1, 1, 1, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *name = xfd_policy_name(t[i].policy);
		struct bare b;

		start(&spr, t[i].policy, &b);
		guest_wrmsr(MSR_IA32_XFD, T);
		guest_xsetbv(0x602e7);
		tap_is(msr_exits(), t[i].boot, "C.6, %s: XFD exits at boot",
		       name);
		memset(&exits, 0, sizeof(exits));
		linux_first_use();
		tap_is(exits.nm, t[i].first_nm,
		       "C.6, %s: #NM exits of the "
		       "first thread's first use",
		       name);
		tap_is(msr_exits(), t[i].first_msr,
		       "C.6, %s: and its MSR exits", name);
		tap_is(guest.stats.growths,
		       t[i].policy == XFD_NM || t[i].policy == XFD_WRMSR,
		       "C.6, %s: growths", name);
		guest_wrmsr(MSR_IA32_XFD, T);
		memset(&exits, 0, sizeof(exits));
		linux_first_use();
		tap_is(exits.nm, t[i].later_nm,
		       "C.6, %s: #NM exits of a later thread's", name);
		tap_is(msr_exits(), t[i].later_msr,
		       "C.6, %s: and its MSR exits", name);
		finish();
	}
}

static void first_use(void)
{
	boot_guest(XFD_NM);
	tap_is(guest.area.bytes, 2560, "nm: the area starts with 2560 bytes");
	tap_ok(guest_use(T, 1) == SEEN_OK && guest_use(T, 2) == SEEN_OK,
	       "F.1: two uses by a guest that never writes XFD");
	tap_is(exits.nm, 1, "F.1: one #NM exit in its life");
	tap_is(guest.last_growth.from, 2560, "the growth says from");
	tap_is(guest.last_growth.to, 10752, "and to");
	tap_is(guest.last_growth.components, T, "and which components");
	tap_is(fpu_traps(&guest), 0, "grown: nothing exits");
	tap_ok(fpu_xfd_is_passed_through(&guest), "and XFD is passed through");
	memset(&exits, 0, sizeof(exits));
	for (int i = 0; i < 1000000; i++)
		guest_wrmsr(MSR_IA32_XFD, i & 1 ? 0 : T);
	tap_is(msr_exits() + exits.nm, 0, "F.30: 10^6 toggles take 0 exits");
	finish();

	boot_guest(XFD_NM);
	for (int i = 0; i < 10; i++)
		guest_ts();
	tap_is(exits.nm, 10, "F.71: while armed every TS #NM exits");
	tap_is(guest.stats.growths, 0, "F.39: and none grows");
	guest_use(T, 1);
	memset(&exits, 0, sizeof(exits));
	guest_ts();
	tap_is(exits.nm, 0, "F.71: once grown none exits");
	finish();
}

static void switches(void)
{
	u64 writes, saved;

	boot_guest(XFD_NM);
	guest_wrmsr(MSR_IA32_XFD, T);
	guest_wrmsr(MSR_IA32_XFD_ERR, T);
	for (int i = 0; i < 1000; i++)
		switch_away_and_back();
	tap_is(cpu.xfd_err, T, "F.28: XFD_ERR survives 1000 switches");
	tap_is(cpu.xfd, T, "and XFD");
	guest_wrmsr(MSR_IA32_XFD, 0);
	guest_use(T, 7);
	guest_wrmsr(MSR_IA32_XFD, T);
	switch_away_and_back();
	tap_is(cpu.content[TILE], 7, "F.32: tiles kept while XFD is set");
	guest_xsetbv(0x2e7);
	switch_away_and_back();
	tap_is(cpu.content[TILE], 7, "F.36: and while XCR0 lacks them");
	finish();

	boot_guest(XFD_EAGER);
	fpu_put(&guest);
	writes = cpu.msr_writes;
	fpu_load(&guest);
	fpu_put(&guest);
	tap_is(cpu.msr_writes - writes, 0, "equal registers are not written");
	saved = guest.stats.bytes_saved;
	fpu_load(&guest);
	fpu_put(&guest);
	tap_is(guest.stats.bytes_saved - saved, 64 + 160,
	       "only components in use are moved");
	tap_is(guest.stats.saves, 3, "saves are counted");
	fpu_load(&guest);
	finish();

	struct bare b = boot_guest(XFD_NM);

	switch_away_and_back();
	guest_use(T, 0);
	(void)b;
	tap_is(cpu.content[TILE], 0, "F.58: no tiles of the vCPU before");
	finish();
}

static void shortages(void)
{
	const u64 left = fake_pages_left;

	boot_guest(XFD_NM);
	fake_pages_left = 2;
	tap_ok(guest_use(T, 1) == SEEN_STOP, "F.63: nm, no memory: VM stopped");
	tap_is(fpu_need_bytes(&guest), 3 * PAGE_SIZE, "with what it needs");
	tap_is(fpu_have_bytes(&guest), 2 * PAGE_SIZE, "and what there was");
	tap_is(cpu.xfd_err, 0, "F.63: XFD_ERR is 0 again");
	check_invariants();
	switch_away_and_back();
	fake_pages_left = left - 4;
	tap_ok(guest_use(T, 1) == SEEN_OK,
	       "F.63: memory is back, it completes");
	finish();

	boot_guest(XFD_WRMSR);
	tap_is(guest.stats.growths, 1, "wrmsr: XSETBV of enabled tiles grows");
	finish();
	boot_guest(XFD_NM);
	account.limit_bytes = account.used_bytes;
	tap_ok(guest_use(T, 1) == SEEN_STOP, "areas= is a limit");
	tap_ok(guest.short_of.by_limit, "and says so");
	account.limit_bytes = 0;
	finish();

	struct bare b;

	start(&spr, XFD_WRMSR, &b);
	guest_wrmsr(MSR_IA32_XFD, T);
	guest_xsetbv(0x602e7);
	tap_is(guest.stats.growths, 0, "C.4.6: XFD set first, XSETBV is lazy");
	account.limit_bytes = account.used_bytes;
	tap_ok(guest_wrmsr(MSR_IA32_XFD, 0) == SEEN_STOP,
	       "wrmsr: the write that has to grow stops the VM");
	tap_is(cpu.xfd, T, "and has not happened");
	finish();

	const struct kind reserve = { "", spr.cpuid, spr.user, T, true };

	start(&reserve, XFD_NM, &b);
	guest_xsetbv(0x602e7);
	fake_pages_left     = 0;
	account.limit_bytes = account.used_bytes;
	tap_ok(guest_use(T, 1) == SEEN_OK, "fpu=reserve: growth cannot fail");
	finish();
	fake_pages_left = left;
}

static void machines(void)
{
	static struct cpuid_0d c;
	struct bare b;

	c                        = cpuid_with_features(UP_TO_XSAVES);
	const struct kind no_xfd = { "", &c, 0x602e7, 0, false };

	start(&no_xfd, XFD_NM, &b);
	tap_is(guest.area.bytes, 10752, "F.77: no XFD, full area");
	tap_ok(!fpu_guest_has_xfd(&guest), "F.77: its MSRs are #GP");
	tap_ok(!fpu_machine_has_xfd(), "F.77: and the machine has none");
	finish();

	const struct kind no_amx = { "", spr.cpuid, 0x2e7, 0, false };

	start(&no_amx, XFD_EAGER, &b);
	tap_is(guest.area.bytes, 2560, "amx=off: small even under eager");
	finish();
	const struct kind neither = { "", &c, 0x2e7, 0, false };

	start(&neither, XFD_NM, &b);
	tap_is(guest.area.bytes, 2560, "amx=off without XFD: small for ever");
	finish();

	static struct cpuid_0d unknown, large;

	unknown                  = cpuid_with_unknown_20();
	const struct kind hidden = { "", &unknown, spr.user, T, false };

	start(&hidden, XFD_NM, &b);
	tap_is(guest.area.bytes, 2560, "no room for what XFD keeps away");
	guest_xsetbv(spr.user);
	guest_use(T, 1);
	tap_is(guest.area.bytes, 10752, "and is hidden, grown or not");
	finish();

	large                     = cpuid_sapphire_rapids;
	large.sub[15].eax         = 0x2000;
	const struct kind reserve = { "", &large, spr.user, T, true };

	start(&reserve, XFD_NM, &b);
	tap_is(guest.area.page_count, 3,
	       "fpu=reserve: nothing for components of nobody");
	finish();
	start(&spr, XFD_EAGER, &b);
	tap_is(guest.area.bytes, 10752, "eager: grown from creation");
	tap_is(fpu_traps(&guest), 0, "eager: nothing exits");
	tap_is(fpu_size_for(0x602e7, false), 11008, "F.43: 0D.0:EBX");
	tap_is(fpu_size_for(0x2e7, false), 2696, "F.43: without tiles");
	finish();
	start(&spr, XFD_KVM, &b);
	tap_is(fpu_set_xss(&guest, 0), FPU_WRITE_OK, "XSS := 0");
	tap_is(fpu_set_xss(&guest, 0x800), FPU_WRITE_GP,
	       "XSS: a component that is not offered is #GP");
	finish();

	start(&spr, XFD_NM, &b);
	guest_xsetbv(0x602e7);
	guest_use(T, 3);
	fpu_put(&guest);
	fpu_reset(&guest);
	fpu_load(&guest);
	tap_is(cpu.content[TILE], 0, "F.66: RESET initialises the tiles");
	tap_is(cpu.xcr0, 1, "F.66: XCR0 = 1");
	tap_is(guest.area.bytes, 2560, "F.66: the area is small again");
	tap_is(guest.area.page_count, 1, "F.66: its memory went back");
	tap_is(cpu.xfd, T, "F.66: and its first use is awaited again");
	check_invariants();
	tap_ok(guest_xsetbv(0x602e7) == SEEN_OK && guest_use(T, 3) == SEEN_OK,
	       "F.66: tiles after RESET");
	tap_is(guest.stats.growths, 2, "F.66: for which it grows again");
	fpu_put(&guest);
	cpu.content[TILE] = 5;
	fpu_idle();
	tap_is(cpu.content[TILE], 0, "an idle CPU lets go of the tiles");
	fpu_load(&guest);
	finish();
}

/* Values by the accessors, of a vCPU that has the CPU and of one that has not.
 */
static void accessors(void)
{
	struct bare b;

	start(&spr, XFD_EAGER, &b);
	tap_is(fpu_guest_xcr0(&guest), 1, "XCR0 after RESET");
	guest_xsetbv(0x602e7);
	tap_is(fpu_guest_xcr0(&guest), 0x602e7, "XCR0 as set");
	tap_is(fpu_growths(&guest), 0, "eager never grows");
	cpu.xfd     = T;
	cpu.xfd_err = T;
	tap_is(fpu_read_xfd(&guest), T, "XFD that was written without an exit");
	tap_is(fpu_read_xfd_err(&guest), T, "XFD_ERR likewise");
	fpu_put(&guest);
	tap_is(fpu_read_xfd(&guest), T, "XFD of a vCPU that is away");
	tap_is(fpu_read_xfd_err(&guest), T, "XFD_ERR of one");
	tap_is(fpu_write_xfd(&guest, 0), FPU_WRITE_OK, "a write to it");
	tap_is(cpu.xfd, 0, "leaves the CPU alone");
	fpu_write_xfd(&guest, T);
	tap_is(cpu.xfd, 0, "whatever is written");
	fpu_load(&guest);
	tap_is(cpu.xfd, T, "until it is back");
	tap_is(fpu_write_xfd(&guest, T << 1), FPU_WRITE_GP, "XFD: reserved");
	tap_is(fpu_write_xfd_err(&guest, T << 1), FPU_WRITE_GP,
	       "XFD_ERR: reserved");
	finish();

	start(&spr, XFD_NM, &b);
	guest_xsetbv(0x602e7);
	cpu.xfd_err = T;
	tap_is(fpu_read_xfd_err(&guest), 0, "armed: XFD_ERR is the guest's");
	tap_is(fpu_read_xfd(&guest), 0, "and so is XFD");
	tap_ok(!fpu_xfd_is_passed_through(&guest), "armed: XFD exits");
	cpu.xfd_err = 0;
	guest_use(T, 1);
	tap_ok(fpu_xfd_is_passed_through(&guest), "grown: passed through");
	tap_is(fpu_growths(&guest), 1, "growths are counted");
	finish();

	const struct kind no_amx = { "", spr.cpuid, 0x2e7, 0, false };

	start(&no_amx, XFD_NM, &b);
	tap_is(fpu_read_xfd_err(&guest), 0, "XFD_ERR of a guest without XFD");
	finish();

	start(&spr, XFD_NM, &b);
	tap_ok(fpu_machine_has_xsaves(), "the machine has XSAVES");
	tap_is(fpu_machine_xcr0(), 0x602e7, "all of its XCR0");
	tap_is(fpu_machine_xss(), 0, "XSS: no component is a vCPU's yet");
	tap_is(fpu_machine_xfd_mask(), T, "and its XFD knows the tiles");
	tap_is(fpu_machine_layout()->size[TILE], 8192, "of 8 KiB");
	finish();
}

/*
 * Supervisor components, as if XSTATE_VCPU_SUPERVISOR had CET's: switched with
 * the others, written to the CPU only of the vCPU that has it.
 */
static void supervisor(void)
{
	const struct fpu_config c = {
		.policy       = XFD_NM,
		.xcr0_allowed = 0x602e7,
		.xss_allowed  = CET_SUPERVISOR,
		.xfd_allowed  = T,
		.account      = &account,
	};
	u64 writes;

	fake_cpu_reset(spr.cpuid);
	account = (struct fpu_account){ 0 };
	fpu_init();
	machine.host.xss = CET_SUPERVISOR;
	fpu_init_cpu();
	tap_is(cpu.xss, CET_SUPERVISOR, "XSS of the host");
	if (!fpu_create(&guest, &c))
		fake_bug("no memory");
	tap_is(fpu_set_xss(&guest, 0x800), FPU_WRITE_OK, "XSS before loading");
	tap_is(cpu.xss, CET_SUPERVISOR, "is not the CPU's");
	tap_is(fpu_guest_xss(&guest), 0x800, "but the guest's");
	fpu_load(&guest);
	tap_is(cpu.xss, 0x800, "which the CPU has when loaded");
	cpu.content[11] = 77;
	tap_is(fpu_set_xss(&guest, CET_SUPERVISOR), FPU_WRITE_OK, "loaded");
	tap_is(cpu.xss, CET_SUPERVISOR, "a write goes to the CPU");
	fpu_set_xcr0(&guest, 0x602e7);
	tap_is(cpu.xss, CET_SUPERVISOR, "XSETBV leaves it alone");
	writes = cpu.msr_writes;
	fpu_set_xss(&guest, CET_SUPERVISOR);
	tap_is(cpu.msr_writes - writes, 0, "once");
	tap_is(fpu_set_xss(&guest, 0x100), FPU_WRITE_GP, "PT is not offered");
	fpu_set_xss(&guest, 0);
	fpu_put(&guest);
	tap_is(cpu.xss, CET_SUPERVISOR, "and the host's comes back");
	cpu.content[11] = 0;
	fpu_load(&guest);
	tap_is(cpu.content[11], 77, "CET_U is kept while XSS lacks it");
	fpu_set_xss(&guest, 0x800);
	fpu_put(&guest);
	fpu_reset(&guest);
	tap_is(fpu_guest_xss(&guest), 0, "XSS after RESET");
	fpu_destroy(&guest);

	static struct cpuid_0d no_xsaves;

	no_xsaves = cpuid_with_features(UP_TO_XSAVEC);
	fake_cpu_reset(&no_xsaves);
	fpu_init();
	fpu_init_cpu();
	tap_ok(!fpu_machine_has_xsaves(), "a machine without XSAVES");
	if (!fpu_create(&guest, &c))
		fake_bug("no memory");
	tap_is(fpu_set_xss(&guest, 0), FPU_WRITE_GP, "has no XSS");
	fpu_destroy(&guest);
}

static void odd_machines(void)
{
	static struct cpuid_0d c;
	const struct {
		const char *claim;
		u32 features;
		bool tiles;
		u64 left;
	} t[] = {
		{ "idle without tiles in XCR0", UP_TO_XFD, false, 5 },
		{ "idle without XGETBV 1", XSAVEOPT_ONLY, true, 5 },
		{ "idle with tiles in use", UP_TO_XFD, true, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		c = cpuid_with_features(t[i].features);
		if (!t[i].tiles)
			c.sub[0].eax &= ~(3u << 17);
		fake_cpu_reset(&c);
		fpu_init();
		fpu_init_cpu();
		cpu.content[TILE] = 5;
		fpu_idle();
		tap_is(cpu.content[TILE], t[i].left, "%s", t[i].claim);
	}
	const u64 releases = cpu.tilereleases;

	tap_is(releases, 1, "one TILERELEASE");
	fpu_idle();
	tap_is(cpu.content[TILE], 0, "idle with nothing in use");
	tap_is(cpu.tilereleases, releases, "needs none");

	c             = cpuid_sapphire_rapids;
	c.sub[0].edx  = 1u << (33 - 32);
	c.sub[33].eax = 64;
	c.sub[33].ebx = c.sub[0].ecx;
	fake_cpu_reset(&c);
	fpu_init();
	tap_is(fpu_machine_xcr0(), 0x602e7 | BIT(33), "components above 31");
	cpu.xfd = cpu.xfd_err = T;
	cpu.xss               = CET_SUPERVISOR;
	fpu_init_cpu();
	tap_ok(!cpu.xfd && !cpu.xfd_err && !cpu.xss,
	       "what firmware left is gone");
}

/* Each ASSERT of fpu.c, and what fpu_init() cannot work with. */
static void bugs(void)
{
	const struct fpu_config c = { .policy       = XFD_EAGER,
				      .xcr0_allowed = 0x602e7,
				      .xfd_allowed  = T,
				      .account      = &account };
	const u64 left            = fake_pages_left;
	static struct cpuid_0d no_x87;
	struct bare b;

	start(&spr, XFD_NM, &b);
	tap_ok(FAKE_STOPS(fpu_load(&guest)), "loaded twice");
	tap_ok(FAKE_STOPS(fpu_reset(&guest)), "RESET while loaded");
	tap_ok(FAKE_STOPS(fpu_destroy(&guest)), "destroyed while loaded");
	fpu_put(&guest);
	tap_ok(FAKE_STOPS(fpu_put(&guest)), "put twice");
	tap_ok(FAKE_STOPS(fpu_nm_exit(&guest)), "#NM of who is not loaded");
	fpu_load(&guest);
	machine.form = (enum xsave_form)(FORM_XSAVE + 1);
	tap_ok(FAKE_STOPS(machine_save(guest.area.base, 1)), "no way to save");
	machine.form = FORM_XSAVES;
	finish();

	start(&spr, XFD_WRMSR, &b);
	fpu_put(&guest);
	tap_ok(FAKE_STOPS(fpu_set_xcr0(&guest, 0x602e7)),
	       "growth of who is not loaded");
	fpu_load(&guest);
	finish();

	fake_pages_left = 0;
	tap_ok(!fpu_create(&guest, &c), "no vCPU without memory");
	tap_is(fpu_need_bytes(&guest), 3 * PAGE_SIZE, "it says what it needs");
	tap_is(account.used_bytes, 0, "and charges nothing");
	fake_pages_left = left;

	no_x87 = cpuid_sapphire_rapids;
	no_x87.sub[0].eax &= ~1u;
	cpu.cpuid = &no_x87;
	tap_ok(FAKE_STOPS(fpu_init()), "CPUID.0DH without x87 is refused");
}

int main(void)
{
	exit_counts();
	first_use();
	switches();
	shortages();
	machines();
	accessors();
	supervisor();
	odd_machines();
	bugs();
	sequences_of_any_length();
	return tap_done();
}

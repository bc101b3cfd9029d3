/* SPDX-License-Identifier: MIT */
/*
 * The extended state of the vCPUs: XCR0, IA32_XSS, IA32_XFD, IA32_XFD_ERR and
 * everything XSAVE moves. The shell around the decisions of fpu/xfd.h. It never
 * touches a VMCS: fpu_traps() says what must exit, vmx/ programs it, and again
 * after every call that may change the answer (marked "traps" below).
 *
 * "Loaded" means between fpu_load() and fpu_put(): the vCPU's state is in this
 * CPU's registers. A vCPU's functions are called by the CPU that runs it.
 */
#ifndef FPU_FPU_H
#define FPU_FPU_H

#include "fpu/area.h"
#include "fpu/xfd.h"

/* The registers switched beside the area, in the order of a restore. */
struct xregs {
	u64 xcr0;
	u64 xss;
	u64 xfd;
	u64 xfd_err;
};

struct fpu_config {
	enum xfd_policy policy;
	bool reserve; /* fpu=reserve: memory for growth is taken at creation;
		       * the default is not to: only users of tiles pay */
	u64 xcr0_allowed; /* as the guest's CPUID.0DH says, and */
	u64 xss_allowed;
	u64 xfd_allowed;             /* 0: no XFD, both its MSRs are #GP(0) */
	struct fpu_account *account; /* outlives the vCPU */
};

struct fpu_stats {
	u64 saves;
	u64 restores;
	u64 bytes_saved; /* see layout_moved() */
	u64 growths;
};

struct fpu_growth {
	u32 from; /* bytes of the area before and after */
	u32 to;
	u64 components; /* that have room since */
};

struct fpu {
	struct area area;
	struct xfd xfd;
	struct xregs
		hw; /* what the CPU holds while this guest runs; while it is
		     * loaded and has the XFD MSRs, these may be newer */
	u64 xcr0_allowed;
	u64 xss_allowed;
	u64 small;   /* components of the area after RESET, and */
	u64 reserve; /* those that its memory has room for then */
	bool loaded;
	struct fpu_account *account;
	struct fpu_growth last_growth; /* valid when stats.growths is not 0 */
	struct area_shortage short_of; /* valid after a NO_MEMORY */
	struct fpu_stats stats;
};

/*
 * Once, on the boot CPU, with CR4.OSXSAVE set: read CPUID.0DH. A machine whose
 * tables contradict themselves is refused.
 */
void fpu_init(void);

/* Every CPU: known XCR0 and IA32_XSS (everything), IA32_XFD and _ERR 0. */
void fpu_init_cpu(void);

/*
 * A boot-time test of this CPU, with known state before and after: tiles
 * survive save and restore (also rows 8 to 15), XGETBV(1) and STTILECFG tell
 * the truth, IA32_XFD stops tile instructions and, in root mode, an XRSTORS of
 * live tiles (xfd.md F.76). Prints one line. False: the machine is not as the
 * SDM says; the line names what.
 */
bool fpu_selftest(void);

/* A CPU without work: let go of the tiles, they cost power. State is saved. */
void fpu_idle(void);

/* What the machine has. */
bool fpu_machine_has_xfd(void);
bool fpu_machine_has_xsaves(void);
u64 fpu_machine_xcr0(void);     /* every user component */
u64 fpu_machine_xss(void);      /* supervisor components that a vCPU may own */
u64 fpu_machine_xfd_mask(void); /* components that IA32_XFD may disable */
const struct xstate_layout *fpu_machine_layout(void);

/*
 * Sizes for CPUID.0DH answers: EBX of sub-leaf 0 (standard format, of XCR0) and
 * of sub-leaf 1 (compacted format, of XCR0 | IA32_XSS), for the guest's values.
 */
u32 fpu_size_for(u64 components, bool compacted);

/*
 * A vCPU's extended state in its RESET state, not loaded. What the machine
 * lacks is taken out of C's masks. On a machine without XFD, or without the
 * compacted format, every policy is XFD_EAGER. False: no memory (f->short_of).
 */
bool fpu_create(struct fpu *f, const struct fpu_config *c);
void fpu_destroy(struct fpu *f); /* not loaded */

/*
 * RESET, while not loaded: registers as after RESET, and an area that has grown
 * is small again and gives its memory back; it cannot fail. INIT leaves all of
 * it unchanged and needs no call (xfd.md A.2.13). Traps.
 */
void fpu_reset(struct fpu *f);

/*
 * A vCPU gets this CPU, or loses it (xfd.md B.9, B.10). In between the CPU
 * holds the host's values. Traps stay as they are.
 */
void fpu_load(struct fpu *f);
void fpu_put(struct fpu *f);

/* What must exit now: bits of enum fpu_trap. */
u32 fpu_traps(const struct fpu *f);

/* A trapped #NM of the loaded vCPU. Traps. */
enum fpu_nm {
	FPU_NM_RETRY,     /* the area has grown: enter again, inject nothing */
	FPU_NM_INJECT,    /* inject #NM; stats.growths tells whether it grew */
	FPU_NM_NO_MEMORY, /* nothing has changed; stop the VM (f->short_of) */
};
enum fpu_nm fpu_nm_exit(struct fpu *f);

/*
 * The guest's registers. Reads are right at any time. Writes are for the loaded
 * vCPU, check the value completely, and change nothing unless they answer OK.
 * Traps. WRMSR IA32_XSS and XSETBV must always exit.
 */
enum fpu_write {
	FPU_WRITE_OK,
	FPU_WRITE_GP,        /* #GP(0) for the guest */
	FPU_WRITE_NO_MEMORY, /* the write had to grow the area; stop the VM */
};
bool fpu_guest_has_xfd(const struct fpu *f); /* false: its MSRs are #GP(0) */
u64 fpu_read_xfd(const struct fpu *f);
enum fpu_write fpu_write_xfd(struct fpu *f, u64 value);
u64 fpu_read_xfd_err(const struct fpu *f);
enum fpu_write fpu_write_xfd_err(struct fpu *f, u64 value);
u64 fpu_guest_xcr0(const struct fpu *f);
enum fpu_write fpu_set_xcr0(struct fpu *f, u64 value);
u64 fpu_guest_xss(const struct fpu *f);
enum fpu_write fpu_set_xss(struct fpu *f, u64 value);

/* For reports. */
u32 fpu_area_bytes(const struct fpu *f);
u64 fpu_growths(const struct fpu *f);
u64 fpu_need_bytes(const struct fpu *f); /* what growth asked for, and */
u64 fpu_have_bytes(const struct fpu *f); /* what there was, at a NO_MEMORY */
bool fpu_xfd_is_passed_through(const struct fpu *f);

#endif

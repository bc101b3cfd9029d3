/* SPDX-License-Identifier: MIT */
/*
 * The architecture as far as fpu/ can see it, for CBMC, in place of
 * boot/lib/x86.h, fpu/xsave.h, boot/lib/pages.h and boot/lib/string.h: one CPU
 * at a time, its XCR0, IA32_XSS, IA32_XFD, IA32_XFD_ERR, the components a proof
 * looks at as one byte each (0 is the initial state, the top bits tell whose it
 * is), page runs as objects, and beside it the bare CPU that a guest believes
 * to own. Every rule of root mode that would be an exception is an assertion.
 *
 * Written from the SDM and xfd.md A and B; shares no code with fpu/.
 */
#ifndef TESTS_PROOF_MODEL_H
#define TESTS_PROOF_MODEL_H

#include "tests/proof/proof.h"

#define BOOT_LIB_X86_H
#define FPU_XSAVE_H

#include "boot/lib/pages.h"
#include "fpu/xstate.h"

#define MSR_IA32_XFD     0x1c4u
#define MSR_IA32_XFD_ERR 0x1c5u
#define MSR_IA32_XSS     0xda0u

/* The components that are followed, and what else the machine has. */
enum {
	PKRU,
	CFG,
	TILE,
	NEXT,
	TRACKED
};
#define B_PKRU     BIT(9)
#define B_CFG      BIT(17)
#define B_TILE     BIT(18)
#define B_NEXT     BIT(20)
#define B_FOLLOWED (B_PKRU | B_CFG | B_TILE | B_NEXT)

/*
 * MACHINE 1: component 18 obeys XFD. 2: another, 20, as well. 3: no XFD.
 * 4: XSAVEC, but no XSAVES.
 */
#ifndef MACHINE
#define MACHINE 1
#endif
#define M_USER (0x3 | B_PKRU | B_CFG | B_TILE | (MACHINE == 2 ? B_NEXT : 0))
#define M_XFD  (MACHINE == 3 ? 0 : B_TILE | (MACHINE == 2 ? B_NEXT : 0))

#define MACHINE_HAS_XFD    (MACHINE != 3)
#define MACHINE_HAS_XSAVES (MACHINE != 4)

/* Whose a component's value is: its top bits. */
#define OWNER(value)  ((value)&0xc0)
#define OWNER_NOBODY  0x00
#define OWNER_FIRST   0x40
#define OWNER_SECOND  0x80
#define OWNER_FOREIGN 0xc0 /* left on this CPU by a vCPU that is elsewhere */

/*
 * The runs of pages there are: each an object of the type that fpu/ reads at
 * its start, and by number what else is known of it. The components behind the
 * header are a byte each in IMAGE.
 */
#define RUNS          3
#define RUN_PAGES_MAX 4
extern bool run_taken[RUNS];
extern u32 run_pages[RUNS];
extern u32 run_dirty[RUNS]; /* bytes from the start that may not be zero */
extern u32 run_image[RUNS]; /* what an XSAVES has put there */

struct cpu {
	u64 xcr0, xss, xfd, xfd_err;
	u8 content[TRACKED];
	u8 modified; /* since the last restore, a bit each */
	u8 restored; /* the run; and with XCOMP_BV, RESTORE_INFO: SDM volume 1,
		      * "Processor Tracking of XSAVE-Managed State" */
	u64 restored_xcomp;
	bool intact; /* no software wrote that image since */
};

/* The CPU that a guest believes to own. */
struct bare {
	u8 owner;
	u64 xcr0, xfd, xfd_err;
	u8 content[TRACKED];
	bool opened; /* since RESET its XFD was other than 0 */
};

extern struct cpu cpu;
extern bool may_allocate;

static const u64 bit_of[TRACKED] = { B_PKRU, B_CFG, B_TILE, B_NEXT };

/* Is VALUE one that XSETBV takes on this machine? SDM vol. 2, XSETBV. */
bool model_xcr0_is_valid(u64 value);

/* Bytes of a compacted area for these components. SDM vol. 1, 13.4.3. */
u64 model_compacted_bytes(u64 components);

/* Pages of a run with room for them. */
u64 model_pages(u64 components);

/* The number of the run at P; NO_RUN is nobody's. */
#define NO_RUN 0xff
u8 model_run(const void *p);

#endif

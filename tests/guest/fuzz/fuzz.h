/* SPDX-License-Identifier: MIT */
/*
 * A guest that tries everything, from every mode, as its seed says. It asserts
 * nothing about answers: what must hold is that the hypervisor lives, that its
 * own checks find nothing, and that others see nothing of it. fuzz.c keeps the
 * guest itself alive, primitive.c makes up what it does.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "lib/tap.h"
#include "lib/trap.h"

/* The window's pages (lib/page.h), with nothing between them. */
#define PAGE_CODE  0u
#define PAGE_AREA  2u
#define AREA_PAGES 4u
#define PAGE_STACK 8u
#define PAGE_ODD   10u /* mapped to anything, with any flags */

#define CPU_WATCHDOG 1u
#define CPU_VICTIM   2u /* and all behind it: INIT, SIPI, NMI are for them */

/* Where a victim may start: full of HLT, and real mode's vectors point there.
 */
#define HALT_START 0x10000u
#define HALT_END   0x80000u
/* There it turns x2APIC mode on and sends an INIT to itself. */
#define SELF_INIT 0x90000u

#define MSR_X2APIC 0x800u
#define APIC_MMIO  0xfee00000ul

#define UNSETTLED_EFER BIT(0)
#define UNSETTLED_APIC BIT(1)

struct fuzz {
	u64 random;
	u64 hash; /* of what the architecture promises to be the same again */
	u64 round;
	u64 shown_from; /* rounds from this one on are printed */
	u8 *code;
	u8 *area;
	u8 *scratch; /* a page of RAM for PAGE_ODD */
	u64 stack_top;
	u64 rsi;      /* for the next code, if not 0 */
	bool running; /* code under test, wherever it has gone */
	u64 cr0, cr4, efer;
	bool x2apic;        /* else xAPIC, by MMIO */
	u32 unsettled;      /* what may have been changed */
	struct frame frame; /* at the last event */
};

/* As in lib/apic.h, which asks for the mode each time: an exit. */
u32 fuzz_apic_read(const struct fuzz *z, u32 reg);
void fuzz_apic_write(const struct fuzz *z, u32 reg, u32 val);

u64 fuzz_pick(struct fuzz *z, u64 count);

/* A number that is likely to be at some boundary. */
u64 fuzz_number(struct fuzz *z);

void fuzz_note(struct fuzz *z, u64 val);

/* A line for who looks for a round. */
void fuzz_show(const u8 *code, u32 bytes, const char *where);

/* Run BYTES of CODE; what comes of it is noted. STEP: one instruction only. */
void fuzz_code(struct fuzz *z, const u8 *code, u32 bytes, bool user, bool step);

/* Go on as F says, in compatibility mode. Returns the vector it ended with. */
struct mode_frame;
u64 fuzz_compat(struct fuzz *z, const struct mode_frame *f);

/* Anything; after what it needs once. */
void fuzz_primitive_init(void);
void fuzz_primitive(struct fuzz *z);

#endif

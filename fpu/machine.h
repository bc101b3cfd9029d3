/* SPDX-License-Identifier: MIT */
/*
 * What extended state this machine has, which of its save instructions we use,
 * and what its CPUs hold while no vCPU is loaded. For fpu/ alone; others ask
 * fpu/fpu.h.
 */
#ifndef FPU_MACHINE_H
#define FPU_MACHINE_H

#include "fpu/fpu.h"

enum xsave_form {
	FORM_XSAVES, /* compacted, supervisor components too */
	FORM_XSAVEC, /* compacted */
	FORM_XSAVEOPT,
	FORM_XSAVE,
};

/* Written by fpu_init() only. */
struct machine {
	struct xstate_layout layout;
	struct xregs host; /* XCR0 and IA32_XSS in full, both XFD registers 0 */
	enum xsave_form form;
	bool is_compacted; /* an area's format */
};
extern struct machine machine;

/* The CPU holds machine.host; COMPONENTS as the instruction mask. */
void machine_save(struct xsave_area *a, u64 components);
void machine_restore(struct xsave_area *a, u64 components);

#endif

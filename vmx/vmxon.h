/* SPDX-License-Identifier: MIT */
/* Turning VMX on: capability MSRs judged once, VMXON on every CPU. */
#ifndef VMX_VMXON_H
#define VMX_VMXON_H

/* Once: reads and judges the capability MSRs. */
void vmx_init(void);

struct vmx_msrs;
struct caps_verdict;

/* What vmx_init() read on the boot CPU, and what it made of it. */
const struct vmx_msrs *vmx_machine(void);
struct caps_verdict vmx_verdict(void);

/*
 * Once, when the machine is up without VMX: one that lacks what we need is
 * refused with a sentence that names it.
 */
void vmx_require(void);

/*
 * Why this CPU, another than the one that vmx_init() judged, must not be used:
 * locked off by its firmware, or its capabilities differ. NULL: it is alike.
 */
const char *vmx_differs(void);

/*
 * On every CPU: IA32_FEATURE_CONTROL, CR0/CR4 fixed bits, CR4.VMXE, VMXON.
 * Nothing on a machine that vmx_require() will refuse.
 */
void vmx_init_cpu(void);

#endif

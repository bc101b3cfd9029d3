/* SPDX-License-Identifier: MIT */
/* The one call into a guest; enter.S. */
#ifndef VMX_ENTER_H
#define VMX_ENTER_H

#include "vmx/gprs.h"
#include "vmx/insn.h"

/*
 * Enter the guest of the current VMCS with REGS: by VMLAUNCH if regs->launched
 * is 0, which sets it, else by VMRESUME. VMX_OK: the guest ran and a VM exit
 * has filled REGS; anything else: the instruction failed and REGS is unchanged.
 * Interrupts must be off.
 */
enum vmx_status vmx_enter(struct gprs *regs);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * enum vmx_status vmx_enter(struct gprs *regs)
 *
 * The only way into a guest, and a function that returns: with VMX_OK after a VM
 * exit, the guest's registers in REGS; otherwise with the instruction's failure.
 * Moves general registers and nothing else. Interrupts are off on both sides.
 */
#include "vmx/gprs.h"

#define VMCS_HOST_RSP    0x6c14
#define VMX_FAIL_INVALID 1
#define VMX_FAIL_VALID   2

/* The guest's registers, RDI last; leaves RFLAGS alone. */
.macro LOAD_GUEST
	mov	GPRS_RAX(%rdi), %rax
	mov	GPRS_RCX(%rdi), %rcx
	mov	GPRS_RDX(%rdi), %rdx
	mov	GPRS_RBX(%rdi), %rbx
	mov	GPRS_RBP(%rdi), %rbp
	mov	GPRS_RSI(%rdi), %rsi
	mov	GPRS_R8(%rdi), %r8
	mov	GPRS_R9(%rdi), %r9
	mov	GPRS_R10(%rdi), %r10
	mov	GPRS_R11(%rdi), %r11
	mov	GPRS_R12(%rdi), %r12
	mov	GPRS_R13(%rdi), %r13
	mov	GPRS_R14(%rdi), %r14
	mov	GPRS_R15(%rdi), %r15
	mov	GPRS_RDI(%rdi), %rdi
.endm

/* All but RSP, and RAX and RDI, which get values of ours. */
.macro CLEAR_GUEST
	.irp	reg, ecx, edx, ebx, ebp, esi, r8d, r9d, r10d, r11d, r12d, r13d, r14d, r15d
	xor	%\reg, %\reg
	.endr
.endm

	.text
	.globl vmx_enter
	.type vmx_enter, @function
vmx_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	cmp	%rsp, GPRS_HOST_RSP(%rdi)
	jne	2f
1:	LOAD_GUEST
	vmresume
	jmp	4f

	/* This VMCS last ran from another depth or stack, or never. */
2:	mov	%rsp, GPRS_HOST_RSP(%rdi)
	mov	$VMCS_HOST_RSP, %eax
	vmwrite	%rsp, %rax
	testb	$1, GPRS_LAUNCHED(%rdi)
	jnz	1b
	movb	$1, GPRS_LAUNCHED(%rdi)
	LOAD_GUEST
	vmlaunch

	/* The instruction failed; the guest's registers are as they were. */
4:	mov	$VMX_FAIL_INVALID, %eax
	mov	$VMX_FAIL_VALID, %ecx
	cmovnc	%ecx, %eax
	pop	%rdi
	jmp	5f

	/*
	 * VMCS HOST_RIP: the stack is as the entry left it. No RET may be
	 * predicted from the guest's calls (Intel, "Post-barrier Return Stack
	 * Buffer Predictions"), no value of the guest's stay in a register.
	 */
	.globl vmx_exit
	.type vmx_exit, @function
vmx_exit:
	push	%rdi
	mov	8(%rsp), %rdi
	pop	GPRS_RDI(%rdi)
	mov	%rax, GPRS_RAX(%rdi)
	mov	%rcx, GPRS_RCX(%rdi)
	mov	%rdx, GPRS_RDX(%rdi)
	mov	%rbx, GPRS_RBX(%rdi)
	mov	%rbp, GPRS_RBP(%rdi)
	mov	%rsi, GPRS_RSI(%rdi)
	mov	%r8, GPRS_R8(%rdi)
	mov	%r9, GPRS_R9(%rdi)
	mov	%r10, GPRS_R10(%rdi)
	mov	%r11, GPRS_R11(%rdi)
	mov	%r12, GPRS_R12(%rdi)
	mov	%r13, GPRS_R13(%rdi)
	mov	%r14, GPRS_R14(%rdi)
	mov	%r15, GPRS_R15(%rdi)
	CLEAR_GUEST
	call	6f
	int3
6:	add	$8, %rsp
	lfence
	pop	%rdi
	xor	%eax, %eax
5:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size vmx_enter, . - vmx_enter

	.section .note.GNU-stack, "", @progbits

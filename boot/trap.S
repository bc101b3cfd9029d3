/* SPDX-License-Identifier: MIT */
/*
 * 256 entries, 16 bytes each, and the one frame they all leave: struct
 * trap_frame of boot/lib/trap.h. Extended state is not touched.
 */
	.text
	.code64

	.balign	16
	.globl	trap_entries
trap_entries:
	.set	vector, 0
	.rept	32
	.balign	16
	/* 8, 10 to 14, 17, 21: the CPU has pushed an error code. */
	.if	(0x227d00 >> vector) & 1 == 0
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr
	.rept	224
	.balign	16
	push	$0
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	$0
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	cld
	mov	%rsp, %rdi
	sub	$8, %rsp		/* the ABI's alignment */
	call	trap_dispatch
	add	$8, %rsp
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	add	$8, %rsp
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	add	$16, %rsp		/* vector, error code */
	iretq

	/*
	 * void sti_hlt(void). An NMI between the two, which STI need not keep
	 * away (SDM vol. 2, "STI"), returns behind HLT: see trap_dispatch().
	 */
	.globl	sti_hlt, sti_hlt_waits
	.type	sti_hlt, @function
sti_hlt:
	sti
sti_hlt_waits:
	hlt
	ret
	.size	sti_hlt, . - sti_hlt

	.section .note.GNU-stack, "", @progbits

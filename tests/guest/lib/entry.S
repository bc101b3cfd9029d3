/* SPDX-License-Identifier: MIT */
/*
 * Event entry, and the three ways to leave a stack: to user mode, back from
 * it, and out of a claim that failed. Which event is whose is trap.c's matter.
 */
#include "lib/cpu.h"

	.text
	.code64

	.macro stub vector
	.balign 16
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \
	      \vector == 17 || \vector == 21)
	push $0
	.endif
	pushq $\vector
	jmp event
	.endm

	.balign 16
	.global trap_stubs
trap_stubs:
	.altmacro
	.set n, 0
	.rept 256
	stub %n
	.set n, n + 1
	.endr
	.noaltmacro

event:
	push %r15
	push %r14
	push %r13
	push %r12
	push %r11
	push %r10
	push %r9
	push %r8
	push %rdi
	push %rsi
	push %rbp
	push %rsp
	push %rbx
	push %rdx
	push %rcx
	push %rax
	cld
	mov %rsp, %rdi
	mov %rsp, %rbp
	and $-16, %rsp
	call trap_dispatch
	mov %rbp, %rsp
frame_leave:
	pop %rax
	pop %rcx
	pop %rdx
	pop %rbx
	add $8, %rsp
	pop %rbp
	pop %rsi
	pop %rdi
	pop %r8
	pop %r9
	pop %r10
	pop %r11
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	add $16, %rsp
	iretq

	.macro push_saved
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	pushfq
	.endm

	.macro pop_saved
	popfq
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	.endm

/* u64 user_enter(fn, arg, user_stack_top) */
	.global user_enter
user_enter:
	push_saved
	mov %rsp, %gs:CPU_SAVED_RSP
	push $SEL_USER_DATA
	lea -8(%rdx), %rax
	lea user_return(%rip), %rcx
	mov %rcx, (%rax)
	push %rax
	pushfq
	push $SEL_USER_CODE
	push %rdi
	mov %rsi, %rdi
	iretq

/* u64 frame_enter(const struct frame *): back by user_leave() from a hook */
	.global frame_enter
frame_enter:
	push_saved
	mov %rsp, %gs:CPU_SAVED_RSP
	mov %rdi, %rsp
	jmp frame_leave

/* User code returns here, still at CPL 3. */
	.global user_return
user_return:
	int $0x80

/* void user_leave(u64 result): from the handler of INT 80H to user_enter() */
	.global user_leave
user_leave:
	mov %gs:CPU_SAVED_RSP, %rsp
	mov $SEL_DATA, %eax	/* going to CPL 3 and back left them null */
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %rdi, %rax
	pop_saved
	ret

/* bool guarded_call(claim): its result, or false by way of guarded_fail() */
	.global guarded_call
guarded_call:
	push_saved
	pushq %gs:CPU_RECOVER
	mov %rsp, %gs:CPU_RECOVER
	sub $8, %rsp
	call *%rdi
	add $8, %rsp
	jmp 1f
	.global guarded_fail
guarded_fail:
	mov %gs:CPU_RECOVER, %rsp
	xor %eax, %eax
1:	popq %gs:CPU_RECOVER
	pop_saved
	ret

	.section .note.GNU-stack, "", @progbits

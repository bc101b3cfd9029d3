/* SPDX-License-Identifier: MIT */
/*
 * The way from 64-bit mode to the others and back. Every event over there
 * ends the visit; mode.c prepares the tables and the copy in low memory.
 */
#include "lib/cpu.h"
#include "lib/mode.h"

	.text
	.code64

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

	.code32
	.macro set_data selector
	mov $\selector, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	.endm

	.macro load_operands
	mov mode_eax, %eax
	mov mode_edx, %edx
	mov mode_ecx, %ecx
	.endm

	/* void mode_compat(void): leaves by the fix-up of trap.c */
	.code64
	.global mode_compat
mode_compat:
	push_saved
	mov %rsp, mode_rsp
	movq $1f, %gs:CPU_FIXUP
	movq $LOW_CODE, %gs:CPU_INSN
	pushq $SEL_CODE32
	pushq $2f
	lretq
	.code32
2:	load_operands
	mov $LOW_CODE, %ebx
	jmp *%ebx
1:	ljmp $SEL_CODE64, $3f
	.code64
3:	mov mode_rsp, %rsp
	pop_saved
	ret

	/* void mode_legacy(u32 mode): the vector is left in mode_vector */
	.global mode_legacy
mode_legacy:
	push_saved
	mov %rsp, mode_rsp
	sidt mode_idt64
	mov %edi, %ebp
	pushq $SEL_CODE32
	pushq $4f
	lretq
	.code32
4:	set_data SEL_DATA
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	rdmsr
	and $~0x100, %eax
	wrmsr
	lidt mode_idt32_ptr
	cmp $MODE_REAL, %ebp
	je 5f
	cmp $MODE_V86, %ebp
	je 6f
	cmp $MODE_PROTECTED16, %ebp
	je 9f
	cmp $MODE_PAE, %ebp
	jne 8f
	mov mode_pae_cr3, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
8:	load_operands
	mov $LOW_CODE, %ebx
	jmp *%ebx

9:	load_operands
	ljmp $SEL_CODE16, $LOW_CODE

5:	lidt mode_ivt_ptr
	ljmp $SEL_CODE16, $LOW_BLOB

6:	mov $SEL_TSS, %eax
	ltr %ax
	pushl $0		/* GS */
	pushl $0		/* FS */
	pushl $0		/* DS */
	pushl $0		/* ES */
	pushl $0		/* SS */
	pushl $LOW_BLOB - 16	/* ESP */
	pushl $0x20002		/* EFLAGS.VM */
	pushl $0		/* CS */
	pushl $LOW_CODE		/* EIP */
	load_operands
	iretl

	.macro stub32 vector
	.balign 16
	movl $\vector, %ss:mode_vector
	jmp fault32
	.endm
	.balign 16
	.global mode_stubs32
mode_stubs32:
	.altmacro
	.set n, 0
	.rept 32
	stub32 %n
	.set n, n + 1
	.endr
	.noaltmacro

real_back:
	movzwl %ax, %ebx
	set_data SEL_DATA
	mov %ebx, mode_vector
fault32:
	set_data SEL_DATA
	mov mode_rsp, %esp
	mov %cr0, %eax
	and $0x7fffffff, %eax	/* PAE paging off, or LME cannot be set */
	mov %eax, %cr0
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	ljmp $SEL_CODE64, $7f
	.code64
7:	mov mode_rsp, %rsp
	lidt mode_idt64
	pop_saved
	ret

	/* Copied to LOW_BLOB. */
	.section .rodata
	.code16
	.global mode_blob, mode_blob_stubs, mode_blob_end
mode_blob:
	mov $SEL_DATA16, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
	ljmp $0, $LOW_BLOB + 8f - mode_blob
8:	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $LOW_BLOB, %sp
	ljmp $0, $LOW_CODE
	.balign 8
mode_blob_stubs:
	.set n, 0
	.rept 32
	.balign 8
	.byte 0x6a, n		/* push the vector */
	jmp real_fault
	.set n, n + 1
	.endr
real_fault:
	cli
	xor %ax, %ax
	mov %ax, %ds
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	pop %ax
	ljmpl $SEL_CODE32, $real_back
mode_blob_end:

	/* Copied to LOW_CODE: from there to where the frame says. */
	.code32
	.global mode_enter32, mode_enter32_end
mode_enter32:
	mov $SEL_TSS, %eax
	ltr %ax
	mov $LOW_FRAME, %esp
	testl $0x20000, 40(%esp)	/* EFLAGS.VM: IRET loads the others */
	jnz 1f
	mov 52(%esp), %es
	mov 60(%esp), %fs
	mov 64(%esp), %gs
	mov 56(%esp), %ds
1:	popal
	iretl
mode_enter32_end:

	.code16
	.global mode_enter16, mode_enter16_end
mode_enter16:
	mov $LOW_FRAME, %sp
	popal
	pop %ds
	pop %es
	pop %fs
	pop %gs
	lssl %cs:LOW_FRAME + 40, %esp
	iretw
mode_enter16_end:

	.bss
	.balign 8
	.global mode_eax, mode_edx, mode_ecx, mode_vector, mode_pae_cr3
mode_rsp:
	.skip 8
mode_eax:
	.skip 4
mode_edx:
	.skip 4
mode_ecx:
	.skip 4
mode_vector:
	.skip 4
mode_pae_cr3:
	.skip 4
mode_idt64:
	.skip 16

	.section .note.GNU-stack, "", @progbits

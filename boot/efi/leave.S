/* SPDX-License-Identifier: MIT */
/*
 * efi_leave(entry, info): from UEFI's 64-bit mode to multiboot2's 32-bit machine
 * state, as boot/head.S expects it from any loader. Copied to a page below 4 GiB
 * and run there, after ExitBootServices(); refers to nothing outside itself.
 * Source: Multiboot2 Specification 2.0, "I386 machine state"; SDM 3A, "IA-32e
 * Mode" (leaving it), "Process-Context Identifiers", "CR4.CET".
 */
#define MB2_LOADER_MAGIC	0x36d76289
#define SEL_CODE32		0x08
#define SEL_DATA		0x10
#define CR4_PCIDE		17	/* must be 0 before paging goes off */
#define CR4_CET			23	/* must be 0 before CR0.WP may go */
#define MSR_EFER		0xc0000080
#define EFER_LME		8

	.section .rodata, "a"
	.globl	efi_leave, efi_leave_end
	.code64
	.balign	16
efi_leave:
	cli
	cld
	mov	%edi, %ebp
	mov	%esi, %ebx
	mov	%cr4, %rax
	btr	$CR4_PCIDE, %rax
	btr	$CR4_CET, %rax
	mov	%rax, %cr4
	lea	gdt(%rip), %rax
	push	%rax
	pushw	$gdt_end - gdt - 1
	lgdt	(%rsp)
	lea	1f(%rip), %rax
	push	$SEL_CODE32
	push	%rax
	lretq

	.code32
1:	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	%cr0, %eax
	btr	$31, %eax		/* paging off: long mode ends */
	mov	%eax, %cr0
	mov	$MSR_EFER, %ecx
	rdmsr
	btr	$EFER_LME, %eax
	wrmsr
	mov	$MB2_LOADER_MAGIC, %eax
	jmp	*%ebp

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* SEL_CODE32 */
	.quad	0x00cf93000000ffff	/* SEL_DATA */
gdt_end:
	.org	efi_leave + 256		/* fails if it is longer */
efi_leave_end:

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT */
/*
 * Multiboot2's header and the way from its 32-bit machine state to boot_entry()
 * in 64-bit mode. The first page tables map 4 GiB without any protection; our
 * own replace them in paging_init(). The image is linked at 1 MiB and
 * moves itself to where the loader put it, below 2 GiB. Judges nothing but long
 * mode itself. Source: Multiboot2 Specification 2.0, "OS image format", "I386
 * machine state".
 */
#include "boot/cpu.h"

#define MB2_HEADER_MAGIC	0xe85250d6
#define CPUID_NX		20
#define CPUID_LM		29
#define CR0_PE_ET_NE_WP_PG	0x80010031
#define CR4_PAE			0x20
#define MSR_EFER		0xc0000080
#define EFER_LME		0x100
#define EFER_NXE		0x800
#define PTE_P_W			0x03
#define PTE_P_W_LARGE		0x83
#define COM1			0x3f8
#define LOAD_MIN		0x100000
#define LOAD_MAX		0x7fffffff	/* addresses are 31 bits wide */
#define BORROWED		0x600		/* a word of RAM on every PC */

	.section .multiboot2, "a"
	.balign	8
header:
	.long	MB2_HEADER_MAGIC, 0, header_end - header
	.long	-(MB2_HEADER_MAGIC + header_end - header)
	/* Information request: a loader without these is of no use. */
	.balign	8
	.short	1, 0
	.long	2f - 1f + 8
1:	.long	1, 3, 6			/* command line, modules, memory map */
2:
	.balign	8
	.short	6, 0			/* modules begin on a page */
	.long	8
	.balign	8
	.short	10, 1			/* relocatable; optional: else 1 MiB it is */
	.long	24
	.long	LOAD_MIN, LOAD_MAX, 4096, 1	/* 1: as low as possible */
	.balign	8
	.short	0, 0
	.long	8
header_end:

	.section .boot, "ax"
	.code32
	.globl	start
start:
	cli
	cld
	mov	%eax, %esi		/* the loader's magic */
	mov	%ebx, %edi		/* the boot information */

	/* Only CALL tells where we are; there is no stack yet. */
	mov	BORROWED, %eax
	mov	$BORROWED + 4, %esp
	call	1f
1:	pop	%ebx
	mov	%eax, BORROWED
	sub	$1b, %ebx		/* how far from where we were linked */
	jz	4f
	/* Move each address in the image; its upper half, if any, is 0. */
	mov	moved_count(%ebx), %ecx
	lea	moved_table(%ebx), %edx
2:	jecxz	4f
	mov	(%edx), %eax
	add	%ebx, (%eax, %ebx)
	add	$4, %edx
	dec	%ecx
	jmp	2b
4:
	mov	$boot_cpu_stacks + CPU_STACK_TOP, %esp
	rdtsc
	push	%edx
	push	%eax
	push	$0
	popf

	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	no_long_mode
	mov	$0x80000001, %eax
	cpuid
	bt	$CPUID_LM, %edx
	jnc	no_long_mode
	xor	%ebp, %ebp		/* NX, if there is: cpu.c refuses later */
	bt	$CPUID_NX, %edx
	jnc	1f
	mov	$EFER_NXE, %ebp
1:
	/* PML4 -> one PDPT -> four directories of 2 MiB pages. */
	movl	$first_pdpt + PTE_P_W, first_pml4
	mov	$first_pd + PTE_P_W, %eax
	xor	%ecx, %ecx
1:	mov	%eax, first_pdpt(, %ecx, 8)
	add	$4096, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	mov	$PTE_P_W_LARGE, %eax
	xor	%ecx, %ecx
1:	mov	%eax, first_pd(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	1b

	/* From scratch: the loader may leave any bit set (LA57, CET, PCIDE). */
	mov	%cr0, %ecx
	and	$0x7fffffff, %ecx	/* paging off, if it was on */
	mov	%ecx, %cr0
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$first_pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_LME, %eax
	or	%ebp, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PE_ET_NE_WP_PG, %eax
	mov	%eax, %cr0
	lgdt	first_gdt_pointer
	ljmp	$CPU_SEL_CODE, $start64

	/* One sentence on COM1, every wait bounded, then stop. */
no_long_mode:
	mov	$no_long_mode_text, %esi
1:	lodsb
	test	%al, %al
	jz	3f
	mov	%al, %bl
	mov	$COM1 + 5, %edx
	mov	$1000000, %ecx
2:	in	%dx, %al
	test	$0x20, %al
	loopz	2b
	mov	$COM1, %edx
	mov	%bl, %al
	out	%al, %dx
	jmp	1b
3:	cli
	hlt
	jmp	3b

	.code64
start64:
	mov	$CPU_SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	xor	%ebp, %ebp		/* the end of every back-trace */
	/* boot_entry(magic, info, tsc): the stack's top holds the TSC. */
	mov	%edi, %eax
	mov	%esi, %edi
	mov	%eax, %esi
	mov	$boot_cpu_stacks + CPU_STACK_TOP, %esp
	mov	-8(%rsp), %rdx
	call	boot_entry
	ud2

	.section .rodata, "a"
	.balign	8
first_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* CPU_SEL_CODE */
	.quad	0x00cf93000000ffff	/* CPU_SEL_DATA */
first_gdt_pointer:
	.short	. - first_gdt - 1
	.long	first_gdt
no_long_mode_text:
	.asciz	"\r\ntv: refused: CPUID.80000001H:EDX.LM is 0: no 64-bit mode\r\n"

	.section .bss, "aw", @nobits
	.balign	4096
first_pml4:
	.skip	4096
first_pdpt:
	.skip	4096
first_pd:
	.skip	4 * 4096

	.section .note.GNU-stack, "", @progbits

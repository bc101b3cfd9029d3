/* SPDX-License-Identifier: MIT */
/*
 * From a multiboot1 loader (or a start-up IPI) to 64-bit C: header, first page
 * tables, GDT. The AP part below is copied below 1 MiB by smp.c.
 */
#include "lib/cpu.h"

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 0x00000003

	.section .multiboot, "a"
	.balign 4
	.long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.bss
	.balign 4096
	.global boot_pml4, boot_pd
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4 * 4096
boot_stack:
	.skip 65536
boot_stack_top:

	.text
	.code32
	.global start
start:
	cli
	cld
	mov $boot_stack_top, %esp
	mov %eax, %ebp
	mov %ebx, %esi

	/* 4 GiB of 2 MiB pages, user and writable; the last GiB uncached. */
	movl $boot_pdpt + 7, boot_pml4
	mov $boot_pd + 7, %eax
	mov $boot_pdpt, %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $4096, %eax
	add $8, %edi
	loop 1b
	mov $boot_pd, %edi
	mov $0x87, %eax
	mov $2048, %ecx
2:	mov %eax, (%edi)
	cmp $0xc0000000, %eax
	jb 3f
	orb $0x18, (%edi)
3:	add $0x200000, %eax
	add $8, %edi
	loop 2b

	call long_mode
	ljmp $SEL_CODE64, $4f

	.code64
4:	mov $boot_stack_top, %rsp
	mov %ebp, %edi
	mov %esi, %esi
	call guest_main

	/* Paging on with EFER.LME; the caller jumps to SEL_CODE64. */
	.code32
	.global long_mode
long_mode:
	lgdt boot_gdt_ptr
	mov %cr4, %eax
	or $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax		/* LME */
	wrmsr
	mov %cr0, %eax
	and $0x9fffffff, %eax	/* caches on: CD and NW clear */
	and $~0xc, %eax		/* EM and TS clear */
	or $0x80010023, %eax	/* PG, WP, NE, MP, PE */
	mov %eax, %cr0
	ret

	.data
	.balign 8
	.global boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00af9a000000ffff	/* SEL_CODE64 */
	.quad 0x00cf92000000ffff	/* SEL_DATA */
	.quad 0x00cf9a000000ffff	/* SEL_CODE32 */
	.quad 0x00cff2000000ffff	/* SEL_USER_DATA */
	.quad 0x00affa000000ffff	/* SEL_USER_CODE */
	.quad 0x00009a000000ffff	/* SEL_CODE16 */
	.quad 0x000092000000ffff	/* SEL_DATA16 */
	.quad 0, 0			/* SEL_TSS, per CPU */
	.skip 6 * 8			/* SEL_PEN_CODE32 and so on */
boot_gdt_end:
	.global boot_gdt_ptr
boot_gdt_ptr:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt

	/* Copied to AP_START; runs with CS:IP = AP_START >> 4 : 0. */
	.global ap_start, ap_start_end, ap_cpu
	.section .rodata
	.code16
ap_start:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl ap_gdt_ptr - ap_start
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $SEL_CODE32, $ap_start32
ap_gdt_ptr:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt
ap_start_end:

	.text
	.code32
ap_start32:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov ap_cpu, %esi
	mov CPU_STACK_TOP(%esi), %esp
	call long_mode
	ljmp $SEL_CODE64, $5f
	.code64
5:	mov %esi, %edi
	mov CPU_STACK_TOP(%rdi), %rsp
	call ap_main

	.bss
	.balign 8
ap_cpu:
	.skip 8

	.section .note.GNU-stack, "", @progbits

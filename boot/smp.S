/* SPDX-License-Identifier: MIT */
/*
 * An application processor's way from its SIPI to smp_entry(): 16 bits in a
 * copied page below 1 MiB, 32 bits and 64 bits here. Finds its own block by its
 * APIC id, so that a CPU that comes late, or twice, does not take another's.
 */
#include "boot/cpu.h"
#include "boot/lib/percpu.h"

#define SEL_CODE32		0x18
#define CR0_PE_ET		0x11
#define CR0_PE_ET_NE_WP_PG	0x80010031
#define CR4_PAE			0x20
#define MSR_EFER		0xc0000080
#define EFER_LME_NXE		0x900
#define CPUID_TOPOLOGY		0xb

	.section .rodata, "a"
	.balign	8
	.code16
	.globl	smp_trampoline, smp_trampoline_end
smp_trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	gdt_pointer - smp_trampoline
	mov	$CR0_PE_ET, %eax	/* caches on, whatever INIT left */
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $ap_start32
	.balign	4
gdt_pointer:
	.short	gdt_end - gdt - 1
	.long	gdt
smp_trampoline_end:
	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* CPU_SEL_CODE */
	.quad	0x00cf93000000ffff	/* CPU_SEL_DATA */
	.quad	0x00cf9b000000ffff	/* SEL_CODE32 */
gdt_end:

	.text
	.code32
ap_start32:
	mov	$CPU_SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	smp_cr3, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_LME_NXE, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PE_ET_NE_WP_PG, %eax
	mov	%eax, %cr0
	ljmp	$CPU_SEL_CODE, $ap_start64

	.code64
ap_start64:
	mov	$CPU_SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs

	/* Our APIC id: 32 bits where the topology leaf has them. */
	cpuid
	cmp	$CPUID_TOPOLOGY, %eax
	jb	1f
	mov	$CPUID_TOPOLOGY, %eax
	xor	%ecx, %ecx
	cpuid
	test	%ebx, %ebx
	jnz	2f
1:	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	mov	%ebx, %edx
2:	mov	cpu_first, %rdi
3:	test	%rdi, %rdi
	jz	park
	cmp	%edx, PERCPU_APIC_ID(%rdi)
	je	4f
	mov	PERCPU_NEXT(%rdi), %rdi
	jmp	3b
4:	mov	$CPU_ABSENT, %eax
	mov	$CPU_STARTING, %ecx
	lock cmpxchg %ecx, PERCPU_STATE(%rdi)
	jne	park
	mov	PERCPU_STACK(%rdi), %rsp
	xor	%ebp, %ebp		/* the end of every back-trace */
	call	smp_entry
	ud2

	/* Nobody waits for this CPU. */
park:	cli
	hlt
	jmp	park

	.section .note.GNU-stack, "", @progbits

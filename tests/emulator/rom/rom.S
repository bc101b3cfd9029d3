/* SPDX-License-Identifier: MIT */
/*
 * The firmware of a direct boot: from the reset vector to the state a boot
 * loader hands over, in a few thousand instructions. It sets what firmware sets
 * and a hypervisor relies on (MTRRs, IA32_FEATURE_CONTROL, masked interrupt
 * controllers, ACPI I/O ports), on every CPU, and jumps to what pack.c put into
 * memory. It offers no BIOS services and looks at no disk.
 *
 * Linked at 0xfe000; pack.c puts it at the end of a 64 KiB ROM image, fills in
 * the parameters at the end and puts the ACPI tables before it.
 */

#define ROM 0xfe000 /* as in rom.ld */

#define MSR_IA32_FEATURE_CONTROL 0x3a
#define MSR_IA32_MTRR_DEF_TYPE   0x2ff
#define CPUID_1_ECX_VMX          (1 << 5)
#define CPUID_1_EDX_MTRR         (1 << 12)

#define CR0_CD_NW                0x60000000

#define LAPIC          0xfee00000
#define LAPIC_SVR      0xf0
#define LAPIC_ICR_LOW  0x300
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define ICR_INIT_OTHERS 0x000c4500
#define ICR_SIPI_OTHERS 0x000c4600

#define CODE 0x10 /* the selectors that Linux' 32-bit entry wants */
#define DATA 0x18

#define RAM_STEP  0x100000 /* memory: block_size, see ram_in_order */
#define CPUS_DONE 0x500    /* 16-bit counter in low memory */

	.section .rom, "awx"
	.code16

rom:
/* Where the start-up IPI sends the other CPUs. */
ap_start:
	cli
	mov	$1f - rom, %bp
	jmp	set_msrs
1:	xor	%ax, %ax
	mov	%ax, %ds
	lock incw CPUS_DONE
2:	hlt
	jmp	2b

/* %bp: where to go on. The address space is %cs, %ds is not used. */
set_msrs:
	mov	$1, %eax
	cpuid
	mov	%ecx, %esi
	test	$CPUID_1_EDX_MTRR, %edx
	jz	2f
	mov	$mtrrs - rom, %bx
1:	mov	%cs:(%bx), %ecx
	mov	%cs:4(%bx), %eax
	mov	%cs:8(%bx), %edx
	wrmsr
	add	$12, %bx
	cmp	$mtrrs_end - rom, %bx
	jb	1b
2:	test	$CPUID_1_ECX_VMX, %esi
	jz	3f
	mov	%cs:feature_control - rom, %eax
	test	%eax, %eax
	jz	3f
	xor	%edx, %edx
	mov	$MSR_IA32_FEATURE_CONTROL, %ecx
	wrmsr
3:	jmp	*%bp

start:
	cli
	cld
	mov	$1f - rom, %bp
	jmp	set_msrs
1:	in	$0x92, %al /* A20 on, no reset */
	or	$2, %al
	and	$0xfe, %al
	out	%al, $0x92

	mov	$ports - rom, %bx
2:	mov	%cs:(%bx), %dx
	mov	%cs:2(%bx), %al
	out	%al, %dx
	add	$3, %bx
	cmp	$ports_end - rom, %bx
	jb	2b

	mov	$pci_config - rom, %bx
3:	mov	%cs:(%bx), %eax
	mov	$0xcf8, %dx
	out	%eax, %dx
	mov	%cs:4(%bx), %eax
	mov	$0xcfc, %dx
	out	%eax, %dx
	add	$8, %bx
	cmp	$pci_config_end - rom, %bx
	jb	3b

	lgdtl	%cs:gdt_pointer - rom
	mov	%cr0, %eax
	and	$~CR0_CD_NW, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$CODE, $start32

	.code32
start32:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss

/*
 * The emulator reads a memory image in one piece into its first block and gives
 * out further blocks as they are first touched: touched in order, the rest of
 * the image is where it belongs.
 */
ram_in_order:
	xor	%esi, %esi
1:	mov	(%esi), %al
	add	$RAM_STEP, %esi
	cmp	ram_bytes, %esi
	jb	1b

	mov	$LAPIC, %edi /* virtual wire: the 8259's interrupts come in */
	movl	$0x1ff, LAPIC_SVR(%edi)
	movl	$0x700, LAPIC_LVT_LINT0(%edi)
	movl	$0x400, LAPIC_LVT_LINT1(%edi)

	mov	ap_count, %ecx
	jecxz	3f
	movl	$ICR_INIT_OTHERS, LAPIC_ICR_LOW(%edi)
	movl	$ICR_SIPI_OTHERS + (ROM >> 12), LAPIC_ICR_LOW(%edi)
2:	pause
	cmp	%cx, CPUS_DONE
	jne	2b
	movw	$0, CPUS_DONE

3:	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	boot_eax, %eax
	mov	boot_ebx, %ebx
	mov	boot_esi, %esi
	lidt	no_table
	lgdt	boot_gdt
	jmp	*entry

/* MSR, low half, high half */
	.balign	4
mtrrs:
	.long	0x250, 0x06060606, 0x06060606 /* 00000: write-back */
	.long	0x258, 0x06060606, 0x06060606 /* 80000: write-back */
	.long	0x259, 0x00000000, 0x00000000 /* a0000: uncacheable */
	.irp	n, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f
	.long	\n, 0x05050505, 0x05050505    /* c0000: write-protect */
	.endr
	.long	0x200, 0xc0000000, 0          /* 3 to 4 GiB: uncacheable */
	.long	0x201, 0xc0000800, 0xf
	.long	MSR_IA32_MTRR_DEF_TYPE, 0xc06, 0
mtrrs_end:

/* PIIX4: I/O ports 0xb000 for ACPI, as the FADT says; and the SCI enabled. */
pci_config:
	.long	0x80000b40, 0x0000b001
	.long	0x80000b80, 0x00000001
pci_config_end:

/* port, value */
	.macro	port number, value
	.word	\number
	.byte	\value
	.endm
ports:
	port	0x20, 0x11
	port	0x21, 0x08 /* vectors as the BIOS leaves them */
	port	0x21, 0x04
	port	0x21, 0x01
	port	0xa0, 0x11
	port	0xa1, 0x70
	port	0xa1, 0x02
	port	0xa1, 0x01
	port	0x21, 0xff /* all masked */
	port	0xa1, 0xff
	port	0x43, 0x34 /* counter 0: 18.2 Hz */
	port	0x40, 0x00
	port	0x40, 0x00
	port	0x3fb, 0x03 /* COM1: 8 bits, no parity */
ports_end:

/* Accessed bits are set already: a ROM cannot take the CPU's write. */
	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
no_table:
	.word	0
	.long	0

/* Filled in by pack.c: struct rom_parameters. */
	.org	0x1f00
parameters:
entry:           .long 0
boot_eax:        .long 0
boot_ebx:        .long 0
boot_esi:        .long 0
ram_bytes:       .long 0
ap_count:        .long 0
feature_control: .long 0 /* 0: leave it unlocked */
boot_gdt:        .word 0
		 .long 0
gdt_copy:        .word gdt_pointer - gdt - 1 /* for a kernel that wants it */
		 .long gdt

	.org	0x1ff0
	.code16
	ljmp	$(ROM >> 4), $start - rom
	.org	0x2000

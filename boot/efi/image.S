/* SPDX-License-Identifier: MIT */
/*
 * Tilevisor's image inside the UEFI application, so that one signature covers
 * both, and the SBAT line by which shim may revoke a version.
 * Source: rhboot/shim, SBAT.md.
 */
	.section .rodata, "a"
	.globl	efi_image_file, efi_image_file_end
	.balign	16
efi_image_file:
	.incbin IMAGE
efi_image_file_end:

	.section .sbat, "a"
	.balign	4096 /* a section of the PE image: its alignment */
	.ascii	"sbat,1,SBAT Version,sbat,1,"
	.ascii	"https://github.com/rhboot/shim/blob/main/SBAT.md\n"
	.ascii	"tilevisor,1,Tilevisor,tilevisor,1,-\n"

	.section .note.GNU-stack, "", @progbits

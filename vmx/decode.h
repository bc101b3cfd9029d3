/* SPDX-License-Identifier: MIT */
/*
 * Just enough of the instruction set for device registers in memory: the MOV
 * forms, with every prefix and addressing mode they may have. Pure. Anything
 * else is refused, never guessed.
 */
#ifndef VMX_DECODE_H
#define VMX_DECODE_H

#include "boot/lib/types.h"

#define INSN_BYTES_MAX 15

enum decode_mode {
	DECODE_16,
	DECODE_32,
	DECODE_64,
};

struct mmio_insn {
	unsigned int length; /* of the instruction */
	unsigned int bytes;  /* of the memory access: 1, 2, 4, 8 */
	bool write;
	bool immediate; /* write: value is in IMM, not in a register */
	u64 imm;
	unsigned int reg;       /* hardware number of the register */
	bool high_byte;         /* ... its bits 15:8 (AH, CH, DH, BH) */
	bool sign_extend;       /* read: MOVSX */
	unsigned int reg_bytes; /* read: how wide the result is */
};

/* False: not one of the forms, or cut off after LENGTH bytes. */
bool decode_mmio(const u8 *code, unsigned int length, enum decode_mode mode,
		 struct mmio_insn *out);

/*
 * Put VALUE, as read from memory, into *REG as the instruction does; and the
 * value that it writes, from *REG.
 */
void decode_finish_read(const struct mmio_insn *i, u64 value, u64 *reg);
u64 decode_write_value(const struct mmio_insn *i, u64 reg);

#endif

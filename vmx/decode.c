/* SPDX-License-Identifier: MIT */
#include "vmx/decode.h"

#define REX_W 8u
#define REX_R 4u

struct cursor {
	const u8 *code;
	unsigned int at, length;
	bool over; /* read beyond the end */
};

static u8 next(struct cursor *c)
{
	if (c->at >= c->length) {
		c->over = true;
		return 0;
	}
	return c->code[c->at++];
}

static u64 next_immediate(struct cursor *c, unsigned int bytes)
{
	u64 v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (u64)next(c) << 8 * i;
	return v;
}

static u64 sign_extend(u64 v, unsigned int bytes)
{
	const unsigned int shift = 64 - 8 * bytes;

	return (u64)((s64)(v << shift) >> shift);
}

static u64 mask_of(unsigned int bytes)
{
	return ~0ULL >> (64 - 8 * bytes);
}

struct prefixes {
	bool operand, address, refused;
	u8 rex;
};

/* Segment overrides are fine: the exit gave us the address. */
static u8 read_prefixes(struct cursor *c, enum decode_mode mode,
			struct prefixes *p)
{
	for (;;) {
		const u8 b = next(c);

		switch (b) {
		case 0x66:
			p->operand = true;
			break;
		case 0x67:
			p->address = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			break;
		case 0xf0:
		case 0xf2:
		case 0xf3:
			p->refused = true;
			break;
		default:
			if (mode == DECODE_64 && (b & 0xf0) == 0x40) {
				p->rex = b;
				return next(c);
			}
			return b;
		}
		if (c->over)
			return 0;
	}
}

/* Step over SIB and displacement. False: a register, not memory. */
static bool skip_memory_operand(struct cursor *c, u8 modrm, bool address_16)
{
	const unsigned int mod = modrm >> 6;
	const unsigned int rm  = modrm & 7;
	unsigned int bytes;

	if (mod == 3)
		return false;
	if (address_16) {
		bytes = mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
	} else {
		const bool sib = rm == 4;
		const u8 base  = sib ? next(c) & 7 : (u8)rm;

		bytes = mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0;
	}
	next_immediate(c, bytes);
	return true;
}

/* Without REX, byte registers 4 to 7 are AH, CH, DH and BH. */
static void set_register(struct mmio_insn *i, unsigned int reg, u8 rex)
{
	i->reg       = reg;
	i->high_byte = false;
	if (i->bytes == 1 && i->reg_bytes == 1 && !rex && reg >= 4) {
		i->reg -= 4;
		i->high_byte = true;
	}
}

/* MOV AL..RAX, moffs and back: the address is part of the instruction. */
static void decode_moffs(struct cursor *c, u8 opcode, unsigned int bytes,
			 unsigned int address_bytes, struct mmio_insn *i)
{
	next_immediate(c, address_bytes);
	i->bytes     = opcode & 1 ? bytes : 1;
	i->reg_bytes = i->bytes;
	i->write     = opcode & 2;
	i->reg       = 0;
}

bool decode_mmio(const u8 *code, unsigned int length, enum decode_mode mode,
		 struct mmio_insn *out)
{
	struct cursor c                = { .code = code, .length = length };
	struct prefixes p              = { 0 };
	struct mmio_insn i             = { 0 };
	const u8 opcode                = read_prefixes(&c, mode, &p);
	const bool wide_default        = mode != DECODE_16;
	const unsigned int bytes       = p.rex & REX_W               ? 8
					 : p.operand != wide_default ? 4
								     : 2;
	const bool address_16          = mode == DECODE_16   ? !p.address
					 : mode == DECODE_32 ? p.address
							     : false;
	const unsigned int moffs_bytes = mode == DECODE_64 ? (p.address ? 4 : 8)
					 : address_16      ? 2
							   : 4;
	u8 op2                         = 0, modrm;

	if (p.refused)
		return false;
	if (opcode >= 0xa0 && opcode <= 0xa3) {
		decode_moffs(&c, opcode, bytes, moffs_bytes, &i);
		goto done;
	}
	if (opcode == 0x0f)
		op2 = next(&c);
	modrm = next(&c);

	const unsigned int reg = (modrm >> 3 & 7u) | (p.rex & REX_R ? 8 : 0);

	i.reg_bytes = bytes;
	switch (opcode == 0x0f ? 0x0f00 | op2 : opcode) {
	case 0x88: /* MOV r/m8, r8 */
	case 0x8a: /* MOV r8, r/m8 */
		i.bytes     = 1;
		i.reg_bytes = 1;
		i.write     = opcode == 0x88;
		break;
	case 0x89: /* MOV r/m, r */
	case 0x8b: /* MOV r, r/m */
		i.bytes = bytes;
		i.write = opcode == 0x89;
		break;
	case 0x0fb6: /* MOVZX, MOVSX r, r/m8 and r/m16 */
	case 0x0fb7:
	case 0x0fbe:
	case 0x0fbf:
		i.bytes       = op2 & 1 ? 2 : 1;
		i.sign_extend = op2 & 8;
		break;
	case 0x63: /* MOVSXD r64, r/m32 */
		if (mode != DECODE_64)
			return false;
		i.bytes       = bytes == 8 ? 4 : bytes;
		i.sign_extend = true;
		break;
	case 0xc6: /* MOV r/m8, imm8 */
	case 0xc7: /* MOV r/m, imm */
		if (modrm >> 3 & 7)
			return false;
		i.bytes     = opcode & 1 ? bytes : 1;
		i.write     = true;
		i.immediate = true;
		break;
	default:
		return false;
	}
	set_register(&i, reg, p.rex);
	if (!skip_memory_operand(&c, modrm, address_16))
		return false;
	if (i.immediate) {
		const unsigned int n = i.bytes == 8 ? 4 : i.bytes;

		i.imm = sign_extend(next_immediate(&c, n), n);
	}
done:
	if (c.over || c.at > INSN_BYTES_MAX)
		return false;
	i.length = c.at;
	*out     = i;
	return true;
}

void decode_finish_read(const struct mmio_insn *i, u64 value, u64 *reg)
{
	const unsigned int shift = i->high_byte ? 8 : 0;
	const u64 mask           = mask_of(i->reg_bytes) << shift;

	value &= mask_of(i->bytes);
	if (i->sign_extend)
		value = sign_extend(value, i->bytes);
	/* A 32-bit result clears the upper half, smaller ones leave the rest.
	 */
	if (i->reg_bytes == 4)
		*reg = lo32(value);
	else
		*reg = (*reg & ~mask) | (value << shift & mask);
}

u64 decode_write_value(const struct mmio_insn *i, u64 reg)
{
	const u64 value = i->immediate ? i->imm : reg >> (i->high_byte ? 8 : 0);

	return value & mask_of(i->bytes);
}

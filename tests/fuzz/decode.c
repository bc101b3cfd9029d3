/* SPDX-License-Identifier: MIT */
/* links: vmx/decode.c */
/* seconds: 20 */
/*
 * The instruction decoder: never a byte beyond what it got, nothing accepted
 * that depends on bytes behind the instruction, results within their bounds.
 */
#include "vmx/decode.h"
#include "tests/fuzz/fuzz.h"

static void judge(const struct mmio_insn *i, const u8 *code, size_t size,
		  enum decode_mode mode)
{
	u64 reg = 0x1122334455667788;
	struct mmio_insn again;

	REQUIRE(i->length >= 1 && i->length <= size &&
		i->length <= INSN_BYTES_MAX);
	REQUIRE(i->bytes == 1 || i->bytes == 2 || i->bytes == 4 ||
		i->bytes == 8);
	REQUIRE(i->reg < 16 && (mode == DECODE_64 || i->reg < 8));
	REQUIRE(i->write || i->reg_bytes >= i->bytes);
	REQUIRE(!i->high_byte || i->reg < 4);
	REQUIRE(mode == DECODE_64 || i->bytes < 8);

	/* The same bytes alone are the same instruction; fewer are none. */
	u8 *alone = exact(code, i->length);

	REQUIRE(decode_mmio(alone, i->length, mode, &again));
	REQUIRE(again.length == i->length && again.bytes == i->bytes &&
		again.write == i->write && again.imm == i->imm &&
		again.reg == i->reg);
	REQUIRE(!decode_mmio(alone, i->length - 1, mode, &again));
	free(alone);

	if (i->write)
		REQUIRE(i->bytes == 8 ||
			decode_write_value(i, ~0ULL) >> 8 * i->bytes == 0);
	else
		decode_finish_read(i, ~0ULL, &reg);
	/* A byte or a word leaves the rest of the register. */
	if (!i->write && i->reg_bytes <= 2)
		REQUIRE(reg >> 16 == 0x112233445566);
	if (!i->write && i->reg_bytes == 4)
		REQUIRE(hi32(reg) == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *code = exact(data, size);
	struct mmio_insn i;

	for (int mode = DECODE_16; mode <= DECODE_64; mode++)
		if (decode_mmio(code, (unsigned int)size,
				(enum decode_mode)mode, &i))
			judge(&i, code, size, (enum decode_mode)mode);
	free(code);
	return 0;
}

static void fuzz_seeds(void)
{
	static const u8 form[][10] = {
		{ 0x8b, 0x07 },                   /* mov eax, [rdi] */
		{ 0x66, 0x44, 0x89, 0x4f, 0x20 }, /* mov [rdi+20h], r9w */
		{ 0x8b, 0x0c, 0x25, 0x20, 0, 0xe0, 0xfe },
		{ 0xc7, 0x04, 0x98, 0xf, 0, 0, 0 }, /* mov [rax+rbx*4], 15 */
		{ 0xa1, 1, 2, 3, 4, 5, 6, 7, 8 },   /* mov eax, moffs64 */
		{ 0x48, 0x0f, 0xbe, 0x45, 4 },      /* movsx rax, [rbp+4] */
		{ 0x67, 0x8a, 0x63, 1 },            /* mov ah, [ebx+1] */
	};

	for (size_t i = 0; i < ARRAY_SIZE(form); i++)
		fuzz_seed(form[i], sizeof(form[i]));
}

/* SPDX-License-Identifier: MIT */
/* links: vmx/decode.c */
/*
 * MOV forms that reach device registers: bytes as an assembler makes them. And
 * no bytes at all make the decoder read beyond what it was given.
 */
#include "vmx/decode.h"

#include <string.h>

#include "tests/unit/tap.h"

struct form {
	const char *text;
	enum decode_mode mode;
	u8 code[15];
	unsigned int length, bytes;
	bool write;
	unsigned int reg;
};

/* clang-format off */
static const struct form forms[] = {
	{ "mov eax, [rdi]", DECODE_64, { 0x8b, 0x07 }, 2, 4, false, 0 },
	{ "mov [rdi], eax", DECODE_64, { 0x89, 0x07 }, 2, 4, true, 0 },
	{ "mov r9d, [rdi + 0x20]", DECODE_64, { 0x44, 0x8b, 0x4f, 0x20 }, 4, 4, false, 9 },
	{ "mov [rdi + 0x300], r15d", DECODE_64, { 0x44, 0x89, 0xbf, 0, 3, 0, 0 }, 7, 4, true, 15 },
	{ "mov rax, [rdi]", DECODE_64, { 0x48, 0x8b, 0x07 }, 3, 8, false, 0 },
	{ "mov [rdi], ax", DECODE_64, { 0x66, 0x89, 0x07 }, 3, 2, true, 0 },
	{ "mov [rip + 4], ecx", DECODE_64, { 0x89, 0x0d, 4, 0, 0, 0 }, 6, 4, true, 1 },
	{ "mov ecx, [0xfee00020]", DECODE_64, { 0x8b, 0x0c, 0x25, 0x20, 0, 0xe0, 0xfe }, 7, 4, false, 1 },
	{ "mov ecx, [rbx + rcx * 4 + 8]", DECODE_64, { 0x8b, 0x4c, 0x8b, 8 }, 4, 4, false, 1 },
	{ "mov ecx, [rbp * 2 + 8] (no base)", DECODE_64, { 0x8b, 0x0c, 0x6d, 8, 0, 0, 0 }, 7, 4, false, 1 },
	{ "mov dword [rdi], 0xf", DECODE_64, { 0xc7, 0x07, 0xf, 0, 0, 0 }, 6, 4, true, 0 },
	{ "mov byte [rdi], 1", DECODE_64, { 0xc6, 0x07, 1 }, 3, 1, true, 0 },
	{ "mov eax, moffs64", DECODE_64, { 0xa1, 1, 2, 3, 4, 5, 6, 7, 8 }, 9, 4, false, 0 },
	{ "mov moffs64, al", DECODE_64, { 0xa2, 1, 2, 3, 4, 5, 6, 7, 8 }, 9, 1, true, 0 },
	{ "mov moffs32, eax", DECODE_32, { 0xa3, 0xb0, 0, 0xe0, 0xfe }, 5, 4, true, 0 },
	{ "movzx eax, byte [rdi]", DECODE_64, { 0x0f, 0xb6, 0x07 }, 3, 1, false, 0 },
	{ "movsx eax, word [rdi]", DECODE_64, { 0x0f, 0xbf, 0x07 }, 3, 2, false, 0 },
	{ "movsxd rax, dword [rdi]", DECODE_64, { 0x48, 0x63, 0x07 }, 3, 4, false, 0 },
	{ "mov ah, [rdi]", DECODE_64, { 0x8a, 0x27 }, 2, 1, false, 0 },
	{ "mov spl, [rdi]", DECODE_64, { 0x40, 0x8a, 0x27 }, 3, 1, false, 4 },
	{ "fs mov eax, [rdi]", DECODE_64, { 0x64, 0x8b, 0x07 }, 3, 4, false, 0 },
	{ "mov eax, [ebx] in 32-bit code", DECODE_32, { 0x8b, 0x03 }, 2, 4, false, 0 },
	{ "mov eax, [bp + di + 1]", DECODE_32, { 0x67, 0x8b, 0x43, 1 }, 4, 4, false, 0 },
	{ "mov ax, [0x1234] in 16-bit code", DECODE_16, { 0x8b, 0x06, 0x34, 0x12 }, 4, 2, false, 0 },
	{ "mov eax, [0x1234] in 16-bit code", DECODE_16, { 0x66, 0x8b, 0x06, 0x34, 0x12 }, 5, 4, false, 0 },
	{ "mov eax, [ebx] in 16-bit code", DECODE_16, { 0x66, 0x67, 0x8b, 0x03 }, 4, 4, false, 0 },
};

static const struct {
	const char *text;
	u8 code[15];
	unsigned int length;
} refused[] = {
	{ "nothing", { 0 }, 0 },
	{ "mov eax, ebx: no memory", { 0x8b, 0xc3 }, 2 },
	{ "add [rdi], eax", { 0x01, 0x07 }, 2 },
	{ "rep movsb", { 0xf3, 0xa4 }, 2 },
	{ "lock add", { 0xf0, 0x01, 0x07 }, 3 },
	{ "C7 /1", { 0xc7, 0x0f, 0, 0, 0, 0 }, 6 },
	{ "only prefixes", { 0x66, 0x66, 0x66, 0x66 }, 4 },
	{ "a displacement that is cut off", { 0x8b, 0x8f, 0, 0 }, 4 },
	{ "an immediate that is cut off", { 0xc7, 0x07, 1 }, 3 },
};
/* clang-format on */

static void known(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		struct mmio_insn insn;
		const bool ok = decode_mmio(f->code, f->length, f->mode, &insn);

		tap_ok(ok && insn.length == f->length &&
			       insn.bytes == f->bytes &&
			       insn.write == f->write &&
			       (insn.immediate || insn.reg == f->reg),
		       "%s", f->text);
	}
}

static void unknown(void)
{
	struct mmio_insn insn;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		tap_ok(!decode_mmio(refused[i].code, refused[i].length,
				    DECODE_64, &insn),
		       "refused: %s", refused[i].text);
}

static u64 finish(const u8 *code, unsigned int length, u64 value, u64 reg)
{
	struct mmio_insn insn;

	if (!decode_mmio(code, length, DECODE_64, &insn))
		return 0xbad;
	if (insn.write)
		return decode_write_value(&insn, reg);
	decode_finish_read(&insn, value, &reg);
	return reg;
}

#define FINISH(value, reg, ...)                                                \
	finish((const u8[]){ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ }),     \
	       value, reg)

static void results(void)
{
	const u64 old = 0x1122334455667788;

	tap_is(FINISH(~0ULL, old, 0x8b, 0x07), 0xffffffff,
	       "a 32-bit result clears the upper half");
	tap_is(FINISH(0xabcd, old, 0x66, 0x8b, 0x07), 0x112233445566abcd,
	       "a 16-bit one keeps the rest");
	tap_is(FINISH(0xab, old, 0x8a, 0x07), 0x11223344556677ab,
	       "an 8-bit one too");
	tap_is(FINISH(0xab, old, 0x8a, 0x27), 0x112233445566ab88,
	       "AH is bits 15:8");
	tap_is(FINISH(0xffffff80, old, 0x0f, 0xb6, 0x07), 0x80, "MOVZX");
	tap_is(FINISH(0x80, old, 0x0f, 0xbe, 0x07), 0xffffff80, "MOVSX");
	tap_is(FINISH(0x80000000, old, 0x48, 0x63, 0x07), 0xffffffff80000000,
	       "MOVSXD");
	tap_is(FINISH(0, old, 0x89, 0x07), 0x55667788, "a written register");
	tap_is(FINISH(0, old, 0x88, 0x27), 0x77, "a written AH");
	tap_is(FINISH(0, 0, 0x48, 0xc7, 0x07, 0xff, 0xff, 0xff, 0xff), ~0ULL,
	       "an immediate is sign-extended");
}

/* Every length of every start, in memory that ASan guards. */
static void no_overrun(void)
{
	u32 state    = 1;
	bool sane    = true;
	u32 accepted = 0;

	for (u32 round = 0; round < 200000; round++) {
		struct mmio_insn insn;
		u8 code[INSN_BYTES_MAX];

		for (u32 i = 0; i < sizeof(code); i++) {
			state   = state * 1664525u + 1013904223u;
			code[i] = (u8)(state >> 24);
		}
		if (round % 2)
			code[0] = 0x8b;

		const unsigned int n = state >> 8 & 15;
		u8 *exact            = malloc(n ? n : 1);

		memcpy(exact, code, n);
		if (decode_mmio(exact, n, (enum decode_mode)(round % 3),
				&insn)) {
			accepted++;
			sane &= insn.length <= n && insn.reg < 16 &&
				insn.bytes && insn.bytes <= 8 &&
				!(insn.bytes & (insn.bytes - 1));
		}
		free(exact);
	}
	tap_ok(sane, "200000 random starts: %u accepted, all sane", accepted);
}

int main(void)
{
	known();
	unknown();
	results();
	no_overrun();
	return tap_done();
}

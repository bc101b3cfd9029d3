/* SPDX-License-Identifier: MIT */
/*
 * Exceptions as values. TRY() runs one instruction and returns what it
 * raised; an exception nobody expects ends the running claim as failed.
 */
#ifndef LIB_TRAP_H
#define LIB_TRAP_H

#include "lib/cpu.h"

#define TRAP_NONE 0x100ul
#define TRAP_DE   0ul
#define TRAP_DB   1ul
#define TRAP_NMI  2ul
#define TRAP_BP   3ul
#define TRAP_UD   6ul
#define TRAP_NM   7ul
#define TRAP_DF   8ul
#define TRAP_NP   11ul
#define TRAP_SS   12ul
#define TRAP_GP   13ul
#define TRAP_PF   14ul
#define TRAP_MF   16ul
#define TRAP_AC   17ul
#define TRAP_CP   21ul
#define TRAP_XM   19ul

/* As entry.S pushes it; general registers in the hardware's order. */
struct frame {
	u64 r[16];
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* True: the event is dealt with, and the frame says how to go on. */
typedef bool trap_hook(struct frame *f);

/* HOOK sees VECTOR first; NULL takes it away. Hooks end with the claim. */
void trap_set_hook(unsigned int vector, trap_hook *hook);
void trap_clear_hooks(void);

/* Build the IDT, once. */
void trap_init(void);

/* Change one gate of the IDT: present or not; IST 0 is "same stack". */
void trap_set_gate(unsigned int vector, bool present, unsigned int ist);

/* Let INT of VECTOR pass at CPL 3, until trap_set_gate(). */
void trap_open_gate(unsigned int vector);

/* Let VECTOR enter at ENTRY instead of its stub, until trap_set_gate(). */
void trap_point_gate(unsigned int vector, void (*entry)(void));
void trap_load_idt(void);

/* The exception the last TRY() took on this CPU. */
struct trap trap_last(void);
void trap_forget(void);

/*
 * Run INSN, an assembler string, with the operands that follow, which start
 * with a colon as in asm. Outputs mean nothing if an exception was taken.
 */
#define TRY(insn, ...) TRY_WITHIN("", insn, "", __VA_ARGS__)

/* As TRY(), with BEFORE ahead of the instruction and AFTER in any case. */
#define TRY_WITHIN(before, insn, after, ...)                                   \
	({                                                                     \
		trap_forget();                                                 \
		asm volatile(before                                            \
			     "\n\tmovq $78f, %%gs:8\n\t"                       \
			     "movq $77f, %%gs:16\n"                            \
			     "77:\t" insn "\n"                                 \
			     "78:\tmovq $0, %%gs:8\n\t" after __VA_ARGS__);    \
		trap_last();                                                   \
	})

/* The name of VECTOR for diagnostics, "none" for TRAP_NONE. */
const char *trap_name(u64 vector);

struct trap try_rdmsr(u32 msr, u64 *val);
struct trap try_wrmsr(u32 msr, u64 val);
struct trap try_xsetbv(u32 ecx, u64 val);
struct trap try_write_cr0(u64 val);
struct trap try_write_cr4(u64 val);

/*
 * Run FN(ARG) at CPL 3 on a stack of its own and return its result. A TRY()
 * inside it works as usual. User mode may touch all memory.
 */
u64 user_call(u64 (*fn)(u64 arg), u64 arg);

/*
 * Go on as FRAME says, at any CPL, until a hook calls user_leave(); that ends
 * frame_enter() with its argument. Interrupts must be off, and are off again.
 */
u64 frame_enter(const struct frame *frame);
_Noreturn void user_leave(u64 result);

/* Run CLAIM; false, too, if it takes an exception it did not expect. */
bool trap_guarded(bool (*claim)(void));

#endif

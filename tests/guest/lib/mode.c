/* SPDX-License-Identifier: MIT */
/* Tables and low memory for mode.S. One CPU at a time. */
#include "lib/mode.h"

#include "lib/trap.h"

#define STUB32_BYTES  16
#define STUB16_BYTES  8
#define VECTORS       32
#define GATE32        0xee00u /* present, DPL 3: INT3 of v86 mode passes */
#define TSS32_BYTES   104
#define TSS32_PRESENT 0x890000000000ul
#define CODE_LIMIT    0x400
#define PEN_BASE      ((u64)PEN << 16) /* as a descriptor has it */
#define PAE_ENTRIES   4 /* 1 GiB each: the page directories of start.S */

extern const u8 mode_stubs32[], mode_blob[], mode_blob_stubs[];
extern const u8 mode_blob_end[];
extern const u8 mode_enter32[], mode_enter32_end[];
extern const u8 mode_enter16[], mode_enter16_end[];
extern u32 mode_eax, mode_edx, mode_ecx, mode_vector, mode_pae_cr3;
extern u64 boot_pd[];
void mode_compat(void);
void mode_legacy(u32 mode);

struct gate32 {
	u16 offset0, selector, type, offset1;
};

struct table_ptr32 {
	u16 limit;
	u32 base;
} __attribute__((packed));

extern struct table_ptr32 mode_idt32_ptr, mode_ivt_ptr;
static struct gate32 idt32[VECTORS] __attribute__((aligned(8)));
static u8 stack32[1024] __attribute__((aligned(16)));
static u32 tss32[TSS32_BYTES / 4];
static u64 pae_pdpt[PAE_ENTRIES] __attribute__((aligned(32)));

struct table_ptr32 mode_idt32_ptr = { sizeof(idt32) - 1, 0 };
struct table_ptr32 mode_ivt_ptr   = { 4 * VECTORS - 1, LOW_IVT };

static void tables_fill(void)
{
	u16 *ivt        = (u16 *)LOW_IVT;
	const u32 stubs = LOW_BLOB + (u32)(mode_blob_stubs - mode_blob);

	mode_idt32_ptr.base = (u32)(u64)idt32;
	memcpy((void *)LOW_BLOB, mode_blob,
	       (size_t)(mode_blob_end - mode_blob));
	for (u32 i = 0; i < VECTORS; i++) {
		const u32 at = (u32)(u64)mode_stubs32 + i * STUB32_BYTES;

		idt32[i]       = (struct gate32){ (u16)at, SEL_CODE32, GATE32,
						  (u16)(at >> 16) };
		ivt[2 * i]     = (u16)(stubs + i * STUB16_BYTES);
		ivt[2 * i + 1] = 0;
	}
	for (u32 i = 0; i < PAE_ENTRIES; i++)
		pae_pdpt[i] = ((u64)boot_pd + i * PAGE_BYTES) | 1;
	mode_pae_cr3 = (u32)(u64)pae_pdpt;
}

/* Virtual-8086 mode leaves through a 32-bit TSS. */
static void tss32_install(struct cpu *cpu)
{
	const u64 at = (u64)tss32;

	tss32[1]  = (u32)(u64)(stack32 + sizeof(stack32));
	tss32[2]  = SEL_DATA;
	tss32[25] = TSS32_BYTES << 16;

	cpu->gdt[SEL_TSS / 8] = TSS32_PRESENT | (TSS32_BYTES - 1) |
				(at & 0xffffff) << 16 | (at >> 24) << 56;
}

/* TSS32: events at CPL 3 over there find a stack. */
static u64 run(u32 mode, const u8 *code, size_t bytes, bool needs_tss32)
{
	struct cpu *cpu = this_cpu();
	const u64 tss   = cpu->gdt[SEL_TSS / 8];
	u8 *low         = (u8 *)LOW_CODE;

	if (bytes >= CODE_LIMIT)
		return TRAP_NONE;
	tables_fill();
	memcpy(low, code, bytes);
	low[bytes]  = 0xcc;
	mode_vector = TRAP_NONE;
	trap_forget();
	if (mode == MODE_COMPAT) {
		mode_compat();
		cpu_load(cpu);
		return trap_last().vector;
	}
	if (needs_tss32)
		tss32_install(cpu);
	mode_legacy(mode);
	cpu->gdt[SEL_TSS / 8] = tss;
	cpu_load(cpu);
	return mode_vector;
}

u64 mode_run(u32 mode, const u8 *code, size_t bytes, u32 eax, u32 edx, u32 ecx)
{
	mode_eax = eax;
	mode_edx = edx;
	mode_ecx = ecx;
	return run(mode, code, bytes, mode == MODE_V86);
}

void mode_pen(void)
{
	static const u64 access[] = { 0x0040fb, 0x0000fb, 0x0040f3,
				      0x0000f3, 0x00409b, 0x004093 };
	u64 *gdt                  = this_cpu()->gdt;

	for (u32 i = 0; i < ARRAY_SIZE(access); i++)
		gdt[SEL_PEN_CODE32 / 8 + i] =
			access[i] << 40 | PEN_BASE | (PEN_BYTES - 1);
}

static u64 enter_real(const struct mode_frame *f)
{
	struct {
		u32 general[8];
		u16 ds, es, fs, gs;
		u32 esp, ss;
	} *low     = (void *)LOW_FRAME;
	u16 *stack = (u16 *)((u64)f->ss * 16 + f->esp);

	memcpy(low->general, f, sizeof(low->general));
	low->ds  = (u16)f->ds;
	low->es  = (u16)f->es;
	low->fs  = (u16)f->fs;
	low->gs  = (u16)f->gs;
	low->esp = f->esp;
	low->ss  = f->ss;
	stack[0] = (u16)f->eip;
	stack[1] = (u16)f->cs;
	stack[2] = (u16)f->eflags;
	return run(MODE_REAL, mode_enter16,
		   (size_t)(mode_enter16_end - mode_enter16), false);
}

u64 mode_enter(u32 mode, const struct mode_frame *f)
{
	if (mode == MODE_REAL)
		return enter_real(f);
	memcpy((void *)LOW_FRAME, f, sizeof(*f));
	return run(mode, mode_enter32,
		   (size_t)(mode_enter32_end - mode_enter32), true);
}

/* SPDX-License-Identifier: MIT */
/*
 * Memory: all of it there, nothing of anybody else's in it, nothing behind
 * it; and what paging does with it. SDM 3, "Paging".
 */
#include "lib/check.h"
#include "lib/page.h"

#define EFER_NXE     BIT(11)
#define PTE_ACCESSED BIT(5)
#define PTE_DIRTY    BIT(6)
#define PTE_LARGE    BIT(7)
#define PTE_NX       BIT(63)
#define PF_PRESENT   1
#define PF_WRITE     2
#define PF_USER      4
#define PF_RESERVED  8
#define PF_FETCH     16

extern u64 boot_pml4[512];

static struct trap read_at(const volatile void *p)
{
	u64 val;

	return TRY("mov (%1), %0", : "=r"(val) : "r"(p) : "memory");
}

static struct trap write_at(volatile void *p)
{
	return TRY("movl $1, (%0)", : : "r"(p) : "memory");
}

static struct trap run_at(const volatile void *p)
{
	return TRY("jmp *%0", : : "r"(p) : "memory");
}

/* Everything behind the image but what page_alloc() took. */
static u64 free_start(void)
{
	return (u64)page_alloc(1) + PAGE_BYTES;
}

static bool zero_at_start(void)
{
	u64 wrong = 0;

	for (u64 p = free_start(); p < guest.ram_end && !wrong; p += PAGE_BYTES)
		if (*(u64 *)p ||
		    memcmp((void *)p, (void *)(p + 8), PAGE_BYTES - 8) != 0)
			wrong = p;
	return same("a page that is not zero", wrong, 0);
}

/* Each page holds its own address: no two are the same memory. */
static bool every_page(void)
{
	const u64 start = free_start();
	u64 wrong       = 0;

	for (u64 p = start; p < guest.ram_end; p += PAGE_BYTES)
		*(volatile u64 *)p = p;
	for (u64 p = start; p < guest.ram_end; p += PAGE_BYTES)
		if (*(volatile u64 *)p != p)
			wrong = p;
	for (u64 p = start; p < guest.ram_end; p += PAGE_BYTES)
		*(volatile u64 *)p = 0;
	return same("a page that is not its own", wrong, 0);
}

static bool nothing_behind(void)
{
	bool ok = true;

	for (u64 p = guest.ram_end; p < 0xe0000000; p += 0x3f00000) {
		volatile u64 *at = (volatile u64 *)(p & ~7ul);

		*at = 0x1234;
		ok &= same("a read", *at, ~0ull);
	}
	return ok;
}

static struct {
	u8 *va;
	u8 *page;
} one;

static void map_one(u64 flags)
{
	if (!one.page)
		one.page = page_alloc(1);
	one.va = window_map(0, one.page, flags);
}

static bool faulted(struct trap t, u64 error, const void *cr2)
{
	return same("vector", t.vector, TRAP_PF) &&
	       same("error code", t.error, error) &&
	       same("CR2", t.cr2, (u64)cr2);
}

static bool not_present(void)
{
	map_one(0);
	return faulted(read_at(one.va), 0, one.va) &
	       faulted(write_at(one.va), PF_WRITE, one.va);
}

static bool read_only(void)
{
	map_one(PTE_PRESENT);
	bool ok = none(read_at(one.va)) &
		  faulted(write_at(one.va), PF_PRESENT | PF_WRITE, one.va);

	write_cr0(read_cr0() & ~CR0_WP);
	ok &= none(write_at(one.va));
	write_cr0(read_cr0() | CR0_WP);
	return ok;
}

static u64 user_read(u64 at)
{
	const struct trap t = read_at((void *)at);

	return t.vector << 16 | t.error;
}

static u64 user_write(u64 at)
{
	const struct trap t = write_at((void *)at);

	return t.vector << 16 | t.error;
}

static bool user_pages(void)
{
	map_one(PTE_PRESENT | PTE_WRITE);
	bool ok = same("read", user_call(user_read, (u64)one.va),
		       TRAP_PF << 16 | PF_PRESENT | PF_USER) &
		  same("write", user_call(user_write, (u64)one.va),
		       TRAP_PF << 16 | PF_PRESENT | PF_USER | PF_WRITE);

	map_one(PTE_PRESENT | PTE_USER);
	return ok &
	       same("read", user_call(user_read, (u64)one.va) >> 16,
		    TRAP_NONE) &
	       same("write", user_call(user_write, (u64)one.va),
		    TRAP_PF << 16 | PF_PRESENT | PF_USER | PF_WRITE);
}

static bool no_execute(void)
{
	const u64 efer = rdmsr(MSR_EFER);

	map_one(PTE_PRESENT | PTE_WRITE);
	one.page[0] = 0x0f; /* UD2 */
	one.page[1] = 0x0b;
	bool ok     = same("UD2 there", run_at(one.va).vector, TRAP_UD);

	wrmsr(MSR_EFER, efer | EFER_NXE);
	map_one(PTE_PRESENT | PTE_WRITE | PTE_NX);
	ok &= faulted(run_at(one.va), PF_PRESENT | PF_FETCH, one.va) &
	      none(read_at(one.va));
	map_one(0);
	wrmsr(MSR_EFER, efer);
	return ok;
}

static bool reserved_bits(void)
{
	const u32 width = cpuid(0x80000008, 0).a & 0xff;
	bool ok         = true;

	map_one(PTE_PRESENT | PTE_WRITE | PTE_NX); /* EFER.NXE is 0 */
	ok &= faulted(read_at(one.va), PF_PRESENT | PF_RESERVED, one.va);
	if (width < 52) {
		map_one(PTE_PRESENT | PTE_WRITE | BIT(51));
		ok &= faulted(read_at(one.va), PF_PRESENT | PF_RESERVED,
			      one.va);
	}
	map_one(0);
	return ok;
}

static u64 entry_of_one(void)
{
	const u64 *t = boot_pml4;

	t = (const u64 *)(t[1] & ~0xfffull);
	t = (const u64 *)(t[0] & ~0xfffull);
	t = (const u64 *)(t[0] & ~0xfffull);
	return *(const volatile u64 *)t;
}

static bool accessed_dirty(void)
{
	map_one(PTE_PRESENT | PTE_WRITE);
	bool ok =
		same("before", entry_of_one() & (PTE_ACCESSED | PTE_DIRTY), 0);

	read_at(one.va);
	ok &= same("after a read", entry_of_one() & (PTE_ACCESSED | PTE_DIRTY),
		   PTE_ACCESSED);
	write_at(one.va);
	return ok & same("after a write",
			 entry_of_one() & (PTE_ACCESSED | PTE_DIRTY),
			 PTE_ACCESSED | PTE_DIRTY);
}

static bool remapped(void)
{
	u32 *a = page_alloc(1);
	u32 *b = page_alloc(1);

	*a                     = 0xa;
	*b                     = 0xb;
	const volatile u32 *va = window_map(0, a, PTE_PRESENT);
	const u32 first        = *va;

	window_map(0, b, PTE_PRESENT);
	return same("the first page", first, 0xa) &
	       same("the second", *va, 0xb);
}

/* A page-crossing access takes the fault of the page that is missing. */
static bool crossing(void)
{
	u8 *page = page_alloc(1);
	u8 *va   = window_map(0, page, PTE_PRESENT | PTE_WRITE);

	window_map(1, NULL, 0);
	return faulted(read_at(va + PAGE_BYTES - 4), 0, va + PAGE_BYTES);
}

static bool one_gib_pages(void)
{
	static u64 pdpt[512] __attribute__((aligned(4096)));
	const u64 slot = 5;

	if (!(cpuid(0x80000001, 0).d & BIT(26)))
		return true;
	pdpt[0]         = PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	boot_pml4[slot] = (u64)pdpt | PTE_PRESENT | PTE_WRITE;
	const u64 *va   = (const u64 *)((slot << 39) + (u64)boot_pml4);
	const bool ok   = none(read_at(va)) &&
			same("the same memory", va[0], boot_pml4[0]);

	boot_pml4[slot] = 0;
	write_cr3(read_cr3());
	return ok;
}

const struct claim claims[] = {
	{ "the rest of RAM is zero at the start", zero_at_start, ON_HOSTED },
	{ "every page of RAM is its own", every_page, 0 },
	{ "behind RAM is nothing: all ones, writes are lost", nothing_behind,
	  0 },
	{ "#PF of a page that is not present", not_present, 0 },
	{ "#PF of a write to a read-only page, by CR0.WP", read_only, 0 },
	{ "#PF of user accesses", user_pages, 0 },
	{ "#PF of a fetch from a no-execute page", no_execute, 0 },
	{ "#PF of reserved bits", reserved_bits, 0 },
	{ "#PF of an access that crosses pages", crossing, 0 },
	{ "accessed and dirty flags", accessed_dirty, 0 },
	{ "INVLPG makes a new mapping visible", remapped, 0 },
	{ "1 GiB pages, if CPUID offers them", one_gib_pages, 0 },
};
CLAIMS_END

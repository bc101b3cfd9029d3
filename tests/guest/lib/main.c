/* SPDX-License-Identifier: MIT */
/*
 * The frame of every guest: read the command line, look at the machine, print
 * the plan, run the claims, end through the exit port.
 */
#include "lib/apic.h"
#include "lib/insn.h"
#include "lib/serial.h"
#include "lib/smp.h"
#include "lib/tap.h"
#include "lib/trap.h"
#include "lib/vmcall.h"
#include "lib/xstate.h"

#define MULTIBOOT_MAGIC       0x2badb002
#define MULTIBOOT_HAS_MEMORY  BIT(0)
#define MULTIBOOT_HAS_CMDLINE BIT(2)
#define EXIT_PORT             0xf4
#define PIC_MASKS             0x21 /* OCW1 of the two 8259A */
#define PIC_MASKS_2           0xa1
#define CPUID_7_EDX_AMX_TILE  BIT(24)
#define CPUID_1_ECX_XSAVE     BIT(26)
#define CPUID_1_ECX_X2APIC    BIT(21)
#define CPUID_1_ECX_TSC_DL    BIT(24)
#define CPUID_1_EDX_APIC      BIT(9)
#define CPUID_D_1_EAX_XFD     BIT(4)

struct guest guest;
bool claims_record;

void guest_main(u32 magic, const u32 *info);

bool same(const char *what, u64 got, u64 want)
{
	if (got != want)
		printk("# %s: got %#lx, want %#lx\n", what, got, want);
	return got == want;
}

bool is(const char *what, bool cond)
{
	if (!cond)
		printk("# not so: %s\n", what);
	return cond;
}

_Noreturn void guest_end(bool passed)
{
	printk("# end\n");
	outb(EXIT_PORT, passed ? 0 : 1);
	for (;;)
		asm volatile("cli; hlt");
}

/* The text after WORD at the start of a word of the command line, or NULL. */
static const char *word_after(const char *word)
{
	const size_t n = strlen(word);

	for (const char *p = guest.command_line; *p; p++)
		if ((p == guest.command_line || p[-1] == ' ') &&
		    memcmp(p, word, n) == 0)
			return p + n;
	return NULL;
}

bool guest_flag(const char *word)
{
	const char *p = word_after(word);

	return p && (*p == ' ' || !*p);
}

u64 guest_number(const char *word, u64 otherwise)
{
	const char *p = word_after(word);
	u64 val       = 0;

	if (!p || *p++ != '=')
		return otherwise;
	for (; *p >= '0' && *p <= '9'; p++)
		val = val * 10 + (u64)(*p - '0');
	return val;
}

static const char *const policy_names[] = {
	[BARE] = "bare",   [NM] = "nm",   [WRMSR] = "wrmsr",
	[EAGER] = "eager", [KVM] = "kvm", [INJECT] = "inject",
};

const char *policy_name(void)
{
	return policy_names[guest.policy];
}

static enum policy policy_of_command_line(void)
{
	const char *p = word_after("hosted=");

	for (u32 i = NM; p && i <= INJECT; i++) {
		const size_t n = strlen(policy_names[i]);

		if (memcmp(p, policy_names[i], n) == 0 &&
		    (p[n] == ' ' || !p[n]))
			return (enum policy)i;
	}
	return BARE;
}

/* What the loader says, before anything overwrites it. */
static void information_copy(u32 magic, const u32 *info)
{
	const char *from;
	size_t n = 0;

	guest.ram_end = 0x100000;
	if (magic == MULTIBOOT_MAGIC && (info[0] & MULTIBOOT_HAS_MEMORY))
		guest.ram_end += info[2] * 1024ul;
	if (magic != MULTIBOOT_MAGIC || !(info[0] & MULTIBOOT_HAS_CMDLINE))
		return;
	from = (const char *)(u64)info[4];
	for (; from[n] && n < sizeof(guest.command_line) - 1; n++)
		guest.command_line[n] = from[n];
}

static void machine_look(void)
{
	const struct cpuid one = cpuid(1, 0);

	guest.has_x2apic       = one.c & CPUID_1_ECX_X2APIC;
	guest.has_apic         = one.d & CPUID_1_EDX_APIC;
	guest.has_tsc_deadline = one.c & CPUID_1_ECX_TSC_DL;
	if (!(one.c & CPUID_1_ECX_XSAVE)) {
		guest.no_xsave = "no XSAVE";
		return;
	}
	const struct cpuid d = cpuid(0xd, 0);

	guest.xcr0_max = (u64)d.d << 32 | d.a;
	for (u32 i = 2; i < 63; i++) {
		const struct cpuid c = cpuid(0xd, i);

		guest.component[i] = (struct component){ c.b, c.a };
	}
	guest.has_xfd = cpuid(0xd, 1).a & CPUID_D_1_EAX_XFD;
	guest.has_amx = (cpuid(7, 0).d & CPUID_7_EDX_AMX_TILE) &&
			(guest.xcr0_max & XCR0_TILES) == XCR0_TILES;
}

static bool claim_is_made(const struct claim *c)
{
	const u32 on = c->when & ON_ANY;

	return !on || (on & BIT(guest.policy));
}

/* Why the machine cannot show CLAIM, or NULL. */
static const char *claim_lacks(const struct claim *c)
{
	if ((c->when & NEEDS_AMX) && !(guest.has_amx && guest.has_xfd))
		return "no AMX with XFD";
	if ((c->when & NEEDS_NO_AMX) && (guest.has_amx || guest.has_xfd))
		return "AMX or XFD is here";
	if ((c->when & NEEDS_CPL0) && guest.no_cpl0)
		return guest.no_cpl0;
	if ((c->when & (NEEDS_XSAVE | NEEDS_AMX)) && guest.no_xsave)
		return guest.no_xsave;
	if ((c->when & NEEDS_SMP) && guest.vcpus < 2)
		return "one CPU";
	if ((c->when & NEEDS_X2APIC) && !guest.has_x2apic)
		return "no x2APIC";
	if ((c->when & (NEEDS_APIC | NEEDS_SMP)) && !guest.has_apic)
		return "no local APIC";
	if ((c->when & NEEDS_TSC_DL) && !guest.has_tsc_deadline)
		return "no TSC deadline";
	if ((c->when & NEEDS_COUNT) && !hosted())
		return "bare";
	return NULL;
}

/* Given fresh CPUs, a used one would show something else than the claim. */
static bool claim_holds(const struct claim *c)
{
	const u32 cpu = c->when & FRESH ? smp_fresh() : 0;

	trap_clear_hooks();
	if ((c->when & FRESH) && !cpu && guest.fresh)
		return is("a CPU is left that never used tiles", false);
	return cpu ? smp_run(cpu, c->holds) : trap_guarded(c->holds);
}

__attribute__((weak)) const struct claim_table *claim_tables(size_t *count)
{
	static const struct claim_table only = { claims, &claim_count };

	*count = 1;
	return &only;
}

/* How the claims ended. */
static u32 held, failed, skipped;

static void claim_print(const struct claim *c, u32 n)
{
	const char *lack = claim_lacks(c);

	if (lack) {
		skipped++;
		printk("ok %u - %s # SKIP %s\n", n, c->text, lack);
		return;
	}
	const bool ok = claim_holds(c);

	if (ok || (OPEN_ITEM(c->when) && claims_record))
		held++;
	else
		failed++;
	if (OPEN_ITEM(c->when) && claims_record) {
		printk("# H.%u: %s: %s\n", OPEN_ITEM(c->when), c->text,
		       ok ? "so it is" : "not so");
		printk("ok %u - recorded: %s\n", n, c->text);
		return;
	}
	printk("%sok %u - %s\n", ok ? "" : "not ", n, c->text);
}

static bool claims_run(void)
{
	size_t tables;
	const struct claim_table *t = claim_tables(&tables);
	u32 count = 0, n = 0;

	for (size_t i = 0; i < tables; i++)
		for (size_t j = 0; j < *t[i].count; j++)
			count += claim_is_made(&t[i].claims[j]);
	printk("1..%u\n", count);
	for (size_t i = 0; i < tables; i++)
		for (size_t j = 0; j < *t[i].count; j++)
			if (claim_is_made(&t[i].claims[j]))
				claim_print(&t[i].claims[j], ++n);
	printk("# verdict: %u claims hold, %u do not, %u were skipped\n", held,
	       failed, skipped);
	return !failed;
}

/* Firmware may have left the PIT running, on vectors that are exceptions. */
static void pic_mask(void)
{
	outb(PIC_MASKS, 0xff);
	outb(PIC_MASKS_2, 0xff);
}

void guest_main(u32 magic, const u32 *info)
{
	information_copy(magic, info);
	pic_mask();
	serial_init();
	guest.policy = policy_of_command_line();
	guest.vcpus  = (u32)guest_number("vcpus", 1);
	guest.fresh  = (u32)guest_number("fresh", 0);
	machine_look();
	trap_init();
	smp_init();
	guest_end(claims_run());
}

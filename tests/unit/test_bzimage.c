/* SPDX-License-Identifier: MIT */
/* links: guest/bzimage.c guest/acpi_tables.c guest/memory.c boot/lib/print.c */
/*
 * bzImages, good and bad, the zero page (Linux, Documentation/arch/x86/boot.rst
 * and zero-page.rst), and the ACPI tables that a kernel finds beside them.
 */
#include "guest/bzimage.h"

#include <string.h>

#include "boot/lib/pages.h"
#include "guest/acpi_tables.h"
#include "tests/unit/fake_no_pages.h"
#include "tests/unit/fake_serial.h"
#include "tests/unit/images.h"
#include "tests/unit/tap.h"

static u8 file[32768];
static struct setup_header *h;
static struct bzimage_plan plan;
static char why[200];
static u64 memory = 64 * MIB, initrd, cmdline;
static u64 bytes;

static void good(void)
{
	memset(file, 0, sizeof(file));
	bytes = sizeof(file);
	h     = (struct setup_header *)(void *)(file + IMAGE_SETUP_AT);
	image_kernel(file, sizeof(file), 15);
	memory  = 64 * MIB;
	initrd  = 0;
	cmdline = 10;
}

static u32 map(struct memory_range range[MEMORY_RANGE_MAX])
{
	const struct memory m = { .bytes = memory };

	return memory_map(&m, range);
}

static bool try(void)
{
	struct memory_range range[MEMORY_RANGE_MAX];
	const u32 n = map(range);

	why[0] = '\0';
	return bzimage_plan(file, bytes, initrd, cmdline, range, n, &plan, why,
			    sizeof(why));
}

static void refused(const char *sentence)
{
	if (!tap_ok(!try() && strstr(why, sentence), "refused: %s", sentence))
		tap_note("said: %s", why);
	good();
}

static void test_refusals(void)
{
	good();
	h->header = 0;
	tap_ok(!bzimage_is(file, bytes), "no HdrS, no kernel");
	refused("it has no Linux set-up header");
	h->version = 0x0209;
	refused("boot protocol 2.09 is too old, 2.12 is needed");
	h->loadflags = 0;
	refused("it is a zImage, to be loaded low (loadflags 0)");
	h->xloadflags = 0;
	refused("it has no 64-bit entry (xloadflags 0); a 64-bit kernel");
	cmdline = 2048;
	refused("command line has 2048 bytes, it takes 2047");
	h->setup_sects = 255;
	refused("its set-up part alone has 131072 bytes");
	bytes -= 16;
	refused("the file is cut short");
	bytes      = 17 * 512;
	h->syssize = 32;
	refused("its 64-bit entry lies beyond its end: 512 bytes");
	h->syssize = 0xffffffff;
	refused("the file is cut short");
	h->init_size = 4096;
	refused("its init_size 0x1000 is less than the 24576 bytes");
	h->kernel_alignment = 0x300000;
	refused("kernel_alignment 0x300000 is no power of two");
	h->kernel_alignment = 0;
	refused("kernel_alignment 0 is no power of two");
	memory = 32 * MIB;
	refused("needs 32768 KiB of memory from 0x1000000 on, or lower,");
	h->init_size = 0xffffffff;
	refused("raise mem=");
	h->relocatable_kernel = 0;
	h->pref_address       = 0;
	refused("from 0 on (it cannot be moved)");
	h->relocatable_kernel = 0;
	memory                = 40 * MIB;
	refused("from 0x1000000 on (it cannot be moved), which");
	h->boot_flag = 0;
	tap_ok(!bzimage_is(file, bytes), "no 55AAH, no kernel");
	refused("it has no Linux set-up header");
	initrd = 32 * MIB;
	refused("its initrd of 32768 KiB finds no room");
	h->initrd_addr_max = 0x2000000;
	initrd             = 4096;
	refused("finds no room between 0x3000000 and 0x2000000");
	tap_ok(!bzimage_is(file, 0x200), "a file shorter than its header");
}

static void test_places(void)
{
	good();
	tap_ok(try() && plan.load == 0x1000000 && plan.entry == 0x1000200 &&
		       plan.kernel_offset == 8192 &&
		       plan.kernel_bytes == sizeof(file) - 8192,
	       "it is put where it wants to be");
	h->setup_sects = 0;
	h->syssize     = (sizeof(file) - 2560) / 16;
	tap_ok(try() && plan.kernel_offset == 2560,
	       "setup_sects 0 means 4, as it always did");
	good();
	memory = 40 * MIB;
	tap_ok(try() && plan.load == 0x200000,
	       "or lower, at its alignment, if it can be moved");
	h->relocatable_kernel = 0;
	tap_ok(!try(), "if it can");
	good();
	initrd = 5000;
	tap_ok(try() && plan.initrd == 64 * MIB - 8192,
	       "the initrd is as high as possible, on a page");
	h->initrd_addr_max = 0x37fffff;
	tap_ok(try() && plan.initrd == 0x3800000 - 8192,
	       "but not above initrd_addr_max");
	good();
	memory = 6 * GIB;
	initrd = 5000;
	tap_ok(try() && plan.initrd == 0x80000000 - 8192,
	       "nor above it with more memory");
}

static void test_params(void)
{
	const struct bzimage_places at = { .cmdline = 0x20000,
					   .rsdp    = 0xe0000 };
	struct memory_range range[MEMORY_RANGE_MAX];
	static struct boot_params p;

	good();
	memory      = 5 * GIB;
	initrd      = 4096;
	const u32 n = map(range);

	memset(&p, 0xff, sizeof(p));
	tap_ok(try(), "a plan");
	bzimage_params(&plan, range, n, &at, &p);
	tap_is(p.sentinel, 0, "the zero page is one");
	tap_is(p.hdr.header, 0x53726448, "it holds the kernel's own header");
	tap_is(p.hdr.type_of_loader, 0xff, "a loader without a number");
	tap_is(p.hdr.cmd_line_ptr, 0x20000, "command line");
	tap_is(p.hdr.ramdisk_image, plan.initrd, "initrd");
	tap_is(p.hdr.ramdisk_size, 4096, "its size");
	tap_is(p.acpi_rsdp_addr, 0xe0000, "RSDP");
	tap_is(p.e820_entries, n, "the whole memory map");
	tap_ok(p.e820_table[n - 1].addr == 4 * GIB &&
		       p.e820_table[n - 1].size == 2 * GIB &&
		       p.e820_table[n - 1].type == 1,
	       "whose last entry is the memory above the hole");
}

/* ---- ACPI ---- */

static u8 sum(const u8 *p, u32 n)
{
	u8 s = 0;

	while (n--)
		s = (u8)(s + *p++);
	return s;
}

static u32 word(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

#define AT 0xe0000

static void test_acpi(void)
{
	static u8 b[8192];
	static const u8 table[50] = { 'D', 'S', 'D', 'T', sizeof(table) };
	const u32 used =
		acpi_tables_build(b, sizeof(b), AT, 3, table, sizeof(table));
	const u8 *xsdt = b + word(b + 24) - AT;
	const u8 *fadt = b + word(xsdt + 36) - AT;
	const u8 *madt = b + word(xsdt + 44) - AT;
	const u8 *spcr = b + word(xsdt + 52) - AT;
	const u8 *dsdt = b + word(fadt + 40) - AT;

	tap_ok(used && !memcmp(b, "RSD PTR ", 8) && !sum(b, 20) && !sum(b, 36),
	       "an RSDP with both checksums");
	tap_ok(!memcmp(xsdt, "XSDT", 4) && !sum(xsdt, word(xsdt + 4)),
	       "an XSDT");
	tap_ok(!memcmp(fadt, "FACP", 4) && !sum(fadt, word(fadt + 4)),
	       "a FADT");
	tap_ok(word(fadt + 112) & 1 << 20, "of reduced hardware");
	tap_ok(!memcmp(madt, "APIC", 4) && !sum(madt, word(madt + 4)),
	       "a MADT");
	tap_is(word(madt + 4), 44 + 3 * 8 + 12, "three CPUs, one I/O APIC");
	tap_is(madt[44 + 2 * 8 + 3], 2, "the third CPU's APIC id");
	tap_ok(!memcmp(dsdt, table, sizeof(table)), "the DSDT as given");
	tap_ok(!memcmp(spcr, "SPCR", 4) && !sum(spcr, word(spcr + 4)),
	       "an SPCR");
	tap_is(word(spcr + 44), 0x3f8, "which names the UART");
	tap_is(word(spcr + 54), 4, "and its interrupt");
	for (u32 size = 0; size < used; size++)
		if (acpi_tables_build(b, size, AT, 3, table, sizeof(table))) {
			tap_ok(false, "%u bytes are too few", size);
			return;
		}
	tap_ok(true, "too small a buffer is no tables");
}

int main(void)
{
	test_refusals();
	test_places();
	test_params();
	test_acpi();
	return tap_done();
}

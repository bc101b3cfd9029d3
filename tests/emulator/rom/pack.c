/* SPDX-License-Identifier: MIT */
/*
 * Packs a kernel, its modules and the boot information into a memory image and
 * a ROM image (rom.S) for the emulator, so that the machine's first
 * instructions end in the kernel's. Runs on the host; starts nothing itself.
 */
#include "pack.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_BYTES     0x2000u /* rom.S, the end of the ROM image */
#define PARAMETERS     0x1f00u /* in it */
#define SCRATCH        0x5a    /* what memory holds that nobody has set */
#define SCRATCH_BEGIN  0x1000u
#define SCRATCH_BEYOND 0x400000u

#define FEATURE_CONTROL_LOCKED          (1u << 0)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX (1u << 2)

/* Offsets in rom.S's parameters. */
enum rom_parameter {
	ROM_ENTRY           = 0,
	ROM_EAX             = 4,
	ROM_EBX             = 8,
	ROM_ESI             = 12,
	ROM_RAM_BYTES       = 16,
	ROM_AP_COUNT        = 20,
	ROM_FEATURE_CONTROL = 24,
	ROM_BOOT_GDT        = 28, /* 6 bytes: limit, base */
	ROM_GDT_COPY        = 34, /* the same, of the ROM's own table */
};

struct options {
	const char *code; /* rom.bin */
	const char *rom_out;
	const char *ram_out;
	uint32_t feature_control;
	const char *module[PACK_MODULE_COUNT];
};

void pack_die(const char *format, ...)
{
	va_list ap;

	fputs("pack: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *pack_ram(struct pack *p, uint64_t at, uint64_t bytes)
{
	if (at > p->ram_bytes || bytes > p->ram_bytes - at)
		pack_die("%#llx bytes at %#llx do not fit into memory",
			 (unsigned long long)bytes, (unsigned long long)at);
	if (at + bytes > p->top)
		p->top = (uint32_t)(at + bytes);
	return p->ram + at;
}

bool pack_memory(const struct pack *p, unsigned int index,
		 struct pack_range *range)
{
	const struct pack_range map[] = {
		{ 0, PACK_LOW_RAM_END, PACK_MEMORY_AVAILABLE },
		{ PACK_LOW_RAM_END, 0xa0000 - PACK_LOW_RAM_END,
		  PACK_MEMORY_RESERVED },
		{ 0xe0000, 0x20000, PACK_MEMORY_RESERVED },
		{ PACK_HIGH_RAM, p->ram_bytes - PACK_HIGH_RAM,
		  PACK_MEMORY_AVAILABLE },
		{ 0xfec00000, 0x400000, PACK_MEMORY_RESERVED },
	};

	if (index >= sizeof(map) / sizeof(map[0]))
		return false;
	*range = map[index];
	return true;
}

static uint8_t *read_file(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "rb");

	if (!f || fseek(f, 0, SEEK_END) != 0)
		pack_die("cannot read %s", path);
	*bytes = (size_t)ftell(f);
	rewind(f);
	uint8_t *data = malloc(*bytes + 1);

	if (!data || fread(data, 1, *bytes, f) != *bytes)
		pack_die("cannot read %s", path);
	fclose(f);
	return data;
}

static void write_file(const char *path, const uint8_t *data, size_t bytes)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0)
		pack_die("cannot write %s", path);
}

/* SPEC is "FILE arguments...": page-aligned, above everything so far. */
static void load_module(struct pack *p, const char *spec, uint32_t at)
{
	struct pack_module *m = &p->module[p->module_count++];
	const size_t length   = strcspn(spec, " ");
	char *path            = strndup(spec, length);
	size_t bytes;
	uint8_t *data = read_file(path, &bytes);

	m->arguments = spec + length + (spec[length] == ' ');
	m->start     = at;
	m->end       = (uint32_t)(at + bytes);
	memcpy(pack_ram(p, at, bytes), data, bytes);
	free(data);
	free(path);
}

static void load_modules(struct pack *p, const struct options *o)
{
	uint32_t at = page_up(p->kernel_end);

	for (int i = 0; i < PACK_MODULE_COUNT && o->module[i]; i++) {
		load_module(p, o->module[i], at);
		at = page_up(p->module[i].end);
	}
}

/*
 * A real machine's free memory is not zero; nobody may count on that here. (Low
 * memory was filled before the boot information went there.)
 */
static void soil(struct pack *p)
{
	uint32_t at = PACK_HIGH_RAM;

	for (uint32_t i = 0; i <= p->module_count; i++) {
		const uint32_t start =
			i ? p->module[i - 1].start : p->kernel_start;
		const uint32_t end = i ? p->module[i - 1].end : p->kernel_end;

		if (start > at)
			memset(p->ram + at, SCRATCH, start - at);
		at = end;
	}
	const uint32_t rest = p->ram_bytes - at;
	const uint32_t more = rest < SCRATCH_BEYOND ? rest : SCRATCH_BEYOND;

	memset(pack_ram(p, at, more), SCRATCH, more);
}

static void build_information(struct pack *p)
{
	switch (p->protocol) {
	case PACK_PROTOCOL_MULTIBOOT1:
		info_multiboot1(p);
		break;
	case PACK_PROTOCOL_MULTIBOOT2:
		info_multiboot2(p);
		break;
	case PACK_PROTOCOL_LINUX:
		info_linux(p);
		break;
	case PACK_PROTOCOL_ANY:
		pack_die("no boot protocol");
	}
	if (p->corrupt && p->protocol != PACK_PROTOCOL_MULTIBOOT2)
		pack_die("--corrupt is for multiboot2 only");
}

static void build_rom(struct pack *p, const struct options *o, uint8_t *rom)
{
	size_t code_bytes;
	uint8_t *code     = read_file(o->code, &code_bytes);
	uint8_t *end      = rom + PACK_ROM_BYTES - CODE_BYTES;
	uint8_t *argument = end + PARAMETERS;

	if (code_bytes != CODE_BYTES)
		pack_die("%s is not a ROM of %u bytes", o->code, CODE_BYTES);
	memcpy(end, code, CODE_BYTES);
	free(code);
	put32(argument + ROM_ENTRY, p->entry.eip);
	put32(argument + ROM_EAX, p->entry.eax);
	put32(argument + ROM_EBX, p->entry.ebx);
	put32(argument + ROM_ESI, p->entry.esi);
	put32(argument + ROM_RAM_BYTES, p->ram_bytes);
	put32(argument + ROM_AP_COUNT, p->cpu_count - 1);
	put32(argument + ROM_FEATURE_CONTROL, o->feature_control);
	if (p->entry.wants_gdt)
		memcpy(argument + ROM_BOOT_GDT, argument + ROM_GDT_COPY, 6);
	write_file(o->rom_out, rom, PACK_ROM_BYTES);
}

static uint32_t number(const char *text, uint32_t min, uint32_t max)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 0);

	if (*end || end == text || value < min || value > max)
		pack_die("%s is not between %u and %u", text, min, max);
	return (uint32_t)value;
}

static uint32_t feature_control(const char *word)
{
	if (strcmp(word, "on") == 0)
		return FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX_OUTSIDE_SMX;
	if (strcmp(word, "off") == 0)
		return FEATURE_CONTROL_LOCKED;
	if (strcmp(word, "unlocked") == 0)
		return 0;
	pack_die("--vmx on, off or unlocked, not %s", word);
}

static enum pack_protocol protocol(const char *word)
{
	if (strcmp(word, "multiboot1") == 0)
		return PACK_PROTOCOL_MULTIBOOT1;
	if (strcmp(word, "multiboot2") == 0)
		return PACK_PROTOCOL_MULTIBOOT2;
	if (strcmp(word, "linux") == 0)
		return PACK_PROTOCOL_LINUX;
	pack_die("--protocol multiboot1, multiboot2 or linux, not %s", word);
}

static const char usage[] =
	"usage: pack --code rom.bin --rom OUT --ram OUT [options] KERNEL\n"
	"  --mem MIB --cpus COUNT          the machine; default 256 and 1\n"
	"  --cmdline TEXT --module 'FILE ARGUMENTS'   as a boot loader's\n"
	"  --protocol NAME                 multiboot1, multiboot2 or linux\n"
	"  --load-at ADDRESS               move a relocatable kernel there\n"
	"  --vmx on|off|unlocked           how firmware leaves "
	"FEATURE_CONTROL\n"
	"  --no-acpi                       no ACPI tables\n"
	"  --corrupt KIND                  damaged multiboot2 information\n"
	"  --corrupt-list                  the kinds\n";

enum option_code {
	OPTION_CODE = 1,
	OPTION_ROM,
	OPTION_RAM,
	OPTION_MEM,
	OPTION_CPUS,
	OPTION_CMDLINE,
	OPTION_MODULE,
	OPTION_PROTOCOL,
	OPTION_LOAD_AT,
	OPTION_VMX,
	OPTION_NO_ACPI,
	OPTION_CORRUPT,
	OPTION_CORRUPT_LIST,
};

static const struct option long_options[] = {
	{ "code", required_argument, NULL, OPTION_CODE },
	{ "rom", required_argument, NULL, OPTION_ROM },
	{ "ram", required_argument, NULL, OPTION_RAM },
	{ "mem", required_argument, NULL, OPTION_MEM },
	{ "cpus", required_argument, NULL, OPTION_CPUS },
	{ "cmdline", required_argument, NULL, OPTION_CMDLINE },
	{ "module", required_argument, NULL, OPTION_MODULE },
	{ "protocol", required_argument, NULL, OPTION_PROTOCOL },
	{ "load-at", required_argument, NULL, OPTION_LOAD_AT },
	{ "vmx", required_argument, NULL, OPTION_VMX },
	{ "no-acpi", no_argument, NULL, OPTION_NO_ACPI },
	{ "corrupt", required_argument, NULL, OPTION_CORRUPT },
	{ "corrupt-list", no_argument, NULL, OPTION_CORRUPT_LIST },
	{ NULL, 0, NULL, 0 },
};

static void parse(struct pack *p, struct options *o, int argc, char **argv)
{
	int module_count = 0;
	int code;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (code) {
		case OPTION_CODE:
			o->code = optarg;
			break;
		case OPTION_ROM:
			o->rom_out = optarg;
			break;
		case OPTION_RAM:
			o->ram_out = optarg;
			break;
		case OPTION_MEM:
			p->ram_bytes = number(optarg, 2, 2048) << 20;
			break;
		case OPTION_CPUS:
			p->cpu_count = number(optarg, 1, 255);
			break;
		case OPTION_CMDLINE:
			p->command_line = optarg;
			break;
		case OPTION_MODULE:
			if (module_count == PACK_MODULE_COUNT)
				pack_die("too many modules");
			o->module[module_count++] = optarg;
			break;
		case OPTION_PROTOCOL:
			p->protocol = protocol(optarg);
			break;
		case OPTION_LOAD_AT:
			p->load_at = number(optarg, PACK_HIGH_RAM, INT32_MAX);
			break;
		case OPTION_VMX:
			o->feature_control = feature_control(optarg);
			break;
		case OPTION_NO_ACPI:
			p->acpi = false;
			break;
		case OPTION_CORRUPT:
			p->corrupt = optarg;
			break;
		case OPTION_CORRUPT_LIST:
			corrupt_list();
			exit(0);
		default:
			fputs(usage, stderr);
			exit(1);
		}
	}
	if (optind + 1 != argc || !o->code || !o->rom_out || !o->ram_out) {
		fputs(usage, stderr);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static uint8_t rom[PACK_ROM_BYTES];
	struct pack p    = { .ram_bytes    = 256 << 20,
			     .cpu_count    = 1,
			     .command_line = "",
			     .acpi         = true };
	struct options o = { .feature_control = feature_control("on") };
	size_t bytes;

	parse(&p, &o, argc, argv);
	p.ram = calloc(1, p.ram_bytes);
	if (!p.ram)
		pack_die("no memory");
	uint8_t *kernel = read_file(argv[optind], &bytes);

	memset(p.ram + SCRATCH_BEGIN, SCRATCH,
	       PACK_LOW_RAM_END - SCRATCH_BEGIN);
	if (p.acpi) {
		acpi_build(&p, rom);
		corrupt_acpi(&p, rom);
	}
	load_kernel(&p, kernel, bytes);
	if (p.load_at && p.kernel_start != p.load_at)
		pack_die("%s is not relocatable", argv[optind]);
	free(kernel);
	load_modules(&p, &o);
	soil(&p);
	build_information(&p);
	build_rom(&p, &o, rom);
	write_file(o.ram_out, p.ram, p.top);
	free(p.ram);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* links: boot/mb2.c boot/memory_map.c boot/lib/options.c boot/lib/print.c */
/* links: boot/acpi.c boot/acpi_check.c guest/vm_config.c fpu/xfd.c */
/* links: guest/multiboot1.c guest/bzimage.c guest/memory.c */
/* links: boot/efi/config.c */
/*
 * Everything that comes from outside at start-up, damaged in more than 200
 * ways: each is refused, or complained about, with a sentence that no other
 * one gets. The inputs are made here: a good one, and what is wrong with it.
 */
#include <elf.h>
#include <string.h>

#include "boot/acpi_check.h"
#include "boot/efi/config.h"
#include "boot/lib/options.h"
#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/mb2.h"
#include "guest/bzimage.h"
#include "guest/multiboot1.h"
#include "guest/vm_config.h"
#include "tests/unit/fake_no_pages.h"
#include "tests/unit/fake_serial.h"
#include "tests/unit/images.h"
#include "tests/unit/tap.h"

#define INPUTS_MAX   400
#define INPUTS_AIM   200
#define SENTENCE_MAX 300

void panic(const char *fmt, ...)
{
	printf("Bail out! panic: %s\n", fmt);
	exit(EXIT_FAILURE);
}

/* ---- the sentences ---- */

static char said[INPUTS_MAX][SENTENCE_MAX];
static unsigned int inputs, silent, odd, repeated;

static bool is_sentence(const char *s)
{
	const size_t length = strlen(s);

	if (length < 15 || length > SENTENCE_MAX - 2)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((u8)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return strchr(s, ' ') && s[length - 1] != ' ' && !strchr(s, '$');
}

/* INPUT, of a parser that answered REFUSED, was called SENTENCE. */
static void judge(const char *input, bool refused, const char *sentence)
{
	if (!refused) {
		tap_note("accepted: %s", input);
		silent++;
		return;
	}
	if (!is_sentence(sentence)) {
		tap_note("no sentence for %s: %s", input, sentence);
		odd++;
	}
	for (unsigned int i = 0; i < inputs; i++) {
		if (strcmp(said[i], sentence) != 0)
			continue;
		tap_note("said twice, also for %s: %s", input, sentence);
		repeated++;
	}
	if (inputs == INPUTS_MAX) {
		printf("Bail out! more inputs than there is room for\n");
		exit(EXIT_FAILURE);
	}
	snprintf(said[inputs++], SENTENCE_MAX, "%s", sentence);
}

/* One claim for each kind of input. */
static void claim(const char *what, unsigned int at_least)
{
	static unsigned int before;
	const unsigned int here = inputs - before;

	tap_ok(!silent && !odd && !repeated && here >= at_least,
	       "%s: %u inputs, as many sentences", what, here);
	before = inputs;
	silent = odd = repeated = 0;
}

/* ---- multiboot2 ---- */

#define INFO_AT     0x10000
#define IMAGE_START 0x100000
#define IMAGE_END   0x140000

static u8 info[8192] __attribute__((aligned(8)));
static u32 info_bytes;
static u32 tag_at[16]; /* the first of each type */
static u32 second_module;
static struct boot_info bi;

static void put(void *to, u64 value, u32 bytes)
{
	memcpy(to, &value, bytes);
}

static u32 add_tag(u32 type, const void *body, u32 bytes)
{
	const u32 at = info_bytes;

	put(info + at, type, 4);
	put(info + at + 4, 8 + bytes, 4);
	memcpy(info + at + 8, body, bytes);
	if (!tag_at[type])
		tag_at[type] = at;
	info_bytes += (u32)align_up(8 + bytes, 8);
	return at;
}

static u32 add_module(u32 start, u32 end)
{
	u8 body[16] = "........vm=a";

	put(body, start, 4);
	put(body + 4, end, 4);
	return add_tag(3, body, 13);
}

static void add_rsdp(u32 type, u32 bytes)
{
	u8 rsdp[36] = "RSD PTR ";
	u8 sum      = 0;

	rsdp[15] = type == 15 ? 2 : 0;
	for (u32 i = 0; i < 20; i++)
		sum = (u8)(sum + rsdp[i]);
	rsdp[8] = (u8)-sum;
	add_tag(type, rsdp, bytes);
}

static void good_info(void)
{
	static const u64 map[] = {
		24,      0,        0xa0000, 1,          MIB,       63 * MIB, 1,
		4 * GIB, 63 * GIB, 1,       0xfee00000, PAGE_SIZE, 2,
	};

	memset(info, 0, sizeof(info));
	memset(tag_at, 0, sizeof(tag_at));
	info_bytes = 8;
	add_tag(1, "log=info", 9);
	add_tag(2, "a loader", 9);
	/* entry_size 24, version 0; then base, length, type */
	add_tag(6, map, sizeof(map));
	add_module(8 * MIB, 9 * MIB);
	second_module = add_module(10 * MIB, 11 * MIB);
	add_rsdp(14, 20);
	add_rsdp(15, 36);
	tag_at[0] = info_bytes;
	add_tag(0, "", 0);
	put(info, info_bytes, 4);
}

static void try_info(const char *input, u32 magic, u64 at, u64 readable)
{
	const struct mb2_placement placement = { at, IMAGE_START, IMAGE_END };
	char sentence[240]                   = "";
	struct mb2_problem problem;
	const bool good =
		mb2_parse(magic, info, readable, &placement, &bi, &problem);

	if (!good)
		mb2_explain(&problem, sentence, sizeof(sentence));
	judge(input, !good, sentence);
	good_info();
}

static void try_tags(const char *input)
{
	try_info(input, MB2_LOADER_MAGIC, INFO_AT, sizeof(info));
}

/* A second tag of TYPE behind all others. */
static void try_twice(u32 type)
{
	const u32 at = tag_at[type];
	u32 bytes;
	u8 copy[256];

	memcpy(&bytes, info + at + 4, 4);
	memcpy(copy, info + at + 8, bytes - 8);
	info_bytes = tag_at[0];
	add_tag(type, copy, bytes - 8);
	add_tag(0, "", 0);
	put(info, info_bytes, 4);
	try_tags("a tag given twice");
}

static void poke(u32 at, u64 value, u32 bytes, const char *input)
{
	put(info + at, value, bytes);
	try_tags(input);
}

/* A text of so many characters in a tag of TYPE, the only one behind the map */
static void try_long_text(u32 type, u32 characters)
{
	u8 body[5000];
	const u32 head = type == 3 ? 8 : 0;

	memset(body, 'x', sizeof(body));
	if (type == 3) {
		put(body, 12 * MIB, 4);
		put(body + 4, 13 * MIB, 4);
	}
	body[head + characters] = '\0';
	if (type != 3) /* instead of the first one */
		put(info + tag_at[type], 0x7777, 4);
	info_bytes = tag_at[0];
	add_tag(type, body, head + characters + 1);
	add_tag(0, "", 0);
	put(info, info_bytes, 4);
	try_tags("a text too long");
}

static void damaged_tags(void)
{
	static const u32 type[] = { 1, 2, 3, 6, 14, 15 };

	for (size_t i = 0; i < ARRAY_SIZE(type); i++) {
		const u32 size = tag_at[type[i]] + 4;

		poke(size, 0, 4, "a tag of no size");
		poke(size, 7, 4, "a tag shorter than its head");
		poke(size, 8, 4, "a tag of a head alone");
		poke(size, 0x7fffffff, 4, "a tag that reaches far out");
		poke(size, info_bytes - tag_at[type[i]] + 1, 4,
		     "a tag that reaches a byte out");
		if (type[i] != 3)
			try_twice(type[i]);
	}
	poke(tag_at[0] + 4, 4, 4, "an end tag of half a head");
	poke(tag_at[0], 0x7777, 4, "no end tag");
	poke(tag_at[6], 0x7777, 4, "no memory map");
	poke(tag_at[1] + 8 + 8, 'x', 1, "an open command line");
	poke(tag_at[2] + 8 + 8, 'x', 1, "an open name of a loader");
	poke(tag_at[3] + 16 + 4, 'x', 1, "an open line of a module");
	poke(second_module + 16 + 4, 'x', 1, "that of the second module");
	try_long_text(1, 4096);
	try_long_text(2, 4097);
	try_long_text(3, 4098);
	for (u32 t = 14; t <= 15; t++) {
		poke(tag_at[t] + 8, 'r', 1, "another signature");
		poke(tag_at[t] + 8 + 9, 1, 1, "a wrong checksum");
	}
	poke(tag_at[15] + 8 + 30, 1, 1, "a wrong extended checksum");
}

static void damaged_map(void)
{
	const u32 map = tag_at[6];

	for (u32 stride = 0; stride < 24; stride += 8)
		poke(map + 8, stride, 4, "entries too small");
	poke(map + 8, 25, 4, "entries of an odd size");
	poke(map + 8, 40, 4, "entries that do not fill the map");
	poke(map + 16 + 24, UINT64_MAX, 8, "a region that wraps");
	poke(map + 16 + 48 + 8, UINT64_MAX, 8, "another that does");
	put(info + map + 16 + 16, 2, 4);
	put(info + map + 16 + 24 + 16, 2, 4);
	poke(map + 16 + 48 + 16, 2, 4, "a machine without RAM");
	for (u32 i = 0; i < 3; i++)
		put(info + map + 16 + 24 * i + 8, 0, 8);
	try_tags("RAM of no bytes");
}

static void damaged_modules(void)
{
	const u32 mod = tag_at[3] + 8, next = second_module + 8;

	poke(mod + 4, 8 * MIB - 1, 4, "a module that ends before it starts");
	poke(mod + 4, 8 * MIB, 4, "an empty module");
	poke(next, 11 * MIB, 4, "another");
	poke(mod, IMAGE_END - 1, 4, "a module on our last byte");
	put(info + mod, IMAGE_START - PAGE_SIZE, 4);
	poke(mod + 4, IMAGE_START + 1, 4, "a module on our first byte");
	put(info + mod, 0, 4);
	poke(mod + 4, INFO_AT + 1, 4, "a module on the information");
	put(info + mod, INFO_AT + info_bytes - 1, 4);
	poke(mod + 4, 0x20000, 4, "a module on the information's end");
	poke(next, 9 * MIB - 1, 4, "modules that overlap");
	poke(next + 4, 65 * MIB, 4, "a module beyond RAM");
	put(info + next, 0xfee00000, 4);
	poke(next + 4, 0xfee00800, 4, "a module in a device");
	put(info + next, 0xb0000, 4);
	poke(next + 4, 0xb8000, 4, "a module in a hole");
	info_bytes = tag_at[0];
	for (u32 i = 0; i < BOOT_MODULE_MAX - 1; i++)
		add_module((u32)(20 * MIB + i * PAGE_SIZE),
			   (u32)(20 * MIB + i * PAGE_SIZE + 1));
	add_tag(0, "", 0);
	put(info, info_bytes, 4);
	try_tags("too many modules");
}

static void multiboot2(void)
{
	static const u32 total[] = { 0, 8, 15, sizeof(info) + 1, UINT32_MAX };

	good_info();
	tap_ok(mb2_parse(MB2_LOADER_MAGIC, info, sizeof(info),
			 &(struct mb2_placement){ INFO_AT, IMAGE_START,
						  IMAGE_END },
			 &bi, &(struct mb2_problem){ 0 }),
	       "undamaged, the boot information is good");
	try_info("no magic", 0, INFO_AT, sizeof(info));
	try_info("multiboot 1's magic", 0x2badb002, INFO_AT, sizeof(info));
	for (u32 i = 1; i < 8; i += 3)
		try_info("misaligned", MB2_LOADER_MAGIC, INFO_AT + i,
			 sizeof(info));
	try_info("no memory behind it", MB2_LOADER_MAGIC, INFO_AT, 7);
	try_info("on our image", MB2_LOADER_MAGIC, IMAGE_END - 8, sizeof(info));
	for (size_t i = 0; i < ARRAY_SIZE(total); i++)
		poke(0, total[i], 4, "a total size that cannot be");
	damaged_tags();
	damaged_map();
	damaged_modules();
	claim("multiboot2", 70);
}

/* ---- command lines ---- */

static void try_host(const char *line)
{
	struct host_options o;
	char why[240] = "";

	judge(line, !host_options_parse(line, &o, why, sizeof(why)), why);
}

static void host_lines(void)
{
	static const char *const names[] = { "console", "log",         "slice",
					     "end",     "console-raw", "xfd",
					     "fpu" };
	static const char *const lines[] = {
		"colour=red",
		"verbose",
		"=",
		"Console=com1",
		"log=\"info",
		"\"end=off",
		"end=off\033[2J",
		"log=\177",
		"console=com1,0x1c201",
		"console=com1,",
		"console=0x80",
		"console=0xfff9",
		"slice=9",
		"slice=10000001",
		"slice=1ms",
		"slice=18446744073709551616",
		"log=loud",
		"end=never",
		"xfd=NM",
		"fpu=greedy",
		"console-raw=a-name-of-16-let",
		"selftest=",
		"selftest=everything",
		"fail-alloc=0",
		"fail-alloc=all",
		"log=info log=warn",
		"end=off slice=100 end=halt",
		"console=com1 console=com2",
		"xfd=nm xfd=kvm",
	};
	char line[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(line, sizeof(line), "%s", names[i]);
		try_host(line);
		snprintf(line, sizeof(line), "%s=", names[i]);
		try_host(line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		try_host(lines[i]);
	claim("Tilevisor's command line", 40);
}

/* tilevisor.cfg: LENGTH characters, which may hold a NUL. */
static void try_config(const char *name, const char *text, size_t length)
{
	static struct efi_config config;
	char *file    = malloc(length + 1);
	char why[240] = "";

	memcpy(file, text, length);
	judge(name, !efi_config_parse(file, length, &config, why, sizeof(why)),
	      why);
	free(file);
}

static void config_files(void)
{
	static const char *const file[] = {
		"modul x",
		"Options x",
		"module",
		"\nmodule \"",
		"\n\nmodule \"\" vm=a",
		"\"module x",
		"options a\noptions b",
		"options a\n# b\noptions",
		"module \xc3\xbc",
		"\tmodule a\033[2J",
		"module a\x7f",
		"\xff\xfe",
	};
	char large[BOOT_MODULE_MAX * 16 + BOOT_CMDLINE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(file); i++)
		try_config(file[i], file[i], strlen(file[i]));
	try_config("a NUL", "module a\0b", 10);
	memset(large, 'x', sizeof(large));
	memcpy(large, "module ", 7);
	try_config("a long name", large, 7 + EFI_PATH_MAX);
	large[9] = ' ';
	try_config("a long line", large, BOOT_CMDLINE_MAX);
	for (size_t i = 0; i <= BOOT_MODULE_MAX; i++)
		memcpy(large + i * 9, "module x\n", 9);
	try_config("too many modules", large, (BOOT_MODULE_MAX + 1) * 9);
	claim("tilevisor.cfg", 16);
}

/* Lines up to a NULL, one a module. */
static void try_modules(const char *const *line)
{
	static const struct vm_config_defaults defaults = { .policy = XFD_NM };
	static struct vm_config vm[16];
	struct vm_config_module module[16];
	const char *sentence = "";
	u32 n                = 0;

	for (; line[n]; n++)
		module[n] = (struct vm_config_module){ line[n], 4096 };

	const u32 vms = vm_config_parse(module, n, &defaults, vm);

	for (u32 i = 0; i < vms && !*sentence; i++)
		sentence = vm[i].error;
	judge(line[n - 1], *sentence, sentence);
}

static void module_lines(void)
{
	static const char *const key[] = { "vcpus", "mem", "xfd",  "fpu",
					   "areas", "amx", "calls" };
	static const char *const one[] = {
		"",
		"vm",
		"vm=a/b",
		"vm=sixteen-letters-",
		"vm=a vm=b",
		"vm=a colour",
		"vm=a initrd=x",
		"vm=a \"mem=2M",
		"vm=a mem=\033",
		"vm=a vcpus=0",
		"vm=a vcpus=256",
		"vm=a vcpus=one",
		"vm=a mem=1M",
		"vm=a mem=1025G",
		"vm=a mem=4097K",
		"vm=a mem=2T",
		"vm=a areas=2K",
		"vm=a areas=-1",
		"vm=a xfd=always",
		"vm=a fpu=eager",
		"vm=a amx=1",
		"vm=a calls=yes",
	};
	static const char *const several[][9] = {
		{ "vm=a initrd" },
		{ "vm=a", "vm=a" },
		{ "vm=a", "vm=b initrd", "vm=a" },
		{ "vm=a", "initrd" },
		{ "vm=a", "vm=a initrd", "vm=a initrd", "vm=a initrd",
		  "vm=a initrd", "vm=a initrd", "vm=a initrd", "vm=a initrd" },
	};
	char line[64];

	for (size_t i = 0; i < ARRAY_SIZE(one); i++)
		try_modules((const char *[]){ one[i], NULL });
	for (size_t i = 0; i < ARRAY_SIZE(several); i++)
		if (i != 3) /* nobody's initrd: said as for the empty line */
			try_modules(several[i]);
	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		snprintf(line, sizeof(line), "vm=a %s=", key[i]);
		try_modules((const char *[]){ line, NULL });
		snprintf(line, sizeof(line), "vm=a %s=1 %s=1", key[i], key[i]);
		try_modules((const char *[]){ line, NULL });
		snprintf(line, sizeof(line), "vm=a initrd %s=1", key[i]);
		try_modules((const char *[]){ "vm=a", line, NULL });
	}
	claim("the modules' command lines", 45);
}

/* ---- images ---- */

static u8 file[16384];
static u64 file_bytes;
static char why[200];

static const struct memory_range range[] = {
	{ 0, 0x9fc00, MEMORY_USABLE },
	{ 0x9fc00, 0x400, MEMORY_RESERVED },
	{ MIB, 63 * MIB, MEMORY_USABLE },
};

static void good_elf(void)
{
	memset(file, 0, sizeof(file));
	file_bytes = IMAGE_ELF32_BYTES;
	image_elf32(file, 0x400000);
}

/* One field of the file is VALUE. */
struct poke {
	const char *input;
	u32 at, bytes;
	u64 value;
};

#define EHDR(field)                                                            \
	offsetof(Elf32_Ehdr, field), sizeof(((Elf32_Ehdr *)0)->field)
#define PHDR(field)                                                            \
	IMAGE_PHDR_AT + offsetof(Elf32_Phdr, field),                           \
		sizeof(((Elf32_Phdr *)0)->field)

static void try_multiboot1(const char *input)
{
	struct multiboot1_plan plan;

	why[0] = '\0';
	judge(input,
	      !multiboot1_plan(file, file_bytes, range, ARRAY_SIZE(range),
			       &plan, why, sizeof(why)),
	      why);
	good_elf();
}

static void kludge(u32 at, u32 header, u32 load, u32 load_end, u32 bss_end,
		   u32 entry)
{
	const u32 h[8] = { 0x1badb002, 0x10003, -(0x1badb002 + 0x10003),
			   header,     load,    load_end,
			   bss_end,    entry };

	memset(file, 0, sizeof(file));
	memcpy(file + at, h, sizeof(h));
	try_multiboot1("address fields");
}

static void multiboot1(void)
{
	static const struct poke pokes[] = {
		{ "no magic", 0x200, 4, 0 },
		{ "no ELF", EHDR(e_ident[0]), 0 },
		{ "big endian", EHDR(e_ident[EI_DATA]), ELFDATA2MSB },
		{ "another machine", EHDR(e_machine), EM_ARM },
		{ "a 64-bit machine in 32 bits", EHDR(e_machine), EM_X86_64 },
		{ "64 bits for i386", EHDR(e_ident[EI_CLASS]), ELFCLASS64 },
		{ "small program headers", EHDR(e_phentsize), 31 },
		{ "program headers beyond the file", EHDR(e_phoff), 0x1ff0 },
		{ "more of them than there are", EHDR(e_phnum), 0xffff },
		{ "no program header", EHDR(e_phnum), 0 },
		{ "an entry in no segment", EHDR(e_entry), 0x10 },
		{ "an entry behind the segment", EHDR(e_entry), 0x403000 },
		{ "nothing to load", PHDR(p_type), PT_NOTE },
		{ "more in the file than in memory", PHDR(p_filesz), 0x3001 },
		{ "a segment beyond the file", PHDR(p_offset), 0x1801 },
		{ "one that starts there", PHDR(p_offset), 0xffffffff },
		{ "a segment on the first page's end", PHDR(p_paddr), 0x9f000 },
		{ "a segment in the video memory", PHDR(p_paddr), 0xa0000 },
		{ "a segment beyond memory", PHDR(p_paddr), 0x3fff000 },
		{ "a segment that wraps", PHDR(p_paddr), 0xffffe000 },
		{ "a segment larger than memory", PHDR(p_memsz), 0xffffffff },
	};

	good_elf();
	for (size_t i = 0; i < ARRAY_SIZE(pokes); i++) {
		put(file + pokes[i].at, pokes[i].value, pokes[i].bytes);
		/* No ELF and no entry share their sentence's place: two do. */
		if (!strcmp(pokes[i].input, "no program header") ||
		    !strcmp(pokes[i].input, "nothing to load"))
			put(file + offsetof(Elf32_Ehdr, e_entry), 0x400100 + i,
			    4);
		try_multiboot1(pokes[i].input);
	}
	put(file + 0x204, 0x8003, 4);
	put(file + 0x208, -(0x1badb002 + 0x8003u), 4);
	try_multiboot1("unknown requirements");
	kludge(0x100, 0x400000, 0x400001, 0, 0, 0x400000);
	kludge(0x100, 0x400200, 0x400000, 0, 0, 0x400000);
	kludge(0x100, 0x400100, 0x400000, 0x3fffff, 0, 0x400000);
	kludge(0x100, 0x400100, 0x400000, 0x401000, 0x400800, 0x400000);
	kludge(0x100, 0x400100, 0x400000, 0x500000, 0, 0x400000);
	kludge(0x100, 0x400100, 0x400000, 0x401000, 0, 0x401000);
	claim("multiboot 1 images", 28);
}

#define SETUP(field)                                                           \
	IMAGE_SETUP_AT + offsetof(struct setup_header, field),                 \
		sizeof(((struct setup_header *)0)->field)

static void good_kernel(void)
{
	memset(file, 0, sizeof(file));
	file_bytes = sizeof(file);
	image_kernel(file, sizeof(file), 15);
}

static void try_linux(const char *input, u64 initrd, u64 cmdline)
{
	struct bzimage_plan plan;

	why[0] = '\0';
	judge(input,
	      !bzimage_plan(file, file_bytes, initrd, cmdline, range,
			    ARRAY_SIZE(range), &plan, why, sizeof(why)),
	      why);
	good_kernel();
}

static void bzimages(void)
{
	static const struct poke pokes[] = {
		{ "no HdrS", SETUP(header), 0 },
		{ "an old protocol", SETUP(version), 0x20b },
		{ "an older one", SETUP(version), 0x200 },
		{ "a zImage", SETUP(loadflags), 0 },
		{ "no 64-bit entry", SETUP(xloadflags), 0 },
		{ "nor with other flags", SETUP(xloadflags), 0xfffe },
		{ "set-up sectors beyond the file", SETUP(setup_sects), 255 },
		{ "a file cut short", SETUP(syssize), 513 },
		{ "a file cut to nothing", SETUP(syssize), 0xffffffff },
		{ "less memory than file", SETUP(init_size), 4096 },
		{ "no memory at all", SETUP(init_size), 0 },
		{ "an alignment of three", SETUP(kernel_alignment), 3 },
		{ "no alignment", SETUP(kernel_alignment), 0 },
		{ "a kernel larger than memory", SETUP(init_size), 0x7fffffff },
	};

	good_kernel();
	for (size_t i = 0; i < ARRAY_SIZE(pokes); i++) {
		put(file + pokes[i].at, pokes[i].value, pokes[i].bytes);
		try_linux(pokes[i].input, 0, 0);
	}
	put(file + IMAGE_SETUP_AT +
		    offsetof(struct setup_header, relocatable_kernel),
	    0, 1);
	put(file + IMAGE_SETUP_AT + offsetof(struct setup_header, pref_address),
	    0x10000000, 8);
	try_linux("a fixed address beyond memory", 0, 0);
	try_linux("an initrd without room", 60 * MIB, 0);
	put(file + IMAGE_SETUP_AT +
		    offsetof(struct setup_header, initrd_addr_max),
	    0x100000, 4);
	try_linux("an initrd that must lie too low", 4096, 0);
	try_linux("a long command line", 0, 2048);
	put(file + IMAGE_SETUP_AT + offsetof(struct setup_header, syssize), 1,
	    4);
	file_bytes = 17 * 512;
	try_linux("an entry beyond the end", 0, 0);
	claim("Linux images", 19);
}

/* ---- ACPI ---- */

#define ACPI_AT    0x7fe0000ULL
#define ACPI_BYTES 4096

/* Where each table is. */
enum {
	AT_RSDT = 0,
	AT_XSDT = 0x100,
	AT_MADT = 0x200,
	AT_FADT = 0x400,
	AT_DSDT = 0x600,
	AT_SPCR = 0x800,
	AT_DMAR = 0x900,
};

static u8 acpi[ACPI_BYTES], rsdp[36];

static void sum_up(u32 at)
{
	u32 length;
	u8 sum = 0;

	memcpy(&length, acpi + at + 4, 4);
	if (length > ACPI_BYTES - at)
		return;
	acpi[at + 9] = 0;
	for (u32 i = 0; i < length; i++)
		sum = (u8)(sum + acpi[at + i]);
	acpi[at + 9] = (u8)-sum;
}

static void acpi_put(u32 table, u32 at, u64 value, u32 bytes)
{
	put(acpi + table + at, value, bytes);
	if (at >= 4)
		sum_up(table);
}

static void acpi_new(u32 at, const char *name, u32 bytes)
{
	memcpy(acpi + at, name, 4);
	acpi_put(at, 4, bytes, 4);
}

static void good_acpi(void)
{
	static const u32 list[] = { AT_MADT, AT_FADT, AT_SPCR, AT_DMAR };

	memset(acpi, 0, sizeof(acpi));
	memset(rsdp, 0, sizeof(rsdp));
	rsdp[15] = 2;
	put(rsdp + 16, ACPI_AT + AT_RSDT, 4);
	put(rsdp + 24, ACPI_AT + AT_XSDT, 8);
	acpi_new(AT_RSDT, "RSDT", 36 + 4 * ARRAY_SIZE(list));
	acpi_new(AT_XSDT, "XSDT", 36 + 8 * ARRAY_SIZE(list));
	for (u32 i = 0; i < ARRAY_SIZE(list); i++) {
		acpi_put(AT_RSDT, 36 + 4 * i, ACPI_AT + list[i], 4);
		acpi_put(AT_XSDT, 36 + 8 * i, ACPI_AT + list[i], 8);
	}
	acpi_new(AT_MADT, "APIC", 44 + 8 + 16);
	acpi_put(AT_MADT, 44, 0x0800, 2); /* a local APIC */
	acpi_put(AT_MADT, 48, 1, 4);
	acpi_put(AT_MADT, 52, 0x1009, 2); /* an x2APIC */
	acpi_put(AT_MADT, 56, 300, 4);
	acpi_put(AT_MADT, 60, 1, 4);
	acpi_new(AT_FADT, "FACP", 244);
	acpi_put(AT_FADT, 40, ACPI_AT + AT_DSDT, 4);
	acpi_put(AT_FADT, 64, 0x604, 4);
	acpi_put(AT_FADT, 112, 1 << 10, 4);
	acpi_put(AT_FADT, 116, 1, 1); /* the reset register: a port */
	acpi_put(AT_FADT, 120, 0xcf9, 8);
	acpi_new(AT_DSDT, "DSDT", 100);
	acpi_new(AT_SPCR, "SPCR", 80);
	acpi_put(AT_SPCR, 40, 1, 1);
	acpi_put(AT_SPCR, 44, 0x3f8, 8);
	acpi_new(AT_DMAR, "DMAR", 48);
}

static bool complaint(u32 index, char *text, size_t size)
{
	const struct acpi_window w = { acpi, ACPI_AT, ACPI_AT + ACPI_BYTES };

	return acpi_complaint(&w, rsdp, index, text, size);
}

static void try_acpi(const char *input)
{
	char text[200] = "";

	judge(input, complaint(0, text, sizeof(text)), text);
	good_acpi();
}

static void acpi_poke(u32 table, u32 at, u64 value, u32 bytes,
		      const char *input)
{
	acpi_put(table, at, value, bytes);
	try_acpi(input);
}

static void damaged_table(u32 at)
{
	acpi_poke(at, 4, 35, 4, "a length below the header's");
	acpi_poke(at, 4, 8192, 4, "a length beyond memory");
	acpi_poke(at, 4, 0xffffffff, 4, "the greatest length");
	acpi[at + 9] ^= 0x40;
	try_acpi("a wrong checksum");
}

static void damaged_madt(void)
{
	acpi_poke(AT_MADT, 4, 40, 4, "a MADT without its fixed part");
	acpi_poke(AT_MADT, 45, 0, 1, "an entry of no length");
	acpi_poke(AT_MADT, 45, 1, 1, "an entry of one byte");
	acpi_poke(AT_MADT, 45, 25, 1, "an entry that reaches out");
	acpi_poke(AT_MADT, 53, 17, 1, "another that does");
	acpi_poke(AT_MADT, 45, 7, 1, "a CPU cut short");
	acpi_put(AT_MADT, 4, 44 + 8 + 12, 4);
	acpi_poke(AT_MADT, 53, 12, 1, "an x2APIC CPU cut short");
	acpi_put(AT_MADT, 4, 44 + 8 + 16 + 1, 4);
	try_acpi("a byte behind the last entry");
	acpi_put(AT_MADT, 48, 0, 4);
	acpi_poke(AT_MADT, 60, 0, 4, "no CPU enabled");
	acpi_poke(AT_MADT, 4, 44, 4, "no CPU at all");
}

static void damaged_fadt(void)
{
	acpi_poke(AT_FADT, 4, 71, 4, "a short FADT");
	acpi_poke(AT_FADT, 116, 0, 1, "a reset register in memory");
	acpi_poke(AT_FADT, 120, 0x10cf9, 8, "one beyond all ports");
	acpi_poke(AT_FADT, 64, 0x10604, 4, "PM1a beyond all ports");
	acpi_poke(AT_FADT, 68, 0x10604, 4, "PM1b beyond all ports");
	acpi_poke(AT_FADT, 48, 0x100b2, 4, "SMI_CMD beyond all ports");
	acpi_poke(AT_FADT, 40, 0, 4, "no DSDT");
	acpi_poke(AT_FADT, 140, ACPI_AT + ACPI_BYTES, 8, "X_DSDT outside");
	acpi_poke(AT_FADT, 40, ACPI_AT + AT_SPCR, 4, "an SPCR as DSDT");
	damaged_table(AT_DSDT);
}

static void damaged_roots(void)
{
	for (u8 revision = 0; revision <= 2; revision += 2) {
		const u32 root            = revision ? AT_XSDT : AT_RSDT;
		const u32 step            = revision ? 8 : 4;
		void (*const reset)(void) = good_acpi;

		rsdp[15] = revision;
		put(rsdp + (revision ? 24 : 16), 0x1000, 4);
		try_acpi("a root outside");
		rsdp[15] = revision;
		put(rsdp + (revision ? 24 : 16), ACPI_AT + AT_FADT, 4);
		try_acpi("a root that is another table");
		for (u32 i = 0; i < 3; i++) {
			static const u32 length[] = { 8, 5000, 0x2000000 };

			rsdp[15] = revision;
			acpi_poke(root, 4, length[i], 4, "a root's length");
		}
		rsdp[15] = revision;
		acpi[root + 9] ^= 1;
		try_acpi("a root's checksum");
		rsdp[15] = revision;
		acpi_poke(root, 4, 36 + step * 4 + 1, 4, "a cut last entry");
		rsdp[15] = revision;
		acpi_poke(root, 36 + step, 0, step, "an entry that is 0");
		rsdp[15] = revision;
		acpi_poke(root, 36 + 2 * step, 0xfffffff0, step,
			  "an entry outside");
		rsdp[15] = revision;
		acpi_poke(root, 4, 36, 4, "a root without entries");
		reset();
	}
	acpi_poke(AT_XSDT, 36 + 8, ACPI_AT + AT_MADT, 8, "two MADTs");
	acpi_poke(AT_XSDT, 36 + 24, ACPI_AT + AT_FADT, 8, "two FADTs");
	put(rsdp + 24, 0, 8);
	try_acpi("a revision without XSDT");
}

static void acpi_fine(const char *claim)
{
	char text[200];

	if (!tap_ok(!complaint(0, text, sizeof(text)), "fine: %s", claim))
		tap_note("said: %s", text);
	good_acpi();
}

/* What looks odd and is legal is not complained about. */
static void legal_acpi(void)
{
	char first[200], second[200];

	acpi_put(AT_FADT, 4, 116, 4);
	acpi_fine("a FADT of ACPI 1.0");
	acpi_put(AT_FADT, 112, 0, 4);
	acpi_put(AT_FADT, 120, ~0ULL, 8);
	acpi_fine("a reset register that is not said to be there");
	acpi_put(AT_FADT, 40, 0, 4);
	acpi_put(AT_FADT, 140, ACPI_AT + AT_DSDT, 8);
	acpi_fine("a DSDT by its 64-bit address");
	acpi_put(AT_MADT, 44, 0x0801, 2);
	acpi_fine("a MADT entry that we know nothing of");
	acpi_put(AT_SPCR, 36, 1, 1);
	acpi_fine("a 16450");
	acpi_put(AT_SPCR, 36, 18, 1);
	acpi_fine("a console as its address says");

	acpi_put(AT_FADT, 64, 0x10604, 4);
	acpi_put(AT_FADT, 68, 0x10604, 4);
	tap_ok(complaint(0, first, sizeof(first)) &&
		       complaint(1, second, sizeof(second)) &&
		       strstr(first, "PM1a") && strstr(second, "PM1b") &&
		       !complaint(2, first, sizeof(first)),
	       "two things wrong are two sentences, in order");
	good_acpi();
}

static void acpi_tables(void)
{
	char text[200];

	good_acpi();
	tap_ok(!complaint(0, text, sizeof(text)),
	       "undamaged, the ACPI tables are good");
	legal_acpi();
	damaged_roots();
	damaged_table(AT_MADT);
	damaged_table(AT_FADT);
	damaged_table(AT_SPCR);
	damaged_table(AT_DMAR);
	damaged_madt();
	damaged_fadt();
	acpi_poke(AT_SPCR, 4, 79, 4, "a short SPCR");
	acpi_poke(AT_SPCR, 36, 3, 1, "an ARM console");
	acpi_poke(AT_SPCR, 40, 0, 1, "a console in memory");
	acpi_poke(AT_SPCR, 44, 0x103f8, 8, "a console beyond all ports");
	claim("ACPI tables", 55);
}

int main(void)
{
	multiboot2();
	host_lines();
	module_lines();
	config_files();
	multiboot1();
	bzimages();
	acpi_tables();
	tap_ok(inputs >= INPUTS_AIM, "%u inputs in all", inputs);
	return tap_done();
}

/* SPDX-License-Identifier: MIT */
/*
 * tilevisor.efi: a boot loader for one kernel, which it contains. Reads
 * \tilevisor.cfg and the modules it names, leaves UEFI, and enters the image as
 * GRUB would: from there on there is one way. Before that, what is wrong ends
 * in a sentence on UEFI's console and in the firmware's boot menu. Source:
 * UEFI 2.10, "Boot Services", "EFI Loaded Image Protocol", "Media Access".
 */
#include <efi.h>

#include "boot/efi/config.h"
#include "boot/efi/image.h"
#include "boot/efi/info.h"
#include "boot/lib/print.h"
#include "boot/lib/serial.h"
#include "boot/lib/string.h"
#include "boot/lib/types.h"

#define CONFIG_BYTES_MAX (64 * KIB)
#define INFO_BYTES       (256 * KIB) /* the texts of CONFIG_BYTES_MAX, twice */
#define IMAGE_LAST       0x7fffffffULL /* boot/head.S: LOAD_MAX */
#define MODULE_LAST      0xffffffffULL /* multiboot2's addresses are 32 bits */
#define IMAGE_FIRST      MIB
#define READ_BYTES       (8 * MIB) /* at a time: some firmware fails beyond */
#define EXIT_TRIES       8

extern const u8 efi_image_file[], efi_image_file_end[]; /* boot/efi/image.S */
extern const u8 efi_leave[], efi_leave_end[];           /* boot/efi/leave.S */

typedef void leave_fn(u32 entry, u32 info);

/* UEFI 2.10, "EFI_MEMORY_ATTRIBUTE_PROTOCOL"; gnu-efi does not know it yet. */
struct memory_attribute {
	void *get;
	void *set;
	EFI_STATUS(EFIAPI *clear)
	(struct memory_attribute *self, UINT64 at, UINT64 bytes, UINT64 which);
};
#define MEMORY_ATTRIBUTE_GUID                                                  \
	{                                                                      \
		0xf4560cf6, 0x40ec, 0x4b4a,                                    \
		{                                                              \
			0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89         \
		}                                                              \
	}
#define MEMORY_XP BIT(14)

/* Written at start. */
static EFI_SYSTEM_TABLE *st;
static EFI_BOOT_SERVICES *bs;

/* boot/lib/print.c's way out: UEFI's console, which wants UTF-16. */
void serial_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		CHAR16 out[2] = { (u8)text[i] };

		if (st->ConOut)
			st->ConOut->OutputString(st->ConOut, out);
	}
}

/* One sentence. Always false, so that whoever cannot go on can return it. */
PRINTF_LIKE(1, 2) static bool refuse(const char *fmt, ...)
{
	char line[320];
	va_list ap;

	va_start(ap, fmt);
	tv_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	serial_write("tv: refused: ", 13);
	serial_write(line, strlen(line));
	serial_write("\r\n", 2);
	return false;
}

/* What UEFI's status codes are called, without the error bit. */
static const char *status_name(EFI_STATUS status)
{
	static const char *const name[] = {
		[1] = "load error",       [2] = "invalid parameter",
		[3] = "unsupported",      [4] = "bad buffer size",
		[5] = "buffer too small", [6] = "not ready",
		[7] = "device error",     [8] = "write protected",
		[9] = "out of resources", [10] = "volume corrupted",
		[11] = "volume full",     [12] = "no media",
		[13] = "media changed",   [14] = "not found",
		[15] = "access denied",   [26] = "security violation",
		[31] = "end of file",
	};
	const u64 code = status & ~BIT(63);

	return code < ARRAY_SIZE(name) && name[code] ? name[code]
						     : "unknown error";
}

/* Pages that end at LAST or below. 0: there are none. */
static u64 allocate(u64 bytes, u64 last, EFI_MEMORY_TYPE type)
{
	EFI_PHYSICAL_ADDRESS at = last;
	const u64 pages         = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;

	return EFI_ERROR(
		       bs->AllocatePages(AllocateMaxAddress, type, pages, &at))
		       ? 0
		       : at;
}

static EFI_FILE_HANDLE open_volume(EFI_HANDLE self)
{
	EFI_GUID image_guid  = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_FILE_HANDLE root;
	EFI_STATUS status;

	status = bs->HandleProtocol(self, &image_guid, (void **)&image);
	if (!EFI_ERROR(status))
		status = bs->HandleProtocol(image->DeviceHandle, &volume_guid,
					    (void **)&volume);
	if (!EFI_ERROR(status))
		status = volume->OpenVolume(volume, &root);
	if (!EFI_ERROR(status))
		return root;
	refuse("the volume that tilevisor.efi was started from cannot be read "
	       "(%s)",
	       status_name(status));
	return NULL;
}

/* A file's bytes, in pages. */
struct content {
	u64 at;
	u64 bytes;
};

static EFI_STATUS file_bytes(EFI_FILE_HANDLE file, u64 *bytes)
{
	static union {
		EFI_FILE_INFO info;
		u8 room[sizeof(EFI_FILE_INFO) + 2 * EFI_PATH_MAX];
	} u;
	EFI_GUID guid           = EFI_FILE_INFO_ID;
	UINTN size              = sizeof(u);
	const EFI_STATUS status = file->GetInfo(file, &guid, &size, &u.info);

	*bytes = u.info.FileSize;
	return !EFI_ERROR(status) && (u.info.Attribute & EFI_FILE_DIRECTORY)
		       ? EFI_UNSUPPORTED
		       : status;
}

static EFI_STATUS read_all(EFI_FILE_HANDLE file, const struct content *c)
{
	for (u64 done = 0; done < c->bytes;) {
		UINTN part = min_u64(c->bytes - done, READ_BYTES);
		const EFI_STATUS status =
			file->Read(file, &part, (void *)(c->at + done));

		if (EFI_ERROR(status))
			return status;
		if (!part)
			return EFI_END_OF_FILE;
		done += part;
	}
	return EFI_SUCCESS;
}

/* UEFI's form of PATH: \ between the names, 16 bits a character. */
static void to_path(CHAR16 to[EFI_PATH_MAX], const char *path)
{
	for (u32 i = 0; i < EFI_PATH_MAX; i++) {
		to[i] = path[i] == '/' ? '\\' : (u8)path[i];
		if (!path[i])
			return;
	}
}

/*
 * Read the file PATH of at most MAX bytes into new pages, EXTRA bytes more than
 * needed. False: a sentence says why.
 */
static bool read_file(EFI_FILE_HANDLE root, const char *path, u64 max,
		      u64 extra, struct content *c)
{
	CHAR16 wide[EFI_PATH_MAX];
	EFI_FILE_HANDLE file;
	EFI_STATUS status;

	to_path(wide, path);
	status = root->Open(root, &file, wide, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status))
		return refuse("%s cannot be opened (%s)", path,
			      status_name(status));
	status = file_bytes(file, &c->bytes);
	if (EFI_ERROR(status))
		return refuse("%s is not a file that can be read (%s)", path,
			      status_name(status));
	if (!c->bytes || c->bytes > max)
		return refuse(
			"%s has %lu bytes, at least 1 and at most %lu are "
			"accepted",
			path, c->bytes, max);
	c->at = allocate(c->bytes + extra, MODULE_LAST, EfiLoaderData);
	if (!c->at)
		return refuse(
			"there is no memory below 4 GiB for %s of %lu bytes",
			path, c->bytes);
	status = read_all(file, c);
	file->Close(file);
	if (EFI_ERROR(status))
		return refuse("%s cannot be read (%s)", path,
			      status_name(status));
	return true;
}

static bool load_modules(EFI_FILE_HANDLE root, const struct efi_config *config,
			 struct efi_info *info)
{
	for (u32 i = 0; i < config->module_count; i++) {
		struct content c;

		if (!read_file(root, config->module[i].path, MODULE_LAST, 0,
			       &c))
			return false;
		efi_info_module(info, (u32)c.at, (u32)(c.at + c.bytes),
				config->module[i].words);
	}
	return true;
}

/* The newer RSDP, if there are both. Without any the host does without. */
static void note_rsdp(struct efi_info *info)
{
	const EFI_GUID acpi1 = ACPI_TABLE_GUID;
	const EFI_GUID acpi2 = ACPI_20_TABLE_GUID;
	const void *found[2] = { NULL, NULL };

	for (UINTN i = 0; i < st->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t = &st->ConfigurationTable[i];

		if (memcmp(&t->VendorGuid, &acpi1, sizeof(acpi1)) == 0)
			found[0] = t->VendorTable;
		if (memcmp(&t->VendorGuid, &acpi2, sizeof(acpi2)) == 0)
			found[1] = t->VendorTable;
	}
	if (found[1])
		efi_info_rsdp(info, found[1], true);
	else if (found[0])
		efi_info_rsdp(info, found[0], false);
}

/* Firmware that hands out no executable memory gives it on request. */
static void make_executable(u64 at, u64 bytes)
{
	EFI_GUID guid = MEMORY_ATTRIBUTE_GUID;
	struct memory_attribute *attribute;

	if (!EFI_ERROR(bs->LocateProtocol(&guid, NULL, (void **)&attribute)))
		attribute->clear(attribute, at, align_up(bytes, PAGE_SIZE),
				 MEMORY_XP);
}

/* The image, and behind it a page for efi_leave(). */
static bool load_image(struct efi_image *image, u64 *at)
{
	const char *wrong =
		efi_image_open(image, efi_image_file,
			       (u64)(efi_image_file_end - efi_image_file));
	u64 bytes;

	if (wrong)
		return refuse("the image in tilevisor.efi is damaged: %s",
			      wrong);
	bytes = align_up(image->bytes, PAGE_SIZE) + PAGE_SIZE;
	*at   = allocate(bytes, IMAGE_LAST, EfiLoaderCode);
	if (!*at || *at < IMAGE_FIRST)
		return refuse("there is no memory between 1 MiB and 2 GiB for "
			      "Tilevisor's %lu bytes",
			      bytes);
	efi_image_load(image, (void *)*at);
	memcpy((void *)(*at + bytes - PAGE_SIZE), efi_leave,
	       (size_t)(efi_leave_end - efi_leave));
	make_executable(*at + bytes - PAGE_SIZE, PAGE_SIZE);
	return true;
}

/*
 * The memory map and the end of UEFI belong together: the map's key is stale as
 * soon as anything allocates, and the first try may do that itself.
 */
static EFI_STATUS exit_boot_services(EFI_HANDLE self, struct efi_info *info)
{
	EFI_STATUS status = EFI_NOT_STARTED;

	for (int i = 0; i < EXIT_TRIES; i++) {
		UINTN bytes, key, stride;
		UINT32 version;
		u32 room;
		void *to = efi_info_map_place(info, &room);

		bytes  = room;
		status = bs->GetMemoryMap(&bytes, to, &key, &stride, &version);
		if (EFI_ERROR(status))
			return status;
		status = bs->ExitBootServices(self, key);
		if (EFI_ERROR(status))
			continue;
		efi_info_map(info, (u32)bytes, (u32)stride, version);
		return status;
	}
	return status;
}

static bool prepare(EFI_HANDLE self, struct efi_info *info)
{
	static struct efi_config config;
	char why[240];
	struct content text;
	const u64 info_at    = allocate(INFO_BYTES, MODULE_LAST, EfiLoaderData);
	EFI_FILE_HANDLE root = open_volume(self);

	if (!root ||
	    !read_file(root, "\\tilevisor.cfg", CONFIG_BYTES_MAX, 1, &text))
		return false;
	if (!info_at)
		return refuse("there is no memory for the boot information");
	if (!efi_config_parse((char *)text.at, text.bytes, &config, why,
			      sizeof(why)))
		return refuse("%s", why);
	efi_info_begin(info, (void *)info_at, INFO_BYTES);
	efi_info_cmdline(info, config.options);
	efi_info_loader(info, "tilevisor.efi");
	note_rsdp(info);
	return load_modules(root, &config, info) &&
	       (!info->full ||
		refuse("the boot information needs more than %llu bytes",
		       INFO_BYTES));
}

/* Called by gnu-efi's start-up code. */
EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table);
EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
	struct efi_image image;
	struct efi_info info;
	EFI_STATUS status;
	u64 at = 0;

	st = table;
	bs = table->BootServices;
	bs->SetWatchdogTimer(0, 0, 0, NULL); /* large modules take their time */
	if (!prepare(self, &info) || !load_image(&image, &at))
		return EFI_LOAD_ERROR;
	status = exit_boot_services(self, &info);
	if (EFI_ERROR(status)) {
		refuse("UEFI cannot be left (%s)", status_name(status));
		return EFI_LOAD_ERROR;
	}
	efi_info_end(&info); /* its room is kept by efi_info_map_place() */
	((leave_fn *)(at + align_up(image.bytes, PAGE_SIZE)))(
		(u32)(at + image.entry), (u32)(uintptr_t)info.at);
	__builtin_unreachable();
}

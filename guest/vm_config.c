/* SPDX-License-Identifier: MIT */
/*
 * Module lines to VM configurations. Every rule has one sentence, which names
 * the word that broke it and says what would have been right.
 */
#include "guest/vm_config.h"

#include "boot/lib/options.h"
#include "boot/lib/string.h"

enum key {
	KEY_VM,
	KEY_INITRD,
	KEY_VCPUS,
	KEY_MEM,
	KEY_XFD,
	KEY_FPU,
	KEY_AREAS,
	KEY_AMX,
	KEY_CALLS,
	KEY_REBOOT,
	KEY_HYPERVISOR,
	KEY_CPUS,
	KEY_COUNT,
};

static const char *const key_name[KEY_COUNT] = {
	[KEY_VM]         = "vm",
	[KEY_INITRD]     = "initrd",
	[KEY_VCPUS]      = "vcpus",
	[KEY_MEM]        = "mem",
	[KEY_XFD]        = "xfd",
	[KEY_FPU]        = "fpu",
	[KEY_AREAS]      = "areas",
	[KEY_AMX]        = "amx",
	[KEY_CALLS]      = "calls",
	[KEY_REBOOT]     = "reboot",
	[KEY_HYPERVISOR] = "hypervisor",
	[KEY_CPUS]       = "cpus",
};

static const char *const policy_names[XFD_POLICY_COUNT] = {
	[XFD_NM] = "nm",   [XFD_WRMSR] = "wrmsr",   [XFD_EAGER] = "eager",
	[XFD_KVM] = "kvm", [XFD_INJECT] = "inject",
};

static const char *const fpu_names[]    = { "lazy", "reserve" };
static const char *const switch_names[] = { "off", "on" };

/* What one module's line says; the word of each key that was given. */
struct line {
	struct option word[KEY_COUNT];
	bool given[KEY_COUNT];
	const char *cmdline; /* behind "--", or "" */
	char name[VM_NAME_SIZE];
	char error[VM_ERROR_SIZE];
};

#define SAY(error, ...) tv_snprintf(error, VM_ERROR_SIZE, __VA_ARGS__)

/* A word for a message: all of it if it is short. */
static int shown(size_t length)
{
	return length < 40 ? (int)length : 40;
}

static bool name_is_legal(const char *s)
{
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && !strchr("_-.", *s))
			return false;
	return true;
}

/* False: it has no name, or not a legal one, and l->name is "". */
static bool copy_name(struct line *l, const struct option *o)
{
	if (option_copy(o, l->name, sizeof(l->name)) && name_is_legal(l->name))
		return true;
	l->name[0] = '\0';
	return false;
}

static bool take_name(struct line *l, const struct option *o)
{
	if (!o->value || !o->value_length) {
		SAY(l->error, "vm= needs a name");
		return false;
	}
	if (!copy_name(l, o)) {
		SAY(l->error,
		    "vm=%.*s: a name has 1 to %d letters, digits or _ - .",
		    shown(o->value_length), o->value, VM_NAME_SIZE - 1);
		return false;
	}
	return true;
}

static bool take_word(struct line *l, const struct option *o)
{
	for (unsigned int k = 0; k < KEY_COUNT; k++) {
		if (!option_key_is(o, key_name[k]))
			continue;
		if (l->given[k]) {
			SAY(l->error, "%s is given twice in one line",
			    key_name[k]);
			return false;
		}
		l->given[k] = true;
		l->word[k]  = *o;
		return k != KEY_VM || take_name(l, o);
	}
	SAY(l->error,
	    "unknown option \"%.*s\"; a module takes vm= vcpus= mem= xfd= fpu= "
	    "areas= amx= calls= reboot= hypervisor= cpus= initrd and, after "
	    "--, the "
	    "guest's own "
	    "line",
	    shown(o->key_length), o->key);
	return false;
}

/* Some loaders pass the file's name as the first word: it is no option. */
static bool is_path(const struct option *o)
{
	return !o->value && memchr(o->key, '/', o->key_length);
}

static void read_line(struct line *l, const char *text)
{
	const char *cursor = text;
	struct option o;
	bool first = true;

	memset(l, 0, sizeof(*l));
	l->cmdline = "";
	for (;; first = false) {
		switch (option_next(&cursor, &o)) {
		case OPTION_END:
			return;
		case OPTION_UNQUOTED:
			SAY(l->error, "a quote is never closed: %.*s",
			    shown(o.key_length), o.key);
			return;
		case OPTION_CONTROL:
			SAY(l->error,
			    "its line has the control character %#x in column "
			    "%lu",
			    (unsigned int)*o.key, (u64)(o.key - text) + 1);
			return;
		case OPTION_WORD:
			break;
		}
		if (option_key_is(&o, "--") && !o.value) {
			while (*cursor == ' ')
				cursor++;
			l->cmdline = cursor;
			return;
		}
		if (first && is_path(&o))
			continue;
		/* The rest is read all the same: the name may follow. */
		if (!l->error[0])
			take_word(l, &o);
		else if (option_key_is(&o, "vm") && !l->name[0])
			copy_name(l, &o);
	}
}

static bool take_number(struct vm_config *c, const struct option *o,
			const char *key, u64 min, u64 max, u64 *to)
{
	if (option_number(o, to) && *to >= min && *to <= max)
		return true;
	SAY(c->error, "%s=%.*s: a number from %llu to %llu is needed", key,
	    shown(o->value_length), o->value ? o->value : "",
	    (unsigned long long)min, (unsigned long long)max);
	return false;
}

static bool take_size(struct vm_config *c, const struct option *o,
		      const char *key, u64 min, u64 max, u64 *to)
{
	if (option_size(o, to) && *to >= min && *to <= max &&
	    is_aligned(*to, PAGE_SIZE))
		return true;
	SAY(c->error,
	    "%s=%.*s: a multiple of 4K from %lluK to %lluM is needed, such as "
	    "64M",
	    key, shown(o->value_length), o->value ? o->value : "",
	    (unsigned long long)(min / KIB), (unsigned long long)(max / MIB));
	return false;
}

static bool take_choice(struct vm_config *c, const struct option *o,
			const char *key, const char *const *names, size_t count,
			unsigned int *to)
{
	const int i = option_choice(o, names, count);
	char list[64];
	int used = 0;

	if (i >= 0) {
		*to = (unsigned int)i;
		return true;
	}
	for (size_t n = 0; n < count; n++)
		used += tv_snprintf(list + used, sizeof(list) - (size_t)used,
				    "%s%s", n ? "|" : "", names[n]);
	SAY(c->error, "%s=%.*s: it is one of %s", key, shown(o->value_length),
	    o->value ? o->value : "", list);
	return false;
}

/* The number at *AT, before END. */
static bool next_number(const char **at, const char *end, u32 *n)
{
	const char *const start = *at;

	for (*n = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		if (*n > VM_CPU_MAX)
			return false;
		*n = *n * 10 + (u32)(**at - '0');
	}
	return *at > start && *n <= VM_CPU_MAX;
}

/* "N" or "N-M" at *AT and the comma behind it. */
static bool next_range(const char **at, const char *end, u32 *first, u32 *last)
{
	if (!next_number(at, end, first))
		return false;
	*last = *first;
	if (*at < end && **at == '-') {
		(*at)++;
		if (!next_number(at, end, last) || *last < *first)
			return false;
	}
	if (*at == end)
		return true;
	return *(*at)++ == ',' && *at < end;
}

static bool take_cpus(struct vm_config *c, const struct option *o)
{
	const char *at        = o->value ? o->value : "";
	const char *const end = at + o->value_length;
	u32 first, last;

	do {
		if (!next_range(&at, end, &first, &last)) {
			SAY(c->error,
			    "cpus=%.*s: numbers of CPUs are needed, such as "
			    "0-3,6",
			    shown(o->value_length), o->value ? o->value : "");
			return false;
		}
		c->cpu_last = last > c->cpu_last ? last : c->cpu_last;
	} while (at < end);
	c->cpus        = o->value;
	c->cpus_length = o->value_length;
	return true;
}

bool vm_config_allows(const struct vm_config *c, u32 cpu)
{
	const char *at = c->cpus;
	u32 first, last;

	if (!at)
		return true;
	while (at < c->cpus + c->cpus_length &&
	       next_range(&at, c->cpus + c->cpus_length, &first, &last))
		if (cpu >= first && cpu <= last)
			return true;
	return false;
}

static bool take_value(struct vm_config *c, enum key k, const struct option *o)
{
	const char *key = key_name[k];
	unsigned int i;
	u64 n;

	switch (k) {
	case KEY_VCPUS:
		if (!take_number(c, o, key, 1, VM_VCPUS_MAX, &n))
			return false;
		c->vcpu_count = (u32)n;
		return true;
	case KEY_REBOOT:
		if (!take_number(c, o, key, 0, VM_REBOOT_MAX, &n))
			return false;
		c->reboots = (u32)n;
		return true;
	case KEY_MEM:
		return take_size(c, o, key, VM_MEMORY_MIN, VM_MEMORY_MAX,
				 &c->memory_bytes);
	case KEY_AREAS:
		return take_size(c, o, key, PAGE_SIZE, VM_MEMORY_MAX,
				 &c->areas_bytes);
	case KEY_XFD:
		if (!take_choice(c, o, key, policy_names,
				 ARRAY_SIZE(policy_names), &i))
			return false;
		c->policy = (enum xfd_policy)i;
		return true;
	case KEY_FPU:
		if (!take_choice(c, o, key, fpu_names, ARRAY_SIZE(fpu_names),
				 &i))
			return false;
		c->reserve = i == 1;
		return true;
	case KEY_AMX:
	case KEY_CALLS:
	case KEY_HYPERVISOR:
		if (!take_choice(c, o, key, switch_names,
				 ARRAY_SIZE(switch_names), &i))
			return false;
		if (k == KEY_AMX)
			c->amx = i == 1;
		else if (k == KEY_CALLS)
			c->calls = i == 1;
		else
			c->hypervisor = i == 1;
		return true;
	case KEY_CPUS:
		return take_cpus(c, o);
	case KEY_VM:
	case KEY_INITRD:
	case KEY_COUNT:
		break;
	}
	return true;
}

static void take_image(struct vm_config *c, const struct line *l, u32 module)
{
	if (c->has_image) {
		SAY(c->error,
		    "modules %u and %u are both its image; an initrd's line "
		    "needs the word initrd",
		    c->image, module);
		return;
	}
	c->has_image = true;
	c->image     = module;
	c->cmdline   = l->cmdline;
	for (unsigned int k = 0; k < KEY_COUNT; k++)
		if (l->given[k] && !take_value(c, (enum key)k, &l->word[k]))
			return;
}

static void take_initrd(struct vm_config *c, const struct line *l, u32 module)
{
	if (l->word[KEY_INITRD].value) {
		SAY(c->error, "initrd takes no value");
		return;
	}
	for (unsigned int k = KEY_VCPUS; k < KEY_COUNT; k++) {
		if (l->given[k]) {
			SAY(c->error,
			    "%s= belongs on the image's line, not the initrd's",
			    key_name[k]);
			return;
		}
	}
	if (c->initrd_count == VM_INITRD_MAX) {
		SAY(c->error, "more than %d initrds", VM_INITRD_MAX);
		return;
	}
	c->initrd_cmdline[c->initrd_count] = l->cmdline;
	c->initrd[c->initrd_count++]       = module;
}

/* The entry of this name, a new one with defaults if there is none. */
static struct vm_config *entry(struct vm_config *out, u32 *used,
			       const char *name,
			       const struct vm_config_defaults *d)
{
	for (u32 i = 0; i < *used; i++)
		if (!strcmp(out[i].name, name))
			return &out[i];
	struct vm_config *c = &out[(*used)++];

	memset(c, 0, sizeof(*c));
	tv_snprintf(c->name, sizeof(c->name), "%s", name);
	c->vcpu_count   = 1;
	c->memory_bytes = VM_MEMORY_DEFAULT;
	c->policy       = d->policy;
	c->reserve      = d->reserve;
	c->amx          = true;
	c->hypervisor   = true;
	c->reboots      = VM_REBOOT_DEFAULT;
	c->cmdline      = "";
	return c;
}

u32 vm_config_parse(const struct vm_config_module *module, u32 count,
		    const struct vm_config_defaults *defaults,
		    struct vm_config *out)
{
	u32 used = 0;

	for (u32 i = 0; i < count; i++) {
		struct line l;
		char number[VM_NAME_SIZE];

		read_line(&l, module[i].cmdline);
		tv_snprintf(number, sizeof(number), "#%u", i);
		struct vm_config *c = entry(
			out, &used, l.name[0] ? l.name : number, defaults);

		if (c->error[0])
			continue;
		if (!l.error[0] && !l.name[0])
			SAY(l.error, "no vm= says whose file this is");
		if (!l.error[0] && !module[i].bytes)
			SAY(l.error, "module %u is empty", i);
		if (l.error[0])
			SAY(c->error, "%s", l.error);
		else if (l.given[KEY_INITRD])
			take_initrd(c, &l, i);
		else
			take_image(c, &l, i);
	}
	for (u32 i = 0; i < used; i++)
		if (!out[i].error[0] && !out[i].has_image)
			SAY(out[i].error,
			    "module %u is its initrd, but no "
			    "module is its image",
			    out[i].initrd[0]);
	return used;
}

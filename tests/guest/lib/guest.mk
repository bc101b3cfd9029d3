# SPDX-License-Identifier: MIT
# Test guests: every folder beside lib/ becomes $(O)/guest/<folder>.elf, a
# multiboot1 image. Needs O, a compiler and objcopy; `make -f` works too.
O          ?= build
GUEST_DIR  := tests/guest
GUEST_CC   ?= gcc
OBJCOPY    ?= objcopy

GUESTS     := $(filter-out lib,$(notdir $(patsubst %/,%,$(dir \
	      $(wildcard $(GUEST_DIR)/*/*.c)))))
GUESTS     := $(sort $(GUESTS))
GUEST_ELFS := $(GUESTS:%=$(O)/guest/%.elf)

GUEST_CPPFLAGS := -nostdinc -isystem $(shell $(GUEST_CC) \
	-print-file-name=include) -I$(GUEST_DIR) -MMD -MP
GUEST_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -mgeneral-regs-only \
	-mno-red-zone -fno-pic -fno-pie -fcf-protection=none -fno-common \
	-fno-strict-aliasing -fno-delete-null-pointer-checks \
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	-fno-stack-protector -fno-tree-vectorize -ffile-prefix-map=$(CURDIR)=. \
	-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wcast-qual \
	-Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough \
	-Wredundant-decls -Wdate-time
# `a & b` of two claims is meant: both are to be looked at.
GUEST_CFLAGS += $(if $(findstring clang,$(GUEST_CC)),\
	-Wno-bitwise-instead-of-logical)
GUEST_CFLAGS += $(shell f=-fno-tree-loop-distribute-patterns; $(GUEST_CC) \
	-Werror $$f -x c -c /dev/null -o /dev/null 2>/dev/null && echo $$f)

GUEST_LIB_SRC := $(wildcard $(GUEST_DIR)/lib/*.c $(GUEST_DIR)/lib/*.S)
guest_objs = $(patsubst $(GUEST_DIR)/%,$(O)/tests/guest/%.o,$(1))
GUEST_LIB_OBJ := $(call guest_objs,$(GUEST_LIB_SRC))

.PHONY: guests
guests: $(GUEST_ELFS)

$(O)/tests/guest/%.c.o: $(GUEST_DIR)/%.c $(GUEST_DIR)/lib/guest.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CPPFLAGS) $(GUEST_CFLAGS) -c -o $@ $<

$(O)/tests/guest/%.S.o: $(GUEST_DIR)/%.S $(GUEST_DIR)/lib/guest.mk
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CPPFLAGS) -g -c -o $@ $<

# The 64-bit ELF keeps the symbols; loaders of multiboot1 want ELF32.
define guest_rule
$(O)/tests/guest/$(1).elf64: $(call guest_objs,$(wildcard $(GUEST_DIR)/$(1)/*.c)) \
		$(GUEST_LIB_OBJ) $(GUEST_DIR)/lib/guest.ld
	$(Q)$(GUEST_CC) -nostdlib -static -Wl,-T,$(GUEST_DIR)/lib/guest.ld \
		-Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
		-Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-o $$@ $$(filter %.o,$$^)
endef
$(foreach g,$(GUESTS),$(eval $(call guest_rule,$(g))))

# conformance is made of the claims of these, in this order: model looks at the
# state after reset, hlt_timer at the APIC before x2APIC mode.
CONFORMANCE := model hlt_timer msr first_use xcr events nested_nm ts_lazy modes \
	       no_xfd_aware no_amx cpuid switch smp
conformance_dir := $(O)/tests/guest/conformance
$(conformance_dir)/conformance.c.o: GUEST_CPPFLAGS += \
	'-DGUESTS(f)=$(foreach g,$(CONFORMANCE),f($(g)))'
define conformance_rule
$(conformance_dir)/of_$(1).o: $(O)/tests/guest/$(1)/$(1).c.o
	$(Q)mkdir -p $$(@D)
	$(Q)$(OBJCOPY) --redefine-sym claims=claims_$(1) \
		--redefine-sym claim_count=claim_count_$(1) $$< $$@
endef
$(foreach g,$(CONFORMANCE),$(eval $(call conformance_rule,$(g))))
# fuzz tries conformance's steps too.
$(O)/tests/guest/fuzz.elf64: $(conformance_dir)/step.c.o
$(conformance_dir).elf64: $(CONFORMANCE:%=$(conformance_dir)/of_%.o)

$(O)/guest/%.elf: $(O)/tests/guest/%.elf64
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(OBJCOPY) --strip-debug -O elf32-i386 $< $@

.SECONDARY: $(GUEST_LIB_OBJ) $(GUESTS:%=$(O)/tests/guest/%.elf64)

-include $(wildcard $(O)/tests/guest/*/*.d)

# SPDX-License-Identifier: MIT
# `make help` lists the targets.

O     ?= build
CC    ?= gcc
HOSTCC ?= cc
ifeq ($(origin CC),default)
CC    := gcc
endif
SUITE ?= all
ifneq ($(V),1)
Q    := @
say   = @printf '  %-8s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))';
endif

# $(call probe,FLAG): FLAG if this compiler accepts it, else nothing
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))

CPPFLAGS := -nostdinc -isystem $(shell $(CC) -print-file-name=include) -I. \
	    -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu
CFLAGS := -std=gnu17 -O2 -g -ffreestanding -mgeneral-regs-only -mno-red-zone \
	  -fno-pic -fno-pie -fcf-protection=none -fno-common \
	  -fno-strict-aliasing -fno-delete-null-pointer-checks \
	  -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	  -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.
CFLAGS += -fstack-protector-strong -mstack-protector-guard=global
CFLAGS += -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	  -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wcast-qual \
	  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough \
	  -Wredundant-decls -Wenum-conversion -Wdate-time \
	  -Wframe-larger-than=1024
CFLAGS += $(foreach f,-Wlogical-op -Wduplicated-cond -Warith-conversion \
		      -Wbidi-chars=any -ftrivial-auto-var-init=zero,$(call probe,$(f)))
CFLAGS += $(if $(WERROR),-Werror)
LD      := ld
LDFLAGS := -T linker.ld -nostdlib -static --gc-sections -z noexecstack \
	   --orphan-handling=error --fatal-warnings --build-id=none

# make DEBUG=0: without the software check of every VM entry
DEBUG ?= 1
CPPFLAGS += -DTV_DEBUG=$(DEBUG)

# make UBSAN=1: undefined behaviour becomes ud2, which our #UD handler reports
ifdef UBSAN
CFLAGS += -fsanitize=undefined $(or $(call probe,-fsanitize-trap=undefined),\
	  -fsanitize-undefined-trap-on-error)
endif

SRC_C := $(sort $(wildcard boot/*.c boot/lib/*.c vmx/*.c fpu/*.c guest/*.c))
SRC_S := $(sort $(wildcard boot/*.S boot/lib/*.S vmx/*.S))
OBJ   := $(SRC_C:%.c=$(O)/%.o) $(SRC_S:%.S=$(O)/%.S.o)

.PHONY: all
all: $(O)/tilevisor.elf $(O)/tilevisor.iso

# The compiler does not use memset's own name for memset's own loop.
$(O)/boot/lib/string.o: CFLAGS += $(call probe,-fno-tree-loop-distribute-patterns)

# Flags that differ from the last build's rebuild everything.
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(O)/flags: .FORCE
	$(Q)mkdir -p $(O); echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
.PHONY: .FORCE
.FORCE:

$(O)/%.o: %.c $(O)/flags
	$(call say,CC,$@) mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/%.S.o: %.S $(O)/flags
	$(call say,AS,$@) mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

# Linked twice: the second time with the names that back-traces print and with
# a build id, which is the hash of what the first link gave.
$(O)/symbols-%.S: boot/lib/symbols.awk
	$(call say,GEN,$@)
	$(Q)nm -n $(O)/pass$*.elf 2>/dev/null | awk -v id=`sha256sum < $(O)/pass$*.elf 2>/dev/null | cut -c1-16` -f $< > $@.tmp
	$(Q)mv $@.tmp $@

$(O)/symbols-0.S: boot/lib/symbols.awk
	$(Q)mkdir -p $(O); awk -v id=0000000000000000 -f $< </dev/null > $@

$(O)/symbols-1.S: $(O)/pass1.elf
$(O)/symbols-2.S: $(O)/pass2.elf
$(O)/symbols-%.o: $(O)/symbols-%.S
	$(Q)$(CC) -c $< -o $@

$(O)/pass1.elf: $(OBJ) $(O)/symbols-0.o linker.ld
	$(Q)$(LD) $(LDFLAGS) -o $@ $(OBJ) $(O)/symbols-0.o
$(O)/pass2.elf: $(OBJ) $(O)/symbols-1.o linker.ld
	$(Q)$(LD) $(LDFLAGS) -o $@ $(OBJ) $(O)/symbols-1.o
$(O)/tilevisor.elf: $(OBJ) $(O)/symbols-2.o linker.ld
	$(call say,LD,$@)
	$(Q)$(LD) $(LDFLAGS) -Map=$(O)/tilevisor.map -o $@ $(OBJ) $(O)/symbols-2.o
	$(Q)nm -n $@ > $(O)/tilevisor.sym

-include $(OBJ:.o=.d)

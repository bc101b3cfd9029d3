# SPDX-License-Identifier: MIT
# Direct boot: the host tool that packs images and the ROM that starts them.
# Included by the top-level Makefile; tests/emulator/run also calls it alone.

O      ?= build
HOSTCC ?= cc

ROM_DIR    := tests/emulator/rom
ROM_CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra -Wshadow -Wconversion \
	      -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes

.PHONY: direct-boot
direct-boot: $(O)/emulator/pack $(O)/emulator/rom.bin

$(O)/emulator/pack: $(wildcard $(ROM_DIR)/*.[ch])
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(ROM_CFLAGS) -o $@ $(filter %.c,$^)

$(O)/emulator/rom.bin: $(ROM_DIR)/rom.S $(ROM_DIR)/rom.ld
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -m32 -c $< -o $(@:.bin=.o)
	$(Q)ld -m elf_i386 -T $(ROM_DIR)/rom.ld -o $@ $(@:.bin=.o)

# SPDX-License-Identifier: MIT
# `make help` lists the targets. One file, no recursion but for second builds
# with other flags.

O      ?= build
ifeq ($(strip $(O)),)
$(error O, the folder to build in, is empty)
endif
CC     ?= gcc
HOSTCC ?= cc
ifeq ($(origin CC),default)
CC     := gcc
endif
SUITE  ?= all
export O HOSTCC
ifneq ($(V),1)
Q    := @
silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
say   = @$(if $(silent),,printf '  %-8s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))';)
endif

.PHONY: all
all: $(O)/tilevisor.elf $(O)/tilevisor.iso $(O)/tilevisor.efi

.PHONY: help
help:
	@sed -n 's/^#: //p' Makefile

#: make              build/tilevisor.elf, which GRUB loads, build/tilevisor.iso for
#:                   CD and USB, build/tilevisor.efi, which UEFI starts by itself
#: make run          boot the emulator with a Linux guest that uses AMX
#: make test         every test; SUITE=NAME one suite (`make suites` lists them)
#: make check        style, include edges, no FP, ELF layout, gcc and clang -Werror
#: make unit         the pure files' tests on this machine, under ASan and UBSan
#: make fuzz         the parsers, under libFuzzer; SECONDS=N for each target, else 60
#: make usb DEVICE=/dev/sdX   the image onto a removable disk, after asking
#: make qemu         the same in QEMU: nested KVM, or the start up to VT-x
#: make tested       docs/tested.md, from the last make test SUITE=machines
#: make proof        P1-P15, EPT and parsers by CBMC, protocols by SPIN (PROOF=line)
#: make mutate       seeded bugs, each with the test that finds it
#: make mutate-fpu    every small change of fpu/, against the unit tests
#: make coverage      what the unit tests reach of each file, in build/coverage.txt
#: make coverage-hypervisor  what suites reach of Tilevisor itself; COVER="SUITE..."
#: make bench        counted costs, as a table and in build/bench.jsonl
#: make differential random guests, bare and under every policy: can they tell?
#: make guest-fuzz   a guest that tries everything; a million exits
#: make emulator     the machine the tests run in: Bochs, patched
#: make emulator-check  the emulator's own proof, without Tilevisor
#: make guests       the test guests
#: make format        clang-format over all C
#: make tidy          clang-tidy over the hypervisor; it has nothing to say
#: make deps         install the packages that all of this needs
#: make budgets      figures of the source: lengths, comments, assembly
#: make compile_commands.json, make tags   for editors
#: make clean
#: Variables: O=DIR (build), CC=gcc|clang, V=1, DEBUG=0|1|2, UBSAN=1, WERROR=1

# ------------------------------------------------------------ the hypervisor

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
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	  -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wcast-qual \
	  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough \
	  -Wredundant-decls -Wenum-conversion -Wdate-time
CFLAGS += $(WARNINGS) -Wframe-larger-than=1024
CFLAGS += $(foreach f,-Wlogical-op -Wduplicated-cond -Warith-conversion \
		      -Wbidi-chars=any -ftrivial-auto-var-init=zero,$(call probe,$(f)))
CFLAGS += $(if $(WERROR),-Werror)
LD      := ld
LDFLAGS := -T linker.ld -nostdlib -static --gc-sections -z noexecstack \
	   --emit-relocs --orphan-handling=error --fatal-warnings --build-id=none

# DEBUG=0: no software check of VM entries, no selftest=; 2: check every entry
# and exit
DEBUG ?= 1
CPPFLAGS += -DTV_DEBUG=$(DEBUG)

# UBSAN=1: undefined behaviour becomes ud2, which our #UD handler reports
ifdef UBSAN
CFLAGS += -fsanitize=undefined $(or $(call probe,-fsanitize-trap=undefined),\
	  -fsanitize-undefined-trap-on-error)
endif

SRC_C := $(sort $(wildcard boot/*.c boot/lib/*.c vmx/*.c fpu/*.c guest/*.c))
SRC_S := $(sort $(wildcard boot/*.S boot/lib/*.S vmx/*.S))
OBJ   := $(SRC_C:%.c=$(O)/%.o) $(SRC_S:%.S=$(O)/%.S.o) $(O)/guest/dsdt.o

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

# A VM's DSDT, with the numbers that the code has, as data between two names.
dsdt_macros := guest/acpi_tables.h guest/vuart.h
$(O)/guest/dsdt.aml: guest/dsdt.asl $(dsdt_macros) $(O)/flags
	@tests/check/packages tables
	$(call say,IASL,$@) mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -E -P -x c $(dsdt_macros:%=-imacros %) $< > $(@:.aml=.i.asl)
	$(Q)iasl -we -p $(@:.aml=) $(@:.aml=.i.asl) > $@.log 2>&1 || { cat $@.log; exit 1; }
$(O)/guest/dsdt.o: $(O)/guest/dsdt.aml
	$(Q)printf '.section .rodata.dsdt, "a"\n.globl %s, %s\n%s: .incbin "%s"\n%s:\n%s\n' \
		acpi_dsdt acpi_dsdt_end acpi_dsdt $< acpi_dsdt_end \
		'.section .note.GNU-stack, "", @progbits' | $(CC) -x assembler -c - -o $@

# Linked three times: without names, with the tables (whose size moves the
# addresses), with the right addresses. The build id is a hash of the second.
# GRUB loads no file that has relocations: they are for the tables only.
symbols = { nm -n $(1); readelf -rW $(1); } | awk -v id=$$(sha256sum < $(1) | cut -c1-16) \
	  -f boot/lib/symbols.awk

$(O)/symbols-0.S: boot/lib/symbols.awk
	$(Q)mkdir -p $(O); awk -v id=0000000000000000 -f $< </dev/null > $@
$(O)/symbols-1.S: $(O)/pass1.elf boot/lib/symbols.awk
	$(Q)$(call symbols,$<) > $@
$(O)/symbols-2.S: $(O)/pass2.elf boot/lib/symbols.awk
	$(Q)$(call symbols,$<) > $@
$(O)/symbols-%.o: $(O)/symbols-%.S
	$(Q)$(CC) -c $< -o $@

$(O)/pass1.elf: $(OBJ) $(O)/symbols-0.o linker.ld
	$(Q)$(LD) $(LDFLAGS) -o $@ $(OBJ) $(O)/symbols-0.o
$(O)/pass2.elf: $(OBJ) $(O)/symbols-1.o linker.ld
	$(Q)$(LD) $(LDFLAGS) -o $@ $(OBJ) $(O)/symbols-1.o
$(O)/pass3.elf: $(OBJ) $(O)/symbols-2.o linker.ld
	$(Q)$(LD) $(LDFLAGS) -Map=$(O)/tilevisor.map -o $@ $(OBJ) $(O)/symbols-2.o
$(O)/tilevisor.elf: $(O)/pass3.elf
	$(call say,LD,$@)
	$(Q)objcopy --remove-relocations='*' $< $@
	$(Q)nm -n $@ > $(O)/tilevisor.sym

-include $(OBJ:.o=.d)

# ------------------------------------------------------ our own UEFI loader

# A PE application: the image, and what loads it. gnu-efi brings UEFI's headers,
# the start-up code, the linker script.
EFI_OUT   := $(O)/efi
EFI_LIB    = $(patsubst %/,%,$(dir $(firstword $(wildcard $(addsuffix \
	     /crt0-efi-x86_64.o,/usr/lib /usr/lib/*/ /usr/lib/*/*/)) /usr/lib/)))
EFI_C     := $(wildcard boot/efi/*.c) boot/lib/print.c boot/lib/string.c
EFI_S     := $(wildcard boot/efi/*.S)
EFI_OBJ   := $(EFI_C:%.c=$(EFI_OUT)/%.o) $(EFI_S:%.S=$(EFI_OUT)/%.S.o)
EFI_CFLAGS = $(filter-out -fno-pic -fno-pie -fstack-protector% -mstack-protector%,$(CFLAGS)) \
	     -fpic -fvisibility=hidden -fshort-wchar -fno-stack-protector \
	     $(call probe,-maccumulate-outgoing-args) -DGNU_EFI_USE_MS_ABI
EFI_CPPFLAGS = $(CPPFLAGS) -isystem /usr/include/efi -isystem /usr/include/efi/x86_64

# No section of it is writable and executable: DllCharacteristics may say so
# (Microsoft, "PE Format", NX_COMPAT). objcopy cannot.
nx_compat = open F, "+<:raw", shift or die; seek F, 0x3c, 0; read F, $$h, 4; \
	    seek F, unpack("V", $$h) + 94, 0; print F "\x00\x01"

$(EFI_OUT)/%.o: %.c $(O)/flags
	@tests/check/packages efi
	$(call say,CC,$@) mkdir -p $(@D)
	$(Q)$(CC) $(EFI_CPPFLAGS) $(EFI_CFLAGS) -MMD -MP -c $< -o $@
$(EFI_OUT)/%.S.o: %.S $(O)/flags
	$(call say,AS,$@) mkdir -p $(@D)
	$(Q)$(CC) $(EFI_CPPFLAGS) -DIMAGE='"$(EFI_OUT)/image.elf"' -MMD -MP -c $< -o $@
$(EFI_OUT)/image.elf: $(O)/tilevisor.elf
	$(Q)mkdir -p $(@D); objcopy --strip-all $< $@
$(EFI_OUT)/boot/efi/image.S.o: $(EFI_OUT)/image.elf

# gnu-efi 3.0.18 calls _entry, of a library of its own that we do not need, where
# older ones call efi_main; and it keeps .rodata apart.
$(EFI_OUT)/tilevisor.so: $(EFI_OBJ)
	$(Q)$(LD) -nostdlib -znocombreloc -znoexecstack -shared -Bsymbolic --no-undefined \
		--build-id=none --defsym=_entry=efi_main -T $(EFI_LIB)/elf_x86_64_efi.lds -o $@ \
		$(EFI_LIB)/crt0-efi-x86_64.o $^ $(EFI_LIB)/libgnuefi.a
$(O)/tilevisor.efi: $(EFI_OUT)/tilevisor.so
	$(call say,EFI,$@)
	$(Q)objcopy -j .text -j .data -j .rodata -j .dynamic -j .dynsym -j '.rel*' -j .reloc \
		-j .sbat --target=efi-app-x86_64 $< $@
	$(Q)perl -e '$(nx_compat)' $@

-include $(EFI_OBJ:.o=.d)

# ------------------------------------------- guests, direct boot, the ISO image

# Each fragment defines its own rules below $(O).
include $(wildcard tests/guest/lib/guest.mk tests/emulator/rom/rom.mk)

# The guests on the ISO, for who boots it without an idea of what to run.
ISO_GUESTS := no_xfd_aware conformance

# bare.iso starts a guest without Tilevisor, selftest.iso Tilevisor without one.
$(O)/tilevisor.iso: grub_entry := 0
$(O)/bare.iso: grub_entry := 2
$(O)/selftest.iso: grub_entry := 3
$(O)/tilevisor.iso $(O)/bare.iso $(O)/selftest.iso: $(O)/tilevisor.elf boot/grub.cfg $(ISO_GUESTS:%=$(O)/guest/%.elf)
	@tests/check/packages iso
	$(call say,ISO,$@)
	$(Q)rm -rf $@.d && mkdir -p $@.d/boot/grub
	$(Q)cp $(filter %.elf,$^) $@.d/boot
	$(Q)sed "s/default=0/default=$(grub_entry)/" boot/grub.cfg > $@.d/boot/grub/grub.cfg
	$(Q)grub-mkrescue -o $@ $@.d >$@.log 2>&1 || { cat $@.log; exit 1; }

# ------------------------------------------------------------------ unit tests

# A test names the pure files it is linked with in a comment at its top:
# /* links: fpu/xfd.c fpu/layout.c */
UNIT_CFLAGS := -std=gnu17 -O1 -g -I. -fsanitize=address,undefined \
	       -fno-sanitize-recover=all -fno-omit-frame-pointer \
	       -DTV_DEBUG=1 -Wall -Wextra -Wshadow -Wconversion \
	       -Wno-sign-conversion -Wundef -Wvla -Wcast-qual
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
unit_links = $(shell sed -n 's,^/\* links: \(.*\) \*/$$,\1,p' tests/unit/$(1).c)

define unit_rule
$(O)/unit/$(1): tests/unit/$(1).c $(call unit_links,$(1)) Makefile
	$$(call say,UNIT,$$@) mkdir -p $$(@D)
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -MM -MP -MT $$@ tests/unit/$(1).c $(call unit_links,$(1)) > $$@.d
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -o $$@ tests/unit/$(1).c $(call unit_links,$(1))
endef
$(foreach t,$(UNITS),$(eval $(call unit_rule,$(t))))
-include $(UNITS:%=$(O)/unit/%.d)

.PHONY: unit
unit: $(UNITS:%=$(O)/unit/%)
	$(Q)prove -e '' $^

# ------------------------------------------------- proofs, and tests of tests

.PHONY: proof
proof:
	@tests/check/packages proof
	$(Q)tests/proof/run $(PROOF)

.PHONY: mutate
mutate: deps images
	$(Q)tests/mutate/run

.PHONY: mutate-fpu
mutate-fpu: deps
	$(Q)tests/mutate/fpu

.PHONY: coverage
coverage: deps
	$(Q)tests/coverage/run

.PHONY: coverage-hypervisor
coverage-hypervisor: deps test-images
	$(Q)tests/coverage/hypervisor $(COVER)

# --------------------------------------------------------------------- fuzzing

include tests/fuzz/fuzz.mk

.PHONY: fuzz
fuzz: $(FUZZERS)
	$(Q)tests/fuzz/run $(or $(SECONDS),60) $(FUZZ_TARGETS)

# --------------------------------------------------------------- checks, tests

.PHONY: deps
deps:
	@tests/check/packages

# By names of their own: what suites build, such as the emulator, has other flags.
check_flags = CHECK_CC='$(CC) $(CPPFLAGS) $(CFLAGS)'

.PHONY: check
check: $(O)/tilevisor.elf
	@tests/check/packages check build
	@$(check_flags) tests/check/all

.PHONY: format
format:
	$(Q)clang-format -i $$(git ls-files "*.[ch]")

# gcc's own flags mean nothing to it. Clean by clang-tidy 14; what a later one
# finds new fails here, and so it is no claim of `make check`.
.PHONY: tidy
tidy:
	@tests/check/packages tidy
	$(Q)printf '%s\n' $(SRC_C) | xargs -P "$$(nproc)" -I {} clang-tidy --quiet \
		--warnings-as-errors='*' {} -- \
		$(CPPFLAGS) -std=gnu17 -ffreestanding -mgeneral-regs-only 2>/dev/null

.PHONY: emulator emulator-check
emulator: deps
	@tests/emulator/build
emulator-check: deps $(O)/emulator/pack $(O)/emulator/rom.bin
	$(Q)prove -e '' tests/emulator/check

# The same with every VM entry and exit checked, for the fuzz guest.
$(O)/checked/tilevisor.elf: .FORCE
	$(Q)$(MAKE) --no-print-directory O=$(O)/checked DEBUG=2 $@

# What runs in emulators, and everything a suite may want, built before.
.PHONY: images test-images
images: $(O)/tilevisor.elf $(O)/checked/tilevisor.elf $(O)/tilevisor.iso $(O)/bare.iso $(GUEST_ELFS) \
	$(O)/selftest.iso $(O)/tilevisor.efi $(O)/emulator/pack $(O)/emulator/rom.bin
test-images: images $(FUZZERS)

SUITES := $(patsubst tests/suite/%.t,%,$(wildcard tests/suite/*.t))

.PHONY: suites
suites:
	@echo check unit $(SUITES)

.PHONY: test
ifeq ($(SUITE),all)
test: deps test-images $(UNITS:%=$(O)/unit/%)
	$(Q)$(check_flags) prove --timer -e '' tests/check/all $(UNITS:%=$(O)/unit/%) $(SUITES:%=tests/suite/%.t)
else ifeq ($(SUITE),unit)
test: unit
else ifeq ($(SUITE),check)
test: check
else
test: deps test-images
	$(Q)prove --timer -e '' tests/suite/$(SUITE).t
endif

.PHONY: bench
bench: deps images
	$(Q)tests/bench/run

.PHONY: differential
differential: deps images
	$(Q)tests/differential/run

.PHONY: guest-fuzz
guest-fuzz: deps images
	$(Q)tests/guest/fuzz/run

.PHONY: run run-deps
run-deps:
	@tests/check/packages build tables test emulator linux
run: run-deps $(O)/tilevisor.elf $(O)/emulator/pack $(O)/emulator/rom.bin
	$(Q)tests/demo

# Nested KVM if it can show VT-x and AMX; else what is missing, and TCG, which
# ends in the sentence about VMX. QEMU_ARGS: options of tests/qemu/run.
QEMU_ARGS ?= --cpus 4 --mem 2048
.PHONY: qemu
qemu: $(O)/tilevisor.iso
	@tests/check/packages qemu
	@if tests/qemu/kvm; then accel=kvm; else accel=tcg; \
		echo "so QEMU emulates a CPU without VT-x:"; fi; \
	tests/qemu/run --accel $$accel --seconds 600 $(QEMU_ARGS) \
		--until '^tv: refused|"event":"end"' $(O)/tilevisor.iso

.PHONY: usb
usb: $(O)/tilevisor.iso
	@tests/usb $(O)/tilevisor.iso '$(DEVICE)'

.PHONY: tested
tested:
	@tests/machines $(O)/machines.tsv

# ------------------------------------------------------------------ for people

.PHONY: budgets
budgets: $(O)/tilevisor.elf
	@tests/check/budgets

compile_commands.json: Makefile
	$(Q){ sep='['; for f in $(SRC_C); do \
		printf '%s\n{"directory":"%s","file":"%s","arguments":[' "$$sep" '$(CURDIR)' "$$f"; \
		for a in $(CC) $(CPPFLAGS) $(CFLAGS) -c; do printf '"%s",' "$$a"; done; \
		printf '"%s"]}' "$$f"; sep=,; done; echo ']'; } > $@

tags: $(SRC_C) $(wildcard boot/*.h boot/lib/*.h vmx/*.h fpu/*.h guest/*.h)
	@command -v ctags >/dev/null || tests/check/packages tags
	$(Q)ctags -o $@ $^

.PHONY: clean
clean:
	$(Q)rm -rf $(O) compile_commands.json tags

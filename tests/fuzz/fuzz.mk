# SPDX-License-Identifier: MIT
# Fuzz targets: tests/fuzz/NAME.c becomes $(O)/fuzz/NAME, with the files that
# its comment "links:" names. tests/fuzz/fake/ stands before the tree's own
# headers, for those files that touch a VMCS.
FUZZ_TARGETS := $(sort $(basename $(notdir $(wildcard tests/fuzz/*.c))))
FUZZ_CC      ?= clang
FUZZ_CFLAGS  := -std=gnu17 -O1 -g -Itests/fuzz/fake -I. -DTV_DEBUG=1 \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -fno-strict-aliasing -Wall -Wextra \
		-Wshadow -Wconversion -Wno-sign-conversion -Wundef -Wvla \
		-Wcast-qual
fuzz_links = $(shell sed -n 's,^/\* links: \(.*\) \*/$$,\1,p' tests/fuzz/$(1).c)

define fuzz_rule
$(O)/fuzz/$(1): tests/fuzz/$(1).c $(call fuzz_links,$(1)) tests/fuzz/fuzz.mk
	$$(call say,FUZZ,$$@) mkdir -p $$(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fno-sanitize=fuzzer -MM -MP -MT $$@ \
		tests/fuzz/$(1).c $(call fuzz_links,$(1)) > $$@.d
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -o $$@ tests/fuzz/$(1).c $(call fuzz_links,$(1))
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_rule,$(t))))
-include $(FUZZ_TARGETS:%=$(O)/fuzz/%.d)

FUZZERS := $(FUZZ_TARGETS:%=$(O)/fuzz/%)

$(FUZZERS): | fuzz-deps
.PHONY: fuzz-deps
fuzz-deps:
	@tests/check/packages check fuzz

# SPDX-License-Identifier: GPL-2.0-only
# make check-fuzz: every fuzz_NAME.c from its seeds, tests/data/fuzz/NAME, the same runs every time;
# make fuzz FUZZ_SECONDS=600: random ones. What they find is kept as build/fuzz/crash-*: it becomes a unit
# test, and a seed.
FUZZ         := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60

$(FUZZ): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/record.a $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ -ltraceevent -lzstd -lm
fuzz-programs: $(FUZZ)

check-fuzz:
	@CLANG='$(CLANG)' MAKE='$(MAKE)' tests/fuzz/run.sh
fuzz:
	@CLANG='$(CLANG)' MAKE='$(MAKE)' tests/fuzz/run.sh $(FUZZ_SECONDS)
.PHONY: fuzz-programs check-fuzz fuzz

$(B)/tests/fuzz/mkseeds: $(B)/tests/fuzz/mkseeds.o $(B)/tests/unit/rawfile.o $(B)/libdma.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_analyze)

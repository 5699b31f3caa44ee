# SPDX-License-Identifier: GPL-2.0-only
# make check-hostile: HOSTILE mutants of each kind of file, always the same, for tools with sanitizers;
# tests/cli/hostile.t takes a minute of it.
HOSTILE ?= 10000
$(B)/tests/hostile: tests/hostile/hostile.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -O2 -g -D_GNU_SOURCE $(WARN) -o $@ $<
hostile-programs: $(addprefix $(B)/,$(TOOLS)) $(B)/tests/gentrace $(B)/tests/hostile
SAN_BUILD = $(MAKE) --no-print-directory -j2 B=build/asan SAN=1 OPT='-O1 -g' CFLAGS=-Wno-format-truncation
check-hostile:
	$(SAN_BUILD) hostile-programs
	B=build/asan tests/hostile/run.sh $(HOSTILE)
.PHONY: hostile-programs check-hostile
CHECK_CLI_NEEDS += $(B)/tests/hostile

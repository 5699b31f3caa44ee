# SPDX-License-Identifier: GPL-2.0-only
# A workload of many threads, children or programs, for tests/cli/crowd.t.
$(B)/tests/exits/crowd: tests/exits/crowd.c $(B)/tests/bench/libcalls.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 $(WARN) -pthread -o $@ $< -L$(B)/tests/bench -lcalls \
		-Wl,-rpath,'$$ORIGIN/../bench'
CHECK_CLI_NEEDS += $(B)/tests/exits/crowd

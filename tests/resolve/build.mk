# SPDX-License-Identifier: GPL-2.0-only
# What dmarec thinks a program loads, for tests/cli/resolve.t.
$(B)/tests/resolve/resolve: $(B)/tests/resolve/resolve.o $(B)/record.a $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^
CHECK_CLI_NEEDS += $(B)/tests/resolve/resolve

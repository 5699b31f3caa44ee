# SPDX-License-Identifier: GPL-2.0-only
# The agent by itself: what it does to programs.
$(B)/tests/agent/inside: $(B)/tests/agent/inside.o $(B)/record.a $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_record)
CHECK_CLI_NEEDS += $(B)/tests/agent/inside

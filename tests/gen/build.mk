# SPDX-License-Identifier: GPL-2.0-only
# The generator of event streams with known truth: its core is linked into the unit tests of the joiner;
# gentrace writes a recording of it.
GENTRACE := $(B)/tests/gentrace
$(B)/tests/unit/test_joinprop $(B)/tests/unit/test_held: $(B)/tests/gen/gen.o
$(GENTRACE): $(B)/tests/gen/gentrace.o $(B)/tests/gen/gen.o $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm
CHECK_CLI_NEEDS += $(GENTRACE)

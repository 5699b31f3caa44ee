# SPDX-License-Identifier: GPL-2.0-only
# gendb: a database of the schema, filled with plausible or degenerate runs, for the tests of dmareport.
GENDB := $(B)/tests/gendb
$(GENDB): $(B)/tests/report/gendb.o $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lsqlite3 -lm
CHECK_CLI_NEEDS += $(GENDB)

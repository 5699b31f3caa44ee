# SPDX-License-Identifier: GPL-2.0-only
# make bench: what reading a recording costs on this machine. No check: figures of a busy machine say little.
$(B)/tests/bench/bench_reader: $(B)/tests/bench/bench_reader.o $(B)/tests/unit/rawfile.o $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_analyze)
bench: $(B)/tests/bench/bench_reader
	$< 1000000
.PHONY: bench

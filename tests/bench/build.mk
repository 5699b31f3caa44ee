# SPDX-License-Identifier: GPL-2.0-only
# make bench: ratios against peers in one run. No check: figures of a busy machine say little.
$(B)/tests/bench/bench_reader: $(B)/tests/bench/bench_reader.o $(B)/tests/unit/rawfile.o $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_analyze)
$(B)/tests/bench/libcalls.so: tests/bench/calls.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -fPIC -shared -Wl,-soname,libcalls.so -o $@ $<
$(B)/tests/bench/caller: tests/bench/caller.c $(B)/tests/bench/libcalls.so
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -o $@ $< -L$(@D) -lcalls -Wl,-rpath,'$$ORIGIN'
$(B)/tests/bench/hit: tests/bench/hit.c $(B)/tests/bench/libcalls.so
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -Wl,-z,lazy -o $@ $< -L$(@D) -lcalls -Wl,-rpath,'$$ORIGIN'
$(B)/tests/bench/pg/hit: tests/bench/hit.c tests/bench/calls.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -pg -fPIC -shared -Wl,-soname,libcalls.so -o $(@D)/libcalls.so tests/bench/calls.c
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -pg -o $@ $< -L$(@D) -lcalls -Wl,-rpath,'$$ORIGIN'
$(B)/tests/bench/audit.so: tests/bench/audit.c
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -fPIC -shared -o $@ $<
$(B)/tests/bench/storm: tests/bench/storm.c $(B)/tests/bench/libcalls.so
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -pthread -o $@ $< -L$(@D) -lcalls -Wl,-rpath,'$$ORIGIN'
$(B)/tests/bench/insert: tests/bench/insert.c $(SQL)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -o $@ $^ -lsqlite3
bench: all $(B)/tests/bench/bench_reader $(B)/tests/bench/caller $(B)/tests/bench/hit $(B)/tests/bench/pg/hit $(B)/tests/bench/audit.so $(B)/tests/bench/storm $(B)/tests/bench/insert
	@scripts/tracefs.sh
	@B=$(B) tests/bench/run.sh
	@$(B)/tests/bench/bench_reader 1000000
.PHONY: bench
CHECK_CLI_NEEDS += $(B)/tests/bench/bench_reader $(B)/tests/bench/storm

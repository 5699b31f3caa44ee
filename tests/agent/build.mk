# SPDX-License-Identifier: GPL-2.0-only
# The agent by itself: what it does to programs.
$(B)/tests/agent/inside: $(B)/tests/agent/inside.o $(B)/record.a $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_record)
$(B)/tests/agent/busy: tests/agent/busy.cc
	@mkdir -p $(@D)
	$(call say,CXX,$@)
	$(Q)$(CXX) -O1 -pthread -o $@ $<
CHECK_CLI_NEEDS += $(B)/tests/agent/busy
CHECK_CLI_NEEDS += $(B)/tests/agent/inside
$(B)/tests/agent/lib%.so: tests/agent/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -fPIC -shared -fasynchronous-unwind-tables -fno-omit-frame-pointer -Wl,-soname,lib$*.so -o $@ $<
$(B)/tests/agent/ways: tests/agent/ways.c $(B)/tests/agent/libprobed.so $(B)/tests/agent/libloaded.so
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -fno-inline -fno-omit-frame-pointer $(WARN) -pthread -o $@ $< -L$(@D) -lprobed -ldl -lrt -Wl,-rpath,'$$ORIGIN'
CHECK_CLI_NEEDS += $(B)/tests/agent/ways
$(B)/tests/agent/forbid $(B)/tests/agent/hide: $(B)/tests/agent/%: tests/agent/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 $(WARN) -o $@ $<
CHECK_CLI_NEEDS += $(B)/tests/agent/forbid $(B)/tests/agent/hide
$(B)/tests/agent/shadow: tests/agent/shadow.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 $(WARN) -o $@ $<
CHECK_CLI_NEEDS += $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),$(B)/tests/agent/shadow)
$(B)/tests/unit/libshapes.so: tests/unit/shapes.S
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -nostdlib -Wl,--allow-shlib-undefined -o $@ $<
CHECK_UNIT_NEEDS += $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),$(B)/tests/unit/libshapes.so)

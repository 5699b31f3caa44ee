# SPDX-License-Identifier: GPL-2.0-only
# A library with each card's API, for tests/unit/test_stubs.c: what a profile says of arguments is held
# against the debug information that a compiler makes of the real signatures.
STUB_CFLAGS = -g -O2 -fPIC -shared -fno-builtin $(WARN)
STUBS := $(patsubst tests/profiles/%.c,$(B)/tests/profiles/%.so,$(wildcard tests/profiles/stub_*.c)) \
	 $(patsubst tests/profiles/%.cc,$(B)/tests/profiles/%.so,$(wildcard tests/profiles/stub_*.cc))

$(B)/tests/profiles/%.so: tests/profiles/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 $(STUB_CFLAGS) -o $@ $<
$(B)/tests/profiles/%.so: tests/profiles/%.cc
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CXX) $(filter-out -Wmissing-prototypes,$(STUB_CFLAGS)) -o $@ $<

CHECK_UNIT_NEEDS += $(STUBS) $(B)/examples/libblkdma.so

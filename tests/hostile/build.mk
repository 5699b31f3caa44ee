# SPDX-License-Identifier: GPL-2.0-only
# make check-hostile: HOSTILE mutants of each kind of file, always the same, for tools with sanitizers;
# tests/cli/hostile.t takes a minute of it.
HOSTILE ?= 10000
OBJCOPY ?= objcopy

# The tools in one program: each one's main() under the tool's name, and nothing else of that file seen.
HOSTILE_TOOLS := $(TOOLS:%=$(B)/tests/hostile/%.main.o)
define hostile-tool
$(B)/tests/hostile/$(1).main.o: $(B)/$(TOOL_$(1))/$(1).o
	@mkdir -p $$(@D)
	$$(Q)$(OBJCOPY) --keep-global-symbol=$(1)_main --redefine-sym main=$(1)_main $$< $$@
endef
$(foreach t,$(TOOLS),$(eval $(call hostile-tool,$(t))))
$(B)/tests/hostile/irqmap.fuzz.o: $(B)/tests/fuzz/fuzz_irqmap.o
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --redefine-sym LLVMFuzzerTestOneInput=fuzz_irqmap $< $@
$(B)/tests/hostile/hostile: $(B)/tests/hostile/hostile.o $(B)/tests/hostile/mutate.o $(HOSTILE_TOOLS) \
		$(B)/tests/hostile/irqmap.fuzz.o $(ARCHIVES) | $(LIBPERF)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBPERF) $(LIBS_all)
# Nothing certain that was not in the original.
$(B)/tests/hostile/certain: $(B)/tests/hostile/certain.o $(B)/tests/hostile/mutate.o $(B)/tests/hostile/dmaanalyze.main.o \
		$(B)/analyze.a $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_analyze)
hostile-programs: $(addprefix $(B)/,$(TOOLS)) $(B)/tests/gentrace $(B)/tests/hostile/hostile $(B)/tests/hostile/certain
check-hostile:
	$(MAKE) --no-print-directory -j2 $(ASAN) hostile-programs
	B=build/asan tests/hostile/run.sh $(HOSTILE)
	B=build/asan CERTAIN=1000 prove -e /bin/bash tests/cli/certain.t
.PHONY: hostile-programs check-hostile
CHECK_CLI_NEEDS += $(B)/tests/hostile/hostile $(B)/tests/hostile/certain

# SPDX-License-Identifier: GPL-2.0-only
# The judge of the joiner: recordings of a simulated world whose truth is known (doc/judge.md).
GATE := $(B)/tests/gate/gate
WORLD := $(addprefix $(B)/tests/gen/,world.o world_card.o world_program.o world_draw.o gen.o)
# The alignment that the judge compares the joiner with (doc/model.md).
ALIGN := $(patsubst %.c,$(B)/%.o,$(wildcard tests/gate/align/*.c))
$(GATE): $(patsubst %.c,$(B)/%.o,$(wildcard tests/gate/*.c)) $(ALIGN) $(WORLD) $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm
$(B)/tests/unit/test_world $(B)/tests/unit/test_lostone: $(WORLD)
$(B)/tests/unit/test_align $(B)/tests/unit/test_density: $(ALIGN)
CHECK_CLI_NEEDS += $(GATE)
gate: $(GATE)
.PHONY: gate

check-gate: $(GATE)
	$(TESTS) tests/gate/gate.t tests/gate/day.t
.PHONY: check-gate

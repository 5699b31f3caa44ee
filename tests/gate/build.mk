# SPDX-License-Identifier: GPL-2.0-only
# The judge of the joiner: recordings of a simulated world whose truth is known (doc/judge.md).
GATE := $(B)/tests/gate/gate
WORLD := $(addprefix $(B)/tests/gen/,world.o world_card.o world_program.o world_draw.o gen.o)
$(GATE): $(patsubst %.c,$(B)/%.o,$(wildcard tests/gate/*.c)) $(WORLD) $(B)/libdma.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm
$(B)/tests/unit/test_world: $(WORLD)
CHECK_CLI_NEEDS += $(GATE)
gate: $(GATE)
.PHONY: gate

# make check-gate: fixed seeds and a tenth of the size; check-gate-full: whole, and on seeds of the day, too.
gate_run = GATE_SEEDS=$(1) GATE_TRANSFERS=$(2) $(PROVE) -e /bin/bash tests/gate/gate.t
GATE_DAY := $(shell echo $$(( $$(date +%s) / 86400 * 100 + 1000000 )))
check-gate: $(GATE)
	$(call gate_run,1000001..1000002,200)
check-gate-full: $(GATE)
	$(call gate_run,1000001..1000020,2000)
	$(call gate_run,$(GATE_DAY)..$(shell echo $$(( $(GATE_DAY) + 19 ))),2000)
.PHONY: check-gate check-gate-full

# SPDX-License-Identifier: GPL-2.0-only
# A card whose registers lie in a file (tests/cli/watch.t).
$(B)/tests/watch/card: tests/watch/card.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARN) -pthread -o $@ $<
CHECK_CLI_NEEDS += $(B)/tests/watch/card
# Two threads that undo each other's starts (tests/cli/undone.t).
$(B)/tests/watch/race: tests/watch/race.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARN) -pthread -o $@ $<
CHECK_CLI_NEEDS += $(B)/tests/watch/race

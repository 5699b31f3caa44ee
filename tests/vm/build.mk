# SPDX-License-Identifier: GPL-2.0-only
# make vm: a shell in the guest, with an edu card and its driver's module at hand.
# make check-vm: the card, its driver and its library in the guest, against what is known to be true.
VM  := $(abspath $(B)/vm)
FLX := $(B)/tests/vm
FLX_CXX = $(CXX) -std=c++17 $(OPT) $(filter-out -Wmissing-prototypes,$(WARN)) -D_GNU_SOURCE \
	  -I.
FLX_H := examples/edu/edudma.h $(wildcard tests/vm/flx/*.h)

$(FLX)/libFlxCard.so: tests/vm/flx/FlxCard.cc $(FLX_H)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(FLX_CXX) -fPIC -shared -Wl,-soname,$(@F) -o $@ $<
$(FLX)/flxload: tests/vm/flx/flxload.cc $(FLX_H) $(FLX)/libFlxCard.so
	$(call say,LD,$@)
	$(Q)$(FLX_CXX) -o $@ $< -L$(FLX) -lFlxCard -Wl,-rpath,'$$ORIGIN'
$(FLX)/fastcard: tests/vm/fastcard.c tests/vm/flx/flxregs.h
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 $(OPT) $(WARN) -D_GNU_SOURCE -o $@ $<
vm-programs: all $(FLX)/flxload $(FLX)/fastcard

# From a clean clone on a fresh machine: what is missing is installed first.
vm:
	@scripts/deps.sh build
	$(MAKE) --no-print-directory -j2 all
	@tests/vm/prepare.sh $(VM)
	@echo auto >$(VM)/feed
	@cp tests/vm/try.sh $(VM)/share
	tests/vm/boot.sh $(VM) $(VM)/share -- -device edu
check-vm:
	@scripts/deps.sh build
	$(MAKE) --no-print-directory -j$(JOBS) vm-programs
	$(TESTS) tests/vm/check.sh

# The recordings of the last check-vm, analysed and judged again: seconds, for work on the analysis.
check-vm-again: all
	VM_AGAIN=1 $(TESTS) tests/vm/check.sh

# The guest with the kernels of other releases, by each feed (tests/vm/kernels.t).
check-kernels:
	@scripts/deps.sh build
	$(MAKE) --no-print-directory -j$(JOBS) vm-programs
	$(TESTS) tests/vm/kernels.t
.PHONY: check-kernels vm check-vm vm-programs check-vm-again

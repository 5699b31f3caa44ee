# SPDX-License-Identifier: GPL-2.0-only
# QEMU's edu card: a library in C and as a C++ class, one workload over each, and (make edudma) the driver
# for the kernel whose headers are KDIR.
EDU_CFLAGS = $(OPT) $(WARN) -D_GNU_SOURCE -I.
EDU_CC     = $(CC) -std=gnu11 $(EDU_CFLAGS)
EDU_CXX    = $(CXX) -std=c++17 $(filter-out -Wmissing-prototypes,$(EDU_CFLAGS))
EDU_H      := $(wildcard examples/edu/*.h)

$(B)/examples/libedu.so: examples/edu/libedu.c $(EDU_H)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(EDU_CC) -fPIC -shared -Wl,-soname,$(@F) -o $@ $<
$(B)/examples/libeducard.so: examples/edu/EduCard.cc $(EDU_H)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(EDU_CXX) -fPIC -shared -Wl,-soname,$(@F) -o $@ $<
$(B)/examples/edu.o: examples/edu/workload.c $(EDU_H)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(EDU_CC) -c -o $@ $<
$(B)/examples/edu: $(B)/examples/edu.o examples/edu/card_c.c $(B)/libdma.a $(B)/examples/libedu.so
	$(call say,LD,$@)
	$(Q)$(EDU_CC) -o $@ $(filter %.o %.c %.a,$^) -L$(B)/examples -ledu $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN' -lm
$(B)/examples/educard: $(B)/examples/edu.o examples/edu/card_cc.cc $(B)/libdma.a $(B)/examples/libeducard.so
	$(call say,LD,$@)
	$(Q)$(EDU_CXX) -o $@ $(filter %.o %.cc %.a,$^) -L$(B)/examples -leducard $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN' -lm
examples: $(B)/examples/edu $(B)/examples/educard

# The kernel's build system writes beside the sources, so it is given a copy.
KDIR   ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build /lib/modules/*/build))
EDUDMA := $(B)/examples/edudma/edudma.ko
$(EDUDMA): examples/edu/edudma.c examples/edu/edudma.h examples/edu/Kbuild
	@mkdir -p $(@D)
	@cp $^ $(@D)
	$(call say,KO,$@)
	$(Q)$(MAKE) --no-print-directory -C '$(KDIR)' M='$(abspath $(@D))' modules >$(@D)/log 2>&1 || \
		{ cat $(@D)/log; exit 1; }
edudma: $(EDUDMA)
.PHONY: edudma

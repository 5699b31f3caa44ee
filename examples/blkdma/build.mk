# SPDX-License-Identifier: GPL-2.0-only
# The disk as a DMA card: a shared library and a workload that uses it.
BLKDMA := $(B)/examples/blkdma
BLKDMA_LIB := $(B)/examples/libblkdma.so
BLKDMA_CFLAGS = -std=gnu11 $(OPT) $(WARN) -D_GNU_SOURCE

$(BLKDMA_LIB): examples/blkdma/libblkdma.c examples/blkdma/blkdma.h
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(BLKDMA_CFLAGS) -fPIC -shared -Wl,-soname,libblkdma.so -o $@ $< -laio
$(BLKDMA): examples/blkdma/workload.c $(B)/libdma.a examples/blkdma/blkdma.h $(BLKDMA_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(BLKDMA_CFLAGS) -I. -o $@ $(filter %.c %.a,$^) -L$(B)/examples -lblkdma $(ALL_LDFLAGS) \
		-Wl,-rpath,'$$ORIGIN' -lm
examples: $(BLKDMA)

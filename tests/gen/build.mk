# SPDX-License-Identifier: GPL-2.0-only
# The generator of event streams with known truth: its core is linked into the unit tests of the joiner.
$(B)/tests/unit/test_joinprop: $(B)/tests/gen/gen.o

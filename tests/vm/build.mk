# SPDX-License-Identifier: GPL-2.0-only
# make vm: a shell in the guest, with an edu card and its driver's module at hand.
VM := $(abspath $(B)/vm)
vm: all edudma
	@mkdir -p $(VM)/share
	@tests/vm/prepare.sh $(VM)
	tests/vm/boot.sh $(VM) $(VM)/share -- -device edu
.PHONY: vm

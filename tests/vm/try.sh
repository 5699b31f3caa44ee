# SPDX-License-Identifier: GPL-2.0-only
# In the guest of make vm: record 30 transfers of the edu card and analyse them. The recording and the database are
# left where the host finds them.
VM=${SHARE%/share}
B=${VM%/*}
[ -e /dev/edudma0 ] || busybox insmod "$VM/edudma.ko" || exit
PATH=$B:$B/examples:$PATH
dmarec --list --device edudma
dmarec -- edu --count 30
rm -f trace.db
dmaanalyze trace.db && cp dma.data trace.db "$SHARE"

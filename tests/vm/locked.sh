# SPDX-License-Identifier: GPL-2.0-only
# In a guest that was booted with lockdown=MODE: what dmarec says to that. $SHARE/locked.err, .status, .db
. "${BASH_SOURCE%/*}/guest.sh"
[ -e /sys/kernel/security/lockdown ] || mount -t securityfs securityfs /sys/kernel/security
cp /sys/kernel/security/lockdown "$SHARE/locked.mode"
rm -f "$SHARE"/locked.db
# (No disk: its workload fails at once, what is recorded are the console's interrupts and those of 9p.)
DMAREC_PROFILES=${BASH_SOURCE%/*}/../../examples/profiles "$B/dmarec" -o locked.data -- "$B/examples/blkdma" --count 1 \
	>"$SHARE/locked.out" 2>"$SHARE/locked.err"
"$B/dmaanalyze" -q -i locked.data locked.db && cp locked.db "$SHARE"
exit 0

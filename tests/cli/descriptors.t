#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A profile that tells devices by their path, on files: every read is of the file that it was of, even when
# the number is used for one file after the other. The size tells which: 1000 bytes of the file with
# channel 3, 2000 of that with channel 4.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze
needs_recording
[ -d /sys/kernel/tracing/events/syscalls/sys_enter_close ] || skip_all "a kernel without tracepoints of system calls"
workdir
head -c 400000 /dev/zero >card1_3
head -c 400000 /dev/zero >card1_4
cat >p.ini <<EOF
[profile]
title = files in place of devices
source = this test
[library]
soname = libc.so*
[transfer read]
fd = arg1:s32
size = arg3
ret = s64
fail = ret < 0
path = $tmp/card{card}_{channel} to_host
EOF
cat >quick.pl <<'EOF'
for (1 .. 200) {
	open F, "<:raw", "card1_3"; sysread F, $b, 1000; close F;
	open F, "<:raw", "card1_4"; sysread F, $b, 2000; close F;
}
EOF
cat >slow.pl <<'EOF'
for (1 .. 10) {
	for my $f (["card1_3", 1000], ["card1_4", 2000]) {
		open F, "<:raw", $f->[0];
		for (1 .. 4) { sysread F, $b, $f->[1]; select undef, undef, undef, 0.005; }
		close F;
	}
}
EOF
record() {
	rm -f r.db
	"$B/dmarec" --profile ./p.ini -o r.data -- "$@" && "$B/dmaanalyze" -q -i r.data r.db
}
count() { # condition
	sqlite3 r.db "select count(*) from transfer where $1"
}
none() { # condition
	[ "$(count "$1")" = 0 ] || { sqlite3 r.db "select channel, size_bytes, count(*) from transfer group by 1, 2"; return 1; }
}
at_least() { # number, condition
	[ "$(count "$2")" -ge "$1" ] || { count "$2"; return 1; }
}
ok "dd of one file" record dd if=card1_3 of=/dev/null bs=1000 count=400
ok "... and of no other" none 'channel <> 3 or size_bytes <> 1000'
ok "one number for two files in turn, slowly" record perl slow.pl
ok "... none is taken for the other" none '(channel = 3) <> (size_bytes = 1000)'
ok "... most are known" at_least 50 'channel in (3, 4)'
ok "quickly" record perl quick.pl
ok "... none is taken for the other" none '(channel = 3) <> (size_bytes = 1000)'
ok "processes, each with its own" record bash -c 'for i in $(seq 20); do dd if=card1_3 of=/dev/null bs=1000 count=3; dd if=card1_4 of=/dev/null bs=2000 count=3; done'
ok "... none is taken for the other" none '(channel = 3) <> (size_bytes = 1000)'
finish

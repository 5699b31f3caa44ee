#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A profile that tells devices by their path, on files: every read is of the file that it was of, even when
# the number is used for one file after the other. The size tells which: 1000 bytes of the file with
# channel 3, 2000 of that with channel 4.
B=$(realpath "${B:-build}")
if [ ! -x "$B/dmarec" ] || [ ! -x "$B/dmaanalyze" ]; then
	echo "1..0 # SKIP dmarec or dmaanalyze is not built"
	exit 0
fi
if [ ! -w /sys/kernel/tracing/uprobe_events ] || [ ! -d /sys/kernel/tracing/events/syscalls/sys_enter_close ]; then
	echo "1..0 # SKIP no right to write uprobe_events, or a kernel without tracepoints of system calls"
	exit 0
fi
DMAREC_PROFILES=$(realpath examples/profiles)
export DMAREC_PROFILES
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tmp=$(pwd -P)
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
n=0
ok() { # description, then a command
	local what=$1 not=
	shift
	n=$((n + 1))
	"$@" >out 2>&1 || not="not "
	echo "${not}ok $n - $what"
	[ -z "$not" ] || sed 's/^/# /' out
}
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
echo "1..$n"

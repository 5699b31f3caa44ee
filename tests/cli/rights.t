#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Root's rights: what root reads comes only from where root or the user alone can write; the recording is its
# owner's; the workload runs as who called sudo; nothing is written through planted links; and what is left of
# root's rights while a recording runs.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
[ "$(id -u)" = 0 ] || skip_all "only root can become another user"
id nobody >/dev/null 2>&1 || skip_all "there is no user nobody"
work=$B/examples/blkdma
workdir
chmod 711 "$tmp"
uid=$(id -u nobody) gid=$(id -g nobody)
sudo=(env "SUDO_UID=$uid" "SUDO_GID=$gid" SUDO_USER=nobody) # as under sudo, called by nobody
mkdir mine others
chmod 777 others
chown nobody: mine

# ---- where profiles and libraries come from ----
printf '[profile]\nauto = functions\n[start dma_to_host]\n[wait dma_wait]\n[counter x]\nfile = /etc/shadow\npattern = (.+)\n' >others/evil.ini
cp others/evil.ini mine/own.ini
unset XDG_CONFIG_HOME
planted() { # the profile in a directory that everybody can write is not taken, and that is said
	! DMAREC_PROFILES=$tmp/others "$B/dmarec" --profile evil --dry-run -- "$work" || return 1
}
ok "a profile where everybody can write is not taken" planted
like "... which is said" "$(cat err)" "evil.ini: everybody can write to $tmp/others"
chmod 755 others; chmod 666 others/evil.ini
ok "nor one that everybody can write" planted
chmod 644 others/evil.ini; chown nobody: others/evil.ini
ok "nor another user's" planted
ok "the user behind sudo has his own" "${sudo[@]}" env DMAREC_PROFILES="$tmp/others" "$B/dmarec" --profile evil --dry-run -- "$work"
chown root: others/evil.ini
ok "root's own is taken" env DMAREC_PROFILES="$tmp/others" "$B/dmarec" --profile evil --dry-run -- "$work"
mkdir lib777
cp "$work" .
cp "$B/examples/libblkdma.so" lib777
chmod 777 lib777
ok "a library where everybody can write is not looked into" status 1 env LD_LIBRARY_PATH="$tmp/lib777" "$B/dmarec" --dry-run -- ./blkdma
like "... which is said" "$(cat err)" "not looked into: $tmp/lib777/libblkdma.so, since everybody can write to $tmp/lib777"
ok "... but where it is named" env LD_LIBRARY_PATH="$tmp/lib777" "$B/dmarec" --dry-run -x "$tmp/lib777/libblkdma.so" -- ./blkdma

# ---- counters ----
echo 'card 42' >driver
printf '[start dma_to_host]\n[wait dma_wait]\n[counter x]\nfile = %s/driver\npattern = card (.+)\n' "$tmp" >c.ini
ok "a counter outside /proc and /sys is not read" "$B/dmarec" -q --profile ./c.ini -o c.data -- "$work" --count 3
ok "... nothing of it is in the recording" sh -c '! strings c.data | grep -q "before=42"'
ok "... which the recording says" grep -aq 'counter-file' c.data
ok "... but where the user names the file" "$B/dmarec" -q --profile ./c.ini --counter-file "$tmp/driver" -o c.data -- "$work" --count 3
ok "... it is" grep -aq 'before=42' c.data

# ---- the recording ----
is "the recording is its owner's alone" "$(stat -c '%a %U' c.data)" "600 root"
cd mine || exit 1
ok "under sudo" "${sudo[@]}" "$B/dmarec" -o s.data -x "$B/examples/libblkdma.so" -- sh -c 'id -u; id -G; echo $HOME; cat s.data' 
is "the workload runs as who called it" "$(head -n 1 out)" "$uid"
is "... with that user's groups" "$(sed -n 2p out)" "$(id -G nobody)"
is "... who owns the recording" "$(stat -c '%a %U' s.data)" "600 nobody"
ok "--as-root" "${sudo[@]}" "$B/dmarec" -q --as-root -o s.data -x "$B/examples/libblkdma.so" -- id -u
is "... runs it as root" "$(head -n 1 out)" 0
ok "--user" "$B/dmarec" -q --user nobody -o u.data -x "$B/examples/libblkdma.so" -- id -u
is "... runs it as that user" "$(head -n 1 out)" "$uid"
ok "a user that is not there" status 1 "$B/dmarec" -q --user no-such-user -o u.data -- true
cd ..
# An interrupt's sample has the kernel's address only where that is asked for.
address() { # options: the addresses of interrupts in the recording
	"$B/dmarec" -q "$@" -o a.data -- "$work" --count 200 >/dev/null || return 1
	perf script -i a.data -F event,ip 2>&1 | grep irq_handler
}
if command -v perf >/dev/null; then
	like "addresses that are asked for" "$(address --kernel-addresses | head -n 1)" ' ffff[0-9a-f]{12}'
	is "... and not otherwise" "$(address | grep -c 'ffff[0-9a-f]')" 0
else
	skip "the kernel's addresses" "perf is not installed"
fi

# ---- planted links ----
mkdir -m 1777 shared
echo precious >precious
ln -s "$tmp/precious" shared/p.data
chown -h nobody: shared/p.data
ok "a recording over a planted link" "$B/dmarec" -q -o shared/p.data -- "$work" --count 3
is "... leaves alone what it points to" "$(cat precious)" precious
echo theirs >shared/q.data.old; chown nobody: shared/q.data.old; echo mine >shared/q.data
ok "another user's FILE.old is not replaced" status 1 "$B/dmarec" -q -o shared/q.data -- "$work" --count 3
like "... which is said" "$(cat err)" 'q.data.old: belongs to another user'
is "... it is there still" "$(cat shared/q.data.old shared/q.data)" $'theirs\nmine'
ln -s "$tmp/precious.db" shared/t.db
chown -h nobody: shared/t.db
ok "a database through a planted link is refused" status 1 "$B/dmaanalyze" -q -i c.data shared/t.db
ok "... and not made" test ! -e precious.db

# ---- what is left of root's rights ----
caps() { awk '/^CapEff/ { print $2 }' "/proc/$1/status"; }
has() { # hexadecimal set, bit
	(((0x$1 >> $2) & 1))
}
cd mine || exit 1
"${sudo[@]}" "$B/dmarec" -q -o r.data -- "$work" --count 100000000 >/dev/null 2>&1 &
pid=$!
await recording $pid r.data
is "armed, the recorder is who called sudo" "$(awk '/^Uid/ { print $2, $3, $4 }' /proc/$pid/status)" "$uid $uid $uid"
set=$(caps $pid)
for right in 'DAC_OVERRIDE 1' 'SETUID 7' 'SYS_MODULE 16' 'SYS_RAWIO 17' 'SYS_PTRACE 19' 'SYS_ADMIN 21'; do
	is "... without ${right% *}" "$(has "$set" "${right#* }" && echo kept)" ""
done
is "... and cannot get them back" "$(awk '/^NoNewPrivs/ { print $2 }' /proc/$pid/status)" 1
kill -TERM $pid
ok "... which ends as it should" status 143 wait $pid
ok "... and leaves no probe" none_left $pid
cd ..
"$B/dmarec" -q -o r.data -- "$work" --count 100000000 >/dev/null 2>&1 &
pid=$!
await recording $pid r.data
set=$(caps $pid)
is "root's own recorder keeps no right to everything" "$(has "$set" 21 && echo kept; has "$set" 1 && echo kept)" ""
kill -TERM $pid
wait $pid
ok "... and leaves no probe" none_left $pid

# ---- without root ----
if command -v setpriv >/dev/null && [ -e /proc/sys/kernel/cap_last_cap ] && [ "$(cat /proc/sys/kernel/cap_last_cap)" -ge 39 ]; then
	drop() { # rights, then a command: as nobody with these rights only
		local rights=$1
		shift
		setpriv --reuid "$uid" --regid "$gid" --clear-groups --inh-caps "-all,$rights" --ambient-caps "-all,$rights" -- "$@"
	}
	chmod 755 "$tmp"
	cd mine || exit 1
	# The rights on tracefs are given as a right here: its owners are the machine's.
	if drop +dac_override,+perfmon,+bpf test -x "$work"; then
		ok "CAP_PERFMON, CAP_BPF and rights on tracefs are enough" drop +dac_override,+perfmon,+bpf "$B/dmarec" -q -m 64K --irq-feed bpf -o n.data -- "$work" --count 10 --file-size 1M
		ok "... and the command gets none of them" drop +dac_override,+perfmon,+bpf "$B/dmarec" -q -m 64K -o n.data -x "$B/examples/libblkdma.so" -- sh -c 'test "$(awk "/^CapEff/ { print \$2 }" /proc/self/status)" = 0000000000000000'
		ok "without CAP_BPF" status 1 drop +dac_override,+perfmon "$B/dmarec" -q -m 64K --irq-feed bpf -o n.data -- "$work" --count 10
		like "... that is what is missing" "$(cat err)" 'CAP_BPF, which is missing'
		ok "without CAP_PERFMON" status 1 drop +dac_override,+bpf "$B/dmarec" -q -m 64K -o n.data -- "$work" --count 10
		like "... that is what is missing" "$(cat err)" 'CAP_PERFMON is missing'
		ok "without rights on tracefs" status 1 drop +perfmon,+bpf "$B/dmarec" -q -o n.data -- "$work" --count 10
		like "... that is what is missing" "$(cat err)" 'no right to use tracefs'
	else
		skip "rights without root" "nobody cannot reach the build"
	fi
	cd ..
else
	skip "rights without root" "no setpriv here, or a kernel before 5.8"
fi
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Probes in the process: the same hits as uprobes, whatever the workload does, and its output and status as
# without them.
B=$(realpath "${B:-build}")
src=$(realpath tests/agent) exits=$(realpath tests/exits)
DMAREC_PROFILES=$(realpath examples/profiles)
export DMAREC_PROFILES
if [ ! -w /sys/kernel/tracing/uprobe_events ]; then
	echo "1..0 # SKIP no right to write uprobe_events"
	exit 0
fi
case $(uname -m) in
x86_64 | aarch64) ;;
*) echo "1..0 # SKIP no agent for this machine"; exit 0 ;;
esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
ways=$B/tests/agent/ways loaded=$B/tests/agent/libloaded.so
n=0
ok() { # description, then a command
	local what=$1 not=
	shift
	n=$((n + 1))
	"$@" >out 2>err || not="not "
	echo "${not}ok $n - $what"
	[ -z "$not" ] || sed 's/^/# /' out err
}
record() { # probes, then the command; its output and status go to traced, the summary to said
	local how=$1
	shift
	timeout 120 "$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" -x "$loaded" \
		--probes "$how" -o "$how.data" -- "$@" >traced 2>said
	echo "status $?" >>traced
}
counts() { # the lines of the summary, without the interrupts
	sed -n 's/^  \(submit\|doorbell\|started\|wait\|woken\) */\1 /p' said
}
same() { # number of hits of each place (or -), then arguments of ways
	local want=$1
	shift
	"$ways" "$@" >plain 2>/dev/null
	echo "status $?" >>plain
	record process "$ways" "$@"
	cmp -s plain traced || { echo "the output differs"; diff plain traced; cat said; return 1; }
	grep -q 'armed in the process' said || { cat said; return 1; }
	grep 'agent counted' said && return 1
	counts >process.counts
	[ "$want" = - ] && return
	record kernel "$ways" "$@"
	counts >kernel.counts
	cmp process.counts kernel.counts || { cat process.counts kernel.counts; return 1; }
	awk -v want="$want" '{ gsub(",", "") } $4 != want || $6 != want || $8 != 0 { bad = 1 } END { exit bad || !NR }' \
		process.counts || { cat process.counts; return 1; }
}
ok "plain calls" same 50 calls 50
ok "fork without exec, twice deep" same 400 fork 50
ok "vfork: the child's calls are its own" same 10 vfork 50
ok "posix_spawn, execv, execve without environment, vfork and exec, syscall()" same 400 spawn 50
ok "system() and popen(): recorded, and they see no variable of ours" same 200 shell 50
ok "clone, with its own memory and with ours" same 400 clone 50
ok "clones that begin while the recorder has no ring ready and is stopped" same 650 starve 50
ok "64 threads, three times" same 9600 threads 50
ok "dlopen and dlclose, 20 times; the constructor's call counts" same 1022 dlopen 50 "$loaded"
ok "signals whose handlers hit probes within probes" same - signal 50
jumped() { # hits that a handler jumps out of: counted = delivered + lost, and the rest as before
	"$ways" jump 50 >plain
	echo "status $?" >>plain
	record process "$ways" jump 50
	cmp plain traced && counts | awk '{ gsub(",", ""); if ($4 != $6 + $8 || $6 < $4 / 2) exit 1 }'
}
ok "jumps out of a handler in the middle of a hit" jumped
ok "registers, flags, vectors and the red zone are kept; endbr64 stays first" same 1000 kept 1000
all_there() { # keeper: its entry, its store, its ret
	grep -q '^doorbell keeper' process.counts && grep -q '^started keeper' process.counts
}
ok "... at the entry, the doorbell's store and the ret" all_there
unwound() { # from below a function that is armed in the process at its entry and its exit
	same 1 unwind && ! grep -q 'unwound.* is probed by the kernel' said
}
ok "an unwinder finds as many frames" unwound

# ---- many ----
kept() { # probes a second on two threads, what may be lost
	"$B/dmarec" --probes process -o storm.data -- "$B/tests/bench/storm" 2 "$1" 1 >rate 2>said || { cat said; return 1; }
	echo "# $(cat rate) probes a second were reached" >&3
	counts >storm.counts
	awk -v may="$2" '{ gsub(",", ""); if ($4 != $6 + $8 || $8 > may) bad = 1 } END { exit bad || NR != 4 }' storm.counts ||
		{ cat said; return 1; }
}
exec 3>&1
ok "a million probes a second, where the machine gives as many: none is lost" kept 1000000 0
ok "five million wanted: counted = delivered + lost" kept 5000000 1000000000
exec 3>&-

# ---- death ----
dead() { # expected status, way
	record process "$ways" "$2" 70
	grep -q "^status $1\$" traced && counts | grep -q 'submit probed *counted 70, delivered 70, lost 0' ||
		{ cat traced said; return 1; }
	"$B/dmaanalyze" -q -i process.data "$2.db" && [ "$(sqlite3 "$2.db" \
		"SELECT count(*) FROM sample s JOIN source o ON o.id = source_id WHERE o.role = 'submit'")" = 70 ]
}
ok "killed by -9: what its rings held is in the file" dead 137 kill
ok "crashed: likewise" dead 139 crash

# ---- beside others ----
beside() { # a uprobe on the same places comes and goes, for another program, while this one runs
	mkfifo to from || return 1
	: >traced && : >other.out
	record process "$ways" turns 50 <to &
	local recorder=$! other
	exec 3>to
	until [ "$(grep -c turn traced)" = 1 ]; do kill -0 $recorder || return 1; done
	"$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --probes kernel -o other.data -- \
		"$ways" turns 10 <from >other.out 2>other.said &
	other=$!
	exec 4>from
	until [ "$(grep -c turn other.out)" = 1 ]; do kill -0 $other || return 1; done
	(echo >&3)
	until [ "$(grep -c turn traced)" = 2 ]; do kill -0 $recorder || break; done
	exec 4>&-
	wait $other
	(echo >&3)
	exec 3>&-
	wait $recorder
	grep -q '^status 3$' traced && counts | grep -q 'submit probed *counted 150, delivered 150, lost 0' ||
		{ cat traced said other.said; return 1; }
}
ok "another recorder's uprobes on the same places come and go" beside

twice() { # a process with an agent in it: the kernel's probes would not see its calls
	mkfifo again || return 1
	: >traced
	record process sh -c "echo \$\$ >pid; exec $ways turns 50" <again &
	local recorder=$! status
	exec 3>again
	until grep -q turn traced; do kill -0 $recorder || return 1; done
	"$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --duration 100ms -o s.data \
		-p "$(cat pid)" 2>other.said
	status=$?
	exec 3>&-
	wait $recorder
	[ $status = 1 ] && grep -q 'probes of another recording' other.said || { cat other.said; return 1; }
}
ok "-p refuses a process that has another recording's probes in it" twice

# ---- the file ----
alike() { # perf script says the same of both, but for times, processors and numbers
	for how in process kernel; do
		record "$how" "$ways" calls 20
		perf script -F comm,event,trace -i "$how.data" 2>/dev/null | grep 'probed\|keeper' |
			sed 's/dmarec_[0-9]*/dmarec/; s/([0-9a-f]*\(...\))/(\1)/; s/^ *//; s/  */ /g' >"$how.script"
	done
	[ -s process.script ] && cmp process.script kernel.script
}
if command -v perf >/dev/null; then
	ok "perf script reads the same" alike
else
	echo "ok $((n = n + 1)) - perf script reads the same # SKIP no perf"
fi
armed() {
	for how in process kernel; do
		record "$how" "$ways" calls 20
		"$B/dmaanalyze" -q -i $how.data $how.db || return 1
		[ "$(sqlite3 $how.db "SELECT DISTINCT armed FROM source WHERE role = 'submit'")" = $how ] || return 1
	done
	[ "$(sqlite3 process.db 'SELECT process_cost_ns > 0 AND uprobe_cost_ns IS NULL FROM run')" = 1 ] &&
		[ "$(sqlite3 kernel.db 'SELECT uprobe_cost_ns > 0 AND process_cost_ns IS NULL FROM run')" = 1 ]
}
ok "the source says which kind it is, the run what a hit of it costs" armed
clocks() {
	for c in mono mono_raw boot tai; do
		"$B/dmarec" -q --clock $c --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" -o c.data -- \
			"$ways" calls 20 >/dev/null
		[ $? = 3 ] || return 1
		rm -f c.db
		"$B/dmaanalyze" -q -i c.data c.db || return 1
		[ "$(sqlite3 c.db "SELECT count(*) FROM sample, run WHERE time_ns BETWEEN begin_ns AND end_ns
			AND source_id IN (SELECT id FROM source WHERE role = 'submit')")" = 20 ] || { echo "$c"; return 1; }
	done
}
ok "every clock: hits lie within the recording" clocks

# ---- the workload's own clock ----
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
own_clock() { # total against what the workload measured of the same transfers, and every stamp in its order
	"$B/dmarec" -q -o o.data -- "$B/examples/blkdma" --count 2000 --size 4K,64K --mix 30% --file-size 16M --latencies own >/dev/null 2>&1 &&
		"$B/dmaanalyze" -q -i o.data o.db || return 1
	sqlite3 o.db "SELECT woken_ns - submit_ns FROM transfer ORDER BY submit_ns" >total
	paste total own | awk '{ print $2 - $1 }' | median >off
	echo "# total is $(cat off) ns below the workload's own, at the median of $(wc -l <total)" >&3
	awk '{ exit !($1 >= 0 && $1 <= 2000) }' off && [ "$(wc -l <total)" = 2000 ] && [ "$(sqlite3 o.db "SELECT count(*) FROM transfer
		WHERE NOT (submit_ns <= doorbell_ns AND doorbell_ns <= woken_ns) OR irq_ns < doorbell_ns")" = 0 ]
}
exec 3>&1
ok "total agrees with the workload's own clock within 2 us; no negative device" own_clock
exec 3>&-

# ---- exceptions, as the kernel's probes see them ----
thrown() {
	"${CXX:-g++}" -O2 -fPIC -shared -Wl,-soname,libFlxCard.so -o libFlxCard.so "$exits/FlxCard.cc" &&
		"${CXX:-g++}" -O2 -o prog "$exits/program.cc" -L. -lFlxCard -Wl,-rpath,"$tmp" || return 1
	for how in process kernel; do
		"$B/dmarec" --probes $how -o $how.data -- ./prog 1000 >$how.out 2>said
		echo $? >>$how.out
		counts >$how.counts
		[ $how = kernel ] || grep -q 'probes are armed in the process' said || return 1
	done
	cmp process.out kernel.out && cmp process.counts kernel.counts && [ -s process.counts ]
}
ok "exceptions thrown through probed functions" thrown
joined() { # the disk: transfers, channels, sizes and states
	for how in process kernel; do
		"$B/dmarec" -q --probes $how -o $how.data -- "$B/examples/blkdma" --count 500 --size 4K,16K --mix 20% \
			--file-size 16M >/dev/null 2>&1 || return 1
		rm -f $how.db
		"$B/dmaanalyze" -q -i $how.data $how.db || return 1
		sqlite3 $how.db "SELECT channel, direction, size_bytes, count(*) FROM transfer GROUP BY 1, 2, 3" >$how.sizes
	done
	cmp process.sizes kernel.sizes && [ -s process.sizes ] &&
		[ "$(sqlite3 process.db 'SELECT count(*) FROM transfer WHERE irq_ns < doorbell_ns')" = 0 ]
}
ok "the disk: the same transfers; no interrupt before its doorbell" joined

lean() { # nothing in the agent may change a vector register, or trust the direction flag
	! objdump -d "$B/dmarec-agent.so" | grep -E '%[xyz]mm|rep (movs|stos)|\<[qdsb][0-9]+, \['
}
ok "the agent has no vector and no string instruction" lean

# ---- what stays with the kernel is said, and works ----
static() {
	"${CC:-gcc}" -static -O1 -o static -x c - <<-'C' || return 1
		long __attribute__((noinline)) probed(long n) { __asm__ volatile("nop;nop;nop;nop;nop" ::: "memory"); return n + 1; }
		int main(void) { for (int i = 0; i < 50; i++) probed(i); return 3; }
	C
	"$B/dmarec" --start probed --probes process -o s.data -- ./static >/dev/null 2>said
	[ $? = 3 ] && grep -q 'probed by the kernel' said &&
		grep -q 'submit .*counted 50, delivered 50, lost 0' said || { cat said; return 1; }
}
ok "a static program: by the kernel" static
setuid() {
	cp "$ways" "$B/tests/agent/libprobed.so" . && chmod u+s ways || return 1
	"$B/dmarec" --profile "$src/ways.ini" --probes process -o s.data -- ./ways calls 50 >/dev/null 2>said
	grep -q 'rights of its own' said && grep -q 'submit .*counted 50, delivered 50, lost 0' said || { cat said; return 1; }
}
ok "a set-uid program: by the kernel" setuid
attached() {
	sleep 100 & local pid=$!
	"$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --probes process --duration 200ms \
		-o s.data -p $pid 2>said
	local status=$?
	kill $pid
	[ $status = 0 ] && grep -q 'running already' said || { cat said; return 1; }
}
ok "a running process: by the kernel" attached
forbidden() { # a seccomp filter that forbids mprotect of code
	"$B/tests/agent/forbid" "$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --probes auto \
		-o s.data -- "$ways" calls 50 >/dev/null 2>said
	grep -q 'mprotect is forbidden' said && grep -q 'submit .*counted 50, delivered 50, lost 0' said ||
		{ cat said; return 1; }
}
ok "mprotect forbidden by seccomp: noticed, said, by the kernel" forbidden
shadowed() { # a processor's and a C library's shadow stack, as their answer to arch_prctl()
	"$B/tests/agent/shadow" say "$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --probes auto \
		-o s.data -- "$ways" calls 50 >/dev/null 2>said
	[ $? = 3 ] && grep -q 'by the kernel: the process has a shadow stack (CET)' said &&
		grep -q 'submit .*counted 50, delivered 50, lost 0' said || { cat said; return 1; }
}
stepped() { # expected status, options: hits stepped through, a shadow stack kept for them
	local want=$1
	shift
	"$B/dmarec" -q --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" "$@" -o s.data -- \
		"$B/tests/agent/shadow" step "$ways" steps 10 >/dev/null 2>said
	[ $? = "$want" ] || { cat said; return 1; }
}
marked() { # or the loader would turn shadow stacks off for it
	readelf -n "$B/dmarec-agent.so" | grep -q 'IBT, SHSTK' &&
		objdump -d --disassemble=agent_common "$B/dmarec-agent.so" | grep -A1 '<agent_common>:' | grep -q endbr64
}
if [ -x "$B/tests/agent/shadow" ]; then
	ok "a shadow stack: noticed, said, by the kernel" shadowed
	ok "every return within a hit goes where its call came from" stepped 3 --probes process
	ok "... where that of a return uprobe does not" stepped 1 --probes kernel --exit-probes uretprobe
	ok "the agent turns no program's shadow stack off" marked
fi
confined() { # way, calls before and after: a hit makes no system call that is not allowed; what is lost is told
	"$ways" "$1" "$2" >plain
	echo "status $?" >>plain
	record process "$ways" "$1" "$2"
	cmp plain traced && counts | awk -v n="$2" '{ gsub(",", ""); if ($4 != 2 * n || $4 != $6 + $8 || $6 < n) exit 1 }' &&
		{ counts | grep -q 'lost 0$' || grep -q 'missing; a process confined itself by seccomp' said; } ||
		{ cat traced said; return 1; }
}
ok "a program that takes a filter which any new call is death to" confined filter 50000
ok "... or the strict mode" confined strict 1000
elsewhere() { # a pid of another namespace would be a wrong number
	record process "$ways" namespace 50
	grep -q '^status 3$' traced && counts | grep -q 'submit probed *counted 100, delivered 50, lost 50' &&
		grep -q 'missing; a process forked into another pid or time namespace' said || { cat traced said; return 1; }
}
ok "a child in another pid namespace: told as lost, not recorded under a wrong number" elsewhere
unarmed() { # a program that the agent cannot come to life in
	"$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" -o s.data -- \
		"$B/tests/agent/hide" "$ways" calls 50 >/dev/null 2>said
	grep -q 'without probes' said || { cat said; return 1; }
}
ok "a process that slips out of the agent's sight is told of" unarmed
dry() {
	"$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --dry-run -- "$ways" calls >plan &&
		grep -q 'armed    in the process' plan &&
		"$B/dmarec" --profile "$src/ways.ini" -x "$B/tests/agent/libprobed.so" --dry-run --exit-probes uretprobe \
			-- "$ways" calls | grep -q 'armed    in the kernel: a return probe'
}
ok "--dry-run says where each is armed, and why" dry
clean() { # nothing of a recorder that has ended
	local left
	for d in /dev/shm /tmp /run /var/tmp; do
		for f in "$d"/dmarec-[0-9]*; do
			[ -e "$f" ] && left=$(basename "$f") && left=${left#dmarec-} && [ ! -d "/proc/${left%%-*}" ] && echo "$f" && return 1
		done
	done
	return 0
}
ok "no file is left" clean
echo "1..$n"

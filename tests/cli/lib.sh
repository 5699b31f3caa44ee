# SPDX-License-Identifier: GPL-2.0-only
# Read by tests/cli/*.t: results as TAP, a directory that goes away, what a test needs, and waiting without
# guessing how long. A test begins with
#   . "${BASH_SOURCE%/*}/lib.sh"
# and ends with `finish`. B is the build and SRC the source, both absolute. A test that records says so with
# `needs_recording`: make check runs such tests one at a time, with nothing beside them.
SRC=$(realpath "${BASH_SOURCE[0]%/*}/../..")
B=$(realpath "${B:-$SRC/build}")
tests=0

skip_all() { # reason: nothing of this test can be run
	echo "1..0 # SKIP $*"
	exit 0
}

needs() { # programs, from the build's directory
	local p
	for p in "$@"; do [ -x "$B/$p" ] || skip_all "$p is not built"; done
}

needs_recording() {
	[ -w /sys/kernel/tracing/uprobe_events ] || skip_all "no right to write uprobe_events"
	export DMAREC_PROFILES=$SRC/examples/profiles
}

workdir() { # enter a directory of this test's own, tmp
	tmp=$(mktemp -d) || exit 1
	trap 'cd /; rm -rf "$tmp"' EXIT
	cd "$tmp" || exit 1
	tmp=$(pwd -P)
	touch out err
}

plan() { # number of tests: in place of finish, where a test that ends too early could pass
	echo "1..$1"
}

finish() {
	echo "1..$tests"
}

# ---- results ----

shown() { # what was printed, as TAP's comments
	cat err out 2>/dev/null | head -n 40 | sed 's/^/# /'
}

result() { # status, description: of what just ran; with its output in out and err, they are shown
	tests=$((tests + 1))
	[ "$1" = 0 ] && echo "ok $tests - $2" && return
	echo "not ok $tests - $2"
	shown
	return 1
}

ok() { # description, then a command; its output is in out and err, that of the one before in last.out, last.err
	local what=$1
	shift
	mv -f out last.out 2>/dev/null
	mv -f err last.err 2>/dev/null
	"$@" >out 2>err
	result $? "$what"
}

is() { # description, what there is, what should be
	local same=0
	[ "$2" = "$3" ] || same=1
	result $same "$1" || printf '# got:      %s\n# expected: %s\n' "${2//$'\n'/$'\n'#           }" "${3//$'\n'/$'\n'#           }"
}

like() { # description, a text, an extended regular expression
	grep -Eq -- "$3" <<<"$2"
	result $? "$1" || printf '# got:        %s\n# should hold: %s\n' "${2//$'\n'/$'\n'#             }" "$3"
}

skip() { # description, reason
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

todo() { # description, reason with the limit and today's figure, then a command
	local what=$1 reason=$2 not=''
	shift 2
	tests=$((tests + 1))
	"$@" >out 2>err || not='not '
	echo "${not}ok $tests - $what # TODO $reason"
}

# ---- conditions ----

status() { # expected status, then a command
	local want=$1 got
	shift
	"$@"
	got=$?
	[ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}

sql_is() { # database, expected, query
	local got
	got=$(sqlite3 "$1" "$3")
	[ "$got" = "$2" ] || { echo "$3: '$got', not '$2'"; return 1; }
}

sql_least() { # database, number, query
	local got
	got=$(sqlite3 "$1" "$3")
	[ "${got:-0}" -ge "$2" ] || { echo "$3: $got, below $2"; return 1; }
}

# Wait until a command succeeds. Only what never comes true ends by time: after a minute, whatever else runs here.
await() {
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "# not within a minute: $*" >&2; return 1; }
		sleep 0.02
	done
}

bigger() { # file, bytes
	[ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]
}

# dmarec with that process id has armed all and waits for samples: its file has been begun, and it sleeps in poll().
recording() { # process id, its file
	bigger "$2" 0 && grep -q poll "/proc/$1/wchan"
}

# Nothing of that dmarec is left in the kernel.
none_left() { # process id
	! grep "dmarec_$1[_/]" /sys/kernel/tracing/uprobe_events
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Reports where others can write, and what goes wrong while they are drawn. Promised: nothing goes through a link
# that another user planted, nothing of another user's is replaced, what fails is said, and nothing is left of it.
. "${BASH_SOURCE%/*}/lib.sh"
[ -x "$SRC/build/asan/dmareport" ] && [ -x "$SRC/build/asan/dmacompare" ] && B=$SRC/build/asan # whose leaks are errors
needs dmaanalyze dmareport dmacompare tests/gentrace
workdir
gnuplot --version >/dev/null 2>&1 || skip_all "gnuplot is not installed"
"$B/tests/gentrace" --count 300 -o a.data >/dev/null && "$B/dmaanalyze" -q -i a.data t.db || skip_all "gentrace wrote nothing"
report=("$B/dmareport" --format html,png --plot histogram,tail,slowest)

# ---- a label ----
ok "(a label that steers the terminal)" "$B/dmaanalyze" -q --label $'\e[31mred\e]0;title\a' -i a.data label.db
ok "--term" "$B/dmareport" --term label.db
is "... prints none of it" "$(tr -d -c '\033\007' <out | wc -c)" 0
like "... but the words" "$(cat out)" 'red'

# ---- planted links ----
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1; then
	chmod 755 "$tmp"
	mkdir target shared
	echo precious >precious
	# (in a sticky directory that everybody can write the kernel itself refuses)
	ln -s "$tmp/target" shared/report; chown -h -R nobody: shared
	ok "a report into a planted link is refused" status 1 "${report[@]}" -o shared/report t.db
	like "... which is said" "$(cat err)" 'shared/report: is a link of another user'
	ok "so is a comparison's" status 2 "$B/dmacompare" --report shared/report t.db t.db
	is "... and nothing comes into where it leads" "$(ls -A target)" ""
	ln -s "$tmp/target" own
	ok "a link of one's own is followed" "${report[@]}" -o own t.db
	ok "... to where it leads" test -s target/index.html
	mkdir theirs
	for f in index.html histogram.png; do ln -s "$tmp/precious" theirs/$f; done
	chown -h -R nobody: theirs
	ok "links for names of the report" "${report[@]}" -o theirs t.db
	is "... are replaced, not followed" "$(cat precious)" precious
	ok "... by files" test -f theirs/index.html -a ! -L theirs/index.html -a ! -L theirs/histogram.png
	mkdir -m 1777 all
	echo theirs >all/index.html; chown nobody: all/index.html
	ok "where everybody can write, another user's file is not replaced" status 1 "${report[@]}" -o all t.db
	like "... which is said" "$(cat err)" 'all/index.html: belongs to another user'
	is "... it is there still" "$(cat all/index.html)" theirs
	ok "... and nothing temporary is left" sh -c '! ls -A all | grep "^[.]"'
else
	skip "planted links" "only root can plant another user's"
fi

# ---- a gnuplot that fails ----
mkdir bin
gnuplot=$(command -v gnuplot)
failing() { # what it does when it is to draw, then a command
	printf '#!/bin/sh\n[ -e "$TERMINALS" ] && { %s; }\ntouch "$TERMINALS"; exec "%s" "$@"\n' "$1" "$gnuplot" >bin/gnuplot
	chmod +x bin/gnuplot
	rm -f asked
	shift
	TERMINALS=$tmp/asked PATH=$tmp/bin:$PATH "$@"
}
clean() { # no sanitizer spoke, and nothing temporary is left in the directory
	! grep -a 'Sanitizer' err last.err && ! ls -A "$1" 2>/dev/null | grep '^[.]'
}
for what in 'exit 3' 'kill -9 $$' 'exit 0' 'echo "warning: no" >&2; exit 1'; do
	for tool in dmareport dmacompare; do
		rm -rf fail
		mkdir fail
		args=(-o fail t.db) want=1
		[ $tool = dmareport ] || args=(--report fail t.db t.db) want=2
		ok "$tool, when gnuplot does: $what" status $want failing "$what" "$B/$tool" "${args[@]}"
		ok "... says so, and leaves nothing" clean fail
	done
done

# ---- a full disk ----
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k none small 2>/dev/null; then
	ok "a full disk" status 1 "${report[@]}" -o small/r t.db
	ok "... leaves nothing temporary" clean small/r
	dd if=/dev/zero of=small/fill bs=1k count=60 2>/dev/null
	ok "one that is full of others'" status 1 "${report[@]}" -o small/q t.db
	ok "... leaves nothing temporary" clean small/q
	ok "a comparison on a full disk" status 2 "$B/dmacompare" --report small/c t.db t.db
	ok "... leaves nothing temporary" clean small/c
	umount small
else
	skip "a full disk" "no right to mount"
fi
finish

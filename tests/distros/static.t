#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The archive of make dist-static, unpacked in other releases of Debian with nothing of ours installed: records 5000
# transfers of the disk (at least 4990 complete), analyses, draws with that system's gnuplot, and its own sqlite3 reads.
# (needs_recording: alone.)
. "${BASH_SOURCE%/*}/../cli/lib.sh"
archive=$(ls -t "$SRC"/build/dist/dmarec-*-"$(uname -m)".tar.xz 2>/dev/null | head -n 1)
[ "$archive" ] || skip_all "no archive in build/dist (make dist-static)"
name=$(basename "$archive" .tar.xz)
workdir
for suite in ${DISTROS:-bullseye trixie}; do
	root=$SRC/build/distros/$suite
	in_it() { "$SRC/scripts/distro.sh" run "$suite" "cd /root/carried && export PATH=/root/carried/$name/bin:\$PATH LD_LIBRARY_PATH=. && $*"; }
	reason=$("$SRC/scripts/distro.sh" make "$suite") || { skip "$suite" "$reason"; continue; }
	rm -rf "$root/root/carried"
	mkdir "$root/root/carried"
	# The workload is that system's own build where it has one: this one's may need a newer libc, and a library for
	# asynchronous reads that has another name in 13.
	cp "$B/examples/blkdma" "$B"/examples/libblkdma*.so "$(ldconfig -p | awk '$1 == "libaio.so.1" { print $NF; exit }')" "$root/root/carried/"
	[ ! -e "$root/src/build/examples/blkdma" ] || cp "$root"/src/build/examples/{blkdma,lib*.so} "$root/root/carried/"
	ok "$suite: has gnuplot and sqlite3" in_it \
		'command -v gnuplot && command -v sqlite3 || { apt-get update && apt-get install -y gnuplot-nox sqlite3; }'
	ok "$suite: unpacks" tar xJf "$archive" -C "$root/root/carried"
	ok "$suite: records" in_it './blkdma --help >/dev/null; dmarec -o d.data -- ./blkdma --count 5000 --file-size 64M'
	ok "$suite: analyses" in_it 'dmaanalyze -i d.data t.db'
	ok "$suite: its sqlite3 reads" in_it 'sqlite3 t.db "SELECT * FROM completeness"'
	cp "$root/root/carried/t.db" "$suite.db"
	n=$(sqlite3 "$suite.db" "SELECT count(*) FROM transfer")
	complete=$(sqlite3 "$suite.db" "SELECT count(*) FROM transfer WHERE state = 'complete'")
	echo "# $suite: $n transfers, $complete complete"
	[ "$n" = 5000 ] && [ "$complete" -ge 4990 ]
	result $? "$suite: 5000 transfers, at least 4990 complete"
	ok "$suite: draws with its gnuplot" in_it 'dmareport -o report t.db && test -s report/index.html && test -s report/histogram.png'
	ok "$suite: without gnuplot it says so" in_it 'PATH=/root/carried/'"$name"'/bin; dmareport -o none t.db 2>&1 | /usr/bin/grep "gnuplot is not installed"'
	ok "$suite: ... and --term draws" in_it 'PATH=/root/carried/'"$name"'/bin; dmareport --term t.db'
	ok "$suite: its profiles are found" in_it 'dmarec --dry-run --profile wupper -- ./blkdma 2>&1 | grep -v "there is no profile"'
	rm -rf "$root/root/carried"
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The package of make deb in a clean system of the release that it was made on, and in the next one: installs, records, has
# its pages and completion, and leaves nothing when it is removed.
# (needs_recording: alone.)
. "${BASH_SOURCE%/*}/../cli/lib.sh"
deb=$(ls -t "$SRC"/build/dist/dmarec_*.deb 2>/dev/null | head -n 1)
[ "$deb" ] || skip_all "no package in build/dist (make deb)"
needs examples/blkdma
workdir
files() { # of the system, but what is ours and what lives
	find "$root" -xdev \( -path "$root/src" -o -path "$root/tmp" -o -path "$root/var" -o -path "$root/root" \) -prune -o -print | sort
}
for suite in ${DEB_SYSTEMS:-$(. /etc/os-release && echo "$VERSION_CODENAME") trixie}; do
	[ "${last:-}" != "$suite" ] || continue
	last=$suite root=$SRC/build/distros/$suite
	in_it() { "$SRC/scripts/distro.sh" run "$suite" "cd /root/carried && $*"; }
	reason=$("$SRC/scripts/distro.sh" make "$suite") || { skip "$suite" "$reason"; continue; }
	rm -rf "$root/root/carried"
	mkdir "$root/root/carried"
	# (The library for asynchronous reads has another name in 13.)
	cp "$B/examples/blkdma" "$B"/examples/libblkdma*.so "$(ldconfig -p | awk '$1 == "libaio.so.1" { print $NF; exit }')" "$root/root/carried/"
	cp "$deb" "$root/tmp/dmarec.deb"
	# apt-get brings what it depends on; minimal systems leave pages out, so they are let in.
	rm -f "$root"/etc/dpkg/dpkg.cfg.d/docker*
	ok "$suite: what it depends on can be had" in_it \
		'apt-get install -y man-db bash-completion libc6 sqlite3 && apt-get install -y /tmp/dmarec.deb && dpkg -r dmarec'
	files >before
	ok "$suite: dpkg -i" in_it 'dpkg -i /tmp/dmarec.deb'
	ok "$suite: dmarec --version" in_it 'dmarec --version && dmaanalyze --version && dmareport --version && dmacompare --version'
	ok "$suite: man dmarec, man dmarec-profile" in_it 'man dmarec | grep -q SYNOPSIS && man dmarec-profile | grep -q dmarec'
	ok "$suite: completion" in_it \
		'. /usr/share/bash-completion/bash_completion && _load_comp dmarec 2>/dev/null || __load_completion dmarec; complete -p dmarec'
	ok "$suite: profiles are found" in_it 'ls /usr/share/dmarec/profiles/*.ini'
	ok "$suite: records and analyses" in_it 'export LD_LIBRARY_PATH=. && dmarec -o d.data -- ./blkdma --count 500 --file-size 16M && dmaanalyze -i d.data t.db'
	is "$suite: every transfer" "$(in_it "sqlite3 t.db 'SELECT count(*) FROM transfer'")" 500
	ok "$suite: dpkg -r" in_it 'dpkg -r dmarec && dpkg -P dmarec'
	files >after
	is "$suite: nothing stays" "$(comm -13 before after)" ""
	rm -rf "$root/root/carried"
done
finish

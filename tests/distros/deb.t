#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The package of make deb in a clean system of the same release: installs, runs, has its pages and completion, and leaves
# nothing when it is removed.
. "${BASH_SOURCE%/*}/../cli/lib.sh"
deb=$(ls -t "$SRC"/build/dist/dmarec_*.deb 2>/dev/null | head -n 1)
[ "$deb" ] || skip_all "no package in build/dist (make deb)"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$SRC/build/distros/$suite
in_it() { "$SRC/scripts/distro.sh" run "$suite" "$@"; }
reason=$("$SRC/scripts/distro.sh" make "$suite") || skip_all "$reason"
workdir
cp "$deb" "$root/tmp/dmarec.deb"
# apt-get brings what it depends on; minimal systems leave pages out, so they are let in.
rm -f "$root"/etc/dpkg/dpkg.cfg.d/docker*
ok "what it depends on can be had" in_it 'apt-get install -y man-db bash-completion libc6 && apt-get install -y /tmp/dmarec.deb && dpkg -r dmarec'
find "$root" -xdev -path "$root/src" -prune -o -path "$root/tmp" -prune -o -path "$root/var" -prune -o -print | sort >before
ok "dpkg -i" in_it 'dpkg -i /tmp/dmarec.deb'
ok "dmarec --version" in_it 'cd / && dmarec --version && dmaanalyze --version && dmareport --version && dmacompare --version'
ok "man dmarec, man dmarec-profile" in_it 'man dmarec | grep -q SYNOPSIS && man dmarec-profile | grep -q dmarec'
ok "completion" in_it 'cd / && . /usr/share/bash-completion/bash_completion && _load_comp dmarec 2>/dev/null || __load_completion dmarec; complete -p dmarec'
ok "profiles are found" in_it 'cd / && ls /usr/share/dmarec/profiles/*.ini'
ok "dpkg -r" in_it 'dpkg -r dmarec && dpkg -P dmarec'
find "$root" -xdev -path "$root/src" -prune -o -path "$root/tmp" -prune -o -path "$root/var" -prune -o -print | sort >after
is "nothing stays" "$(comm -13 before after)" ""
finish

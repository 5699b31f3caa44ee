#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One table of options: what a tool's --help lists stands in its man page, and the reverse; every command line
# in the documentation uses options that there are; completion offers them; the man pages build.
b=${B:-build}
case $b in /*) ;; *) b=$PWD/$b ;; esac
count=0
ok() { # status name
	count=$((count + 1))
	[ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
tools='dmarec dmaanalyze dmareport dmacompare'

help_options() { # tool: as "--name" and "-x", one a line; -? and -V are argp's own
	"$b/$1" --help | sed -nE 's/^ +(-[^ ,], )?(--[a-z-]+).*/\1 \2/p; s/^  (-[^ ,]) .*/\1/p' | tr -s ', ' '\n\n' |
		grep -E '^--?[a-z]' | sort -u
}
man_options() { # tool
	sed -n '/^# OPTIONS/,/^# EXIT/p' "doc/$1.1.scd" | grep -E '^\*-' | grep -oE '\*--?[a-z][a-z-]*\*' | tr -d '*' | sort -u
}

for t in $tools; do
	help_options $t >"$tmp/$t.help"; man_options $t >"$tmp/$t.man"
	[ "$(wc -l <"$tmp/$t.help")" -gt 5 ]; ok $? "$t --help lists options"
	missing=$(comm -23 "$tmp/$t.help" "$tmp/$t.man"); [ -z "$missing" ]; ok $? "$t: the man page has every option of --help"
	[ -z "$missing" ] || echo "# not in doc/$t.1.scd:" $missing
	missing=$(comm -13 "$tmp/$t.help" "$tmp/$t.man"); [ -z "$missing" ]; ok $? "$t: --help has every option of the man page"
	[ -z "$missing" ] || echo "# not in $t --help:" $missing
	"$b/$t" --version | grep -Eq "^$t [0-9]+\.[0-9]+\.[0-9]+$"; ok $? "$t --version"
	"$b/$t" --no-such-option >/dev/null 2>"$tmp/err"; [ $? = 2 ] && grep -q 'no-such-option' "$tmp/err"
	ok $? "$t: an unknown option is named, and exit 2"
	"$b/$t" --help >/dev/null 2>"$tmp/err" && [ ! -s "$tmp/err" ]; ok $? "$t --help says nothing on standard error"
	grep -q "^$t(1)$" "doc/$t.1.scd" && grep -q '^# EXIT STATUS' "doc/$t.1.scd"; ok $? "$t: name and exit status in the man page"
done

# Command lines in the documentation: each option behind a tool's name, up to what ends the command.
bad=
while read -r file t rest; do
	for o in $(grep -oE '(^| |\[)--?[a-z][a-z-]*' <<<"${rest%% -- *}" | tr -d ' ['); do
		grep -qx -- "$o" "$tmp/$t.help" || bad="$bad $file:$t:$o"
	done
done < <(for f in README.md CONTRIBUTING.md doc/*.scd doc/*.md schema/FORMAT.md; do
	[ -f "$f" ] && sed 's/[*_`\\]//g' "$f" | grep -oE '\b(dmarec|dmaanalyze|dmareport|dmacompare) +-[^|;&()]*' | sed "s|^|$f |"
done)
[ -z "$bad" ]; ok $? "options of the command lines in the documentation exist"
[ -z "$bad" ] || printf '# %s\n' $bad

# Every profile key, exit status and page that a man page names in SEE ALSO is there.
bad=
for p in $(sed -n '/^# SEE ALSO/,$p' doc/*.scd | grep -oE '\*dma[a-z-]+\*\([15]\)' | tr -d '*' | sort -u); do
	[ -f "doc/$(sed -E 's/\((.)\)/.\1/' <<<"$p").scd" ] || bad="$bad $p"
done
[ -z "$bad" ]; ok $? "pages named in SEE ALSO exist"; [ -z "$bad" ] || echo "#$bad"

# ---- completion ----
source doc/completion.bash
for t in $tools; do
	COMP_WORDS=("$b/$t" --) COMP_CWORD=1
	_dmarec "$b/$t" -- "$b/$t"
	missing=$(comm -23 <(grep -E '^--' "$tmp/$t.help") <(printf '%s\n' "${COMPREPLY[@]}" | sort -u))
	[ -z "$missing" ]; ok $? "$t: completion offers every option"; [ -z "$missing" ] || echo "# not offered:" $missing
done
COMP_WORDS=("$b/dmacompare" --metric d) COMP_CWORD=2
_dmarec "$b/dmacompare" d --metric; [ "${COMPREPLY[*]}" = device ]; ok $? "completion of a value"
COMP_WORDS=("$b/dmacompare" --by c) COMP_CWORD=2
_dmarec "$b/dmacompare" c --by; [ "${COMPREPLY[*]}" = "card channel" ]; ok $? "completion of several values"
COMP_WORDS=("$b/dmacompare" --metric=d) COMP_CWORD=1
_dmarec "$b/dmacompare" --metric=d "$b/dmacompare"; [ "${COMPREPLY[*]}" = device ]; ok $? "completion of --option=value"
COMP_WORDS=("$b/dmacompare" --metric = d) COMP_CWORD=3
_dmarec "$b/dmacompare" d =; [ "${COMPREPLY[*]}" = device ]; ok $? "... as readline splits it"
COMP_WORDS=("$b/dmarec" --pid $$) COMP_CWORD=2
_dmarec "$b/dmarec" $$ --pid; [[ " ${COMPREPLY[*]} " == *" $$ "* ]]; ok $? "completion of processes"
DMAREC_PROFILES=$PWD/examples/profiles COMP_WORDS=("$b/dmarec" --profile fl) COMP_CWORD=2
_dmarec "$b/dmarec" fl --profile; [[ " ${COMPREPLY[*]} " == *" flx "* ]]; ok $? "completion of profiles"; unset DMAREC_PROFILES
if [ -x "$b/tests/gentrace" ]; then
	"$b/tests/gentrace" -o "$tmp/g.data" -t "$tmp/g.csv" --count 50 >/dev/null
	"$b/dmaanalyze" -q -i "$tmp/g.data" --label 'firmware 4.10' "$tmp/g.db" 2>/dev/null
	COMP_WORDS=("$b/dmareport" "$tmp/g.db" --run '') COMP_CWORD=3
	_dmarec "$b/dmareport" '' --run; [ "${COMPREPLY[*]}" = 1 ]; ok $? "completion of runs"
	COMP_WORDS=("$b/dmacompare" "$tmp/g.db" --base f) COMP_CWORD=3
	_dmarec "$b/dmacompare" f --base; [ "${COMPREPLY[*]}" = 'firmware 4.10' ]; ok $? "completion of labels"
else
	count=$((count + 1)); echo "ok $count - completion of runs and labels # SKIP gentrace is not built"
fi

# ---- man pages ----
if command -v scdoc >/dev/null; then
	MAKEFLAGS= make -s man B="$b" >"$tmp/out" 2>&1; ok $? "make man"
	for f in doc/*.scd; do
		p=$b/${f%.scd}
		[ -s "$p" ] && grep -q '^\.TH' "$p"; ok $? "${p##*/}"
	done
	if command -v groff >/dev/null; then
		bad=
		for f in doc/*.scd; do groff -man -Tutf8 -ww "$b/${f%.scd}" 2>&1 >/dev/null | grep -q . && bad="$bad ${f##*/}"; done
		[ -z "$bad" ]; ok $? "groff has no warning"; [ -z "$bad" ] || echo "#$bad"
	else
		count=$((count + 1)); echo "ok $count - groff has no warning # SKIP groff is not installed"
	fi
else
	count=$((count + 1)); echo "ok $count - make man # SKIP scdoc is not installed"
fi
echo "1..$count"

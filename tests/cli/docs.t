#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One table of options: what a tool's --help lists stands in its man page, and the reverse; every command line
# in the documentation uses options that there are; completion offers them; the man pages build.
. "${BASH_SOURCE%/*}/lib.sh"
cd "$SRC" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
tools='dmarec dmaanalyze dmareport dmacompare'

help_options() { # tool: as "--name" and "-x", one a line; -? and -V are argp's own
	"$B/$1" --help | sed -nE 's/^ +(-[^ ,], )?(--[a-z-]+).*/\1 \2/p; s/^  (-[^ ,]) .*/\1/p' | tr -s ', ' '\n\n' |
		grep -E '^--?[a-z]' | sort -u
}
man_options() { # tool
	sed -n '/^# OPTIONS/,/^# EXIT/p' "doc/$1.1.scd" | grep -E '^\*-' | grep -oE '\*--?[a-z][a-z-]*\*' | tr -d '*' | sort -u
}

for t in $tools; do
	help_options $t >"$tmp/$t.help"; man_options $t >"$tmp/$t.man"
	[ "$(wc -l <"$tmp/$t.help")" -gt 5 ]; result $? "$t --help lists options"
	missing=$(comm -23 "$tmp/$t.help" "$tmp/$t.man"); [ -z "$missing" ]; result $? "$t: the man page has every option of --help"
	[ -z "$missing" ] || echo "# not in doc/$t.1.scd:" $missing
	missing=$(comm -13 "$tmp/$t.help" "$tmp/$t.man"); [ -z "$missing" ]; result $? "$t: --help has every option of the man page"
	[ -z "$missing" ] || echo "# not in $t --help:" $missing
	"$B/$t" --version | grep -Eq "^$t [0-9]+\.[0-9]+\.[0-9]+$"; result $? "$t --version"
	"$B/$t" --no-such-option >/dev/null 2>"$tmp/err"; [ $? = 2 ] && grep -q 'no-such-option' "$tmp/err"
	result $? "$t: an unknown option is named, and exit 2"
	"$B/$t" --help >/dev/null 2>"$tmp/err" && [ ! -s "$tmp/err" ]; result $? "$t --help says nothing on standard error"
	grep -q "^$t(1)$" "doc/$t.1.scd" && grep -q '^# EXIT STATUS' "doc/$t.1.scd"; result $? "$t: name and exit status in the man page"
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
[ -z "$bad" ]; result $? "options of the command lines in the documentation exist"
[ -z "$bad" ] || printf '# %s\n' $bad

# Every profile key, exit status and page that a man page names in SEE ALSO is there.
bad=
for p in $(sed -n '/^# SEE ALSO/,$p' doc/*.scd | grep -oE '\*dma[a-z-]+\*\([15]\)' | tr -d '*' | sort -u); do
	[ -f "doc/$(sed -E 's/\((.)\)/.\1/' <<<"$p").scd" ] || bad="$bad $p"
done
[ -z "$bad" ]; result $? "pages named in SEE ALSO exist"; [ -z "$bad" ] || echo "#$bad"

# ---- examples ----
for m in doc/*.scd; do
	sed -n '/^# EXAMPLES/,/^# SEE ALSO/p' "$m" | grep -Eq '^prints|prints, for instance|ends with, for instance|prints at|prints where'
	result $? "${m##*/}: examples with their output"
done
"$B/dmarec" --dry-run --profile examples/profiles/edu.ini -- "$B/examples/educard" >"$tmp/dry" 2>&1
r=0; n=0; while read -r l; do n=$((n + 1)); grep -qxF -- "$l" "$tmp/dry" || { r=1; echo "# not printed: $l"; }; done < <(
	sed -n '/^What a profile fits can be seen/,/^# SEE ALSO/p' doc/dmarec-profile.5.scd | grep -E '^# (\[|what each)')
[ $r = 0 ] && [ $n = 3 ]; result $? "dmarec-profile(5): what the example prints is printed"

# ---- completion (how it completes: complete.t) ----
source doc/completion.bash
for t in $tools; do
	COMP_LINE="$B/$t --" COMP_POINT=$((${#B} + ${#t} + 4)) COMP_WORDS=("$B/$t" --) COMP_CWORD=1
	_dmarec "$B/$t" -- "$B/$t"
	missing=$(comm -23 <(grep -E '^--' "$tmp/$t.help") <(printf '%s\n' "${COMPREPLY[@]}" | sort -u))
	[ -z "$missing" ]; result $? "$t: completion offers every option"; [ -z "$missing" ] || echo "# not offered:" $missing
done

# ---- man pages ----
if command -v scdoc >/dev/null; then
	MAKEFLAGS= make -s man B="$B" >"$tmp/out" 2>&1; result $? "make man"
	for f in doc/*.scd; do
		p=$B/${f%.scd}
		[ -s "$p" ] && grep -q '^\.TH' "$p"; result $? "${p##*/}"
	done
	if command -v groff >/dev/null; then
		bad=
		for f in doc/*.scd; do groff -man -Tutf8 -ww "$B/${f%.scd}" 2>&1 >/dev/null | grep -q . && bad="$bad ${f##*/}"; done
		[ -z "$bad" ]; result $? "groff has no warning"; [ -z "$bad" ] || echo "#$bad"
	else
		skip "groff has no warning" "groff is not installed"
	fi
else
	skip "make man" "scdoc is not installed"
fi
finish

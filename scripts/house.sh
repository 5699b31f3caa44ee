#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The plan of the house, held against the code:
#   house.sh               every #include follows an arrow that doc/design.md draws
#   house.sh objects DIR   and the object files of DIR hold each other in no circle
# The list of rooms and arrows is the block between ```house and ``` in doc/design.md: a room, and
# what it may include besides itself.
set -euo pipefail
cd "$(dirname "$0")/.."
plan=$(sed -n '/^```house$/,/^```$/p' doc/design.md | sed '1d;$d')
[ -n "$plan" ] || { echo "house: doc/design.md has no block of rooms (\`\`\`house)" >&2; exit 1; }

# ---- arrows between rooms: what includes say ----
# "file:line includes target", for headers that are named from the root.
includes() {
	git ls-files -co --exclude-standard -- 'lib/*.[ch]' 'record/*.[ch]' 'analyze/*.[ch]' 'compare/*.[ch]' \
		'report/*.[ch]' | xargs grep -n '^#include "' | sed -E 's/^([^:]+):([0-9]+):#include "([^"]+)".*/\1 \2 \3/'
}

arrows() {
	includes | awk -v plan="$plan" '
	function room(path) { sub(/\/[^\/]*$/, "", path); return path }
	BEGIN {
		n = split(plan, line, "\n")
		for (i = 1; i <= n; i++) {
			m = split(line[i], word, " ")
			known[word[1]] = 1
			for (j = 2; j <= m; j++)
				may[word[1] " " word[j]] = 1
		}
		# An arrow to a room further down the list would let a circle of rooms close.
		for (i = 1; i <= n; i++) {
			m = split(line[i], word, " ")
			for (j = 2; j <= m; j++)
				if (!(word[j] in above)) {
					printf "doc/design.md: %s may include %s, which does not stand above it: arrows run one way\n",
						word[1], word[j]
					bad = 1
				}
			above[word[1]] = 1
		}
	}
	{
		from = room($1); to = room($3)
		if (!(from in known)) { printf "%s: %s is no room of doc/design.md\n", $1, from; bad = 1 }
		else if ($3 !~ /\//) { printf "%s:%s: \"%s\" is not written from the root\n", $1, $2, $3; bad = 1 }
		else if (from != to && !((from " " to) in may)) {
			printf "%s:%s: %s may not include %s (%s): doc/design.md has no such arrow\n", $1, $2, from, to, $3
			bad = 1
		}
	}
	END { exit bad }'
}

# ---- circles of object files: who defines what another one uses ----
# The one room whose objects still hold each other.
circled='^lib/join/'

# "user definer", one for each pair of object files; *.bpf.c and *.so.c are no part of a tool.
uses() { # directory
	local objects
	# By the sources: an object whose source has moved away may still lie there.
	objects=$(git ls-files -co --exclude-standard -- 'lib/*.c' 'record/*.c' 'analyze/*.c' 'compare/*.c' \
		'report/*.c' ':!*.bpf.c' ':!*.so.c' | sed 's/c$/o/')
	(cd "$1" && nm -A -g $objects) | awk '
	{ sub(/:/, " ") }
	$2 == "U" { n++; user[n] = $1; what[n] = $3; next }
	NF >= 4 && $3 ~ /[TDBRVW]/ { where[$4] = $1 }
	END {
		for (i = 1; i <= n; i++)
			if (what[i] in where && where[what[i]] != user[i])
				print user[i], where[what[i]]
	}' | sort -u
}

circles() { # directory
	local loops
	loops=$(uses "$1" | awk -v skip="$circled" '!($1 ~ skip && $2 ~ skip)' | tsort 2>&1 >/dev/null | sed -n 's/^tsort: //p' | grep -v 'input contains a loop' || true)
	[ -z "$loops" ] || {
		echo "house: object files that hold each other in a circle:" >&2
		echo "$loops" >&2
		return 1
	}
}

case ${1:-} in
'') arrows >&2 ;;
objects) circles "${2:?the directory of the objects}" ;;
uses) uses "${2:?the directory of the objects}" ;;
*) echo "house.sh [objects DIR]" >&2; exit 2 ;;
esac

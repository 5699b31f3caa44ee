#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# schema/FORMAT.md names every kind and key of lib/file/meta_text.c, and no key that is not there.
. "${BASH_SOURCE%/*}/lib.sh"
cd "$SRC" || exit 1
section() { # keys that FORMAT.md's tables name for a kind
	awk -v head="### \`$1\`:" 'index($0, "### ") == 1 { on = index($0, head) == 1 } on' schema/FORMAT.md | grep -o '^| `[^|]*' |
		grep -o '`[a-z_]*`' | tr -d '`' | sort -u
}
keys() { # of a table in meta_text.c
	sed -n "/struct key $1_keys/,/^};/p" lib/file/meta_text.c | grep -o 'K([a-z_]*, "[a-z_]*"' |
		cut -d'"' -f2 | sort -u
}
for pair in run:run end:end event:event path:path irq:irq env:env counter:pair fd:fd; do
	kind=${pair%:*} table=${pair#*:}
	more=
	[ "$kind" = path ] && more=event
	like "table $table is found" "$(keys "$table")" .
	is "keys of '$kind'" "$(section "$kind")" "$({ keys "$table"; [ -z "$more" ] || echo $more; } | sort -u)"
done
kinds=$(sed -n '/} kinds\[\]/,/};/p' lib/file/meta_text.c | grep -o '{"[a-z]*"' | tr -d '{"' | sort -u)
is "kinds" "$(grep -o '^### `[a-z]*`' schema/FORMAT.md | grep -o '[a-z]*' | sort -u)" "$kinds"
finish

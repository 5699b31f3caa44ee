#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# schema/FORMAT.md names every kind and key of lib/file/meta_text.c, and no key that is not there; and no statement needs
# an SQLite newer than 3.26.
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
for pair in run:run end:end event:event path:path irq:irq register:register count:count env:env counter:pair fd:fd; do
	kind=${pair%:*} table=${pair#*:}
	more=
	[ "$kind" = path ] && more=event
	like "table $table is found" "$(keys "$table")" .
	is "keys of '$kind'" "$(section "$kind")" "$({ keys "$table"; [ -z "$more" ] || echo $more; } | sort -u)"
done
kinds=$(sed -n '/} kinds\[\]/,/};/p' lib/file/meta_text.c | grep -o '{"[a-z]*"' | tr -d '{"' | sort -u)
is "kinds" "$(grep -o '^### `[a-z]*`' schema/FORMAT.md | grep -o '[a-z]*' | sort -u)" "$kinds"

# Words and functions that came later, with the version.
newer='\bSTRICT\b|\bRETURNING\b|->|\bNULLS (FIRST|LAST)\b|\biif *\(|\bMATERIALIZED\b|\bGENERATED\b|sqlite_schema|\bFILTER *\(|\b(EXCLUDE|GROUPS) '
newer+='|\b(sqrt|pow|power|log|ln|exp|floor|ceil|trunc|mod|format|unixepoch|concat|concat_ws|string_agg|timediff|octet_length|unhex) *\('
newer+='|\bUPDATE .* FROM\b|\b(RIGHT|FULL) (OUTER )?JOIN|\bIS (NOT )?DISTINCT\b|\bDROP COLUMN\b|[0-9]_[0-9]'
is "the list of newer words finds one" "$(echo 'SELECT iif(1, 2, 3)' | grep -ciE "$newer")" 1
is "SQL is what SQLite 3.26 knows" "$(sed 's/--.*//' schema/*.sql | grep -niE "$newer")" ""
is "... and no statement goes on to one over its lines" "$(sed 's/--.*//' schema/*.sql | tr '\n;' ' \n' |
	grep -noiE '\bUPDATE [^(]* SET [^(]* FROM\b')" ""
# The few that stand in C: string literals that begin a statement, with those that follow them.
in_c=$(cat lib/db/*.c analyze/*.c analyze/*/*.c compare/*.c report/*.c 2>/dev/null | tr -d '\n\t' | sed 's/"  *"//g' |
	grep -oE '"(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|WITH|VACUUM|BEGIN) ?[^"]*')
like "statements in C are found" "$in_c" 'SELECT type, name, sql FROM'
is "they are what SQLite 3.26 knows, too" "$(grep -iE "$newer" <<<"$in_c")" ""
is "... and of its C interface nothing newer" "$(grep -rnE 'sqlite3_(changes64|total_changes64|error_offset|db_name|is_interrupted|serialize|hard_heap|txn_state|autovacuum|stmt_explain)' \
	lib analyze compare report)" ""
finish

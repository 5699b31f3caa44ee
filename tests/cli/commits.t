#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# scripts/commit-msg in a repository of its own: which messages it lets pass, and what it says of the others;
# and that `make deps` offers it and installs nothing.
. "${BASH_SOURCE%/*}/lib.sh"
command -v git >/dev/null || skip_all "no git here"
workdir
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export HOME=$tmp GIT_CONFIG_NOSYSTEM=1
git init -q repo && cd repo || exit 1
git config user.name tester && git config user.email tester@example.org
mkdir -p lib/join record analyze compare report doc
cp "$SRC/scripts/commit-msg" .git/hooks/commit-msg

commit() { # file that changes, message as git commit reads it
	echo "$RANDOM" >>"$1"
	git add -A && git commit -q "${@:3}" -F - <<<"$2"
}
refused() { # pattern of what is said, then as commit
	local pattern=$1
	shift
	! commit "$@" 2>said && grep -q -- "$pattern" said || { cat said; return 1; }
	git reset -q --hard
}
long72=$(printf 'join: %066d' 0) why='

Without it a loss is taken for an end.'
ok "documentation needs no body" commit doc/a 'doc: a word'
ok "a subject of 72 characters" commit doc/a "$long72"
ok "... which are characters, not bytes" commit doc/a "$(sed 's/0/µ/g' <<<"$long72")"
ok "73 are refused" refused '73 characters' doc/a "${long72}0"
for d in lib/join record analyze compare report; do
	ok "$d with a body" commit "$d/a.c" "join: what$why"
	ok "... without" refused 'says why' "$d/a.c" 'join: what'
done
ok "what a tool adds by itself is no body" refused 'says why' lib/join/a.c 'join: what

Signed-off-by: Tester <tester@example.org>'
ok "nor is a comment, or the diff below the scissors" refused 'says why' lib/join/a.c 'join: what

# Please enter the commit message
# ------------------------ >8 ------------------------
diff --git a/lib/join/a.c b/lib/join/a.c' --cleanup=scissors -v
ok "no area" refused "area: what" doc/a 'some words'
ok "a body that follows at once" refused 'empty line' lib/join/a.c 'join: what
Without it a loss is taken for an end.'
ok "no message is git's to refuse" refused 'empty commit message' doc/a ''
ok "amending counts what the commit holds" sh -c '
	echo x >>lib/join/a.c && git add -A && git commit -q -m "join: what" -m "Because it is so." &&
	! git commit -q --amend -m "join: what" 2>said && grep -q "says why" said'
git reset -q --hard
ok "a commit message of git's own is left alone" commit lib/join/a.c 'Revert "join: what"'
ok "so is one that a rebase folds into another" commit lib/join/a.c 'fixup! join: what'

# ---- make deps offers it ----
rm -f .git/hooks/commit-msg
mkdir scripts && cp "$SRC"/scripts/{commit-msg,offer-hook} scripts && git add -A && git commit -q -m 'scripts: copied'
ok "offered" scripts/offer-hook
offered=$(sed -n 's/^deps:  *\(install .*\)/\1/p' out)
ok "... and not installed" test ! -e .git/hooks/commit-msg
ok "... the command that is named installs it" sh -c "$offered"
ok "... so that it works" refused 'says why' lib/join/a.c 'join: what'
is "... and is not offered again" "$(scripts/offer-hook 2>&1)" ''
mkdir "$tmp/plain" && cd "$tmp/plain" || exit 1
is "without a repository nothing is offered" "$(GIT_CEILING_DIRECTORIES=$tmp "$SRC/scripts/offer-hook" 2>&1)" ''
like "make deps runs it" "$(sed -n '/^deps:/,/^$/p' "$SRC/Makefile")" scripts/offer-hook
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The folders of an installation: those that it makes go with it, those that were there stay.
#   folders.sh make LIST FOLDER...   makes them, and keeps in LIST those that were not there
#   folders.sh remove LIST           removes the ones in LIST that are empty, the deepest first, and LIST
#   folders.sh prune ROOT FOLDER...  removes empty ones up to ROOT, which somebody stages files in
set -eu
what=$1
list=$2
shift 2
up() { # every folder on the way to a folder, itself first
	at=$1
	while [ "$at" != / ] && [ "$at" != . ]; do
		echo "$at"
		at=$(dirname "$at")
	done
}
case $what in
make)
	new=$(for f in "$@"; do up "$f"; done | sort -u | while read -r f; do [ -d "$f" ] || echo "$f"; done)
	install -d "$@"
	[ -z "$list" ] || [ -z "$new" ] || echo "$new" >>"$list"
	;;
remove)
	[ -f "$list" ] || exit 0
	folders=$(sort -ru "$list")
	rm -f "$list"
	echo "$folders" | while read -r f; do rmdir "$f" 2>/dev/null || :; done
	;;
prune)
	for f in "$@"; do
		up "$f" | while read -r d; do
			case $d in "$list"/*) rmdir "$d" 2>/dev/null || : ;; esac
		done
	done
	;;
esac

# SPDX-License-Identifier: GPL-2.0-only
# Completion for dmarec, dmaanalyze, dmareport and dmacompare. Options come from each tool's own --help,
# so that this file cannot fall behind them. Candidates are lines of text that the shell never expands:
# labels and names of profiles are other people's.

_dmarec_options() {
	"$1" --help 2>/dev/null | grep -oE -- '(^|[ ,[])--[a-z][a-z-]*' | grep -oE -- '--[a-z-]+' | sort -u
}

_dmarec_interrupts() {
	sed -nE 's/^ *([0-9]+):.*/\1/p' /proc/interrupts 2>/dev/null
}

_dmarec_devices() {
	sed -nE 's/^ *[0-9]+:.* ([^ ]+)$/\1/p' /proc/interrupts 2>/dev/null | sort -u
}

# Processes, and their names; a thread of the kernel has no command line.
_dmarec_processes() {
	local dir word
	for dir in /proc/[0-9]*; do
		read -rd '' word 2>/dev/null <"$dir/cmdline" && [ "$word" ] || continue
		printf '%s\n' "${dir#/proc/}"
		read -r word 2>/dev/null <"$dir/comm" && printf '%s\n' "$word"
	done | sort -u
}

# PMU/EVENT/ of what perf would count.
_dmarec_counts() {
	(cd /sys/bus/event_source/devices 2>/dev/null && printf '%s\n' */events/* |
		sed -nE '/\*|\.(scale|unit)$/d; s|/events/|/|; s|$|/|p')
}

# Where dmarec-profile(5) says.
_dmarec_profile_dirs() {
	local own=$(type -P -- "$tool") data=${XDG_DATA_DIRS:-/usr/local/share:/usr/share}
	printf '%s\n' "${XDG_CONFIG_HOME:-$HOME/.config}/dmarec/profiles"
	tr : '\n' <<<"$DMAREC_PROFILES"
	tr : '\n' <<<"${XDG_DATA_HOME:-$HOME/.local/share}:$data${own:+:${own%/*}/../share}" | sed 's|$|/dmarec/profiles|'
}

_dmarec_profiles() {
	local dir
	while read -r dir; do
		[ "$dir" ] && [ -d "$dir" ] && (cd "$dir" && ls ./*.ini 2>/dev/null | sed 's|^\./||; s|\.ini$||')
	done < <(_dmarec_profile_dirs)
}

# Runs and labels of the databases on the command line.
_dmarec_runs() {
	local word
	for word in "${words[@]}"; do
		[[ $word == *.db && -f $word ]] || continue
		"${tool%/*}/dmaanalyze" --list --json "$word" 2>/dev/null ||
			dmaanalyze --list --json "$word" 2>/dev/null
	done
}
_dmarec_run_numbers() { _dmarec_runs | grep -oE '"run":[0-9]+' | cut -d: -f2 | sort -nu; }
_dmarec_labels() {
	_dmarec_runs | grep -oE '"label":"([^"\\]|\\["\\/])*"' | sed -E 's/^"label":"(.*)"$/\1/; s/\\(.)/\1/g' | sort -u
}

# What may stand behind an option, a line each. Status 1: files; 2: nothing that is known; 3: it takes no value.
_dmarec_values() { # option
	case $1 in
	--irq) _dmarec_interrupts ;;
	--device) _dmarec_devices ;;
	--pci) (cd /sys/bus/pci/devices 2>/dev/null && ls) ;;
	--profile) [[ $cur == */* ]] && return 1 || _dmarec_profiles ;;
	-p | --pid) _dmarec_processes ;;
	--run | --remove-run | --rename-run) _dmarec_run_numbers ;;
	--base | --new) _dmarec_labels; _dmarec_run_numbers ;;
	--count) _dmarec_counts ;;
	--user) compgen -u ;;
	--despite) printf '%s\n' governor link_speed link_width CPUs affinity ;;
	--clock) printf '%s\n' mono mono_raw boot tai ;;
	--irq-feed) printf '%s\n' auto bpf perf ;;
	--probes) printf '%s\n' auto process kernel ;;
	--watch-mode) printf '%s\n' always in-flight 20us ;;
	--live) printf '%s\n' json 1s json,1s ;;
	--keep) printf '%s\n' 10s 64M ;;
	--stop-if) printf '%s\n' missing late unknown failed aborted lost ;;
	--exit-probes) printf '%s\n' ret uretprobe none ;;
	--pairing) printf '%s\n' infer one drain first last ;;
	--metric) printf '%s\n' api device notice total card delivery ;;
	--by) printf '%s\n' card channel direction size none ;;
	--stat) printf '%s\n' median mean p90 p99 p99.9 ;;
	--format) printf '%s\n' html png svg pdf ;;
	--plot) printf '%s\n' histogram tail time size throughput phases slowest interrupts ;;
	-o | --output | -x | --library | -i | --input | --report | --counter-file | --live-output | --on-trigger) return 1 ;;
	--start | --stop | --transfer | --wait | --duration | --label | --runs | -m | --ring | --rotate | --max-size | \
		--snapshots | --watch-cpu | --role | --run-scatter | --seed | --threshold | --watch) return 2 ;;
	*) return 3 ;;
	esac
	return 0
}

# The words typed up to the cursor, without their quoting, into words and cur; quote is the one that is open,
# and stem what readline leaves standing of cur, since it takes "=" and ":" for ends of words.
_dmarec_split() { # text
	local i c word= begun=
	words=() quote= stem=
	for ((i = 0; i < ${#1}; i++)); do
		c=${1:i:1}
		case $quote$c in
		[\ $'\t']) [ "$begun" ] && words+=("$word"); word= begun= stem= ;;
		"''" | '""') quote= ;;
		[\'\"]) quote=$c begun=1 stem=$word ;;
		\\ | \"\\) i=$((i + 1)) begun=1 word+=${1:i:1} ;;
		[=:]) word+=$c begun=1 stem=$word ;;
		*) word+=$c begun=1 ;;
		esac
	done
	words+=("$word") cur=$word
}

# A text as it would have to be typed, into typed.
_dmarec_quote() { # text
	case $quote in
	\') typed=${1//\'/"'\''"} ;;
	\") typed=${1//\\/'\\'} typed=${typed//\"/'\"'} typed=${typed//\$/'\$'} typed=${typed//\`/'\`'} ;;
	*) printf -v typed %q "$1"; typed=${typed//'\,'/,} ;; # a comma needs no quoting
	esac
}

# Those lines of standard input that begin with what was typed are candidates; of a list, the part behind its
# last comma is completed, and what is in it is not offered again.
_dmarec_offer() {
	local line typed list=
	case $option in
	--irq | -p | --pid | --run | --base | --new | --metric | --by | --format | --plot)
		[[ $cur == *,* ]] && list=${cur%,*},
		;;
	esac
	while IFS= read -r line; do
		[[ $line && $list$line == "$cur"* && ,$list != *",$line,"* ]] || continue
		line=$list$line
		_dmarec_quote "${line#"$stem"}"
		COMPREPLY+=("$typed")
	done
}

_dmarec_files() { # compgen's options
	local found
	compopt -o filenames 2>/dev/null
	mapfile -t found < <(compgen "$@" -- "$cur")
	COMPREPLY+=("${found[@]#"$stem"}")
}

# What stands alone on a command line: databases; of dmarec, and where there is none, any file.
_dmarec_databases() {
	[ "${tool##*/}" = dmarec ] || _dmarec_files -f -X '!*.db'
	[ "${#COMPREPLY[@]}" = 0 ] && _dmarec_files -f && return
	_dmarec_files -d
}

# The workload's own words: what its own completion says, where bash-completion is there.
_dmarec_workload() { # index of its first word in COMP_WORDS
	local offset
	for offset in _comp_command_offset _command_offset; do
		declare -F "$offset" >/dev/null && "$offset" "$1" && return
	done
	((COMP_CWORD > $1)) || mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	_dmarec_files -f
}

_dmarec() {
	local tool=$1 cur option= quote stem found kind i behind=0
	local -a words
	COMPREPLY=()
	_dmarec_split "${COMP_LINE:0:COMP_POINT}"
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${tool##*/} == dmarec && ${COMP_WORDS[i]} == -- ]] && behind=$((i + 1))
		((behind)) && [ "${COMP_WORDS[i]}" = --vs ] && behind=$((i + 1))
	done
	((behind)) && { _dmarec_workload $behind; return; }
	[ ${#words[@]} -gt 1 ] && option=${words[-2]}
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*} cur=${cur#*=} stem=${stem#"$option="}
	elif [[ $cur == -* ]]; then
		_dmarec_offer < <(_dmarec_options "$tool")
		return
	fi
	found=$(_dmarec_values "$option") kind=$?
	_dmarec_offer <<<"$found"
	[ $kind = 1 ] && _dmarec_files -f
	[ $kind = 3 ] && _dmarec_databases
}

complete -F _dmarec dmarec dmaanalyze dmareport dmacompare

# SPDX-License-Identifier: GPL-2.0-only
# Completion for dmarec, dmaanalyze, dmareport and dmacompare. Options come from each tool's own --help,
# so that this file cannot fall behind them.

_dmarec_options() {
	"$1" --help 2>/dev/null | grep -oE -- '(^|[ ,[])--[a-z][a-z-]*' | grep -oE -- '--[a-z-]+' | sort -u
}

_dmarec_interrupts() {
	sed -nE 's/^ *([0-9]+):.*/\1/p' /proc/interrupts 2>/dev/null
}

_dmarec_devices() {
	sed -nE 's/^ *[0-9]+:.* ([^ ]+)$/\1/p' /proc/interrupts 2>/dev/null | sort -u
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
	for word in "${COMP_WORDS[@]}"; do
		[[ $word == *.db && -f $word ]] || continue
		"${tool%/*}/dmaanalyze" --list --json "$word" 2>/dev/null ||
			dmaanalyze --list --json "$word" 2>/dev/null
	done | tr '{' '\n' | sed -nE "$1"
}
_dmarec_run_numbers() { _dmarec_runs 's/^"run":([0-9]+),.*/\1/p' | sort -nu; }
_dmarec_labels() { _dmarec_runs 's/.*"label":"([^"\\]*)".*/\1/p' | sort -u; }

_dmarec() {
	local tool=$1 cur=$2 prev=$3 i words= IFS=$' \t\n'
	COMPREPLY=()
	# --option=value: readline splits at "=", other callers do not
	if [[ $cur == --*=* ]]; then
		prev=${cur%%=*} cur=${cur#*=}
	elif [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ] && ((COMP_CWORD > 1)); then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ "${tool##*/}" = dmarec ]; then
		for ((i = 1; i < COMP_CWORD; i++)); do # behind -- the workload's own words follow
			if [ "${COMP_WORDS[i]}" = -- ]; then
				COMPREPLY=($(compgen -c -f -- "$cur"))
				return
			fi
		done
	fi
	case $prev in
	--irq) words=$(_dmarec_interrupts) ;;
	--device) words=$(_dmarec_devices) ;;
	--pci) words=$(cd /sys/bus/pci/devices 2>/dev/null && ls) ;;
	--profile) words=$(_dmarec_profiles) ;;
	-p | --pid) words=$(cd /proc && echo [0-9]*) ;;
	--run | --remove-run | --rename-run) words=$(_dmarec_run_numbers) ;;
	--base | --new) words=$(_dmarec_labels; _dmarec_run_numbers) IFS=$'\n' ;;
	--despite) words='governor link_speed link_width CPUs affinity' ;;
	--clock) words='mono mono_raw boot tai' ;;
	--irq-feed) words='auto bpf perf' ;;
	--probes) words='auto process kernel' ;;
	--watch-mode) words='always in-flight 20us' ;;
	--live) words='json 1s json,1s' ;;
	--keep) words='10s 64M' ;;
	--stop-if) words='missing late unknown failed aborted lost' ;;
	--exit-probes) words='ret uretprobe none' ;;
	--pairing) words='infer one drain first last' ;;
	--metric) words='api device notice total card delivery' ;;
	--by) words='card channel direction size none' ;;
	--stat) words='median mean p90 p99 p99.9' ;;
	--format) words='html png svg pdf' ;;
	--plot) words='histogram tail time size throughput phases slowest interrupts' ;;
	esac
	if [ -n "$words" ]; then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$(_dmarec_options "$tool")" -- "$cur"))
	else
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$cur"))
	fi
}

complete -F _dmarec dmarec dmaanalyze dmareport dmacompare

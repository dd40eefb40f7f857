# Completion of vmaffinity(8) for bash.

_vmaffinity()
{
	local cur=${COMP_WORDS[COMP_CWORD]} before="" command="" word i
	local commands="plan check apply release record status map doctor watch import capture enable disable help"
	local options="--config --sysroot --connect --xml --against --json --metrics --nagios --quiet --verbose --wide --all --svg --dry-run --version --help"

	COMPREPLY=()
	# "--option=value" reaches us as three words: "--option", "=" and "value".
	if [[ $cur == = ]]; then
		cur=""
		before=${COMP_WORDS[COMP_CWORD - 1]}
	elif ((COMP_CWORD > 1)); then
		before=${COMP_WORDS[COMP_CWORD - 1]}
		[[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	local connect=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-c | --config | --sysroot | --xml | --against | --connect | --svg)
			[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
			((i++))
			[[ $word == --connect ]] && ((i < COMP_CWORD)) && connect=(--connect "${COMP_WORDS[i]}")
			;;
		-* | =) ;;
		*) [[ -n $command ]] || command=$word ;;
		esac
	done

	case $before in
	-c | --config | --xml | --against | --svg)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--sysroot)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--connect)
		return
		;;
	esac

	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	case $command in
	"")
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
		;;
	help)
		mapfile -t COMPREPLY < <(compgen -W "${commands/help/}" -- "$cur")
		;;
	check)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	plan | apply | release | record | status | import | capture)
		# Names may hold spaces and quotes: one a line, and each quoted for the shell.
		while IFS= read -r word; do
			[[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
		done < <(timeout 2 virsh --quiet --readonly "${connect[@]}" list --name 2>/dev/null)
		;;
	esac
}

complete -F _vmaffinity vmaffinity

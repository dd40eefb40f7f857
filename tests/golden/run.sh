#!/bin/bash
# Runs vmaffinity on machines and guests that are kept as text, and compares what it says. TAP on stdout.
#
# usage: [BUILD=DIR] [UPDATE=1] tests/golden/run.sh [CASE...]
#
# A case is a directory, cases/NAME:
#   machine        the name of a machine in tests/fixtures/machines
#   rules.ini      becomes the machine's /etc/vmaffinity.ini
#   etc/           becomes the machine's /etc/, for vmaffinity.d
#   domain.xml     or any other files, for the command
#   command        arguments, redirections and pipes, in bash's words; default: plan --xml domain.xml
#   setup          sourced before the command, for what cannot be kept in a file; the machine is below $root
#   needs-root     there if the case can run as root only
#   expected       stdout; then stderr, each line with "! " in front; then "= " and the exit status
#   expected.json  there if the command takes --json: the same for that, stdout laid out by jq
#   text-only      keeps UPDATE from making an expected.json
# The command runs in a copy of the directory whose files are mode 644.
#
# UPDATE=1 rewrites the expected files with what is said now. Read the diff: they are what the program is held to.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.." || exit 2
case ${BUILD:=build} in
/*) program=$BUILD/vmaffinity ;;
*) program=$PWD/$BUILD/vmaffinity ;;
esac
export LC_ALL=C
umask 022
[ -x "$program" ] || { echo "Bail out! $program is not there; run make"; exit 1; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# Every file of the machine below $root, with the time of its last change.
stamps() { find "$root" -mindepth 1 ! -path "$root/etc*" -printf '%P %T@\n' | sort; }

# The machine of the case in $work/case, as $root.
make_machine()
{
	local name
	read -r name <"$work/case/machine"
	root=$work/machines/$name
	if [ ! -d "$root" ]; then
		mkdir -p "$root"
		if ! tests/fixtures/expand.sh "tests/fixtures/machines/$name.txt" "$root"; then
			rm -rf "$root"
			return 1
		fi
		stamps >"$root.stamps"
	fi
	rm -rf "${root:?}/etc"
	if [ -d "$work/case/etc" ]; then cp -R "$work/case/etc" "$root/etc"; else mkdir "$root/etc"; fi
	[ ! -e "$work/case/rules.ini" ] || cp "$work/case/rules.ini" "$root/etc/vmaffinity.ini"
}

make_case()
{
	rm -rf "$work/case"
	cp -R "$here/cases/$1" "$work/case" || return 1
	chmod -R u=rwX,go=rX "$work/case"
	make_machine || return 1
	command='plan --xml domain.xml'
	[ ! -e "$work/case/command" ] || command=$(cat "$work/case/command")
	# shellcheck disable=SC1091 # the case's own
	[ ! -e "$work/case/setup" ] || (cd "$work/case" && . ./setup)
}

# run_case [OPTION...]: what is to be as the expected file says, in $work/actual.
run_case()
{
	local status
	# shellcheck disable=SC2294 # command has redirections in it
	(set -o pipefail && cd "$work/case" && eval '"$program" --sysroot "$root" "$@"' "$command") \
		</dev/null >"$work/stdout" 2>"$work/stderr"
	status=$?
	{
		if [ "${1:-}" = --json ]; then
			iconv -f UTF-8 -t UTF-8 "$work/stdout" >/dev/null 2>&1 || echo "(not UTF-8)"
			jq -r "$layout" "$work/stdout" 2>&1 || echo "(not JSON)"
		else
			cat "$work/stdout"
			[ ! -s "$work/stdout" ] || [ -z "$(tail -c 1 "$work/stdout")" ] || echo "(no newline)"
		fi
		sed 's/^/! /' "$work/stderr"
		echo "= $status"
	} | sed "$foreign" >"$work/actual"
}

# An object in JSON, a line for each member, and for each item of an array.
layout='"{", (to_entries[] | if (.value | type) == "array" and (.value | length) > 0
	then "  \(.key | tojson): [", (.value[] | "    " + tojson), "  ]"
	else "  \(.key | tojson): \(.value | tojson)" end), "}"'

# The words of Expat differ between its versions.
foreign='s/\(the XML is not well-formed: \)line [0-9][0-9]*: [^"]*/\1(Expat)/'

number=0 failed=0
report()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - golden $2"
	else
		echo "not ok $number - golden $2"
		sed 's/^/# /' "$work/diff"
		failed=$((failed + 1))
	fi
}

# compare EXPECTED-FILE NAME
compare()
{
	if [ -n "${UPDATE:-}" ]; then
		cmp -s "$work/actual" "$1" || cp "$work/actual" "$1"
	fi
	diff -u --label expected --label actual "$1" "$work/actual" >"$work/diff" 2>&1
	report $? "$2"
}

# With UPDATE a command that says something with --json gets an expected file for that.
json_wanted()
{
	[ ! -e "$here/cases/$1/expected.json" ] || return 0
	[ -n "${UPDATE:-}" ] && [ ! -e "$here/cases/$1/text-only" ] && run_case --json && [ -s "$work/stdout" ]
}

test_case()
{
	if ! make_case "$1"; then
		echo "it cannot be set up" >"$work/diff"
		report 1 "$1"
	elif [ -e "$work/case/needs-root" ] && [ "$(id -u)" -ne 0 ]; then
		number=$((number + 1))
		echo "ok $number - golden $1 # SKIP only root can do this"
	else
		run_case
		compare "$here/cases/$1/expected" "$1"
		if json_wanted "$1"; then
			run_case --json
			compare "$here/cases/$1/expected.json" "$1, JSON"
		fi
	fi
}

cases=("$@")
if [ $# -eq 0 ]; then
	cases=("$here"/cases/*/)
fi
for case in "${cases[@]}"; do
	case=${case%/}
	test_case "${case##*/}"
done

# None of the commands here may write anything into the machine.
for before in "$work"/machines/*.stamps; do
	root=${before%.stamps}
	stamps | diff "$before" - >"$work/diff"
	report $? "machine ${root##*/} is as it was"
done
echo "1..$number"
[ "$failed" -eq 0 ]

#!/bin/bash
# Compares commands, options, keys, words, limits and exit statuses in the code, the programs' help, the man pages, the
# completion and README. TAP; each difference is shown.
#
# usage: BUILD=DIR tests/checks/options.sh
set -u -o pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
program=$BUILD/vmaffinity
[ -x "$program" ] || make -s BUILD="$BUILD" "$program" >&2 || exit 2
# shellcheck source=tests/checks/tap.bash disable=SC1091
. tests/checks/tap.bash

# same NAME-A LIST-A NAME-B LIST-B WHAT: the same lines, in any order, and at least one.
same()
{
	local a b difference=""
	a=$(sort -u <<<"$2" | sed '/^$/d')
	b=$(sort -u <<<"$4" | sed '/^$/d')
	[ -n "$a" ] || difference="nothing found in $1"$'\n'
	[ -n "$b" ] || difference+="nothing found in $3"$'\n'
	difference+=$(comm -23 <(echo "$a") <(echo "$b") | sed '/^$/d' | sed "s|.*|only in $1: &|")
	[ -z "$difference" ] || difference+=$'\n'
	difference+=$(comm -13 <(echo "$a") <(echo "$b") | sed '/^$/d' | sed "s|.*|only in $3: &|")
	difference=${difference%$'\n'}
	result "$5: $1, $3" "$difference"
}

# section FILE TITLE: that section, or subsection, of a man page.
section() { awk -v title="$2" '/^\.S[hs] / { inside = substr($0, 5) == title } inside' "$1"; }

# plain: mdoc's macros and escapes taken out of a line.
plain() { sed -E 's,\\-,-,g; s, Ns (Ar )?,,g; s, ?\b(Cm|Ar|Li|Fl|Pa|Op)\b ?,,g'; }

words() { tr -s ' ' '\n' <<<"$1"; }

# ---- commands ----

# Each command describes itself, in cmd_NAME.c; main.c lists them.
entries=$(sed -n '/^const struct command command_/,/^};/p' cli/cmd_*.c cli/*/cmd_*.c)
commands=$(sed -nE 's/^\t\.name = "([a-z]+)",/\1/p' <<<"$entries")
same "cli/**/cmd_*.c" "$commands" cli/main.c \
	"$(sed -n '/^static const struct command \*const commands/,/;$/p' cli/main.c | grep -oE '&command_[a-z]+' | sed 's/&command_//')" commands
with_help="$commands"$'\n'help
in_help=$("$program" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
in_man=$(section man/vmaffinity.8 DESCRIPTION | sed -nE 's/^\.It Cm ([a-z]+).*/\1/p')
in_completion=$(words "$(sed -nE 's/.*\bcommands="([^"]*)".*/\1/p' conf/vmaffinity.bash)")
same "cli/**/cmd_*.c" "$with_help" --help "$in_help" commands
same "cli/**/cmd_*.c" "$with_help" man/vmaffinity.8 "$in_man" commands
same "cli/**/cmd_*.c" "$with_help" conf/vmaffinity.bash "$in_completion" commands
same "cli/**/cmd_*.c" "$with_help" "the synopsis in man/vmaffinity.8" \
	"$(section man/vmaffinity.8 SYNOPSIS | sed -nE 's/^\.Cm ([a-z]+).*/\1/p')" commands

# ---- the version ----

same Makefile "$(make -s print-VERSION)" debian/changelog "$(sed -nE '1s/^vmaffinity \((.*)\) .*/\1/p' debian/changelog)" "the version"
same Makefile "$(make -s print-VERSION)" vmaffinity.spec "$(sed -nE 's/^Version: *//p' vmaffinity.spec)" "the version"

# ---- options ----

options=$(sed -n '/^static const struct option long_options/,/^};/p' cli/main.c | sed -nE 's/^\t\{"([a-z-]+)", .*/--\1/p')
takes=$(sed -n '/^static const struct option long_options/,/^};/p' cli/main.c |
	sed -nE 's/^\t\{"([a-z-]+)", required_argument.*/--\1/p')
helps=$({ "$program" --help; for command in $commands; do "$program" help "$command"; done; } | sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+( [A-Z]+)?)  .*/\2/p')
man_items=$(sed 's,\\-,-,g' man/vmaffinity.8 | sed -nE 's/^\.It (Fl [a-zA-Z] , )?Fl (-[a-z-]+)(.*)/-\2\3/p' | sed 's/ Ar / /')
same cli/main.c "$options" --help "$(cut -d ' ' -f 1 <<<"$helps")" options
same cli/main.c "$options" man/vmaffinity.8 "$(cut -d ' ' -f 1 <<<"$man_items")" options
same cli/main.c "$options" conf/vmaffinity.bash \
	"$(words "$(sed -nE 's/.*\boptions="([^"]*)".*/\1/p' conf/vmaffinity.bash)")" options
same --help "$helps" man/vmaffinity.8 "$man_items" "options with their arguments"
# "-c --config", with the case of long_form() in cli/main.c
shorts=$(sed -n '/^long_form/,/^}/p' cli/main.c | tr -d '\n' | grep -oE "case '[a-zA-Z]':[^;]*OPTION_[A-Z]+" |
	sed -E "s/case '(.)'.*OPTION_(.*)/-\1 --\L\2/")
same cli/main.c "$shorts" --help "$({ "$program" --help; "$program" help plan; "$program" help check; } | sed -nE 's/^ +(-[a-zA-Z]), (--[a-z-]+) .*/\1 \2/p' | sort -u)" "short options"
same cli/main.c "$shorts" man/vmaffinity.8 \
	"$(sed -nE 's/^\.It Fl ([a-zA-Z]) , Fl \\-([a-z-]+).*/-\1 --\2/p' man/vmaffinity.8)" "short options"
# each twice: where options are distinguished from words, and where a value is completed
same cli/main.c "$(awk '{ print $0, 2 }' <<<"$takes")" conf/vmaffinity.bash \
	"$(grep -oE -- '--[a-z]+( \| --[a-z]+)*\)' conf/vmaffinity.bash | grep -oE -- '--[a-z]+' | sort | uniq -c | awk '{ print $2, $1 }')" \
	"options with an argument"

# one_command NAME: the options that its entry has, and --help.
one_command()
{
	sed -n "/^const struct command command_$1 /,/\.summary/p" <<<"$entries" | grep -oE 'OPTION_[A-Z_]+' | sed 's/OPTION_/--/' | tr '[:upper:]_' '[:lower:]-'
	echo --help
}
for command in $commands; do
	same "cmd_$command.c" "$(one_command "$command")" "--help of $command" \
		"$("$program" help "$command" | sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+) .*/\2/p')" options
	same "cmd_$command.c" "$(one_command "$command" | grep -vx -- --help)" "the synopsis of $command in man/vmaffinity.8" \
		"$(section man/vmaffinity.8 SYNOPSIS | awk -v name="$command" '/^\.Cm / { on = $2 == name } /^\.Fl/ && !/\.\.\.$/ { on = 0 } on' |
			sed 's,\\-,-,g' | grep -oE ' -[a-z-]+' | sed 's/ /-/')" options
done

# ---- the codes of messages ----

# The third argument of messages_add(), and those that dropped.c chooses from.
codes=$(cat engine/*/*.c cli/*.c cli/*/*.c | tr -d '\n' |
	grep -oP 'messages_add\([^"]*?(\? )?"[a-z-]+"(\s*: "[a-z-]+")?,' | grep -oE '"[a-z-]+"' | tr -d '"')
codes+=$'\n'$(grep -E '\.(absent|not_ready|not_allowed|held) = ' engine/pin/dropped.c | grep -oE '"[a-z-]+"' | tr -d '"')
watch=$(tr -d '\n' <cli/watch/guest.c | grep -oP 'messages_add\([^"]*?"[a-z-]+",' | grep -oE '"[a-z-]+"' | tr -d '"')
# shellcheck disable=SC2016 # $defs is a name in the schema
schema=$(python3 -c 'import json; print("\n".join(json.load(open("conf/output.schema.json"))["$defs"]["code"]["enum"]))')
same "the code" "$(sort -u <<<"$codes" | grep -vxF "$(grep -vxF "$schema" <<<"$watch")")" conf/output.schema.json "$schema" codes
same conf/output.schema.json "$schema" man/vmaffinity.8 \
	"$(section man/vmaffinity.8 JSON | sed -nE 's/^\.It Li ([^ ]+) Ta .*/\1/p' | plain)" codes

# ---- the rules' keys and words ----

# keys_in SECTION: the keys that the table in engine/rules/keys.c has for it.
keys_in() { sed -n '/^static const struct key keys/,/^};/p' engine/rules/keys.c | sed -nE "s/^\t\{\"([^\"]+)\", [^,]*\bIN_$1\b.*/\1/p"; }
known=$(keys_in RULE)
keys=$(section man/vmaffinity.ini.5 "Keys of a rule" | sed -n 's/^\.It //p' | plain | tr -d ' ' | tr , '\n' |
	sed 's/[AB]\b/N/g')
same engine/rules/keys.c "$known" man/vmaffinity.ini.5 "$keys" keys
alternatives=$(grep -v N <<<"$known" | paste -sd "|")
keys=$(sed -nE "s/^; ($alternatives)( .*|,.*|:.*|\$)/\1/p; s/^;($alternatives) *=.*/\1/p" conf/vmaffinity.ini)
same engine/rules/keys.c "$(grep -v N <<<"$known")" conf/vmaffinity.ini "$keys" "keys without a number"
words=$(sed -nE 's/^\t\{"([a-z]+)", TOPOLOGY_.*/\1/p' engine/desired/host_sets.c)
man_words=$(section man/vmaffinity.ini.5 "CPU sets" | sed -nE 's/^\.It Cm ([a-z]+( , [a-z]+)*)$/\1/p' | tr -d ' ' | tr , '\n')
same engine/desired/host_sets.c "$words" man/vmaffinity.ini.5 "$man_words" "words in a CPU set"
topology=$(sed -nE 's/^\t\{"([a-z0-9]+)", TOPOLOGY_.*/\1/p' engine/desired/cpuset_words_parse.c)
man_words=$(section man/vmaffinity.ini.5 "Topology words" | sed -n 's/^\.It Cm //p' | grep -oE '[a-z0-9]+:' | tr -d :)
same engine/desired/cpuset_words_parse.c "$topology" man/vmaffinity.ini.5 "$man_words" "topology words"
meant=$(sed -n '/^unknown_item/,/^}/p' engine/desired/cpuset_expr.c | tr -d '\n' | sed -E 's/.*names\[\] = \{([^}]*)\}.*/\1/' | grep -oE '"[^"]+"' | tr -d '"')
same "host_sets.c, cpuset_words_parse.c" "$words"$'\n'"$topology" "unknown_item() in it" "$meant" "words that may be meant"

# A limit is in the man page with its number, as DEFINITION in FILE has it.
limits=$(section man/vmaffinity.ini.5 Limits; section man/vmaffinity.ini.5 Format; section man/vmaffinity.ini.5 Sections)
absent=""
while read -r file definition offset text; do
	value=$(sed -nE "s/^#define $definition ([0-9]+)u?\b.*/\1/p" "$file")
	[ -n "$value" ] || { absent+="$definition is not in $file"$'\n'; continue; }
	text=${text/N/$((value + offset))}
	grep -qE "(^|[^A-Za-z0-9])$text" <<<"$limits" || absent+="$definition: '$text'"$'\n'
done <<-'END'
	engine/rules/rules.h RULES_FILES_MAX 0 N files
	engine/rules/rules.h RULES_MAX 0 N rules
	engine/rules/rules.h RULES_SETS_MAX 0 N names
	engine/rules/rules.h RULES_PATTERN_MAX 0 One pattern: N bytes
	engine/rules/parse.c SECTION_NAME_MAX 0 1 to N bytes
	engine/desired/cpuset_expr.c DEPTH_MAX 0 up to N deep
	engine/base/cpumask.h CPUMASK_CPUS -1 CPUs: 0 to N\.
	engine/desired/memory_nodes.h MEMORY_NODES_MAX -1 Memory nodes: 0 to N\.
	engine/guest/thread_group.h DOMAIN_VCPUS_MAX -1 vCPUs: 0 to N\.
	engine/guest/thread_group.h DOMAIN_VCPUS_MAX -1 iothreads: 1 to N\.
END
mebibytes=$(sed -nE 's/^#define RULES_FILE_MAX \(\(size_t\)([0-9]+) \* 1024 \* 1024\).*/\1/p' engine/rules/rules.h)
grep -q "^One file: $mebibytes MiB" <<<"$limits" || absent+="RULES_FILE_MAX: $mebibytes MiB"$'\n'
result "limits: engine/, man/vmaffinity.ini.5" "${absent%$'\n'}"

# ---- the sample ----

sample=$(mktemp) || exit 2
trap 'rm -f "$sample"' EXIT
cat conf/vmaffinity.ini >"$sample" # the tree may belong to somebody else than root
found=$("$program" check --json "$sample" 2>&1)
[[ $found =~ \"rules\":0,\"hosts\":1,\"guests\":0,\"findings\":\[\] ]] && found=""
result "the sample has no rule and nothing is to be said of it" "$found"

# ---- the hook ----

same hook/worker_status.h "$(sed -nE 's/^\tWORKER_[A-Z]+ = ([0-9]+),.*/\1/p' hook/worker_status.h)" man/vmaffinity-hook.8 \
	"$(section man/vmaffinity-hook.8 "EXIT STATUS" | awk '/^The worker:/ { on = 1 } on' | sed -nE 's/^\.It ([0-9]+)$/\1/p')" \
	"exit statuses of the worker"
limit=$(sed -nE 's/^#define TIME_LIMIT_MS ([0-9]+)000$/\1/p' hook/guard.c)
grep -q "^After the $limit seconds" man/vmaffinity-hook.8 && limit=""
result "time limit: hook/guard.c, man/vmaffinity-hook.8" "$limit"

# ---- install.sh ----

installer=$(sed -n '/^for arg; do/,/^done/p' install.sh | grep -oE -- '--[a-z]+' )
same install.sh "$installer" "install.sh --help" \
	"$(bash install.sh --help | sed -nE 's/^ +(--[a-z]+) .*/\1/p')" options
same install.sh "$(grep -vx -- --help <<<"$installer")" README.md \
	"$(grep -oE 'install\.sh( \[?--[a-z]+\]?)+' README.md | grep -oE -- '--[a-z]+' | grep -vx -- --help)" options

tap_end

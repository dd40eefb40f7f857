#!/bin/bash
# Checks the walls of docs/ARCHITECTURE.md, as a TAP suite: libraries that each program needs at run time, libraries and
# wings that a file may include, objects that need each other, and files that the docs cite.
#
# usage: BUILD=DIR tests/checks/walls.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}"
# shellcheck source=tests/checks/tap.bash disable=SC1091
. tests/checks/tap.bash

# needs PROGRAM PATTERN...: the NEEDED entries of its dynamic section are these and no others. A hook that misses a
# library kills guests, since libvirt takes a failed exec for a failed hook: the guard needs none.
needs() {
	local program=$1 needed
	shift
	needed=$(readelf -d "$BUILD/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort | paste -sd ' ')
	# shellcheck disable=SC2053 # a pattern is meant
	[[ "$needed" == $* ]] && found="" || found="it needs '$needed'"
	result "$program needs ${*:-nothing}" "$found"
}

needs vmaffinity-guard ''
needs vmaffinity-hook 'libc.so.6 libinih.so.1'
needs xml.so 'libc.so.6 libxml2.so.*'
needs vmaffinity 'libc.so.6 libinih.so.1 libjson-c.so.* libsmartcols.so.1'

# only HEADER FILE: no other source includes <HEADER...>.
only() {
	local found
	found=$(grep -rlE "#include <$1" engine hook cli | grep -vxF "$2")
	result "<$1...> is included by $2 alone" "$found"
}

only libxml/ engine/guest/xml.c
only ini.h engine/rules/parse.c
only libvirt/ cli/virt_library.h

result "nothing in engine/ prints, logs or exits" \
	"$(grep -nE '\b(printf|puts|putchar|fputs|perror|syslog|exit|abort|_exit) ?\(|\b(stdout|stderr)\b' engine/*/*.c)"

# Each wing includes itself and the lower ones that the Makefile names for it. The linker says the same of symbols: a
# unit test links its wing and those alone.
# shellcheck disable=SC2013 # words
# shellcheck disable=SC2013 # words
for wing in $(sed -n 's/^WINGS := //p' Makefile); do
	uses=$(sed -n "s/^USES_$wing := //p" Makefile)
	result "engine/$wing includes itself${uses:+, }${uses// /, } and nothing else of ours" \
		"$(grep -nE '^#include "' engine/"$wing"/*.[ch] | grep -vE "\"($wing${uses:+|}${uses// /|})/")"
done
result "engine/ includes nothing of hook/ and cli/, and hook/ nothing of cli/" \
	"$(grep -nE '^#include "(hook|cli)/' engine/*/*.[ch]; grep -nE '^#include "cli/' hook/*.[ch])"

# An object needs another if it calls a function or reads a variable that the other defines. tsort(1) names the loops.
edges=$(nm -A "$BUILD"/engine/*/*.o "$BUILD"/hook/*.o "$BUILD"/cli/*.o "$BUILD"/cli/*/*.o | awk -v build="$BUILD/" '
	{ sub(/:.*/, "", $1); sub(build, "", $1); sub(/\.o$/, ".c", $1) }
	$(NF - 1) ~ /^[TDBR]$/ { definer[$NF] = $1 }
	$(NF - 1) == "U" { user[++n] = $1; name[n] = $NF }
	END { for (i = 1; i <= n; i++) if (name[i] in definer && definer[name[i]] != user[i]) print user[i], definer[name[i]] }')
result "no circle of source files ($(sort -u <<<"$edges" | wc -l) calls from one to another)" \
	"$(tsort <<<"$edges" 2>&1 >/dev/null | sed 's/^tsort: //; s/^-: input contains a loop:/a circle:/')"

# Files that papers, comments and scripts cite; a link of Markdown is relative to its file.
missing=$(git ls-files '*.md' | while read -r paper; do
	grep -oE '\]\([^)#:]+' "$paper" | cut -c 3- | while read -r target; do
		[ -e "$(dirname "$paper")/$target" ] || echo "$paper: $target"
	done
	# shellcheck disable=SC2016 # backquotes of Markdown
	grep -oE '`(engine|cli|hook|conf|man|docs|tests|debian)/[A-Za-z0-9_./-]+`' "$paper" | tr -d '`' | grep -v NAME | while read -r target; do
		[ -e "$target" ] || echo "$paper: $target"
	done
done
git grep -noE '\b(docs/)?(ARCHITECTURE|FACTS|CONTRIBUTING|SECURITY|PERFORMANCE|SNAPSHOT|STYLE|LAYOUT|PRODUCT|TESTING)\.md\b' -- '*.[ch]' '*.sh' '*.bats' '*.bash' '*.md' Makefile |
	grep -v '^tests/checks/walls.sh:' | while IFS=: read -r file line name; do
		name=${name#docs/}
		[ -e "docs/${name%.md}.md" ] || echo "$file:$line: $name"
	done)
result "what papers and comments cite exists" "$missing"

# A fact is cited by its number: "FACTS 4".
result "each cited fact is in docs/FACTS.md" "$(git grep -ohE 'FACTS(\.md)?,? [0-9.]+' | grep -oE '[0-9.]+[0-9]|[0-9]' | sort -u |
	while read -r fact; do grep -qE "^(## |- \*\*)?${fact}[. ]" docs/FACTS.md || echo "fact $fact"; done)"
tap_end

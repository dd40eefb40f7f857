#!/bin/bash
# Runs every check that reads the code without running it. A finding fails its check. TAP on stdout.
# LINT=quick: without clang's analyzer, which takes as long as all other checks together.
# shellcheck disable=SC2317 # the checks are called through check()
set -u
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source=tests/checks/tap.bash disable=SC1091
. tests/checks/tap.bash

mapfile -t sources < <(git ls-files 'engine/**/*.c' 'hook/*.c' 'cli/*.c' 'cli/**/*.c')
mapfile -t all_c < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git ls-files '*.sh' '*.bash' '*.bats' .ci/run)
mapfile -t tests < <(git ls-files 'tests/**/*.c')
read -ra includes < <(pkg-config --cflags libxml-2.0 json-c smartcols libvirt)
read -ra warnings < <(make -s print-WARNINGS WERROR=1)
defines=(-I. -Iengine -D_GNU_SOURCE -DVERSION='"0"')

tidy_checks='bugprone-*,misc-redundant-expression,misc-static-assert,readability-misleading-indentation,readability-duplicate-include'
for name in easily-swappable-parameters assignment-in-if-condition sizeof-expression narrowing-conversions \
	multi-level-implicit-pointer-conversion switch-missing-default-case inc-dec-in-conditions; do tidy_checks+=",-bugprone-$name"; done
clang_analyzer='clang-analyzer-*,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.*'
# Those of newer versions that take any int for what an enum or a file descriptor may be.
clang_analyzer+=',-clang-analyzer-optin.core.EnumCastOutOfRange,-clang-analyzer-unix.StdCLibraryFunctions'

# compiles COMMAND...: compiles each source of the product and the tests, and keeps nothing.
compiles() {
	[[ " ${warnings[*]} " == *" -Werror "* ]] || { echo "the Makefile does not say its WARNINGS"; return 1; }
	printf '%s\0' "${sources[@]}" "${tests[@]}" |
		xargs -0 -n 1 -P 2 "$1" -std=gnu11 "${warnings[@]}" "${@:2}" "${defines[@]}" -Itests/unit "${includes[@]}" -o /dev/null
}
# Runs gcc's analyzer without its leak checks: that of memory loses, in gcc 12, values stored through a parameter, and that of
# files, in gcc 14, the cleanup attribute. LeakSanitizer covers memory in every test.
analyzer() {
	local source
	for source in "${sources[@]}"; do
		gcc -std=gnu11 -O1 -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-fd-leak -Werror "${defines[@]}" "${includes[@]}" -c -o /dev/null "$source" || return 1
	done
}
# tidy CHECKS: runs these checks of clang-tidy.
tidy() {
	clang-tidy --quiet --warnings-as-errors='*' --checks="-*,$1" \
		"${sources[@]}" -- -std=gnu11 "${defines[@]}" "${includes[@]}"
}
cpp_check() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=ctuuninitvar --suppress=nullPointerOutOfMemory "${defines[@]}" "${sources[@]}"
}
# Finds functions that can overflow, or that read numbers without reporting errors (docs/CONTRIBUTING.md).
banned() {
	! grep -nE '\b(atoi|atol|strtol|strtoul|strcat|sprintf|vsprintf|strtok|gets|alloca)\(' "${sources[@]}"
}
man_pages() {
	local lint
	lint=$(mandoc -Tlint -Wwarning man/*.[58] 2>&1)
	[ -z "$lint" ] || { echo "$lint"; return 1; }
}

check "gcc has no warning" compiles gcc -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -S
# libvirt's VIR_DOMAIN_EVENT_CALLBACK casts functions, of which clang warns since 19
check "clang has no warning" compiles clang -Wno-cast-function-type -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -S
check "gcc -fanalyzer" analyzer
check "clang-tidy" tidy "$tidy_checks"
[ "${LINT:-}" = quick ] || check "clang's analyzer" tidy "$clang_analyzer"
check "cppcheck" cpp_check
check "no unbounded or unchecked function" banned
check "clang-format" clang-format --dry-run -Werror "${all_c[@]}"
check "shellcheck" shellcheck -x install.sh "${scripts[@]}"
check "mandoc -Tlint" man_pages
check "options in code, help, man pages and completion are the same" tests/checks/options.sh
tap_end

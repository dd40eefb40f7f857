#!/bin/bash
# Runs the named suites, each a TAP producer, shows their output and ends with "N passed, N failed".
# A suite that fails without a failed test, or runs none, counts as a failed test.
#
# usage: BUILD=DIR [SANITIZE=1] tests/run.sh SUITE...      suites: walls unit unit-root golden golden-root
#        oracle fuzz options cli e2e bench vm; unit-root, golden-root, cli, e2e, bench and vm are for root
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${SANITIZE:=}"
export BUILD SANITIZE
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
output=$(mktemp -d) || exit 2
trap 'rm -rf "$output"' EXIT

# alone COMMAND FOLDER: copies the TAP of bats, and adds to each failure the command that runs its case alone. Bats names the
# file in the lines below the failure, and the time after the name; a filter takes characters with a meaning for it, or for
# bats, as any.
alone()
{
	local line name="" filter
	while IFS= read -r line; do
		printf '%s\n' "$line"
		if [[ ${line% in *ms} =~ ^(not )?ok\ [0-9]+\ (.*) ]]; then
			[ -n "${BASH_REMATCH[1]}" ] && name=${BASH_REMATCH[2]//[^A-Za-z0-9 _,:;%=-]/.*} || name=""
		elif [ -n "$name" ] && [[ $line =~ \ file\ ([^,]*/)?([^/,]+\.bats),\ line\  ]]; then
			filter="--filter '$name' "
			[ "$name" != "setup_file failed" ] || filter=""
			printf '# alone: %s %s%s/%s\n' "$1" "$filter" "$2" "${BASH_REMATCH[2]}"
			name=""
		fi
	done
}

suite_walls() {
	tests/checks/walls.sh
}
suite_unit() {
	local source program status=0
	for source in tests/unit/*/test_*.c; do
		program=$BUILD/${source%.c}
		if ! CMOCKA_MESSAGE_OUTPUT=TAP "$program"; then
			echo "# alone: CMOCKA_MESSAGE_OUTPUT=TAP ${UNIT_ROOT:+UNIT_ROOT=1 }$program"
			status=1
		fi
	done
	return $status
}
suite_unit-root() {
	UNIT_ROOT=1 suite_unit
}
suite_golden() {
	tests/golden/run.py
}
suite_golden-root() {
	tests/golden/run.py --root
}
suite_options() {
	tests/checks/options.sh
}
suite_oracle() {
	tests/oracle/run.sh
}
# Sanitized, only the cases with the tag: one pass of the worker and of each command. Unit tests, golden cases and the
# fuzz corpora have run the rest.
suite_cli() {
	local options=(--tap --timing)
	[ -z "$SANITIZE" ] || options+=(--filter-tags sanitized)
	[[ $(parallel --version 2>/dev/null) != "GNU parallel"* ]] || options+=(--jobs 2 --no-parallelize-within-files)
	bats "${options[@]}" tests/cli | alone "BUILD=$BUILD bats" tests/cli
}
suite_fuzz() {
	local target status=0
	for target in tests/fuzz/corpus/*/; do
		"$BUILD/tests/fuzz/replay_$(basename "$target")" "$target" || status=1
	done
	return $status
}
# The product as shipped, sanitized or not: install.sh builds it.
# Where there can be several private hosts, two take the files from a queue, those first that take longest.
suite_e2e() {
	local file first=(survive install watch guests) files=() status=0
	if grep -qE '^[1-9][0-9]*:([^:]*,)?cpuset[,:]' /proc/self/cgroup; then
		for file in tests/e2e/*.bats; do
			file=$(basename "$file" .bats)
			[[ " wide ${first[*]} " == *" $file "* ]] || files+=("$file")
		done
		[ "$(nproc --all)" -lt 8 ] || files+=(wide)
		printf '%s.bats\n' "${first[@]}" "${files[@]}" >"$output/queue"
		E2E_QUEUE=$output/queue E2E_SECOND=1 tests/e2e/run.sh --tap --timing >"$output/second" 2>&1 &
		E2E_QUEUE=$output/queue tests/e2e/run.sh --tap --timing >"$output/first" 2>&1 || status=$?
		wait "$!" || status=$?
		cat "$output/first" "$output/second" | alone "tests/e2e/run.sh" tests/e2e
		rm "$output/first" "$output/second" "$output"/queue*
		return $status
	fi
	tests/e2e/run.sh --tap --timing | alone "tests/e2e/run.sh" tests/e2e
}

# The benchmark once through and small: whether each of its programs leaves the masks it should.
suite_bench() {
	tests/bench/run.sh smoke
}
suite_vm() {
	# shellcheck disable=SC2086 # words
	tests/vm/check.sh ${VM_HOSTS:-}
}

# The times that a suite took: how long one waits, and what all its processes cost.
TIMEFORMAT='%0R s, user + sys %0U + %0S s'
# run_suite SUITE: runs it; its output, exit status and times go to files. The output is shown as well.
run_suite() {
	{ time { "suite_$1" 2>&1 | tee "$output/$1"; echo "${PIPESTATUS[0]}" >"$output/$1.status"; }; } 2>"$output/$1.time"
}

# The end-to-end cases wait for most of their time: they run beside the suites that are named before them, in a process
# group that ends with this script.
beside=""
if [[ " ${*:2} " == *" e2e "* ]]; then
	set -m
	run_suite e2e >/dev/null &
	set +m
	beside=$!
	trap 'kill -- -$beside 2>/dev/null; wait $beside; rm -rf "$output"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
fi

passed=0 failed=0 summary=""
for suite in "$@"; do
	echo "# suite $suite${SANITIZE:+ (sanitized)}"
	if [ "$suite" = e2e ] && [ -n "$beside" ]; then
		wait "$beside"
		cat "$output/e2e"
	else
		run_suite "$suite"
	fi
	read -r status <"$output/$suite.status" || status=1
	ok=$(grep -c '^ok ' "$output/$suite")
	bad=$(grep -c '^not ok ' "$output/$suite")
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$ok" -eq 0 ]; }; then
		echo "not ok $suite ended with status $status after $ok tests"
		bad=1
	fi
	skipped=$(grep -ciE '^ok .*# skip' "$output/$suite")
	if [ "$skipped" -ne 0 ]; then
		echo "not ok $suite skipped $skipped tests"
		ok=$((ok - skipped)) bad=$((bad + skipped))
	fi
	summary+="$suite: $ok passed, $bad failed; $(cat "$output/$suite.time")"$'\n'
	passed=$((passed + ok)) failed=$((failed + bad))
done
grep -h '^not ok ' "$output"/* 2>/dev/null | sed 's/^/# /'
printf '%s' "$summary" | sed 's/^/# /'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

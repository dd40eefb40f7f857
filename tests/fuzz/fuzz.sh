#!/bin/bash
# Fuzzes each parser with libFuzzer, under ASan and UBSan, and prints how many inputs were run.
#
# usage: [BUILD=DIR] [FUZZ_SECONDS=60] [MERGE=1] tests/fuzz/fuzz.sh [TARGET...]
#
# New inputs go to BUILD/corpus/TARGET. An input that breaks an assertion is kept in tests/fuzz/corpus/TARGET, so that it
# fails in every test run until the fault is fixed. MERGE=1 chooses the stored corpus again after the run.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
: "${BUILD:=build/fuzz}" "${FUZZ_SECONDS:=60}" "${MERGE:=}" "${CLANG:=clang}"
LARGEST=4096   # bytes of an input
STORED_MAX=40  # inputs of a target, besides those that are named by hand
mkdir -p "$BUILD/tmp"
# libFuzzer ends without cleaning up.
TMPDIR=$(cd "$BUILD/tmp" && pwd)
export TMPDIR
trap 'rm -rf "${TMPDIR:?}"' EXIT

if ! command -v "$CLANG" >/dev/null; then
	echo "fuzz.sh: $CLANG is not installed" >&2
	exit 2
fi
read -ra xml < <(pkg-config --cflags --libs libxml-2.0 | tr '\n' ' ')

# Of the two ways to the XML's functions, the plain one: NOT_IN_WINGS of the Makefile is left out.
mapfile -t sources < <(printf '%s\n' engine/*/*.c | grep -vE '/xml_(loader|module)\.c$')

build()
{
	"$CLANG" -std=gnu11 -D_GNU_SOURCE -I. -Iengine -O1 -g -fno-omit-frame-pointer \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o "$BUILD/fuzz_$1" "tests/fuzz/fuzz_$1.c" "${sources[@]}" "${xml[@]}" -linih
}

# fuzz TARGET: runs it and reports; fails if an input broke a promise.
fuzz()
{
	local target=$1 stored=tests/fuzz/corpus/$1 new=$BUILD/corpus/$1 log=$BUILD/fuzz_$1.log status options=()
	mkdir -p "$stored" "$new"
	[ ! -e "tests/fuzz/$target.dict" ] || options+=("-dict=tests/fuzz/$target.dict")
	"$BUILD/fuzz_$target" -max_total_time="$FUZZ_SECONDS" -max_len=$LARGEST -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$stored/" "${options[@]}" "$new" "$stored" >"$log" 2>&1
	status=$?
	awk -v target="$target" '
		/^stat::number_of_executed_units/ { runs = $2 }
		/^stat::average_exec_per_sec/ { rate = $2 }
		/ cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
		END { printf "%s: %d runs, %d a second, %d edges, %d features\n", target, runs, rate, edges, features }' "$log"
	if [ $status -ne 0 ]; then
		grep -E '^==.*ERROR|broken: |runtime error|Test unit written' "$log"
		echo "fuzz.sh: $target failed; all of it is in $log" >&2
		return 1
	fi
	[ -z "$MERGE" ] || merge "$target"
}

# The stored corpus anew: what is named by hand stays; of the rest, which libFuzzer calls by its hash, those that add
# most to what is reached.
merge()
{
	local stored=tests/fuzz/corpus/$1 new=$BUILD/corpus/$1 best=$BUILD/best/$1 old=$BUILD/old/$1 file
	rm -rf "$best" "$old"
	mkdir -p "$best" "$old"
	find "$stored" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -exec mv -t "$old" {} +
	cp "$stored"/* "$best"
	"$BUILD/fuzz_$1" -set_cover_merge=1 -max_len=$LARGEST "$best" "$old" "$new" >>"$BUILD/fuzz_$1.log" 2>&1
	while read -r file; do # in the order of their merit
		[ "$(find "$stored" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' | wc -l)" -lt $STORED_MAX ] || break
		cp -n "$best/$file" "$stored"
	done < <(find "$best" -type f -printf '%T@ %f\n' | sort -n | cut -d ' ' -f 2)
	echo "$1: $(find "$stored" -type f | wc -l) inputs stored"
}

if [ $# -eq 0 ]; then
	for target in tests/fuzz/fuzz_*.c; do
		target=${target##*/fuzz_}
		set -- "$@" "${target%.c}"
	done
fi
failed=0
for target; do
	build "$target" && fuzz "$target" || failed=1
done
exit $failed

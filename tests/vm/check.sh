#!/bin/bash
# Runs the end-to-end cases on all virtual hosts at once, each on its own CPU; run.sh says which cases.
#
# usage: tests/vm/check.sh [HOST...]       hosts: see hosts.bash
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/vm/hosts.bash disable=SC1091
. "$here/hosts.bash"

[ $# -gt 0 ] || eval "set -- $HOSTS"
output=$(mktemp -d) || exit
trap 'rm -rf "$output"' EXIT
pids=()
for host; do
	"$here/run.sh" "$host" >"$output/$host" 2>&1 </dev/null &
	pids+=($!)
done
status=0
for host; do
	wait "${pids[0]}" || status=1
	pids=("${pids[@]:1}")
	echo "# host $host"
	cat "$output/$host"
	[ "$(grep -c '^ok ' "$output/$host")" -gt 0 ] || { echo "not ok $host: no case has passed" && status=1; }
done
exit $status

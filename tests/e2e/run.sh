#!/bin/bash
# Runs the end-to-end cases on a private libvirt host (host.sh), against the product as
# install.sh installs it there. Arguments go to bats: files, or options such as --filter.
#
# usage: tests/e2e/run.sh [BATS-ARGUMENT...]
#
# E2E_QUEUE: a file with the names of the files to run, a line each: each host that takes part takes the next one.
# E2E_INSTALL: the command that installs, run in the source tree (default ./install.sh)
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if [ "${E2E_HOST:-}" = "" ]; then
	command -v bats >/dev/null || { echo "run.sh: bats is not installed" >&2; exit 125; }
	command -v strace >/dev/null || { echo "run.sh: strace is not installed" >&2; exit 125; }
	exec "$here/host.sh" "$here/run.sh" "$@"
fi

if ! (cd "$here/../.." && exec 9>"${E2E_QUEUE:-$E2E_DIR/queue}.lock" && flock 9 && sh -c "${E2E_INSTALL:-./install.sh}" >"$E2E_DIR/install.log" 2>&1 </dev/null); then
	cat "$E2E_DIR/install.log" >&2
	echo "run.sh: installing on the private host failed" >&2
	exit 1
fi
# shellcheck source=tests/e2e/lib.bash disable=SC1091
. "$here/lib.bash"
product_save
# install.sh has done it; another installing command has not: the daemon looks for hooks only then
[ -z "${E2E_INSTALL:-}" ] || host_reload || exit 1

# Without a file among the arguments: all. wide.bats wants more CPUs than most machines for development have: a host of
# tests/vm has them.
files=()
for file in "$here"/*.bats; do
	[ "${file##*/}" = wide.bats ] && [ "$(nproc --all)" -lt 8 ] || files+=("$file")
done
for arg; do
	[ ! -e "$arg" ] || files=()
done
# next: takes the next file off the queue.
next()
{
	(
		flock 9
		read -r file <"$E2E_QUEUE" || exit 1
		sed -i 1d "$E2E_QUEUE"
		echo "$file"
	) 9>"$E2E_QUEUE.lock"
}
status=0
if [ -n "${E2E_QUEUE:-}" ]; then
	while file=$(next); do bats "$@" "$here/$file" || status=$?; done
else
	bats "$@" "${files[@]}" || status=$?
fi

# The survival matrix, as far as survive.bats has filled it: a row for each fault, a column for each path.
[ ! -e "$E2E_DIR/matrix" ] || awk -F '~' '
	!($1 in seen) { seen[$1] = 1; faults[++rows] = $1 }
	{ cell[$1, $2] = $3 }
	function row(a, b, c, d) { printf "# %-24s | %-23s | %-23s | %s\n", a, b, c, d }
	function of(fault, path) { return (fault, path) in cell ? cell[fault, path] : "-" }
	END {
		row("fault", "reconnect", "started", "restored")
		for (i = 1; i <= rows; i++) row(faults[i], of(faults[i], "reconnect"), of(faults[i], "started"), of(faults[i], "restored"))
	}' "$E2E_DIR/matrix"
exit $status

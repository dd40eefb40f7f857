#!/bin/bash
# Runs the end-to-end cases on a private libvirt host (host.sh), against the product as
# install.sh installs it there. Arguments go to bats: files, or options such as --filter.
#
# usage: tests/e2e/run.sh [BATS-ARGUMENT...]
#
# E2E_INSTALL: the command that installs, run in the source tree (default ./install.sh)
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if [ "${E2E_HOST:-}" = "" ]; then
	command -v bats >/dev/null || { echo "run.sh: bats is not installed" >&2; exit 125; }
	command -v strace >/dev/null || { echo "run.sh: strace is not installed" >&2; exit 125; }
	exec "$here/host.sh" "$here/run.sh" "$@"
fi

if ! (cd "$here/../.." && sh -c "${E2E_INSTALL:-./install.sh}" >"$E2E_DIR/install.log" 2>&1 </dev/null); then
	cat "$E2E_DIR/install.log" >&2
	echo "run.sh: installing on the private host failed" >&2
	exit 1
fi
# shellcheck source=tests/e2e/lib.bash disable=SC1091
. "$here/lib.bash"
product_save
# install.sh does it, another installing command may not: the daemon looks for hooks only then
host_reload || exit 1

for arg; do
	[ ! -e "$arg" ] || exec bats "$@"
done
# wide.bats wants more CPUs than most machines for development have: a host of tests/vm has them.
files=()
for file in "$here"/*.bats; do
	[ "${file##*/}" = wide.bats ] && [ "$(nproc --all)" -lt 8 ] && continue
	files+=("$file")
done
exec bats "$@" "${files[@]}"

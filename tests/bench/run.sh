#!/bin/bash
# Runs the benchmark (bench.py) on a private libvirt host (tests/e2e/host.sh), against the product as install.sh
# installs it there.
#
# usage: BUILD=DIR tests/bench/run.sh [smoke|quick|full] [JSON-FILE]      ROUNDS=N: instead of their default
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${BUILD:=build}"

if [ "${E2E_HOST:-}" = "" ]; then
	missing=""
	while read -r probe package; do
		case $probe in
		/*) [ -e "$probe" ] ;;
		python:*) /usr/bin/python3 -c "import ${probe#*:}" 2>/dev/null ;;
		*) command -v "$probe" >/dev/null ;;
		esac || missing+=" $package"
	done <<-'END'
		libvirtd libvirt-daemon-system
		virsh libvirt-clients
		qemu-system-x86_64 qemu-system-x86
		xmllint libxml2-utils
		taskset util-linux
		/usr/bin/python3 python3
		python:libvirt python3-libvirt
	END
	[ -z "$missing" ] || { echo "bench: these packages are missing:$missing" >&2; exit 125; }
	exec "$here/../e2e/host.sh" "$here/run.sh" "$@"
fi

if ! (cd "$here/../.." && sh -c "${E2E_INSTALL:-./install.sh}" >"$E2E_DIR/install.log" 2>&1 </dev/null); then
	cat "$E2E_DIR/install.log" >&2
	echo "bench: installing on the private host failed" >&2
	exit 1
fi
cd "$here/../.."
exec /usr/bin/python3 -B "$here/bench.py" "$BUILD/tests/bench" "$@"

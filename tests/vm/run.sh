#!/bin/bash
# Boots a virtual host and runs the end-to-end cases in it. TAP on stdout; status 0 if there was at least one case, all
# that were planned have been run, and none failed.
#
# usage: tests/vm/run.sh HOST [BATS-ARGUMENT...]       hosts: see hosts.bash
#        VM_COMMAND='COMMAND' tests/vm/run.sh HOST     runs that inside instead
#
# 8 CPUs: 2 sockets, each a NUMA node, of 2 cores with 2 threads. Emulated (TCG): where this runs, KVM need not work.
# VM_TIMEOUT: seconds after which the machine is killed (1500). VM_CONSOLE: a file for its console.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/vm/hosts.bash disable=SC1091
. "$here/hosts.bash"

[ $# -gt 0 ] || die "usage: run.sh HOST [BATS-ARGUMENT...]"
host=$1
shift
vm_host "$host"
"$here/build.sh" "$host"
started=$SECONDS
PATH=$PATH:/usr/sbin:/sbin
for tool in qemu-system-x86_64 mke2fs; do
	command -v "$tool" >/dev/null || die "$tool is not installed"
done
work=$(mktemp -d "$image/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The checkout as it stands, and what to run in it. It is compiled here, with the virtual host's own compiler: install.sh
# inside finds that done, for which emulated CPUs would take minutes.
stage()
{
	local tree=$image/root/srv/vmaffinity
	cd "$here/../.."
	mkdir -p "$tree"
	find "$tree" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	git ls-files -z --cached --others --exclude-standard --deduplicate |
		while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
		tar --create --null --files-from=- --owner=0 --group=0 | tar --extract --directory="$tree"
	if [ -n "${VM_COMMAND:-}" ]; then
		printf '%s\0' bash -c "$VM_COMMAND"
	else
		printf '%s\0' tests/e2e/run.sh --tap "$@"
	fi >"$tree/vm-command"
	if ! chroot "$image/root" make -j "$(nproc)" -C /srv/vmaffinity >"$work/make.log" 2>&1; then
		cat "$work/make.log" >&2
		die "$host: the product cannot be built there"
	fi
	mke2fs -q -t ext4 -O ^has_journal -d "$image/root" "$work/disk.img" 3G
}

boot()
{
	# shellcheck disable=SC2086 # options, of several words
	timeout --foreground -k 10 "${VM_TIMEOUT:-1500}" \
		qemu-system-x86_64 -accel ${VM_ACCEL:-tcg,thread=multi} -cpu ${VM_CPU:-Nehalem} -machine q35 -nodefaults -no-user-config -display none -no-reboot \
		-smp 8,sockets=2,cores=2,threads=2 -m 4G \
		-object memory-backend-ram,id=m0,size=2G -numa node,nodeid=0,cpus=0-3,memdev=m0 \
		-object memory-backend-ram,id=m1,size=2G -numa node,nodeid=1,cpus=4-7,memdev=m1 \
		-kernel "$image/kernel" -initrd "$image/initrd" \
		-append "root=/dev/vda rw fsck.mode=skip console=ttyS0 mitigations=off quiet $cmdline ${VM_CMDLINE:-}" \
		-drive "file=$work/disk.img,if=virtio,format=raw,cache=unsafe" \
		-serial "file:${VM_CONSOLE:-$work/console}" \
		-device virtio-serial -chardev file,id=tap,path=/dev/stdout -device virtserialport,chardev=tap,name=tap \
		-device virtio-rng-pci </dev/null
}

(
	flock 9
	stage "$@"
) 9>"$image/lock"
status=0
boot | tee "$work/tap" || status=${PIPESTATUS[0]}
echo "# $host: $((SECONDS - started)) s"

ended=$(sed -n 's/^# vm: ended with //p' "$work/tap")
if [ "$status" != 0 ] || [ -z "$ended" ]; then
	[ "$status" != 124 ] || echo "# $host: killed after ${VM_TIMEOUT:-1500} s"
	echo "# $host: the machine's console ends with:"
	tail -n 60 "${VM_CONSOLE:-$work/console}" | sed 's/^/# /'
	echo "not ok the virtual host $host ended early"
	exit 1
fi
[ -z "${VM_COMMAND:-}" ] || exit "$ended"
planned=$(sed -nE 's/^1\.\.([0-9]+)$/\1/p' "$work/tap" | tail -n 1)
ok=$(grep -cE '^ok [0-9]' "$work/tap" || true)
if [ "$ended" != 0 ] || [ "$ok" = 0 ] || [ "$ok" != "$planned" ]; then
	grep -q '^not ok' "$work/tap" || echo "not ok $host: $ok of ${planned:-no} cases passed, status $ended"
	exit 1
fi

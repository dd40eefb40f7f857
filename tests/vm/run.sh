#!/bin/bash
# Boots a virtual host and runs the end-to-end cases in it, on the libvirt that systemd runs there; then boots it again,
# with isolated CPUs, for boot.bats. TAP on stdout; status 0 if all cases that were planned have passed. The last lines
# have the time that it took, waiting and CPU.
#
# usage: tests/vm/run.sh HOST [BATS-ARGUMENT...]       hosts: see hosts.bash
#
# Emulated CPUs are slow: without arguments only the cases with the tag "vm" are run. Three kinds are left out if this machine
# is the same Debian with the same cgroups, and on Debian 14 and on Debian 12 with cgroup v2: those of tests/e2e that the
# machine runs itself on a private libvirt host, those with the tag "once" and the second boot, which Debian 13 has. Those with
# the tag "debian14" are run there alone.
# VM_ALL=1: all cases, with every fault on every path, and 10 rounds of 16 guests instead of one of 4. Arguments go to bats;
# then there is no second boot. VM_FILES: files to be put into /srv. VM_COMMAND: shell commands to run inside instead.
# VM_TIMEOUT: seconds after which a machine is killed.
# VM_CONSOLE: a file for its console.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/vm/hosts.bash disable=SC1091
. "$here/hosts.bash"

[ $# -gt 0 ] || die "usage: run.sh HOST [BATS-ARGUMENT...]; hosts: $HOSTS"
host=$1
shift
vm_host "$host"
"$here/build.sh" "$host"
"$here/build.sh" $EMULATOR_HOST
vm_host $EMULATOR_HOST
emulator=("$image/root/lib64/ld-linux-x86-64.so.2" --library-path "$image/root/usr/lib/x86_64-linux-gnu"
	"$image/root/usr/bin/qemu-system-x86_64" -L "$image/root/usr/share/seabios" -L "$image/root/usr/share/qemu")
vm_host "$host"
started=$SECONDS
PATH=$PATH:/usr/sbin:/sbin
command -v mke2fs >/dev/null || die "mke2fs is not installed"
time_limit=${VM_TIMEOUT:-$((${VM_ALL:-0} ? 14400 : 5400))}
work=$(mktemp -d "$image/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Prints the sum of what the shell's "times" printed, in seconds.
cpu_time() { awk -F '[ms ]+' '{ sum += ($1 + $3) * 60 + $2 + $4 } END { printf "%.0f\n", sum }'; }

# The checkout as it stands. It is compiled here, with the virtual host's own compiler and the flags that install.sh has
# inside, which finds that done: emulated CPUs would take minutes. Nothing of an earlier checkout is left over, whose
# objects may be newer than these sources.
stage()
{
	local tree=$image/root/srv/vmaffinity
	cd "$here/../.."
	rm -rf "$image"/root/srv/*
	mkdir -p "$tree"
	# shellcheck disable=SC2086 # words
	[ -z "${VM_FILES:-}" ] || cp $VM_FILES "$image/root/srv/"
	git ls-files -z --cached --others --exclude-standard --deduplicate |
		while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
		tar --create --null --files-from=- --owner=0 --group=0 | tar --extract --directory="$tree"
	if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u WERROR chroot "$image/root" make -j "$(nproc)" -C /srv/vmaffinity >"$work/log" 2>&1; then
		cat "$work/log" >&2
		die "$host: the product cannot be built there"
	fi
	mke2fs -qF -t ext4 -O ^has_journal -d "$image/root" "$work/disk.img" 3G >"$work/log"
}

# True if this machine has the Debian (and so the libvirt) and the cgroups of the host.
is_like_this_machine()
{
	local own=v2
	! grep -qE '^[^ ]+ [^ ]+ cgroup [^ ]*\bcpuset\b' /proc/self/mounts || own=v1
	[ "$cgroups" = $own ] && grep -qx "VERSION_CODENAME=$suite" /etc/os-release
}

# True if this machine, or Debian 13 as another host, shows most of what this host would.
is_shown_elsewhere() { is_like_this_machine || [ "$host" = debian14 ] || [ "$host" = debian12 ]; }

# True if there is a second boot: not where another host has it.
boots_again()
{
	[ -z "${VM_COMMAND:-}" ] && { [ -n "${VM_ALL:-}" ] || ! is_shown_elsewhere; }
}

# command_for BOOT [BATS-ARGUMENT...]: what the virtual host is to do, as shell code.
command_for()
{
	local boot=$1 cases="tests/e2e/*.bats tests/vm/host.bats tests/vm/service.bats tests/vm/exclusive.bats" faults="" at_start="" guests=16 rounds=10 tags=""
	shift
	if [ -n "${VM_COMMAND:-}" ]; then
		echo "$VM_COMMAND"
	elif [ $# -gt 0 ]; then
		printf 'tests/e2e/run.sh --tap'
		printf ' %q' "$@"
	elif [ "$boot" = 2 ]; then
		echo "E2E_INSTALL=: tests/e2e/run.sh --tap --timing tests/vm/boot.bats"
	else
		if [ -z "${VM_ALL:-}" ]; then
			tags=vm
			if is_shown_elsewhere; then
				cases=${cases/"*.bats"/wide.bats}
				tags+=',!once'
			fi
			# Debian 13 has enough to do
			[ "$host" = debian14 ] || tags+=',!debian14'
			# the guard under AppArmor must find that there is no worker, and end one; the journal is only here
			faults="worker deleted|a hang|ruled: the log gone"
			at_start="worker deleted"
			guests=4 rounds=1
		fi
		[ "$suite" != bookworm ] || tags+=${tags:+,}!partitions # its kernel has none
		[ -z "$tags" ] || cases+=" --filter-tags '$tags'"
		echo "E2E_FAULTS='$faults' E2E_FAULTS_AT_START='$at_start' E2E_GUESTS=$guests E2E_ROUNDS=$rounds \
			tests/e2e/run.sh --tap --timing $cases; status=\$?
			$(boots_again && echo 'tests/vm/prepare-boot.sh &&') exit \$status"
	fi
}

# 8 CPUs: 2 sockets, each a NUMA node, of 2 cores with 2 threads. Emulated: KVM need not be there, and where this is
# developed a full kernel dies under it. One thread for all CPUs: two hosts side by side are for two real CPUs. RCU and
# memory as where CPUs are not emulated one after the other: else they take half of the time. The host's clock counts
# instructions (1 ns each) while it works: on a busy machine it is slow as a whole, no limit inside runs out earlier, and no
# timer comes more often for the work done. A timer that comes late is no reason for the kernel to look for another.
emulate()
{
	timeout --foreground -k 10 "$time_limit" \
		"${emulator[@]}" -accel tcg,thread=single -icount shift=0 -cpu Nehalem -machine q35 -nodefaults -no-user-config -display none -no-reboot \
		-smp 8,sockets=2,cores=2,threads=2 -m 4G \
		-object memory-backend-ram,id=m0,size=2G -numa node,nodeid=0,cpus=0-3,memdev=m0 \
		-object memory-backend-ram,id=m1,size=2G -numa node,nodeid=1,cpus=4-7,memdev=m1 \
		-kernel "$image/kernel" -initrd "$image/initrd" \
		-append "root=/dev/vda rw fsck.mode=skip console=ttyS0 mitigations=off no_timer_check rcupdate.rcu_expedited=1 init_on_alloc=0 panic=-1 quiet $cmdline $1" \
		-drive "file=$work/disk.img,if=virtio,format=raw,cache=unsafe" \
		-drive "file=$work/command,if=virtio,format=raw,readonly=on" \
		-serial "file:${VM_CONSOLE:-$work/console}" \
		-device virtio-serial -chardev file,id=tap,path=/dev/stdout -device virtserialport,chardev=tap,name=tap \
		-device virtio-rng-pci </dev/null 2>"$work/qemu"
}

# boot KERNEL-WORDS: its time and that of the CPU, in seconds, go to "time".
boot()
{
	local TIMEFORMAT='%0R %0U %0S'
	{ time emulate "$1"; } 2>"$work/time"
}

# run BOOT KERNEL-WORDS [BATS-ARGUMENT...]: boots, shows what comes, judges it.
run()
{
	local status=0 ended planned ok wall user system
	# a disk holds whole sectors
	command_for "$1" "${@:3}" >"$work/command"
	truncate -s 16K "$work/command"
	boot "$2" | tee "$work/tap" || status=${PIPESTATUS[0]}
	read -r wall user system < <(tail -n 1 "$work/time")
	cpu=$((cpu + user + system))
	echo "# $host: boot $1 took $wall s, $((user + system)) s of the CPU"
	ended=$(sed -n 's/^# vm: ended with //p' "$work/tap")
	if [ "$status" != 0 ] || [ -z "$ended" ]; then
		echo "# $host: the emulator's status is $status (124, 137: stopped after $time_limit s)"
		cat "$work/qemu" "${VM_CONSOLE:-$work/console}" | tail -n 60 | sed 's/^/# /'
		echo "not ok $host: the machine ended early; that was what it and its console said"
		return 1
	fi
	[ -z "${VM_COMMAND:-}" ] || return "$ended"
	planned=$(sed -nE 's/^1\.\.([0-9]+)$/\1/p' "$work/tap" | tail -n 1)
	ok=$(grep -cE '^ok [0-9]' "$work/tap" || true)
	passed=$((passed + ok))
	if [ "$ended" != 0 ] || [ "$ok" = 0 ] || [ "$ok" != "$planned" ]; then
		grep -q '^not ok' "$work/tap" || echo "not ok $host: $ok of ${planned:-no} cases passed, status $ended"
		return 1
	fi
}

(
	flock 9
	stage
) 9>"$VM_CACHE/$host.lock"
status=0 cpu=0 passed=0
run 1 "" "$@" || status=1
if [ $# = 0 ] && boots_again; then
	run 2 isolcpus=6,7 || status=1
fi
times >"$work/times" # not in a subshell, which would count from 0
echo "# $host: $passed cases passed, $((SECONDS - started)) s, $(cpu_time <"$work/times") s of the CPU, of which $cpu emulating"
exit $status

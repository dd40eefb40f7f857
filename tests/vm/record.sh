#!/bin/bash
# Records machines for tests/fixtures/machines: boots a kernel on emulated hosts that run nothing but "vmaffinity
# capture". Run it again when capture reads more files, or for another host, and review git diff.
#
# usage: tests/vm/record.sh [NAME...]      hosts: see host(); default: all, most of the time for 256 CPUs
#
# KERNEL: from Debian's package linux-image-cloud-amd64; default: that of the virtual host debian13, if build.sh has made it.
# QEMU: the emulator (qemu-system-x86_64), 9.0 or later: older ones have at most 255 CPUs, and threads of a core share no L1.
# 10.0 fails an assertion on the host with dies, which is recorded with 7.2.
# RECORD_TIMEOUT: seconds after which a host is given up (900).
# shellcheck disable=SC2054 # QEMU's commas
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/vm/hosts.bash disable=SC1091
. "$here/hosts.bash"
repo=$(realpath "$here/../..")
program=$(realpath "${BUILD:-$repo/build}")/vmaffinity

HOSTS="1-cpu smt-adjacent smt-nodes smt-off 4-packages dies node-without-cpus node-without-memory
	offline holes 256"

# host NAME: sets what it is, QEMU's options, the model of its CPUs, the kernel's options, the CPUs that are plugged in
# besides the first, each as SOCKET.CORE.THREAD, and the CPUs taken offline at last.
host()
{
	options=() model=Nehalem kernel_options="" plugged="" offline="" nodes=0 megabytes=0 accel=tcg,thread=single
	case $1 in
	1-cpu)
		what="1 CPU"
		options=(-smp 1)
		;;
	smt-adjacent)
		what="1 package of 4 cores with 2 threads, siblings numbered one after the other; isolcpus=4-7"
		options=(-smp 8,cores=4,threads=2)
		kernel_options="isolcpus=4-7"
		;;
	smt-nodes)
		what="2 packages, a node each, of 4 cores with 2 threads, siblings numbered one after the other"
		options=(-smp 16,sockets=2,cores=4,threads=2)
		node cpus=0-7
		node cpus=8-15
		;;
	smt-off)
		what="2 packages of 2 cores with 2 threads, of which the kernel was told to leave one alone (nosmt)"
		options=(-smp 8,sockets=2,cores=2,threads=2)
		kernel_options=nosmt
		;;
	4-packages)
		what="4 packages, a node each, of 4 cores"
		options=(-smp 16,sockets=4,cores=4)
		node cpus=0-3
		node cpus=4-7
		node cpus=8-11
		node cpus=12-15
		;;
	dies)
		what="2 packages of 2 dies, each with a node and an L3 of its own, of 2 cores with 2 threads"
		options=(-smp 16,sockets=2,dies=2,cores=2,threads=2)
		node cpus=0-3
		node cpus=4-7
		node cpus=8-11
		node cpus=12-15
		;;
	node-without-cpus)
		what="2 packages of 2 cores with 2 threads, a node each; node 2 is memory near node 1, node 3 is as far from all"
		options=(-smp 8,sockets=2,cores=2,threads=2)
		node cpus=0-3
		node cpus=4-7
		node
		node
		options+=(-numa dist,src=0,dst=1,val=21 -numa dist,src=0,dst=2,val=30 -numa dist,src=1,dst=2,val=17
			-numa dist,src=0,dst=3,val=40 -numa dist,src=1,dst=3,val=40 -numa dist,src=2,dst=3,val=40)
		;;
	node-without-memory)
		what="3 packages of 2 cores with 2 threads, a node each, node 1 without memory"
		options=(-smp 12,sockets=3,cores=2,threads=2)
		node cpus=0-3
		memory=0 node cpus=4-7
		node cpus=8-11
		;;
	offline)
		what="2 packages, a node each, of 4 cores with 2 threads; a thread, a core, and the first core of package 1 are offline"
		options=(-smp 16,sockets=2,cores=4,threads=2)
		offline="3 4 5 8 9"
		node cpus=0-7
		node cpus=8-15
		;;
	holes)
		what="packages and nodes 0 and 2, of 4 cores each; CPUs 1 and 5 are offline"
		options=(-smp 1,maxcpus=12,sockets=3,cores=4)
		plugged=$(echo 0.{1..3}.0 2.{0..3}.0)
		offline="1 5"
		node cpus=0-3
		memory=0 node cpus=4-7
		node cpus=8-11
		;;
	256)
		what="2 packages, a node each, of 64 cores with 2 threads"
		options=(-smp 256,sockets=2,cores=64,threads=2 -device intel-iommu,intremap=on,eim=on)
		model=Nehalem,+x2apic
		accel=tcg,thread=multi # in turn they get nowhere; elsewhere the kernel's patching of itself may trip over this
		node cpus=0-127
		node cpus=128-255
		;;
	*) die "no such host: '$1'; there are: $HOSTS" ;;
	esac
	[ "$nodes" != 0 ] || megabytes=512
	options+=(-m "${megabytes}M")
}

# node [CPUS]: the next node, with 256 MiB, or memory=0.
node()
{
	local cpus=${1:+,$1}
	if [ "${memory:-256}" = 0 ]; then
		options+=(-numa "node,nodeid=$nodes$cpus")
	else
		options+=(-object "memory-backend-ram,id=m$nodes,size=256M" -numa "node,nodeid=$nodes,memdev=m$nodes$cpus")
		megabytes=$((megabytes + 256))
	fi
	nodes=$((nodes + 1))
}

# The initial file system: this machine's shell, mount and C library, and what is recorded with. Which CPUs it is to take
# offline stands in the kernel's command line.
stage()
{
	local root=$work/root file
	mkdir -p "$root"/{dev,proc,sys}
	for file in bash mount "$program"; do
		file=$(command -v "$file") || die "$file is not there"
		cp --parents -L "$file" "$root"
		ldd "$file" | grep -oE '/[^ ]+' | xargs -r cp --parents -L -t "$root"
		ln -s "$file" "$root/${file##*/}"
	done
	cat >"$root/init" <<-'END'
		#!/bash
		/mount -t devtmpfs dev /dev && /mount -t proc proc /proc && /mount -t sysfs sys /sys
		exec >/dev/ttyS1
		cd /sys/devices/system/cpu
		for word in $(</proc/cmdline); do
			[[ $word == record.offline=* ]] && offline=${word#*=}
		done
		for number in ${offline//,/ }; do echo 0 >"cpu$number/online"; done
		/vmaffinity capture && echo "# whole"
		echo o >/proc/sysrq-trigger
		while :; do :; done
	END
	chmod +x "$root/init"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initrd"
}

boot()
{
	local cpu socket core thread
	for cpu in $plugged; do
		IFS=. read -r socket core thread <<<"$cpu"
		options+=(-device "$model-x86_64-cpu,socket-id=$socket,die-id=0,core-id=$core,thread-id=$thread")
	done
	rm -f "$work"/{console,record}
	timeout --foreground -k 10 "${RECORD_TIMEOUT:-900}" "${QEMU:-qemu-system-x86_64}" -accel "$accel" -machine q35 -cpu "$model" \
		"${options[@]}" -nodefaults -no-user-config -display none -no-reboot -kernel "$KERNEL" -initrd "$work/initrd" \
		-append "console=ttyS0 mitigations=off quiet nokaslr nowatchdog nosoftlockup rcupdate.rcu_expedited=1 panic=-1 $kernel_options record.offline=${offline// /,}" \
		-serial "file:$work/console" -serial "file:$work/record" >"$work/log" 2>&1 </dev/null || true
	if ! tr -d '\r' <"$work/record" | grep -qx '# whole'; then
		cat "$work/console" "$work/log" | tail -n 20 >&2
		die "$name: the host ended early"
	fi
}

vm_host debian13
KERNEL=${KERNEL:-$image/kernel}
[ -e "$KERNEL" ] || die "name a KERNEL, or make the virtual host debian13 (build.sh)"
for tool in "${QEMU:-qemu-system-x86_64}" cpio "$program"; do
	command -v "$tool" >/dev/null || die "$tool is not there"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage
# shellcheck disable=SC2086 # words
[ $# != 0 ] || set -- $HOSTS
for name; do
	host "$name"
	started=$SECONDS
	boot
	{
		echo "# $what. Recorded from Linux on an emulated host (tests/vm/record.sh)."
		tr -d '\r' <"$work/record" | grep -vx '# whole'
	} >"$repo/tests/fixtures/machines/$name.txt"
	echo "$name: $((SECONDS - started)) s"
done

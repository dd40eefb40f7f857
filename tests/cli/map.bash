# shellcheck shell=bash
# Hosts and guests of any size below root/, for the cases of vmaffinity map.

# topology PACKAGES L3S CORES THREADS: so many packages, each a node, of L3S L3s with CORES cores each. Siblings are
# numbered as on most x86: the second threads after all first ones.
topology()
{
	local packages=$1 l3s=$2 cores=$3 threads=$4 p l c t core=0 first cpu dir
	local all=$((packages * l3s * cores)) siblings shared package
	for ((p = 0; p < packages; p++)); do
		first=$((p * l3s * cores)) package=""
		for ((t = 0; t < threads; t++)); do
			package+=${package:+,}$((first + t * all))-$((first + t * all + l3s * cores - 1))
		done
		mkdir -p root/sys/devices/system/node/node$p
		echo "$package" >root/sys/devices/system/node/node$p/cpulist
		for ((l = 0; l < l3s; l++)); do
			first=$((core)) shared=""
			for ((t = 0; t < threads; t++)); do
				shared+=${shared:+,}$((first + t * all))-$((first + t * all + cores - 1))
			done
			for ((c = 0; c < cores; c++, core++)); do
				siblings=""
				for ((t = 0; t < threads; t++)); do siblings+=${siblings:+,}$((core + t * all)); done
				for ((t = 0; t < threads; t++)); do
					dir=root/sys/devices/system/cpu/cpu$((core + t * all))
					mkdir -p $dir/topology $dir/cache/index0
					echo "$siblings" >$dir/topology/core_cpus_list
					echo "$package" >$dir/topology/package_cpus_list
					echo 3 >$dir/cache/index0/level
					echo "$shared" >$dir/cache/index0/shared_cpu_list
				done
			done
		done
	done
	cpu=0-$((all * threads - 1))
	echo $cpu >root/sys/devices/system/cpu/online
	echo $cpu >root/sys/devices/system/cpu/present
	echo "" >root/sys/devices/system/cpu/isolated
	echo 0-$((packages - 1)) >root/sys/devices/system/node/online
	echo 0-$((packages - 1)) >root/sys/devices/system/node/has_memory
	[ "$packages" != 1 ] || echo 0 | tee root/sys/devices/system/node/{online,has_memory} >/dev/null
	mkdir -p root/proc/self root/run/libvirt/qemu
	echo '30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw' >root/proc/self/mountinfo
}

# group DIRECTORY NAME CPUS TID...: a group of threads that all may run there.
group()
{
	local dir=$1/$2 cpus=$3 tid
	mkdir -p "$dir"
	echo "$cpus" >"$dir/cpuset.cpus"
	echo "$cpus" >"$dir/cpuset.cpus.effective"
	echo 0 >"$dir/cpuset.mems.effective"
	: >"$dir/cgroup.threads"
	for tid in "${@:4}"; do
		echo "$tid" >>"$dir/cgroup.threads"
		thread "$tid" "$cpus"
	done
}

# thread TID CPUS: what /proc says of it; it ran on the first of them.
thread()
{
	mkdir -p "root/proc/$1"
	printf 'Name:\tCPU 0/KVM\nCpus_allowed_list:\t%s\n' "$2" >"root/proc/$1/status"
	printf '%s (CPU 0/KVM) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 4 0 9 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 -1 %s 0 0 0 0 0\n' "$1" "${2%%[-,]*}" \
		>"root/proc/$1/stat"
}

# runs GUEST PID GROUP=CPUS...: makes a guest; its pid and those that follow are its threads'. "vcpu0-3=4-7": each of the
# four may use all of these; "vcpu0-3=4+": the first 4, the second 5, and so on.
runs()
{
	local name=$1 pid=$2 tid=$2 word kind first last cpus start i dir=machine/qemu-1-$1.libvirt-qemu
	local base=root/sys/fs/cgroup/$dir
	printf "<domstatus state='running' pid='%s'/>\n" "$pid" >"root/run/libvirt/qemu/$name.xml"
	mkdir -p "root/proc/$pid" "$base"
	echo "0::/$dir/emulator" >"root/proc/$pid/cgroup"
	cp root/sys/devices/system/cpu/online "$base/cpuset.cpus.effective"
	for word in "${@:3}"; do
		[[ ${word%%=*} =~ ^([a-z]+)([0-9]*)-?([0-9]*)$ ]]
		kind=${BASH_REMATCH[1]} first=${BASH_REMATCH[2]} last=${BASH_REMATCH[3]} cpus=${word#*=}
		start=${cpus%+}
		for ((i = ${first:-0}; i <= ${last:-${first:-0}}; i++)); do
			[[ ${word#*=} != *+ ]] || cpus=$((start + i - first))
			group "$base" "$kind${first:+$i}" "$cpus" $((tid++))
		done
	done
}

# 4 cores: housekeeping, one guest pinned, one with too many vCPUs, one that is not confined, an isolated CPU.
small()
{
	topology 1 1 4 2
	echo 3 >root/sys/devices/system/cpu/isolated
	runs db1 2000 emulator=0,4 iothread1=0,4 vcpu0=1 vcpu1=5
	runs web-1 3000 emulator=0,4 vcpu0-1=2,6 vcpu2=2
	runs lab 4000 emulator=0-7 vcpu0=0-7
}

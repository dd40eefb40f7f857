#!/usr/bin/env bats
# vmaffinity capture: what it writes, and that the machine made of that is the one it was taken of.
# shellcheck disable=SC2154,SC1003 # set by run; a backslash is meant

load cli

setup()
{
	umask 022
	export LC_ALL=C
	cd "$BATS_TEST_TMPDIR" || return 1
}

# expand TEXT DIRECTORY: makes the files of a machine.
expand()
{
	mkdir "$2"
	"$REPO/tests/fixtures/expand.py" "$1" "$2"
}

# machine LINE...: a machine of these lines, in root/.
machine()
{
	printf '%s\n' "$@" >machine.txt
	expand machine.txt root
}

HEAD="# Captured by vmaffinity $("$BUILD/vmaffinity" --version | cut -d ' ' -f 2)."

# captures TEXT ARGUMENT...: just that is written of root/; and of what is made of it, the same again.
captures()
{
	run -0 --separate-stderr vmaffinity capture --sysroot root "${@:2}"
	same "" "$stderr"
	same "$HEAD"$'\n'"$1" "$output"
	rm -rf again
	echo "$output" >again.txt
	expand again.txt again
	same "$output" "$(vmaffinity capture --sysroot again "${@:2}")"
}

@test "this host: what the kernel says, and of no process" {
	vmaffinity capture >here.txt
	grep -qx "proc/sys/kernel/osrelease $(uname -r)" here.txt
	grep -qx "sys/devices/system/cpu/online $(cat /sys/devices/system/cpu/online)" here.txt
	for file in topology/core_cpus_list topology/package_cpus_list cache/index3/shared_cpu_list; do
		[ ! -e "/sys/devices/system/cpu/cpu0/$file" ] || grep -q "cpu[{0].*/$file $(cat "/sys/devices/system/cpu/cpu0/$file")\$" here.txt
	done
	[ ! -e /sys/devices/system/node ] || grep -q "^sys/devices/system/node/node.*/cpulist $(cat /sys/devices/system/node/node0/cpulist)\$" here.txt
	same "" "$(grep -vE '^(#|sys/|proc/sys/kernel/osrelease |proc/self/mountinfo .* - cgroup2? )' here.txt || true)"
	expand here.txt root
	same "$(cat here.txt)" "$(vmaffinity capture --sysroot root)"
	while IFS= read -r -d '' file; do
		[[ $file == */meminfo || $file == */mountinfo || $file == root/sys/fs/cgroup/* ]] || cmp "${file#root}" "$file"
	done < <(find root -type f -print0)
}

@test "CPUs, caches and nodes: those of the same content in one line, holes and all" {
	topology='sys/devices/system/cpu/possible 0-7
sys/devices/system/cpu/present 0-1,3,7
sys/devices/system/cpu/online 0-1,3
sys/devices/system/cpu/isolated
sys/devices/cpu_core/cpus 0-1
sys/devices/cpu_atom/cpus 3
sys/devices/system/cpu/cpu{0-1,3}/topology/die_id 0
sys/devices/system/cpu/cpu{0,3}/topology/core_id 4
sys/devices/system/cpu/cpu1/topology/core_id 5
sys/devices/system/cpu/cpu{0-1,3}/topology/core_siblings_list 0-1,3
sys/devices/system/cpu/cpu{0,3}/topology/core_cpus_list 0,3
sys/devices/system/cpu/cpu1/topology/core_cpus_list 1
sys/devices/system/cpu/cpu{0-1,3}/cpu_capacity 1024
sys/devices/system/cpu/cpu{0-1,3}/cache/index3/level 3
sys/devices/system/cpu/cpu{0-1,3}/cache/index3/shared_cpu_list 0-1,3
sys/devices/system/node/online 0,2
sys/devices/system/node/has_memory 2
sys/devices/system/node/node0/cpulist 0-1,3
sys/devices/system/node/node2/cpulist
sys/devices/system/node/node0/distance 10 20
sys/devices/system/node/node2/distance 20 10
sys/devices/system/node/node0/meminfo Node 0 MemTotal:       0 kB
sys/devices/system/node/node2/access0/initiators/node0/
sys/devices/system/node/node2/meminfo Node 2 MemTotal:       12 kB'
	machine "$topology" 'sys/devices/system/cpu/cpu7/online 0' 'sys/devices/system/cpu/cpufreq/boost 1' \
		'sys/devices/system/cpu/cpu{0-1,3}/topology/thread_siblings_list 0-7' \
		'sys/devices/system/node/node2/meminfo Node 2 MemFree:        7 kB' 'proc/1/cmdline secret'
	captures "$topology"
}

# bats test_tags=sanitized
@test "a guest, v2: its process, its cgroups and those above, its threads; of no other guest a word" {
	expand "$REPO/tests/fixtures/machines/v2-systemd.txt" root
	mkdir -p root/proc/1301/task/130{1,4}
	printf 'Name:\tqemu-system-x86\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0\n' >root/proc/1301/task/1301/status
	printf 'Cpus_allowed_list:\t2\nvoluntary_ctxt_switches:\t3\n' >root/proc/1301/task/1304/status
	scope='sys/fs/cgroup/machine.slice/machine-qemu\x2d2\x2ddb1.scope'
	captures "sys/devices/system/cpu/present 0-7
sys/devices/system/cpu/online 0-7
sys/devices/system/cpu/isolated
proc/self/mountinfo 30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
sys/fs/cgroup/machine.slice/cpuset.cpus
sys/fs/cgroup/machine.slice/cpuset.cpus.effective 0-7
sys/fs/cgroup/machine.slice/cpuset.mems.effective 0

# A guest, process 1301.
run/libvirt/qemu/db1.xml <domstatus pid='1301'/>
proc/1301/cgroup 0::/machine.slice/machine-qemu\\x2d2\\x2ddb1.scope/libvirt/emulator
$scope/cpuset.cpus
$scope/cpuset.cpus.effective 0-7
$scope/cpuset.mems.effective 0
$scope/libvirt/cpuset.cpus
$scope/libvirt/cpuset.cpus.effective 0-7
$scope/libvirt/cpuset.mems.effective 0
$scope/libvirt/emulator/cpuset.cpus 0-1
$scope/libvirt/emulator/cpuset.cpus.effective 0-1
$scope/libvirt/emulator/cpuset.mems 0
$scope/libvirt/emulator/cgroup.threads 1301\\n1303
proc/1301/task/1301/status Cpus_allowed_list:	0-1
proc/1301/task/1301/status Mems_allowed_list:	0
$scope/libvirt/vcpu0/cpuset.cpus 2
$scope/libvirt/vcpu1/cpuset.cpus 3
$scope/libvirt/vcpu0/cpuset.cpus.effective 2
$scope/libvirt/vcpu1/cpuset.cpus.effective 3
$scope/libvirt/vcpu{0-1}/cpuset.mems 0
$scope/libvirt/vcpu0/cgroup.threads 1304
proc/1301/task/1304/status Cpus_allowed_list:	2
$scope/libvirt/vcpu1/cgroup.threads 1305" db1
}

@test "a guest of every layout, and several: plan says the same of the copy" {
	for case in v1 v1-before-1.3 v1-nested v1-systemd hybrid v2-systemd v2-isolated v2-partition v2-256; do
		rm -rf root again
		expand "$REPO/tests/fixtures/machines/$case.txt" root
		names=$(cd root/run/libvirt/qemu && printf '%s\n' *.xml | sed 's/\.xml$//')
		mapfile -t guests <<<"$names"
		vmaffinity capture --sysroot root "${guests[@]}" "${guests[0]}" >again.txt
		same "" "$(grep -v '^$' again.txt | sort | uniq -d | grep -v mountinfo || true)"
		expand again.txt again
		same "$(cat again.txt)" "$(vmaffinity capture --sysroot again "${guests[@]}")"
		for guest in "${guests[@]}"; do
			guest "$(sed 's/&/\&amp;/g; s/</\&lt;/g' <<<"$guest")" vcpu=2 >guest.xml
			printf '[*]\nvcpus = 0-1\nemulator = 0\n' >rules.ini
			before=$(vmaffinity plan --sysroot root --config rules.ini --xml guest.xml --json || true)
			same "$before" "$(vmaffinity plan --sysroot again --config rules.ini --xml guest.xml --json || true)"
			[[ $before == *'"path":"/sys/'* ]] || { echo "$case $guest: $before"; false; }
		done
	done
}

# bats test_tags=sanitized
@test "names with what the form has a meaning for come back" {
	machine 'proc/self/mountinfo 1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw' \
		'run/libvirt/qemu/a\s\{1-2}\\sb\\nc\\.xml <domstatus pid="7"/>' \
		'proc/7/cgroup 0::/a {1-2}\sb\\nc\/emulator'
	mkdir -p 'root/sys/fs/cgroup/a {1-2}\sb\nc\/emulator'
	echo 3 >'root/sys/fs/cgroup/a {1-2}\sb\nc\/cpuset.cpus.effective'
	printf '1' >'root/sys/fs/cgroup/a {1-2}\sb\nc\/emulator/cpuset.cpus'
	: >'root/sys/fs/cgroup/a {1-2}\sb\nc\/emulator/cgroup.threads'
	captures 'proc/self/mountinfo 1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw

# A guest, process 7.
run/libvirt/qemu/a\s\{1-2}\\sb\nc\.xml <domstatus pid='"'7'"'/>
proc/7/cgroup 0::/a {1-2}\sb\\nc\/emulator
sys/fs/cgroup/a\s\{1-2}\\sb\nc\/cpuset.cpus.effective 3
sys/fs/cgroup/a\s\{1-2}\\sb\nc\/emulator/cpuset.cpus 1\c
sys/fs/cgroup/a\s\{1-2}\\sb\nc\/emulator/cgroup.threads \c' 'a {1-2}\sb\nc\'
}

# bats test_tags=sanitized
@test "what cannot be taken is said, the rest is there, and the status is 3" {
	expand "$REPO/tests/fixtures/machines/v2-systemd.txt" root
	run -3 --separate-stderr vmaffinity capture --sysroot root nobody web
	same "vmaffinity: nobody: not running here: no pid file and no status file in /run/libvirt/qemu" "$stderr"
	[[ $output == *"libvirt/vcpu{0-3}/cpuset.cpus.effective 0-7"* ]]
	mkdir root/sys/devices/system/cpu/possible
	run -3 --separate-stderr vmaffinity capture --sysroot root
	same "vmaffinity: /sys/devices/system/cpu/possible: Is a directory" "$stderr"
	[[ $output == *"sys/devices/system/cpu/online 0-7"* ]]
	rmdir root/sys/devices/system/cpu/possible
	printf '0::/a\33b/emulator\n' >root/proc/1201/cgroup
	run -3 --separate-stderr vmaffinity capture --sysroot root web
	same "vmaffinity: /proc/1201/cgroup: cannot be written as a line: it contains control characters" "$stderr"
	rm root/proc/1201/cgroup
	run -3 --separate-stderr vmaffinity capture --sysroot root web
	same "vmaffinity: web: /proc/1201/cgroup: No such file or directory" "$stderr"
	run -3 eval 'vmaffinity capture >/dev/full'
	same "vmaffinity: standard output: No space left on device" "$output"
}

@test "a guest without groups of its own: its cgroup, and no other's" {
	machine 'proc/self/mountinfo 1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw' \
		'run/libvirt/qemu/web.xml <domstatus pid="7"/>' 'proc/7/cgroup 0::/user.slice' \
		'sys/fs/cgroup/user.slice/cpuset.cpus.effective 0' 'sys/fs/cgroup/user.slice/other/cpuset.cpus 0'
	captures "proc/self/mountinfo 1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw

# A guest, process 7.
run/libvirt/qemu/web.xml <domstatus pid='7'/>
proc/7/cgroup 0::/user.slice
sys/fs/cgroup/user.slice/cpuset.cpus.effective 0" web
}

@test "an option that it has not is refused" {
	refused "'capture' has no option '--json'" capture --json
}

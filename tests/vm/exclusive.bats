#!/usr/bin/env bats
# placement = exclusive: CPUs that a guest has to itself, read from the kernel. Only for a virtual host (run.sh): its 8 CPUs
# are two nodes of two cores with two threads.
# shellcheck disable=SC2154,SC2030,SC2031 # output, set by run

bats_require_minimum_version 1.5.0
load ../e2e/lib

ROOT_CGROUP=/sys/fs/cgroup

setup()
{
	case_setup
	[ ! -e $ROOT_CGROUP/cpuset.cpus.isolated ] || assert_isolated ""
}

teardown()
{
	for cpu in 4 5 6 7; do echo 1 >/sys/devices/system/cpu/cpu$cpu/online; done
	case_teardown
	[ ! -e $ROOT_CGROUP/cpuset.cpus.isolated ] || eventually assert_isolated "" # nothing is lost
	assert_may $$ 0-7
}

is_possible() { [ -e $ROOT_CGROUP/cpuset.cpus.isolated ]; }

isolated() { cat $ROOT_CGROUP/cpuset.cpus.isolated; }
assert_isolated() { [ "$(isolated)" = "$1" ] || fail "isolated are '$(isolated)', not '$1'"; }

# may PID: the CPUs that a thread may use
may() { awk '$1 == "Cpus_allowed_list:" { print $2 }' "/proc/$1/status"; }
assert_may() { [ "$(may "$1")" = "$2" ] || fail "$1 may use $(may "$1"), not $2"; }

# assert_own NAME VCPU CPU CPUS: its thread keeps to CPU, and has CPUS to itself.
assert_own()
{
	local dir child tids
	dir=$(guest_cgroup "$1")/vcpu$2 || return 1
	child=$dir/vmaffinity
	[ "$(cat "$child/cpuset.cpus.partition")" = isolated ] || fail "$1 vcpu$2: $(cat "$child/cpuset.cpus.partition")" || return 1
	[ "$(cat "$child/cpuset.cpus.effective")" = "$4" ] || fail "$1 vcpu$2 has $(cat "$child/cpuset.cpus.effective"), not $4" || return 1
	[ -z "$(cat "$dir/cgroup.threads")" ] || fail "$1 vcpu$2: threads outside" || return 1
	tids=$(cat "$child/cgroup.threads")
	[ -n "$tids" ] || fail "$1 vcpu$2: no thread" || return 1
	for tid in $tids; do assert_may "$tid" "$3" || return 1; done
}

# assert_not_own NAME VCPU: no trace of a partition.
assert_not_own()
{
	local dir
	dir=$(guest_cgroup "$1")/vcpu$2 || return 1
	[ ! -e "$dir/vmaffinity" ] || fail "$1 vcpu$2 still has a partition"
}

# vcpus_may NAME: the CPUs that its vCPUs may use, each set once; fails if it does not run.
vcpus_may()
{
	local dir tid
	dir=$(guest_cgroup "$1") || return 1
	cat "$dir"/vcpu*/cgroup.threads "$dir"/vcpu*/vmaffinity/cgroup.threads 2>/dev/null |
		while read -r tid; do may "$tid"; done | sort -u | paste -sd ' '
}

# row: what db1, game, web1 and web2 may use ("-": it does not run), pid 1, this shell, and what is isolated.
row()
{
	local guest row=""
	for guest in db1 game web1 web2; do row+="$(vcpus_may "$guest" 2>/dev/null || echo -) | "; done
	echo "$row$(may 1) | $(may $$) | $(isolated)"
}

# event NAME DB1 GAME WEB1 WEB2 OTHERS ISOLATED: shows the row once the kernel is done, and checks it.
event()
{
	local now="" tries=0 want
	want=$(printf '%s | %s | %s | %s | %s | %s | %s' "$2" "$3" "$4" "$5" "$6" "$6" "$7")
	until [ "$now" = "$want" ] || [ $((tries += 1)) -gt 10 ]; do now=$(row); done
	show "$1 | $now"
	[ "$now" = "$want" ] || fail "$1: not $want"
}

exclusive_rules()
{
	rules <<-'END'
		[*]
		emulator  = 0-1
		vcpus     = 1-7
		[db*]
		vcpus     = node:1
		placement = exclusive
		[game]
		vcpus     = all ^core:0
		placement = exclusive
	END
}

# bats test_tags=vm,partitions
@test "exclusive: a core for each vCPU, taken from everybody else, and given back" {
	exclusive_rules
	guest_start web1 vcpus=2
	assert_guest web1 0-1 1-7
	guest_start db1 vcpus=2
	show_log
	assert_own db1 0 4 4-5
	assert_own db1 1 6 6-7
	show "db1 started | $(row)"
	assert_isolated 4-7
	assert_guest web1 0-1 1-3
	assert_may 1 0-3
	run -0 timeout 60 vmaffinity status 3>&- 4>&-
	show "$output"
	run -0 timeout 60 vmaffinity plan db1 3>&- 4>&-
	show "$output"
	run -0 timeout 60 vmaffinity map 3>&- 4>&-
	show "$output"
	guest_start web2 vcpus=1
	assert_guest web2 0-1 1-3
	guest_start game vcpus=1
	show_log
	assert_own game 0 2 2-3
	show "game started | $(row)"
	run -0 timeout 60 vmaffinity apply 3>&- 4>&-
	show "$output"
	guest_stop db1
	eventually assert_isolated 2-3
	show "db1 destroyed | $(row)"
	assert_guest web2 0-1 1,4-7
	guest_stop game
	eventually assert_isolated ""
	assert_guest web1 0-1 1-7
	assert_guest web2 0-1 1-7
}

status_is_clean() { run -0 timeout 60 vmaffinity status 3>&- 4>&-; }

# bats test_tags=vm,debian14,partitions
@test "two exclusive guests and two that float, through all that happens to a host" {
	rules <<-'END'
		[*]
		emulator  = 0-1
		vcpus     = 1-7
		[db1]
		vcpus     = 4-7
		placement = exclusive
		[game]
		vcpus     = 2-3
		placement = exclusive
	END
	guest_start web1 vcpus=2
	guest_start web2 vcpus=1
	event "two that float" - - 1-7 1-7 0-7 ""
	guest_start db1 vcpus=2 current=1
	event "db1 started" 4 - 1-3,6-7 1-3,6-7 0-3,6-7 4-5
	guest_start game vcpus=1
	event "game started" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	daemon_restart
	event "daemon restarted" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	systemctl daemon-reload
	systemctl daemon-reexec
	event "daemon-reload, daemon-reexec" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	systemctl set-property --runtime system.slice AllowedCPUs=0-7
	systemctl set-property --runtime machine.slice AllowedCPUs=0-6
	event "AllowedCPUs set on machine.slice" 4 2 1,6 1,6 0-1,6-7 2-5
	systemctl set-property --runtime machine.slice AllowedCPUs=0-7
	event "AllowedCPUs=0-7" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	systemctl set-property --runtime system.slice AllowedCPUs=
	systemctl set-property --runtime machine.slice AllowedCPUs=
	event "AllowedCPUs unset" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	v emulatorpin --domain db1 --cpulist 0-7 --live
	event "emulatorpin db1 0-7 --live" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	run v vcpupin --domain db1 --vcpu 0 --cpulist 1 --live
	show "vcpupin db1 0 1 --live: status $status $output"
	show "vcpupin db1 0 1 --live | $(row)"
	run -1 timeout 60 vmaffinity status db1 3>&- 4>&-
	show "$output"
	run -0 timeout 60 vmaffinity apply 3>&- 4>&-
	show "$output"
	event "apply" 4 2 1,6-7 1,6-7 0-1,6-7 2-5
	status_is_clean
	# plugged in; to be unplugged it would need an operating system
	v setvcpus --domain db1 --count 2 --live
	run -0 timeout 60 vmaffinity apply db1 3>&- 4>&-
	show "$output"
	event "a vCPU plugged into db1, apply" "4 6" 2 1 1 0-1 2-7
	status_is_clean
	v save --domain db1 --file "$E2E_DIR/db1.save" >/dev/null
	event "db1 saved" - 2 1,4-7 1,4-7 0-1,4-7 2-3
	v restore --file "$E2E_DIR/db1.save" >/dev/null
	event "db1 restored" "4 6" 2 1 1 0-1 2-7
	show "$(timeout 60 vmaffinity map 3>&- 4>&-)"
	# a CPU goes and comes back
	echo 0 >/sys/devices/system/cpu/cpu4/online
	show "CPU 4 offline | $(row)"
	run -1 timeout 60 vmaffinity status db1 3>&- 4>&-
	show "$output"
	echo 1 >/sys/devices/system/cpu/cpu4/online
	show "CPU 4 online | $(row)"
	run -0 timeout 60 vmaffinity apply 3>&- 4>&-
	show "$output"
	event "apply" "4 6" 2 1 1 0-1 2-7
	# the ends
	kill -9 "$(guest_pid game)"
	event "game killed" "4 6" - 1-3 1-3 0-3 4-7
	host_stop
	kill -9 "$(guest_pid db1)"
	eventually assert_isolated ""
	show "db1 killed while the daemon was away: isolated '$(isolated)', pid 1: $(may 1)"
	host_start
	event "daemon started" - - 1-7 1-7 0-7 ""
	guest_stop web1
	guest_stop web2
	assert_may 1 0-7
}

# What the guest g has: "one" without CPUs of its own, "own" with them.
g_float() { printf '[*]\nemulator = 0-1\nvcpus = 0-7\n' | rules; }
g_own() { printf '[*]\nemulator = 0-1\nvcpus = 0-7\n[g]\nvcpus = node:1\nplacement = exclusive\n' | rules; }

# as_before: the guest floats, and so do all others; as_ruled: it has its core.
as_before() { assert_not_own g 0 && assert_isolated "" && assert_pinned g vcpu0 0-7 && assert_guest web 0-1 0-7; }
as_ruled() { assert_own g 0 4 4-5 && assert_isolated 4-5 && assert_guest web 0-1 0-3,6-7; }

# every_step CALL HOW: the worker once for each k, with HOW injected into the k-th such call, until there is none.
# KILL: every second time the guest ends; otherwise the next run of the worker mends it.
every_step()
{
	local calls=$1 how=$2 k status xml=$E2E_DIR/g.xml trace=$E2E_DIR/trace
	local failed=0 died=0 mended=0 ended=0
	for k in {1..100}; do
		g_own
		status=0
		v dumpxml --domain g >"$xml"
		strace -f -qq -o "$trace" -e "trace=$calls" -e "inject=$calls:$how:when=$k" \
			"$WORKER" g reconnect begin - <"$xml" || status=$?
		grep -qE '\(INJECTED\)|SIGKILL' "$trace" || break
		assert_running g || return 1
		assert_running web || return 1
		case $status in
		0) as_ruled || fail "$how, k=$k: exit 0, but not done: $(tail -n 3 "$trace")" || return 1 ;;
		1)
			failed=$((failed + 1))
			as_before || fail "$how, k=$k: exit 1, but something changed: $(tail -n 3 "$trace")" || return 1
			;;
		137)
			died=$((died + 1))
			if [ $((k % 2)) = 0 ]; then
				guest_stop g
				ended=$((ended + 1))
				eventually assert_isolated "" || fail "k=$k: CPUs are lost" || return 1
				assert_guest web 0-1 0-7 || return 1
				g_float
				v start --domain g
			else
				worker g reconnect <"$xml"
				as_ruled || fail "k=$k: the next run does not mend it" || return 1
				mended=$((mended + 1))
			fi
			;;
		*) fail "$how, k=$k: exit $status" || return 1 ;;
		esac
		g_float
		run -0 timeout 60 vmaffinity apply g 3>&- 4>&-
		as_before || fail "$how, k=$k: cannot be taken away again: $output" || return 1
	done
	as_ruled || return 1
	show "$calls, $how: of $((k - 1)) steps $failed failed and undone, $died died: $mended mended by the next run, $ended guests ended"
	g_float
	run -0 timeout 60 vmaffinity apply g 3>&- 4>&-
}

# bats test_tags=vm,debian14,partitions
@test "exclusive: the worker fails, or is killed, at every step" {
	g_float
	guest_start web
	guest_start g
	# the first time widens what is above the group for good, step by step; the second fails at each step below
	every_step pwrite64 error=EIO
	for call in pwrite64 mkdirat sched_setaffinity; do
		every_step $call error=EIO
		every_step $call signal=KILL
	done
}

# bats test_tags=vm,partitions
@test "exclusive: many guests start at once on a set for three" {
	local guests=${E2E_GUESTS:-16} rounds=${E2E_ROUNDS:-1} n pids cpus own refused
	printf '[*]\nemulator = 0-1\nvcpus = all ^core:0\nplacement = exclusive\non-error = fail\n' | rules
	for n in $(seq "$guests"); do guest_define "g$n"; done
	for _ in $(seq "$rounds"); do
		pids=()
		for n in $(seq "$guests"); do
			V_TIMEOUT=900 v start --domain "g$n" >/dev/null 2>&1 &
			pids+=($!)
		done
		refused=0
		for n in "${pids[@]}"; do wait "$n" || refused=$((refused + 1)); done
		own=0 cpus=""
		for n in $(seq "$guests"); do
			guest_pid "g$n" >/dev/null 2>&1 || continue
			own=$((own + 1))
			cpus+=" $(cat "$(guest_cgroup "g$n")/vcpu0/vmaffinity/cpuset.cpus.exclusive")"
		done
		# shellcheck disable=SC2086 # words
		[ "$(printf '%s\n' $cpus | sort | uniq -d)" = "" ] || fail "a CPU is two guests' own:$cpus" || return 1
		[ "$own" = 3 ] && [ "$refused" = $((guests - 3)) ] || fail "$own run, $refused refused:$cpus" "$(log_since)" || return 1
		assert_isolated 2-7
		for n in $(seq "$guests"); do guest_stop "g$n" 2>/dev/null || true; done
		eventually assert_isolated ""
	done
	show "$rounds rounds of $guests: 3 run each time, on 2-3, 4-5 and 6-7"
}

# bats test_tags=vm,partitions
@test "exclusive: watch gives what is plugged in its CPUs, and isolates a CPU that was offline again" {
	printf '[*]\nemulator = 0-1\nvcpus = all ^core:0\nplacement = exclusive\n' | rules
	guest_start g vcpus=2 current=1 # node 1 has room for both
	assert_own g 0 4 4-5
	vmaffinity watch >"$E2E_DIR/watch.out" 2>&1 3>&- 4>&- &
	WATCH=$!
	eventually grep -q '^libvirt answers' "$E2E_DIR/watch.out"
	v setvcpus --domain g --count 2 --live
	eventually assert_own g 1 6 6-7
	assert_isolated 4-7
	# while one thread of the core is left, the kernel keeps the partition; without any it has to be made again
	echo 0 >/sys/devices/system/cpu/cpu6/online
	echo 0 >/sys/devices/system/cpu/cpu7/online
	eventually grep -q 'vCPU 1 has CPU 6 to itself, which is offline' "$E2E_DIR/watch.out"
	echo 1 >/sys/devices/system/cpu/cpu6/online
	echo 1 >/sys/devices/system/cpu/cpu7/online
	eventually assert_own g 1 6 6-7
	# edited away
	printf '[*]\nemulator = 0-1\nvcpus = 1-7\n' | rules
	eventually assert_isolated ""
	eventually assert_pinned g vcpu1 1-7
	show "$(cat "$E2E_DIR/watch.out")"
	kill "$WATCH"
	wait "$WATCH"
}

# bats test_tags=vm
@test "exclusive, where the kernel cannot do it: said, and the guest runs; without a rule the CPUs are given back" {
	printf '[*]\nemulator = 0-1\nvcpus = 4-7\nplacement = exclusive\n' | rules
	guest_start g
	if ! is_possible; then
		show_log
		assert_running g
		assert_log 'exclusive needs cgroup v2 and Linux 6\.7; this is (cgroup v1|Linux 6\.1\.[^;]*); use one-to-one'
		assert_guest g 0-7 0-7
		return
	fi
	assert_own g 0 4 4-5
	printf '[other]\nvcpus = 1\n' | rules
	run -1 timeout 60 vmaffinity status g 3>&- 4>&-
	show "$output"
	run -0 timeout 60 vmaffinity release g 3>&- 4>&-
	show "$output"
	assert_not_own g 0
	assert_isolated ""
	assert_guest g 0-7 0-7
}

# vhosts NAME: the vhost workers of a guest, a line each: "TID CGROUP CPUS".
vhosts()
{
	local task
	for task in /proc/"$(guest_pid "$1")"/task/*; do
		case $(cat "$task/comm") in
		vhost-*) echo "${task##*/} $(sed -n 's|^0::.*/||p' "$task/cgroup") $(may "${task##*/}")" ;;
		esac
	done
}

# vhosts_are NAME N GROUP CPUS
vhosts_are()
{
	local now
	now=$(vhosts "$1")
	[[ $(grep -c . <<<"$now") = "$2" && $(cut -d ' ' -f 2- <<<"$now" | sort -u) = "$3 $4" ]] || fail "vhost workers:" "$now"
}

# libvirt gives a guest that is emulated no vhost device, so arguments of QEMU ask for it.
nic() { printf 'tap,id=%s,ifname=%s,script=no,downscript=no,vhost=on' "$1" "$1"; }

# bats test_tags=vm
@test "vhost: the workers of network devices, from the start, plugged in, restored; where they cannot be pinned it is said" {
	local arguments n
	printf '[*]\nemulator = 0-1\nvcpus = 4-7\nvhost = 2-3\n' | rules
	if ! printf '6.4\n%s\n' "$(uname -r)" | sort --version-sort --check=silent || [ ! -e $ROOT_CGROUP/cgroup.controllers ]; then
		guest_start g
		show_log
		assert_running g
		assert_log 'vhost needs cgroup v2 and Linux 6\.4; this is (cgroup v1|Linux 6\.1\.[^;]*); without the key'
		return
	fi
	modprobe vhost_net
	for n in nic0 nic1; do ip tuntap add $n mode tap; done
	sed -i.before 's/^#*user = .*//' /etc/libvirt/qemu.conf
	cat >>/etc/libvirt/qemu.conf <<-'END'
		user = "root"
		group = "root"
		namespaces = []
		cgroup_device_acl = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/ptmx", "/dev/net/tun", "/dev/vhost-net"]
	END
	daemon_restart
	arguments="<qemu:commandline><qemu:arg value='-netdev'/><qemu:arg value='$(nic nic0)'/><qemu:arg value='-device'/>"
	arguments+="<qemu:arg value='virtio-net-pci,netdev=nic0,bus=pcie.0,addr=0x10'/></qemu:commandline>"
	guest_xml g | sed "s|<domain |&xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' |; s|</domain>|$arguments&|" >"$E2E_DIR/g.xml"
	v define --file "$E2E_DIR/g.xml" >/dev/null
	v start --domain g
	show_log
	show "$(vhosts g)"
	vhosts_are g 1 vhost 2-3
	assert_guest g 0-1 4-7
	run -0 timeout 60 vmaffinity status g 3>&- 4>&-
	show "$output"
	v qemu-monitor-command --domain g --hmp "netdev_add $(nic nic1)" >/dev/null
	run -1 timeout 60 vmaffinity status g 3>&- 4>&-
	show "$output"
	[[ $output == *"drift: vhost: vhost workers run with the emulator; the rule says 2-3"* ]]
	run -0 timeout 60 vmaffinity apply g 3>&- 4>&-
	show "$output"
	vhosts_are g 2 vhost 2-3
	show "$(timeout 60 vmaffinity map 3>&- 4>&-)"
	v qemu-monitor-command --domain g --hmp "netdev_del nic1" >/dev/null
	v save --domain g --file "$E2E_DIR/g.save" >/dev/null
	v restore --file "$E2E_DIR/g.save" >/dev/null
	vhosts_are g 1 vhost 2-3
	run -0 timeout 60 vmaffinity status g 3>&- 4>&-
	guest_stop g
	for n in nic0 nic1; do ip link delete $n; done
	mv /etc/libvirt/qemu.conf.before /etc/libvirt/qemu.conf
	daemon_restart
}

#!/usr/bin/env bats
# Guests of every shape: names, partitions, vCPUs, iothreads.

load lib

setup()
{
	case_setup
	rules <<-'END'
		[*]
		emulator  = 0
		vcpus     = 1
		iothreads = 0-1
	END
}

teardown() { case_teardown; }

# Starts a guest of that name and restarts the daemon over it, unpinned meanwhile by virsh.
check_name()
{
	guest_start "$1" vcpus=2 iothreads=1
	assert_guest "$1" 0 1 0-1
	v vcpupin --domain "$1" --vcpu 1 --cpulist 0 --live
	assert_pinned "$1" vcpu1 0
	daemon_restart
	assert_running "$1"
	assert_guest "$1" 0 1 0-1
	guest_stop "$1"
}

# repeat STRING N
repeat() { printf "%0${2}d" 0 | sed "s/0/$1/g"; }

# bats test_tags=vm
@test "name: an ampersand and angle brackets" { check_name 'a&b<c>d'; }
@test "name: an underscore" { check_name 'web_01'; }
@test "name: a dot first" { check_name '.dot'; }
@test "name: a dash first" { check_name '-dash'; }
@test "name: spaces" { check_name ' with  space '; }
@test "name: quotes" { check_name "it's \"x\""; }
@test "name: UTF-8" { check_name 'grün-日本'; }
# shellcheck disable=SC2016 # not to be expanded
@test "name: what a shell, a glob and a format would expand" { check_name '$HOME*[a]%s\n'; }
@test "name: 70 characters" { check_name "$(repeat n 70)"; }

@test "name: as long as libvirt takes" {
	local n
	for n in 250 247 246 240 230 220 210 200; do
		if v define --file <(guest_xml "$(repeat n "$n")") >/dev/null 2>&1 && v start --domain "$(repeat n "$n")" 2>&3; then
			break
		fi
	done
	show "libvirt takes $n bytes"
	[ "$n" -gt 200 ]
	guest_stop "$(repeat n "$n")"
	guests_remove
	check_name "$(repeat n "$n")"
}

@test "names that libvirt cuts or filters to the same cgroup name" {
	local long
	long=$(repeat n 70)
	guest_start "${long}1"
	guest_start "${long}2"
	guest_start ab
	guest_start a_b
	printf '[*1]\nvcpus = 0\n[*2]\nvcpus = 1\n[ab]\nvcpus = 0\n[a_b]\nvcpus = 1\n' | rules
	daemon_restart
	assert_guest "${long}1" 0 0
	assert_guest "${long}2" 0 1
	assert_guest ab 0 0
	assert_guest a_b 0 1
}

@test "iothread ids with holes" {
	printf '[*]\niothread2 = 0\niothread5-9 = 1\nvcpus = 1\n' | rules
	guest_start g iothreads=3 iothreadids="2 5 9"
	assert_groups g emulator vcpu0 iothread2 iothread5 iothread9
	assert_pinned g iothread2 0
	assert_pinned g iothread5 1
	assert_pinned g iothread9 1
	assert_pinned g vcpu0 1
}

# bats test_tags=vm
@test "a custom partition" {
	host_partition production
	guest_start g vcpus=2 partition=/machine/production
	case $(guest_cgroup g) in
	*production*) ;;
	*) fail "not in its partition: $(guest_cgroup g)" ;;
	esac
	assert_guest g 0 1
	rules <<<$'[*]\nvcpus = 0'
	daemon_restart
	assert_running g
	assert_pinned g vcpu1 0
}

@test "one vCPU, no iothread" {
	guest_start g
	assert_groups g emulator vcpu0
	assert_guest g 0 1
}

@test "fewer vCPUs than its maximum, and rules for those not there" {
	printf '[*]\nvcpus = 1\nvcpu3 = 0\nvcpu200 = 0\niothread4 = 0\n' | rules
	guest_start g vcpus=4 current=2
	assert_groups g emulator vcpu0 vcpu1
	assert_guest g "$HOST_CPUS" 1
}

@test "64 vCPUs" {
	guest_start g vcpus=64 iothreads=4
	[ "$(group_dirs g | grep -c 'vcpu[0-9]*$')" = 64 ]
	assert_guest g 0 1 0-1
	assert_log_lines 1
}

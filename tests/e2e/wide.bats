#!/usr/bin/env bats
# What a host of two CPUs cannot show: sets that overlap in part, CPUs that the host's own limits take away, CPUs that
# go and come back, many guests at once. run.sh runs this file where there are 8 CPUs.

bats_require_minimum_version 1.5.0
load lib

setup() { case_setup; }

teardown()
{
	cpu_online 5
	host_limit 0-7
	case_teardown
}

cpu_online() { echo 1 >"/sys/devices/system/cpu/cpu$1/online"; }
cpu_offline() { echo 0 >"/sys/devices/system/cpu/cpu$1/online"; }

@test "pins in the XML that overlap the rule in part: exactly the rule, for every thread" {
	rules <<-'END'
		[*]
		emulator  = 0-5
		vcpu0     = 2-7
		vcpu1     = 0-3,6
		vcpus     = all ^0
		iothreads = 1-6
	END
	guest_start g vcpus=3 cpuset=4-7 vcpupin="0:0-4 1:3-5" emulatorpin=4-7 iothreads=1 iothreadpin=1:5-7
	assert_pinned g emulator 0-5
	assert_pinned g vcpu0 2-7
	assert_pinned g vcpu1 0-3,6
	assert_pinned g vcpu2 1-7
	assert_pinned g iothread1 1-6
	assert_vcpuinfo g 0 2-7
	v vcpupin --domain g --vcpu 0 --cpulist 3-5 --live
	assert_pinned g vcpu0 3-5
	daemon_restart
	assert_pinned g vcpu0 2-7
	show_log
}

@test "machine.slice allows less than a rule wants: what is left over is used, and the log names what is not" {
	rules <<-'END'
		[*]
		emulator = 0-1
		vcpus    = 4-7
	END
	host_limit 0-5
	guest_start g vcpus=2
	assert_guest g 0-1 4-5
	show_log
	assert_log '\bg\b.*machine\.slice allows only 0-5.*\b6-7'
	guest_stop g

	# nothing left: not pinned at all, and told
	printf '[*]\nemulator = 0-1\nvcpus = 6-7\n' | rules
	log_mark
	v start --domain g
	show_log
	assert_running g
	assert_guest g 0-5 0-5
	assert_log '\bg\b.*machine\.slice allows only 0-5'
	guest_stop g

	printf '[*]\nvcpus = 6-7\non-error = fail\n' | rules
	run v start --domain g
	show "$output"
	[ "$status" != 0 ]
	[[ $output == *"machine.slice allows only 0-5"* ]]

	# the limit gone, the rule is met
	host_limit 0-7
	v start --domain g
	assert_guest g 0-7 6-7
}

@test "a CPU that is offline is left out and named; back again, it is used again" {
	rules <<-'END'
		[*]
		emulator = 0-1
		vcpus    = 4-6
	END
	cpu_offline 5
	guest_start g vcpus=2
	assert_guest g 0-1 4,6
	show_log
	assert_log '\bg\b.*CPU 5 is offline'
	cpu_online 5
	host_limit 0-7
	log_mark
	daemon_restart
	assert_running g
	show_log
	guest_stop g
	v start --domain g
	assert_guest g 0-1 4-6
}

@test "a CPU goes away under a running guest and comes back" {
	rules <<-'END'
		[*]
		emulator = 0-1
		vcpus    = 4-6
	END
	guest_start g vcpus=2
	assert_guest g 0-1 4-6
	cpu_offline 5
	assert_running g
	assert_guest g 0-1 4,6
	log_mark
	daemon_restart
	assert_running g
	assert_guest g 0-1 4,6
	assert_log '\bg\b.*CPU 5 is offline'
	show_log
	cpu_online 5
	log_mark
	daemon_restart
	assert_running g
	show_log
	if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
		assert_guest g 0-1 4-6
	else
		# cgroup v1 has taken it from every group for good: what cannot be is said
		assert_guest g 0-1 4,6
		assert_log '\bg\b.*allows only'
	fi
}

@test "the daemon is started by its socket: the hook is in force for the first guest" {
	printf '[*]\nvcpus = 5\n' | rules
	guest_define g
	host_stop
	v start --domain g
	assert_pinned g vcpu0 5
}

@test "the daemon's binary is replaced, as an upgrade does" {
	local daemon=/usr/sbin/libvirtd
	printf '[*]\nvcpus = 5\n' | rules
	guest_start g
	cp -a $daemon $daemon.new
	mv $daemon.new $daemon
	printf '[*]\nvcpus = 6\n' | rules
	daemon_restart
	assert_running g
	assert_pinned g vcpu0 6
}

@test "16 guests start at once, then the daemon is restarted over them" {
	local n round pids=()
	printf '[*]\nemulator = 0-1\nvcpus = 2-7\n[g?5]\nvcpus = 5\n' | rules
	for n in {10..25}; do guest_define "g$n" "vcpupin=0:1-3"; done
	for n in {10..25}; do
		V_TIMEOUT=300 v start --domain "g$n" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	sixteen 2-7 5
	assert_log_lines 16
	for round in $(seq "${E2E_ROUNDS:-1}"); do
		printf '[*]\nemulator = 0-1\nvcpus = 1-%s\n' $((2 + round % 2)) | rules
		log_mark
		daemon_restart
		sixteen 1-$((2 + round % 2)) 1-$((2 + round % 2))
		assert_log_lines 16
	done
}

# sixteen LIST LIST5: all of them, and those whose name ends in 5
sixteen()
{
	local n
	for n in {10..25}; do
		assert_running "g$n" || return 1
		case $n in
		*5) assert_guest "g$n" 0-1 "$2" ;;
		*) assert_guest "g$n" 0-1 "$1" ;;
		esac || return 1
	done
}

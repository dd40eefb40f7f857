#!/usr/bin/env bats
# The second boot of a virtual host, with isolcpus=6,7, after prepare-boot.sh at the end of the first.

bats_require_minimum_version 1.5.0
load ../e2e/lib

teardown() { case_teardown; }

@test "a guest that starts with the host is pinned" {
	[ "$(cat /sys/devices/system/cpu/isolated)" = 6-7 ]
	log_mark
	eventually assert_running auto 2>/dev/null
	assert_guest auto 0-1 4-7
	show "$(host_log)"
	host_log | grep -q '\bauto\b.*pinned'
	# again over the same guest: it is as ruled, and nothing is written
	log_mark
	daemon_restart
	assert_guest auto 0-1 4-7
	assert_log_lines 0
}

@test "isolated CPUs, which libvirt leaves out of every thread's affinity: used where a rule names them" {
	case_setup
	guest_start plain
	show "without a rule: $(snapshot plain | paste -sd ' ')"
	guest_stop plain
	printf '[*]\nemulator = all\nvcpu0 = 3-6\nvcpu1 = 7\n' | rules
	guest_start g vcpus=2
	assert_pinned g emulator 0-7
	assert_pinned g vcpu0 3-6
	assert_pinned g vcpu1 7
	show_log
}

#!/usr/bin/env bats
# Cases that change the host itself: its limits, its CPUs, its daemon. Only for a virtual host (run.sh).

bats_require_minimum_version 1.5.0
load ../e2e/lib

setup() { case_setup; }

teardown()
{
	cpu 5 1
	host_limit 0-7
	case_teardown
}

# cpu N 0|1: off or on
cpu() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; }

# bats test_tags=vm
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

# bats test_tags=vm,once
@test "a CPU that is offline is left out and named; back again, it is used again" {
	rules <<-'END'
		[*]
		emulator = 0-1
		vcpus    = 4-6
	END
	cpu 5 0
	guest_start g vcpus=2
	assert_guest g 0-1 4,6
	show_log
	assert_log '\bg\b.*CPU 5 is offline'
	cpu 5 1
	host_limit 0-7
	log_mark
	daemon_restart
	assert_running g
	show_log
	guest_stop g
	v start --domain g
	assert_guest g 0-1 4-6
}

# bats test_tags=vm
@test "a CPU goes away under a running guest and comes back" {
	rules <<-'END'
		[*]
		emulator = 0-1
		vcpus    = 4-6
	END
	guest_start g vcpus=2
	assert_guest g 0-1 4-6
	cpu 5 0
	assert_running g
	assert_guest g 0-1 4,6
	log_mark
	daemon_restart
	assert_running g
	assert_guest g 0-1 4,6
	assert_log '\bg\b.*CPU 5 is offline'
	show_log
	cpu 5 1
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

# bats test_tags=vm,once
@test "the daemon is started by its socket: the hook is in force for the first guest" {
	[ "$(systemctl is-active libvirtd.socket)" = active ]
	printf '[*]\nvcpus = 5\n' | rules
	guest_define g
	host_stop
	v start --domain g
	assert_pinned g vcpu0 5
}

# bats test_tags=vm,once
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

# bats test_tags=vm
@test "AppArmor confines the daemon and the guest; a rule that only the XML can answer is met all the same" {
	printf '[*]\nvcpus = 4-7\nplacement = one-to-one\n' | rules # so the worker loads its module for XML
	sed -i '/^security_driver/d' /etc/libvirt/qemu.conf
	daemon_restart
	guest_start g vcpus=2
	cat /proc/"$(cat /run/libvirtd.pid)"/attr/current /proc/"$(guest_pid g)"/attr/current >"$E2E_DIR/profiles"
	echo 'security_driver = "none"' >>/etc/libvirt/qemu.conf
	show "$(cat "$E2E_DIR/profiles")"
	[ "$(grep -c ' (enforce)' "$E2E_DIR/profiles")" = 2 ]
	assert_pinned g vcpu0 4
	assert_pinned g vcpu1 6
	daemon_restart
	assert_running g
}

# bats test_tags=vm,once
@test "the demo beside the host's own libvirt, which it does not touch" {
	local daemon
	guest_define own vcpus=1
	daemon=$(systemctl show --property MainPID --value libvirtd.service)
	run -0 env -i PATH="$PATH" HOME=/root TERM=dumb "$E2E_SOURCE/../../install.sh" --demo
	show "$output"
	[ "$(systemctl show --property MainPID --value libvirtd.service)" = "$daemon" ]
	[ "$(v list --all --name)" = own ]
	[ -z "$(find /sys/fs/cgroup -maxdepth 2 -name 'machine' -o -maxdepth 2 -name '*.libvirt-qemu')" ]
}

#!/usr/bin/env bats
# "vmaffinity record": libvirt's own record says what the rules say, and "release" takes it back.
# shellcheck disable=SC2154 # output, set by run

bats_require_minimum_version 1.5.0
load lib

setup()
{
	case_setup
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 0\n' | rules
}

teardown() { case_teardown; }

vm() { timeout 60 vmaffinity "$@" 3>&- 4>&-; }

# Prints what virsh says of a guest's pins, on one line: "vcpu 0 1 vcpu 1 1 emulator 0 iothread 1 0".
recorded()
{
	{
		v vcpupin "$1" | sed 's/^/vcpu /'
		v emulatorpin "$1" | sed 's/\*://; s/^/emulator /'
		v iothreadinfo "$1" | sort | sed 's/^/iothread /'
	} | tr -s ' :\n' ' ' | sed 's/^ //; s/ $//'
}

# bats test_tags=vm
@test "record: virsh says what the rules say, the kernel what it said; release takes it back" {
	local before of_libvirt
	no_rules
	guest_start g vcpus=2 iothreads=1
	before=$(snapshot g)
	of_libvirt=$(recorded g)
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 0\n' | rules
	vm apply
	run -0 vm record
	show "$output"
	[ "$output" = "g: recorded: emulator 0, vcpu0-1 1, iothread1 0 (4 pins)" ]
	assert_guest g 0 1 0
	show "$(recorded g)"
	[ "$(recorded g)" = "vcpu 0 1 vcpu 1 1 emulator 0 iothread 1 0" ]
	run -0 vm record g
	[ "$output" = "g: recorded already" ]
	run -0 vm status
	[[ $(v dumpxml --inactive g) != *cputune* ]]
	run -0 vm release g
	show "$output"
	[[ $output == "g: released: "* ]]
	[ "$(recorded g)" = "$of_libvirt" ]
	[[ $(v dumpxml g) != *vmaffinity* ]]
	assert_guest g "$HOST_CPUS" "$HOST_CPUS" "$HOST_CPUS"
	assert_unchanged g "$before"
}

@test "record: pins of its own come back, also for a group that the rules are not about any more" {
	guest_start own vcpus=2 vcpupin='0:1 1:0' emulatorpin=1
	vm record
	[ "$(recorded own)" = "vcpu 0 1 vcpu 1 1 emulator 0" ]
	printf '[*]\nvcpus = 0\n' | rules
	vm apply
	run -0 vm record
	show "$output"
	[ "$(recorded own)" = "vcpu 0 0 vcpu 1 0 emulator 1" ]
	assert_pinned own emulator 1
	no_rules
	run -0 vm record
	show "$output"
	[ "$output" = "own: recorded: what it had before, as no rule pins it (2 pins)" ]
	[ "$(recorded own)" = "vcpu 0 1 vcpu 1 0 emulator 1" ]
	printf '[*]\nvcpus = 0\n' | rules
	vm apply
	run -0 vm record
	[ "$(recorded own)" = "vcpu 0 0 vcpu 1 0 emulator 1" ]
	run -0 vm release own
	[ "$(recorded own)" = "vcpu 0 1 vcpu 1 0 emulator 1" ]
	assert_pinned own vcpu0 1
	assert_pinned own vcpu1 0
	[[ $(v dumpxml own) != *vmaffinity* ]]
	no_rules
	run -0 vm record
	[ "$output" = "own: no rule pins it" ]
}

@test "record: a guest that is not as ruled, or not there, or unknown to the daemon fails; nothing is recorded" {
	local of_libvirt
	guest_start g vcpus=2
	of_libvirt=$(recorded g)
	printf '[*]\nvcpus = 0\n' | rules
	run -1 --separate-stderr vm record
	show "$stderr"
	[[ $stderr == "vmaffinity: g: not recorded: not as ruled: emulator: "*"; 'vmaffinity apply' pins it" ]]
	[ "$(recorded g)" = "$of_libvirt" ]
	[[ $(v dumpxml g) != *vmaffinity* ]]
	run -1 --separate-stderr vm record nobody
	show "$stderr"
	[[ $stderr == "vmaffinity: nobody: not recorded: "* ]]
	host_down
	run -1 --separate-stderr vm record
	show "$stderr"
	[[ $stderr == "vmaffinity: g: not recorded: no libvirt daemon answers at qemu:///system"* ]]
	host_start
}

@test "record: survives the daemon; an iothread that is unplugged does not keep release from the others" {
	guest_start g vcpus=1 iothreads=2
	vm record
	show "$(recorded g)"
	[ "$(recorded g)" = "vcpu 0 1 emulator 0 iothread 1 0 iothread 2 0" ]
	host_stop
	host_start
	show "$(recorded g)"
	[ "$(recorded g)" = "vcpu 0 1 emulator 0 iothread 1 0 iothread 2 0" ]
	run -0 vm record -q
	[ -z "$output" ]
	v iothreaddel g 2 --live
	printf '[*]\nemulator = 1\nvcpus = 1\niothreads = 0\n' | rules
	vm apply
	vm record
	[[ $(v metadata g urn:vmaffinity:record --live) == *"iothread2=$HOST_CPUS"* ]] # as of a vCPU, which may come back
	run -0 vm release g
	show "$output"
	[ "$(recorded g)" = "vcpu 0 $HOST_CPUS emulator $HOST_CPUS iothread 1 $HOST_CPUS" ]
}

@test "record: libvirt refuses one group: the others' record is as it was, and nothing is noted" {
	local of_libvirt file
	guest_start g vcpus=2 iothreads=1
	of_libvirt=$(recorded g)
	file=$(guest_cgroup g)/iothread1/cpuset.cpus
	mount --bind "$file" "$file"
	mount -o remount,bind,ro "$file"
	run -1 --separate-stderr vm record
	umount "$file"
	show "$stderr"
	[[ $stderr == "vmaffinity: g: not recorded: iothread1: "* ]]
	assert_guest g 0 1 0 # libvirt has taken the pins back with the record
	[ "$(recorded g)" = "$of_libvirt" ]
	[[ $(v dumpxml g) != *vmaffinity* ]]
}

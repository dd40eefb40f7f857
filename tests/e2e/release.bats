#!/usr/bin/env bats
# Pins that outlive their rule, and "vmaffinity release": a guest gets back what libvirt would give it.
# shellcheck disable=SC2154 # output, set by run

bats_require_minimum_version 1.5.0
load lib

setup()
{
	case_setup
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 0\n' | rules
}

teardown() { case_teardown; }

status() { timeout 60 vmaffinity status "$@" 3>&- 4>&-; }
apply() { timeout 60 vmaffinity apply 3>&- 4>&-; }
release() { timeout 60 vmaffinity release "$@" 3>&- 4>&-; }

@test "a rule that is removed: status says what outlives it, apply gives it back" {
	local before
	no_rules
	guest_start g vcpus=2 iothreads=1
	guest_start own vcpus=2 vcpupin='0:1 1:0'
	before=$(snapshot g)
	run -0 status
	[[ $output == *$'\ng    no rule\nown  no rule' ]]
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 0\n' | rules
	apply
	assert_guest g 0 1 0
	assert_guest own 0 1
	no_rules
	run -1 status
	show "$output"
	[[ $output == *"g: no rule matches, but 4 of 4 groups are confined"* ]]
	[[ $output == *"own: no rule matches, but 2 of 3 groups are confined"* ]] # vcpu0 has what libvirt gave it
	run -0 apply
	show "$output"
	[[ $output == "g: given back: emulator $HOST_CPUS, "* ]]
	[[ $output == *"2 guests: 2 given back" ]]
	assert_unchanged g "$before"
	assert_pinned own vcpu0 1
	assert_pinned own vcpu1 0
	assert_pinned own emulator "$HOST_CPUS"
	run -0 status
	run -0 apply
	[[ $output == *"g: no rule pins it"* ]]
}

@test "a group that the rules are not about any more, beside one that they are" {
	guest_start g vcpus=2 iothreads=1
	printf '[*]\nvcpus = 0\n' | rules
	run -1 status
	grep -qx "drift: emulator: no rule is about it, but the cgroup has CPUs 0; libvirt would give it $HOST_CPUS" <<<"$output"
	apply
	assert_guest g "$HOST_CPUS" 0 "$HOST_CPUS"
	run -0 status
}

@test "no daemon: the rules are followed, what they are not about is left, with a warning" {
	guest_start g vcpus=2
	printf '[*]\nvcpus = 0\n' | rules
	host_down
	run -0 --separate-stderr apply
	[[ $stderr == "vmaffinity: g: warning: groups that no rule is about are left as they are, libvirt's record of them is not known: "* ]] ||
		[[ $stderr == "g: warning: groups that no rule is about are left as they are, libvirt's record of them is not known: "* ]]
	assert_guest g 0 0
	host_start
}

@test "release: what libvirt gave, whatever the rules say; installed away, with nothing left behind" {
	guest_start g vcpus=2
	guest_start own vcpus=2 vcpupin='0:1 1:0' emulatorpin=1
	run -0 release g
	show "$output"
	assert_guest g "$HOST_CPUS" "$HOST_CPUS"
	assert_guest own 0 1
	run -0 release g
	[ "$output" = "g: has what libvirt gave it" ]
	run -1 --separate-stderr release nobody
	[[ $stderr == "vmaffinity: nobody: not released: "* ]]
	apply
	assert_guest g 0 1
	run -0 "$E2E_SOURCE/../../install.sh" --uninstall --release
	show "$output"
	assert_guest g "$HOST_CPUS" "$HOST_CPUS"
	assert_pinned own vcpu0 1
	assert_pinned own vcpu1 0
	assert_pinned own emulator 1
	[ ! -e "$GUARD" ]
	"$E2E_SOURCE/../../install.sh" >&2
	product_save
}

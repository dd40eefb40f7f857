#!/usr/bin/env bats
# vmaffinity map: where it draws real guests is where the kernel lets their threads run.
# shellcheck disable=SC2154 # output and stderr, set by run

bats_require_minimum_version 1.5.0
load lib

setup()
{
	case_setup
	printf '[*]\nemulator = 0\niothreads = 0\nvcpu0 = 0\nvcpu1 = 1\n' | rules
}
teardown() { case_teardown; }

map() { timeout 60 vmaffinity map "$@" 3>&- 4>&-; }

# "GROUP CPUS" of each group of guest $1: of its threads' affinities as map has them, and as the kernel has them.
by_map() { map --json | jq -r --arg g "$1" '.sets[] | .cpus as $cpus | .groups[] | select(.guest == $g) | "\(.group) \($cpus)"' | sort; }
by_the_kernel()
(
	trap - DEBUG # of bats: slow
	dirs=$(group_dirs "$1") || return 1
	while read -r dir; do
		echo "${dir##*/} $(affinity_of "$dir" | awk '{ print $2 }' | sort -u | paste -sd ' ')"
	done <<<"$dirs" | sort
)
agrees_with_the_kernel() { [ "$(by_map "$1")" = "$(by_the_kernel "$1")" ]; }

# on_cpu N TEXT: that is who is there.
on_cpu()
{
	run -0 --separate-stderr map
	grep -qE "(^| )$1[! ] $2( {2,}|$)" <<<"$output" || fail "CPU $1 without '$2': $output"
}

@test "guests are where the kernel has their threads, also when the rules say otherwise" {
	guest_start g vcpus=2 iothreads=1
	eventually agrees_with_the_kernel g
	on_cpu 0 "g emulator vcpu0 iothread1"
	on_cpu 1 "g vcpu1"
	show "$output"
	virsh -q vcpupin g 1 0 --live
	eventually agrees_with_the_kernel g
	on_cpu 0 "g emulator vcpu0-1 iothread1"
	on_cpu 1 idle
	show "$output"
	[[ $output == *"! CPU 0: overcommitted, 2 vCPUs on 1 CPU"* ]]
}

@test "a guest that is not pinned stands below the picture; one that ends is gone from it" {
	printf '' | rules
	guest_start g vcpus=2
	on_cpu 1 free
	[ "${lines[-1]}" = "every CPU: g emulator vcpu0-1" ]
	virsh -q destroy g
	on_cpu 1 idle
	[[ ${lines[0]} == *"; 0 guests" ]]
}

@test "it writes nothing, sets nothing and holds nothing up" {
	local trace=$E2E_DIR/trace
	guest_start g vcpus=2 iothreads=1
	traced "$trace" vmaffinity map
	grep -q 'cpuset\.cpus' "$trace" # the trace does show what it reads
	assert_only_read "$trace"
}

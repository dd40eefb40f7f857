#!/usr/bin/env bats
# Cases that need more than two CPUs. run.sh runs this file on hosts with 8.
# shellcheck disable=SC2154 # output, set by run

bats_require_minimum_version 1.5.0
load lib

setup() { case_setup; }
teardown() { case_teardown; }

# bats test_tags=vm,once
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

# pages_of GUEST: how many pages of its anonymous memory are on each node: "N0=16384 N1=12"
pages_of()
{
	awk '/ anon=/ && !/ file=/ {
			for (i = 3; i <= NF; i++) if (split($i, at, "=") == 2 && at[1] ~ /^N[0-9]+$/) pages[at[1]] += at[2]
		}
		END { printf "N0=%d N1=%d\n", pages["N0"], pages["N1"] }' "/proc/$(guest_pid "$1")/numa_maps"
}

# bats test_tags=vm
@test "one to one: guest siblings on host siblings, what is plugged in has its place, and memory follows" {
	local before after
	printf '[*]\nemulator = 0-1\nvcpus = node:0\n' | rules
	guest_start g vcpus=4 current=2 threads=2
	before=$(pages_of g)
	printf '[*]\nemulator = 0-1\nvcpus = node:1\nplacement = one-to-one\nmemory = auto\n' | rules
	reconnect g
	[ "$(cat /sys/devices/system/cpu/cpu4/topology/thread_siblings_list)" = 4-5 ]
	assert_pinned g vcpu0 4
	assert_pinned g vcpu1 5
	after=$(pages_of g)
	show "pages before: $before" "pages after:  $after"
	[ "$(nodes_of g)" = 1 ]
	[[ $before =~ N0=([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -gt 0 ]
	[[ $after =~ N0=([0-9]+)\ N1=([0-9]+) ]] && [ "${BASH_REMATCH[2]}" -gt $((10 * BASH_REMATCH[1])) ]
	v setvcpus --domain g --count 4 --live
	reconnect g
	assert_pinned g vcpu0 4
	assert_pinned g vcpu1 5
	assert_pinned g vcpu2 6
	assert_pinned g vcpu3 7
	show_log
	# the rule is gone: CPUs and nodes are the guest's again
	printf '[other]\nvcpus = 0\n' | rules
	run -1 timeout 60 vmaffinity status 3>&- 4>&-
	[[ $output == *"emulator: no rule is about it, but"* ]]
	run -0 timeout 60 vmaffinity apply 3>&- 4>&-
	show "$output"
	assert_guest g 0-7 0-7
	[[ $(nodes_of g) =~ ^(0-1)?$ ]] # none of its own on v2
	run -0 timeout 60 vmaffinity status 3>&- 4>&-
}

# The number of guests that start at once, and of rounds.
GUESTS=${E2E_GUESTS:-16}
ROUNDS=${E2E_ROUNDS:-1}

# bats test_tags=vm,once
@test "many guests start at once, then the daemon is restarted over them" {
	local n round pids
	for n in $(many); do guest_define "g$n" "vcpupin=0:1-3"; done
	for round in $(seq "$ROUNDS"); do
		printf '[*]\nemulator = 0-1\nvcpus = 2-7\n[g?5]\nvcpus = 5\n' | rules
		log_mark
		pids=()
		for n in $(many); do
			V_TIMEOUT=900 v start --domain "g$n" &
			pids+=($!)
		done
		for n in "${pids[@]}"; do wait "$n"; done
		assert_many 2-7 5
		assert_log_lines "$GUESTS"
		printf '[*]\nemulator = 0-1\nvcpus = 1-3\n' | rules
		log_mark
		daemon_restart
		assert_many 1-3 1-3
		assert_log_lines "$GUESTS"
		for n in $(many); do guest_stop "g$n"; done
		show "round $round: $GUESTS guests, all as ruled twice"
	done
}

many() { seq 10 $((9 + GUESTS)); }

# assert_many LIST LIST5: all run, on LIST, those whose name ends in 5 on LIST5
assert_many()
{
	local n
	[ "$(v list --state-running --name | grep -c '^g')" = "$GUESTS" ] || fail "not all run:" "$(v list)" || return 1
	for n in $(many); do
		case $n in
		*5) assert_guest "g$n" 0-1 "$2" ;;
		*) assert_guest "g$n" 0-1 "$1" ;;
		esac || return 1
	done
}

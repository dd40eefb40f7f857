#!/usr/bin/env bats
# vmaffinity status: what it says of real guests is what the kernel says.
# shellcheck disable=SC2154 # output and stderr, set by run

bats_require_minimum_version 1.5.0
load lib

setup()
{
	case_setup
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 0-1\n' | rules
}
teardown() { case_teardown; }

status() { timeout 60 vmaffinity status "$@" 3>&- 4>&-; }

# The kernel's account of guest $1, a line a group, as status --json has it: "vcpu0 MASK TID=LIST...".
by_the_kernel()
(
	trap - DEBUG # of bats: slow
	dirs=$(group_dirs "$1") || return 1
	while read -r dir; do
		echo "${dir##*/} $(mask_of "$dir") $(affinity_of "$dir" | tr ' ' = | sort | paste -sd ' ')"
	done <<<"$dirs"
)

by_status()
{
	status --json "$1" | jq -r '.guests[].groups[] | "\(.group) \(.effective) \([.threads[] | "\(.tid)=\(.cpus)"] | sort | join(" "))"'
}

# QEMU's helper threads come and go.
agrees_with_the_kernel() { [ "$(by_status "$1")" = "$(by_the_kernel "$1")" ]; }

# drifts NAME GROUP...: status says so of these and no others, and the exit status is 1.
drifts()
{
	run "-$(($# > 1))" status --json "$1"
	local found
	found=$(jq -r '.guests[] | select(.state == "drift") | .groups[] | select(.drift) | .group' <<<"$output" | paste -sd ' ')
	[ "$found" = "${*:2}" ] || fail "drift in '$found', not in '${*:2}'"
}

@test "a guest that started as ruled: 0, and so says the kernel" {
	guest_start g vcpus=2 iothreads=1
	run -0 --separate-stderr status
	show "$output"
	[ "$output" = "g  as ruled  2 vCPUs on 1, emulator 0, iothread1 0-1" ]
	[ -z "$stderr" ]
	run -0 status g
	show "$output"
	[ "${lines[0]}" = "g: as ruled" ]
	[ "${#lines[@]}" = 5 ]
	[[ ${lines[3]} == "  vcpu0-1 "* ]]
	assert_guest g 0 1 0-1
	eventually agrees_with_the_kernel g
	drifts g
}

@test "an edit, status, apply, status" {
	guest_start g vcpus=2 iothreads=1
	printf '[*]\nemulator = 1\nvcpus = 0\niothreads = 0-1\n' | rules
	run -1 status
	show "$output"
	grep -qx "drift: vcpu0-1: the cgroup has CPUs 1; the rule says 0" <<<"$output"
	drifts g emulator vcpu0 vcpu1
	vmaffinity apply >&2
	run -0 status
	show "$output"
	assert_guest g 1 0 0-1
	eventually agrees_with_the_kernel g
}

@test "virsh vcpupin, emulatorpin and iothreadpin against the rules: drift, until apply mends it" {
	guest_start g vcpus=2 iothreads=1
	v vcpupin --domain g --vcpu 1 --cpulist 0 --live
	drifts g vcpu1
	[ "$(jq -r '.guests[].groups[] | select(.group == "vcpu1").record' <<<"$output")" = 0 ]
	v emulatorpin --domain g --cpulist 1 --live
	v iothreadpin --domain g --iothread 1 --cpulist 1 --live
	drifts g emulator vcpu1 iothread1
	# that is not what the guest starts with next
	run vmaffinity check
	[[ $output != *"XML pins"* ]] || fail "$output"
	v vcpupin --domain g --vcpu 1 --cpulist 0 --config
	run -1 vmaffinity check
	[[ $output == *"the guest's XML pins vcpu1 to CPUs 0, this rule to 1; "* ]] || fail "$output"
	run -1 status
	show "$output"
	eventually agrees_with_the_kernel g
	vmaffinity apply g >&2
	drifts g
	assert_guest g 0 1 0-1
	run -0 status -v
	show "$output" # with libvirt's record
	[[ ${lines[1]} == *" LIBVIRT RULE" ]]
}

@test "a thread's affinity that somebody set: drift" {
	local tid
	guest_start g iothreads=1
	read -r tid <"$(guest_cgroup g)/iothread1/$([ -e "$(guest_cgroup g)/iothread1/tasks" ] && echo tasks || echo cgroup.threads)"
	taskset -p 1 "$tid" >/dev/null
	drifts g iothread1
	run -1 status
	grep -qx "drift: iothread1: 1 of 1 threads keep to other CPUs than 0-1: thread $tid on 0" <<<"$output"
	vmaffinity apply g >&2
	drifts g
	assert_pinned g iothread1 0-1
}

@test "vCPUs and iothreads that were plugged in: not pinned" {
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 0\n' | rules
	guest_start g vcpus=4 current=2 iothreads=1
	drifts g
	v setvcpus --domain g --count 4 --live
	v iothreadadd --domain g --id 7 --live
	drifts g vcpu2 vcpu3 iothread7
	run -1 status
	show "$output"
	grep -qx "drift: vcpu2-3: not pinned: it may use all CPUs that the guest may, $HOST_CPUS; the rule says 1" <<<"$output"
	vmaffinity apply g >&2
	drifts g
	assert_guest g 0 1 0
}

@test "guests that no rule is about, and guests that do not run, are no drift" {
	printf '[g]\nvcpus = 1\n' | rules
	guest_start g
	guest_start other
	guest_define off
	run -0 status
	[ "${lines[0]}" = "2 guests: 1 as ruled, 1 without a rule" ]
	run -0 status off other
	[ "$output" = "2 guests: 2 without a rule"$'\n\n'"off: no rule matches"$'\n\n'"other: no rule matches" ]
	printf '[*]\nvcpus = 1\n' | rules
	run -0 status off
	[ "$output" = "off: not running" ]
}

# Guest $1's threads, each with field 39 of its stat, as proc_pid_stat(5) has it.
last_by_the_kernel()
(
	trap - DEBUG # of bats: slow
	dirs=$(group_dirs "$1") || return 1
	while read -r dir; do
		affinity_of "$dir" | while read -r tid _; do echo "$tid $(sed 's/.*) //' "/proc/$tid/stat" | cut -d ' ' -f 37)"; done
	done <<<"$dirs" | sort
)

last_agrees() { [ "$(status --json "$1" | jq -r '.guests[].groups[].threads[] | "\(.tid) \(.last)"' | sort)" = "$(last_by_the_kernel "$1")" ]; }

@test "the CPU that a thread last ran on" {
	guest_start g vcpus=2 iothreads=1
	eventually last_agrees g
	printf '[*]\nemulator = 1\nvcpus = 0\n' | rules
	vmaffinity apply >&2
	eventually last_agrees g
}

# A table without what differs between hosts: what a group holds that nobody wrote (nothing with cgroup v2), where threads
# happened to run last, and the nodes.
without_host()
{
	awk '/ LAST / { cgroup = index($0, "CGROUP"); effective = index($0, "EFFECTIVE"); last = index($0, "LAST"); libvirt = index($0, "LIBVIRT") }
		/^[ !] / { $0 = substr($0, 1, cgroup - 1) substr($0, effective, last - effective) substr($0, libvirt) }
		{ gsub(/ +/, " "); print }'
}

@test "README: status" {
	local readme=$E2E_DIR/readme
	sed -n '/^\$ vmaffinity status/,/^```/p' "$BATS_TEST_DIRNAME/../../README.md" | sed '1d; $d' >"$readme"
	[ "$(wc -l <"$readme")" -gt 5 ]
	printf '[*]\nemulator  = 0\niothreads = 0\n\n[web-*]\nvcpus = 1\n' | rules
	guest_start web-1 vcpus=4 current=2 iothreads=1
	v setvcpus --domain web-1 --count 3 --live
	v vcpupin --domain web-1 --vcpu 1 --cpulist 0 --live
	run -1 status
	diff <(sed "s/0-1/$HOST_CPUS/g" "$readme" | without_host) <(without_host <<<"$output")
}

@test "it writes nothing, sets nothing and holds nothing up" {
	local trace=$E2E_DIR/trace
	guest_start g vcpus=2 iothreads=1
	v vcpupin --domain g --vcpu 1 --cpulist 0 --live
	traced "$trace" vmaffinity status || [ $? = 1 ]
	grep -q 'cpuset\.cpus' "$trace" # the trace does show what it reads
	assert_only_read "$trace"
	assert_pinned g vcpu1 0
}

@test "guests that are killed while they are looked at: passed over" {
	local n
	guest_start stays
	for n in 1 2 3; do guest_define "g$n" vcpus=2; done
	for _ in {1..5}; do
		for n in 1 2 3; do v start --domain "g$n"; done
		status >"$E2E_DIR/out" 2>"$E2E_DIR/err" &
		for n in 1 2 3; do kill -KILL "$(guest_pid "g$n")"; done
		wait $! || fail "$(cat "$E2E_DIR/out" "$E2E_DIR/err")"
		grep -qE "^stays  as ruled  " "$E2E_DIR/out"
		for n in 1 2 3; do eventually guest_is_off "g$n"; done
	done
}

guest_is_off() { [ "$(v domstate --domain "$1")" = "shut off" ]; }

@test "16 guests, one with drift" {
	local n
	for n in {1..16}; do guest_start "g$n" vcpus=2; done
	v vcpupin --domain g7 --vcpu 0 --cpulist 0 --live
	run -1 status
	[ "${lines[0]}" = "16 guests: 15 as ruled, 1 not as ruled; drift in 1 group" ]
	[ "$(grep -c "^g[0-9]*  *as ruled  2 vCPUs on 1, emulator 0$" <<<"$output")" = 15 ]
	for n in {1..16}; do [ "$n" = 7 ] || assert_guest "g$n" 0 1; done
}

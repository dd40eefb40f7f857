#!/usr/bin/env bats
# vmaffinity apply: guests that run get what the rules say now.
# shellcheck disable=SC2154,SC2119,SC2120 # output and stderr, set by run; apply is called by run, too

bats_require_minimum_version 1.5.0
load lib

setup() { case_setup; }
teardown() { case_teardown; }

apply() { timeout 60 vmaffinity apply "$@" 3>&- 4>&-; }

# The emulator on CPU $1, all vCPUs on $2, the iothreads on both.
rules_for() { printf '[*]\nemulator = %s\nvcpus = %s\niothreads = 0-1\n' "$1" "$2" | rules; }

# shown_as_pinned NAME SUMMARY: the line of a guest that changed is among those of $output.
shown_as_pinned()
{
	grep -qE "^$1: pinned: $2 \([0-9]+ masks? and [0-9]+ threads? set in [0-9]+\.[0-9] ms\)$" <<<"$output" || fail "$output"
}

@test "an edit of the rules reaches guests that run" {
	rules_for 0 1
	guest_start a vcpus=2 iothreads=1
	guest_start b
	run -0 --separate-stderr apply
	[ "$output" = "a: already as ruled"$'\n'"b: already as ruled"$'\n'"2 guests: 2 already as ruled" ]
	rules_for 1 0
	run -0 --separate-stderr apply
	show "$output"
	shown_as_pinned a "emulator 1, vcpu0-1 0, iothread1 0-1"
	shown_as_pinned b "emulator 1, vcpu0 0"
	[ "${lines[2]}" = "2 guests: 2 pinned" ]
	[ -z "$stderr" ]
	assert_guest a 1 0 0-1
	assert_guest b 1 0
	assert_vcpuinfo a 1 0
	assert_log_lines 2 # those of the hook: apply tells who called it
}

@test "only the guests that are named" {
	guest_start a
	guest_start b
	rules_for 0 1
	run -0 apply b
	[ "${#lines[@]}" = 1 ]
	shown_as_pinned b "emulator 0, vcpu0 1"
	assert_guest a "$HOST_CPUS" "$HOST_CPUS"
	assert_guest b 0 1
}

@test "a guest by its UUID or id, or a pattern of names; a name that looks like one of these is a name" {
	local word
	guest_start a
	guest_start 'b*' uuid=12345678-1234-1234-1234-123456789abc
	guest_start bc
	for word in 12345678-1234-1234-1234-123456789abc "$(v domid --domain 'b*')" 'b*'; do
		rules_for 0 1
		run -0 apply "$word"
		[ "${#lines[@]}" = 1 ]
		[[ $output == "b*: pinned: "* ]]
		rules_for 1 0
		worker 'b*' reconnect <<<"$(v dumpxml --domain 'b*')"
	done
	run -0 apply '[ab]*' '?c'
	show "$output"
	[ "${#lines[@]}" = 4 ]
	run -1 apply 'z*' 4711
	show "$output"
	[[ $output == *"z*: no running guest's name matches this pattern"* && $output == *"4711: "* ]]
}

@test "a guest that is as ruled is not touched" {
	local trace=$E2E_DIR/trace
	guest_start g vcpus=2 iothreads=1 vcpupin="0:0 1:0" emulatorpin=1
	rules_for 0 1
	traced "$trace" vmaffinity apply
	assert_guest g 0 1 0-1
	[ "$(changes_in "$trace" | wc -l)" -ge 3 ] # the trace does show them
	traced "$trace" vmaffinity apply
	[ -z "$(changes_in "$trace")" ]
	assert_guest g 0 1 0-1
}

@test "virsh vcpupin, emulatorpin and iothreadpin against the rules give way" {
	rules_for 0 1
	guest_start g vcpus=2 iothreads=1
	v vcpupin --domain g --vcpu 0 --cpulist 0 --live
	v emulatorpin --domain g --cpulist 1 --live
	v iothreadpin --domain g --iothread 1 --cpulist 1 --live
	assert_pinned g vcpu0 0
	run -0 apply g
	assert_guest g 0 1 0-1
}

@test "hotplugged vCPUs and iothreads are pinned" {
	rules_for 0 1
	guest_start g vcpus=4 current=2 iothreads=1
	v setvcpus --domain g --count 4 --live
	v iothreadadd --domain g --id 7 --live
	assert_pinned g vcpu2 "$HOST_CPUS"
	run -0 apply
	assert_groups g emulator vcpu0 vcpu1 vcpu2 vcpu3 iothread1 iothread7
	assert_guest g 0 1 0-1
}

@test "names with all that names may have" {
	local name
	for name in 'a&b' 'web_01' 'with space' "quote'd"; do
		guest_start "$name"
	done
	printf '[*]\nvcpus = 1\n' | rules
	run -0 apply 'a&b' 'with space' "quote'd" web_01
	for name in 'a&b' 'web_01' 'with space' "quote'd"; do assert_pinned "$name" vcpu0 1; done
}

@test "one guest that fails leaves the others done, and itself as it was" {
	local before
	guest_start a
	guest_start b
	guest_start c
	before=$(snapshot b)
	printf '[*]\nemulator = 0\nvcpus = 1\n[b]\nvcpu0 = 8191\n' | rules
	run -1 --separate-stderr apply
	show "$output" "$stderr"
	[[ $stderr == "vmaffinity: b: not pinned: $RULES:5: vcpu0 wants 8191, but this host has only CPUs "*"; no CPU is left" ]]
	[ "${lines[2]}" = "3 guests: 2 pinned, 1 failed" ]
	assert_guest a 0 1
	assert_guest c 0 1
	assert_unchanged b "$before"
}

@test "a guest that is shut off fails if it is named, and is not looked at else" {
	guest_define off
	guest_start g
	rules_for 0 1
	run -0 apply
	[ "${#lines[@]}" = 1 ]
	run -1 --separate-stderr apply off g
	[ "$stderr" = "vmaffinity: off: not pinned: not running here: no pid file and no status file in /run/libvirt/qemu" ]
	assert_guest g 0 1
}

# Every message to the daemon is held up, so that a guest that is looked up can be gone before its XML is asked for.
slow_apply()
{
	strace -E "$TRACED_ENV" -f -qq -o "$E2E_DIR/trace" -s 400 -e trace=write -e inject=write:delay_enter=150000 \
		timeout 60 vmaffinity apply "$@" 3>&- 4>&-
}

looked_up() { grep -qF "$1" "$E2E_DIR/trace"; }

@test "a guest that ends between look-up and XML: told if it was named" {
	guest_start g
	guest_xml brief >"$E2E_DIR/brief.xml"
	v create "$E2E_DIR/brief.xml" >/dev/null # it is forgotten once it has ended
	printf '[*]\nemulator = 0\nvcpus = 1\n[brief]\nplacement = one-to-one\n' | rules # that needs the XML
	: >"$E2E_DIR/trace"
	slow_apply brief g >"$E2E_DIR/out" 2>"$E2E_DIR/err" &
	eventually looked_up brief
	v destroy brief >/dev/null
	wait $! && fail "it says that all is well" || [ $? = 1 ]
	show "$(cat "$E2E_DIR/out" "$E2E_DIR/err")"
	grep -qE "^vmaffinity: brief: not pinned: its rules need its XML: Domain not found" "$E2E_DIR/err"
	grep -qx "2 guests: 1 pinned, 1 failed" "$E2E_DIR/out"
	assert_guest g 0 1
}

@test "guests that are killed while they are looked at harm nobody else" {
	local n round
	guest_start stays
	for n in 1 2 3; do guest_define "g$n" vcpus=2; done
	for round in {1..5}; do
		for n in 1 2 3; do v start --domain "g$n"; done
		rules_for $((round % 2)) $(((round + 1) % 2))
		apply >"$E2E_DIR/out" 2>"$E2E_DIR/err" &
		for n in 1 2 3; do kill -KILL "$(guest_pid "g$n")"; done
		wait $! || fail "$(cat "$E2E_DIR/out" "$E2E_DIR/err")"
		assert_guest stays $((round % 2)) $(((round + 1) % 2))
		[ ! -s "$E2E_DIR/err" ] || fail "$(cat "$E2E_DIR/err")"
		for n in 1 2 3; do eventually guest_is_off "g$n"; done
	done
}

guest_is_off() { [ "$(v domstate --domain "$1")" = "shut off" ]; }

@test "two at once, 10 rounds" {
	local round one other
	guest_start g vcpus=4 iothreads=2
	guest_start h vcpus=2 iothreads=1
	for round in {1..10}; do
		one=$((round % 2)) other=$(((round + 1) % 2))
		rules_for $one $other
		apply >/dev/null &
		apply >/dev/null
		wait $!
		assert_guest g $one $other 0-1
		assert_guest h $one $other 0-1
	done
}

@test "16 guests in one go" {
	local n
	for n in {1..16}; do guest_start "g$n" vcpus=2 iothreads=1; done
	rules_for 0 1
	run -0 apply
	show "$output"
	[ "${lines[16]}" = "16 guests: 16 pinned" ]
	for n in {1..16}; do assert_guest "g$n" 0 1 0-1; done
	run -0 apply
	[ "${lines[16]}" = "16 guests: 16 already as ruled" ]
}

# As the kernel does on cgroup v1 when a CPU goes offline: it goes from the groups and the directories above them, and does
# not come back. On v2 it does, and a directory without it was narrowed on purpose.
@test "a CPU that the guest's own directories have lost: cgroup v1 gets it back, v2 is obeyed" {
	local base dir own
	rules_for 0 0
	guest_start g vcpus=2 iothreads=1
	base=$(guest_cgroup g)
	for dir in "$base"/emulator "$base"/vcpu* "$base"/iothread1; do echo 0 >"$dir/cpuset.cpus"; done
	own=("$base")
	[[ $base != */libvirt ]] || own+=("${base%/*}")
	for dir in "${own[@]}"; do echo 0 >"$dir/cpuset.cpus"; done
	rules_for 0 1
	if [ -e "$base/tasks" ]; then
		run -1 vmaffinity status
		show "$output"
		run -0 apply
		shown_as_pinned g 'emulator 0, vcpu0-1 1, iothread1 0-1'
		assert_guest g 0 1 0-1
		run -0 apply
		[ "$output" = "g: already as ruled" ]
	else
		run -1 --separate-stderr apply
		[[ $stderr == *"vcpus wants 1, but "*" allows only 0; no CPU is left"* ]]
	fi
}

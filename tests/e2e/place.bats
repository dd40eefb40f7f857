#!/usr/bin/env bats
# Memory nodes and vCPUs one to one, as far as a host of two CPUs on one node can show them.

bats_require_minimum_version 1.5.0
load lib

NODES=$(cat /sys/devices/system/node/has_memory)

setup() { case_setup; }

teardown() { case_teardown; }

@test "memory where it is already: read back, and nothing is written" {
	local trace=$E2E_DIR/trace base
	printf '[*]\nemulator = 0\nvcpus = all\nmemory = %s\n' "$NODES" | rules
	guest_start g vcpus=2 iothreads=1
	assert_pinned g vcpu1 "$HOST_CPUS"
	[ "$(nodes_of g)" = "$NODES" ]
	assert_log "g: pinned: emulator 0, .*memory $NODES "
	show_log
	printf '[*]\nmemory = auto\n' | rules
	log_mark
	reconnect g traced "$trace"
	grep -q 'vcpu1/cpuset\.mems' "$trace"
	[ -z "$(changes_in "$trace")" ]
	assert_log_lines 0
	# what the moving of memory relies on: libvirt's setting, which v1 does not have by itself
	base=$(guest_cgroup g)
	[ ! -e "$base/emulator/cpuset.memory_migrate" ] || [ "$(cat "$base/emulator/cpuset.memory_migrate")" = 1 ]
}

@test "a node that this host does not have: left out and named; alone it is an error, and nothing is changed" {
	local before
	guest_start g vcpus=2
	before=$(snapshot g)
	printf '[*]\nvcpus = 1\nmemory = 900\n' | rules
	daemon_restart
	assert_running g
	assert_unchanged g "$before"
	assert_log 'g: not pinned, runs on: /etc/vmaffinity.ini:3: memory wants node 900, but this host has only nodes? [0-9,-]*; no node is left'
	printf '[*]\nvcpus = 1\nmemory = 0,900\n' | rules
	log_mark
	daemon_restart
	assert_pinned g vcpu0 1
	assert_log 'g: /etc/vmaffinity.ini:3: memory wants nodes 0,900, but this host has only nodes? [0-9,-]*; left out: 900'
	show_log
	guest_stop g
	printf '[*]\nmemory = 900\non-error = fail\n' | rules
	run v start --domain g
	[ "$status" != 0 ]
	[[ $output == *"memory wants node 900"* ]]
}

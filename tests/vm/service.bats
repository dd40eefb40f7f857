#!/usr/bin/env bats
# vmaffinity-watch.service, under a real systemd with all that the unit forbids it. Only for a virtual host (run.sh).

bats_require_minimum_version 1.5.0
load ../e2e/lib

UNIT=vmaffinity-watch.service

setup()
{
	case_setup
	printf '[*]\nemulator = 0-1\nvcpus = 4-7\niothreads = 2\nmemory = node:1\n' | rules
}

teardown()
{
	[ -n "${BATS_TEST_COMPLETED:-}" ] || logged >&2
	systemctl stop $UNIT
	systemctl reset-failed $UNIT 2>/dev/null || true
	case_teardown
}

property() { systemctl show --property "$1" --value $UNIT; }

# Prints the service's messages since it was started.
logged() { journalctl --sync && journalctl --quiet --boot --no-pager --output=cat --unit=$UNIT; }

has_logged() { logged | grep -qE -- "$1"; }

guest_is() { assert_guest "$@" 2>/dev/null; }

# bats test_tags=vm
@test "the service: vCPUs and iothreads plugged in are pinned, edits taken; killed, it is there again" {
	local pid
	guest_start g vcpus=4 current=1
	systemctl start $UNIT # it is ready when this returns
	pid=$(property MainPID)
	v setvcpus --domain g --count 4 --live
	v iothreadadd --domain g --id 7 --live
	eventually guest_is g 0-1 4-7 2
	[ "$(nodes_of g)" = 1 ]

	# an edit by itself; and what "systemctl reload" is for
	printf '[*]\nemulator = 0\nvcpus = 5\niothreads = 3\n' | rules
	eventually guest_is g 0 5 3
	systemctl reload $UNIT
	eventually has_logged '^rules in force: 1, from 1 file$'

	# the daemon goes and comes back
	daemon_restart
	v iothreadadd --domain g --id 8 --live
	eventually guest_is g 0 5 3

	systemctl kill --kill-whom=main --signal=KILL $UNIT
	v iothreadadd --domain g --id 9 --live
	eventually guest_is g 0 5 3
	[ "$(property NRestarts)" = 1 ]
	[ "$(property MainPID)" != "$pid" ]

	show "$(systemd-analyze --no-pager security $UNIT | tail -n 1)"
	show "$(logged)"
	run ! has_logged 'error|not pinned|denied|not permitted'
	systemctl stop $UNIT
	[ "$(property Result)" = success ]
}

# bats test_tags=vm
@test "the example of a timer: what status finds is where the collector of Prometheus reads it" {
	local directory=/var/lib/prometheus/node-exporter units=/run/systemd/system
	cp "$E2E_SOURCE"/../../conf/examples/vmaffinity-metrics.* $units
	mkdir -p $directory
	systemctl daemon-reload
	[ -z "$(systemd-analyze verify $units/vmaffinity-metrics.timer 2>&1)" ]
	guest_start g vcpus=1
	systemctl start vmaffinity-metrics.service
	grep -x 'vmaffinity_status_success 1' $directory/vmaffinity.prom
	grep -x 'vmaffinity_guests{state="as-ruled"} 1' $directory/vmaffinity.prom
	# a guest that drifts is no failure of the unit
	v vcpupin g 0 0 --live
	systemctl start vmaffinity-metrics.service
	grep -x 'vmaffinity_guests{state="drift"} 1' $directory/vmaffinity.prom
	[ "$(ls $directory)" = vmaffinity.prom ]
	rm -r $directory $units/vmaffinity-metrics.*
	systemctl daemon-reload
}

#!/usr/bin/env bats
# vmaffinity watch: guests stay as ruled while they run.
# shellcheck disable=SC2154 # output, set by run

# shellcheck disable=SC2030,SC2031 # WATCH is of one case
bats_require_minimum_version 1.5.0
load lib

setup()
{
	case_setup
	printf '[*]\nemulator = 0\nvcpus = 1\niothreads = 1\n' | rules
	WATCH_OUT=$E2E_DIR/watch.out
}

teardown()
{
	[ -n "${BATS_TEST_COMPLETED:-}" ] || sed 's/^/watch: /' "$WATCH_OUT" >&2
	watch_stop
	[ -z "${TOUCHING:-}" ] || kill "$TOUCHING"
	case_teardown
}

# It has done what is to be done at its start when this returns.
watch_start()
{
	: >"$WATCH_OUT" # else what the last case was told may be taken for this one's
	vmaffinity watch >"$WATCH_OUT" 2>&1 3>&- 4>&- &
	WATCH=$!
	eventually told '^libvirt answers'
}

# Ends it; it must end well.
watch_stop()
{
	[ -n "${WATCH:-}" ] || return 0
	kill "$WATCH"
	wait "$WATCH" || fail "watch ended with $?:" "$(cat "$WATCH_OUT")"
	WATCH=
}

# told REGEX [N]: so often (once or more).
told()
{
	local n
	n=$(grep -cE -- "$1" "$WATCH_OUT")
	[ "$n" -ge 1 ] && [ "$n" = "${2:-$n}" ]
}

# Waits for what the watch does until it is at rest: nothing more is told for half a second.
watch_settled()
{
	local before=x
	until [ "$before" = "$(wc -c <"$WATCH_OUT")" ]; do
		before=$(wc -c <"$WATCH_OUT")
		sleep 0.5
	done
}

pinned() { assert_pinned "$@" 2>/dev/null; }
guest_is() { assert_guest "$@" 2>/dev/null; }

@test "vCPUs and iothreads that are plugged in are pinned" {
	guest_start g vcpus=4 current=1 iothreads=1
	watch_start
	v setvcpus --domain g --count 4 --live
	v iothreadadd --domain g --id 7 --live
	eventually guest_is g 0 1 1
	watch_settled
	assert_guest g 0 1 1
	show "$(cat "$WATCH_OUT")"
	v iothreaddel --domain g --id 7 --live
	v iothreadadd --domain g --id 7 --live
	eventually guest_is g 0 1 1
}

is_traced() { grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$WATCH/status"; }

# libvirt's program 0x20008086, version 1, and the procedure's number: 23 looks a guest up by name, 14 asks for its XML.
# asked PROCEDURE: how often, by the trace.
asked() { grep -cF "$(printf '\\x20\\x00\\x80\\x86\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x%02x' "$1")" "$E2E_DIR/trace"; }

@test "libvirt is asked for a guest's XML only if its rules need it" {
	local tracer
	guest_start g vcpus=2 current=1
	watch_start
	strace -qq -f -xx -e trace=write,sendto,sendmsg -o "$E2E_DIR/trace" -p "$WATCH" 3>&- 4>&- &
	tracer=$!
	eventually is_traced
	v setvcpus --domain g --count 2 --live
	eventually guest_is g 0 1
	watch_settled
	[ "$(asked 23)" -gt 0 ]
	[ "$(asked 14)" = 0 ]
	printf '[*]\nemulator = 0\nvcpus = 0-1\nplacement = one-to-one\n' | rules
	eventually pinned g vcpu0 0
	watch_settled
	[ "$(asked 14)" -gt 0 ]
	kill "$tracer"
	wait "$tracer" || true
}

@test "libvirt is asked for nothing while a guest's lock is held: a hook may wait for that, and libvirt for the hook" {
	local tracer
	guest_start g vcpus=2
	rm "$GUARD"
	v vcpupin --domain g --vcpu 0 --cpulist 0 --live
	watch_start
	watch_settled
	strace -qq -f -e trace=connect,fcntl,close,write,sendto,sendmsg -o "$E2E_DIR/trace" -p "$WATCH" 3>&- 4>&- &
	tracer=$!
	eventually is_traced
	host_restart # watch looks at every guest anew, and at the definition of one that is not as ruled
	eventually told '^libvirt answers' 2
	watch_settled
	kill "$tracer"
	wait "$tracer" || true
	product_restore
	awk '
		/ connect\([0-9]+, .*libvirt-sock|virtqemud-sock/ { fd = $0; sub(/.*connect\(/, "", fd); sub(/,.*/, "", fd); socket = fd }
		/ fcntl\([0-9]+, F_OFD_SETLK, .* = 0$/ { fd = $0; sub(/.*fcntl\(/, "", fd); sub(/,.*/, "", fd); held = fd; locks++ }
		/ close\([0-9]+\)/ { fd = $0; sub(/.*close\(/, "", fd); sub(/\).*/, "", fd); if (fd == held) held = "" }
		/ (write|sendto|sendmsg)\(/ { fd = $0; sub(/.*(write|sendto|sendmsg)\(/, "", fd); sub(/,.*/, "", fd)
			if (fd == socket) { asked++; if (held != "") { print; bad = 1 } } }
		END { print locks + 0 " locks, " asked + 0 " questions"; exit bad || locks < 2 || asked < 2 }
	' "$E2E_DIR/trace"
}

@test "a guest that cannot be pinned: given up after four failures, until the rules change" {
	local tracer
	guest_start g vcpus=2
	watch_start
	strace -qq -f -e trace=pwrite64 -e inject=pwrite64:error=EBUSY -o "$E2E_DIR/trace" -p "$WATCH" 3>&- 4>&- &
	tracer=$!
	eventually is_traced
	printf '[*]\nemulator = 1\nvcpus = 0\n' | rules
	eventually told "^g: error: not pinned: cannot write 1 to .*/emulator/cpuset.cpus: Device or resource busy; given up after 4 failures until the guest or the rules change\$"
	[ "$(grep -c INJECTED "$E2E_DIR/trace")" -ge 4 ]
	kill "$tracer"
	wait "$tracer" || true
	watch_settled
	assert_guest g 0 1
	told 'not pinned' 2 # the first failure and the last
	printf '[*]\nemulator = 1\nvcpus = 0\n# again\n' | rules
	eventually guest_is g 1 0
	watch_settled
	told '^g: as ruled again$' 1
	show "$(cat "$WATCH_OUT")"
}

@test "guests that start, and one whose hook did not run" {
	mv "$GUARD" "$E2E_DIR/guard"
	host_reload
	guest_start before vcpus=2 vcpupin="0:$HOST_CPUS"
	# pins of the XML's own, one of them as ruled; and one that somebody made since: that is left
	guest_start pinned vcpus=2 vcpupin="0:0 1:1"
	v emulatorpin --domain pinned --cpulist 1 --live
	watch_start
	eventually guest_is before 0 1
	eventually pinned pinned vcpu0 1
	watch_settled
	assert_pinned pinned vcpu1 1
	assert_pinned pinned emulator 1
	told '^pinned: warning: emulator: the cgroup has CPUs 1; the rule says 0; left as it is$' 1
	guest_start after vcpus=2 cpuset=0
	eventually guest_is after 0 1
	guest_stop after
	v start --domain after
	eventually guest_is after 0 1
	show "$(cat "$WATCH_OUT")"
	install -m 755 "$E2E_DIR/guard" "$GUARD"
	host_reload
}

@test "a guest that libvirt is still starting: nothing is said of groups that are to come" {
	install -d -m 1777 "$E2E_DIR/open" # QEMU's user may not be root
	printf '#!/bin/sh\ncase "$*" in *guest=slow,*) touch %s/open/starting; sleep 3 ;; esac\nexec %s "$@"\n' \
		"$E2E_DIR" "$(command -v qemu-system-x86_64)" | install -m 755 /dev/stdin /usr/bin/slow-qemu
	guest_xml slow vcpus=2 | sed 's,<devices>,&<emulator>/usr/bin/slow-qemu</emulator>,' >"$E2E_DIR/slow.xml"
	v define --file "$E2E_DIR/slow.xml"
	v start --domain slow &
	local start=$!
	eventually test -e "$E2E_DIR/open/starting"
	watch_start
	told '^libvirt answers; guests that run: 1$'
	printf '[*]\nemulator = 0\nvcpus = 0\n' | rules # an edit makes it look again
	eventually told '^rules in force' 2
	wait "$start"
	eventually guest_is slow 0 0
	run ! grep -E 'error|warning' "$WATCH_OUT"
}

@test "an edit of the rules: what it changes is set, once it is without error" {
	guest_start g vcpus=2
	guest_start other vcpus=2
	watch_start
	v vcpupin --domain other --vcpu 0 --cpulist 0 --live
	printf '[*]\nemulator = 0\nvcpus = 9-8\n' | rules
	eventually told 'those before stay in force'
	watch_settled
	assert_guest g 0 1
	printf '[*]\nemulator = 0\nvcpus = 1\n[g]\nemulator = 1\nvcpus = 0\n' | rules
	eventually guest_is g 1 0
	watch_settled
	# the edit is not about it
	assert_pinned other vcpu0 0
	assert_pinned other vcpu1 1
	mkdir -p "$RULES_DIR"
	printf '[other]\nvcpus = 0-1\n' | install -m 644 /dev/stdin "$RULES_DIR/more.ini"
	eventually guest_is other 0 0-1
	rm "$RULES_DIR/more.ini"
	eventually guest_is other 0 1
	show "$(cat "$WATCH_OUT")"
	# one that was made meanwhile: nothing about the guest is as ruled, so all of it is set
	watch_stop
	printf '[other]\nvcpus = 1\nemulator = 0\n[g]\nemulator = 0\nvcpus = 1\n' | rules
	watch_start
	eventually guest_is g 0 1
}

@test "what an administrator pins by hand is told, and left; with enforce it is put back" {
	guest_start g vcpus=2 iothreads=1
	watch_start
	v vcpupin --domain g --vcpu 1 --cpulist 0 --live
	eventually told '^g: warning: vcpu1: the cgroup has CPUs 0; the rule says 1; left as it is$'
	v iothreadpin --domain g --iothread 1 --cpulist 0 --live
	eventually told '^g: warning: iothread1: the cgroup has CPUs 0; the rule says 1; left as it is$'
	run -1 vmaffinity status g
	show "$output"
	watch_settled
	assert_pinned g vcpu1 0
	assert_pinned g iothread1 0
	# something else is plugged in: that is pinned, and no more
	v iothreadadd --domain g --id 7 --live
	eventually pinned g iothread7 1
	watch_settled
	assert_pinned g vcpu1 0
	told '^g: warning: vcpu1: ' 2
	printf '[global]\nenforce = yes\n[*]\nemulator = 0\nvcpus = 1\niothreads = 1\n' | rules
	eventually guest_is g 0 1 1
	eventually told '^g: as ruled again$'
	v emulatorpin --domain g --cpulist 1 --live
	eventually guest_is g 0 1 1
	show "$(cat "$WATCH_OUT")"
}

@test "a mask that is written into the cgroup, past libvirt: noticed; a line names what was set" {
	guest_start g vcpus=2 iothreads=1
	watch_start
	echo 0 >"$(guest_cgroup g)/vcpu1/cpuset.cpus"
	eventually told '^g: warning: vcpu1: the cgroup has CPUs 0; the rule says 1; left as it is$'
	printf '[global]\nenforce = yes\n[*]\nemulator = 0\nvcpus = 1\niothreads = 1\n' | rules
	eventually guest_is g 0 1 1
	eventually told '^g: pinned: vcpu1 1 \('
	echo 0 >"$(guest_cgroup g)/iothread1/cpuset.cpus"
	eventually guest_is g 0 1 1
	eventually told '^g: pinned: iothread1 1 \('
	show "$(cat "$WATCH_OUT")"
}

@test "the daemon goes and comes back" {
	guest_start g vcpus=2 current=1
	guest_start ends
	watch_start
	host_stop
	eventually told '^libvirt has gone'
	kill "$(guest_pid ends)"
	host_start
	eventually told '^libvirt answers; guests that run: 1$' 1
	v setvcpus --domain g --count 2 --live
	eventually guest_is g 0 1
	host_kill
	eventually told '^libvirt has gone' 2
	host_start
	v start --domain ends
	eventually guest_is ends 0 1
	eventually told '^libvirt answers' 3
	show "$(cat "$WATCH_OUT")"
}

@test "started before the daemon, and with rules that have errors: it waits for both" {
	guest_start g vcpus=2
	v vcpupin --domain g --vcpu 0 --cpulist 0-1 --live
	host_down
	printf '[*]\nvcpus = 9-8\n' | rules
	: >"$WATCH_OUT"
	vmaffinity watch >"$WATCH_OUT" 2>&1 3>&- 4>&- &
	WATCH=$!
	eventually told 'none is in force'
	eventually told 'trying again until it answers'
	# what happens all the time and is nothing to it holds nothing up
	while sleep 0.1; do touch /etc/unrelated.ini; done 3>&- 4>&- &
	TOUCHING=$!
	printf '[*]\nemulator = 0\nvcpus = 1\n' | rules
	eventually told '^rules in force: 1, from 1 file$'
	host_start
	eventually guest_is g 0 1
	show "$(cat "$WATCH_OUT")"
}

@test "told to end while the daemon is stuck: it ends" {
	guest_start g
	watch_start
	kill -STOP "$(cat "$HOST_PIDFILE")"
	printf '[*]\nvcpus = 0\n' | rules
	eventually told '^rules in force' 2
	kill "$WATCH"
	(sleep 20; kill -KILL "$WATCH") 3>&- 4>&- &
	wait "$WATCH"
	WATCH=
	kill -CONT "$(cat "$HOST_PIDFILE")"
}

# On the CPU so far, ns.
watch_cpu() { cat "/proc/$WATCH/task"/*/schedstat | awk '{ sum += $1 } END { print sum }'; }

# E2E_WATCH_IDLE: seconds for which to see what CPU time it takes
@test "it says when it is ready, and uses no CPU time when nothing happens" {
	local socket=$E2E_DIR/notify before
	guest_start g vcpus=2
	# shellcheck disable=SC2016 # perl's
	timeout 300 perl -MIO::Socket::UNIX -e '
		$| = 1;
		my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => shift) or die;
		for (1, 2) { $socket->recv(my $text, 100); print "$text\n" }' "$socket" >"$E2E_DIR/notified" 3>&- 4>&- &
	eventually test -S "$socket"
	NOTIFY_SOCKET=$socket watch_start
	eventually grep -qx READY=1 "$E2E_DIR/notified"
	watch_settled
	strace -f -qq -c -o "$E2E_DIR/calls" -p "$WATCH" 3>&- 4>&- &
	sleep 3 # libvirt wants a sign of life every 5 s
	kill $!
	wait $! || true
	[ ! -s "$E2E_DIR/calls" ] || fail "calls while nothing happens:" "$(cat "$E2E_DIR/calls")"
	if [ -n "${E2E_WATCH_IDLE:-}" ]; then
		before=$(watch_cpu)
		sleep "$E2E_WATCH_IDLE"
		show "CPU time in $E2E_WATCH_IDLE s: $(($(watch_cpu) - before)) ns"
	fi
	watch_stop
	eventually grep -qx STOPPING=1 "$E2E_DIR/notified"
}

# plugged WHAT: shows how the times in the file of that name are spread.
plugged()
{
	show "$(sort -n "$E2E_DIR/$1" | awk -v what="$1" '
		{ ms[NR] = $1 }
		END { print NR, what "s plugged in, ms from the return of virsh: least", ms[1], "median", ms[int((NR + 1) / 2)], "most", ms[NR] }')"
}

@test "20 vCPUs and 20 iothreads plugged in: all of them pinned, and how soon" {
	local n base
	guest_start g vcpus=21 current=1
	base=$(guest_cgroup g)
	watch_start
	rm -f "$E2E_DIR/vCPU" "$E2E_DIR/iothread"
	for n in $(seq 20); do
		"$E2E_SOURCE/settled.pl" "$base/vcpu$n" 1 virsh -q -c qemu:///system setvcpus g $((n + 1)) --live >>"$E2E_DIR/vCPU"
		"$E2E_SOURCE/settled.pl" "$base/iothread$n" 1 virsh -q -c qemu:///system iothreadadd g "$n" --live >>"$E2E_DIR/iothread"
	done 3>&- 4>&-
	watch_settled
	assert_guest g 0 1 1
	[ "$(group_dirs g | wc -l)" = 42 ]
	run ! grep -E 'error|warning' "$WATCH_OUT"
	plugged vCPU
	plugged iothread
}

watch_fds() { find "/proc/$WATCH/fd" -type l | wc -l; }
watch_rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$WATCH/status"; }

# E2E_WATCH_STARTS, E2E_WATCH_RESTARTS: how many of guests and of the daemon
@test "guests that come and go, and the daemon, too: all as ruled, no file left open" {
	local n=0 fds rss starts=${E2E_WATCH_STARTS:-6} restarts=${E2E_WATCH_RESTARTS:-2}
	guest_start stays vcpus=2 iothreads=1
	watch_start
	# it has done everything once
	guest_start n0
	guest_stop n0
	daemon_restart
	eventually told '^libvirt answers' 2
	watch_settled
	fds=$(watch_fds) rss=$(watch_rss)
	while [ $((n += 1)) -le "$starts" ]; do
		guest_start "n$n" vcpus=2
		eventually guest_is "n$n" 0 1
		if [ $((n * restarts / starts)) != $(((n - 1) * restarts / starts)) ]; then
			daemon_restart
			assert_running "n$n"
			assert_guest "n$n" 0 1
		fi
		guest_stop "n$n"
		v undefine --domain "n$n"
	done
	watch_settled
	assert_running stays
	assert_guest stays 0 1 1
	told '^libvirt answers' $((restarts + 2))
	run ! grep -E 'error|warning' "$WATCH_OUT"
	show "$starts starts and stops, $restarts restarts of the daemon: VmRSS $rss kB before, $(watch_rss) after; files open $fds, $(watch_fds)"
	[ "$(watch_fds)" = "$fds" ]
}

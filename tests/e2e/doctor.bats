#!/usr/bin/env bats
# shellcheck disable=SC2016 # expanded where it is run
# vmaffinity doctor on a real host: each fault made on purpose, and found. What are only files is in tests/cli/doctor.bats.

bats_require_minimum_version 1.5.0
load lib

XML_MODULE=/usr/lib/vmaffinity/xml.so

setup()
{
	case_setup
	rules <<-'END'
		[*]
		emulator = 0
		vcpus    = 1
	END
	rm -rf "$GUARD.d"
	product_restore
	host_restart
}

teardown()
{
	rm -rf "$GUARD" "$GUARD.d"
	[ ! -e "$XML_MODULE.away" ] || mv "$XML_MODULE.away" "$XML_MODULE"
	if [ -n "${BUSCTL:-}" ]; then
		rm -rf /usr/bin/busctl /run/systemd/system
		[ ! -e "$E2E_DIR/busctl" ] || mv "$E2E_DIR/busctl" /usr/bin/busctl
	fi
	case_teardown
}

# doctor STATUS: it ends so; $output is what it says but PASS and the note on the kernel.
doctor()
{
	run "-$1" vmaffinity doctor
	all=$output
	output=$(grep -vE '^(PASS|NOTE  kernel)' <<<"$output" || true)
	printf '%s\n' "$output"
}

# finds STATUS TEXT...: and each TEXT is in it.
finds()
{
	local text
	doctor "$1"
	shift
	for text; do
		[[ $output == *"$text"* ]] || fail "not said: $text" "$all" || return 1
		show "$(grep -F -- "${text%%$'\n'*}" <<<"$output")"
	done
}

@test "doctor: all is well, with a guest and without" {
	doctor 0
	[ -z "$output" ]
	guest_start g vcpus=2 iothreads=1
	guest_start 'a&b'
	doctor 0
	[ -z "$output" ]
	[[ $all == *"PASS  hook       $GUARD is in place and executable"* ]]
	[[ $all == *"PASS  worker     $WORKER runs and finds its libraries"* ]]
	[[ $all == *"PASS  daemon     $HOST_DAEMON "*" was started after the hook was installed"* ]]
	[[ $all == *"PASS  cpuset     running guests: 2, each with its cpusets"* ]]
	show "$all"
}

@test "doctor: no hook; not executable; another one; left-overs" {
	rm "$GUARD"
	finds 1 "FAIL  hook       there is no hook"
	printf '#!/bin/sh\n' >"$GUARD"
	chmod 755 "$GUARD"
	finds 1 "FAIL  hook       $GUARD belongs to another program, and vmaffinity's hook is not installed"
	product_restore
	chmod 644 "$GUARD"
	finds 1 "FAIL  hook       $GUARD is not executable"
	# libvirt passes it over indeed
	host_restart
	guest_start g vcpus=2
	assert_guest g "$HOST_CPUS" "$HOST_CPUS"
	chmod 755 "$GUARD"
	mkdir "$GUARD.d"
	printf '#!/bin/sh\necho "%s" >>%s/left-over\n' '$1 $2' "$E2E_DIR" >"$GUARD.d/50-vmaffinity~"
	chmod 755 "$GUARD.d/50-vmaffinity~"
	finds 1 "WARN  hook       $GUARD.d/50-vmaffinity~ looks like a leftover"
	# and runs this indeed
	host_restart
	guest_start h
	grep -qx 'h started' "$E2E_DIR/left-over"
}

@test "doctor: the daemon was there before the hook" {
	rm "$GUARD"
	host_restart
	product_restore
	touch "$GUARD" # for its ctime
	finds 1 "WARN  daemon     $HOST_DAEMON ("
	# it does not know of it indeed
	guest_start g vcpus=2
	assert_guest g "$HOST_CPUS" "$HOST_CPUS"
	guest_stop g # it is not as ruled, which doctor would say, too
	host_reload
	if [ "$E2E_HOST" = systemd ]; then
		doctor 0
		[[ $all == *"PASS  daemon     $HOST_DAEMON ("*") was reloaded after the hook was installed"* ]]
	else
		finds 1 "it is unknown if it has been reloaded since" "-> kill -HUP $(cat "$HOST_PIDFILE") unless that has been done"
	fi
	guest_start h vcpus=2
	assert_guest h 0 1
	host_restart
	doctor 0
}

@test "doctor: what systemd knows of a reload" {
	[ "$E2E_HOST" != systemd ] || return 0 # the real one is asked in the case above
	local pid now
	pid=$(cat "$HOST_PIDFILE")
	touch "$GUARD"
	now=$(date +%s)
	BUSCTL=yes
	[ ! -e /usr/bin/busctl ] || cp -a /usr/bin/busctl "$E2E_DIR/busctl"
	mkdir -p /run/systemd/system
	busctl_says "u $pid" "t $((now + 10))000000"
	doctor 0
	[[ $all == *"PASS  daemon     $HOST_DAEMON ($pid) was reloaded after the hook was installed"* ]]
	busctl_says "u $pid" "t $((now - 10))000000"
	finds 1 "it has not been reloaded since, and may not know of the hook" "-> systemctl reload $HOST_DAEMON; no guest is touched"
	busctl_says "u $pid" "t $((now + 10))000000" exit-code
	finds 1 "it has not been reloaded since, and may not know of the hook" # the reload failed
	busctl_says "u 1" "t $((now + 10))000000"
	finds 1 "it is unknown if it has been reloaded since" "-> systemctl reload $HOST_DAEMON unless that has been done; no guest is touched"
	printf '#!/bin/sh\nexec sleep 60\n' >/usr/bin/busctl
	finds 1 "it is unknown if it has been reloaded since" # it is not waited for
}

# busctl_says PID TIME [RESULT]
busctl_says()
{
	rm -f /usr/bin/busctl
	cat >/usr/bin/busctl <<-END
		#!/bin/sh
		case \$* in
		"get-property org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/${HOST_DAEMON}_2eservice org.freedesktop.systemd1.Service MainPID") echo "$1" ;;
		"get-property org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/${HOST_DAEMON}_2eservice org.freedesktop.systemd1.Unit StateChangeTimestamp") echo "$2" ;;
		"get-property org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/${HOST_DAEMON}_2eservice org.freedesktop.systemd1.Service ReloadResult") echo 's "${3:-success}"' ;;
		esac
	END
	chmod 755 /usr/bin/busctl
}

@test "doctor: a worker that does not work" {
	rm "$WORKER"
	finds 1 "FAIL  worker     the hook runs $WORKER, which is not there: No such file or directory"
	product_restore
	chmod 000 "$WORKER"
	finds 1 "FAIL  worker     $WORKER is not an executable file"
	product_restore
	sed -i s/libinih/libiniX/ "$WORKER"
	finds 1 "FAIL  worker     $WORKER does not run (exit status 127): " "libiniX"
	fake_worker <<<'hello'
	finds 1 "FAIL  worker     the hook cannot run its worker: $WORKER: Exec format error"
	fake_worker <<<$'#!/bin/sh\nkill -SEGV $$'
	finds 1 "FAIL  worker     $WORKER does not run (ended by signal 11): no message"
	# a child that holds the output, as if it did not end itself
	fake_worker <<<$'#!/bin/sh\nsleep 1000 & echo $! >/run/e2e/child; exit 0'
	finds 1 "FAIL  worker     the hook cannot run its worker: $WORKER did not end within 10 s"
	run ! kill -0 "$(cat /run/e2e/child)"
	fake_worker <<<$'#!/bin/sh\nhead -c 1000000 /dev/zero | tr "\\0" x'
	finds 1 "WARN  worker     $WORKER reports version 'xxx"
	[ "${#output}" -lt 2000 ]
	product_restore
	mv "$XML_MODULE" "$XML_MODULE.away"
	finds 1 "FAIL  worker     $XML_MODULE: No such file or directory; rules that need a guest's XML are left out"
	mv "$XML_MODULE.away" "$XML_MODULE"
	doctor 0
	chmod 777 "$WORKER"
	finds 1 "FAIL  worker     $WORKER can be changed by others than root (owner 0, mode 0777)"
}

@test "doctor: no daemon; rules that are wrong" {
	host_stop
	if [ "$E2E_HOST" = systemd ]; then
		doctor 0
		[[ $all == *"PASS  daemon     no libvirt daemon runs now; systemd starts one on the first connection"* ]]
	else
		finds 1 "WARN  daemon     no libvirt daemon is running"
	fi
	host_start
	echo 'vcpuz = 1' >>"$RULES"
	finds 1 "FAIL  rules      $RULES:4: unknown key 'vcpuz'"
	no_rules
	finds 0 "NOTE  rules      there is no $RULES"
	printf '[*]\nvcpus = 0\n' >"$RULES"
	chmod 666 "$RULES"
	finds 1 "FAIL  rules      $RULES: group or others may write it"
	rm "$RULES"
	printf '[*]\nvcpus = 8191\n' | rules
	# systemd makes the slice when there is a guest
	finds 1 "WARN  cpus       $RULES:2: vcpus wants 8191, but "
	guest_start g
	finds 1 "WARN  cpus       $RULES:2: vcpus wants 8191, but this host has only CPUs "
}

@test "doctor: programs that run against the rules" {
	perl -e '$0 = "irqbalance"; sleep 60' 3>&- 4>&- &
	eventually grep -qx irqbalance "/proc/$!/comm"
	finds 0 "NOTE  neighbour  irqbalance ($!) runs"
	kill $!
}

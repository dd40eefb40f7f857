#!/usr/bin/env bats
# install.sh for real: with its real paths and a libvirt daemon that runs, on the private host.

bats_require_minimum_version 1.5.0
load lib

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	case_setup
	installer --uninstall --purge
	before=$(files)
}

# The other files' cases want the product as run.sh installed it.
teardown()
{
	rm -rf "$GUARD" "$GUARD.d"
	sh -c "${E2E_INSTALL:-./install.sh}" >/dev/null
	host_reload
	case_teardown
}

# As shipped, also when the other cases run with sanitizers.
installer() { env -u BUILD -u SANITIZE -u CFLAGS ./install.sh "$@"; }

# All that is on the disk where the product or its configuration could be.
files()
{
	find /etc /usr /var/lib /run/vmaffinity* \( -path /etc/libvirt/qemu -o -path /var/lib/libvirt \) -prune -o \
		-type d -printf '%p/\n' -o -printf '%p %m %s %T@\n' 2>/dev/null | sort
}

# changes: prints the names of files that came (>) and went (<) since setup.
changes() { diff <(echo "$before") <(files) | sed -n 's/^\([<>]\) \([^ ]*\).*/\1 \2/p'; }

vcpu_rules()
{
	rules <<-'END'
		[*]
		emulator = 0
		vcpus    = 1
	END
}

# systemd_says PID RESULT: stand-ins for systemctl, which cannot reload and keeps its calls, and busctl: the daemon of that
# PID is a unit, whose last reload had that result, an hour from now.
systemd_says()
{
	made=""
	[ -d /run/systemd/system ] || made=/run/systemd/system
	mkdir -p /run/systemd/system "$E2E_DIR/real"
	for program in systemctl busctl; do
		[ ! -e "/usr/bin/$program" ] || mv "/usr/bin/$program" "$E2E_DIR/real/"
	done
	install -m 755 /dev/stdin /usr/bin/systemctl <<-END
		#!/bin/sh
		echo "systemctl \$*" >>"$E2E_DIR/calls"
		[ "\$1" != reload ] || { echo "Job for $HOST_DAEMON.service failed." >&2; exit 1; }
	END
	install -m 755 /dev/stdin /usr/bin/busctl <<-END
		#!/bin/sh
		case \$5 in
		MainPID) echo "u $1" ;;
		StateChangeTimestamp) echo "t $(($(date +%s) + 3600))000000" ;;
		ReloadResult) echo 's "$2"' ;;
		esac
	END
}

systemd_real()
{
	rm /usr/bin/systemctl /usr/bin/busctl
	find "$E2E_DIR/real" -type f -exec mv -t /usr/bin {} +
	[ -z "$made" ] || rmdir "$made"
	rm -rf "$E2E_DIR/real" "$E2E_DIR/calls"
}

@test "systemctl cannot reload the daemon: it gets the signal, and the next guest is pinned" {
	local pid
	pid=$(cat "$HOST_PIDFILE")
	systemd_says "$pid" exit-code
	run installer
	calls=$(cat "$E2E_DIR/calls")
	systemd_real
	echo "$output"
	[ "$status" = 0 ]
	grep -qx "systemctl reload $HOST_DAEMON.service" <<<"$calls"
	[[ $output == *"$HOST_DAEMON ($pid): reloaded; it looks for hooks"* ]]
	# a reload that failed is none
	[[ $output == *"WARN  daemon     $HOST_DAEMON ($pid) has run since "*"it has not been reloaded since"* ]]
	vcpu_rules
	guest_start g vcpus=2
	assert_guest g 0 1
}

@test "a daemon that has looked for hooks is not reloaded again" {
	local pid
	pid=$(cat "$HOST_PIDFILE")
	installer
	host_restart
	pid=$(cat "$HOST_PIDFILE")
	run -0 vmaffinity enable
	[[ $output == "$GUARD: was in place"$'\n'"$HOST_DAEMON ($pid): was started after that; it looks for hooks" ]]
	touch "$GUARD" # for its ctime
	systemd_says "$pid" success
	run vmaffinity enable
	calls=$(cat "$E2E_DIR/calls" 2>/dev/null || true)
	systemd_real
	[ -z "$calls" ]
	[[ $output == "$GUARD: was in place"$'\n'"$HOST_DAEMON ($pid): was reloaded after that; it looks for hooks" ]]
}

@test "a daemon that SIGHUP would end, and one that ignores it: in capitals, and status 1" {
	local pid other="" last directory
	directory=$(mktemp -d /var/tmp/e2e.XXXXXX) # programs run there, as they may not below /run
	cp /bin/sleep "$directory/$HOST_DAEMON"
	"$directory/$HOST_DAEMON" 300 3>&- 4>&- &
	pid=$!
	eventually grep -qsx "$HOST_DAEMON" "/proc/$pid/comm"
	run installer
	[ -d "/proc/$pid" ]
	kill "$pid"
	wait "$pid" || true
	echo "$output"
	[ "$status" = 1 ]
	last=${output##*$'\n'}
	[[ $output == *"$HOST_DAEMON ($pid): not reloaded: SIGHUP would end it"* ]]
	[ "$last" = "NOT DONE YET: RESTART $HOST_DAEMON (its pid is $pid). UNTIL THEN IT MAY NOT RUN THE HOOK. GUESTS RUN ON MEANWHILE" ]

	cp /bin/bash "$directory/$HOST_DAEMON"
	"$directory/$HOST_DAEMON" -c 'trap : HUP; while :; do sleep 1; done' 3>&- 4>&- &
	other=$!
	eventually grep -qsx "$HOST_DAEMON" "/proc/$other/comm"
	touch "$GUARD"
	run vmaffinity enable
	kill -KILL "$other"
	rm -r "$directory"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"$HOST_DAEMON ($other): not reloaded: it does not react to SIGHUP"*"NOT DONE YET: RESTART $HOST_DAEMON (its pid is $other)."* ]]
	# the real one was
	[[ $output == *"$HOST_DAEMON ($(cat "$HOST_PIDFILE")): reloaded; it looks for hooks"* ]]
}

@test "installed into a running daemon, uninstalled: the daemon is reloaded, the guest keeps its pins, the configuration stays" {
	local pid
	pid=$(cat "$HOST_PIDFILE")
	run -0 installer
	echo "$output"
	[[ $output == *"hook       $GUARD: put in place"*"$HOST_DAEMON ($pid): reloaded; it looks for hooks"* ]]
	[[ $output == *$'\n'"vmaffinity doctor:"$'\n'"PASS  hook       /etc/libvirt/hooks/qemu is in place and executable"* ]]
	[[ $output == *"PASS  worker     /usr/sbin/vmaffinity-hook runs and finds its libraries"* ]]
	diff - <(changes) <<-'END'
		> /etc/libvirt/hooks/qemu
		> /etc/vmaffinity.ini
		> /usr/lib/systemd/system/vmaffinity-watch.service
		> /usr/lib/vmaffinity/
		> /usr/lib/vmaffinity/guard
		> /usr/lib/vmaffinity/xml.so
		> /usr/sbin/vmaffinity
		> /usr/sbin/vmaffinity-hook
		> /usr/share/bash-completion/completions/vmaffinity
		> /usr/share/man/man5/vmaffinity.ini.5
		> /usr/share/man/man8/vmaffinity-hook.8
		> /usr/share/man/man8/vmaffinity.8
		> /usr/share/vmaffinity/
		> /usr/share/vmaffinity/output.schema.json
	END

	vcpu_rules
	guest_start g vcpus=2
	assert_guest g 0 1
	assert_vcpuinfo g 0 1
	[ "$(cat "$HOST_PIDFILE")" = "$pid" ]

	pinned=$(snapshot g)
	run -0 installer --uninstall
	echo "$output"
	[[ $output == *"$GUARD: removed"*"$HOST_DAEMON ($pid): reloaded"*"running guests are left as they are"* ]]
	diff - <(changes) <<-'END'
		> /etc/vmaffinity.ini
	END
	show "left on the disk after --uninstall: $(changes | paste -sd ' ')"
	assert_unchanged g "$pinned"
	guest_start other vcpus=2
	assert_guest other "$HOST_CPUS" "$HOST_CPUS"
	daemon_restart
	assert_running g
	assert_unchanged g "$pinned"

	installer --uninstall --purge
	[ -z "$(changes)" ]
	show "left on the disk after --purge: nothing"
}

@test "next to another program's hook: both run, that one is as it was" {
	cat >"$GUARD" <<-'END'
		#!/bin/sh
		echo "$1 $2" >>/run/e2e/other-hook
	END
	chmod 755 "$GUARD"
	host_reload
	other=$(stat -c '%i %a %s %Y' "$GUARD")
	run -0 installer
	echo "$output"
	[[ $output == *"$GUARD belongs to another program and is left alone"*"$GUARD.d/50-vmaffinity: put in place"* ]]
	vcpu_rules
	guest_start g
	assert_guest g 0 1
	grep -qx 'g started' /run/e2e/other-hook
	[ "$(stat -c '%i %a %s %Y' "$GUARD")" = "$other" ]

	installer --uninstall
	[ "$(stat -c '%i %a %s %Y' "$GUARD")" = "$other" ]
	[ ! -e "$GUARD.d" ]
	assert_running g
	assert_guest g 0 1
}

@test "installed over a running installation: guests start meanwhile, none is lost" {
	installer
	vcpu_rules
	guest_define a
	guest_define b
	( for _ in 1 2 3; do installer >/dev/null; done ) 3>&- 4>&- &
	busy=$!
	for _ in 1 2 3 4; do
		v start a && assert_guest a 0 1 && guest_stop a
		v start b && assert_guest b 0 1 && guest_stop b
	done
	wait "$busy"
}

@test "the hook removed and the daemon not reloaded: a guest still starts" {
	installer
	rm "$GUARD"
	guest_start g
	assert_running g
	daemon_restart
	assert_running g
}

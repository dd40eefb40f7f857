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

@test "systemctl cannot reload the daemon: it gets the signal, and the next guest is pinned" {
	local pid made=""
	pid=$(cat "$HOST_PIDFILE")
	[ -d /run/systemd/system ] || made=/run/systemd/system
	mkdir -p /run/systemd/system "$E2E_DIR/bin"
	cat >"$E2E_DIR/bin/systemctl" <<-END
		#!/bin/sh
		[ "\$1" != show ] || { echo $pid; exit; }
		echo "systemctl \$*" >>"$E2E_DIR/bin/calls"
		[ "\$1" != reload ] || { echo "Job for libvirtd.service failed." >&2; exit 1; }
	END
	chmod +x "$E2E_DIR/bin/systemctl"
	PATH=$E2E_DIR/bin:$PATH run installer
	[ -z "$made" ] || rmdir "$made"
	[ "$status" = 0 ]
	grep -qx 'systemctl reload libvirtd.service' "$E2E_DIR/bin/calls"
	rm -r "${E2E_DIR:?}/bin"
	[[ $output == *"daemon     libvirtd ($pid) reloaded"* ]]
	vcpu_rules
	guest_start g vcpus=2
	assert_guest g 0 1
}

@test "a daemon that SIGHUP would end is left alone, and named" {
	local pid
	cp /bin/sleep "$E2E_DIR/libvirtd"
	"$E2E_DIR/libvirtd" 300 3>&- 4>&- &
	pid=$!
	eventually grep -qsx libvirtd "/proc/$pid/comm"
	run installer
	kill "$pid" # fails if it has ended
	rm "$E2E_DIR/libvirtd"
	[ "$status" = 0 ]
	[[ $output == *"install.sh: libvirtd ($pid) could not be reloaded; reload it by hand"* ]]
}

@test "installed into a running daemon, uninstalled: the daemon is reloaded, the guest keeps its pins, the configuration stays" {
	local pid
	pid=$(cat "$HOST_PIDFILE")
	run -0 installer
	echo "$output"
	[[ $output == *"daemon     libvirtd ($pid) reloaded"* ]]
	[[ $output == *$'\n'"vmaffinity doctor:"$'\n'"PASS  hook       /etc/libvirt/hooks/qemu is in place and executable"* ]]
	[[ $output == *"PASS  worker     /usr/sbin/vmaffinity-hook runs and finds its libraries"* ]]
	diff - <(changes) <<-'END'
		> /etc/libvirt/hooks/qemu
		> /etc/vmaffinity.ini
		> /usr/lib/systemd/system/vmaffinity-watch.service
		> /usr/lib/vmaffinity/
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
	[[ $output == *"daemon     libvirtd ($pid) reloaded"*"running guests keep their pins"* ]]
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
	[[ $output == *"/etc/libvirt/hooks/qemu belongs to another program and is left alone"* ]]
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

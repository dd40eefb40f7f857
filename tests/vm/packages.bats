#!/usr/bin/env bats
# The Debian package on a host with systemd, guests and a libvirt daemon that are there before it. Only for a virtual host:
# tests/checks/packages.sh HOST builds the packages and has run.sh put them into /srv.
# shellcheck disable=SC2154 # output, set by run

bats_require_minimum_version 1.5.0
load ../e2e/lib

# A host without vmaffinity, and a guest.
setup()
{
	case_setup
	"$E2E_SOURCE/../../install.sh" --uninstall --purge >&2
	guest_start before vcpus=2
	daemon=$(daemon_pid)
	qemu=$(guest_pid before)
}

teardown()
{
	dpkg --purge vmaffinity >&2
	"$E2E_SOURCE/../../install.sh" >&2
	case_teardown
}

daemon_pid() { systemctl show --property MainPID --value libvirtd.service; }
installs() { run -0 dpkg --install "/srv/$1.deb"; }
installed_is() { [ "$(dpkg-query -W -f '${Version} ${Status}' vmaffinity)" = "$1 install ok installed" ]; }

# The daemon and the guest that were there are the same ones.
undisturbed()
{
	[ "$(daemon_pid)" = "$daemon" ]
	[ "$(guest_pid before)" = "$qemu" ]
	assert_running before
}

@test "the package on a host with guests: installed, upgraded, downgraded, removed, purged; none is disturbed, the hook works from the first" {
	installs 0.1.0
	show "$output"
	[[ $output == *"libvirtd ($daemon): reloaded; it looks for hooks"* ]]
	undisturbed
	assert_guest before 0-7 0-7
	mkdir -p /etc/vmaffinity.d
	printf '[*]\nemulator = 0\nvcpus = 4\n' >/etc/vmaffinity.d/x.ini
	guest_start g vcpus=2
	assert_guest g 0 4
	timeout 60 vmaffinity apply
	assert_guest before 0 4
	systemctl start vmaffinity-watch.service

	for version in 0.1.1 0.1.0; do
		installs $version
		installed_is $version
		undisturbed
		assert_guest before 0 4
		systemctl is-active vmaffinity-watch.service
		cmp /usr/lib/vmaffinity/guard "$GUARD"
		guest_start "under-$version" vcpus=1
		assert_guest "under-$version" 0 4
	done

	run -0 dpkg --remove vmaffinity
	show "$output"
	undisturbed
	assert_guest before 0 4
	[ ! -e "$GUARD" ]
	run ! systemctl is-active vmaffinity-watch.service
	guest_start after vcpus=1
	assert_guest after 0-7 0-7
	[ -e /etc/vmaffinity.d/x.ini ]
	run -0 dpkg --purge vmaffinity
	[ -z "$(find / -xdev \( -path /proc -o -path /srv -o -path '/var/lib/dpkg*' -o -path /var/log -o -path /var/cache -o -path "$E2E_DIR" \) -prune -o -name '*vmaffinity*' -print)" ]
	undisturbed
	assert_running g
}

@test "the package beside another program's hook: that runs on, and ours beside it" {
	install -m 755 /dev/stdin "$GUARD" <<-'END'
		#!/bin/sh
		[ "$2" != started ] || echo "$1" >>/run/e2e-other-hook
	END
	host_reload
	installs 0.1.0
	show "$output"
	mkdir -p /etc/vmaffinity.d
	printf '[*]\nvcpus = 5\n' >/etc/vmaffinity.d/x.ini
	guest_start g vcpus=1
	assert_pinned g vcpu0 5
	grep -qx g /run/e2e-other-hook
	run -0 dpkg --purge vmaffinity
	guest_start h vcpus=1
	assert_pinned h vcpu0 0-7
	grep -qx h /run/e2e-other-hook
	rm "$GUARD" /run/e2e-other-hook
	undisturbed
}

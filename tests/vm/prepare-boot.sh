#!/bin/bash
# Runs at the end of a virtual host's first boot: writes rules, and a guest that starts with the host, for boot.bats.
set -eu
# shellcheck source=tests/e2e/lib.bash disable=SC1091
. "$(dirname "$0")/../e2e/lib.bash"
guests_remove
printf '[*]\nemulator = 0-1\nvcpus = 4-7\n' | rules
# its firmware must outlive the boot
cp "$(firmware)" /var/lib/libvirt/halt.rom
guest_xml auto vcpus=2 vcpupin=0:3-5 | sed "s,$(firmware),/var/lib/libvirt/halt.rom," >"$E2E_DIR/auto.xml"
v define --file "$E2E_DIR/auto.xml"
v autostart --domain auto

#!/bin/bash
# Runs inside a virtual host, as vm-cases.service: runs the end-to-end cases on the libvirt of the host itself, then
# switches it off. The second disk has the commands to run, as shell code.
exec </dev/null >/dev/virtio-ports/tap 2>&1
cd "$(dirname "$0")/../.." || exit
command=$(tr -d '\0' </dev/vdb)

export E2E_HOST=systemd E2E_DIR=/run/e2e E2E_LOG=/dev/null E2E_VIRT_TYPE=qemu V_TIMEOUT=300 TMPDIR=/run/e2e/tmp HOME=/root TERM=dumb
mkdir -p "$E2E_DIR/tmp"

# shellcheck source=/dev/null
echo "# vm: $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r), $(systemctl --version | head -n 1)"
echo "# vm: libvirt $(virsh --version), $(stat -fc %T /sys/fs/cgroup) on /sys/fs/cgroup, AppArmor: $(cat /sys/module/apparmor/parameters/enabled)"
echo "# vm: $(cat /proc/cmdline)"
echo "# vm: CPUs $(cat /sys/devices/system/cpu/online), nodes $(cat /sys/devices/system/node/online), booted in $(cut -d. -f1 /proc/uptime) s"

# A guest's own AppArmor profile takes 12 s to compile here. libvirtd stays under its own, which is the one that decides
# what a hook may do; host.bats has a guest with both.
# At the second boot it is there: a restart would cut off the autostart of guests, which libvirt does once a boot.
if ! grep -q '^security_driver = "none"' /etc/libvirt/qemu.conf; then
	echo 'security_driver = "none"' >>/etc/libvirt/qemu.conf
	systemctl restart libvirtd.service
fi

bash -c "$command"
echo "# vm: ended with $?"
sync
systemctl poweroff -ff

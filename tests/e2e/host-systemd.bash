# shellcheck shell=bash
# Facts for the cases about a host that systemd runs, where libvirtd is a unit of its own and the system log the
# journal: the virtual hosts of tests/vm. Never a machine that anybody uses. The functions are those of host-private.bash.

# shellcheck disable=SC2034 # for the cases
# shellcheck disable=SC2034 # for the cases
HOST_DAEMON=libvirtd
HOST_PIDFILE=/run/libvirtd.pid

# A restart too often within seconds is refused by systemd, unless it forgets those before.
host_start()
{
	systemctl reset-failed libvirtd.service 2>/dev/null
	systemctl start libvirtd.service || return 1
	timeout 300 virsh -q -c qemu:///system version >/dev/null
}

host_stop() { systemctl stop libvirtd.service 2>/dev/null; }

# And its sockets, which would start it for who calls.
host_down() { systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service; }

# systemd may start it again at once; host_start then finds it there.
host_kill()
{
	local pid tries=0
	pid=$(systemctl show --property MainPID --value libvirtd.service)
	systemctl kill --kill-whom=main --signal=KILL libvirtd.service || return 1
	while [ -d "/proc/$pid" ]; do
		if [ $((tries += 1)) -gt 600 ]; then
			echo "libvirtd ($pid) does not end" >&2
			return 1
		fi
		sleep 0.05
	done
}

host_restart()
{
	systemctl reset-failed libvirtd.service 2>/dev/null
	systemctl restart libvirtd.service || return 1
	timeout 300 virsh -q -c qemu:///system version >/dev/null
}

host_reload() { systemctl reload libvirtd.service; }

# The journal of this boot, only what is ours: the whole of it takes seconds to read here.
host_log()
{
	journalctl --sync
	journalctl --quiet --boot --no-pager --output=short-full --no-hostname --all --identifier=vmaffinity
}

host_report() { journalctl --quiet --boot --no-pager --no-hostname --lines=60; }

# Away for those who call syslog(3), as where no log daemon runs.
host_log_stop() { rm -f /dev/log; }
host_log_start() { ln -sf /run/systemd/journal/dev-log /dev/log; }

# libvirt and systemd make the slice for /machine/$1 when a guest wants it.
host_partition() { :; }

# host_limit LIST: the CPUs that guests may use at all; 0-7 lifts it. No guest may be running.
host_limit()
{
	local top dir
	if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
		systemctl set-property --runtime machine.slice AllowedCPUs="${1#0-7}"
		return
	fi
	# systemd has no such setting for cgroup v1; libvirt takes over what it finds there, which no group below may exceed
	top=$(cpuset_mount 1:cpuset:)/machine.slice
	mkdir -p "$top" && cat "$top/../cpuset.mems" >"$top/cpuset.mems" || return 1
	for dir in $(find "$top" -type d) $(find "$top" -depth -type d); do
		echo "$1" >"$dir/cpuset.cpus" 2>/dev/null || true
	done
	[ "$(cat "$top/cpuset.cpus")" = "$1" ]
}

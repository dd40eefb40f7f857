# shellcheck shell=bash
# Facts for the cases about the host they run on: the private one that
# host.sh makes. A host of another kind (systemd) is another file with the same
# functions, chosen by E2E_HOST.
#
# host_start, host_stop, host_kill, host_restart   the libvirt daemon; return when it has ended, or answers
# host_down           ends it, and what would start it for who calls
# host_reload         makes the daemon look for its hooks again
# host_log            the whole system log so far, a line each, everything sent before the call included
# host_report         what the host has to say, besides that, of a case that failed
# host_partition      makes a partition for guests
# host_log_stop, host_log_start                    take the system log away and give it back

HOST_DAEMON=${E2E_DAEMON:-libvirtd}
HOST_PIDFILE=/run/$HOST_DAEMON.pid
HOST_LOG_PIDFILE=$E2E_DIR/logd.pid

# Starts it on one CPU, always the same, the last or, on a second host, the first: where KVM is there, libvirt compares the CPUID of the CPU it runs on with that of
# its last start, the number of the CPU included, and probes every QEMU anew, for more than a second, if they differ.
host_start()
{
	local cpus cpu pid
	cpus=$(taskset -cp $$) || return 1
	cpu=${cpus##*[ ,-]}
	[ "${E2E_SECOND:-}" = "" ] || { cpu=${cpus##* } && cpu=${cpu%%[,-]*}; }
	taskset -c "$cpu" "$HOST_DAEMON" -d -p "$HOST_PIDFILE" 3>&- 4>&- || return 1
	timeout 60 virsh -q -c qemu:///system version >/dev/null || return 1
	pid=$(cat "$HOST_PIDFILE") || return 1
	# it fails if a thread ends meanwhile
	until taskset -acp "${cpus##* }" "$pid" >/dev/null 2>&1; do [ -d "/proc/$pid" ] || return 1; done
}

# Ends the daemon with signal $1 and waits until it is gone.
host_signal()
{
	local pid tries=0
	pid=$(cat "$HOST_PIDFILE") && kill "-$1" "$pid" || return 1
	while [ -d "/proc/$pid" ]; do
		if [ $((tries += 1)) -gt 600 ]; then
			echo "$HOST_DAEMON ($pid) does not end" >&2
			return 1
		fi
		sleep 0.05
	done
}

host_stop() { host_signal TERM; }
host_down() { host_stop; }
host_kill() { host_signal KILL; }
host_restart() { host_stop && host_start; }
host_reload() { kill -HUP "$(cat "$HOST_PIDFILE")"; }

# Datagrams arrive in order: once our own mark is in the file, so is all that came before it.
host_log()
{
	local mark tries=0
	if [ -S /dev/log ]; then
		mark="mark $$ $RANDOM$RANDOM"
		logger -u /dev/log -t e2e "$mark" || return 1
		until grep -qF -- "$mark" "$E2E_LOG"; do
			if [ $((tries += 1)) -gt 200 ]; then
				echo "the log collector does not answer" >&2
				return 1
			fi
			sleep 0.02
		done
	fi
	grep -v 'e2e: mark ' "$E2E_LOG" || true
}

host_report() { :; }

host_log_start() { "$E2E_LOGD" /dev/log "$E2E_LOG" "$HOST_LOG_PIDFILE" 3>&- 4>&-; }

host_log_stop()
{
	kill "$(cat "$HOST_LOG_PIDFILE")" || return 1
	rm -f /dev/log
}

# Makes the partition /machine/$1, which libvirt wants to find.
host_partition()
{
	local top dir file
	while read -r top; do
		mkdir -p "$top/machine/$1.partition" || return 1
		for dir in "$top/machine" "$top/machine/$1.partition"; do
			for file in cpuset.cpus cpuset.mems; do
				# a new cpuset of cgroup v1 has neither until they are given
				if [ -e "$dir/$file" ] && [ -z "$(cat "$dir/$file")" ] && [ -e "$dir/tasks" ]; then
					cat "$dir/../$file" >"$dir/$file" || return 1
				fi
			done
		done
	done < <(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts)
}

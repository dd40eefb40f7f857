#!/bin/bash
# Runs a command on a private libvirt host: its own libvirtd, /etc, /usr, /run and
# system log, in a mount and a pid namespace. Its cgroups are below one of its own, which is
# removed at the end; where the cpuset controller is cgroup v2's, which gives no process such a root,
# they are the machine's, and there can be one private host at a time. Files that the command writes below /etc,
# /usr, /run or libvirt's directories vanish when it ends, as do all processes.
#
# usage: host.sh COMMAND [ARG...]
#
# The command finds in its environment:
#   E2E_DIR         a scratch directory
#   E2E_LOG         the file of the system log, one message per line
#   E2E_VIRT_TYPE   the domain type that works here: kvm or qemu
# From the environment it takes
#   E2E_LIBVIRT     a directory with another libvirt, as its build installs it: it covers the machine's
#   E2E_DAEMON      the daemon to start: virtqemud, if not libvirtd
# Exit status: the command's; 125 if there is no host to run it on.
set -u

die() { printf 'host.sh: %s\n' "$*" >&2; exit 125; }

# --- 1: outside. A mount namespace, and in it a copy of the tree to change root to. ---
# The copy hangs below /proc, which is a mount point everywhere, also in a chroot whose / is
# none; made private first, so that nothing can propagate to the machine.
enter_namespace()
{
	local tool
	[ $# -gt 0 ] || die "usage: host.sh COMMAND [ARG...]"
	[ "$(id -u)" = 0 ] || die "must be run as root"
	for tool in unshare setpriv flock logger virsh qemu-system-x86_64; do
		command -v "$tool" >/dev/null || die "$tool is not installed"
	done
	HOST_SELF=$(realpath "$0")
	export HOST_SELF
	# exported as they are, for the next two stages
	export -f die
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --mount --propagation unchanged -- "$BASH" -c '
		mount --make-rprivate /proc 2>/dev/null || die "/proc is not mounted"
		mount -t tmpfs -o mode=755 e2e-stage /proc/fs && mkdir /proc/fs/root &&
		mount --rbind / /proc/fs/root && mount --make-rprivate /proc/fs/root ||
			die "cannot copy the mount tree"
		HOST_CWD=$PWD HOST_STAGE=tree exec chroot /proc/fs/root "$HOST_SELF" "$@"' host.sh "$@"
}

# --- 2: in the mount namespace. The tree, the cgroups, the lock; waits for the rest and cleans up. ---
tmp()
{
	if ! mkdir -p "$1" || ! mount -t tmpfs -o mode=755 e2e "$1"; then
		die "cannot mount a tmpfs on $1"
	fi
}

over()
{
	local top=$E2E_DIR/over$1
	mkdir -p "$top/upper" "$top/work" || die "cannot make $top"
	mount -t overlay -o "lowerdir=$1,upperdir=$top/upper,workdir=$top/work" e2e "$1" ||
		die "cannot mount an overlay on $1"
}

make_tree()
{
	local dir node
	export E2E_DIR=/run/e2e
	tmp /run
	tmp "$E2E_DIR"
	mkdir -p /run/lock "$E2E_DIR/tmp"
	over /etc
	over /usr
	for dir in /etc/libvirt /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
		tmp "$dir"
	done
	mkdir -p /etc/libvirt/hooks
	if [ -n "${E2E_LIBVIRT:-}" ]; then
		cp -a "$E2E_LIBVIRT/usr" "$E2E_LIBVIRT/etc" / || die "cannot install the libvirt in $E2E_LIBVIRT"
		ldconfig
	fi
	command -v "${E2E_DAEMON:-libvirtd}" >/dev/null || die "${E2E_DAEMON:-libvirtd} is not installed"

	# A /dev of our own: the machine's /dev/log must stay what it is.
	mkdir "$E2E_DIR/dev"
	mount --rbind /dev "$E2E_DIR/dev" || die "cannot keep /dev"
	tmp /dev
	mkdir /dev/pts /dev/shm
	mount -t tmpfs e2e /dev/shm
	[ -d "$E2E_DIR/dev/pts" ] && mount --rbind "$E2E_DIR/dev/pts" /dev/pts
	for node in null zero full random urandom tty ptmx kvm net/tun vhost-net; do
		[ -c "$E2E_DIR/dev/$node" ] || continue
		mkdir -p "$(dirname "/dev/$node")"
		cp -a "$E2E_DIR/dev/$node" "/dev/$node"
	done
	ln -s /proc/self/fd /dev/fd
	ln -s /proc/self/fd/0 /dev/stdin
	ln -s /proc/self/fd/1 /dev/stdout
	ln -s /proc/self/fd/2 /dev/stderr
	umount -l "$E2E_DIR/dev"
	own_hugepages
}

# Mounts huge pages of our own where the machine has its: on most at /dev/hugepages, which libvirt does not start without
# once it is among the mounts.
own_hugepages()
{
	local dir options
	while read -r dir options; do
		if ! mkdir -p "$dir" || ! mount -t hugetlbfs -o "$options" e2e "$dir"; then
			die "cannot mount huge pages on $dir"
		fi
	done < <(sed -nE 's/^[^ ]+ ([^ ]+) hugetlbfs .*(pagesize=[^, ]*).*/\1 \2/p' /proc/self/mounts)
}

# A chroot may have /sys without the cgroups below it: the same hierarchies, mounted again.
make_cgroups()
{
	local id controllers dir
	grep -qE ' cgroup2? ' /proc/self/mounts && return
	if grep -q '^[1-9]' /proc/self/cgroup; then
		mount -t tmpfs -o mode=755 e2e /sys/fs/cgroup || die "cannot mount the cgroups"
		while IFS=: read -r id controllers _; do
			dir=/sys/fs/cgroup/${controllers#name=}
			if [ "$id" = 0 ]; then
				dir=/sys/fs/cgroup/unified
				mkdir "$dir" && mount -t cgroup2 e2e "$dir"
			elif [ "${controllers#name=}" != "$controllers" ]; then
				mkdir "$dir" && mount -t cgroup -o "none,$controllers" e2e "$dir"
			else
				mkdir "$dir" && mount -t cgroup -o "$controllers" e2e "$dir"
			fi || die "cannot mount the cgroup hierarchy '$controllers'"
		done </proc/self/cgroup
	else
		mount -t cgroup2 e2e /sys/fs/cgroup || die "cannot mount the cgroups"
	fi
}

# True if this host can have cgroups of its own.
can_own_cgroups() { grep -qE '^[1-9][0-9]*:([^:]*,)?cpuset[,:]' /proc/self/cgroup; }

# Makes a cgroup in each hierarchy, to be the root of all that this host sees.
own_cgroups()
{
	local top file
	HOST_GROUP=e2e-$$
	while read -r top; do
		mkdir "$top/$HOST_GROUP" || die "cannot make $top/$HOST_GROUP"
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$top/$file" ] || cat "$top/$file" >"$top/$HOST_GROUP/$file" || die "cannot write $top/$HOST_GROUP/$file"
		done
	done < <(cgroup_mounts)
	export HOST_GROUP
}

# Moves this process into them, before its cgroup namespace is made.
enter_cgroups()
{
	local top
	while read -r top; do
		echo $$ >"$top/$HOST_GROUP/cgroup.procs" || die "cannot enter $top/$HOST_GROUP"
	done < <(cgroup_mounts)
}

# Mounts the hierarchies anew, in the cgroup namespace.
mount_cgroups()
{
	local top type options
	while read -r top type options; do
		{ umount -l "$top" && mount -t "$type" -o "$options" e2e "$top"; } || die "cannot mount $top anew"
	done < <(awk '$3 ~ /^cgroup2?$/ { print $2, $3, $4 }' /proc/self/mounts |
		sed -E 's/ (rw|ro),/ /; s/(nosuid|nodev|noexec|relatime|xattr|nsdelegate|memory_recursiveprot)(,|$)//g; s/,$//; s/ (name=)/ none,\1/; s/ $/ rw/')
}

cgroup_mounts() { awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts; }

# libvirt's directories in all hierarchies, parents first.
libvirt_groups()
{
	local top
	cgroup_mounts | while read -r top; do
		find "$top" -regextype posix-extended -type d \
			-regex "$top(/[^/]*)*/(machine[^/]*|[^/]*\.partition|[^/]*\.libvirt-[^/]*)(/.*)?" 2>/dev/null
	done | sort -u
}

# One host at a time: the lock is on the kernel's cgroup tree, which every chroot shares.
# Guests that run already belong to somebody.
take_cgroups()
{
	local top dir foreign=""
	top=$(cgroup_mounts | head -n 1)
	exec 9<"$top" || die "cannot open $top"
	if ! flock -n 9; then
		echo "host.sh: waiting for another private host to end" >&2
		flock -w "${E2E_LOCK_WAIT:-600}" 9 || die "another private host is in use"
	fi
	while read -r dir; do
		[ -n "$(cat "$dir/cgroup.procs" 2>/dev/null)" ] && foreign+=" $dir"
	done < <(libvirt_groups | grep -E '/(machine-qemu[^/]*|[^/]*\.libvirt-qemu)')
	[ -z "$foreign" ] || die "guests of another libvirt are running here, leaving them alone:$foreign"
	# Empty directories without any daemon were left by a host that was killed.
	grep -qsxE 'libvirtd|virtqemud' /proc/[0-9]*/comm || remove_groups < <(libvirt_groups)
	groups_before=$(libvirt_groups)
}

# Removes the empty groups named on stdin, children first. The kernel needs a moment for the last process.
remove_groups()
{
	local dir tries
	sort -r | while read -r dir; do
		for tries in 1 2 3 4 5 6 7 8 9 10; do
			[ ! -d "$dir" ] && break
			rmdir "$dir" 2>/dev/null && break
			[ -z "$(cat "$dir/tasks" "$dir/cgroup.procs" 2>/dev/null)" ] && [ "$tries" -gt 3 ] && break
			sleep 0.1
		done
	done
}

clean_cgroups()
{
	local top
	if [ -n "${HOST_GROUP:-}" ]; then
		cgroup_mounts | while read -r top; do find "$top/$HOST_GROUP" -type d 2>/dev/null; done | remove_groups
		return
	fi
	comm -13 <(printf '%s\n' "$groups_before") <(libvirt_groups) | remove_groups
}

# The pid namespace: when its first process ends, the kernel ends every other one. setpriv
# makes it end also when this script is killed.
run_host()
{
	local child status
	make_tree
	make_cgroups
	if can_own_cgroups; then own_cgroups; else take_cgroups; fi
	HOST_STAGE=enter env --default-signal=INT,QUIT setpriv --pdeathsig KILL "$HOST_SELF" "$@" <&0 9>&- &
	child=$!
	# shellcheck disable=SC2064 # this child
	trap "kill -KILL $child 2>/dev/null" INT TERM HUP QUIT
	wait "$child" 2>/dev/null
	status=$?
	while kill -0 "$child" 2>/dev/null; do # a signal cut the wait short
		wait "$child" 2>/dev/null
		status=$?
	done
	trap '' INT TERM HUP QUIT
	clean_cgroups
	exit "$status"
}

# Enters the cgroups, and leaves the rest to the first process of the pid namespace.
enter_host()
{
	local namespaces=(--mount --propagation unchanged --pid)
	[ -z "${HOST_GROUP:-}" ] || { enter_cgroups && namespaces+=(--cgroup); }
	HOST_STAGE=init exec unshare "${namespaces[@]}" --fork --kill-child=KILL -- "$HOST_SELF" "$@"
}

# --- 3: first process of the pid namespace. The daemons, then the command. ---
virt_type()
{
	# A machine without devices is made and ends at once, if KVM works.
	if [ -c /dev/kvm ] && echo quit | timeout 20 qemu-system-x86_64 -accel kvm -machine q35 -m 64 \
		-nodefaults -display none -monitor stdio >/dev/null 2>&1; then
		echo kvm
	else
		echo qemu
	fi
}

run_command()
{
	mount -t proc proc /proc || die "cannot mount /proc"
	[ -z "${HOST_GROUP:-}" ] || mount_cgroups
	export E2E_HOST=private E2E_LOG=$E2E_DIR/syslog E2E_LOGD=${E2E_LOGD:-$E2E_DIR/logd} TMPDIR=$E2E_DIR/tmp
	if [ ! -x "$E2E_LOGD" ]; then
		"${CC:-cc}" -D_GNU_SOURCE -o "$E2E_LOGD" "${HOST_SELF%/*}/logd.c" || die "cannot build the log collector"
	fi
	cat >/etc/libvirt/qemu.conf <<-'END'
		user = "root"
		group = "root"
		security_driver = "none"
		remember_owner = 0
		stdio_handler = "file"
		namespaces = []
	END
	cat >"/etc/libvirt/${E2E_DAEMON:-libvirtd}.conf" <<-'END'
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		unix_sock_group = "root"
	END
	# shellcheck source=tests/e2e/host-private.bash disable=SC1091
	. "${HOST_SELF%/*}/host-private.bash"
	host_log_start || die "the log collector does not start"
	host_start || die "the private ${E2E_DAEMON:-libvirtd} does not start"
	E2E_VIRT_TYPE=$(virt_type)
	export E2E_VIRT_TYPE
	unset HOST_STAGE HOST_SELF HOST_GROUP
	cd "$HOST_CWD" || die "cannot change to $HOST_CWD"
	"$@"
}

case ${HOST_STAGE:-} in
tree) run_host "$@" ;;
enter) enter_host "$@" ;;
init) run_command "$@" ;;
*) enter_namespace "$@" ;;
esac

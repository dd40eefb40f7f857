# shellcheck shell=bash
# Functions for the end-to-end cases. Results are read from the kernel: the groups' masks, and
# every thread's Cpus_allowed_list; never from the program's own output. Groups are found here
# independently of the program under test.
#
# Guests are named by $1 throughout; a group is emulator, vcpuN or iothreadN; a list is the
# kernel's form ("0-1,4").

E2E_SOURCE=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/e2e/host-private.bash disable=SC1091
. "$E2E_SOURCE/host-${E2E_HOST:?these cases run on a host of their own: see run.sh}.bash"

GUARD=/etc/libvirt/hooks/qemu
WORKER=/usr/sbin/vmaffinity-hook
RULES=/etc/vmaffinity.ini
# shellcheck disable=SC2034 # for the cases
RULES_DIR=/etc/vmaffinity.d
# shellcheck disable=SC2034 # for the cases
HOST_CPUS=$(cat /sys/devices/system/cpu/online)

fail() { printf '%s\n' "$*" >&2; return 1; }

# Shown in the test's output even when it passes.
show() { printf '%s\n' "$@" | sed 's/^/# /' >&3; }

# A hang must end the case, not the run.
v() { timeout "${V_TIMEOUT:-60}" virsh -q -c qemu:///system "$@" 3>&- 4>&-; }

# Waits until the command given is true, for up to 10 s.
eventually()
{
	local tries=0
	until "$@"; do
		[ $((tries += 1)) -le 200 ] || fail "still not true: $*" || return 1
		sleep 0.05
	done
}

# ---- rules ----

# Puts stdin in place as the only rules file.
rules()
{
	no_rules
	install -m 644 -o root -g root /dev/stdin "$RULES"
}

no_rules() { rm -rf "$RULES" "$RULES_DIR"; }

# ---- the program under test, and what stands in for it ----

# Keeps the installed files, so that a case may break them.
product_save()
{
	mkdir -p "$E2E_DIR/product"
	cp -a "$WORKER" "$E2E_DIR/product/worker"
	cp -a "$GUARD" "$E2E_DIR/product/guard"
}

product_restore()
{
	rm -rf "$WORKER"
	cp -a "$E2E_DIR/product/worker" "$WORKER"
	cmp -s "$E2E_DIR/product/guard" "$GUARD" || cp -a "$E2E_DIR/product/guard" "$GUARD"
}

# Puts stdin in place as the worker.
fake_worker()
{
	rm -rf "$WORKER"
	install -m 755 /dev/stdin "$WORKER"
}

# worker NAME OP < XML: the worker by hand.
worker() { "$WORKER" "$1" "$2" begin -; }

# reconnect NAME [COMMAND...]: the worker by hand on a running guest, under COMMAND if there is one.
reconnect()
{
	local name=$1
	shift
	v dumpxml --domain "$name" | "$@" "$WORKER" "$name" reconnect begin -
}

# ---- log ----

# The program's log lines since log_mark.
log_mark() { LOG_MARK=$(host_log | wc -l); }

log_since() { host_log | tail -n "+$((LOG_MARK + 1))" | grep 'vmaffinity[^:]*: ' || true; }

# assert_log REGEX: one of the lines since log_mark matches.
assert_log()
{
	log_since | grep -qE -- "$1" || fail "no log line matches: $1; there are:" "$(log_since)"
}

assert_log_lines()
{
	local n
	n=$(log_since | wc -l)
	[ "$n" = "$1" ] || fail "$n log lines, not $1:" "$(log_since)"
}

show_log() { log_since | sed 's/^/#   /' >&3; }

# ---- guests ----

xml_escape()
{
	case $1 in
	*[\&\<\>\"\']*) sed "s/&/\\&amp;/g; s/</\\&lt;/g; s/>/\\&gt;/g; s/\"/\\&quot;/g; s/'/\\&apos;/g" <<<"$1" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# A firmware that halts at once, so that guests cost no CPU: cli; hlt; jmp to the hlt, at the reset vector.
firmware()
{
	local rom=$E2E_DIR/halt.rom
	[ -e "$rom" ] || {
		head -c 65520 /dev/zero
		printf '\372\364\353\375'
		head -c 12 /dev/zero
	} >"$rom"
	printf %s "$rom"
}

# guest_xml NAME [KEY=VALUE...]: a diskless guest. Keys: vcpus (1), current, cpuset, vcpupin ("0:1 1:0"),
# emulatorpin, iothreads, iothreadids ("2 5"), iothreadpin ("2:1"), partition, uuid, metadata, padding (bytes of metadata).
guest_xml()
{
	local name=$1 key value pin
	local vcpus=1 current="" cpuset="" vcpupin="" emulatorpin="" iothreads="" iothreadids="" iothreadpin=""
	local partition="" uuid="" metadata="" padding=0 threads=1
	shift
	for pin; do
		key=${pin%%=*} value=${pin#*=}
		case $key in
		vcpus | current | cpuset | vcpupin | emulatorpin | iothreads | iothreadids | iothreadpin | partition | uuid | metadata | padding | threads)
			printf -v "$key" %s "$value" ;;
		*) fail "guest_xml: no such key: $key" || return 1 ;;
		esac
	done
	printf "<domain type='%s'>\n<name>%s</name>\n" "$E2E_VIRT_TYPE" "$(xml_escape "$name")"
	[ -z "$uuid" ] || printf '<uuid>%s</uuid>\n' "$uuid"
	[ -z "$metadata" ] || printf '<metadata>%s</metadata>\n' "$metadata"
	if [ "$padding" -gt 0 ]; then
		printf "<metadata><e:x xmlns:e='urn:e2e'>"
		printf '<e:vcpu>99</e:vcpu>'
		head -c "$padding" /dev/zero | tr '\0' x
		printf '</e:x></metadata>\n'
	fi
	# shellcheck disable=SC2016 # quotes of the XML
	printf "<memory unit='MiB'>64</memory>\n<vcpu placement='static'%s%s>%s</vcpu>\n" \
		"${cpuset:+ cpuset='$cpuset'}" "${current:+ current='$current'}" "$vcpus"
	[ -z "$iothreads" ] || printf '<iothreads>%s</iothreads>\n' "$iothreads"
	if [ -n "$iothreadids" ]; then
		printf '<iothreadids>'
		for pin in $iothreadids; do printf "<iothread id='%s'/>" "$pin"; done
		printf '</iothreadids>\n'
	fi
	printf '<cputune>'
	for pin in $vcpupin; do printf "<vcpupin vcpu='%s' cpuset='%s'/>" "${pin%%:*}" "${pin#*:}"; done
	[ -z "$emulatorpin" ] || printf "<emulatorpin cpuset='%s'/>" "$emulatorpin"
	for pin in $iothreadpin; do printf "<iothreadpin iothread='%s' cpuset='%s'/>" "${pin%%:*}" "${pin#*:}"; done
	printf '</cputune>\n'
	[ -z "$partition" ] || printf '<resource><partition>%s</partition></resource>\n' "$(xml_escape "$partition")"
	printf "<os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>%s</loader></os>\n" "$(firmware)"
	[ "$threads" = 1 ] || printf "<cpu><topology sockets='1' cores='%s' threads='%s'/></cpu>\n" $((vcpus / threads)) "$threads"
	printf "<features><acpi/><apic/></features>\n"
	printf "<on_poweroff>destroy</on_poweroff>\n"
	printf "<devices><controller type='usb' model='none'/><memballoon model='none'/></devices>\n</domain>\n"
}

# guest_define NAME [KEY=VALUE...]; guest_start too, and starts it.
guest_define()
{
	local file
	file=$(mktemp)
	guest_xml "$@" >"$file" && v define --file "$file" >/dev/null
}

guest_start() { guest_define "$@" && v start --domain "$1"; }

guest_stop() { v destroy --domain "$1" >/dev/null; }

guests_remove()
{
	local uuid
	for uuid in $(v list --all --uuid); do
		v destroy "$uuid" >/dev/null 2>&1 || true
		v undefine "$uuid" --managed-save --snapshots-metadata >/dev/null || return 1
	done
}

daemon_restart() { host_restart && daemon_done; }

# Waits until the daemon is done with all its guests: until its hook has ended, a guest takes no other job, such as that of
# dommemstat.
daemon_done()
{
	local uuid
	for uuid in $(v list --uuid); do
		v dommemstat "$uuid" >/dev/null || v domstate "$uuid" >/dev/null || return 1
	done
}

# The pid of a guest's QEMU; fails if it does not run.
guest_pid()
{
	local pid="" comm=""
	read -r pid <"/run/libvirt/qemu/$(xml_escape "$1").pid" || [ -n "$pid" ] || return 1
	read -r comm <"/proc/$pid/comm" || return 1
	case $comm in
	qemu-system* | qemu-kvm*) echo "$pid" ;;
	*) fail "pid $pid of guest '$1' is not QEMU" ;;
	esac
}

assert_running()
{
	guest_pid "$1" >/dev/null || fail "guest '$1' is gone" || return 1
	[ "$(v domstate --domain "$1")" = running ] || fail "guest '$1' is $(v domstate --domain "$1")"
}

# ---- cgroups ----

# The directory that holds a guest's emulator, vcpuN and iothreadN groups.
guest_cgroup()
{
	local pid path candidate line=""
	pid=$(guest_pid "$1") || return 1
	while read -r candidate; do
		[[ $candidate =~ ^[0-9]+:([^:]*,)?cpuset(,[^:]*)?: || ( -z $line && $candidate == 0::* ) ]] && line=$candidate
	done <"/proc/$pid/cgroup"
	path=${line#*:*:}
	[ "${path##*/}" = emulator ] || fail "guest '$1' has no groups for its threads: $line" || return 1
	printf '%s%s\n' "$(cpuset_mount "$line")" "${path%/emulator}"
}

# cpuset_mount LINE: where the hierarchy of that line of /proc/PID/cgroup is mounted.
cpuset_mount()
{
	local at type options
	while read -r _ at type options _; do
		case $1,$type,$options, in
		0::*,cgroup2,* | [1-9]*,cgroup,*,cpuset,*) echo "$at" && return ;;
		esac
	done </proc/self/mounts
	fail "no mount for $1"
}

# The directories of a guest's groups, a line each.
group_dirs()
{
	local base dir
	base=$(guest_cgroup "$1") || return 1
	for dir in "$base"/emulator "$base"/vcpu[0-9]* "$base"/iothread[0-9]*; do
		[ ! -d "$dir" ] || printf '%s\n' "$dir"
	done
}

# mask_of DIR: the CPUs that the kernel grants the group (v2, v1).
mask_of()
{
	local mask file=$1/cpuset.cpus.effective
	[ -e "$file" ] || file=$1/cpuset.cpus
	read -r mask <"$file" && echo "$mask"
}

# The nodes that a guest's groups have, each value once.
nodes_of()
{
	local dir
	group_dirs "$1" | while read -r dir; do cat "$dir/cpuset.mems"; done | sort -u
}

# affinity_of DIR: "TID LIST" for every thread of the group.
affinity_of()
{
	local tid lines file=$1/cgroup.threads
	[ -e "$file" ] || file=$1/tasks
	while read -r tid; do
		# it may have ended meanwhile
		{ mapfile -t lines <"/proc/$tid/status"; } 2>/dev/null || continue
		[[ "${lines[*]}" =~ Cpus_allowed_list:[[:space:]]*([0-9,-]+) ]] && echo "$tid ${BASH_REMATCH[1]}"
	done <"$file"
	return 0
}

# dir_pinned DIR LIST: its mask and each of its threads, of which there is at least one.
dir_pinned()
{
	local group=${1##*/} mask affinity tid list
	mask=$(mask_of "$1") || fail "$group: no such group" || return 1
	affinity=$(affinity_of "$1") || return 1
	[ "$mask" = "$2" ] || fail "$group: the group's mask is $mask, not $2" || return 1
	[ -n "$affinity" ] || fail "$group: no threads" || return 1
	while read -r tid list; do
		[ "$list" = "$2" ] || fail "$group: thread $tid is on $list, not $2" || return 1
	done <<<"$affinity"
}

# assert_pinned NAME GROUP LIST
assert_pinned()
{
	local base
	base=$(guest_cgroup "$1") || return 1
	dir_pinned "$base/$2" "$3"
}

# The whole guest: assert_guest NAME EMULATOR VCPUS [IOTHREADS].
assert_guest()
(
	trap - DEBUG # of bats: slow
	dirs=$(group_dirs "$1") || return 1
	while read -r dir; do
		case ${dir##*/} in
		emulator) dir_pinned "$dir" "$2" ;;
		vcpu*) dir_pinned "$dir" "$3" ;;
		iothread*) dir_pinned "$dir" "${4:?}" ;;
		esac || fail "in guest '$1'" || return 1
	done <<<"$dirs"
)

# assert_groups NAME WORD...: the guest has just these groups.
assert_groups()
{
	local dir dirs found=""
	dirs=$(group_dirs "$1") || return 1
	while read -r dir; do found+=" ${dir##*/}"; done <<<"$dirs"
	shift
	[ "$found" = " $*" ] || fail "the guest's groups are$found, not $*"
}

# The independent witness: assert_vcpuinfo NAME VCPU LIST
assert_vcpuinfo()
{
	local seen
	seen=$(v vcpuinfo --domain "$1" --pretty | awk -v n="$2" '
		$1 == "VCPU:" { vcpu = $2 }
		$1 == "CPU" && $2 == "Affinity:" && vcpu == n { print $3 }')
	[ "$seen" = "$3" ] || fail "$1: virsh vcpuinfo says vCPU $2 is on '$seen', not $3"
}

# All masks and affinities as text, to compare before and after. QEMU's helper threads come and go,
# so the emulator's are given as a set.
snapshot()
(
	trap - DEBUG # of bats: slow
	dirs=$(group_dirs "$1") || return 1
	while read -r dir; do
		group=${dir##*/}
		echo "$group $(mask_of "$dir")"
		case $group in
		emulator) affinity_of "$dir" | cut -d ' ' -f 2 | sort -u ;;
		*) affinity_of "$dir" ;;
		esac | sed "s/^/$group thread /"
	done <<<"$dirs"
)

# assert_unchanged NAME SNAPSHOT
assert_unchanged()
{
	local now
	now=$(snapshot "$1") || return 1
	[ "$now" = "$2" ] || fail "guest '$1' changed:" "$(diff <(echo "$2") <(echo "$now"))"
}

# ---- what a program did, by strace ----

# LeakSanitizer cannot work under a tracer: where the program has it, it is switched off.
TRACED_ENV="ASAN_OPTIONS=detect_leaks=0"

# traced FILE COMMAND...: runs it under strace, all its processes, paths shown; the trace goes to FILE.
traced()
{
	local file=$1
	shift
	strace -E "$TRACED_ENV" -f -y -qq -o "$file" "$@"
}

# sticky: true if a thread keeps its own affinity beside its group's mask (since Linux 6.2). On older kernels a mask that is
# written becomes the affinity of all threads, and there is none to set.
sticky() { printf '6.2\n%s\n' "$(uname -r)" | sort --version-sort --check=silent; }

# The calls in a trace that change what a thread may run on.
changes_in()
{
	grep -E '(write|pwrite64|writev|pwritev2?)\([0-9]+<[^>]*/cpuset\.|sched_setaffinity\(|(write|pwrite64)\([0-9]+<[^>]*/(tasks|cgroup\.[a-z]+)>' "$1" || true
}

# assert_only_read TRACE: nothing was written or set, no file made, no lock taken.
assert_only_read()
{
	[ -z "$(changes_in "$1")" ] || fail "$(changes_in "$1")" || return 1
	run -1 grep -E 'vmaffinity\.lock|O_CREAT|(/sys|/run/libvirt/qemu|/proc)[^"]*"[^)]*O_(WRONLY|RDWR)|F_OFD_SETLK' "$1"
}

# ---- the frame of every case ----

# case_report: prints, for a failed case, the log and the kernel's view of every thread of every guest.
case_report()
{
	local task name allowed
	printf '\nthe log since the last mark:\n'
	host_log | tail -n "+$((LOG_MARK + 1))"
	host_report
	printf '\nthe threads of the guests:\n'
	for task in /proc/[0-9]*/task/[0-9]*; do
		read -r name <"$task/comm" || continue
		case $(tr '\0' ' ' <"$task/cmdline") in
		*qemu-system*" -name guest="*) ;;
		*) continue ;;
		esac
		allowed=$(grep Cpus_allowed_list "$task/status")
		printf '%s %-16s on %s in %s\n' "${task##*/}" "$name" "${allowed#*[[:space:]]}" "$(grep -E 'cpuset|^0:' "$task/cgroup" | paste -sd ' ')"
	done 2>/dev/null
}

case_setup()
{
	guests_remove
	no_rules
	log_mark
}

case_teardown()
{
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		case_report >&2
		v version >/dev/null 2>&1 || host_start # it may have failed while the daemon was away
	fi
	product_restore
	guests_remove
	no_rules
}

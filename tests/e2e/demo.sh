#!/bin/bash
# The demonstration of "install.sh --demo": installs the product on a private libvirt host, starts a
# guest without rules and with them, and prints what the kernel and virsh report. Fails unless both
# agree with the rules.
#
# usage: tests/e2e/host.sh tests/e2e/demo.sh
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/e2e/lib.bash disable=SC1091
. tests/e2e/lib.bash

step() { printf '%-11s%s\n' "$1" "$2"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# seen DIR: what the kernel grants a group: one list if its mask and all its threads agree, else each of them.
seen() { { mask_of "$1"; affinity_of "$1" | cut -d ' ' -f 2; } | awk '!had[$0]++' | paste -sd /; }

virsh_says()
{
	case $1 in
	vcpu*) v vcpuinfo demo --pretty | awk -v n="${1#vcpu}" '/^VCPU:/ { at = $2 } /^CPU Affinity:/ && at == n { print $3 }' ;;
	iothread*) v iothreadinfo demo | awk -v n="${1#iothread}" '$1 == n { print $2 }' ;;
	*) echo - ;;
	esac
}

# The first, the last but one and the last of a list such as 0-2,5.
three_of()
{
	tr , '\n' <<<"$1" | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done |
		awk 'NR == 1 { first = last = $1 } { before = last; last = $1 } END { print first, before, last }'
}

declare -A before after want
declare -i wide=6
ok=yes

step host "libvirt $(libvirtd --version | sed 's/.* //') of its own, in namespaces; guests of type '$E2E_VIRT_TYPE'"
./install.sh >"$E2E_DIR/install.log" 2>&1 </dev/null || { cat "$E2E_DIR/install.log" >&2; die "installing failed"; }
step install "/etc/libvirt/hooks/qemu, /usr/sbin/vmaffinity-hook, /etc/vmaffinity.ini (a sample without rules)"
guest_start demo vcpus=2 iothreads=1 >/dev/null || die "the guest does not start"
step guest "'demo', without a disk, 2 vCPUs, 1 iothread: started"
for dir in $(group_dirs demo); do before[${dir##*/}]=$(seen "$dir"); done

read -r first second last < <(three_of "${before[vcpu0]%%/*}")
rules <<-END
	[cpus]
	housekeeping = $first

	[*]
	emulator  = @housekeeping
	iothreads = @housekeeping

	[demo]
	vcpu0 = $second
	vcpu1 = $last
END
want=([emulator]=$first [iothread1]=$first [vcpu0]=$second [vcpu1]=$last)
step rules "written to /etc/vmaffinity.ini:"
sed '/./s/^/               /' /etc/vmaffinity.ini
guest_stop demo
log_mark
v start demo >/dev/null || die "the guest does not start"
step guest "stopped and started again: libvirt ran the hook"

for dir in $(group_dirs demo); do
	group=${dir##*/}
	after[$group]=$(seen "$dir")
	now=${before[$group]:-none}
	[ ${#now} -le "$wide" ] || wide=${#now}
done
printf '\n  %-14s%-*s   %-8s%-8s%s\n' "thread group" "$wide" before after rule virsh
for group in emulator vcpu0 vcpu1 iothread1; do
	says=$(virsh_says $group)
	printf '  %-14s%-*s   %-8s%-8s%s\n' $group "$wide" "${before[$group]:-none}" "${after[$group]:-none}" \
		"${want[$group]}" "$says"
	[ "${after[$group]:-none}" = "${want[$group]}" ] || ok=no
	[ "$says" = - ] || [ "$says" = "${want[$group]}" ] || ok=no
done
cat <<-'END'

	  before, after: the group's mask and Cpus_allowed_list of each of its threads, from the kernel
	  virsh: vcpuinfo and iothreadinfo (of the emulator virsh knows only its own record)

END
step syslog "$(log_since | sed '1s/^<[0-9]*>//; 2,$s/^<[0-9]*>/           /')"
[ "$first" != "$last" ] || step '' "(this machine has one CPU: before and after cannot differ)"
[ $ok = yes ] || die "this is not what the rules say"

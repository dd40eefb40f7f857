# shellcheck shell=bash disable=SC2034 # for build.sh, run.sh and check.sh
# The virtual hosts: which Debian, and what its kernel is told. vm_host NAME sets
#   suite     Debian's release
#   cgroups   v1 or v2: where the cpuset controller is
#   cmdline   what is added to the kernel's command line
#   image     the directory of what build.sh makes: kernel, initrd, root, key

# Those that are tested by default. All of them by name: VM_HOSTS="debian14 debian13 debian12 debian12-v1" make check-vm
HOSTS="debian14 debian13 debian12-v1"
# Whose QEMU emulates them all: in Debian 12's, guests start at half the speed.
EMULATOR_HOST=debian13
VM_CACHE=${VM_CACHE:-$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")/build/vm}

die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 125; }

vm_host()
{
	case $1 in
	debian14) suite=forky cgroups=v2 cmdline="" ;;
	debian13) suite=trixie cgroups=v2 cmdline="" ;;
	debian12) suite=bookworm cgroups=v2 cmdline="" ;;
	debian12-v1)
		suite=bookworm cgroups=v1
		cmdline="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1"
		;;
	*) die "no such host: '$1'; there are: $HOSTS debian12" ;;
	esac
	image=$VM_CACHE/$1
}

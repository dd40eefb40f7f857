#!/bin/bash
# Makes the root file system of a virtual host: Debian with systemd, libvirt, QEMU and all packages that install.sh needs
# for building, so that it needs no network inside. The product is not in it: run.sh brings that. An image that was made
# from the same inputs is kept.
#
# usage: tests/vm/build.sh HOST         hosts: see hosts.bash
#
# The mirror and its keys are those of this machine's apt. VM_MIRROR: another mirror. VM_CACHE: directory for images (build/vm).
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/vm/hosts.bash disable=SC1091
. "$here/hosts.bash"

# The URI of the mirror that this machine gets Debian itself from.
mirror()
{
	local uri
	# shellcheck disable=SC2016 # apt's words
	uri=${VM_MIRROR:-$(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
		sed -nE 's,^Packages main ([^ ]*/debian/?)$,\1,p' | head -n 1)}
	[ -n "$uri" ] || die "this machine's apt knows no mirror of Debian (after apt-get update): name one with VM_MIRROR"
	echo "$uri"
}

# This machine's apt settings for downloads: proxies, checks of dates.
apt_options()
{
	apt-config dump | sed -nE 's/^(Acquire::(https?|ftp|Check-[A-Za-z-]+|Retries)(::.*)? .*)$/\1/p'
}

# Packages of the host itself, then those that install.sh needs to build and to run guests, then those of the cases.
packages()
{
	echo systemd-sysv dbus udev systemd-container apparmor linux-image-cloud-amd64 initramfs-tools zstd
	sed -n '/^needs()/,/^END/p' "$here/../../install.sh" | awk '$1 == "build" || $1 == "host" { print $3 }'
	echo bats strace jq libxml2-utils python3-libvirt perl
	# without it there is no /bin/kill, with which libvirt's unit has the daemon reloaded
	[ "$host" = debian14 ] || echo procps
}

# A hook of mmdebstrap, run here with the new root as its argument before any package is there. Of the kernel's modules the
# initial file system wants only what finds the disk. Documents are left out by dpkg: as options of mmdebstrap they would cost
# a process of Python for each package of the base.
before_packages()
{
	mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/dpkg/dpkg.cfg.d"
	printf 'path-exclude=/usr/share/%s\n' 'doc/*' 'man/*/*' 'locale/*' >"$1/etc/dpkg/dpkg.cfg.d/vm"
	printf '%s\n' virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"
	printf '%s\n' MODULES=list COMPRESS=zstd COMPRESSLEVEL=1 FSTYPE=ext4 >"$1/etc/initramfs-tools/conf.d/vm"
}

# Turns a root file system into the virtual host: no first boot, nothing by the clock, no AppArmor profiles but libvirt's
# (a hundred others take half a minute to load here), and the unit that runs the cases.
configure()
{
	local root=$1
	echo "$host" | md5sum | cut -d ' ' -f 1 >"$root/etc/machine-id"
	echo "$host" >"$root/etc/hostname"
	printf '127.0.0.1 localhost %s\n' "$host" >"$root/etc/hosts"
	find "$root/etc/apparmor.d" -maxdepth 1 -type f ! -name '*libvirt*' ! -name '*virt-aa-helper*' -delete
	cp "$here/vm-cases.service" "$root/etc/systemd/system/"
	chroot "$root" systemctl --quiet enable vm-cases.service
	chroot "$root" systemctl --quiet mask serial-getty@ttyS0.service getty@tty1.service apt-daily.timer \
		apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
		libvirt-guests.service
	# else ldconfig, hwdb and the journal's catalog are made again at boot
	touch "$root/etc/.updated" "$root/var/.updated"
}

fill()
{
	mmdebstrap --quiet --variant=apt --mode=root --format=directory \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--aptopt="$image.new/apt.conf" --dpkgopt=force-unsafe-io \
		--include="$(packages | tr -s ' \n' ,)" --setup-hook="$here/build.sh --before-packages \"\$1\"" \
		"$suite" "$image.new/root" "deb $uri $suite main" && configure "$image.new/root"
}

# discard DIRECTORY: an image. Who was stopped while making it may have left this machine's /dev, /proc and /sys in there.
discard()
{
	local at
	awk -v "dir=$1/" 'index($2, dir) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r at; do umount -l "$at"; done
	rm -rf --one-file-system "$1"
}

if [ "${1:-}" = --before-packages ]; then
	before_packages "$2"
	exit
fi

[ $# = 1 ] || die "usage: build.sh HOST"
host=$1
vm_host "$host"
[ "$(id -u)" = 0 ] || die "must be run as root"
PATH=$PATH:/usr/sbin:/sbin
command -v mmdebstrap >/dev/null || die "mmdebstrap is not installed"

mkdir -p "$VM_CACHE"
exec 9>"$VM_CACHE/$host.lock"
flock 9
key=$({ packages; cat "$here/build.sh" "$here/hosts.bash" "$here/vm-cases.service"; } | sha256sum)
if [ -e "$image/key" ] && [ "$(cat "$image/key")" = "$key" ]; then
	exit 0
fi
uri=$(mirror)

started=$SECONDS
discard "$image"
discard "$image.new"
mkdir -p "$image.new"
trap 'discard "$image.new"' EXIT
apt_options >"$image.new/apt.conf"
if ! fill >"$image.new/log" 2>&1; then
	cat "$image.new/log" >&2
	die "$host: the image cannot be made"
fi
mv "$image.new"/root/boot/vmlinuz-* "$image.new/kernel"
mv "$image.new"/root/boot/initrd.img-* "$image.new/initrd"
rm -r "$image.new/apt.conf" "$image.new"/root/var/cache/apt "$image.new"/root/var/lib/apt/lists
echo "$key" >"$image.new/key"
mv "$image.new" "$image"
trap - EXIT
echo "# $host: image made in $((SECONDS - started)) s, $(du -sh "$image" | cut -f 1)"

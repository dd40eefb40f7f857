#!/bin/bash
# Builds the Debian package twice and puts it through its life in a chroot of this machine's Debian: installed, upgraded,
# downgraded, removed, purged, installed again. Builds the RPM package and compares its files. TAP. Needs root, mmdebstrap,
# lintian, and what "make deb" and "make rpm" need.
#
# With names of virtual hosts (tests/vm/hosts.bash) it is also installed there, on a daemon with guests, built for this Debian.
#
# usage: tests/checks/packages.sh [HOST...]
# shellcheck disable=SC2317,SC2016 # called through check(); apt's words
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 2
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
root=$work/root
# shellcheck source=tests/checks/tap.bash disable=SC1091
. tests/checks/tap.bash

# built VERSION: makes $work/VERSION.deb of the commit at hand, as that version.
built()
{
	local tree=$work/build/vmaffinity-0
	rm -rf "$work/build" && mkdir -p "$work/build" && git archive --prefix=vmaffinity-0/ HEAD | tar -x -C "$work/build" || return 1
	sed -i "1s/(.*)/($1)/" "$tree/debian/changelog"
	(cd "$tree" && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -d --build=binary --no-sign) && mv "$work/build/vmaffinity_$1"_*.deb "$work/$1.deb"
}

twice_the_same()
{
	cp "$work/0.1.0.deb" "$work/first.deb" && sleep 1 && built 0.1.0 && cmp "$work/first.deb" "$work/0.1.0.deb"
}

clean_for_lintian()
{
	local found
	found=$(lintian --pedantic --fail-on error,warning,info,pedantic --allow-root "$work/0.1.0.deb" | grep -v '^N:')
	[ -z "$found" ] || { echo "$found"; return 1; }
}

in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
# hook_there [NAME]: the guard that the package ships is in that place, and can be run.
hook_there() { cmp "$root/usr/lib/vmaffinity/guard" "$root/etc/libvirt/hooks/${1:-qemu}" && [ -x "$root/etc/libvirt/hooks/${1:-qemu}" ]; }
# what the package or its hook may leave
traces() { in_root find / -xdev \( -path /proc -o -path '/var/lib/dpkg*' -o -path '/var/log*' -o -path /tmp \) -prune -o \( -name '*vmaffinity*' -o -path '*libvirt/hooks*' \) -print; }
nothing_left() { [ -z "$(traces)" ] || { traces; return 1; }; }

# files_of PACKAGE: what it installs, but for documents; a man page with or without .gz.
files_of()
{
	case $1 in
	*.deb) dpkg-deb -c "$1" | awk '$1 !~ /^d/ { print substr($6, 2) }' ;;
	*.rpm) rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$1" | awk '$1 !~ /^d/ { print $2 }' ;;
	esac | sed 's/\.gz$//' | grep -vE '^/usr/(share/(doc|licenses|lintian)|lib/\.build-id)(/|$)' | sort
}

rpm_has_the_same()
{
	make -s BUILD="$work/rpm" rpm RPM_OPTIONS=--nodeps || return 1
	diff <(files_of "$work/0.1.0.deb") <(files_of "$work"/rpm/rpm/RPMS/*/*.rpm)
}

make_root()
{
	local suite mirror
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	mirror=$(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(REPO_URI)' | sed -nE 's,^Packages main ([^ ]*/debian/?)$,\1,p' | head -n 1)
	mmdebstrap --quiet --variant=apt --mode=root --format=directory --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io \
		--include=libinih1,libjson-c5,libsmartcols1,libxml2,libvirt0 "$suite" "$root" "deb $mirror $suite main"
}

installed() { cp "$work/$1.deb" "$root/tmp/" && in_root dpkg -i "/tmp/$1.deb" && in_root dpkg -s vmaffinity | grep -qx "Version: $1"; }
in_place() { hook_there && in_root vmaffinity check && in_root vmaffinity-hook --version; }
removed() { in_root dpkg --remove vmaffinity && in_root test -e /etc/vmaffinity.ini && in_root test ! -e /etc/libvirt/hooks/qemu; }
purged() { in_root dpkg --purge vmaffinity && nothing_left; }

kept() # an edited configuration
{
	echo '; edited' >>"$root/etc/vmaffinity.ini"
	installed 0.1.1 && tail -n 1 "$root/etc/vmaffinity.ini" | grep -qx '; edited' && in_place
}

beside_another()
{
	mkdir -p "$root/etc/libvirt/hooks" && printf '#!/bin/sh\nexit 0\n' >"$root/etc/libvirt/hooks/qemu" && chmod 755 "$root/etc/libvirt/hooks/qemu"
	installed 0.1.0 && hook_there qemu.d/50-vmaffinity && [ "$(head -c 9 "$root/etc/libvirt/hooks/qemu")" = '#!/bin/sh' ] &&
		in_root dpkg --purge vmaffinity && [ ! -e "$root/etc/libvirt/hooks/qemu.d" ] && [ -x "$root/etc/libvirt/hooks/qemu" ]
}

no_place() # a guard cannot be put there: the package is installed, and says so
{
	rm -rf "$root/etc/libvirt" && : >"$root/etc/libvirt"
	local said
	said=$(installed 0.1.0 2>&1) && [[ $said == *"the hook is not in place"* ]] && rm "$root/etc/libvirt" && in_root vmaffinity enable && in_place
}

apt-config dump | sed -nE 's/^(Acquire::(https?|ftp|Check-[A-Za-z-]+|Retries)(::.*)? .*)$/\1/p' >"$work/apt.conf"
check "packages: it is built" built 0.1.0
check "packages: two builds are the same bytes" twice_the_same
check "packages: lintian has nothing to say" clean_for_lintian
check "packages: the RPM package has the same files" rpm_has_the_same
check "packages: another version is built" built 0.1.1
make_root >"$work/log" 2>&1 || { cat "$work/log"; exit 2; }
check "packages: installed without a libvirt daemon: the hook is in place" installed 0.1.0
check "packages: the hook, the worker and the tool run" in_place
check "packages: upgraded: an edited configuration is kept" kept
check "packages: downgraded" installed 0.1.0
check "packages: removed: the configuration stays, the hook is gone" removed
check "packages: installed again" installed 0.1.0
check "packages: purged: nothing is left" purged
check "packages: beside another program's hook, which is left alone" beside_another
rm -rf "$root/etc/libvirt"
check "packages: no place for the hook: installed all the same, and said" no_place
check "packages: purged once more: nothing is left" purged
for host; do
	check "packages: $host: with a daemon and guests, none of which is disturbed" \
		env VM_FILES="$work/0.1.0.deb $work/0.1.1.deb" tests/vm/run.sh "$host" tests/vm/packages.bats
done
tap_end

#!/bin/bash
# Runs the end-to-end cases under libvirt's modular daemon, virtqemud, which Debian does not build: this Debian's libvirt,
# built from its source with what the cases need. The source comes from apt's mirror; source and build stay in
# BUILD/modular. Minutes for the build, then as long as the suite e2e.
#
# usage: tests/checks/modular.sh [BATS-ARGUMENT...]       arguments go to bats; without any, all cases that need no systemd
set -eu -o pipefail
cd "$(dirname "$0")/../.."
PACKAGES="meson ninja-build dpkg-dev xsltproc python3-docutils libxml2-utils libglib2.0-dev libgnutls28-dev libxml2-dev
	libtirpc-dev libyajl-dev libcap-ng-dev libnuma-dev libpciaccess-dev"
work=${BUILD:-build}/modular
mkdir -p "$work"
work=$(realpath "$work")

die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 125; }

# Asks apt for sources, from the places of its packages, with lists of its own.
sources()
{
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt" -o Dir::State::lists="$work/lists" "$@"
}

# Copies apt's sources of Debian itself with "deb-src" for "deb".
take_sources()
{
	local file
	mkdir -p "$work/apt" "$work/lists/partial"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || sed -n 's/^deb \(.*debian\)/deb-src \1/p' "$file" >>"$work/apt/debian.list"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || ! grep -q '^URIs:.*debian' "$file" || sed 's/^Types: .*/Types: deb-src/' "$file" >"$work/apt/${file##*/}"
	done
}

build()
{
	local missing
	# shellcheck disable=SC2086 # words
	missing=$(dpkg-query -W -f '${Package} ${Status}\n' $PACKAGES 2>&1 | grep -v ' installed$' || true)
	[ -z "$missing" ] || die "missing: apt-get install $(tr -s '\n\t' ' ' <<<"$PACKAGES")"
	take_sources
	sources update
	(cd "$work" && sources source --download-only libvirt && dpkg-source --no-check -x libvirt_*.dsc source)
	# QEMU's driver cannot be built without libvirtd, which is not started
	meson setup "$work/objects" "$work/source" --buildtype=debugoptimized --prefix=/usr --sysconfdir=/etc --localstatedir=/var \
		--libdir="lib/$(gcc -print-multiarch)" -Drunstatedir=/run -Dauto_features=disabled -Ddriver_qemu=enabled \
		-Ddriver_remote=enabled -Ddriver_libvirtd=enabled -Dyajl=enabled -Dcapng=enabled -Dnumactl=enabled -Dpciaccess=enabled \
		-Dremote_default_mode=direct -Dinit_script=none -Dqemu_user=root -Dqemu_group=root -Dno_git=true
	ninja -C "$work/objects"
	DESTDIR="$work/installed.new" meson install -C "$work/objects" --quiet
	mv "$work/installed.new" "$work/installed"
}

if [ ! -d "$work/installed" ]; then
	rm -rf "$work"/{apt,lists,source,objects,installed.new} "$work"/libvirt_*
	build >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; die "libvirt cannot be built (the whole log: $work/log)"; }
fi
"$work/installed/usr/sbin/virtqemud" --version | sed 's/^/# /'
export E2E_LIBVIRT="$work/installed" E2E_DAEMON=virtqemud
exec tests/e2e/run.sh "$@"

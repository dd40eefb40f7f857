#!/bin/bash
# Installs vmaffinity, takes it away, shows it, tests it: see usage(). Asks nothing.
# For packagers: DESTDIR and PREFIX are honoured; "make install" alone does as well.
set -u -o pipefail
umask 022

usage()
{
	cat <<'END'
Usage: sudo ./install.sh [OPTION]

Without an option: builds vmaffinity and installs it. A running libvirt daemon is told to
reload, never restarted. An existing /etc/vmaffinity.ini is kept. A hooks/qemu that belongs
to another program is left alone; hooks/qemu.d/50-vmaffinity is used then (libvirt >= 6.5).

  --demo       build it and show it at work: on a private libvirt daemon, with a throw-away
               guest, in namespaces of their own. Installs nothing but packages here, and
               touches no libvirt of this machine
  --test       build it and run all tests, those with guests in the same kind of namespaces,
               and on two virtual hosts, whose Debian comes from apt's mirror (3 GB in build/)
  --uninstall  take everything away but the configuration; running guests keep their pins
  --purge      with --uninstall: take the configuration away, too
  --help       this text

What is missing is fetched with apt-get (Debian, Ubuntu) or dnf (Fedora, untested); where
nothing is missing, nothing is asked for. The packages stay. Where systemd runs, apt-get
starts the libvirt daemon when --demo or --test bring it; "sudo ./install.sh" brings none.

Environment: DESTDIR, PREFIX (/usr), SBINDIR, SYSCONFDIR (/etc), MANDIR, UNITDIR and COMPLETIONDIR,
as for "make install". With DESTDIR no root is needed and no daemon is reloaded.
Exit status: 0 done, 1 failed, 2 called wrongly; with --test, that of the tests.
END
}

# ---- words ----

step() { printf '%-11s%s\n' "$1" "$2"; }
more() { printf '%-11s%s\n' '' "$1"; }
complain() { printf 'install.sh: %s\n' "$*" >&2; }
die() { complain "$@"; exit 1; }
misuse() { complain "$@"; printf "Try './install.sh --help'.\n" >&2; exit 2; }

# logged COMMAND...: its output is shown only if it fails.
logged()
{
	printf '+ %s\n' "$*" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null
}

# die_logged TEXT: dies with the end of the log in front, and leaves the log.
die_logged()
{
	tail -n 40 "$log" >&2
	trap - EXIT
	die "$1 (the whole log: $log)"
}

# ---- packages ----

# For what, how to see that it is there, and who brings it: Debian's and Ubuntu's package, Fedora's.
# Fedora's column is from its packages' documentation and has not been tried.
needs()
{
	cat <<'END'
build  cmd:gcc                       gcc                         gcc
build  cmd:make                      make                        make
build  cmd:pkg-config                pkgconf                     pkgconf-pkg-config
build  file:/usr/include/stdio.h     libc6-dev                   glibc-devel
build  lib:libxml-2.0                libxml2-dev                 libxml2-devel
build  lib:inih                      libinih-dev                 inih-devel
build  lib:libvirt                   libvirt-dev                 libvirt-devel
build  lib:json-c                    libjson-c-dev               json-c-devel
build  lib:smartcols                 libsmartcols-dev            libsmartcols-devel
build  lib:libsystemd                libsystemd-dev              systemd-devel
host   cmd:libvirtd                  libvirt-daemon-system       libvirt-daemon
host   file:/etc/libvirt/qemu.conf   libvirt-daemon-system       libvirt-daemon-driver-qemu
host   cmd:virsh                     libvirt-clients             libvirt-client
host   cmd:qemu-system-x86_64        qemu-system-x86             qemu-system-x86-core
host   cmd:mount                     mount                       util-linux
host   cmd:setpriv                   util-linux                  util-linux
host   cmd:logger                    bsdutils                    util-linux
test   cmd:git                       git                         git-core
test   cmd:clang                     clang                       clang
test   clang-rt:fuzzer               libclang-rt-@-dev           compiler-rt
test   cmd:clang-tidy                clang-tidy                  clang-tools-extra
test   cmd:clang-format              clang-format                clang-tools-extra
test   cmd:cppcheck                  cppcheck                    cppcheck
test   cmd:shellcheck                shellcheck                  ShellCheck
test   lib:cmocka                    libcmocka-dev               libcmocka-devel
test   cmd:bats                      bats                        bats
test   cmd:strace                    strace                      strace
test   cmd:jq                        jq                          jq
test   cmd:xmllint                   libxml2-utils               libxml2
test   cmd:mmdebstrap                mmdebstrap                  mmdebstrap
test   file:/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring debian-keyring
test   cmd:mke2fs                    e2fsprogs                   e2fsprogs
test   cmd:mandoc                    mandoc                      mandoc
test   cmd:hwloc-calc                hwloc-nox                   hwloc
test   cmd:/usr/bin/python3          python3                     python3
test   python:libvirt                python3-libvirt             python3-libvirt
END
}

have()
{
	case $1 in
	cmd:*) command -v "${1#*:}" ;;
	file:*) [ -e "${1#*:}" ] ;;
	lib:*) pkg-config --exists "${1#*:}" ;;
	python:*) /usr/bin/python3 -c "import ${1#*:}" ;;
	clang-rt:*) find "$(clang -print-resource-dir)/lib" -name "libclang_rt.${1#*:}*.a" | grep . ;;
	esac >/dev/null 2>&1
}

# missing WHAT...: what is not there, a line of needs() each.
missing()
{
	local set probe deb rpm
	while read -r set probe deb rpm; do
		case " $* " in
		*" $set "*) have "$probe" || echo "$probe $deb $rpm" ;;
		esac
	done < <(needs)
}

# The compiler's runtime carries clang's version in its name; before clang 14.0.6 it was in another package.
clang_runtime()
{
	local version name
	version=$(LC_ALL=C apt-cache depends clang | sed -n 's/^ *Depends: clang-\([0-9][0-9]*\)$/\1/p')
	for name in "libclang-rt-$version-dev" "libclang-common-$version-dev"; do
		apt-cache show "$name" >/dev/null 2>&1 && echo "$name" && return
	done
	die "no package with the runtime of clang '$version'"
}

apt_install()
{
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	# What cannot be refreshed (a mirror of somebody else's) need not be what is wanted.
	logged apt-get -q update
	local packages=()
	while read -r name; do
		case $name in
		libclang-rt-@-dev) name=$(clang_runtime) || exit ;;
		esac
		packages+=("$name")
	done
	logged apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "${packages[@]}" ||
		die_logged "apt-get could not install: ${packages[*]}"
}

dnf_install()
{
	local packages
	mapfile -t packages
	more "(Fedora's package names are from its documentation: nobody has tried this here)"
	logged dnf -y --setopt=install_weak_deps=False install "${packages[@]}" ||
		die_logged "dnf could not install: ${packages[*]}"
}

# column_of N LINES: the words of that column, once each, on one line.
column_of() { cut -d ' ' -f "$1" <<<"$2" | sort -u | paste -sd ' '; }

# packages WHAT...: gets what is missing; asks nobody if nothing is.
packages()
{
	local lines column manager names line
	lines=$(missing "$@")
	if [ -z "$lines" ]; then
		step packages "all present"
		return
	fi
	if command -v apt-get >/dev/null; then
		manager=apt column=2
	elif command -v dnf >/dev/null; then
		manager=dnf column=3
	else
		die "missing here, and neither apt-get nor dnf to get it with: $(column_of 1 "$lines")"
	fi
	names=$(column_of $column "$lines")
	[ "$(id -u)" = 0 ] || die "missing here, and only root can install it: $names"
	step packages "getting with $manager what is missing (this can take minutes):"
	fold -s -w 84 <<<"${names//-@/}" | while read -r line; do more "$line"; done
	[[ ! -d /run/systemd/system || $names != *libvirt-daemon* ]] ||
		more "with libvirt's daemon, which the package starts, and which stays"
	"${manager}_install" <<<"${names// /$'\n'}"
	lines=$(missing "$@")
	[ -z "$lines" ] || die_logged "still missing after that: $(column_of 1 "$lines")"
}

# ---- building ----

# What a calling make (the tests') says to its own kind is not for this one.
run_make()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j "$(nproc)" \
		DESTDIR="$DESTDIR" PREFIX="$PREFIX" SYSCONFDIR="$SYSCONFDIR" SBINDIR="$SBINDIR" MANDIR="$MANDIR" \
		COMPLETIONDIR="$COMPLETIONDIR" UNITDIR="$UNITDIR" "$@"
}

build()
{
	logged run_make || die_logged "the build failed"
	step build "done"
}

# ---- the hook and the daemon ----

# Is this file our guard? It says so of itself; a script that only mentions it is somebody else's.
is_ours()
{
	[ -f "$1" ] && [ "$(head -c 4 "$1" | tail -c 3)" = ELF ] && grep -qaF vmaffinity-guard "$1"
}

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

has_daemon() { { command -v virtqemud || command -v libvirtd; } >/dev/null; }

# libvirt looks into hooks/qemu.d since 6.5. Where no daemon is installed, its library tells the version.
has_qemu_d()
{
	local version major minor
	version=$({ virtqemud --version || libvirtd --version || pkg-config --modversion libvirt; } 2>/dev/null)
	IFS=. read -r major minor _ <<<"${version##*[ a-z]}"
	[[ "$major.$minor" =~ ^[0-9]+\.[0-9]+$ ]] && [ $((major * 1000 + minor)) -ge 6005 ]
}

# choose_hook: sets $hook, the name below hooks/ to install as.
choose_hook()
{
	hook=qemu
	if is_there "$hooks/qemu" && ! is_ours "$hooks/qemu"; then
		hook=qemu.d/50-vmaffinity
		has_qemu_d || die "$hooks/qemu belongs to another program, and this libvirt looks nowhere else" \
			"(it needs 6.5 for hooks/qemu.d). Nothing was installed. Move that file away, or update libvirt."
		step hook "$hooks/qemu belongs to another program and is left alone"
		more "using $hooks/$hook"
	elif ! is_there "$hooks/qemu" && is_ours "$hooks/qemu.d/50-vmaffinity"; then
		hook=qemu.d/50-vmaffinity
	fi
	if [ $hook != qemu ] && is_there "$hooks/$hook" && ! is_ours "$hooks/$hook"; then
		die "$hooks/$hook belongs to another program. Nothing was installed."
	fi
}

# The libvirt daemons that look for hooks where we put ours: "PID NAME" each. Those of another
# mount namespace (a container's, a test's) see another directory there.
daemons()
{
	local dir name
	for dir in /proc/[0-9]*; do
		{ read -r name <"$dir/comm"; } 2>/dev/null || continue
		case $name in
		libvirtd | virtqemud) ;;
		*) continue ;;
		esac
		[ -O "$dir" ] && [ "$dir/root${hooks%/*}" -ef "${hooks%/*}" ] && echo "${dir#/proc/} $name"
	done
}

reload()
{
	if [ -d /run/systemd/system ] && [ "$(systemctl show --property MainPID --value "$2.service")" = "$1" ]; then
		systemctl reload "$2.service"
	else
		kill -HUP "$1"
	fi
}

# reload_daemons LIST: LIST is from daemons().
reload_daemons()
{
	local pid name
	while read -r pid name; do
		if reload "$pid" "$name"; then
			step daemon "$name ($pid) reloaded"
		else
			complain "$name ($pid) could not be reloaded: do it by hand"
		fi
	done <<<"$1"
}

# ---- installing, and the way back ----

need_root()
{
	[ "$(id -u)" = 0 ] || { complain "needs root: sudo ./install.sh ${*}"; exit 2; }
}

install_product()
{
	local rules=$DESTDIR$SYSCONFDIR/vmaffinity.ini sample list
	[ -n "$DESTDIR" ] || need_root
	packages build
	choose_hook
	build
	is_there "$rules" && sample="kept as it is" || sample="a sample; it changes nothing until you edit it"
	logged run_make install HOOK="$hook" || die_logged "make install failed"
	[ $hook = qemu ] && is_ours "$hooks/qemu.d/50-vmaffinity" && rm "$hooks/qemu.d/50-vmaffinity"
	step installed "$hooks/$hook"
	more "$DESTDIR$SBINDIR/vmaffinity-hook, $DESTDIR$SBINDIR/vmaffinity"
	more "$DESTDIR$UNITDIR/vmaffinity-watch.service, which is not enabled"
	more "man pages below $DESTDIR$MANDIR, completion in $DESTDIR$COMPLETIONDIR"
	step rules "$rules: $sample"
	[ -n "$DESTDIR" ] || activate
}

# Tells the daemons, and looks whether all is well.
activate()
{
	local list line
	if [ -d /run/systemd/system ]; then
		logged systemctl daemon-reload
		logged systemctl try-restart vmaffinity-watch.service
	fi
	list=$(daemons)
	if [ -n "$list" ]; then
		reload_daemons "$list"
	elif has_daemon; then
		step daemon "no libvirt daemon runs: it will see the hook when it starts"
	else
		step daemon "libvirt is not installed here (package libvirt-daemon-system, on Fedora libvirt-daemon-kvm)"
	fi

	[ -x "$hooks/$hook" ] || die "$hooks/$hook is not executable: libvirt would pass it over"
	line=$("$SBINDIR/vmaffinity-hook" --version 2>&1) || die "$SBINDIR/vmaffinity-hook does not run: $line"
	step next "edit $SYSCONFDIR/vmaffinity.ini, look at it with 'vmaffinity plan', then start a guest;"
	more "guests that run already get their pins when libvirt is restarted, or they are"
	printf '\n%s\n' "vmaffinity doctor:"
	"$SBINDIR/vmaffinity" doctor || true # what is not well here is no fault of the installation
}

# take_away FILE...: sets $gone if there was one.
take_away()
{
	local file
	for file; do
		is_there "$file" || continue
		rm -f "$file" || die "cannot remove $file"
		step removed "$file"
		gone=yes
	done
}

uninstall_product()
{
	local name list="" gone=no etc=$DESTDIR$SYSCONFDIR
	if [ -z "$DESTDIR" ]; then
		need_root --uninstall
		[ ! -d /run/systemd/system ] || logged systemctl disable --now vmaffinity-watch.service
		list=$(daemons) # before, so that they hear of it at once
	fi
	for name in qemu qemu.d/50-vmaffinity; do
		if is_ours "$hooks/$name"; then
			take_away "$hooks/$name"
		elif is_there "$hooks/$name"; then
			step left "$hooks/$name: belongs to another program"
		fi
	done
	[ $gone = no ] || [ -z "$list" ] || reload_daemons "$list"
	rmdir "$hooks/qemu.d" 2>/dev/null && step removed "$hooks/qemu.d"
	if [ -n "$DESTDIR" ] || ! has_daemon; then
		rmdir "$hooks" "${hooks%/*}" 2>/dev/null # elsewhere they are libvirt's
	fi
	take_away "$DESTDIR$SBINDIR/vmaffinity-hook" "$DESTDIR$SBINDIR/vmaffinity" \
		"$DESTDIR$MANDIR/man8/vmaffinity.8" "$DESTDIR$MANDIR/man8/vmaffinity-hook.8" \
		"$DESTDIR$MANDIR/man5/vmaffinity.ini.5" "$DESTDIR$COMPLETIONDIR/vmaffinity" "$DESTDIR$UNITDIR/vmaffinity-watch.service"
	[ -n "$DESTDIR" ] || take_away /run/vmaffinity.lock
	if [ $purge = yes ]; then
		take_away "$etc/vmaffinity.ini" "$etc/vmaffinity.d"/*.ini
		if rmdir "$etc/vmaffinity.d" 2>/dev/null; then
			step removed "$etc/vmaffinity.d"
		elif [ -d "$etc/vmaffinity.d" ]; then
			step left "$etc/vmaffinity.d: holds files that are not rules"
		fi
	else
		for name in "$etc/vmaffinity.ini" "$etc/vmaffinity.d"; do
			is_there "$name" && step left "$name: the configuration (--purge takes it, too)"
		done
	fi
	case $gone in
	yes) more "running guests keep their pins" ;;
	no) step removed "nothing: it is not installed" ;;
	esac
}

# ---- demo and tests ----

demo()
{
	need_root --demo
	packages build host
	build
	tests/e2e/host.sh tests/e2e/demo.sh </dev/null || exit 1
	step result "every thread ran where the rules say; guest, daemon and files are gone again"
}

# suite TARGET: shows what it prints, and counts it.
suite()
{
	printf '\n# make %s\n' "$1"
	run_make "$1" 2>&1 </dev/null | tee "$log"
	count "$1" "${PIPESTATUS[0]}"
}

# count TARGET STATUS: what the log holds of it. Lint has no closing line of its own.
count()
{
	local line ok bad
	line=$(grep -xE '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	[ -n "$line" ] || line="$(grep -c '^ok ' "$log") passed, $(grep -c '^not ok ' "$log") failed"
	read -r ok _ bad _ <<<"$line"
	[ "$2" = 0 ] || [ "$bad" -gt 0 ] || bad=1 # it did not come to an end
	closing+=$(printf '\n# %-20s %s passed, %s failed' "make $1:" "$ok" "$bad")
	passed=$((passed + ok)) failed=$((failed + bad))
}

# begin TARGET: in the background, with what time the others leave it: the virtual hosts take as long as all else together.
# It is a process group, which goes to $pids, so that it ends with this script.
begin()
{
	set -m
	run_make "$1" >"$log.$1" 2>&1 </dev/null &
	set +m
	renice -n 10 -g $! >/dev/null
	pids[$1]=$!
}

# finish TARGET: as suite() does.
finish()
{
	local status=0
	printf '\n# make %s, begun before the others\n' "$1"
	wait "${pids[$1]}" || status=$?
	mv "$log.$1" "$log"
	cat "$log"
	count "$1" "$status"
}

run_tests()
{
	local passed=0 failed=0 closing=""
	declare -gA pids=() # for the trap
	need_root --test
	packages build host test
	[ -z "${CI:-}" ] || export WERROR=1
	# git tells what to check, also where the tree belongs to another user than root
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$PWD
	build
	trap 'kill -- "${pids[@]/#/-}" 2>/dev/null; rm -f "$log" "$log".*' EXIT
	begin check-vm
	begin lint
	suite check-sanitize
	suite check
	finish lint
	finish check-vm
	printf '%s\n%s passed, %s failed\n' "$closing" "$passed" "$failed"
	[ "$failed" = 0 ]
}

# ---- what is asked for ----

job=""
purge=no
for arg; do
	case $arg in
	-h | --help) usage; exit 0 ;;
	--demo | --test | --uninstall)
		[ -z "$job" ] || [ "$job" = "$arg" ] || misuse "$job and $arg exclude each other"
		job=$arg
		;;
	--purge) purge=yes ;;
	-*) misuse "unknown option '$arg'" ;;
	*) misuse "unexpected argument '$arg'" ;;
	esac
done
[ $purge = no ] || [ "$job" = --uninstall ] || misuse "--purge goes with --uninstall only"

PATH=$PATH:/usr/sbin:/sbin
case $job in
--demo | --test) unset DESTDIR PREFIX SYSCONFDIR SBINDIR MANDIR COMPLETIONDIR UNITDIR ;;
esac
# as the Makefile has them, and passed on to it
DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr} SYSCONFDIR=${SYSCONFDIR:-/etc}
SBINDIR=${SBINDIR:-$PREFIX/sbin} MANDIR=${MANDIR:-$PREFIX/share/man} UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
COMPLETIONDIR=${COMPLETIONDIR:-$PREFIX/share/bash-completion/completions}
for name in DESTDIR PREFIX SYSCONFDIR SBINDIR MANDIR COMPLETIONDIR UNITDIR; do
	[ -z "${!name}" ] || [ "${!name#/}" != "${!name}" ] || misuse "$name must be absolute, not '${!name}'"
done
hooks=$DESTDIR$SYSCONFDIR/libvirt/hooks
cd "$(dirname "$(realpath "$0")")" || exit 1
log=$(mktemp "${TMPDIR:-/tmp}/vmaffinity-install.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT

case $job in
--demo) demo ;;
--test) run_tests ;;
--uninstall) uninstall_product ;;
*) install_product ;;
esac

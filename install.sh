#!/bin/bash
# Installs, removes, demonstrates or tests vmaffinity: see usage(). Asks no questions.
# Packagers can use "make install" directly, and "vmaffinity enable". DESTDIR and PREFIX are honoured by both.
set -u -o pipefail
umask 022

usage()
{
	cat <<'END'
Usage: sudo ./install.sh [OPTION]

Without an option: builds vmaffinity and installs it. A running libvirt daemon is reloaded,
never restarted. An existing /etc/vmaffinity.ini is kept. A hooks/qemu that belongs to
another program is left alone; hooks/qemu.d/50-vmaffinity is used instead (libvirt >= 6.5).

  --demo       build it and show it at work, with a private libvirt daemon and a throw-away
               guest in namespaces of their own. Installs only packages on this machine, and
               touches none of its libvirt daemons
  --test       build it and run all tests that need no virtual host: those with guests in the
               same kind of namespaces
  --test all   also run the tests on virtual hosts with Debian 12, 13 and 14 from apt's mirror
               (4 GB in build/)
  --uninstall  remove everything except the configuration; running guests keep their pins
  --release    with --uninstall: first give running guests back what libvirt gave them
  --purge      with --uninstall: also remove the configuration
  --help       this text

Missing packages are installed with apt-get (Debian, Ubuntu) or dnf (Fedora, untested), and
stay installed. If none is missing, neither program runs. Where systemd runs, the libvirt
daemon that --demo and --test may install is started by its package. Plain installation
never installs a daemon.

Environment: DESTDIR, PREFIX (/usr), SBINDIR, LIBDIR, SYSCONFDIR (/etc), MANDIR, DATADIR, UNITDIR
and COMPLETIONDIR, as for "make install". With DESTDIR, root is not needed and no daemon is reloaded.
Exit status: 0 done, 1 failed, 2 misuse; with --test, that of the tests.
END
}

# ---- messages ----

step() { printf '%-11s%s\n' "$1" "$2"; }
more() { printf '%-11s%s\n' '' "$1"; }
complain() { printf 'install.sh: %s\n' "$*" >&2; }
die() { complain "$@"; exit 1; }
misuse() { complain "$@"; printf "Try './install.sh --help'.\n" >&2; exit 2; }

# logged COMMAND...: runs the command with its output in the log. The caller shows the log if it fails.
logged()
{
	printf '+ %s\n' "$*" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null
}

# die_logged TEXT: prints the end of the log, then dies. Keeps the log.
die_logged()
{
	tail -n 40 "$log" >&2
	trap - EXIT
	die "$1 (the whole log: $log)"
}

# ---- packages ----

# Columns: purpose, test for presence, package on Debian and Ubuntu, package on Fedora.
# Fedora's column comes from the documentation of its packages and has not been tried.
needs()
{
	cat <<'END'
build  cmd:gcc                       gcc                         gcc
build  cmd:make                      make                        make
build  cmd:pkg-config                pkgconf                     pkgconf-pkg-config
build  file:/usr/include/stdio.h     libc6-dev                   glibc-devel
build  archive:libc.a                libc6-dev                   glibc-static
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
test   cmd:parallel                  parallel                    parallel
test   cmd:strace                    strace                      strace
test   cmd:ansible-playbook          ansible-core                ansible-core
test   cmd:jq                        jq                          jq
test   cmd:xmllint                   libxml2-utils               libxml2
test   cmd:mmdebstrap                mmdebstrap                  mmdebstrap
test   file:/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring debian-keyring
test   cmd:mke2fs                    e2fsprogs                   e2fsprogs
test   cmd:mandoc                    mandoc                      mandoc
test   cmd:hwloc-calc                hwloc-nox                   hwloc
test   cmd:/usr/bin/python3          python3                     python3
test   python:libvirt                python3-libvirt             python3-libvirt
test   python:jsonschema             python3-jsonschema          python3-jsonschema
END
}

have()
{
	case $1 in
	cmd:*) command -v "${1#*:}" ;;
	file:*) [ -e "${1#*:}" ] ;;
	archive:*) [ -e "$(gcc -print-file-name="${1#*:}")" ] ;; # the guard is linked with it
	lib:*) pkg-config --exists "${1#*:}" ;;
	python:*) /usr/bin/python3 -c "import ${1#*:}" ;;
	clang-rt:*) find "$(clang -print-resource-dir)/lib" -name "libclang_rt.${1#*:}*.a" | grep . ;;
	esac >/dev/null 2>&1
}

# missing PURPOSE...: prints the lines of needs() for these purposes that are not present, without the purpose.
missing()
{
	local set probe deb rpm
	while read -r set probe deb rpm; do
		case " $* " in
		*" $set "*) have "$probe" || echo "$probe $deb $rpm" ;;
		esac
	done < <(needs)
}

# Prints the package of the compiler's runtime. Its name has clang's version; before clang 14.0.6 another package had it.
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
	# A failure is not fatal: the mirror that cannot be refreshed may be one that is not needed here.
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
	more "(Fedora's package names come from its documentation and are untested)"
	logged dnf -y --setopt=install_weak_deps=False install "${packages[@]}" ||
		die_logged "dnf could not install: ${packages[*]}"
}

# column_of N LINES: prints the distinct words of that column on one line.
column_of() { cut -d ' ' -f "$1" <<<"$2" | sort -u | paste -sd ' '; }

# packages PURPOSE...: installs missing packages; runs no package manager if none is missing.
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
		die "missing, and there is neither apt-get nor dnf to install it: $(column_of 1 "$lines")"
	fi
	names=$(column_of $column "$lines")
	[ "$(id -u)" = 0 ] || die "missing, and only root can install it: $names"
	step packages "installing with $manager (this can take minutes):"
	fold -s -w 84 <<<"${names//-@/}" | while read -r line; do more "$line"; done
	[[ ! -d /run/systemd/system || $names != *libvirt-daemon* ]] ||
		more "these include libvirt's daemon; its package starts it, and it stays installed"
	"${manager}_install" <<<"${names// /$'\n'}"
	lines=$(missing "$@")
	[ -z "$lines" ] || die_logged "still missing after that: $(column_of 1 "$lines")"
}

# ---- building ----

# run_make ARGUMENT...: runs make without the flags of a make that calls this script, such as the tests'.
run_make()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j "$(nproc)" \
		DESTDIR="$DESTDIR" PREFIX="$PREFIX" SYSCONFDIR="$SYSCONFDIR" SBINDIR="$SBINDIR" LIBDIR="$LIBDIR" MANDIR="$MANDIR" \
		DATADIR="$DATADIR" COMPLETIONDIR="$COMPLETIONDIR" UNITDIR="$UNITDIR" "$@"
}

build()
{
	logged run_make || die_logged "the build failed"
	step build "done"
}

# ---- the hook ----

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# lines NAME TEXT: prints the lines of TEXT as one step.
lines()
{
	local line name=$1
	while IFS= read -r line; do
		step "$name" "$line"
		name=""
	done <<<"$2"
}

# The built program, and where it is to work: below DESTDIR, if there is one.
built() { "${BUILD:-build}/vmaffinity" "$@" ${DESTDIR:+--sysroot "$DESTDIR"}; }
installed() { "$DESTDIR$SBINDIR/vmaffinity" "$@" ${DESTDIR:+--sysroot "$DESTDIR"}; }

# ---- installing and uninstalling ----

need_root()
{
	[ "$(id -u)" = 0 ] || { complain "needs root: sudo ./install.sh ${*}"; exit 2; }
}

install_product()
{
	local rules=$DESTDIR$SYSCONFDIR/vmaffinity.ini sample said status=0
	[ -n "$DESTDIR" ] || need_root
	packages build
	build
	said=$(built enable --dry-run 2>&1) || die "$said. Nothing was installed."
	is_there "$rules" && sample="kept as it is" || sample="a sample; it changes nothing until you edit it"
	logged run_make install || die_logged "make install failed"
	step installed "$DESTDIR$SBINDIR/vmaffinity-hook, $DESTDIR$SBINDIR/vmaffinity"
	more "$DESTDIR$LIBDIR/vmaffinity/xml.so, guard"
	more "$DESTDIR$UNITDIR/vmaffinity-watch.service (not enabled)"
	more "man pages below $DESTDIR$MANDIR, completion in $DESTDIR$COMPLETIONDIR"
	more "$DESTDIR$DATADIR/output.schema.json"
	step rules "$rules: $sample"
	said=$(installed enable 2>&1) || status=$?
	[ $status -le 1 ] || die "$said"
	lines hook "$said"
	[ -n "$DESTDIR" ] || activate
	[ $status = 0 ] || { printf '\n%s\n' "${said##*$'\n'}" && exit 1; }
}

# Restarts what runs of an earlier version, and checks the installation.
activate()
{
	local line
	if [ -d /run/systemd/system ]; then
		logged systemctl daemon-reload
		logged systemctl try-restart vmaffinity-watch.service
	fi
	line=$("$SBINDIR/vmaffinity-hook" --version 2>&1) || die "$SBINDIR/vmaffinity-hook does not run: $line"
	step next "edit $SYSCONFDIR/vmaffinity.ini, see what it does with 'vmaffinity plan', then start a guest;"
	more "'vmaffinity apply' pins guests that already run"
	printf '\n%s\n' "vmaffinity doctor:"
	"$SBINDIR/vmaffinity" doctor || true # findings about the host do not fail the installation
}

# remove_files FILE...: sets $gone if one of them existed.
remove_files()
{
	local file
	for file; do
		is_there "$file" || continue
		rm -f "$file" || die "cannot remove $file"
		step removed "$file"
		gone=yes
	done
}

# Gives running guests back what libvirt gave them. Nothing has been removed yet.
release_guests()
{
	[ -x "$SBINDIR/vmaffinity" ] || die "$SBINDIR/vmaffinity is not there to release the guests. Nothing was removed."
	"$SBINDIR/vmaffinity" release --all || die "not all guests could be released. Nothing was removed."
}

# Takes the hook away with the program that is installed, or else built: one of another version may not know how.
disable_hook()
{
	local program said
	for program in installed built; do
		"$program" help disable >/dev/null 2>&1 || continue
		said=$("$program" disable 2>&1) || die "$said"
		[[ $said == "there is no hook "* ]] || lines hook "$said"
		[[ $said == *"there is no hook "* ]] || gone=yes
		return
	done
	! is_there "$DESTDIR$SBINDIR/vmaffinity-hook" || { ! is_there "$hooks/qemu" && ! is_there "$hooks/qemu.d/50-vmaffinity"; } ||
		die "no vmaffinity is installed or built that could take the hook out of $hooks; build it with make. Nothing was removed."
}

uninstall_product()
{
	local name gone=no etc=$DESTDIR$SYSCONFDIR
	if [ -z "$DESTDIR" ]; then
		need_root --uninstall
		[ $release = no ] || release_guests
		[ ! -d /run/systemd/system ] || logged systemctl disable --now vmaffinity-watch.service
	fi
	disable_hook
	remove_files "$DESTDIR$SBINDIR/vmaffinity-hook" "$DESTDIR$SBINDIR/vmaffinity" \
		"$DESTDIR$MANDIR/man8/vmaffinity.8" "$DESTDIR$MANDIR/man8/vmaffinity-hook.8" \
		"$DESTDIR$MANDIR/man5/vmaffinity.ini.5" "$DESTDIR$COMPLETIONDIR/vmaffinity" "$DESTDIR$UNITDIR/vmaffinity-watch.service" \
		"$DESTDIR$LIBDIR/vmaffinity/xml.so" "$DESTDIR$LIBDIR/vmaffinity/guard" "$DESTDIR$DATADIR/output.schema.json"
	rmdir "$DESTDIR$LIBDIR/vmaffinity" "$DESTDIR$DATADIR" 2>/dev/null
	[ -n "$DESTDIR" ] || remove_files /run/vmaffinity.lock
	if [ $purge = yes ]; then
		remove_files "$etc/vmaffinity.ini" "$etc/vmaffinity.d"/*.ini
		if rmdir "$etc/vmaffinity.d" 2>/dev/null; then
			step removed "$etc/vmaffinity.d"
		elif [ -d "$etc/vmaffinity.d" ]; then
			step left "$etc/vmaffinity.d: holds files that are not rules"
		fi
	else
		for name in "$etc/vmaffinity.ini" "$etc/vmaffinity.d"; do
			is_there "$name" && step left "$name: the configuration (--purge also removes it)"
		done
	fi
	[ $gone = yes ] || step removed "nothing: it is not installed"
}

# ---- demo and tests ----

demo()
{
	need_root --demo
	packages build host
	build
	tests/e2e/host.sh tests/e2e/demo.sh </dev/null || exit 1
	step result "every thread ran where the rules say; guest, daemon and files have been removed"
}

# suite TARGET: runs a make target, shows its output and counts its results.
suite()
{
	printf '\n# make %s\n' "$1"
	run_make "$1" 2>&1 </dev/null | tee "$log"
	count "$1" "${PIPESTATUS[0]}"
}

# count TARGET STATUS: adds the results in the log to the totals. Lint has no closing line, so its TAP lines are counted.
count()
{
	local line ok bad
	line=$(grep -xE '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	[ -n "$line" ] || line="$(grep -c '^ok ' "$log") passed, $(grep -c '^not ok ' "$log") failed"
	read -r ok _ bad _ <<<"$line"
	[ "$2" = 0 ] || [ "$bad" -gt 0 ] || bad=1 # the target ended early
	closing+=$(printf '\n# %-20s %s passed, %s failed' "make $1:" "$ok" "$bad")
	passed=$((passed + ok)) failed=$((failed + bad))
}

# begin TARGET: runs a make target in the background at low priority: the end-to-end cases wait for most of their time, and
# the virtual hosts take as long as all other suites.
# Its process group goes to $pids, so that it ends with this script.
begin()
{
	set -m
	run_make "$1" >"$log.$1" 2>&1 </dev/null &
	set +m
	renice -n 10 -g $! >/dev/null
	pids[$1]=$!
}

# finish TARGET: waits for a target that begin() started, shows its output and counts its results.
finish()
{
	local status=0
	printf '\n# make %s, started before the others\n' "$1"
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
	# git lists the files to check, even if the tree belongs to a user other than root
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$PWD
	build
	trap 'kill -- "${pids[@]/#/-}" 2>/dev/null; rm -f "$log" "$log".*' EXIT
	if [ "$tests" = all ]; then
		begin check-vm
	else
		export LINT=quick
	fi
	begin lint
	begin check-sanitize
	suite check
	suite check-root
	finish check-sanitize
	finish lint
	[ "$tests" != all ] || finish check-vm
	printf '%s\n%s passed, %s failed\n' "$closing" "$passed" "$failed"
	[ "$failed" = 0 ]
}

# ---- command line ----

job=""
purge=no
release=no
tests=""
for arg; do
	case $arg in
	-h | --help) usage; exit 0 ;;
	--demo | --test | --uninstall)
		[ -z "$job" ] || [ "$job" = "$arg" ] || misuse "$job and $arg exclude each other"
		job=$arg
		;;
	--purge) purge=yes ;;
	--release) release=yes ;;
	all)
		[ "$job" = --test ] || misuse "'all' goes after --test only"
		tests=all
		;;
	-*) misuse "unknown option '$arg'" ;;
	*) misuse "unexpected argument '$arg'" ;;
	esac
done
[ $purge = no ] || [ "$job" = --uninstall ] || misuse "--purge goes with --uninstall only"
[ $release = no ] || [ "$job" = --uninstall ] || misuse "--release goes with --uninstall only"

PATH=$PATH:/usr/sbin:/sbin
case $job in
--demo | --test) unset DESTDIR PREFIX SYSCONFDIR SBINDIR LIBDIR MANDIR DATADIR COMPLETIONDIR UNITDIR ;;
esac
# the Makefile's defaults; run_make() passes them on
DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr} SYSCONFDIR=${SYSCONFDIR:-/etc}
SBINDIR=${SBINDIR:-$PREFIX/sbin} LIBDIR=${LIBDIR:-$PREFIX/lib} MANDIR=${MANDIR:-$PREFIX/share/man} UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
COMPLETIONDIR=${COMPLETIONDIR:-$PREFIX/share/bash-completion/completions} DATADIR=${DATADIR:-$PREFIX/share/vmaffinity}
for name in DESTDIR PREFIX SYSCONFDIR SBINDIR LIBDIR MANDIR DATADIR COMPLETIONDIR UNITDIR; do
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

#!/usr/bin/env bats
# install.sh, into a directory of the test's own. What needs a libvirt daemon is in tests/e2e/install.bats.

bats_require_minimum_version 1.5.0
load old_libvirt

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	# As shipped, whatever is being tested; MAKEFLAGS would hand a calling make's DESTDIR to the make of a test.
	unset PREFIX SYSCONFDIR SBINDIR LIBDIR MANDIR DATADIR COMPLETIONDIR UNITDIR BUILD SANITIZE CFLAGS LDFLAGS \
		MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
	export DESTDIR=$BATS_TEST_TMPDIR/root TMPDIR=$BATS_TEST_TMPDIR
	HOOKS=$DESTDIR/etc/libvirt/hooks
	FAKE=$BATS_TEST_TMPDIR/fake
	mkdir "$DESTDIR" "$FAKE"
}

# A build of the test's own, for what compiles other paths in: the others want theirs as it is.
own_build()
{
	mkdir "$BATS_TEST_TMPDIR/build"
	# but the virtual hosts, and other builds
	find build -mindepth 1 -maxdepth 1 ! -name vm ! -name sanitize ! -name coverage ! -name fuzz -exec cp -a -t "$BATS_TEST_TMPDIR/build" {} +
	export BUILD=$BATS_TEST_TMPDIR/build
}

installed() { (cd "$DESTDIR" && find . ! -type d -printf '%m %U %P\n' | sort -k 3); }

# fake NAME < SCRIPT: found before the real program of that name.
fake() { install -m 755 /dev/stdin "$FAKE/$1"; }

expected()
{
	sed "s/ / $(id -u) /" <<-'END'
		755 etc/libvirt/hooks/qemu
		644 etc/vmaffinity.ini
		644 usr/lib/systemd/system/vmaffinity-watch.service
		755 usr/lib/vmaffinity/guard
		644 usr/lib/vmaffinity/xml.so
		755 usr/sbin/vmaffinity
		755 usr/sbin/vmaffinity-hook
		644 usr/share/bash-completion/completions/vmaffinity
		644 usr/share/man/man5/vmaffinity.ini.5
		644 usr/share/man/man8/vmaffinity-hook.8
		644 usr/share/man/man8/vmaffinity.8
		644 usr/share/vmaffinity/output.schema.json
	END
}

foreign_hook()
{
	mkdir -p "$HOOKS"
	printf '#!/bin/sh\n# calls vmaffinity-guard some day\nexit 0\n' >"$HOOKS/${1:-qemu}"
	chmod 755 "$HOOKS/${1:-qemu}"
	stat -c '%i %a %Y' "$HOOKS/${1:-qemu}"
}

@test "installs these files, modes and owners, under any umask" {
	umask 077
	./install.sh
	diff <(expected) <(installed)
	cmp conf/vmaffinity.ini "$DESTDIR/etc/vmaffinity.ini"
	[ -z "$(find "$DESTDIR" -mindepth 1 -type d ! -perm 755)" ]
}

@test "the hook gets there by one rename; nothing else is ever made in hooks/" {
	./install.sh
	echo old >>"$HOOKS/qemu"
	strace -f -qq -e trace=%file -o "$BATS_TEST_TMPDIR/trace" ./install.sh
	[ "$(grep -c 'rename.*"etc/libvirt/hooks/qemu"' "$BATS_TEST_TMPDIR/trace")" = 1 ]
	run ! grep -E "\b(creat|link(at)?|chmod(at)?|mknod(at)?)\(.*hooks/[^.]|hooks/[^\".][^\"]*\".*(O_CREAT|O_WRONLY|O_RDWR)" "$BATS_TEST_TMPDIR/trace"
}

@test "installing again replaces the programs and keeps the configuration" {
	./install.sh
	echo '; mine' >"$DESTDIR/etc/vmaffinity.ini"
	chmod 600 "$DESTDIR/etc/vmaffinity.ini"
	for file in etc/libvirt/hooks/qemu usr/sbin/vmaffinity; do echo old >>"$DESTDIR/$file"; done
	run -0 ./install.sh
	[[ $output == *"$DESTDIR/etc/vmaffinity.ini: kept as it is"* ]]
	diff <(expected | sed 's/^644 \(.*ini\)$/600 \1/') <(installed)
	[ "$(cat "$DESTDIR/etc/vmaffinity.ini")" = '; mine' ]
	[ "$(tail -n 1 "$HOOKS/qemu" | tr -d '\0')" != old ]
	[ "$(tail -n 1 "$DESTDIR/usr/sbin/vmaffinity" | tr -d '\0')" != old ]
}

@test "PREFIX and SYSCONFDIR are honoured" {
	own_build
	PREFIX=/opt/v SYSCONFDIR=/opt/etc ./install.sh
	[ -x "$DESTDIR/opt/v/sbin/vmaffinity-hook" ]
	[ -x "$DESTDIR/opt/etc/libvirt/hooks/qemu" ]
	[ -f "$DESTDIR/opt/etc/vmaffinity.ini" ]
	[ ! -e "$DESTDIR/usr" ] && [ ! -e "$DESTDIR/etc" ]
	PREFIX=/opt/v SYSCONFDIR=/opt/etc ./install.sh --uninstall --purge
	[ -z "$(installed)" ]
}

@test "another program's hooks/qemu is left alone, qemu.d is used" {
	before=$(foreign_hook)
	run -0 ./install.sh
	[[ $output == *"/etc/libvirt/hooks/qemu belongs to another program and is left alone"*"/etc/libvirt/hooks/qemu.d/50-vmaffinity: put in place"* ]]
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu")" = "$before" ]
	[ -x "$HOOKS/qemu.d/50-vmaffinity" ]
	run -0 ./install.sh # and again, our own in qemu.d being there
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu")" = "$before" ]

	run -0 ./install.sh --uninstall
	[[ $output == *"/etc/libvirt/hooks/qemu belongs to another program and is left alone"* ]]
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu")" = "$before" ]
	[ ! -e "$HOOKS/qemu.d" ]
}

@test "no place for the hook: nothing is installed" {
	before=$(foreign_hook)
	old_libvirt 6004000 "$FAKE"
	LD_LIBRARY_PATH=$FAKE run -1 ./install.sh
	[[ $output == *"install.sh: vmaffinity: enable: /etc/libvirt/hooks/qemu belongs to another program, and libvirt 6.4 runs no other hook"*"Nothing was installed."* ]]
	[ "$(installed | wc -l)" = 1 ]
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu")" = "$before" ]
}

@test "a dangling link as hooks/qemu is also another program's" {
	mkdir -p "$HOOKS"
	ln -s /nowhere "$HOOKS/qemu"
	./install.sh
	[ "$(readlink "$HOOKS/qemu")" = /nowhere ]
	[ -x "$HOOKS/qemu.d/50-vmaffinity" ]
}

@test "both places taken by other programs: nothing is installed" {
	foreign_hook
	mkdir "$HOOKS/qemu.d"
	before=$(foreign_hook qemu.d/50-vmaffinity)
	run -1 ./install.sh
	[[ $output == *"both /etc/libvirt/hooks/qemu and /etc/libvirt/hooks/qemu.d/50-vmaffinity belong to other programs"*"Nothing was installed."* ]]
	[ "$(installed | wc -l)" = 2 ]
	./install.sh --uninstall
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu.d/50-vmaffinity")" = "$before" ]
}

@test "ours in qemu.d stays there; in both places, one goes" {
	foreign_hook
	./install.sh
	rm "$HOOKS/qemu"
	./install.sh
	[ ! -e "$HOOKS/qemu" ]
	cp "$HOOKS/qemu.d/50-vmaffinity" "$HOOKS/qemu"
	./install.sh
	[ -x "$HOOKS/qemu" ]
	[ ! -e "$HOOKS/qemu.d/50-vmaffinity" ]
}

@test "--uninstall leaves the configuration only, and says what it did" {
	./install.sh
	mkdir "$DESTDIR/etc/vmaffinity.d"
	echo >"$DESTDIR/etc/vmaffinity.d/a.ini"
	run -0 ./install.sh --uninstall
	[[ $output == *"/etc/libvirt/hooks/qemu: removed"*"removed    $DESTDIR/usr/sbin/vmaffinity-hook"* ]]
	[[ $output == *"left       $DESTDIR/etc/vmaffinity.ini: the configuration"* ]]
	[ "$(installed | cut -d ' ' -f 3 | paste -sd ' ')" = "etc/vmaffinity.d/a.ini etc/vmaffinity.ini" ]
	run -0 ./install.sh --uninstall # nothing to do is no error
	[[ $output == *"removed    nothing: it is not installed"* ]]
}

@test "--uninstall --purge leaves nothing" {
	./install.sh
	mkdir "$DESTDIR/etc/vmaffinity.d"
	echo >"$DESTDIR/etc/vmaffinity.d/a.ini"
	./install.sh --purge --uninstall
	[ -z "$(installed)" ]
	[ ! -e "$DESTDIR/etc/vmaffinity.d" ]
	[ ! -e "$DESTDIR/etc/libvirt" ]
}

@test "--purge leaves what is no rules file in vmaffinity.d, and says so" {
	mkdir -p "$DESTDIR/etc/vmaffinity.d"
	echo >"$DESTDIR/etc/vmaffinity.d/README"
	run -0 ./install.sh --uninstall --purge
	[[ $output == *"$DESTDIR/etc/vmaffinity.d: holds files that are not rules"* ]]
	[ -e "$DESTDIR/etc/vmaffinity.d/README" ]
}

@test "called wrongly: one line on what is wrong, one on --help, status 2" {
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086 # words
		run -2 ./install.sh $arguments
		[ "${lines[0]}" = "install.sh: $message" ]
		[ "${lines[1]}" = "Try './install.sh --help'." ]
		[ "${#lines[@]}" = 2 ]
	done <<-'END'
		--frobnicate|unknown option '--frobnicate'
		-x|unknown option '-x'
		here|unexpected argument 'here'
		--demo --test|--demo and --test exclude each other
		--uninstall --demo|--uninstall and --demo exclude each other
		--purge|--purge goes with --uninstall only
		--test --purge|--purge goes with --uninstall only
		--release|--release goes with --uninstall only
	END
	DESTDIR=relative run -2 ./install.sh
	[ "${lines[0]}" = "install.sh: DESTDIR must be absolute, not 'relative'" ]
	[ -z "$(installed)" ]
}

@test "SBINDIR holds for installing and for uninstalling" {
	own_build
	export SBINDIR=/usr/bin
	run -0 ./install.sh
	[[ $output == *"$DESTDIR/usr/bin/vmaffinity-hook, $DESTDIR/usr/bin/vmaffinity"$'\n'* ]]
	[ -x "$DESTDIR/usr/bin/vmaffinity" ] && [ ! -e "$DESTDIR/usr/sbin" ]
	grep -q '^ExecStart=/usr/bin/vmaffinity watch' "$DESTDIR/usr/lib/systemd/system/vmaffinity-watch.service"
	grep -qa /usr/bin/vmaffinity-hook "$HOOKS/qemu"
	./install.sh --uninstall --purge
	[ -z "$(installed)" ]
}

@test "make install touches no hook; make uninstall takes ours away, and leaves another program's" {
	before=$(foreign_hook)
	make install
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu")" = "$before" ]
	[ ! -e "$HOOKS/qemu.d" ]
	cmp build/vmaffinity-guard "$DESTDIR/usr/lib/vmaffinity/guard"
	"$DESTDIR/usr/sbin/vmaffinity" enable --sysroot "$DESTDIR"
	[ -x "$HOOKS/qemu.d/50-vmaffinity" ]
	make uninstall
	[ "$(stat -c '%i %a %Y' "$HOOKS/qemu")" = "$before" ]
	[ "$(installed | cut -d ' ' -f 3 | paste -sd ' ')" = "etc/libvirt/hooks/qemu etc/vmaffinity.ini" ]
	make uninstall
}

@test "make clean removes BUILD and nothing else" {
	mkdir -p "$BATS_TEST_TMPDIR/out"
	make BUILD="$BATS_TEST_TMPDIR/out" clean
	[ ! -e "$BATS_TEST_TMPDIR/out" ]
	[ -d build ]
}

@test "make asks pkg-config only where it compiles, and names what is missing" {
	export PKG_CONFIG=false
	make -s help >/dev/null
	make -s BUILD="$BATS_TEST_TMPDIR/out" clean
	run -2 make BUILD="$BATS_TEST_TMPDIR/out"
	[[ $output == *"false does not find: "*inih*libvirt*"apt-get install"* ]]
}

@test "--help names every option" {
	run -0 --separate-stderr ./install.sh --help
	[ -z "$stderr" ]
	sed -n '/^for arg; do/,/^done/p' install.sh | grep -oE -- '--[a-z]+' | while read -r option; do
		grep -q -- "^  $option " <<<"$output" || exit 1
	done
}

@test "without root and DESTDIR: says so, does nothing" {
	[ "$(id -u)" = 0 ] || skip "needs root to give it up"
	for option in '' --uninstall --demo --test; do
		# read from stdin: the tree may be where nobody can go
		# shellcheck disable=SC2086 # perhaps none
		DESTDIR='' TMPDIR=/tmp run -2 setpriv --reuid=65534 --regid=65534 --clear-groups \
			bash -c 'cd / && exec bash -s -- "$@"' bash $option <install.sh
		[[ ${lines[0]} == "install.sh: needs root: sudo ./install.sh"* ]]
	done
}

@test "asks no registry where nothing is missing" {
	fake apt-get <<<"echo called >>$BATS_TEST_TMPDIR/called"
	cp "$FAKE/apt-get" "$FAKE/dnf"
	PATH=$FAKE:$PATH run -0 ./install.sh
	[[ ${lines[0]} == "packages   all present" ]]
	[ ! -e "$BATS_TEST_TMPDIR/called" ]
}

# A pkg-config that misses inih until the fake apt-get has installed it.
without_inih()
{
	real=$(command -v pkg-config)
	fake pkg-config <<-END
		#!/bin/sh
		case "\$*" in *inih*) [ -e $BATS_TEST_TMPDIR/got ] || exit 1 ;; esac
		exec $real "\$@"
	END
}

@test "gets what is missing with apt-get: only that, without questions or recommended packages" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	without_inih
	fake apt-get <<-END
		#!/bin/sh
		echo "\$DEBIAN_FRONTEND: \$*" >>$BATS_TEST_TMPDIR/calls
		case "\$*" in
		*libinih-dev*) echo noise; touch $BATS_TEST_TMPDIR/got ;;
		*) exit 100 ;; # a mirror that cannot be refreshed
		esac
	END
	PATH=$FAKE:$PATH run -0 ./install.sh
	[[ $output == *libinih-dev* && $output != *noise* ]]
	cat "$BATS_TEST_TMPDIR/calls"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/calls")" = 2 ]
	grep -qE '^noninteractive: .*--no-install-recommends.* install libinih-dev$' "$BATS_TEST_TMPDIR/calls"
}

@test "a failing apt-get: its words, the packages, the log's name; status 1" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	without_inih
	fake apt-get <<<'echo "E: no such thing"; exit 100'
	TMPDIR=$BATS_TEST_TMPDIR PATH=$FAKE:$PATH run -1 ./install.sh
	[[ $output == *"E: no such thing"*"apt-get could not install: libinih-dev (the whole log: $BATS_TEST_TMPDIR/vmaffinity-install."* ]]
	grep -q 'no such thing' "$BATS_TEST_TMPDIR"/vmaffinity-install.*
	[ -z "$(installed)" ]
}

@test "apt-get says it is done, but it is not: reported" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	without_inih
	fake apt-get <<<'exit 0'
	PATH=$FAKE:$PATH run -1 ./install.sh
	[[ $output == *"still missing after that: lib:inih"* ]]
}

@test "the sample changes nothing as it is; its examples are without errors" {
	run ! grep -v '^;' <(grep . conf/vmaffinity.ini)
	./install.sh
	sed 's/^;\([^ ]\)/\1/' conf/vmaffinity.ini >"$BATS_TEST_TMPDIR/examples.ini"
	grep -q '^\[db1\]' "$BATS_TEST_TMPDIR/examples.ini"
	for file in conf/vmaffinity.ini "$BATS_TEST_TMPDIR/examples.ini"; do
		cp "$file" "$BATS_TEST_TMPDIR/rules.ini" # its own: the tree may belong to somebody
		chmod 644 "$BATS_TEST_TMPDIR/rules.ini"
		run "$DESTDIR/usr/sbin/vmaffinity" check "$BATS_TEST_TMPDIR/rules.ini" --against tests/fixtures/machines/v2-systemd.txt
		echo "$output"
		[[ $output != *error* ]]
	done
}

# completions WORD...: what TAB offers at the end of these words.
completions()
{
	bash -c '
		. conf/vmaffinity.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vmaffinity
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" 2>/dev/null | sort | paste -sd ' '
}

@test "completion: commands, options, files, directories, guests" {
	fake virsh <<'END'
#!/bin/sh
[ "$*" = "--quiet --readonly list --name" ] && printf 'web-1\nmy guest\nweb-2\n\n' ||
	{ [ "$*" = "--quiet --readonly --connect test:///x list --name" ] && echo elsewhere; }
END
	export PATH=$FAKE:$PATH
	mkdir "$BATS_TEST_TMPDIR/there" && touch "$BATS_TEST_TMPDIR/there/a.ini"
	[ "$(completions vmaffinity '')" = "apply capture check disable doctor enable help import map plan record release status watch" ]
	[ "$(completions vmaffinity --config x.ini p)" = plan ]
	[ "$(completions vmaffinity help '')" = "apply capture check disable doctor enable import map plan record release status watch" ]
	[ "$(completions vmaffinity s)" = status ]
	[ "$(completions vmaffinity --sy)" = --sysroot ]
	[ "$(completions vmaffinity plan --j)" = --json ]
	[ "$(completions vmaffinity plan --xml "$BATS_TEST_TMPDIR/there/")" = "$BATS_TEST_TMPDIR/there/a.ini" ]
	[ "$(completions vmaffinity --config = "$BATS_TEST_TMPDIR/there/")" = "$BATS_TEST_TMPDIR/there/a.ini" ]
	[ "$(completions vmaffinity --sysroot "$BATS_TEST_TMPDIR/the")" = "$BATS_TEST_TMPDIR/there" ]
	[ "$(completions vmaffinity check "$BATS_TEST_TMPDIR/there/")" = "$BATS_TEST_TMPDIR/there/a.ini" ]
	[ "$(completions vmaffinity plan w)" = "web-1 web-2" ]
	[ "$(completions vmaffinity plan my)" = 'my\ guest' ]
	[ "$(completions vmaffinity apply web-1 w)" = "web-1 web-2" ]
	[ "$(completions vmaffinity status web-1 w)" = "web-1 web-2" ]
	[ "$(completions vmaffinity capture web-1 m)" = 'my\ guest' ]
	[ "$(completions vmaffinity --connect test:///x plan '')" = elsewhere ]
	[ "$(completions vmaffinity --connect = test:///x plan '')" = elsewhere ]
}

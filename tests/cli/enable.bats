#!/usr/bin/env bats
# vmaffinity enable and disable, below a directory of the test's own. Daemons that run are in tests/e2e/install.bats, the
# installer in install.bats.
# shellcheck disable=SC2154,SC2119,SC2120 # set by run: stderr, lines; run passes the arguments

load cli
load old_libvirt

HOOKS=root/etc/libvirt/hooks
QEMU=/etc/libvirt/hooks/qemu
BESIDE=/etc/libvirt/hooks/qemu.d/50-vmaffinity

# As installed: the programs below root/, the guard shipped.
setup()
{
	cli_setup
	rm -r root
	mkdir -p root/usr/sbin root/usr/lib/vmaffinity
	install -m 755 "$BUILD/vmaffinity" "$BUILD/vmaffinity-hook" root/usr/sbin
	install -m 755 "$BUILD/vmaffinity-guard" root/usr/lib/vmaffinity/guard
	installed=$(tree)
}

enable() { timeout 60 root/usr/sbin/vmaffinity enable --sysroot root "$@"; }
disable() { timeout 60 root/usr/sbin/vmaffinity disable --sysroot root; }

# All that is below root/: modes, content, links.
tree() { (cd root && find . -printf '%y %m %p %l ' \( -type f -exec md5sum {} \; -o -printf '\n' \)); }

# says TEXT COMMAND...: ends with 0 and prints just that.
says()
{
	local text=$1
	run -0 --separate-stderr "${@:2}"
	same "" "$stderr"
	same "$text" "$output"
}

# without_place TEXT: enable fails so, dry or not, and nothing has changed.
without_place()
{
	local before
	before=$(tree)
	cannot "vmaffinity: enable: $1" enable --dry-run
	cannot "vmaffinity: enable: $1. Nothing was changed" enable
	same "$before" "$(tree)"
}

foreign() { mkdir -p "$(dirname "root$1")" && install -m 755 /dev/stdin "root$1" <<<'#!/bin/sh'; }

# bats test_tags=sanitized
@test "put in place, a second time, taken away; nothing is left" {
	says "$QEMU: the hook would be put there" enable --dry-run
	same "$installed" "$(tree)"
	says "$QEMU: put in place" enable
	cmp root$QEMU "$BUILD/vmaffinity-guard"
	same "755 0" "$(stat -c '%a %u' root$QEMU)"
	same qemu "$(ls -A $HOOKS)"
	before=$(stat -c '%i %Z' root$QEMU)
	says "$QEMU: was in place" enable
	same "$before" "$(stat -c '%i %Z' root$QEMU)"
	says "$QEMU: removed"$'\n'"running guests are left as they are" disable
	rmdir root/etc
	same "$installed" "$(tree)"
	says "there is no hook of vmaffinity's" disable
}

@test "under any umask the directories can be read" {
	(umask 077 && enable)
	same "755 755 755" "$(stat -c %a root/etc root/etc/libvirt $HOOKS | paste -sd ' ')"
}

@test "one that is older, changed, not executable, writable by others or a link is replaced" {
	enable
	for fault in 'sed -i s/[v]maffinity-guard.0.[0-9]/vmaffinity-guard\x200.9/' 'chmod 644' 'chmod 777' 'chown 1' 'ln -fs /usr/lib/vmaffinity/guard'; do
		$fault root$QEMU
		[[ $fault != ln* ]] || ln -fs "$PWD/root/usr/lib/vmaffinity/guard" root$QEMU
		says "$QEMU: replaced" enable
		cmp root$QEMU "$BUILD/vmaffinity-guard"
		same "regular file 755 0" "$(stat -c '%F %a %u' root$QEMU)"
	done
}

# bats test_tags=sanitized
@test "another program's hook is left alone, and ours goes beside it" {
	foreign $QEMU
	before=$(stat -c '%i %Z' root$QEMU)
	says "$QEMU belongs to another program and is left alone"$'\n'"$BESIDE: put in place" enable
	same "$before" "$(stat -c '%i %Z' root$QEMU)"
	says "$QEMU belongs to another program and is left alone"$'\n'"$BESIDE: was in place" enable
	says "$QEMU belongs to another program and is left alone"$'\n'"$BESIDE: removed"$'\n'"running guests are left as they are" disable
	same "$before" "$(stat -c '%i %Z' root$QEMU)"
	same qemu "$(ls -A $HOOKS)"
	says "$QEMU belongs to another program and is left alone"$'\n'"there is no hook of vmaffinity's" disable
}

@test "a script that names the guard, a dangling link and a directory are another program's" {
	mkdir -p $HOOKS
	for made in 'ln -s /nowhere' 'mkdir' 'foreign'; do
		case $made in
		foreign) foreign $QEMU && echo '# vmaffinity-guard 0.1.0 /usr/sbin/vmaffinity-hook' >>root$QEMU ;;
		*) $made root$QEMU ;;
		esac
		run -0 enable
		same "$BESIDE: put in place" "${lines[1]}"
		disable
		rm -r root$QEMU
	done
}

@test "ours beside stays there; in both places, one goes" {
	foreign $QEMU
	enable
	rm root$QEMU
	says "$BESIDE: was in place" enable
	[ ! -e root$QEMU ]
	cp root$BESIDE root$QEMU
	says "$QEMU: was in place"$'\n'"$BESIDE: removed; libvirt would have run both" enable
	same qemu "$(ls -A $HOOKS)"
	mkdir root${BESIDE%/*}
	cp root$QEMU root$BESIDE
	says "$QEMU: removed"$'\n'"$BESIDE: removed"$'\n'"running guests are left as they are" disable
	[ ! -e root/etc/libvirt ]
}

@test "both places taken by other programs" {
	foreign $QEMU
	foreign $BESIDE
	without_place "both $QEMU and $BESIDE belong to other programs; move one of them away"
	run -0 disable
	[ -e root$BESIDE ]
}

@test "another program's hook, and a libvirt that runs no other" {
	[ -z "${SANITIZE:-}" ]
	foreign $QEMU
	export LD_LIBRARY_PATH=$PWD/lib
	mkdir lib
	for version in 5010000 6004999; do
		old_libvirt $version lib
		without_place "$QEMU belongs to another program, and libvirt ${version:0:1}.$((version / 1000 % 1000)) runs no other hook (${BESIDE%/*} needs 6.5); move that file away, or update libvirt"
	done
	old_libvirt 6005000 lib
	enable
	[ -x root$BESIDE ]
	disable
	echo nothing >lib/libvirt.so.0
	run -3 --separate-stderr enable
	[[ $stderr == "vmaffinity: enable: $QEMU belongs to another program, and the version of libvirt is unknown"* ]]
}

@test "a guard that is missing, foreign or of another version, a worker that is missing: nothing is changed" {
	local guard=root/usr/lib/vmaffinity/guard again="/usr/lib/vmaffinity/guard is missing or not of vmaffinity"
	again+=" $(vmaffinity --version | cut -d ' ' -f 2); install vmaffinity again. Nothing was changed"
	sed -i 's/vmaffinity-guard [0-9.]*/vmaffinity-guard 0.0.9/' $guard
	cannot "vmaffinity: enable: $again" enable
	echo '#!/bin/sh' >$guard
	cannot "vmaffinity: enable: $again" enable
	rm $guard
	cannot "vmaffinity: enable: $again" enable
	cp "$BUILD/vmaffinity-guard" $guard
	chmod 644 root/usr/sbin/vmaffinity-hook
	cannot "vmaffinity: enable: the hook would run /usr/sbin/vmaffinity-hook, which is not executable. Nothing was changed" enable
	rm root/usr/sbin/vmaffinity-hook
	cannot "vmaffinity: enable: the hook would run /usr/sbin/vmaffinity-hook: No such file or directory. Nothing was changed" enable
	[ ! -e root/etc ]
}

@test "a full disk, and a hooks directory on another file system: nothing is left" {
	mkdir -p $HOOKS other
	# shellcheck disable=SC2016 # the inner shell expands it
	run unshare --mount sh -c '
		mount -t tmpfs -o size=64k none root/etc/libvirt && mkdir root/etc/libvirt/hooks && "$@"
		echo "status $?"; find root/etc/libvirt -mindepth 1' sh root/usr/sbin/vmaffinity enable --sysroot root
	echo "$output"
	[[ ${lines[0]} == "vmaffinity: enable: "*".vmaffinity-guard.new: No space left on device. Nothing was changed" ]]
	same "status 3" "${lines[1]}"
	same "" "$(grep guard <<<"${lines[*]:2}")"
	# shellcheck disable=SC2016 # the inner shell expands it
	run unshare --mount sh -c '
		mkdir -p root/etc/libvirt/hooks && mount -t tmpfs none root/etc/libvirt/hooks && "$@"
		echo "status $?"; find root/etc/libvirt -type f' sh root/usr/sbin/vmaffinity enable --sysroot root
	echo "$output"
	same "vmaffinity: enable: $QEMU: Invalid cross-device link. Nothing was changed" "${lines[0]}"
	same "status 3" "${lines[1]}"
	same 2 "${#lines[@]}"
}

@test "a temporary file that a killed run left is in nobody's way" {
	mkdir -p $HOOKS
	ln -s /etc/passwd root/etc/libvirt/.vmaffinity-guard.new
	enable
	same "hooks" "$(ls -A root/etc/libvirt)"
	cmp root$QEMU "$BUILD/vmaffinity-guard"
}

@test "many at once: one guard, whole at every moment" {
	enable
	for ((i = 0; i < 30; i++)); do
		echo >>root$QEMU
		enable >/dev/null &
		enable >/dev/null &
		"$PWD/root$QEMU" </dev/null || [ $? -le 2 ]
		wait
		cmp root$QEMU "$BUILD/vmaffinity-guard"
	done
	same "hooks" "$(ls -A root/etc/libvirt)"
}

@test "where a libvirt daemon is installed, its directories stay" {
	install -D -m 755 /bin/true root/usr/sbin/virtqemud
	enable
	disable
	[ -d $HOOKS ]
}

@test "without root: one line" {
	chmod 755 . ..
	for command in enable disable; do
		run -3 setpriv --reuid=65534 --regid=65534 --clear-groups root/usr/sbin/vmaffinity $command
		same "vmaffinity: $command needs root" "$output"
	done
	refused "disable: unexpected argument 'web-1'" disable web-1
	refused "'disable' has no option '--dry-run'" disable --dry-run
}

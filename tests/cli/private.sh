#!/bin/bash
# Runs a command with /etc, /run and /dev of its own, so that it finds the rules of a test in their real places and its
# log lines reach the test. Everything else is the machine's; nothing is left afterwards.
#
# usage: private.sh DIRECTORY COMMAND [ARG...]
#
# DIRECTORY/etc and DIRECTORY/run are copied to /etc and /run. Messages to the system log
# are then in DIRECTORY/log, one per line. DIRECTORY/logd is tests/e2e/logd.c, built.
set -u

die() { printf 'private.sh: %s\n' "$*" >&2; exit 125; }

# The mount namespace's tree hangs below /proc, which is a mount point everywhere, also in a chroot; made private first,
# so that nothing propagates to the machine (as in tests/e2e/host.sh).
if [ -z "${PRIVATE_STAGE:-}" ]; then
	[ "$(id -u)" = 0 ] || die "must be run as root"
	SELF=$(realpath "$0") DIRECTORY=$(realpath "$1")
	export SELF DIRECTORY
	shift
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --mount --propagation unchanged -- "$BASH" -c '
		mount --make-rprivate /proc &&
		mount -t tmpfs -o mode=755 private /proc/fs && mkdir /proc/fs/root &&
		mount --rbind / /proc/fs/root && mount --make-rprivate /proc/fs/root || exit 125
		PRIVATE_STAGE=1 exec chroot /proc/fs/root "$SELF" "$@"' private.sh "$@"
fi

# The test's directory may lie below one of those that are about to be hidden.
keep=/proc/fs
mount --bind "$DIRECTORY" $keep || die "cannot keep $DIRECTORY"
cache=$(mktemp) && cp /etc/ld.so.cache "$cache" # where the libraries are
for dir in /etc /run /dev; do
	mount -t tmpfs -o mode=755 private $dir || die "cannot mount a tmpfs on $dir"
done
cp "$cache" /etc/ld.so.cache
rm -f "$cache"
for dir in etc run; do
	[ ! -d "$keep/$dir" ] || cp -a "$keep/$dir/." "/$dir/"
done
mknod -m 666 /dev/null c 1 3 || die "cannot make /dev/null"
"$keep/logd" /dev/log "$keep/log" /run/logd.pid </dev/null || die "the log collector does not start"

cd / || die "cannot change to /"
"$@"
status=$?

# Datagrams arrive in order: once our mark is in the file, so is all that came before.
logger -u /dev/log -t mark "end" || die "no mark in the log"
tries=0
until grep -qs ' mark: end' "$keep/log"; do
	[ $((tries += 1)) -lt 500 ] || die "the log collector does not answer"
	sleep 0.01
done
kill "$(cat /run/logd.pid)"
sed -i '/ mark: end/d' "$keep/log"
exit $status

#!/usr/bin/env bats
# The guard, hooks/qemu: whatever becomes of the worker, it ends with a status that harms no guest, says on stdout
# nothing, leaves no process behind, and tells the system log what the worker could not. Run with workers of the test's own
# in a place that only exists there (private.sh): $BUILD/tests/guard waits for them as the real one does,
# $BUILD/tests/guard-hasty for 0.7 s.
# shellcheck disable=SC2154 # set by run: stderr, stderr_lines
# shellcheck disable=SC2016 # the worker expands it

load cli

WORKER=/run/vmaffinity-test-worker
REINSTALL="install vmaffinity again, or remove this hook"

setup_file()
{
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/logd" "$BATS_TEST_DIRNAME/../e2e/logd.c"
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/full-socket" "$BATS_TEST_DIRNAME/full-socket.c"
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/exec-gate" "$BATS_TEST_DIRNAME/exec-gate.c"
}

setup()
{
	umask 022
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -p own/run
	cp "$BATS_FILE_TMPDIR/logd" own/logd
	cp "$BATS_FILE_TMPDIR/full-socket" "$BATS_FILE_TMPDIR/exec-gate" "$BUILD/tests/guard" "$BUILD/tests/guard-hasty" own/run
	: >own/pids
	echo '<domain/>' >xml
}

# A test that failed may have left somebody behind.
teardown()
{
	local pid
	while read -r pid; do
		if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR"; then
			kill -KILL "$pid"
		fi
	done < <(cat own/pids own/child 2>/dev/null)
}

# worker SCRIPT: what the guard finds in the worker's place. It writes to /proc/fs, which is own/ here.
worker() { install -m 755 /dev/stdin own$WORKER <<<$'#!/bin/bash\necho $$ >>/proc/fs/pids\n'"$1"; }

# private COMMAND...: where the worker and the log are the test's; stdin is the XML. A guard that does not end takes no
# signal but one.
private()
{
	rm -f own/log
	"$BATS_TEST_DIRNAME/private.sh" own timeout -s KILL 30 "$@" 3>&- <xml
}

# guard STATUS OPERATION [GUEST [PROGRAM]]: it ends so, with nothing on stdout; and all that it started is gone.
guard()
{
	run "-$1" --separate-stderr private "/run/${4:-guard}" "${3-web}" "$2" begin -
	same "" "$output"
	gone
}

# All processes that the workers noted have ended, or do so at once.
gone()
{
	local pid tries=0
	while read -r pid; do
		while [ -d "/proc/$pid" ] && ! grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status"; do
			if [ $((tries += 1)) -gt 500 ]; then
				echo "left over: $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
				return 1
			fi
			sleep 0.01
		done
	done <own/pids
	: >own/pids
}

# logged [GUEST: MESSAGE]: this is all in the log, LOG_DAEMON and LOG_CRIT; nothing if it is left out.
logged()
{
	same "$1" "$(sed -E 's/^<26>.* vmaffinity\[[0-9]+\]: //' own/log)"
}

# unpinned MESSAGE: the guest "web" runs on, because.
unpinned() { logged "web: not pinned, runs on: $1"; }

# midway MESSAGE: the same, of a worker that may have done a part of its work.
midway() { logged "web: perhaps not pinned, or in part, runs on: $1"; }

@test "for all operations but two: 0 at once, no worker, stdin is left alone" {
	worker 'echo >/proc/fs/ran; exit 113'
	for op in prepare start stopped release migrate restore attach Started "started " ""; do
		run -0 --separate-stderr private /bin/bash -c '/run/guard web "$1" begin - && cat' bash "$op"
		same "<domain/>" "$output"
		same "" "$stderr"
	done
	for arguments in "" web; do
		# shellcheck disable=SC2086 # perhaps none
		run -0 --separate-stderr private /run/guard $arguments
		same "" "$output$stderr"
	done
	[ ! -e own/ran ]
	logged ""
}

@test "not root: 0, no worker" {
	worker 'echo >/proc/fs/ran; exit 113'
	chmod 777 own
	for op in started reconnect; do
		run -0 --separate-stderr private setpriv --reuid 65534 --regid 65534 --clear-groups \
			/run/guard web $op begin -
		same "" "$output"
	done
	[ ! -e own/ran ]
	logged ""
}

@test "the worker gets libvirt's arguments, its stdin and its environment" {
	worker 'printf "%s|" "$0" "$@" "$MARK" "$(cat)" >/proc/fs/seen'
	export MARK="from libvirt"
	head -c 300000 /dev/zero | tr '\0' x >xml # more than a pipe holds
	for op in started reconnect; do
		guard 0 $op 'a b&c'
		same "" "$stderr"
		same "$WORKER|a b&c|$op|begin|-|from libvirt|$(cat xml)|" "$(cat own/seen)"
	done
	logged ""
}

@test "the worker has no other fd, no blocked and no ignored signal" {
	worker '/bin/ls /proc/self/fd >/proc/fs/fds; grep -hE "^Sig(Blk|Ign)" /proc/self/status >/proc/fs/signals'
	run -0 --separate-stderr private env --ignore-signal=HUP,INT,QUIT,TERM,CHLD,PIPE,USR1 --block-signal=TERM,CHLD,ALRM \
		bash -c '/bin/ls /proc/self/fd >/proc/fs/before; exec /run/guard web started begin -'
	same "$(cat own/before)" "$(cat own/fds)"
	while read -r kind mask; do
		# but for 32 and 33, which glibc keeps to itself
		[ $((0x$mask & 0x7fffffff)) = 0 ] || { echo "$kind $mask" >&2; return 1; }
	done <own/signals
	[ "$(wc -l <own/signals)" = 2 ]
	logged ""
}

@test "0: all is well" {
	worker 'echo "a word on stderr" >&2'
	for op in started reconnect; do
		guard 0 $op
		same "" "$stderr"
		logged ""
	done
}

@test "1: the worker has logged why; the guest runs on" {
	worker 'exit 1'
	for op in started reconnect; do
		guard 0 $op
		same "" "$stderr"
		logged ""
	done
}

# bats test_tags=sanitized
@test "113 on started: refused, the worker's message goes to stderr as it is" {
	worker 'printf "refused: for\na \033[1mreason\n" >&2; exit 113'
	guard 1 started
	same $'refused: for\na \033[1mreason' "$stderr"
	logged ""
	worker 'exit 113'
	guard 1 started
	same "" "$stderr"
	logged ""
}

@test "113 on reconnect: the guest runs on" {
	worker 'echo refused >&2; exit 113'
	guard 0 reconnect
	same "" "$stderr"
	unpinned "$WORKER refused it, which only a start can be"
}

@test "any other status: the guest runs on; the first line of what was said is logged, made harmless" {
	for op in started reconnect; do
		for code in 2 112 114 126 127 128 139 255; do
			worker "echo 'cannot load libinih'; printf 'no \033[2Jlibrary\nmore\n' >&2; exit $code"
			guard 0 $op
			same "" "$stderr"
			unpinned "$WORKER ended with status $code (no \\x1b[2Jlibrary); $REINSTALL"
		done
	done
	worker 'exit 2'
	guard 0 started
	unpinned "$WORKER ended with status 2 (without a word); $REINSTALL"
	# what a sanitizer or a loader says with the status of a worker that has logged why
	worker 'echo "lost" >&2; exit 1'
	guard 0 started
	unpinned "$WORKER ended with status 1 (lost); $REINSTALL"
}

@test "no worker that can be run: the guest runs on, and why is logged" {
	local prefix="$WORKER cannot be run:"
	for op in started reconnect; do
		rm -rf own$WORKER
		guard 0 $op
		unpinned "$prefix No such file or directory; $REINSTALL"
		ln -s nowhere own$WORKER
		guard 0 $op
		unpinned "$prefix No such file or directory; $REINSTALL"
		rm own$WORKER
		worker 'exit 113'
		chmod 000 own$WORKER
		guard 0 $op
		unpinned "$prefix Permission denied; $REINSTALL"
		echo "some text" >own$WORKER
		chmod 755 own$WORKER
		guard 0 $op
		unpinned "$prefix Exec format error; $REINSTALL"
		: >own$WORKER
		guard 0 $op
		unpinned "$prefix Exec format error; $REINSTALL"
		echo '#!/no/such/interpreter' >own$WORKER
		guard 0 $op
		unpinned "$prefix No such file or directory; $REINSTALL"
		# an ELF file of a machine that there is none of
		{ head -c 18 /bin/true; printf '\xfe\xfe'; tail -c +21 /bin/true; } >own$WORKER
		guard 0 $op
		unpinned "$prefix Exec format error; $REINSTALL"
		rm own$WORKER
		mkdir own$WORKER
		guard 0 $op
		unpinned "$prefix Permission denied; $REINSTALL"
		rmdir own$WORKER
	done
}

@test "ended by a signal: the guest runs on, and which one is logged" {
	for op in started reconnect; do
		for signal in "SEGV 11 Segmentation fault" "KILL 9 Killed" "TERM 15 Terminated" "ABRT 6 Aborted" "PIPE 13 Broken pipe"; do
			read -r name number words <<<"$signal"
			worker "echo said >&2; ulimit -c 0; kill -$name \$\$; sleep 50"
			guard 0 $op
			same "" "$stderr"
			midway "$WORKER was ended by signal $number ($words); try 'vmaffinity plan'"
		done
	done
}

HUNG="$WORKER did not end within 0.7 s and was killed; try 'vmaffinity plan'"

@test "hangs: killed after the time limit, and logged" {
	worker 'trap "" TERM INT HUP; echo "nobody hears this" >&2; while :; do sleep 1000; done'
	for op in started reconnect; do
		guard 0 $op web guard-hasty
		same "" "$stderr"
		midway "$HUNG"
	done
}

@test "hangs, with children that hold stderr: killed, with them" {
	worker '(echo $BASHPID >>/proc/fs/pids; sleep 1000) & sleep 1000 & echo $! >>/proc/fs/pids; wait'
	guard 0 started web guard-hasty
	midway "$HUNG"
}

@test "a virus scanner holds the exec: the guard ends all the same, while it still does" {
	worker 'echo >/proc/fs/ran'
	for op in started reconnect; do
		run -0 --separate-stderr private bash -c '
			coproc gate { exec /run/exec-gate /run/vmaffinity-test-worker; }
			read -r line <&"${gate[0]}" && [ "$line" = ready ] || exit 99
			/run/guard-hasty web "$1" begin - && kill -0 "$gate_PID" || exit 98
			exec {gate[1]}>&-; wait' bash $op
		same "" "$output$stderr"
		midway "$HUNG"
		[ ! -e own/ran ]
	done
}

@test "hangs without its stderr: the guard sleeps until then" {
	worker 'exec sleep 1000 2>&-'
	run -0 --separate-stderr private bash -c '
		TIMEFORMAT="%U %S"; { time /run/guard-hasty web started begin -; } 2>/proc/fs/times'
	same "" "$output"
	gone
	midway "$HUNG"
	# a guard that looks again and again would take most of 0.7 s of a CPU
	awk '{ exit $1 + $2 >= 0.35 }' own/times || { cat own/times >&2; return 1; }
}

@test "hangs and writes without end: killed, and logged" {
	worker "for i in 1 2 3 4; do
		perl -e '\$text = q(flood) x 10000; syswrite(STDERR, \$text) while 1' & echo \$! >>/proc/fs/pids
	done; wait"
	guard 0 started web guard-hasty
	same "" "$stderr"
	midway "$HUNG"
}

@test "a child that outlives the worker and holds its stderr is not waited for" {
	worker 'setsid sleep 1000 & echo $! >/proc/fs/child; exit 0'
	run -0 --separate-stderr private /run/guard web started begin -
	same "" "$output$stderr"
	logged ""
	child=$(cat own/child)
	[ -d "/proc/$child" ] && kill "$child"
	worker 'setsid sleep 1000 & echo $! >/proc/fs/child; echo no >&2; exit 113'
	run -1 --separate-stderr private /run/guard web started begin -
	same "no" "$stderr"
	child=$(cat own/child)
	[ -d "/proc/$child" ] && kill "$child"
}

@test "hangs, with a child in a session of its own: the guard ends all the same" {
	worker 'setsid sleep 1000 & echo $! >/proc/fs/child; exec sleep 1000'
	guard 0 started web guard-hasty
	midway "$HUNG"
	kill "$(cat own/child)"
}

# bats test_tags=sanitized
@test "a MiB on stderr: the worker does not block; 4 KiB of it are kept" {
	worker 'yes 0123456789abcde | head -c 1048576 >&2; echo >/proc/fs/done; exit 113'
	guard 1 started
	[ -e own/done ]
	same "$(yes 0123456789abcde | head -c 4096)" "$stderr"
	worker 'yes 0123456789abcde | head -c 1048576 | tr -d "\n" >&2; exit 0'
	guard 0 started
	same "" "$stderr"
	logged ""
	worker 'yes 0123456789abcde | head -c 1048576 | tr -d "\n" >&2; exit 127'
	guard 0 reconnect
	[[ $(cat own/log) == *"status 127 (0123456789abcde0"*"..." ]]
	[ "$(wc -c <own/log)" -lt 1024 ]
}

@test "what the worker prints does not come through" {
	for code in 0 1 2 113; do
		worker "echo '<domain>not this</domain>'; cat; exit $code"
		guard 0 reconnect
		guard $((code == 113)) started
	done
}

@test "a worker that closes its stderr early is waited for" {
	worker 'exec 2>&-; sleep 0.2; exit 113'
	guard 1 started
	same "" "$stderr"
	logged ""
	worker 'echo reason >&2; exec 2>&-; sleep 0.2; exit 113'
	guard 1 started
	same "reason" "$stderr"
}

@test "a worker that reads no stdin" {
	head -c 300000 /dev/zero | tr '\0' x >xml
	worker 'exit 0'
	guard 0 started
	worker 'exec <&-; exit 113'
	guard 1 started
}

@test "stdin, stdout and stderr closed" {
	worker 'echo no >&2; exit 113'
	run -1 --separate-stderr private bash -c '/run/guard web started begin - <&- >&- 2>&-'
	same "" "$output$stderr"
	logged "web: not pinned, runs on: refused: no"
	run -0 --separate-stderr private bash -c '/run/guard web reconnect begin - <&- >&- 2>&-'
	unpinned "$WORKER refused it, which only a start can be"
	worker 'exit 2'
	run -0 --separate-stderr private bash -c '/run/guard web started begin - <&- >&- 2>&-'
	unpinned "$WORKER ended with status 2 (without a word); $REINSTALL"
}

@test "nobody reads its stderr any more: refused, and the reason is logged" {
	worker 'echo "the reason" >&2; exit 113'
	run -1 --separate-stderr private bash -c '
		mkfifo /run/gone && exec 8<>/run/gone 9>/run/gone 8>&- && exec /run/guard web started begin - 2>&9'
	same "" "$output"
	logged "web: not pinned, runs on: refused: the reason"
}

@test "its stderr is full and nobody reads it: refused all the same, in time" {
	worker 'echo "the reason" >&2; exit 113'
	run -1 --separate-stderr private bash -c '
		mkfifo /run/full && exec 9<>/run/full &&
		! yes | dd of=/run/full oflag=nonblock iflag=fullblock bs=4096 2>/dev/null || exit 99
		exec /run/guard-hasty web started begin - 2>&9'
	same "" "$output"
	gone
}

@test "SIGCHLD ignored by whoever runs it: the worker's end is still seen" {
	worker 'echo no >&2; exit 113'
	run -1 --separate-stderr private env --ignore-signal=CHLD /run/guard web started begin -
	same "no" "$stderr"
	gone
}

@test "signals do not end it" {
	worker 'for s in HUP INT QUIT TERM USR1 USR2 PIPE CHLD CONT; do kill -$s $PPID; done; sleep 0.2; echo no >&2; exit 113'
	guard 1 started
	same "no" "$stderr"
	worker 'for s in HUP INT QUIT TERM SEGV ABRT USR1; do kill -$s $PPID; done; exit 2'
	guard 0 reconnect
	unpinned "$WORKER ended with status 2 (without a word); $REINSTALL"
}

# without_log COMMAND...: with nothing at /dev/log; the console is own/console.
without_log()
{
	private bash -c 'mv /dev/log /dev/away; touch /proc/fs/console; ln -s /proc/fs/console /dev/console
		"$@"; status=$?; mv /dev/away /dev/log; exit $status' bash "$@"
}

@test "no system log: the console is told" {
	worker 'exit 2'
	run -0 --separate-stderr without_log /run/guard web started begin -
	same "" "$output$stderr"
	[[ $(cat own/console) == *"web: not pinned, runs on: $WORKER ended with status 2 (without a word); $REINSTALL"* ]]
	rm own$WORKER
	run -0 --separate-stderr without_log /run/guard web reconnect begin -
	same "" "$output$stderr"
}

# with_full_log COMMAND...: with a system log that nobody reads, and that takes no more.
with_full_log()
{
	private bash -c 'mv /dev/log /dev/away
		coproc full { /run/full-socket /dev/log; }
		read -r line <&"${full[0]}" && [ "$line" = full ] || exit 99
		"$@"; status=$?
		exec {full[1]}>&-; wait; rm /dev/log; mv /dev/away /dev/log; exit $status' bash "$@"
}

@test "a system log that takes nothing: ends in time, with the right status" {
	worker 'exit 2'
	for op in started reconnect; do
		run -0 --separate-stderr with_full_log /run/guard-hasty web $op begin -
		same "" "$output$stderr"
	done
	worker 'exec sleep 1000'
	run -0 --separate-stderr with_full_log /run/guard-hasty web started begin -
	gone
	worker 'echo no >&2; exit 113'
	run -1 --separate-stderr with_full_log /run/guard-hasty web started begin -
	same "no" "$stderr"
	run -0 --separate-stderr with_full_log /run/guard-hasty web reconnect begin -
	# stderr away: the reason goes to the log, which does not take it either
	run -1 --separate-stderr with_full_log bash -c 'exec /run/guard-hasty web started begin - 2>&-'
	gone
}

# bats test_tags=sanitized
@test "guests' names are made harmless in the log" {
	worker 'exit 2'
	local said="not pinned, runs on: $WORKER ended with status 2 (without a word); $REINSTALL"
	guard 0 started $'a\nb\t\033[2J\177'
	logged "'a\\x0ab\\x09\\x1b[2J\\x7f': $said"
	guard 0 started $'caf\xc3\xa9 \xff \xe2\x80\xae%s%n&"'
	logged $'\'caf\xc3\xa9 \\xff \\xe2\\x80\\xae%s%n&"\': '"$said"
	guard 0 started ""
	logged "'': $said"
	guard 0 started "db1: pinned: emulator 0"
	logged "'db1: pinned: emulator 0': $said"
	name=$(printf 'n%.0s' {1..300})
	guard 0 reconnect "$name"
	logged "${name:0:252}...: $said"
}

#!/usr/bin/env bats
# Nothing half-done: the real worker, with its k-th system call failing, for every k.
# A worker that reports failure has changed nothing; one that reports success has done all.

load lib

# All of the guest on CPU 0, as masks and as the affinity that the kernel remembers of each
# thread; the new rules want 0-1, so every group needs its mask written and every thread set.
setup()
{
	case_setup
	old_rules
	guest_start g vcpus=3 iothreads=1
	XML=$E2E_DIR/g.xml
	v dumpxml --domain g >"$XML"
	PID=$(guest_pid g)
	put_back
	BEFORE=$(snapshot g)
}

teardown() { case_teardown; }

old_rules() { printf '[*]\nemulator = 0\nvcpus = 0\niothreads = 0\n' | rules; }
new_rules() { printf '[*]\nemulator = 0-1\nvcpus = 0-1\niothreads = 0-1\n' | rules; }
ruled() { assert_guest g 0-1 0-1 0-1; }

# So often an affinity was to be set: for each thread or, where a written mask has done that, never.
for_each_affinity() { if sticky; then [ "$1" -ge 6 ]; else [ "$1" = 0 ]; fi; }

put_back()
{
	old_rules
	worker g reconnect <"$XML"
	taskset -acp 0 "$PID" >/dev/null
	new_rules
}

# every_k CALLS HOW: the worker once for each k, with HOW injected into the k-th of CALLS, until there is
# no k-th. Sets FAILED, SUCCEEDED and DIED to how often it ended so: status 1, status 0, or otherwise.
every_k()
{
	local calls=$1 how=$2 k status trace=$E2E_DIR/trace
	FAILED=0 SUCCEEDED=0 DIED=0
	put_back
	for k in {1..400}; do
		status=0
		log_mark
		strace -E "$TRACED_ENV" -f -qq -o "$trace" -e "trace=$calls" -e "inject=$calls:$how:when=$k" \
			"$WORKER" g reconnect begin - <"$XML" 2>"$E2E_DIR/stderr" || status=$?
		[ "$(guest_pid g)" = "$PID" ] || return 1
		grep -qE '\(INJECTED\)|SIGKILL' "$trace" || break
		# A sanitizer opens and reads files of its own; what it makes of a fault there is not the worker's end.
		! grep -q Sanitizer "$E2E_DIR/stderr" || status=sanitizer
		case $status in
		sanitizer)
			DIED=$((DIED + 1))
			put_back
			;;
		0)
			ruled || fail "$calls:$how, k=$k: exit 0, but not done" "$(log_since)" || return 1
			SUCCEEDED=$((SUCCEEDED + 1))
			put_back
			;;
		1)
			assert_unchanged g "$BEFORE" || fail "$calls:$how, k=$k: exit 1, but something changed" "$(cat "$E2E_DIR/stderr")" || return 1
			[ -n "$(log_since)" ] || fail "$calls:$how, k=$k: exit 1, and nothing in the log" || return 1
			FAILED=$((FAILED + 1))
			taskset -acp 0 "$PID" >/dev/null
			;;
		127 | 139) # the loader could not even start it
			assert_unchanged g "$BEFORE" ||
				fail "$calls:$how, k=$k: exit $status, but something changed" || return 1
			DIED=$((DIED + 1))
			;;
		137)
			DIED=$((DIED + 1))
			put_back
			;;
		*) fail "$calls:$how, k=$k: exit $status: $(cat "$E2E_DIR/stderr")" || return 1 ;;
		esac
		[ "$status" = 1 ] || assert_unchanged g "$BEFORE" || fail "$calls:$how, k=$k: cannot be put right" || return 1
	done
	[ "$k" -lt 400 ] || fail "$calls: no end" || return 1
	[ "$status" = 0 ] || fail "$calls:$how: without a fault the worker fails" || return 1
	ruled || return 1
	show "$calls:$how: $FAILED failed and undone, $SUCCEEDED succeeded nonetheless, $DIED died"
}

@test "a write of a mask fails, at every step" {
	every_k pwrite64,write error=EIO
	[ "$FAILED" -ge 5 ]
	[ "$SUCCEEDED" = 0 ]
}

@test "a write of a mask is refused as outside the parent, at every step" {
	every_k pwrite64,write error=EACCES
	[ "$FAILED" -ge 5 ]
}

@test "a write of a mask is short, at every step" {
	every_k pwrite64,write retval=0
	[ "$FAILED" -ge 5 ]
}

@test "a write of a mask that does nothing is found out" {
	# The kernel says yes and the mask stays: only reading back can tell.
	every_k pwrite64 retval=3
	[ "$FAILED" -ge 5 ]
	[ "$SUCCEEDED" = 0 ]
}

@test "an affinity is refused, at every step" {
	every_k sched_setaffinity error=EPERM
	for_each_affinity "$FAILED"
	[ "$SUCCEEDED" = 0 ]
}

@test "an affinity that is not taken is found out" {
	every_k sched_setaffinity retval=0
	for_each_affinity $((FAILED + SUCCEEDED))
}

@test "reading an affinity fails, at every step" {
	every_k sched_getaffinity error=EPERM
	[ "$FAILED" -ge 12 ]
}

@test "no file can be opened, at every step" {
	every_k openat error=ENFILE
	[ "$FAILED" -ge 5 ]
}

@test "no file can be read, at every step" {
	every_k read error=EIO
	[ "$FAILED" -ge 5 ]
}

@test "a directory cannot be listed, at every step" {
	every_k getdents64 error=EIO
	[ "$FAILED" -ge 1 ]
}

@test "killed at every write or affinity: the next run puts it right" {
	every_k pwrite64 signal=KILL
	[ "$DIED" -ge 5 ]
	every_k sched_setaffinity signal=KILL
	for_each_affinity "$DIED"
}

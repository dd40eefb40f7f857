#!/usr/bin/env bats
# Nothing half-done: the real worker, with its k-th system call failing, for every k.
# A worker that reports failure has changed nothing; one that reports success has done all.

load lib

setup()
{
	case_setup
	printf '[*]\nemulator = 0\nvcpus = 0-1\niothreads = 0\n' | rules
	guest_start g vcpus=3 iothreads=1 vcpupin="0:0 1:1"
	XML=$E2E_DIR/g.xml
	v dumpxml --domain g >"$XML"
	BEFORE=$(snapshot g)
}

teardown() { case_teardown; }

ruled() { assert_guest g 1 0 0-1; }
new_rules() { printf '[*]\nemulator = 1\nvcpus = 0\niothreads = 0-1\n' | rules; }
old_rules() { printf '[*]\nemulator = 0\nvcpus = 0-1\niothreads = 0\n' | rules; }

# every_k CALLS HOW: the worker once for each k, with HOW injected into the k-th of CALLS, until there is no k-th.
# Sets FAILED, SUCCEEDED and KILLED to how often it ended so.
every_k()
{
	local calls=$1 how=$2 k status trace=$E2E_DIR/trace
	FAILED=0 SUCCEEDED=0 KILLED=0
	for k in {1..400}; do
		new_rules
		status=0
		log_mark
		strace -f -qq -o "$trace" -e "trace=$calls" -e "inject=$calls:$how:when=$k" \
			"$WORKER" g reconnect begin - <"$XML" || status=$?
		assert_running g || return 1
		grep -qE '\(INJECTED\)|SIGKILL' "$trace" || break
		case $status in
		0)
			ruled || fail "$calls:$how, k=$k: exit 0, but not done" || return 1
			SUCCEEDED=$((SUCCEEDED + 1))
			;;
		1)
			assert_unchanged g "$BEFORE" || fail "$calls:$how, k=$k: exit 1, but something changed" || return 1
			[ -n "$(log_since)" ] || fail "$calls:$how, k=$k: exit 1, and nothing in the log" || return 1
			FAILED=$((FAILED + 1))
			;;
		137) KILLED=$((KILLED + 1)) ;;
		*) fail "$calls:$how, k=$k: exit $status" || return 1 ;;
		esac
		if [ "$status" != 1 ]; then
			old_rules
			worker g reconnect <"$XML"
			assert_unchanged g "$BEFORE" || fail "$calls:$how, k=$k: cannot be put right" || return 1
		fi
	done
	[ "$k" -lt 400 ] || fail "$calls: no end" || return 1
	[ "$status" = 0 ] && ruled || fail "$calls:$how: without a fault the worker fails" || return 1
	show "$calls:$how: $FAILED failed and undone, $SUCCEEDED succeeded nonetheless, $KILLED killed"
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

@test "an affinity is refused, at every step" {
	every_k sched_setaffinity error=EPERM
	[ "$FAILED" -ge 3 ]
	[ "$SUCCEEDED" = 0 ]
}

@test "reading an affinity back fails, at every step" {
	every_k sched_getaffinity error=EPERM
	[ $((FAILED + SUCCEEDED)) -ge 3 ]
}

@test "a thread has ended when its turn comes" {
	every_k sched_setaffinity error=ESRCH
	[ $((FAILED + SUCCEEDED)) -ge 3 ]
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

@test "no memory, at every step" {
	every_k mmap,brk error=ENOMEM
	[ $((FAILED + SUCCEEDED)) -ge 3 ]
}

@test "killed at every step: the next run puts it right" {
	every_k pwrite64,sched_setaffinity signal=KILL
	[ "$KILLED" -ge 8 ]
}

@test "a write that does nothing is found out" {
	# The kernel says yes and the mask stays: only reading back can tell.
	every_k pwrite64 retval=1
	[ "$SUCCEEDED" = 0 ] || fail "the worker believed a write that was not made"
}

@test "an affinity that is not taken is found out" {
	every_k sched_setaffinity retval=0
	[ $((FAILED + SUCCEEDED)) -ge 3 ]
}

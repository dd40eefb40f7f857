#!/usr/bin/env bats
# The contract with libvirt: operations, refusals, what goes to stdout, bad input.

bats_require_minimum_version 1.5.0
load lib

setup() { case_setup; }
teardown() { case_teardown; }

@test "the guard does nothing but for started and reconnect" {
	local op trace=$E2E_DIR/trace
	fake_worker <<<$'#!/bin/sh\ntouch /run/e2e-worker-ran\nexit 1'
	for op in prepare start started reconnect stopped release migrate restore attach unknown; do
		rm -f /run/e2e-worker-ran
		run traced "$trace" "$GUARD" g "$op" begin - </dev/null
		[ "$status" = 0 ] || fail "$op: exit $status"
		[ -z "$output" ] || fail "$op: says: $output"
		case $op in
		started | reconnect) [ -e /run/e2e-worker-ran ] || fail "$op: no worker" ;;
		*)
			[ ! -e /run/e2e-worker-ran ] || fail "$op: a worker"
			[ "$(grep -c 'execve(' "$trace")" = 1 ] || fail "$op: ran something"
			;;
		esac
	done
	rm -f /run/e2e-worker-ran
}

@test "nothing on stdout, whatever the worker says there" {
	fake_worker <<<$'#!/bin/sh\necho "<domain/>"\necho noise >&2\nexit 0'
	[ -z "$("$GUARD" g started begin - </dev/null 2>/dev/null)" ]
	[ -z "$("$GUARD" g reconnect begin - </dev/null 2>/dev/null)" ]
}

@test "a start, a reconnect and an end print nothing" {
	local op
	printf '[*]\nvcpus = 1\n' | rules
	guest_start g
	v dumpxml --domain g >"$E2E_DIR/g.xml"
	for op in prepare start started reconnect stopped release migrate restore; do
		run "$GUARD" g "$op" begin - <"$E2E_DIR/g.xml"
		[ "$status" = 0 ] || fail "$op: exit $status"
		[ -z "$output" ] || fail "$op: says: $output"
	done
}

@test "misuse of the guard cannot fail a guest" {
	run "$GUARD" </dev/null
	[ "$status" = 0 ]
	run "$GUARD" g reconnect </dev/null
	[ "$status" = 0 ]
	run "$GUARD" '' reconnect begin - </dev/null
	[ "$status" = 0 ]
}

@test "on-error = fail refuses a start, and virsh shows why" {
	printf '[global]\non-error = fail\n[g]\nvcpus = 999\n' | rules
	guest_define g vcpus=2
	run v start --domain g
	show "${lines[@]}"
	[ "$status" != 0 ]
	[[ $output == *999* ]]
	[ "$(v domstate --domain g)" = "shut off" ]
	show_log
	assert_log 'g.*999|999.*g'
	# the others start
	guest_start h
	assert_running h
}

@test "on-error = fail in a rule refuses that rule's guests only" {
	printf '[g]\nvcpus = 999\non-error = fail\n[h]\nvcpus = 999\n' | rules
	run guest_start g
	[ "$status" != 0 ]
	[[ $output == *999* ]]
	guest_start h
	assert_running h
	assert_guest h "$HOST_CPUS" "$HOST_CPUS"
	assert_log '\bh\b.*999|999.*\bh\b'
}

@test "on-error = fail on reconnect: the guest lives" {
	local before
	printf '[g]\nvcpus = 1\n' | rules
	guest_start g vcpus=2
	before=$(snapshot g)
	printf '[global]\non-error = fail\n[g]\nvcpus = 999\n' | rules
	log_mark
	daemon_restart
	assert_running g
	assert_unchanged g "$before"
	assert_log 999
	show_log
}

@test "a start refused leaves nothing behind, and the next one works" {
	printf '[g]\nvcpus = 999\non-error = fail\n' | rules
	run guest_start g
	[ "$status" != 0 ]
	printf '[g]\nvcpus = 1\non-error = fail\n' | rules
	v start --domain g
	assert_guest g "$HOST_CPUS" 1
}

@test "bad XML by hand for a running guest and a rule that needs it: an error, and the guest is unharmed" {
	local what before xml=$E2E_DIR/g.xml bad=$E2E_DIR/bad.xml
	printf '[*]\nemulator = 0\nvcpus = 0\n' | rules
	guest_start g vcpus=2
	before=$(snapshot g)
	v dumpxml --domain g >"$xml"
	printf '[by UUID]\nmatch = uuid:%s\nemulator = 1\nvcpus = 1\n' "$(v domuuid --domain g)" | rules
	for what in cut empty blank "not XML" "not a domain" DOCTYPE entities nested "vcpu of 99999" \
		"a NUL" "65 MiB"; do
		case $what in
		cut) head -c 400 "$xml" ;;
		empty) : ;;
		blank) printf '\n \n' ;;
		"not XML") echo "hello, world" ;;
		"not a domain") sed 's/<domain /<network /; s/<.domain>/<\/network>/' "$xml" ;;
		DOCTYPE) echo '<!DOCTYPE domain>' && cat "$xml" ;;
		entities)
			echo '<!DOCTYPE domain [<!ENTITY a "0123456789"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
			sed 's/<name>g/<name>g\&b;/' "$xml"
			;;
		nested) head -n 1 "$xml" && yes '<a>' | head -n 200000 ;;
		"vcpu of 99999") sed 's/<vcpu .*/<vcpu>99999<\/vcpu>/' "$xml" ;;
		"a NUL") head -c 100 "$xml" && printf '\0' && tail -c +101 "$xml" ;;
		"65 MiB") sed '/<\/domain>/d' "$xml" && head -c 68157440 /dev/zero | tr '\0' ' ' && echo '</domain>' ;;
		esac >"$bad"
		log_mark
		run worker g reconnect <"$bad"
		[ "$status" = 1 ] || fail "$what: the worker's exit is $status"
		[ -z "$output" ] || fail "$what: the worker says: $output"
		assert_unchanged g "$before" || fail "$what"
		[ -n "$(log_since)" ] || fail "$what: nothing in the log"
		show "$what" && show_log
		run "$GUARD" g reconnect begin - <"$bad"
		[ "$status" = 0 ] || fail "$what: the guard's exit is $status"
	done
	# the same call with the right XML does work; a rule by name needs none
	worker g reconnect <"$xml"
	assert_guest g 1 1
	printf '[g]\nemulator = 0\nvcpus = 0\n' | rules
	worker g reconnect <"$bad"
	assert_guest g 0 0
}

@test "a worker by hand for a guest that does not run: an error" {
	printf '[*]\nvcpus = 0\n' | rules
	guest_define g
	v dumpxml --domain g >"$E2E_DIR/g.xml"
	run worker g reconnect <"$E2E_DIR/g.xml"
	[ "$status" = 1 ]
	[ -n "$(log_since)" ]
	show_log
}

@test "an ordinary user may run the guard: it does nothing" {
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$GUARD" g reconnect begin - </dev/null
	[ "$status" = 0 ]
	[ -z "$output" ]
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$GUARD" g started begin - </dev/null
	[ "$status" = 0 ]
	[ -z "$output" ]
}

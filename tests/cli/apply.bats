#!/usr/bin/env bats
# vmaffinity apply where no guest has a process: which guests it takes, what it says, how it ends. It has no --sysroot, so
# it sees a /run of its own (private.sh). Guests that it pins are in tests/e2e/apply.bats.
# shellcheck disable=SC2154,SC2153,SC2030,SC2031 # set by run; $DEAD; each test has an environment of its own

load cli

setup_file()
{
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/logd" "$BATS_TEST_DIRNAME/../e2e/logd.c"
}

setup()
{
	cli_setup
	mkdir -p own/etc own/run/libvirt/qemu
	cp "$BATS_FILE_TMPDIR/logd" own/logd
	# off is known to libvirt's test driver, but is shut off
	printf '<node>%s%s%s</node>' "$(guest web-2)" "$(guest web-1)" \
		"$(guest off | sed 's/<domain /&xmlns:test="http:\/\/libvirt.org\/schemas\/domain\/test\/1.0" /
			s/<name>/<test:runstate>5<\/test:runstate>&/')" |
		sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/' >node.xml
	uri=test://$PWD/node.xml
}

own_rules() { printf '%b' "$1" >own/etc/vmaffinity.ini; }

apply() { "$BATS_TEST_DIRNAME/private.sh" own timeout 60 "$BUILD/vmaffinity" apply --connect "$uri" "$@" 3>&-; }

ABSENT="not running here: no pid file and no status file in /run/libvirt/qemu"
elsewhere() { echo "runs under $uri, but not under qemu:///system of this host: it cannot be pinned"; }

@test "all guests that run, by name; none of them matches a rule" {
	own_rules '[other]\nvcpus = 0\n'
	run -0 --separate-stderr apply
	same "\
web-1: no rule pins it
web-2: no rule pins it
2 guests: 2 without a rule" "$output"
	same "" "$stderr"
	same "$output" "$(apply --all)"
	own_rules '[*]\nvcpus = keep\n'
	same "$output" "$(apply)"
	rm own/etc/vmaffinity.ini
	same "$output" "$(apply)"
}

@test "--json: one document, an object for each guest" {
	own_rules '[other]\nvcpus = 0\n[web-2]\nvcpus = 1\n'
	run -1 --separate-stderr apply --json
	"$REPO/tests/checks/json_schema.py" apply <<<"$output"
	same '[{"guest":"web-1","error":null,"state":"no-rule","set":null,"notes":[]}]' "$(jq -c '[.guests[0]]' <<<"$output")"
	same "not pinned: $(elsewhere)" "$(jq -r '.guests[1].error' <<<"$output")"
	same "vmaffinity: web-2: not pinned: $(elsewhere)" "$stderr"
}

@test "as another user than root: one line" {
	copy=$(mktemp -d /tmp/vmaffinity.XXXXXX)
	chmod 755 "$copy"
	cp "$BUILD/vmaffinity" "$copy"
	for command in "apply" "release --all" "record" "watch"; do
		# shellcheck disable=SC2086 # words
		cannot "vmaffinity: ${command% *} needs root" setpriv --reuid=65534 --regid=65534 --clear-groups "$copy/vmaffinity" $command
	done
	rm -r "$copy"
}

# bats test_tags=sanitized
@test "guests by name, as often as they are named; one gets no summary" {
	own_rules '[other]\nvcpus = 0\n'
	run -0 apply web-2
	same "web-2: no rule pins it" "$output"
	run -0 apply web-2 off web-2
	same "\
web-2: no rule pins it
off: no rule pins it
web-2: no rule pins it
3 guests: 3 without a rule" "$output"
}

@test "a name that libvirt does not know: told, the others are done, status 1" {
	own_rules '[other]\nvcpus = 0\n'
	run -1 --separate-stderr apply nobody web-1
	same "vmaffinity: nobody: Domain not found" "$stderr"
	same "\
web-1: no rule pins it
2 guests: 1 without a rule, 1 failed" "$output"
	run -1 --separate-stderr apply nobody
	same "vmaffinity: nobody: Domain not found" "$stderr"
	same "" "$output"
}

@test "guests that run under the daemon of --connect, and have no process here: they cannot be pinned" {
	own_rules '[web-*]\nvcpus = 0\n'
	for words in "" "web-1 web-2"; do
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr apply $words
		same "2 guests: 2 failed" "$output"
		same "\
vmaffinity: web-1: not pinned: $(elsewhere)
vmaffinity: web-2: not pinned: $(elsewhere)" "$stderr"
	done
}

# bats test_tags=sanitized
@test "a guest that fails: told with its warnings, the others are done, status 1" {
	own_rules '[web-*]\nvcpus = 0\n'
	printf "<domstatus pid='1'/>" >own/run/libvirt/qemu/web-1.xml # no guest, and so in no group of one
	run -1 --separate-stderr apply
	same "vmaffinity: web-2: not pinned: $(elsewhere)" "${stderr_lines[1]}"
	[[ ${stderr_lines[0]} == "vmaffinity: web-1: not pinned: process 1 is in cgroup '/"*"', which does not end in '/emulator': libvirt made no cgroups for this guest's threads; see that \"cpuset\" is in cgroup_controllers of /etc/libvirt/qemu.conf, if that is set, and in cgroup.subtree_control above the guest; then start the guest again" ]]
	same "2 guests: 2 failed" "$output"
}

@test "--config FILE: those rules and no others" {
	own_rules '[*]\nvcpus = 0\n'
	rules '[other]\nvcpus = 0\n'
	run -0 apply --config "$PWD/rules.ini" web-1
	same "web-1: no rule pins it" "$output"
}

# bats test_tags=sanitized
@test "errors in the rules: all of them, no guest is touched, status 2" {
	own_rules '[*]\nvcpus = 3-1\nvcpuz = 1\n'
	fails 2 "\
error: /etc/vmaffinity.ini:3: unknown key 'vcpuz'; did you mean 'vcpus'?
error: /etc/vmaffinity.ini:2:9: range 3-1 runs backwards; write 1-3" apply
}

@test "no daemon: status 2" {
	own_rules '[*]\nvcpus = 0\n'
	uri=$DEAD
	cannot "vmaffinity: $NO_DAEMON" apply web-1
}

# Without --connect the kernel and /run/libvirt say which guests run. No daemon answers here.
kernels() { "$BATS_TEST_DIRNAME/private.sh" own timeout 60 "$BUILD/vmaffinity" apply "$@" 3>&-; }

@test "no daemon is asked for the guests, nor for XML that no rule needs" {
	own_rules '[web-*]\nvcpus = 0\n'
	run -0 kernels
	same "no guest is running" "$output"
	printf "<domstatus pid='1'/>" >own/run/libvirt/qemu/web-1.xml # no guest, and so in no group of one
	run -1 --separate-stderr kernels
	[[ $stderr == "vmaffinity: web-1: not pinned: process 1 is in cgroup '/"* && ${#stderr_lines[@]} = 1 ]]
	run -1 --separate-stderr kernels web-2
	same "vmaffinity: web-2: not pinned: $ABSENT" "$stderr"
	own_rules '[other]\nvcpus = 0\n'
	run -0 --separate-stderr kernels
	same "web-1: no rule pins it" "$output"
}

@test "a rule that needs the XML, and no daemon: that guest fails, the others are done" {
	own_rules '[web-1]\nvcpus = 0\nplacement = one-to-one\n'
	for name in web-1 web-2; do printf "<domstatus pid='1'/>" >own/run/libvirt/qemu/$name.xml; done
	run -1 --separate-stderr kernels
	[[ $stderr == "vmaffinity: web-1: not pinned: its rules need its XML: no libvirt daemon answers at qemu:///system: "* && ${#stderr_lines[@]} = 1 ]]
	same "\
web-2: no rule pins it
2 guests: 1 without a rule, 1 failed" "$output"
}

@test "no guest runs" {
	echo '<node></node>' >node.xml
	own_rules '[*]\nvcpus = 0\n'
	run -0 apply
	same "no guest is running" "$output"
}

# on_terminal COMMAND...: runs a command on a terminal of 80 columns, with stdout and stderr together.
on_terminal() { terminal 80 sh -c 'exec "$@" 2>&1' sh "$@"; }

@test "how far it is: on a terminal, if it takes long, and erased again" {
	local names=({10..21}) name slow
	for name in "${names[@]}"; do guest "g$name"; done |
		sed '1i<node>
			s/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/; $a</node>' >node.xml
	own_rules '[g*]\nvcpus = 0\n'
	for name in "${names[@]}"; do printf "<domstatus pid='1'/>" >"own/run/libvirt/qemu/g$name.xml"; done
	slow=(strace -E ASAN_OPTIONS=detect_leaks=0 -qq -o /dev/null -e trace=openat -e inject=openat:delay_enter=20000)
	on_terminal "$BATS_TEST_DIRNAME/private.sh" own "${slow[@]}" "$BUILD/vmaffinity" apply --connect "$uri" 3>&- >out
	grep -qaE $'^[0-9]+ of 12 guests\r\33\\[Kvmaffinity: g[0-9]+: not pinned: ' out
	run -1 grep -aE $' of 12 guests($|[^\r])|guests\r[^\33]' out
	same "$(printf 'g%s\n' "${names[@]}")" "$(sed $'s/.*\r\33\\[K//' out | sed -n 's/^vmaffinity: \(g[0-9]*\): not pinned: .*/\1/p')"
	same "12 guests: 12 failed" "$(tail -n 1 out)"
	on_terminal "$BATS_TEST_DIRNAME/private.sh" own "$BUILD/vmaffinity" apply --connect "$uri" 3>&- >out # at once
	run -1 grep -a ' of 12' out
	run -1 --separate-stderr "$BATS_TEST_DIRNAME/private.sh" own "${slow[@]}" "$BUILD/vmaffinity" apply --connect "$uri" 3>&-
	[[ $output$stderr != *" of 12 "* ]]
}

@test "a signal while a guest is worked on: that one is done, the others are named, then it ends by the signal" {
	own_rules '[*]\nvcpus = 0\n'
	for signal in "INT 130 2 (Interrupt)" "TERM 143 15 (Terminated)"; do
		read -r name status words <<<"$signal"
		# shellcheck disable=SC2016 # it expands there
		run "-$status" --separate-stderr "$BATS_TEST_DIRNAME/private.sh" own bash -c '
			coproc holder { exec python3 -c "
import fcntl, sys
file = open(\"/run/vmaffinity.lock\", \"a\")
fcntl.lockf(file, fcntl.LOCK_EX)
print(\"held\", flush=True)
sys.stdin.read()"; }
			read -r line <&"${holder[0]}" && [ "$line" = held ] || exit 99
			env --default-signal="$1" "$2" apply --connect "$3" web-1 web-2 &
			pid=$!
			until ls -l "/proc/$pid/fd" 2>/dev/null | grep -q vmaffinity.lock; do sleep 0.01; done
			kill -s "$1" "$pid"
			exec {holder[1]}>&-
			wait "$pid"' bash "$name" "$BUILD/vmaffinity" "$uri" 3>&-
		same "2 guests: 1 failed, 1 not looked at" "$output"
		same "\
vmaffinity: web-1: not pinned: $(elsewhere)
vmaffinity: web-2: not looked at: ended by signal $words" "$stderr"
	done
}

@test "a hook of another program in qemu.d, and none of vmaffinity's: a warning" {
	own_rules '[other]\nvcpus = 0\n'
	mkdir -p own/etc/libvirt/hooks/qemu.d
	install -m 755 /dev/stdin own/etc/libvirt/hooks/qemu.d/10-network <<<'#!/bin/sh'
	run -0 --separate-stderr apply web-1
	same "web-1: no rule pins it" "$output"
	same "vmaffinity: warning: /etc/libvirt/hooks/qemu.d/10-network belongs to another program, and vmaffinity's hook is not installed: guests that start are not pinned; see vmaffinity doctor" "$stderr"
	install -m 755 "$BUILD/vmaffinity-guard" own/etc/libvirt/hooks/qemu
	run -0 --separate-stderr apply web-1
	same "" "$stderr"
}

#!/usr/bin/env bats
# vmaffinity-hook by hand: its exit statuses and log lines where no guest runs. It sees rules, /run and a system log of its
# own (private.sh). Guests that it pins are in tests/e2e/pin.bats.
# shellcheck disable=SC2154 # set by run: stderr, stderr_lines
# bats file_tags=sanitized

load cli

setup_file()
{
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/logd" "$BATS_TEST_DIRNAME/../e2e/logd.c"
}

setup()
{
	cli_setup
	mkdir -p own/etc own/run
	cp "$BATS_FILE_TMPDIR/logd" own/logd
	install -m 644 "$BUILD/xml.so" own/run/vmaffinity-test-xml.so
	guest web-1 vcpu=2 iothreads=1 id=1 >web-1.xml
}

# private COMMAND...: with the directories of own/ in place, stdin passed on.
private() { "$BATS_TEST_DIRNAME/private.sh" own "$@" 3>&-; }

hook() { private "$BUILD/tests/worker" "$1" "$2" begin - <"$3"; }

# worker STATUS OPERATION [GUEST [XML-FILE]]: the worker ends so; nothing on stdout, $stderr is left for the test to look at.
worker()
{
	: >own/log
	run "-$1" --separate-stderr hook "${3:-web-1}" "$2" "${4:-web-1.xml}"
	same "" "$output"
}

# logged LINES: these are all log lines, each with its priority's name in front.
logged()
{
	local names=(emerg alert crit err warning notice info debug) line text=""
	while IFS= read -r line; do
		[[ $line =~ ^\<([0-9]+)\>.*\ vmaffinity\[[0-9]+\]:\ (.*)$ ]] || text+="? $line"$'\n'
		[ $((BASH_REMATCH[1] / 8)) = 3 ] || text+="facility $((BASH_REMATCH[1] / 8)) "
		text+="${names[BASH_REMATCH[1] % 8]}: ${BASH_REMATCH[2]}"$'\n'
	done <own/log
	same "$1" "${text%$'\n'}"
}

# own_rules TEXT [NAME]: to /etc/vmaffinity.ini, or /etc/vmaffinity.d/NAME.
own_rules()
{
	local file=own/etc/vmaffinity.ini
	[ -z "${2:-}" ] || { mkdir -p own/etc/vmaffinity.d && file=own/etc/vmaffinity.d/$2; }
	printf '%b' "$1" >"$file"
}

ABSENT="not running here: no pid file and no status file in /run/libvirt/qemu"

@test "--version; called by a person: says what it is, status 1" {
	run -0 "$BUILD/vmaffinity-hook" --version
	[[ $output =~ ^vmaffinity-hook\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	for arguments in "" one --help; do
		# shellcheck disable=SC2086 # perhaps none
		run -1 --separate-stderr "$BUILD/vmaffinity-hook" $arguments </dev/null
		same "" "$output"
		same "vmaffinity-hook: is run by libvirt; see vmaffinity-hook(8)" "$stderr"
	done
}

@test "other operations: nothing is read, logged or done, status 0" {
	own_rules '[global]\non-error = fail\n[*]\nbroken\n'
	for operation in prepare start stopped release migrate restore attach '' STARTED; do
		worker 0 "$operation"
		same "" "$stderr"
		logged ""
	done
}

@test "no rules file: nothing to do" {
	for operation in started reconnect; do
		worker 0 $operation
		logged ""
	done
}

@test "no rule in the files: nothing to do" {
	own_rules '; all commented out\n[global]\non-error = fail\n[cpus]\na = 1\n'
	worker 0 started
	logged ""
}

@test "no rule matches: nothing to do, the guest is not looked for, its XML not read" {
	own_rules '[global]\non-error = fail\n[db*]\nvcpus = 0\n'
	for operation in started reconnect; do
		worker 0 $operation
		same "" "$stderr"
		logged ""
	done
	mkfifo pipe
	sleep 60 >pipe 3>&- & # nobody writes, nor closes it
	run -0 timeout 20 "$BATS_TEST_DIRNAME/private.sh" own "$BUILD/tests/worker" web-1 started begin - <pipe
	kill $!
}

@test "the guest does not run: 1 and a log line; with on-error = fail a start is refused, a reconnect is not" {
	own_rules '[*]\nvcpus = 0\n'
	for operation in started reconnect; do
		worker 1 $operation
		same "" "$stderr"
		logged "err: web-1: not pinned: $ABSENT"
	done
	own_rules '[*]\nvcpus = 0\non-error = fail\n'
	worker 113 started
	same "vmaffinity: start refused (on-error = fail): $ABSENT" "$stderr"
	logged "err: web-1: start refused (on-error = fail): $ABSENT"
	worker 1 reconnect
	same "" "$stderr"
	logged "err: web-1: not pinned: $ABSENT"
}

@test "on-error: of the last rule that matches, else of [global]" {
	while IFS='|' read -r status text; do
		own_rules "$text"
		worker "$status" started
	done <<-'END'
		113|[global]\non-error = fail\n[*]\nvcpus = 0\n
		1|[global]\non-error = ignore\n[*]\nvcpus = 0\n
		1|[global]\non-error = fail\n[*]\nvcpus = 0\non-error = ignore\n
		113|[*]\non-error = ignore\nvcpus = 0\n[web-*]\non-error = fail\n
		1|[*]\non-error = fail\nvcpus = 0\n[web-*]\non-error = ignore\n
		1|[*]\nvcpus = 0\n[db*]\non-error = fail\n
	END
}

RULES_BAD="the rules have errors, so none is applied; see 'vmaffinity check'"

@test "rules with errors: each is logged, none is applied" {
	own_rules '[*]\nvcpus = 0\nvcpuz = 1\nemulator = 3-1\n'
	own_rules '[db1\n' b.ini
	for operation in started reconnect; do
		worker 1 $operation
		same "" "$stderr"
		logged "\
err: web-1: /etc/vmaffinity.ini:3: unknown key 'vcpuz'; did you mean 'vcpus'?
err: web-1: /etc/vmaffinity.d/b.ini:1: the section's name has no ']' at its end
err: web-1: /etc/vmaffinity.ini:4:12: range 3-1 runs backwards; write 1-3
err: web-1: not pinned, runs on: $RULES_BAD"
	done
}

@test "rules with errors and on-error = fail: a start is refused, a reconnect is not" {
	for text in '[global]\non-error = fail\n[*]\nvcpus = x\n' '[web-*]\non-error = fail\nvcpus = x\n'; do
		own_rules "$text"
		worker 113 started
		same "vmaffinity: start refused (on-error = fail): $RULES_BAD" "$stderr"
		[[ $(tail -n 1 own/log) == *"web-1: start refused (on-error = fail): $RULES_BAD" ]]
		worker 1 reconnect
		same "" "$stderr"
	done
	own_rules '[db1]\non-error = fail\nvcpus = x\n' # another guest's rule
	worker 1 started
}

@test "a file full of errors: 20 log lines, and how many more" {
	own_rules "[*]\n$(printf 'x = 1\\n%.0s' {1..50})"
	worker 1 started
	[ "$(wc -l <own/log)" = 22 ]
	[[ $(sed -n 21p own/log) == *"web-1: 30 more; 'vmaffinity check' shows them" ]]
	[[ $(sed -n 22p own/log) == *"web-1: not pinned, runs on: $RULES_BAD" ]]
}

@test "a rules file that is not root's alone, or no file" {
	own_rules '[*]\nvcpus = 0\n'
	chmod 666 own/etc/vmaffinity.ini
	worker 1 reconnect
	logged "\
err: web-1: /etc/vmaffinity.ini: group or others may write it (mode 0666); run chmod go-w on it
err: web-1: not pinned, runs on: $RULES_BAD"
	rm own/etc/vmaffinity.ini
	mkfifo own/etc/vmaffinity.ini
	worker 1 reconnect
	logged "\
err: web-1: /etc/vmaffinity.ini: is not a regular file
err: web-1: not pinned, runs on: $RULES_BAD"
}

UUID=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11
BY_UUID="[x]\nmatch = uuid:$UUID\nvcpus = 0\n"

# Files of XML that cannot be read, and why.
bad_xml()
{
	: >empty.xml
	head -c 60 web-1.xml >cut.xml
	echo '<!DOCTYPE domain><domain><name>web-1</name></domain>' >doctype.xml
	echo '<network/>' >network.xml
	{ echo '<domain>' && head -c $((64 * 1024 * 1024)) /dev/zero | tr '\0' ' '; } >large.xml
	cat <<-'END'
		empty.xml|the XML is empty
		cut.xml|the XML is not well-formed: line 3: 
		doctype.xml|the XML has a DOCTYPE, which libvirt never writes; refused
		network.xml|the XML is not a <domain>
		large.xml|the XML is larger than 64 MiB
		/dev/null|the XML is empty
	END
}

LEFT_OUT="rules with 'uuid:' are left out, its UUID is not known"

@test "XML that is none: nothing to rules by name; rules by UUID are left out, and why is logged" {
	bad_xml >cases
	while IFS='|' read -r file message; do
		own_rules '[*]\nvcpus = 0\n'
		worker 1 reconnect web-1 "$file"
		logged "err: web-1: not pinned: $ABSENT"
		own_rules "$BY_UUID"
		worker 1 reconnect web-1 "$file"
		same "" "$stderr"
		[[ $(<own/log) == *"web-1: not all rules are followed: $LEFT_OUT: $message"* ]] || { cat own/log; false; }
		[ "$(wc -l <own/log)" = 1 ]
	done <cases
}

@test "XML of another name: the guest is the one that libvirt named" {
	guest other uuid=$UUID >other.xml
	own_rules "[web-1]\nvcpus = 0\n[other]\nvcpus = x\n"
	own_rules "${BY_UUID}[other]\nvcpus = 0\n"
	worker 1 reconnect web-1 other.xml
	logged "err: web-1: not pinned: $ABSENT"
	own_rules '[other]\nvcpus = 0\n'
	worker 0 reconnect web-1 other.xml
	logged ""
}

@test "XML that is none, with on-error = fail: refused if a rule by UUID may be about the guest" {
	: >empty.xml
	own_rules "[global]\non-error = fail\n$BY_UUID"
	worker 113 started web-1 empty.xml
	same "vmaffinity: start refused (on-error = fail): $LEFT_OUT: the XML is empty" "$stderr"
	worker 1 reconnect web-1 empty.xml
	own_rules "${BY_UUID}on-error = fail\n"
	worker 113 started web-1 empty.xml
	worker 0 started web-1 # of another UUID
	own_rules "[global]\non-error = fail\n${BY_UUID}on-error = ignore\n"
	worker 113 started web-1 empty.xml # it need not be that rule's guest
	own_rules "${BY_UUID}[web-*]\non-error = fail\n"
	worker 113 started web-1 empty.xml
	own_rules "$BY_UUID"
	worker 1 started web-1 empty.xml
	own_rules '[web-1]\nvcpus = 0\non-error = fail\n'
	worker 0 started web-2 empty.xml # no rule can be about it, so its XML is not looked at
	own_rules "[global]\non-error = fail\n[*]\nvcpus = x\n[y]\nmatch = uuid:$UUID\n" # and wrong rules
	worker 113 started web-1 empty.xml
	logged "\
err: web-1: /etc/vmaffinity.ini:4:9: 'x' is not a CPU, a range, '@NAME' or a word: all, isolated, pcores, ecores, node:N, package:N, l3:N, core:N, pu:N
err: web-1: the XML is empty
err: web-1: start refused (on-error = fail): $RULES_BAD"
}

@test "the module for XML missing, broken, not root's, of another version: an error of the rules that need it" {
	local module=own/run/vmaffinity-test-xml.so of=/run/vmaffinity-test-xml.so
	cp $module whole.so
	while IFS='|' read -r breaks message; do
		rm -rf $module
		install -m 644 whole.so $module
		eval "$breaks"
		own_rules "$BY_UUID"
		worker 1 reconnect
		[[ $(<own/log) == "<27>"*"web-1: not all rules are followed: $LEFT_OUT: $of"$message* ]] || { cat own/log; false; }
		[ "$(wc -l <own/log)" = 1 ]
		own_rules '[*]\nvcpus = 0\n'
		worker 1 reconnect
		logged "err: web-1: not pinned: $ABSENT"
	done <<-'END'
		rm $module|: No such file or directory
		truncate -s 4096 $module| cannot be loaded: it is cut short; install vmaffinity again
		truncate -s 100 $module| cannot be loaded: it is cut short; install vmaffinity again
		echo text >$module| cannot be loaded: 
		sed -i 's/libxml2/libxmlX/' $module| cannot be loaded: libxmlX
		sed -i 's/vmaffinity_xml_module/vmaffinity_xml_modulX/g' $module| cannot be loaded: 
		sed -i 's/0\.1\.0\x00/9.1.0\x00/' $module| is of version 9.1.0 and this program of 0.1.0; install vmaffinity again, and restart what still runs of it
		chmod 666 $module|: is not a file that root alone may write
		chown 65534 $module|: is not a file that root alone may write
		rm $module; mkdir $module|: is not a file that root alone may write
		rm $module; cp whole.so own/run/x; ln -s x $module|: Too many levels of symbolic links
	END
}

@test "a guest whose pid file is left over, or that has no cgroups of its own" {
	own_rules '[*]\nvcpus = 0\n'
	mkdir -p own/run/libvirt/qemu
	printf 99999 >own/run/libvirt/qemu/web-1.pid
	worker 1 reconnect
	logged "err: web-1: not pinned: /run/libvirt/qemu/web-1.pid is left over: no process holds it locked"
	rm own/run/libvirt/qemu/web-1.pid
	printf '<domstatus pid="%s"/>' $$ >own/run/libvirt/qemu/web-1.xml # any process that is no guest
	worker 1 reconnect
	[[ $(<own/log) == *"web-1: not pinned, runs on: process $$ is in cgroup "* || $(<own/log) == *"web-1: not pinned, runs on: "*cgroup* ]]
	[ "$(wc -l <own/log)" = 1 ]
}

@test "names that others chose are safe in the log" {
	own_rules '[*]\nvcpus = 0\nx\33[31m = 1\n'
	guest 'a&#10;b&#x9b;c' >odd.xml
	worker 1 started $'a\nb\xc2\x9bc\xff' odd.xml
	logged "\
err: 'a\\x0ab\\xc2\\x9bc\\xff': /etc/vmaffinity.ini:3: unknown key 'x\\x1b[31m'; the keys are emulator, vcpus, vcpuN, vcpuA-B, iothreads, iothreadN, iothreadA-B, vhost, placement, memory, match, on-error
err: 'a\\x0ab\\xc2\\x9bc\\xff': not pinned, runs on: $RULES_BAD"
}

@test "a guest's name cannot imitate a line about another guest" {
	own_rules '[*]\nvcpus = 0\n'
	worker 1 reconnect "db1: pinned: emulator 0"
	logged "err: 'db1: pinned: emulator 0': not pinned: $ABSENT"
	worker 1 reconnect $'db1\': pinned: \xd8\x9c\xe2\x80\xae'
	logged "err: 'db1\\x27: pinned: \\xd8\\x9c\\xe2\\x80\\xae': not pinned: $ABSENT"
}

@test "no system log: the same status, and nothing on stdout or stderr" {
	own_rules "[*]\nvcpus = 0\n"
	run -1 private bash -c "mv /dev/log /dev/away; \"\$@\"; status=\$?; mv /dev/away /dev/log; exit \$status" bash \
		"$BUILD/tests/worker" web-1 started begin - <web-1.xml
	same "" "$output"
}

@test "check without a FILE looks at the rules in their places, and needs no daemon" {
	own_rules '[*]\nvcpus = ^0 1\n'
	own_rules '[web-*]\nvcpus = 1\n' a.ini
	: >own/log
	run -1 --separate-stderr private "$BUILD/vmaffinity" check
	same "warning: /etc/vmaffinity.ini:2:9: '^0' precedes other CPUs, yet is taken away from them too; write it last
looked at 2 files, 1 host, no guest (no libvirt daemon answers): 1 warning" "$output"
	same "" "$stderr"
	logged ""
}

#!/usr/bin/env bats
# vmaffinity check --against: rules on hosts that were captured, and the reader of those files.
# shellcheck disable=SC2154 # set by run: stderr

load cli

setup()
{
	cli_setup
	mkdir temporary
	export TMPDIR=$PWD/temporary
	small=$REPO/tests/fixtures/machines/v2-narrow.txt large=$REPO/tests/fixtures/machines/v2-256.txt
	isolated=$REPO/tests/fixtures/machines/v2-isolated.txt
}

teardown() { [ -z "$(ls temporary)" ]; } # nothing stays

# kept COMMAND...: it cannot remove what it made below temporary/.
kept()
{
	strace -E ASAN_OPTIONS=detect_leaks=0 -qq -o /dev/null -e inject=unlink,rmdir:error=EPERM "$@"
}

@test "every machine becomes the same tree as by expand.py" {
	rules ''
	for machine in "$REPO"/tests/fixtures/machines/*.txt; do
		rm -rf tree temporary/*
		mkdir tree
		"$REPO/tests/fixtures/expand.py" "$machine" tree
		[ -e tree/sys/devices/system/cpu ] || continue
		kept "$BUILD/vmaffinity" check rules.ini --against "$machine"
		diff -r tree temporary/*
	done
	[ "$(stat -c %a temporary/*)" = 700 ]
	rm -r temporary/*
}

# bats test_tags=sanitized
@test "the escapes of a captured host" {
	cat >host.txt <<-'END'
		# nothing

		a/b one
		a/b two
		a/c one\ntwo\c
		a\sd/{0-2,5}/e x\ny
		a/\{1-2} 1
		a/{}{x}{1-}{3} {1-2}
		a/n
		a/directory/
		sys/devices/system/cpu/
		a/back \\n \x \\\\ \c \\c
		a/bare \\\c
	END
	printf 'a/last no newline' >>host.txt
	rules ''
	mkdir tree
	"$REPO/tests/fixtures/expand.py" host.txt tree
	kept "$BUILD/vmaffinity" check rules.ini --against host.txt
	diff -r tree temporary/*
	same "a/b a/back a/bare a/c a/d a/e a/last a/n a/{1-2} a/{}{x}{1-}3" "$(cd temporary/* && find . -type f | sed 's|a d/[0-9]|a|; s|^./||' | sort -u | paste -sd ' ' | sed 's/a\/e/a\/d a\/e/; s/ a\/directory//')"
	same 'one
two' "$(cat temporary/*/a/c)"
	same 4 "$(find temporary -name e | wc -l)"
	rm -r temporary/*
}

@test "what a captured host may not do" {
	rules ''
	while IFS='|' read -r line message; do
		printf '%b' "$line" >host.txt
		run -3 --separate-stderr vmaffinity check rules.ini --against host.txt
		same "vmaffinity: host.txt$message" "$stderr"
		[ -z "$(ls temporary)" ]
	done <<-'END'
		a 1\n../x 1|:2: '../x' leads out of the tree
		/etc/x 1|:1: '/etc/x' leads out of the tree
		a/../../x 1|:1: 'a/../../x' leads out of the tree
		a/.. 1|:1: 'a/..' leads out of the tree
		a/./b 1|:1: 'a/./b' leads out of the tree
		a//b 1|:1: 'a//b' leads out of the tree
		 1|:1: '' leads out of the tree
		a 1\na/b 1|:2: a/b: Not a directory
		a/b 1\na 1|:2: a: Is a directory
		a\0b 1|: is no text
	END
	long=$(head -c 5000 /dev/zero | tr '\0' a)
	echo "$long 1" >host.txt
	cannot "vmaffinity: host.txt:1: a path of more than 4095 bytes" vmaffinity check rules.ini --against host.txt
	for ((n = 0; n < 15; n++)); do echo "a$n/{0-8191} 1"; done >host.txt
	# in memory, where that many take a second
	TMPDIR=/dev/shm cannot "vmaffinity: host.txt:13: more than 100000 files" vmaffinity check rules.ini --against host.txt
	cannot "vmaffinity: nowhere: No such file or directory" vmaffinity check rules.ini --against nowhere
	TMPDIR=/nonexistent cannot "vmaffinity: a directory cannot be made below /nonexistent: No such file or directory" vmaffinity check rules.ini --against "$small"
}

@test "a signal waits until the tree is gone" {
	rules ''
	kept_status=0
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -o /dev/null -e inject=openat:signal=TERM:when=300 \
		"$BUILD/vmaffinity" check rules.ini --against "$large" || kept_status=$?
	[ "$kept_status" = 143 ]
	[ -z "$(ls temporary)" ]
}

@test "each host says what it does not have; the same words are said once" {
	rules '[*]\nvcpus = 2-5\nemulator = isolated\niothreads = 100\n'
	piles="which are isolated (isolcpus=): the kernel moves no thread between such CPUs, so all pile up on one"
	finds "\
warning: rules.ini:2: vcpus wants 2-5, but machine.slice allows only 0-3: the others are left out (on $small)
warning: rules.ini:2: vcpus may use CPUs 4-5, $piles; give each vCPU one of its own: placement = one-to-one, or vcpu0 = ... (on $isolated)
error: rules.ini:3:12: 'isolated': this host has no isolated CPUs (isolcpus= on the kernel's command line) (on $small, $large)
warning: rules.ini:3: emulator may use CPUs 4-7, $piles; name one of them (on $isolated)
error: rules.ini:4: iothreads wants 100, but this host has only CPUs 0-7: no CPU is left, so such a guest is not pinned (on $small, $isolated)" \
		rules.ini --against "$small" "$large" "$isolated"
	run -0 vmaffinity check --config rules.ini --against "$large" --help
	rules '[*]\nvcpus = 2\n'
	run -0 --separate-stderr vmaffinity check --against "$small" "$large" "$isolated" --json rules.ini
	same '{"version":1,"error":null,"files":["rules.ini"],"rules":1,"hosts":3,"guests":0,"findings":[]}' "$output"
	finds "" --against "$small" --against "$large" -- rules.ini
	run -0 vmaffinity check rules.ini --against "$small" "$large"
	same "looked at 1 file, 2 hosts, no guest (none was named with --xml or --connect): nothing found" "$output"
}

# bats test_tags=sanitized
@test "guests on hosts; one host that cannot be read does not keep the others" {
	rules '[web-1]\nvcpus = 6-7\n'
	run -3 --separate-stderr vmaffinity check rules.ini --xml web-1.xml --against nowhere "$small" "$large"
	same "vmaffinity: nowhere: No such file or directory" "$stderr"
	same "\
error: rules.ini:2: vcpus wants 6-7, but machine.slice allows only 0-3; no CPU is left (guest 'web-1' on $small)
warning: rules.ini:2: vcpus: 4 vCPUs of a guest have only CPUs 6-7 between them, and wait for one another; name more CPUs, or give the guest fewer vCPUs (guest 'web-1' on $large)
looked at 1 file, 2 hosts, 1 guest: 1 error, 1 warning" "$output"
}

@test "what capture writes of this host is a host" {
	[ -d /sys/devices/system/cpu ]
	vmaffinity capture >this.txt
	rules '[*]\nemulator = 0\n'
	finds "" rules.ini --against this.txt
	rules '[*]\nemulator = 8191\n'
	findings rules.ini --against this.txt
	[[ $output == "error: rules.ini:2: emulator wants 8191, but this host has only CPUs $(cat /sys/devices/system/cpu/online): no CPU is left"*" (on this.txt)" ]]
}

# The rules behind --against are a host file: it is not passed over that they describe none.
@test "what is no host is not taken for one" {
	rules '[*]\nvcpus = 0\n'
	cannot "vmaffinity: rules.ini: describes no host, for it has no line of sys/devices/system/cpu; 'vmaffinity capture' writes such files, and the rules' files go before --against" \
		vmaffinity check --against rules.ini
	cp rules.ini these.ini
	run -3 --separate-stderr vmaffinity check --config these.ini --against "$small" rules.ini
	same "looked at 1 file, 1 host, no guest (none was named with --xml or --connect): nothing found" "$output"
}

@test "plan --against: a guest on another host; what follows the host file is a GUEST" {
	rules '[*]\nvcpus = 6-7\n'
	run -0 --separate-stderr vmaffinity plan --config rules.ini --xml web-1.xml --against "$large"
	[[ $output == *$'\nvcpu0-3     6-7  rules.ini:2  vcpus = 6-7\n'* ]]
	run -2 --separate-stderr vmaffinity plan --config rules.ini --xml web-1.xml --against "$small"
	[[ $output == *"vcpus wants 6-7, but machine.slice allows only 0-3; no CPU is left"* ]]
	cannot "vmaffinity: nowhere: No such file or directory" vmaffinity plan --config rules.ini --xml web-1.xml --against nowhere
	run -2 --separate-stderr vmaffinity plan --config rules.ini --xml web-1.xml --against "$small" web-1
	[[ $stderr == "vmaffinity: plan: GUEST and --xml exclude each other"* ]]
	refused "plan: one HOSTFILE at a time" plan --against "$small" --against "$large"
}

@test "map --against: the host that was captured" {
	run -0 --separate-stderr vmaffinity map --against "$small"
	same "8 CPUs online; 1 guest" "${lines[0]}"
	cannot "vmaffinity: nowhere: No such file or directory" vmaffinity map --against nowhere
	run -0 --separate-stderr vmaffinity map --json --against "$small"
	[ "$(jq '.cpus | length' <<<"$output")" = 8 ]
}

@test "without TMPDIR a host is held in memory" {
	rules ''
	env -u TMPDIR strace -f -qq -e trace=mkdir -o trace "$BUILD/vmaffinity" check rules.ini --against "$small"
	[[ $(<trace) == *'mkdir("/dev/shm/vmaffinity.'* ]]
	[ -z "$(compgen -G '/dev/shm/vmaffinity.*')" ]
}

@test "--against: options around it" {
	refused "'status' has no option '--against'" status --against x
	refused "check: FILE and --config exclude each other" check --config rules.ini x --against y
	run -2 --separate-stderr vmaffinity check --against
	same "vmaffinity: option '--against' requires an argument"$'\n'"Try 'vmaffinity check --help'" "$stderr"
}

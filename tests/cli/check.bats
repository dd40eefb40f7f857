#!/usr/bin/env bats
# vmaffinity check: each thing that it finds, with its text, on a host of eight CPUs.
# shellcheck disable=SC2154 # set by run: stderr, stderr_lines

load cli

setup() { cli_setup; }

found() { rules "$1" && finds "$2" --sysroot root rules.ini; }

@test "nothing to say: nothing is said, status 0" {
	found '' ''
	found '; comment\n# comment\n\n' ''
	found '[*]\nvcpus = 0\n' ''
	finds '' --sysroot root # no rules at all
}

@test "one error, with file, line and column" {
	found '[*]\nvcpus = 0,x\n' "error: rules.ini:2:11: 'x' is not a CPU, a range, '@NAME' or a word: all, isolated, pcores, ecores, node:N, package:N, l3:N, core:N, pu:N"
	found '[cpus]\na = 1\n    3 ,\n    99999\n' "error: rules.ini:4:5: CPU 99999 is above the limit, 8191"
	found '[*]\nvcpu = 0\n' "error: rules.ini:2: unknown key 'vcpu'; did you mean 'vcpus'?"
	found '[*]\non-error = stop\n' "error: rules.ini:2: on-error = stop: write 'ignore' or 'fail'"
}

@test "all errors of all files at once, and no warnings then" {
	printf '[a]\nvcpus = 1-\nvcpus = 2\n[a]\n' >a.ini
	printf 'vcpus = 1\n[b]\nfrob = 1\nvcpus = ^1 2-3\n[*]\nvcpus = @x\n' >b.ini
	finds "\
error: a.ini:3: 'vcpus' is given already by line 2
error: a.ini:4: section [a] stands already at line 1; write its keys there
error: b.ini:1: 'vcpus' stands before the first [section]
error: b.ini:3: unknown key 'frob'; the keys are emulator, vcpus, vcpuN, vcpuA-B, iothreads, iothreadN, iothreadA-B, placement, memory, match, on-error
error: nowhere: No such file or directory
error: a.ini:2:11: a CPU number is missing
error: b.ini:6:9: '@x': no such name in [cpus]" --sysroot root a.ini b.ini nowhere
}

@test "more errors than anybody reads: 1000, and how many more" {
	{ echo '[*]' && yes 'x = 1' | head -n 1500; } >rules.ini
	run -1 vmaffinity check rules.ini
	[ "${#lines[@]}" = 1001 ]
	same "and 500 more" "${lines[1000]}"
}

@test "trap: an exclusion in front of what it cuts" {
	found '[*]\nvcpus = ^0 1-3\n' "warning: rules.ini:2:9: '^0' stands before CPUs that it does not seem to touch, yet it is taken away from all of them; write it last"
	found '[cpus]\na = 0-3, ^@b, 7\nb = 1\n[*]\nvcpus = @a\n' "warning: rules.ini:2:10: '^@b' stands before CPUs that it does not seem to touch, yet it is taken away from all of them; write it last"
	found '[*]\nvcpus = 0-3 ^1 ^2\n' ''
	found '[*]\nvcpus = 0-3\n   ^1\n' ''
}

@test "trap: a rule for every guest after the others" {
	found '[db1]\nvcpus = 4\nvcpu0-3 = 5\nvcpu2 = keep\nemulator = 1\niothread1 = 1\n[web]\nvcpus = 1\n[*]\nvcpus = 3\niothreads = 2\n' "\
warning: rules.ini:2: vcpus never counts: rules.ini:10 sets vcpus for every guest, and comes later; write what is for every guest first
warning: rules.ini:3: vcpu0-3 never counts: rules.ini:10 sets vcpus for every guest, and comes later; write what is for every guest first
warning: rules.ini:4: vcpu2 never counts: rules.ini:10 sets vcpus for every guest, and comes later; write what is for every guest first
warning: rules.ini:6: iothread1 never counts: rules.ini:11 sets iothreads for every guest, and comes later; write what is for every guest first
warning: rules.ini:8: vcpus never counts: rules.ini:10 sets vcpus for every guest, and comes later; write what is for every guest first"
	found '[db1]\nvcpus = 4\n[all]\nmatch = *\nvcpus = 3\n' \
		"warning: rules.ini:2: vcpus never counts: rules.ini:5 sets vcpus for every guest, and comes later; write what is for every guest first"
	found '[db1]\nvcpus = 4\n[*]\nvcpu0 = 3\n[d*]\nvcpus = 4\n' '' # overrides some only
}

@test "trap: it is another file that comes later" {
	printf '[db1]\nvcpus = 4\n' >root/etc/vmaffinity.ini
	mkdir root/etc/vmaffinity.d
	printf '[*]\nvcpus = 1\n' >root/etc/vmaffinity.d/fleet.ini
	finds "warning: /etc/vmaffinity.ini:2: vcpus never counts: /etc/vmaffinity.d/fleet.ini:2 sets vcpus for every guest, and comes later; write what is for every guest first" --sysroot root
}

@test "trap: a rule that matches no guest" {
	guest db1 >db1.xml
	rules '[*]\nvcpus = 1\n[web-*]\nemulator = 1\n[db*]\nemulator = 1\n[mail]\nmatch = uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11, mx?\nvcpus = 2\n'
	finds "warning: rules.ini:7: [mail] matches no guest of the 2 that were looked at" --sysroot root rules.ini --xml web-1.xml --xml db1.xml
	guest web-2 >web-2.xml
	finds "\
warning: rules.ini:5: [db*] matches no guest of the 2 that were looked at
warning: rules.ini:7: [mail] matches no guest of the 2 that were looked at" --sysroot root rules.ini --xml web-1.xml --xml web-2.xml
	finds "" --sysroot root rules.ini # no guest is known: nothing can be said
}

@test "trap: pins in the guest's XML that say something else, one line for each rule's line" {
	rules '[*]\nemulator = 0\nvcpus = 2-3\nvcpu3 = 3\niothreads = 1\n'
	guest web-1 vcpu=4 iothreads=2 'pins=0:5 1:2,3 2:6 3:3' emulatorpin=0-1 iothreadpin=2:4 >web-1.xml
	run -1 vmaffinity check --sysroot root rules.ini --xml web-1.xml
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} == "warning: rules.ini:2: guest 'web-1': its XML pins emulator to CPUs 0-1, this rule to 0; the rule wins, "* ]]
	same "warning: rules.ini:3: guest 'web-1': its XML pins vcpu0 to CPUs 5, this rule to 2-3; the rule wins, but virsh goes on to show the XML's: take the pins out of the XML" "${lines[1]}"
	[[ ${lines[2]} == "warning: rules.ini:5: guest 'web-1': its XML pins iothread2 to CPUs 4, this rule to 1; the rule wins, "* ]]
	guest web-1 vcpu=2 cpuset=0-7 >web-1.xml
	rules '[*]\nvcpus = 2-3\n'
	finds "warning: rules.ini:2: guest 'web-1': its XML pins vcpu0 to CPUs 0-7, this rule to 2-3; the rule wins, but virsh goes on to show the XML's: take the pins out of the XML" --sysroot root rules.ini --xml web-1.xml
	guest web-1 vcpu=2 cpuset=2-3 >web-1.xml
	finds "" --sysroot root rules.ini --xml web-1.xml
	rules '[*]\nvcpus = keep\n'
	guest web-1 vcpu=4 'pins=0:5' >web-1.xml
	finds "" --sysroot root rules.ini --xml web-1.xml
}

@test "trap: CPUs that this host does not have, does not run, has none of" {
	host 0-5
	rules '[*]\nemulator = 0,6\nvcpus = 8-9\nvcpu3 = 5-8\n'
	finds "\
warning: rules.ini:2: emulator wants 0,6, but CPU 6 is offline; left out: 6 (guest 'web-1')
error: rules.ini:3: vcpus wants 8-9, but this host has only CPUs 0-7; no CPU is left (guest 'web-1')
warning: rules.ini:4: vcpu3 wants 5-8, but this host has only CPUs 0-7; left out: 6-8 (guest 'web-1')" --sysroot root rules.ini --xml web-1.xml
	rules '[*]\nvcpus = isolated\n'
	finds "error: guest 'web-1': rules.ini:2:9: 'isolated': this host has no isolated CPUs (isolcpus= on the kernel's command line)" --sysroot root rules.ini --xml web-1.xml
	host 0-7 6-7
	finds "" --sysroot root rules.ini --xml web-1.xml
}

@test "a guest's key for a vCPU that it does not have is no finding: it may be plugged in" {
	rules '[*]\nvcpu9 = 1\n'
	finds "" --sysroot root rules.ini --xml web-1.xml
}

@test "XML that is none: an error that names the file" {
	echo '<domain>' >cut.xml
	rules '[*]\nvcpus = 1\n'
	run -1 vmaffinity check --sysroot root rules.ini --xml cut.xml --xml web-1.xml
	same "error: cut.xml: the XML is not well-formed: line 2: Premature end of data in tag domain line 1" "$output"
}

@test "XML that cannot be read: status 2, and the findings all the same" {
	rules '[*]\nvcpus = ^0 1\n'
	run -2 --separate-stderr vmaffinity check --sysroot root rules.ini --xml nowhere
	same "vmaffinity: nowhere: No such file or directory" "$stderr"
	[[ $output == "warning: rules.ini:2:9: '^0' stands "* ]]
}

@test "guests from libvirt, if a daemon is named" {
	rules '[test]\nvcpus = 1\n[other]\nvcpus = 1\n'
	finds "warning: rules.ini:3: [other] matches no guest of the 2 that were looked at" --sysroot root rules.ini --connect test:///default --xml web-1.xml
	cannot "vmaffinity: $DEAD: Failed to connect socket to '/nonexistent': No such file or directory" \
		vmaffinity check rules.ini --connect "$DEAD"
}

@test "--json: one object" {
	rules '[*]\nvcpus = ^0 1\n[db1]\nemulator = 0\n'
	guest web-2 >web-2.xml
	run -1 --separate-stderr vmaffinity check --sysroot root rules.ini --xml web-1.xml --xml web-2.xml --json
	same "" "$stderr"
	same '{"files":["rules.ini"],"rules":2,"guests":2,"levels":["warning","warning"]}' \
		"$(jq -c '{files, rules, guests, levels: [.findings[].level]}' <<<"$output")"
	same "rules.ini:3: [db1] matches no guest of the 2 that were looked at" "$(jq -r '.findings[1].text' <<<"$output")"
	run -0 vmaffinity check --sysroot root --json
	same '{"files":[],"rules":0,"guests":0,"findings":[]}' "$output"
	rules '[*]\nvcpuz = 1\n'
	run -1 vmaffinity check rules.ini --json
	same error "$(jq -r '.findings[0].level' <<<"$output")"
}

@test "an indented line below on-error continues it, and is not passed over" {
	for section in '*' global; do
		found "[$section]\non-error = fail\n  vcpus = 3\n" \
			"error: rules.ini:3: an indented line continues the value above; take its indent away to begin a key"
		rules "[$section]\non-error = fail\n  3\n"
		run -1 vmaffinity check rules.ini
	done
}

@test "a comment behind a continued value is one" {
	found '[*]\nvcpus = 1,  ; one\n   2  ; two\n\t3\t; three\n' ''
	rules '[a]\nmatch = db1, ; one\n  web-1 ; two\nvcpus = 2\n'
	finds '' --sysroot root rules.ini --xml web-1.xml
}

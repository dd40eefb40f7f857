#!/usr/bin/env bats
# vmaffinity check: each thing that it finds, with its text, on a host of eight CPUs.
# shellcheck disable=SC2154 # set by run: stderr, stderr_lines

load cli

setup() { cli_setup; }

found() { rules "$1" && finds "$2" --sysroot root rules.ini; }

# Findings that many rules below have and their tests are not about: a vCPU's own CPU that other threads may use, and pools
# with far too many vCPUs. The golden cases check-own-cpu* and tests/unit/lint hold them.
besides=" own.*; give (it|them) other CPUs \(|, and open to guests? '|vCPUs of [0-9]+ guests share "

# finds FINDINGS ARGUMENT...: as in cli.bash, but leaves out the findings above.
finds()
{
	findings "${@:2}"
	same "$1" "$(grep -vE "$besides" <<<"$output" || true)"
}

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
error: nowhere: No such file or directory
error: a.ini:2:11: a CPU number is missing
error: a.ini:3: 'vcpus' is already given at line 2
error: a.ini:4: section [a] already begins at line 1; write its keys there
error: b.ini:1: 'vcpus' comes before the first [section]
error: b.ini:3: unknown key 'frob'; the keys are emulator, vcpus, vcpuN, vcpuA-B, iothreads, iothreadN, iothreadA-B, vhost, placement, memory, match, on-error
error: b.ini:6:9: '@x': no such name in [cpus]" --sysroot root a.ini b.ini nowhere
}

# bats test_tags=sanitized
@test "more errors than anybody reads: 1000, and how many more" {
	{ echo '[*]' && yes 'x = 1' | head -n 1500; } >rules.ini
	run -2 vmaffinity check rules.ini
	[ "${#lines[@]}" = 1002 ]
	same "and 500 more" "${lines[1000]}"
	same "looked at 1 file: 1500 errors; hosts and guests are looked at once there is none" "${lines[1001]}"
}

@test "trap: an exclusion in front of what it cuts" {
	found '[*]\nvcpus = ^0 1-3\n' "warning: rules.ini:2:9: '^0' precedes other CPUs, yet is taken away from them too; write it last"
	found '[cpus]\na = 0-3, ^@b, 7\nb = 1\n[*]\nvcpus = @a\n' "warning: rules.ini:2:10: '^@b' precedes other CPUs, yet is taken away from them too; write it last"
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

@test "trap: a rule for every guest, however it says so" {
	for section in '[**]' '[?*]' '[x]\nmatch = web, name:*' '[x]\nmatch = ***'; do
		rules "[db1]\nvcpus = 4\non-error = fail\n$section\nvcpus = 3\non-error = ignore\n"
		run -1 vmaffinity check --sysroot root rules.ini
		[ "${#lines[@]}" = 3 ]
		[[ ${lines[0]} == "warning: rules.ini:2: vcpus never counts: "*" sets vcpus for every guest, and comes later; "* ]]
		[[ ${lines[1]} == "warning: rules.ini:3: on-error never counts: rules.ini:"*" sets it for every guest, and comes later; "* ]]
	done
	for section in '[?]' '[??*]' '[web*]' '[x]\nmatch = [!w]*' '[x]\nmatch = uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11'; do
		found "[db1]\nvcpus = 4\non-error = fail\n$section\nvcpus = 3\non-error = ignore\n" ''
	done
}

@test "trap: a rule for more guests after one for fewer" {
	guest db1 >db1.xml
	guest db2 >db2.xml
	guest db3 >db3.xml
	rules '[db1]\nvcpus = 4\nemulator = 1\n[two]\nmatch = db[12]\nvcpus = 5\n[db*]\nvcpus = 6\nvcpu7 = 1\n'
	finds "\
warning: rules.ini:2: vcpus counts for none of the guests of [db1]: rules.ini:8 sets vcpus for these and for others, and comes later; write what is for more guests first
warning: rules.ini:6: vcpus counts for none of the guests of [two]: rules.ini:8 sets vcpus for these and for others, and comes later; write what is for more guests first" \
		--sysroot root rules.ini --xml db1.xml --xml db2.xml --xml db3.xml
	# Defaults that each guest of today overrides are none, nor is what a line of the same rule overrides.
	rules '[*]\nvcpus = 4\n[db1]\nvcpus = 5\nvcpu0 = 4\n[x]\nmatch = db[23]\nvcpus = keep\n'
	finds "" --sysroot root rules.ini --xml db1.xml --xml db2.xml --xml db3.xml
}

@test "trap: it is another file that comes later" {
	printf '[db1]\nvcpus = 4\n' >root/etc/vmaffinity.ini
	mkdir root/etc/vmaffinity.d
	printf '[*]\nvcpus = 1\n' >root/etc/vmaffinity.d/fleet.ini
	finds "warning: /etc/vmaffinity.ini:2: vcpus never counts: /etc/vmaffinity.d/fleet.ini:2 sets vcpus for every guest, and comes later; write what is for every guest first" --sysroot root
}

@test "trap: a rule that matches no guest" {
	guest db1 >db1.xml
	rules '[*]\nvcpus = 0-3\n[web-*]\nemulator = 1\n[db*]\nemulator = 1\n[mail]\nmatch = uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11, mx?\nvcpus = 2\n'
	finds "warning: rules.ini:7: [mail] matches no guest of the 2 that were looked at; see their names with 'virsh list --all'" --sysroot root rules.ini --xml web-1.xml --xml db1.xml
	guest web-2 >web-2.xml
	finds "\
warning: rules.ini:5: [db*] matches no guest of the 2 that were looked at; see their names with 'virsh list --all'
warning: rules.ini:7: [mail] matches no guest of the 2 that were looked at; see their names with 'virsh list --all'" --sysroot root rules.ini --xml web-1.xml --xml web-2.xml
	finds "" --sysroot root rules.ini # no guest is known: nothing can be said
}

@test "trap: pins in the guest's XML that say something else, one line for each rule's line" {
	rules '[*]\nemulator = 0\nvcpus = 2-5\nvcpu3 = 3\niothreads = 1\n'
	guest web-1 vcpu=4 iothreads=2 'pins=0:5 1:2-5 2:6 3:3' emulatorpin=0-1 iothreadpin=2:4 >web-1.xml
	run -1 vmaffinity check --sysroot root rules.ini --xml web-1.xml
	mapfile -t lines < <(grep -vE "$besides" <<<"$output")
	[[ ${lines[3]} == "looked at "* ]]
	[ "${#lines[@]}" = 4 ]
	[[ ${lines[0]} == "warning: rules.ini:2: the guest's XML pins emulator to CPUs 0-1, this rule to 0; the rule wins, "* ]]
	same "warning: rules.ini:3: the guest's XML pins vcpu0 to CPUs 5, this rule to 2-5; the rule wins, but virsh goes on to show the XML's: take the pins out of the XML (guest 'web-1')" "${lines[1]}"
	[[ ${lines[2]} == "warning: rules.ini:5: the guest's XML pins iothread2 to CPUs 4, this rule to 1; the rule wins, "* ]]
	guest web-1 vcpu=2 cpuset=0-7 >web-1.xml
	rules '[*]\nvcpus = 2-3\n'
	finds "warning: rules.ini:2: the guest's XML pins vcpu0 to CPUs 0-7, this rule to 2-3; the rule wins, but virsh goes on to show the XML's: take the pins out of the XML (guest 'web-1')" --sysroot root rules.ini --xml web-1.xml
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
	finds "error: rules.ini:2:9: 'isolated': this host has no isolated CPUs (isolcpus= on the kernel's command line) (guest 'web-1')" --sysroot root rules.ini --xml web-1.xml
	host 0-7 7
	guest web-1 >web-1.xml
	finds "" --sysroot root rules.ini --xml web-1.xml
}

@test "trap: more vCPUs than CPUs" {
	rules '[*]\nvcpus = 4-6\nvcpu1 = 5-6\n[web-*]\nvcpu2 = 3\n'
	guest db1 vcpu=4 >db1.xml
	guest db2 vcpu=5 >db2.xml
	finds "warning: rules.ini:2: vcpus: 4 vCPUs of a guest have only CPUs 4-6 between them, and wait for one another; name more CPUs, or give the guest fewer vCPUs (guest 'db1')
warning: rules.ini:2: vcpus: 5 vCPUs of a guest have only CPUs 4-6 between them, and wait for one another; name more CPUs, or give the guest fewer vCPUs (guest 'db2')" \
		--sysroot root rules.ini --xml web-1.xml --xml db1.xml --xml db2.xml
	guest db1 vcpu=8 current=3 >db1.xml # only what is plugged in
	finds "" --sysroot root rules.ini --xml web-1.xml --xml db1.xml
	rules '[web-1]\nvcpu0 = 4\nvcpu1-2 = 4\nvcpu3 = 5\n'
	run -1 vmaffinity check --sysroot root rules.ini --xml web-1.xml
	[[ $output == "warning: rules.ini:2: vcpu0: 3 vCPUs of a guest have only CPU 4 between them, "* ]]
}

@test "trap: several isolated CPUs in one mask" {
	host 0-7 3-6
	isolated="which are isolated (isolcpus=): the kernel moves no thread between such CPUs, so all pile up on one"
	rules '[*]\nvcpus = 0-7\nemulator = 2-4\niothreads = 2-3\nvcpu1 = 5-6\nvcpu2 = 2,6\n'
	expected="\
warning: rules.ini:2: vcpus may use CPUs 3-6, $isolated; give each vCPU one of its own: placement = one-to-one, or vcpu0 = ...
warning: rules.ini:3: emulator may use CPUs 3-4, $isolated; name one of them
warning: rules.ini:5: vcpu1 may use CPUs 5-6, $isolated; give each vCPU one of its own: placement = one-to-one, or vcpu0 = ..."
	guest web-2 vcpu=4 >web-2.xml
	both=" (guests 'web-1', 'web-2')"
	finds "${expected//$'\n'/"$both"$'\n'}$both" --sysroot root rules.ini --xml web-1.xml --xml web-2.xml
	finds "$expected" --sysroot root rules.ini # that needs no guest
	host 0-7
	finds "" --sysroot root rules.ini
}

# siblings LIST...: CPUs that are the hardware threads of one core.
siblings()
{
	local list cpu
	for list; do
		for cpu in ${list//,/ }; do
			mkdir -p "root/sys/devices/system/cpu/cpu$cpu/topology"
			echo "$list" >"root/sys/devices/system/cpu/cpu$cpu/topology/core_cpus_list"
			echo 0-7 >"root/sys/devices/system/cpu/cpu$cpu/topology/package_cpus_list"
		done
	done
}

@test "trap: siblings split between guests" {
	siblings 0,4 1,5 2,6 3,7
	guest a vcpu=2 >a.xml
	guest b vcpu=2 >b.xml
	rules '[a]\nvcpus = 0-1\n[b]\nvcpus = 4-5\n'
	finds "warning: rules.ini:4: hardware threads of the same cores: CPUs 4-5 in guest 'b', and CPUs 0-1 in guest 'a' (rules.ini:2): each slows the other; give a guest whole cores, such as 0,4 (core:0)" \
		--sysroot root rules.ini --xml a.xml --xml b.xml
	rules '[b]\nvcpu0 = 2\nvcpu1 = 7\n[a]\nvcpu0 = 2,6\nvcpu1 = 3\n'
	finds "warning: rules.ini:6: hardware threads of the same cores: CPU 3 in guest 'a', and CPU 7 in guest 'b' (rules.ini:3): each slows the other; give a guest whole cores, such as 3,7 (core:3)" \
		--sysroot root rules.ini --xml b.xml --xml a.xml
	guest a2 vcpu=2 >a2.xml
	guest b2 vcpu=2 >b2.xml
	rules '[a*]\nvcpus = 0-1\n[b*]\nvcpus = 4-5\n'
	finds "warning: rules.ini:4: hardware threads of the same cores: CPUs 4-5 in guests 'b', 'b2', and CPUs 0-1 in guests 'a', 'a2' (rules.ini:2): each slows the other; give a guest whole cores, such as 0,4 (core:0)" \
		--sysroot root rules.ini --xml a.xml --xml b.xml --xml a2.xml --xml b2.xml
	for good in '[a]\nvcpus = 0,4\n[b]\nvcpus = 1,5\n' '[?]\nvcpus = 0-1\n' '[a]\nvcpus = 0-1\n[b]\nemulator = 4-5\n' \
		'[a]\nvcpus = 0-1\n[b]\nvcpus = 0-1,4-5\n'; do
		rules "$good"
		finds "" --sysroot root rules.ini --xml a.xml --xml b.xml
	done
	rm -r root/sys/devices/system/cpu/cpu* # one thread each
	rules '[a]\nvcpus = 0-1\n[b]\nvcpus = 4-5\n'
	finds "" --sysroot root rules.ini --xml a.xml --xml b.xml
}

@test "trap: a CPU that is one vCPU's own, in two guests" {
	guest a vcpu=3 >a.xml
	guest b vcpu=3 >b.xml
	guest c >c.xml
	rules '[a]\nvcpu0 = 4\nvcpu1 = 5\n[b]\nvcpus = 4-6\nvcpu2 = 5\n[c]\nvcpu0 = 6\n'
	finds "warning: rules.ini:6: CPU 5: one vCPU's own in guest 'b', and in guest 'a' too (rules.ini:3): the vCPUs take turns; give each a CPU of its own" \
		--sysroot root rules.ini --xml a.xml --xml b.xml --xml c.xml
	rules '[?]\nvcpu0 = 4\n'
	finds "warning: rules.ini:2: CPU 4: one vCPU's own in guests 'b', 'c', and in guest 'a' too (rules.ini:2): the vCPUs take turns; give each a CPU of its own" \
		--sysroot root rules.ini --xml a.xml --xml b.xml --xml c.xml
	rules '[a]\nvcpu0 = 4\nvcpu1 = 4\n' # of one guest it is another trap
	finds "warning: rules.ini:2: vcpu0: 2 vCPUs of a guest have only CPU 4 between them, and wait for one another; name more CPUs, or give the guest fewer vCPUs (guest 'a')" \
		--sysroot root rules.ini --xml a.xml
	rules '[?]\nvcpus = 4-6\n'
	finds "" --sysroot root rules.ini --xml a.xml --xml b.xml --xml c.xml
	rules '[?]\nvcpus = 4-6\nplacement = one-to-one\n'
	run vmaffinity check --sysroot root rules.ini --xml a.xml --xml b.xml
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"one vCPU's own in guest 'b', and in guest 'a' too (rules.ini:2): the vCPUs take turns; give each a CPU of its own"* ]]
}

@test "trap: CPUs that machine.slice does not allow" {
	mkdir -p root/proc/self root/sys/fs/cgroup/machine.slice
	echo '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw' >root/proc/self/mountinfo
	echo 0-3 >root/sys/fs/cgroup/machine.slice/cpuset.cpus.effective
	rules '[*]\nvcpus = 2-5\nemulator = 6\niothreads = 0-3,9\n'
	guest web-1 vcpu=2 >web-1.xml
	finds "\
warning: rules.ini:2: vcpus wants 2-5, but machine.slice allows only 0-3: the others are left out
error: rules.ini:3: emulator wants 6, but machine.slice allows only 0-3: no CPU is left, so such a guest is not pinned
warning: rules.ini:4: iothreads wants 0-3,9, but this host has only CPUs 0-7: the others are left out" --sysroot root rules.ini
	finds "\
warning: rules.ini:2: vcpus wants 2-5, but machine.slice allows only 0-3; left out: 4-5 (guest 'web-1')
error: rules.ini:3: emulator wants 6, but machine.slice allows only 0-3; no CPU is left (guest 'web-1')
warning: rules.ini:4: iothreads wants 0-3,9, but this host has only CPUs 0-7: the others are left out" --sysroot root rules.ini --xml web-1.xml
}

@test "a finding of many guests is told once" {
	rules '[*]\nvcpus = 6-9\n'
	for ((n = 0; n < 20; n++)); do
		guest "g$n" vcpu=2 >"g$n.xml"
		xml+=(--xml "g$n.xml")
	done
	finds "warning: rules.ini:2: vcpus wants 6-9, but this host has only CPUs 0-7; left out: 8-9 (guests $(printf ", 'g%s'" {0..19} | cut -c 3-))" --sysroot root rules.ini "${xml[@]}"
}

@test "a guest's key for a vCPU that it does not have is no finding: it may be plugged in" {
	rules '[*]\nvcpu9 = 1\n'
	finds "" --sysroot root rules.ini --xml web-1.xml
}

@test "XML that is none: an error that names the file" {
	echo '<domain>' >cut.xml
	rules '[*]\nvcpus = 0-3\n'
	finds "error: cut.xml: the XML is not well-formed: line 2: Premature end of data in tag domain line 1" \
		--sysroot root rules.ini --xml cut.xml --xml web-1.xml
	run -2 vmaffinity check --sysroot root rules.ini --xml cut.xml --xml web-1.xml
	same "looked at 1 file, 1 host, 1 guest: 1 error" "${lines[-1]}"
}

@test "XML that cannot be read: status 3, and the findings all the same" {
	rules '[*]\nvcpus = ^0 1\n'
	run -3 --separate-stderr vmaffinity check --sysroot root rules.ini --xml nowhere
	same "vmaffinity: nowhere: No such file or directory" "$stderr"
	[[ $output == "warning: rules.ini:2:9: '^0' precedes other CPUs, yet "* ]]
}

# bats test_tags=sanitized
@test "guests from libvirt, if a daemon is named" {
	rules '[test]\nvcpus = 0-1\n[other]\nvcpus = 1\n'
	finds "warning: rules.ini:3: [other] matches no guest of the 2 that were looked at; see their names with 'virsh list --all'" --sysroot root rules.ini --connect test:///default --xml web-1.xml
	cannot "vmaffinity: $NO_DAEMON" \
		vmaffinity check rules.ini --connect "$DEAD"
}

# bats test_tags=sanitized
@test "--json: one object" {
	rules '[*]\nvcpus = ^0 1-4\n[db1]\nemulator = 0\n'
	guest web-2 >web-2.xml
	run -1 --separate-stderr vmaffinity check --sysroot root rules.ini --xml web-1.xml --xml web-2.xml --json
	same "" "$stderr"
	same '{"files":["rules.ini"],"rules":2,"guests":2,"levels":["warning","warning"]}' \
		"$(jq -c '{files, rules, guests, levels: [.findings[].level]}' <<<"$output")"
	same "[db1] matches no guest of the 2 that were looked at; see their names with 'virsh list --all'" "$(jq -r '.findings[1].text' <<<"$output")"
	run -0 vmaffinity check --sysroot root --json
	same '{"version":1,"error":null,"files":[],"rules":0,"hosts":1,"guests":0,"findings":[]}' "$output"
	rules '[*]\nvcpuz = 1\n'
	run -2 vmaffinity check rules.ini --json
	same error "$(jq -r '.findings[0].level' <<<"$output")"
}

@test "an indented line below on-error continues it, and is not passed over" {
	for section in '*' global; do
		found "[$section]\non-error = fail\n  vcpus = 3\n" \
			"error: rules.ini:3: an indented line continues the value above; remove its indent to begin a key"
		rules "[$section]\non-error = fail\n  3\n"
		run -2 vmaffinity check rules.ini
	done
}

@test "a comment behind a continued value is one" {
	found '[*]\nvcpus = 1,  ; one\n   2  ; two\n\t3\t; three\n' ''
	rules '[a]\nmatch = db1, ; one\n  web-1 ; two\nemulator = 2\n'
	finds '' --sysroot root rules.ini --xml web-1.xml
}

#!/usr/bin/env bats
# vmaffinity status: what it makes of a machine's files. Real guests are in tests/e2e/status.bats.
# shellcheck disable=SC2154,SC2030,SC2031 # set by run; each test has an environment of its own

load cli

setup()
{
	cli_setup
	rm -r root
	mkdir root
	"$REPO/tests/fixtures/expand.py" "$REPO/tests/fixtures/machines/v2-systemd.txt" root
	mkdir -p root/etc
	# Guest db1 is as these rules want it, guest web as libvirt starts it; mail does not run.
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\n'
	db1=root/sys/fs/cgroup/machine.slice/machine-qemu\\x2d2\\x2ddb1.scope/libvirt
	for tid in 1301 1303; do thread $tid 0-1 $((tid / 2 % 2)); done
	thread 1304 2 2
	thread 1305 3 3
	for tid in 1201 1202 1203 1204 1210; do thread $tid 0-7 5; done
	libvirt_knows "$(guest db1 vcpu=2)" "$(guest web vcpu=4 iothreads=2)"
}

machine_rules() { printf '%b' "$1" >root/etc/vmaffinity.ini; }

# libvirt_knows XML...: these run, as far as it knows.
libvirt_knows()
{
	printf '<node>%s</node>' "$*" |
		sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/' >node.xml
}

# thread TID AFFINITY LAST [NAME]: what /proc says of it.
thread()
{
	local name=${4:-CPU 0/KVM}
	mkdir -p "root/proc/$1"
	printf 'Name:\t%s\nTgid:\t1\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\nMems_allowed_list:\t0\n' "$name" "$2" >"root/proc/$1/status"
	printf '%s (%s) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 4 0 9 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 -1 %s 0 0 0 0 0\n' \
		"$1" "$name" "$3" >"root/proc/$1/stat"
}

status() { vmaffinity status --sysroot root --connect "test://$PWD/node.xml" "$@"; }

on_terminal() { terminal "$1" "$BUILD/vmaffinity" status --sysroot root --connect "test://$PWD/node.xml" "${@:2}"; }

AS_RULED="\
db1: as ruled
  GROUP    CPUS CGROUP EFFECTIVE THREADS LAST NODES RULE
  emulator 0-1  0-1    0-1       0-1     0-1        /etc/vmaffinity.ini:2
  vcpu0    2    2      2         2       2          /etc/vmaffinity.ini:3
  vcpu1    3    3      3         3       3          /etc/vmaffinity.ini:4"

@test "a guest as ruled, and one without a rule: 0" {
	run -0 --separate-stderr status
	same "\
2 guests: 1 as ruled, 1 without a rule

db1  as ruled  vcpu0 2, vcpu1 3, emulator 0-1
web  no rule" "$output"
	same "" "$stderr"
	same "\
2 guests: 1 as ruled, 1 without a rule

$AS_RULED

web: no rule matches" "$(status -v)"
	same "$AS_RULED" "$(status db1)"
	same "web: no rule matches" "$(status web)"
}

@test "a line a guest: vCPUs first, one to one, memory, warnings; tables of those that drift come last" {
	machine_rules '[db*]\nemulator = 0-1\nvcpus = 2-3\nplacement = one-to-one\nmemory = 0\n[web]\niothreads = 2\n'
	for group in emulator vcpu0 vcpu1; do echo 0 | tee "$db1/$group"/cpuset.mems{,.effective} >/dev/null; done
	libvirt_knows "$(guest db1 vcpu=2)" "$(guest web vcpu=4 iothreads=2)" "$(guest box)"
	run -1 --separate-stderr status
	same "\
3 guests: 1 as ruled, 1 not as ruled, 1 without a rule; drift in 2 groups

box  no rule
db1  as ruled  2 vCPUs on 2-3 one to one, emulator 0-1, memory node 0

web: 2 of 7 groups not as ruled
  GROUP       CPUS CGROUP EFFECTIVE THREADS LAST NODES RULE
  emulator    -           0-7       0-7     5          no rule
  vcpu0-3     -           0-7       0-7     5          no rule
! iothread1-2 2           0-7       0-7     5          /etc/vmaffinity.ini:7
drift: iothread1-2: not pinned: it may use all CPUs that the guest may, 0-7; the rule says 2
put it right with: vmaffinity apply web" "$output"
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3,9\n'
	libvirt_knows "$(guest db1 vcpu=2)"
	run -0 status
	same "\
db1  as ruled  vcpu0 2, vcpu1 3, emulator 0-1
  warning: /etc/vmaffinity.ini:4: vcpu1 wants 3,9, but this host has only CPUs 0-7; left out: 9" "$output"
}

@test "neighbours that are alike share a row, with the CPUs on which any of them ran last; those with a gap do not" {
	machine_rules '[web]\nvcpus = 2-3\n'
	web=root/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt
	echo 1299 >"$web/vcpu3/cgroup.threads"
	thread 1299 0-7 1
	run -1 status web
	grep -q '^! vcpu0-3     2-3         0-7       0-7     1,5 ' <<<"$output"
	rm -r "$web/vcpu2"
	run -1 status web
	grep -q '^! vcpu0-1 ' <<<"$output"
	grep -q '^! vcpu3 ' <<<"$output"
}

@test "lines break after commas only, for the terminal's width; --wide: never" {
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\n'
	libvirt_knows "$(guest db1 vcpu=2)"
	on_terminal 40 | tr -d '\r' >out
	same "\
db1  as ruled  vcpu0 2, vcpu1 3,
               emulator 0-1" "$(cat out)"
	on_terminal 40 --wide | tr -d '\r' >out
	same "db1  as ruled  vcpu0 2, vcpu1 3, emulator 0-1" "$(cat out)"
}

@test "nothing is written, and no lock is taken" {
	find root -printf '%P %s %T@\n' | sort >before
	status >/dev/null
	machine_rules '[*]\nvcpus = 7\n'
	find root -printf '%P %s %T@\n' | sort >before
	run -1 status
	find root -printf '%P %s %T@\n' | sort >after
	cmp before after
}

@test "how vCPUs were placed one to one is for plan: nothing is said of it where all is as ruled" {
	machine_rules '[db*]\nemulator = 0-1\nvcpus = 2-3\nplacement = one-to-one\n'
	run -0 --separate-stderr status db1
	same "db1: as ruled" "${lines[0]}"
	[[ $output != *one-to-one* ]]
	same "" "$stderr"
}

@test "memory that may come from other nodes: told once for neighbours, and what to do; 1" {
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\nmemory = 1\n'
	echo 0-1 | tee "$db1/cpuset.mems.effective" "$db1"/{emulator,vcpu0,vcpu1}/cpuset.mems >"$db1/emulator/cpuset.mems.effective"
	cp "$db1/cpuset.mems.effective" "$db1/vcpu0"
	cp "$db1/cpuset.mems.effective" "$db1/vcpu1"
	run -1 status db1
	same "\
db1: 3 of 3 groups not as ruled
  GROUP    CPUS CGROUP EFFECTIVE THREADS LAST NODES RULE
! emulator 0-1  0-1    0-1       0-1     0-1  0-1   /etc/vmaffinity.ini:2
! vcpu0    2    2      2         2       2    0-1   /etc/vmaffinity.ini:3
! vcpu1    3    3      3         3       3    0-1   /etc/vmaffinity.ini:4
drift: emulator: its memory may come from nodes 0-1; the rule says 1
drift: vcpu0-1: its memory may come from nodes 0-1; the rule says 1
put it right with: vmaffinity apply db1" "$output"
	for group in emulator vcpu0 vcpu1; do echo 1 >"$db1/$group/cpuset.mems.effective"; done
	run -0 status db1
	same "db1: as ruled" "${lines[0]}"
}

# bats test_tags=sanitized
@test "a guest that nobody has pinned: each kind of group in a line, and what to do; 1" {
	machine_rules '[*]\nemulator = 0-1\nvcpus = 2-3\n'
	run -1 --separate-stderr status web
	same "\
web: 5 of 7 groups not as ruled
  GROUP       CPUS CGROUP EFFECTIVE THREADS LAST NODES RULE
! emulator    0-1         0-7       0-7     5          /etc/vmaffinity.ini:2
! vcpu0-3     2-3         0-7       0-7     5          /etc/vmaffinity.ini:3
  iothread1-2 -           0-7       0-7     5          no rule
drift: emulator: not pinned: it may use all CPUs that the guest may, 0-7; the rule says 0-1
drift: vcpu0-3: not pinned: it may use all CPUs that the guest may, 0-7; the rule says 2-3
put it right with: vmaffinity apply web" "$output"
	same "" "$stderr"
}

@test "another mask, less granted, threads kept elsewhere: each is told" {
	echo 4-5 >"$db1/vcpu0/cpuset.cpus"
	echo 4-5 >"$db1/vcpu0/cpuset.cpus.effective"
	: >"$db1/vcpu1/cpuset.cpus.effective"
	thread 1303 1 1
	run -1 status db1
	same "\
db1: 3 of 3 groups not as ruled
  GROUP    CPUS CGROUP EFFECTIVE THREADS       LAST NODES RULE
! emulator 0-1  0-1    0-1       1 of 2 differ 0-1        /etc/vmaffinity.ini:2
! vcpu0    2    4-5    4-5       2             2          /etc/vmaffinity.ini:3
! vcpu1    3    3                3             3          /etc/vmaffinity.ini:4
drift: emulator: 1 of 2 threads keep to other CPUs than 0-1: thread 1303 on 1
drift: vcpu0: the cgroup has CPUs 4-5; the rule says 2
drift: vcpu1: the cgroup has CPUs 3, of which the kernel grants none
put it right with: vmaffinity apply db1" "$output"
}

@test "pins that outlived their rule: said for a guest without a rule, and for groups without one; libvirt's own are none" {
	machine_rules '[db1]\nvcpu0 = 2\n'
	run -1 status db1
	same "\
db1: 2 of 3 groups not as ruled
  GROUP    CPUS CGROUP EFFECTIVE THREADS LAST NODES RULE
! emulator 0-7  0-1    0-1       0-1     0-1        no rule
  vcpu0    2    2      2         2       2          /etc/vmaffinity.ini:2
! vcpu1    0-7  3      3         3       3          no rule
drift: emulator: no rule is about it, but the cgroup has CPUs 0-1; libvirt would give it 0-7
drift: vcpu1: no rule is about it, but the cgroup has CPUs 3; libvirt would give it 0-7
put it right with: vmaffinity apply db1" "$output"
	machine_rules '[other]\nvcpus = 1\n'
	run -1 status
	same "2 guests: 1 not as ruled, 1 without a rule; drift in 3 groups

web  no rule

db1: no rule matches, but 3 of 3 groups are confined" "$(head -n 5 <<<"$output")"
	[[ $output == *"drift: vcpu0: no rule is about it, but the cgroup has CPUs 2; libvirt would give it 0-7"* ]]
	[[ $output == *"put it right with: vmaffinity release db1"* ]]
	libvirt_knows "$(guest db1 vcpu=2 'pins=0:2 1:3' emulatorpin=0-1)"
	run -0 status
	same "db1  no rule" "$output"
}

@test "memory nodes that outlived their rule; those of a strict <numatune> are libvirt's" {
	echo 0-1 >"$db1/cpuset.mems.effective"
	tee "$db1"/{emulator,vcpu0,vcpu1}/cpuset.mems{,.effective} <<<1 >/dev/null
	run -1 status db1
	[[ $output == *"drift: emulator: no rule is about it, but its memory may come from nodes 1; libvirt would give it 0-1"* ]]
	[[ $output == *"drift: vcpu0-1: no rule is about it, but its memory may come from nodes 1; libvirt would give it 0-1"* ]]
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\nmemory = keep\n'
	run -0 status db1
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\n'
	libvirt_knows "$(guest db1 vcpu=2 | sed 's,<vcpu,<numatune><memory mode="strict" nodeset="1"/></numatune>&,')"
	run -0 status db1
}

@test "a guest by its name, UUID, id, or a pattern; each once" {
	local uuid=12345678-1234-1234-1234-123456789abc word
	libvirt_knows "$(guest db1 vcpu=2 uuid=$uuid)" "$(guest web vcpu=4 iothreads=2)"
	for word in db1 $uuid "${uuid//-/}" 1 'db*' '?b1' '[cd]b1'; do
		run -0 --separate-stderr status "$word"
		same "$AS_RULED" "$output"
	done
	run -0 status 'db*' '*1' web
	same "db1: as ruled
web: no rule matches" "$(grep -E '^(db1|web):' <<<"$output")"
	run -3 --separate-stderr status 'x*' 7 db1
	same "vmaffinity: x*: no running guest's name matches this pattern
vmaffinity: 7: Domain not found" "$stderr"
}

@test "threads that a rule keeps: their affinity, or mixed; a group without threads" {
	machine_rules '[db1]\nemulator = keep\nvcpu0 = 2\nvcpu1 = keep\n'
	tee "$db1"/emulator/cpuset.cpus{,.effective} <<<0-7 >/dev/null
	thread 1303 5 5
	: >"$db1/vcpu1/cgroup.threads"
	run -0 status db1
	same "\
db1: as ruled
  GROUP    CPUS CGROUP EFFECTIVE THREADS LAST NODES RULE
  emulator keep 0-7    0-7       mixed   0,5        /etc/vmaffinity.ini:2
  vcpu0    2    2      2         2       2          /etc/vmaffinity.ini:3
  vcpu1    keep 3      3         none               /etc/vmaffinity.ini:4" "$output"
	machine_rules '[db1]\nvcpus = keep\n'
	run -1 status db1 # the mask is whole, but a thread keeps to less than libvirt would give it
	[[ $output == *"drift: emulator: 2 of 2 threads keep to other CPUs than 0-7: thread 1301 on 0-1, thread 1303 on 5"* ]]
}

@test "threads of any name, and some that end meanwhile" {
	local name
	for name in ')' 'a) S 1 2 3' '((' ') ' $'x\x1b[31m'; do
		thread 1304 2 2 "$name"
		same "$AS_RULED" "$(status db1)"
	done
	rm -r root/proc/1303
	run -0 status db1
	[[ $output == *"emulator 0-1  0-1    0-1       0-1     0 "* ]]
}

@test "libvirt's own record where it disagrees; that is no drift" {
	libvirt_knows "$(guest db1 vcpu=2 pins='0:2 1:5' emulatorpin=4-5)"
	run -0 status -v
	same "\
db1: as ruled
  GROUP    CPUS CGROUP EFFECTIVE THREADS LAST NODES LIBVIRT RULE
  emulator 0-1  0-1    0-1       0-1     0-1        4-5     /etc/vmaffinity.ini:2
  vcpu0    2    2      2         2       2                  /etc/vmaffinity.ini:3
  vcpu1    3    3      3         3       3          5       /etc/vmaffinity.ini:4" "$output"
	run -0 status --json
	same "4-5 null 5" "$(jq -r '[.guests[].groups[].record | tostring] | join(" ")' <<<"$output")"
}

@test "memory nodes, if the kernel tells" {
	for group in emulator vcpu0 vcpu1; do echo 0-1 >"$db1/$group/cpuset.mems.effective"; done
	run -0 status db1
	[[ ${lines[2]} == "  emulator 0-1  0-1    0-1       0-1     0-1  0-1   /etc/vmaffinity.ini:2" ]]
}

@test "a guest that does not run, one that libvirt does not know, and one that can be looked at: 2" {
	libvirt_knows "$(guest db1 vcpu=2)" "$(guest mail | sed 's/<domain /&xmlns:test="http:\/\/libvirt.org\/schemas\/domain\/test\/1.0" /
		s/<name>/<test:runstate>5<\/test:runstate>&/')"
	machine_rules '[*]\nemulator = 0-1\nvcpus = keep\n'
	run -0 status mail
	same "mail: not running" "$output"
	run -3 --separate-stderr status mail nobody db1
	same "vmaffinity: nobody: Domain not found" "$stderr"
	[[ $output == "3 guests: 1 as ruled, 1 not running, 1 failed"$'\n\n'"mail: not running"$'\n\n'"db1: as ruled"* ]]
}

@test "a guest that runs under another daemon than this host's: it is not called not running, 1" {
	libvirt_knows "$(guest db1 vcpu=2)" "$(guest box)"
	machine_rules '[*]\nemulator = 0-1\nvcpus = keep\n'
	run -1 status box
	same "box: runs under test://$PWD/node.xml, but not under qemu:///system of this host: it cannot be pinned" "$output"
	run -1 status
	[[ $output == "2 guests: 1 as ruled, 1 elsewhere"$'\n\n'"db1  as ruled  emulator 0-1"$'\n\n'"box: runs under "* ]]
	run -1 status --json box
	same "elsewhere" "$(jq -r '.guests[].state' <<<"$output")"
}

@test "a rule that cannot be followed: said, 1" {
	machine_rules '[db1]\nemulator = 9\nvcpu0 = 2\nvcpu1 = 3-8\n'
	run -1 status db1
	same "\
db1: 1 of 3 groups not as ruled
error: /etc/vmaffinity.ini:2: emulator wants 9, but this host has only CPUs 0-7; no CPU is left
warning: /etc/vmaffinity.ini:4: vcpu1 wants 3-8, but this host has only CPUs 0-7; left out: 8
drift: vcpu1: the cgroup has CPUs 3; the rule says 3-7" "$(grep -v '^[ !] ' <<<"$output")"
	machine_rules '[db1]\nemulator = 9\nvcpus = keep\n'
	run -1 status db1
	same "db1: not as ruled" "${lines[0]}"
}

@test "no cgroups for the guest's threads, or not for all: said, 1" {
	rm -r "$db1/vcpu1"
	run -1 status db1
	same "db1: not as ruled" "${lines[0]}"
	[[ $output == *$'\n'"warning: /etc/vmaffinity.ini:4: vcpu1: vcpu1 has no cgroup of its own in "*", and so is where the emulator is" ]]
	echo 0::/machine.slice/x.scope >root/proc/1301/cgroup
	run -1 status db1
	same "\
db1: not as ruled
error: process 1301 is in cgroup '/machine.slice/x.scope', which does not end in '/emulator': libvirt made no cgroups for this guest's threads; see that \"cpuset\" is in cgroup_controllers of /etc/libvirt/qemu.conf, if that is set, and in cgroup.subtree_control above the guest; then start the guest again" "$output"
	same '"drift" 0' "$(status --json db1 | jq -c '.guests[] | .state, (.groups | length)' | paste -sd ' ')"
}

# bats test_tags=sanitized
@test "what cannot be read: said, the others are shown all the same, 2" {
	rm "$db1/cpuset.cpus.effective"
	machine_rules '[*]\nvcpus = 2\n'
	run -3 --separate-stderr status
	same "vmaffinity: db1: /sys/fs/cgroup/machine.slice/machine-qemu\x5cx2d2\x5cx2ddb1.scope/libvirt: cpuset.cpus.effective: controller cpuset is not available here" "${stderr//\\x2d/\\x5cx2d}"
	[[ $output == "2 guests: 1 not as ruled, 1 failed; drift in 4 groups"$'\n\n'"web: 4 of 7 groups not as ruled"* ]]
}

@test "errors in the rules, no daemon, nobody there" {
	machine_rules '[*]\nvcpus = 3-1\n'
	fails 2 "error: /etc/vmaffinity.ini:2:9: range 3-1 runs backwards; write 1-3" status
	machine_rules '[*]\nvcpus = 3\n'
	cannot "vmaffinity: $NO_DAEMON" \
		vmaffinity status --sysroot root --connect "$DEAD"
	libvirt_knows
	run -0 status
	same "no guest is running" "$output"
	same '{"version":1,"error":null,"guests":[]}' "$(status --json)"
}

# bats test_tags=sanitized
@test "--json: an object for each guest in one document" {
	run -0 --separate-stderr status --json
	same "" "$stderr"
	[ "${#lines[@]}" = 1 ]
	same '{"guest":"db1","id":1,"uuid":"x","error":null,"rules":[{"file":"/etc/vmaffinity.ini","line":1}],"state":"as-ruled","groups":[{"group":"emulator","cpus":"0-1","rule":{"file":"/etc/vmaffinity.ini","line":2},"now":"0-1","path":"/sys/fs/cgroup/machine.slice/machine-qemu\\x2d2\\x2ddb1.scope/libvirt/emulator/cpuset.cpus","effective":"0-1","nodes":"","record":null,"threads":[{"tid":1301,"cpus":"0-1","last":0},{"tid":1303,"cpus":"0-1","last":1}],"drift":null,"text":null}],"notes":[]}' \
		"$(jq -c '.guests[0] | .uuid = "x" | .id = 1 | .groups = .groups[:1]' <<<"$output")"
	same '{"state":"no-rule","groups":[],"rules":[]}' "$(jq -c '.guests[1] | {state, groups, rules}' <<<"$output")"
	echo 5 >"$db1/vcpu1/cpuset.cpus"
	run -1 status --json db1
	same '["drift",[null,null,"mask"],"vcpu1: the cgroup has CPUs 5; the rule says 3"]' "$(jq -c '.guests[] | [.state, [.groups[].drift], .groups[2].text]' <<<"$output")"
}

# metrics FILE: it is what a strict reader of Prometheus' text format takes: each sample after the HELP and TYPE of its
# name, once, with labels in quotes and a number.
metrics()
{
	python3 - "$1" <<-'END'
		import re, sys
		typed, seen = set(), set()
		for line in open(sys.argv[1], encoding="utf-8").read().removesuffix("\n").split("\n"):
		    if found := re.fullmatch(r"# HELP ([a-z_]+) \S.*\.", line):
		        helped = found[1]
		    elif found := re.fullmatch(r"# TYPE ([a-z_]+) gauge", line):
		        assert helped == found[1] and found[1] not in typed, line
		        typed.add(found[1])
		    else:
		        found = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? [0-9]+', line)
		        assert found and found[1] == helped and (found[1], found[2]) not in seen, line
		        seen.add((found[1], found[2]))
	END
}

@test "--metrics: what Prometheus reads" {
	machine_rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 4\n'
	run -1 --separate-stderr status --metrics
	same "" "$stderr"
	metrics <(echo "$output")
	same 'vmaffinity_status_success 1
vmaffinity_guests{state="as-ruled"} 0
vmaffinity_guests{state="drift"} 1
vmaffinity_guests{state="no-rule"} 1
vmaffinity_guests{state="not-running"} 0
vmaffinity_guests{state="elsewhere"} 0
vmaffinity_guests{state="failed"} 0
vmaffinity_guest_state{guest="db1",state="drift"} 1
vmaffinity_guest_state{guest="web",state="no-rule"} 1
vmaffinity_guest_drifted_groups{guest="db1"} 1
vmaffinity_guest_drifted_groups{guest="web"} 0' "$(grep -v '^#' <<<"$output")"
	libvirt_knows "$(guest 'a"b\c' vcpu=2)"
	run -3 --separate-stderr status --metrics no no 'a"b\c'
	metrics <(echo "$output")
	[[ $output == *'{guest="a\"b\\c",state="no-rule"} 1'*'{guest="no",state="failed"} 1'* ]]
	run -3 --separate-stderr vmaffinity status --metrics --sysroot root --connect "$DEAD"
	metrics <(echo "$output")
	[[ $output == *$'\nvmaffinity_status_success 0' ]]
}

@test "--nagios: a line, and a plugin's exit status" {
	run -0 --separate-stderr status --nagios
	same "VMAFFINITY OK - 2 guests: 1 as ruled, 1 without a rule | as_ruled=1 drift=0 no_rule=1 failed=0" "$output"
	run -0 status --nagios db1
	same "VMAFFINITY OK - 1 guest: 1 as ruled | as_ruled=1 drift=0 no_rule=0 failed=0" "$output"
	run -3 --separate-stderr status --nagios db1 x
	[[ $output == "VMAFFINITY UNKNOWN - 2 guests: 1 as ruled, 1 failed | "* ]]
	libvirt_knows "$(guest db1 vcpu=2)" "$(guest box)"
	machine_rules '[*]\nemulator = 0-1\n'
	run -1 status --nagios box
	[[ $output == "VMAFFINITY WARNING - 1 guest: 1 elsewhere | "* ]]
	machine_rules '[*]\nemulator = 0\n'
	run -2 status --nagios db1
	[[ $output == "VMAFFINITY CRITICAL - 1 guest: 1 not as ruled; drift in "* ]]
	machine_rules '[*]\nemulatr = 0\n'
	run -2 --separate-stderr status --nagios
	same "VMAFFINITY CRITICAL - the rules have errors" "$output"
	rm root/etc/vmaffinity.ini
	run -3 --separate-stderr vmaffinity status --nagios --sysroot root --connect "$DEAD"
	[[ $output == "VMAFFINITY UNKNOWN - no libvirt daemon answers at $DEAD: "* ]]
	refused "status: --json, --metrics and --nagios exclude each other" status --json --nagios
}

@test "a long list of CPUs is whole in --json" {
	list=$(seq -s , 0 2 1998)
	echo "$list" >"$db1/vcpu0/cpuset.cpus"
	echo "$list" >"$db1/vcpu0/cpuset.cpus.effective"
	thread 1304 "$list" 2
	run -1 status --json db1
	same "$list" "$(jq -r '.guests[0].groups[1].now' <<<"$output")"
	same "$list" "$(jq -r '.guests[0].groups[1].threads[0].cpus' <<<"$output")"
}

@test "no colour, and the full width, where there is no terminal" {
	echo 5 >"$db1/vcpu1/cpuset.cpus"
	COLUMNS=40 status db1 >out || [ $? = 1 ]
	printable_only out
	grep -qx '! vcpu1    3    5      3         3       3          /etc/vmaffinity.ini:4' out
}

@test "colours on a terminal, but not with NO_COLOR; without them drift is marked as well" {
	echo 5 >"$db1/vcpu1/cpuset.cpus"
	on_terminal 100 db1 >out
	grep -q $'^\33\\[1;31m! vcpu1 ' out
	[ "$(grep -c $'\33' out)" = 1 ]
	export NO_COLOR=1
	on_terminal 100 db1 >out
	run -1 grep $'\33' out
	grep -q '^! vcpu1 ' out
	export NO_COLOR=
	on_terminal 100 db1 >out
	[ "$(grep -c $'\33' out)" = 1 ]
}

@test "a narrow terminal: nothing is lost, and lists and paths break after a comma or a slash only" {
	list=0,2,4,6,8,10,12,14,16,18
	echo $list | tee "$db1/vcpu1/cpuset.cpus" >"$db1/vcpu1/cpuset.cpus.effective"
	thread 1305 $list 3
	export NO_COLOR=1
	on_terminal 150 db1 | grep '^[ !] ' >wide
	grep -q " $list $list $list " wide
	for width in 80 60; do
		on_terminal $width db1 | tr -d '\r' | grep '^[ !] ' >narrow
		[ $width = 60 ] || run ! grep -E "^.{$((width + 1))}" narrow
		grep -q ' 0,2,4,6, ' narrow
		grep -q 'vmaffinity.ini:4' narrow
		same "$(tr -d ' \r\n' <wide | fold -w1 | sort | tr -d '\n')" "$(tr -d ' \n' <narrow | fold -w1 | sort | tr -d '\n')"
	done
	on_terminal 60 --wide db1 | grep '^[ !] ' >narrow
	cmp wide narrow
}

@test "a guest's name for a shell: a command that can be copied, or none" {
	local name
	machine_rules '[*]\nvcpus = 7\n'
	for name in 'my guest' "a'b" -x; do
		sed 's/db1/x/; s/<domstatus.*/&/' root/run/libvirt/qemu/db1.xml >"root/run/libvirt/qemu/$name.xml"
		libvirt_knows "$(guest "$name" vcpu=2)"
		run -1 status
		same "put it right with 'vmaffinity apply' and the guest's name" "${lines[-1]}"
	done
}

@test "a guest that ends while it is looked at: not running, and no failure" {
	local opens=(strace -E ASAN_OPTIONS=detect_leaks=0 -qq -e trace=openat -o trace) n
	"${opens[@]}" "$BUILD/vmaffinity" status --sysroot root --connect "test://$PWD/node.xml" db1
	n=$(grep -n run/libvirt/qemu/db1.xml trace | cut -d : -f 1) # from then on each step takes its time
	: >trace
	"${opens[@]}" -e inject=openat:delay_exit=300000:when="$n+" \
		"$BUILD/vmaffinity" status --sysroot root --connect "test://$PWD/node.xml" db1 >out 2>err 3>&- &
	until grep -q run/libvirt/qemu/db1.xml trace; do sleep 0.01; done
	rm -r root/proc/1301 root/run/libvirt/qemu/db1.xml
	wait $! || { cat out err && false; }
	same "db1: not running" "$(cat out)"
	same "" "$(cat err)"
}

@test "a hook of another program in the place of vmaffinity's: a warning" {
	mkdir -p root/etc/libvirt/hooks/qemu.d
	printf '#!/bin/sh\n# vmaffinity-guard 0.1.0 /usr/sbin/vmaffinity-hook\n' >root/etc/libvirt/hooks/qemu
	chmod 755 root/etc/libvirt/hooks/qemu
	run -0 --separate-stderr status db1
	same "$AS_RULED" "$output"
	same "vmaffinity: warning: /etc/libvirt/hooks/qemu belongs to another program, and vmaffinity's hook is not installed: guests that start are not pinned; see vmaffinity doctor" "$stderr"
	install -m 644 "$BUILD/vmaffinity-guard" root/etc/libvirt/hooks/qemu.d/50-vmaffinity
	run -0 --separate-stderr status db1
	[[ $stderr == *" belongs to another program, "* ]] # libvirt does not run what is not executable
	chmod 755 root/etc/libvirt/hooks/qemu.d/50-vmaffinity
	run -0 --separate-stderr status db1
	same "" "$stderr"
	rm root/etc/libvirt/hooks/qemu.d/50-vmaffinity
	chmod 644 root/etc/libvirt/hooks/qemu
	run -0 --separate-stderr status db1
	same "" "$stderr"
}

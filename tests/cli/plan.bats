#!/usr/bin/env bats
# vmaffinity plan: where a guest's XML comes from, and what is shown. What the rules mean is in tests/golden.
# shellcheck disable=SC2154,SC2016,SC2002,SC2094,SC2153 # set by run; what eval expands; pipes are meant; nothing is written there; $DEAD

load cli

setup()
{
	cli_setup
	rules '[cpus]\nhousekeeping = 0-1\n\n[*]\nemulator  = @housekeeping\niothreads = @housekeeping\n\n[web-*]\nvcpus = all ^@housekeeping\n'
	with=(--sysroot root --config rules.ini)
}

plan() { vmaffinity plan "${with[@]}" "$@"; }

TABLE="\
web-1
  rule  rules.ini:4 [*]
  rule  rules.ini:8 [web-*]
GROUP       CPUS RULE
emulator    0-1  rules.ini:5  emulator = @housekeeping
vcpu0-3     2-7  rules.ini:9  vcpus = all ^@housekeeping
iothread1-2 0-1  rules.ini:6  iothreads = @housekeeping
note: not running here: no pid file and no status file in /run/libvirt/qemu"

@test "XML from --xml FILE, or --xml - with a file or a pipe on stdin: the same" {
	same "$TABLE" "$(plan --xml web-1.xml)"
	same "$TABLE" "$(plan --xml - <web-1.xml)"
	same "$TABLE" "$(cat web-1.xml | plan --xml -)"
	same "$TABLE" "$(plan --xml <(cat web-1.xml))"
	same "$TABLE" "$({ head -c 20 web-1.xml && sleep 0.3 && tail -c +21 web-1.xml; } | plan --xml -)"
}

# bats test_tags=sanitized
@test "--xml again and again: one after the other; one that fails does not stop the others" {
	guest other >other.xml
	run -0 plan --xml web-1.xml --xml other.xml --xml -  <web-1.xml
	same "$TABLE

other
  rule  rules.ini:4 [*]
GROUP    CPUS RULE
emulator 0-1  rules.ini:5  emulator = @housekeeping
vcpu0    -    no rule
note: not running here: no pid file and no status file in /run/libvirt/qemu

$TABLE" "$output"
	run -3 --separate-stderr plan --xml nowhere --xml other.xml --json
	same "vmaffinity: nowhere: No such file or directory" "$stderr"
	same "other nowhere" "$(jq -r '.guests[].guest' <<<"$output" | paste -sd ' ')"
}

@test "XML that cannot be read or used: status 3 and a line that names the file and the reason" {
	mkdir directory
	{ echo '<domain>' && head -c $((64 * 1024 * 1024)) /dev/zero | tr '\0' ' '; } >large.xml
	: >empty.xml
	echo '<domain>' >cut.xml
	echo '<!DOCTYPE domain><domain/>' >doctype.xml
	echo '<network/>' >network.xml
	echo '<domain/>' >nameless.xml
	while IFS='|' read -r file message; do
		cannot "vmaffinity: $file: $message" plan --xml "$file"
	done <<-'END'
		nowhere|No such file or directory
		directory|Is a directory
		large.xml|the XML is larger than 64 MiB
		empty.xml|the XML is empty
		doctype.xml|the XML has a DOCTYPE, which libvirt never writes; refused
		network.xml|the XML is not a <domain>
		nameless.xml|the domain has no <name>
	END
	run -3 --separate-stderr plan --xml cut.xml # libxml2's words follow
	[[ $stderr == "vmaffinity: cut.xml: the XML is not well-formed: line 2: "* ]] || { echo "$stderr" >&2; false; }
	same "" "$output"
	cannot "vmaffinity: stdin: the XML is larger than 64 MiB" plan --xml - <large.xml
}

@test "without --xml -, stdin is not read: it belongs to the loop or the script around" {
	dead="vmaffinity: $NO_DAEMON"
	run -3 plan --connect "$DEAD" <web-1.xml
	same "$dead" "$output"
	run -3 eval 'plan --connect "$DEAD" <&-'
	same "$dead" "$output"
	run -0 eval 'printf "one\ntwo\nthree\n" | while read -r g; do echo "guest $g"; plan --connect test:///default; done | grep ^guest'
	same "guest one
guest two
guest three" "$output"
	run -0 eval '{ plan --xml web-1.xml --json >plan.json && cat; } <web-1.xml' # with XML from elsewhere
	same "$(<web-1.xml)" "$output"
	mkfifo silent
	run -1 plan --connect test:///default <>silent # would wait for ever
	cannot "vmaffinity: stdin: the XML is empty" plan --xml - </dev/null
}

@test "--connect: what libvirt says when it cannot" {
	cannot "vmaffinity: $NO_DAEMON" \
		plan --connect "$DEAD" web-1
	run -3 --separate-stderr plan --connect nonsense:///x web-1
	[[ $stderr == "vmaffinity: no libvirt daemon answers at nonsense:///x: "* && ${#stderr_lines[@]} = 1 ]]
}

# bats test_tags=sanitized
@test "guests from libvirt: one by name, all that run, a name it does not know" {
	printf '<node>%s%s%s<cpu><socket>1</socket></cpu></node>' "$(guest web-1 vcpu=4 iothreads=2)" \
		"$(guest other)" "$(guest web-off | sed 's/<domain /&xmlns:test="http:\/\/libvirt.org\/schemas\/domain\/test\/1.0" /
			s/<name>/<test:runstate>5<\/test:runstate>&/')" |
		sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/; s/<cpu><.*cpu>//' >node.xml
	export with
	uri=test://$PWD/node.xml
	run -1 --separate-stderr plan --connect "$uri" web-1 </dev/null
	same "$TABLE
warning: runs under $uri, but not under qemu:///system of this host: it cannot be pinned" "$output"
	run -1 plan --connect "$uri" --json </dev/null
	same "other web-1" "$(jq -r '.guests[].guest' <<<"$output" | sort | paste -sd ' ')"
	run -0 plan --connect "$uri" web-off </dev/null # it does not run, but is known
	[[ ${lines[0]} = web-off && ${lines[5]} == "vcpu0 "*" 2-7 "* ]]
	cannot "vmaffinity: nobody: Domain not found" plan --connect "$uri" nobody
}

# root/ with guest db1, whose groups have what libvirt gave them: as it is on a host with systemd.
running_db1()
{
	host_with v2-systemd
	printf '<node>%s%s</node>' "$(guest db1 vcpu=2)" "$(guest box)" |
		sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/' >node.xml
	with+=(--connect "test://$PWD/node.xml")
}

@test "guests that run: a line for each that would not change, a table with marks for others" {
	running_db1
	rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\n'
	run -0 --separate-stderr plan
	same "\
2 guests: 1 unchanged, 1 without a rule

box  no rule
db1  no change  vcpu0 2, vcpu1 3, emulator 0-1" "$output"
	rules '[db*]\nemulator = 0-1\nvcpus = 2-3\nmemory = 0\n'
	run -0 plan
	same "\
2 guests: 1 would change, 1 without a rule

box  no rule

db1: 2 of 3 groups would change
  rule  rules.ini:1 [db*]
  in    /sys/fs/cgroup/machine.slice/machine-qemu\x2d2\x2ddb1.scope/libvirt
  GROUP    CPUS   NOW    RULE
  emulator 0-1    0-1    rules.ini:2  emulator = 0-1
* vcpu0    2-3    2      rules.ini:3  vcpus = 2-3
* vcpu1    2-3    3      rules.ini:3  vcpus = 2-3
  memory   node 0 node 0 rules.ini:4  memory = 0" "$output"
	run -0 plan -v
	[[ $output == *$'\n\nbox: no rule matches\n\ndb1: 2 of 3'* ]]
	rules '[db*]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\n'
	run -0 plan db1
	same "db1" "${lines[0]}"
}

@test "the test driver's own guest" {
	run -1 plan --connect test:///default test </dev/null
	[[ ${lines[0]} = test && ${lines[3]} == "emulator 0-1 "* ]]
}

@test "no guest runs" {
	echo '<node></node>' >node.xml
	run -0 plan --connect "test://$PWD/node.xml" </dev/null
	same "no guest is running" "$output"
	run -0 plan --connect "test://$PWD/node.xml" --json </dev/null
	same '{"version":1,"error":null,"guests":[]}' "$output"
}

@test "no rule matches: said; /sys is not looked at" {
	rules '[db1]\nvcpus = 1\n'
	rm -r root/sys
	run -0 plan --xml web-1.xml
	same "web-1: no rule matches" "$output"
	run -0 plan --xml web-1.xml --json
	same "[] []" "$(jq -rc '.guests[] | "\(.rules) \(.groups)"' <<<"$output")"
}

@test "no rules at all" {
	run -0 vmaffinity plan --sysroot root --xml web-1.xml
	same "web-1: no rule matches" "$output"
}

@test "keep, no rule, and vCPUs that are not plugged in" {
	rules '[*]\nvcpus = 1-3\nvcpu1 = keep\nvcpu8 = 1\niothread7 = 1\n'
	guest web-1 vcpu=4 current=2 iothreads=1 >web-1.xml
	run -0 plan --xml web-1.xml
	same "\
web-1
  rule  rules.ini:1 [*]
GROUP     CPUS RULE
emulator  -    no rule
vcpu0     1-3  rules.ini:2  vcpus = 1-3
vcpu1     keep rules.ini:3  vcpu1 = keep
iothread1 -    no rule
note: not running here: no pid file and no status file in /run/libvirt/qemu
note: rules.ini:4: vcpu8: no such vCPU in this guest, which can have 4
note: rules.ini:5: iothread7: no such iothread in this guest, which has 1" "$output"
}

@test "CPUs that are absent or offline are left out with a warning; if none is left it is an error" {
	host 0-5
	rules '[*]\nvcpus = 4-9\n'
	run -1 plan --xml web-1.xml
	same "warning: rules.ini:2: vcpus wants 4-9, but this host has only CPUs 0-7; left out: 6-9" "${lines[-1]}"
	[[ $output == *"vcpu0-3     4-5 "* ]]
	rules '[*]\nvcpus = 5-6\nemulator = 6\niothreads = 8191\n'
	run -2 plan --xml web-1.xml
	same "\
error: rules.ini:3: emulator wants 6, but CPU 6 is offline; no CPU is left
warning: rules.ini:2: vcpus wants 5-6, but CPU 6 is offline; left out: 6
error: rules.ini:4: iothreads wants 8191, but this host has only CPUs 0-7; no CPU is left" "$(grep -E '^(error|warning)' <<<"$output")"
	[[ $output == *"vcpu0-3     5 "* ]] # the table is there all the same
}

@test "errors of the rules: all of them, on stderr, and no plan" {
	rules '[*]\nvcpus = 3-1\nemulator = @nix\nvcpuz = 1\n[*]\n'
	fails 2 "\
error: rules.ini:4: unknown key 'vcpuz'; did you mean 'vcpus'?
error: rules.ini:5: section [*] already begins at line 1; write its keys there
error: rules.ini:2:9: range 3-1 runs backwards; write 1-3
error: rules.ini:3:12: '@nix': no such name in [cpus]" plan --xml web-1.xml
}

@test "--json: an object for each guest in one document" {
	guest other uuid=6F1C0D5A-5d2c-4b0e-9f0e-0b1d7c1f3a11 id=7 current=1 vcpu=2 >other.xml
	rules '[*]\nemulator = 0\nvcpus = keep\niothread9 = 1\n'
	run -0 --separate-stderr plan --json --xml web-1.xml --xml other.xml
	same "" "$stderr"
	[ "${#lines[@]}" = 1 ]
	same '{"guest":"other","id":7,"uuid":"6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11","error":null,"rules":[{"file":"rules.ini","line":1}],"groups":[{"group":"emulator","cpus":"0","rule":{"file":"rules.ini","line":2},"now":null,"change":false,"path":null},{"group":"vcpu0","cpus":null,"rule":{"file":"rules.ini","line":3},"now":null,"change":false,"path":null}],"memory":null,"notes":[{"level":"note","code":"not-running","file":null,"line":null,"column":null,"text":"not running here: no pid file and no status file in /run/libvirt/qemu"},{"level":"note","code":"no-such-thread","file":"rules.ini","line":4,"column":null,"text":"iothread9: no such iothread in this guest, which has 0"}]}' "$(jq -c '.guests[1]' <<<"$output")"
	same null "$(jq '.guests[0].id' <<<"$output")"
}

# bats test_tags=sanitized
@test "--json is valid UTF-8 JSON with any file name, and holds the whole of a long one" {
	name=$(printf 'x%.0s' {1..200})
	mkdir "$name"
	for file in $'c\33\xff"\\.ini' "$name/$name.ini"; do
		cp rules.ini "$file"
		vmaffinity plan --sysroot root --config "$file" --xml web-1.xml --json >out
		iconv -f UTF-8 -t UTF-8 out >/dev/null
		[[ $(jq -r '.guests[0].groups[0].rule | "\(.file):\(.line)"' out) == *.ini:5 ]]
		[[ $(jq -r '.guests[0].rules[1] | "\(.file):\(.line)"' out) == *.ini:8 ]]
		vmaffinity check --sysroot root "$file" --json >out
		iconv -f UTF-8 -t UTF-8 out >/dev/null
		[[ $(jq -r '.files[0]' out) == *.ini ]]
	done
}

@test "a long list of CPUs is whole in --json and in the table's row begins with its first" {
	host 0-8191 '' 0-8191
	rules '[*]\nvcpus = 0-8191:1/2\n'
	run -0 plan --xml web-1.xml --json
	same 4096 "$(jq -r '.guests[0].groups[1].cpus' <<<"$output" | tr , '\n' | wc -l)"
	run -0 plan --xml web-1.xml
	[[ $output == *"vcpu0-3     0,2,4,6"*",... rules.ini:2 "* ]]
}

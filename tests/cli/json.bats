#!/usr/bin/env bats
# --json: every command prints one document, which conf/output.schema.json describes, whatever it finds.
# shellcheck disable=SC2154 # set by run

load cli

setup()
{
	cli_setup
	host_with v2-systemd
	printf '<node>%s%s%s</node>' "$(guest db1 vcpu=2)" "$(guest web vcpu=4 iothreads=2)" "$(guest box uuid=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11)" |
		sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/' >node.xml
	uri=test://$PWD/node.xml
	cp "$REPO/tests/golden/cases/check-every-trap/rules.ini" traps.ini
}

# document STATUS KIND COMMAND...: it ends so, and prints one document of that kind.
document()
{
	run "-$1" --separate-stderr "${@:3}"
	"$REPO/tests/checks/json_schema.py" "$2" <<<"$output"
}

@test "plan: guests that run, do not, or cannot be planned for; XML that is none" {
	printf '[*]\nemulator = 0-1\nvcpus = 2-9\nmemory = 0\n' >rules.ini
	document 1 plan vmaffinity plan --json --sysroot root --config rules.ini --connect "$uri"
	same "box db1 web" "$(jq -r '.guests[].guest' <<<"$output" | paste -sd ' ')"
	same "absent-cpu rules.ini 3" "$(jq -r '.guests[1].notes[] | "\(.code) \(.file) \(.line)"' <<<"$output")"
	document 3 plan vmaffinity plan --json --sysroot root --config rules.ini --connect "$uri" nobody db1
	same '{"guest":"nobody","error":"Domain not found"}' "$(jq -c '.guests[1]' <<<"$output")"
	guest box >box.xml
	echo 0-5 >root/sys/devices/system/cpu/online
	printf '[box]\nvcpus = 4-6\n' >offline.ini
	document 1 plan vmaffinity plan --json --sysroot root --config offline.ini --xml box.xml
	same "not-running offline-cpu" "$(jq -r '.guests[].notes[].code' <<<"$output" | sort | paste -sd ' ')"
	echo '<network/>' >network.xml
	document 3 plan vmaffinity plan --json --sysroot root --config rules.ini --xml network.xml
	same '[{"guest":"network.xml","error":"the XML is not a <domain>"}]' "$(jq -c .guests <<<"$output")"
}

@test "status: as ruled, drift of each kind, no rule, not running, and what cannot be read" {
	printf '[db1]\nemulator = 0-1\nvcpu0 = 2\nvcpu1 = 3\n' >rules.ini
	document 0 status vmaffinity status --json --sysroot root --config rules.ini --connect "$uri"
	printf '[db1]\nvcpu0 = 1\n[web]\nvcpus = 4\n' >rules.ini
	document 1 status vmaffinity status --json --sysroot root --config rules.ini --connect "$uri"
	same "left mask left" "$(jq -r '.guests[] | select(.guest == "db1").groups[].drift' <<<"$output" | paste -sd ' ')"
	rm root/sys/fs/cgroup/machine.slice/*db1*/libvirt/cpuset.cpus.effective
	document 3 status vmaffinity status --json --sysroot root --config rules.ini --connect "$uri" db1 web x
	same "web x db1" "$(jq -r '.guests | sort_by(.error == null | not)[] | .guest' <<<"$output" | paste -sd ' ')"
}

@test "check: every kind of finding, guests and hosts as members" {
	guest web1 vcpu=4 >web1.xml
	small=$REPO/tests/fixtures/machines/v2-narrow.txt
	document 2 check vmaffinity check --json traps.ini --xml web1.xml --against "$small"
	[[ $(jq -c '[.findings[].where[]] | unique' <<<"$output") == *"{\"guest\":\"web1\",\"host\":\"$small\"}"* ]]
	printf '[*]\nvcpus = 1-\n' >rules.ini
	document 2 check vmaffinity check --json rules.ini
	same "rules-invalid rules.ini 2" "$(jq -r '.findings[] | "\(.code) \(.file) \(.line)"' <<<"$output" | sed 's/^set-/rules-/')"
	[[ $(jq '.findings[].column' <<<"$output") =~ ^[0-9]+$ ]]
}

@test "map, doctor" {
	document 0 map vmaffinity map --json --sysroot root
	document 0 map vmaffinity map --json --against "$REPO/tests/fixtures/machines/desktop-8p-16e.txt"
	same "e p" "$(jq -r '.cpus[].kind' <<<"$output" | sort -u | paste -sd ' ')"
	echo x >"$(echo root/sys/fs/cgroup/machine.slice/*db1*/libvirt/vcpu0/cpuset.cpus)"
	document 3 map vmaffinity map --json --sysroot root
	document 1 doctor vmaffinity doctor --json --sysroot root
}

@test "nothing could be looked at: a document that says why" {
	printf '[*]\nvcpus = 0\n' >rules.ini
	for command in plan status apply; do
		document 3 failure vmaffinity $command --json --config rules.ini --connect "$DEAD"
		same "$NO_DAEMON" "$(jq -r .error <<<"$output")"
	done
	printf '[*]\nvcpuz = 0\n' >rules.ini
	for command in plan status apply; do
		document 2 failure vmaffinity $command --json --config rules.ini --connect "$DEAD"
		same "rules-invalid rules.ini 2 unknown key 'vcpuz'; did you mean 'vcpus'?" \
			"$(jq -r '.notes[] | "\(.code) \(.file) \(.line) \(.text)"' <<<"$output")"
	done
	document 3 failure vmaffinity map --json --sysroot "$BATS_TEST_TMPDIR/root/etc"
	echo '[*]' >rules.ini
	for command in map "plan --config rules.ini"; do
		# shellcheck disable=SC2086 # words
		document 3 failure vmaffinity $command --json --against nowhere
		same "nowhere: No such file or directory" "$(jq -r .error <<<"$output")"
	done
}

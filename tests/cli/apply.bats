#!/usr/bin/env bats
# vmaffinity apply where no guest has a process: which guests it takes, what it says, how it ends. It has no --sysroot, so
# it sees a /run of its own (private.sh). Guests that it pins are in tests/e2e/apply.bats.
# shellcheck disable=SC2154,SC2153 # set by run; $DEAD

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

@test "guests that libvirt lists and that have no process: ended, if nobody named them" {
	own_rules '[web-*]\nvcpus = 0\n'
	run -0 --separate-stderr apply
	same "2 guests: 2 ended meanwhile" "$output"
	same "" "$stderr"
	run -1 --separate-stderr apply web-1 web-2
	same "2 guests: 2 failed" "$output"
	same "\
vmaffinity: web-1: not pinned: $ABSENT
vmaffinity: web-2: not pinned: $ABSENT" "$stderr"
}

@test "a guest that fails: told with its warnings, the others are done, status 1" {
	own_rules '[web-*]\nvcpus = 0\n'
	printf "<domstatus pid='1'/>" >own/run/libvirt/qemu/web-1.xml # no guest, and so in no group of one
	run -1 --separate-stderr apply
	[[ $stderr == "vmaffinity: web-1: not pinned: process 1 is in cgroup '/"*"', which does not end in '/emulator': libvirt made no cgroups for this guest's threads" ]]
	same "2 guests: 1 ended meanwhile, 1 failed" "$output"
}

@test "--config FILE: those rules and no others" {
	own_rules '[*]\nvcpus = 0\n'
	rules '[other]\nvcpus = 0\n'
	run -0 apply --config "$PWD/rules.ini" web-1
	same "web-1: no rule pins it" "$output"
}

@test "errors in the rules: all of them, no guest is touched, status 2" {
	own_rules '[*]\nvcpus = 3-1\nvcpuz = 1\n'
	cannot "\
error: /etc/vmaffinity.ini:3: unknown key 'vcpuz'; did you mean 'vcpus'?
error: /etc/vmaffinity.ini:2:9: range 3-1 runs backwards; write 1-3" apply
}

@test "no daemon: status 2" {
	own_rules '[*]\nvcpus = 0\n'
	uri=$DEAD
	cannot "vmaffinity: $DEAD: Failed to connect socket to '/nonexistent': No such file or directory" apply web-1
}

@test "no guest runs" {
	echo '<node></node>' >node.xml
	own_rules '[*]\nvcpus = 0\n'
	run -0 apply
	same "no guest is running" "$output"
}

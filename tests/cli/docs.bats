#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016,SC2094 # stderr, set by run; patterns; nothing is written where it is read
# The examples in README.md and in the man pages, each run, and what the text says of it.

load cli
load map

setup()
{
	cli_setup
	mkdir bin
	guest web-1 vcpu=2 >web-1.xml
	guest mail >mail.xml
	guest db1 vcpu=2 iothreads=1 >db1.xml
	defined web-1 mail
	# The programs as the examples call them, but on this host and with these guests.
	cat >bin/vmaffinity <<-END
		#!/bin/bash
		[ "\$1" != plan ] || set -- "\$@" --connect qemu:///system
		exec "$BUILD/vmaffinity" "\${@/qemu:\/\/\/system/test://$PWD/node.xml}" --sysroot root
	END
	cat >bin/virsh <<-'END'
		#!/bin/bash
		[ "$1" != -c ] || shift 2
		[ "$1" = dumpxml ] && cat "$2.xml"
	END
	chmod +x bin/*
}

# defined GUEST...: these run, for libvirt's test driver.
defined()
{
	{
		echo '<node>'
		for name; do
			sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/' "$name.xml"
		done
		echo '</node>'
	} >node.xml
}

# blocks PAGE: "KIND [FILE]" of each block of code in it.
blocks()
{
	case $1 in
	README.md) awk '/^```/ { if (!inside) print substr($0, 4); inside = !inside }' "$REPO/$1" ;;
	*) sed -n 's/^\.\\" example: //p' "$REPO/man/$1" ;;
	esac
}

# block PAGE N: the text of that block, without what is mdoc's own.
block()
{
	case $1 in
	README.md) awk -v n="$2" '/^```/ { inside = !inside; count += inside; next } inside && count == n' "$REPO/$1" ;;
	*) awk -v n="$2" '/^\.\\" example: / { count++ } /^\.Ed/ { inside = 0 } inside && count == n; /^\.Bd/ { inside = 1 }' "$REPO/man/$1" |
		sed 's/\\-/-/g; s/\\(ha/^/g; s/\\(aq/'\''/g; s/\\e/\\/g; s/\\&//g' ;;
	esac
}

# rules_are PAGE N [FINDINGS]: the block is /etc/vmaffinity.ini from now on; check finds nothing, or that.
rules_are()
{
	block "$1" "$2" >root/etc/vmaffinity.ini
	[ -s root/etc/vmaffinity.ini ]
	finds "${3:-}" --sysroot root
}

# The host has a node for each half of its CPUs.
two_nodes()
{
	local dir=root/sys/devices/system/node
	mkdir -p $dir/node0 $dir/node1
	echo 0-1 | tee $dir/online >$dir/has_memory
	echo 0-3 >$dir/node0/cpulist
	echo 4-7 >$dir/node1/cpulist
}

# planned GUEST KEYS GROUP=CPUS...: so the guest is pinned, "-" being no rule.
planned()
{
	# shellcheck disable=SC2086 # words
	guest "$1" $2 >planned.xml
	run --separate-stderr vmaffinity plan --sysroot root --xml planned.xml --json
	[ "$status" -le 1 ] # a warning, where a CPU is offline
	same "${*:3}" "$(jq -r '[.guests[].groups[] | "\(.group)=\(.cpus // (if .rule then "keep" else "-" end))"] | join(" ")' <<<"$output")"
}

# console PAGE N: each command in the block prints what stands below it.
console()
{
	local line command="" expected=""
	while IFS= read -r line; do
		if [[ $line != '$ '* ]]; then
			expected+=$line$'\n'
			continue
		fi
		prints "$command" "$expected"
		command=${line#'$ '} expected=""
	done < <(block "$1" "$2")
	[ -n "$command" ]
	prints "$command" "$expected"
}

prints()
{
	[ -n "$1" ] || return 0
	echo "$1"
	same "${2%$'\n'}" "$(PATH=$PWD/bin:$PATH bash -c "$1" </dev/null 2>&1 || true)"
}

@test "no example escapes" {
	same "console ini console text ini ini console" "$(blocks README.md | paste -sd ' ')"
	same "ini /etc/vmaffinity.ini console console console console" "$(blocks vmaffinity.8 | paste -sd ' ')"
	same "" "$(blocks vmaffinity-hook.8 | paste -sd ' ')"
	same "ini ini ini ini ini ini ini ini ini ini ini errors output" "$(blocks vmaffinity.ini.5 | paste -sd ' ')"
	for page in vmaffinity.8 vmaffinity-hook.8 vmaffinity.ini.5; do
		[ "$(blocks $page | wc -l)" = "$(grep -cE '^\.(Bd|EX|nf|Dl|D1)' "$REPO/man/$page")" ]
		[ "$(blocks $page | wc -l)" = "$(grep -A1 '^\.\\" example: ' "$REPO/man/$page" | grep -c '^\.Bd -literal')" ]
	done
	# What is indented in README is no example but these commands (tests/cli/install.bats, tests/e2e/install.bats,
	# tests/e2e/demo.sh) and the list of directories.
	same "sudo ./install.sh --demo
sudo ./install.sh
sudo ./install.sh --uninstall [--release] [--purge]
sudo ./install.sh --test
sudo ./install.sh --test all" "$(sed -nE '/^```/,/^```/d; s/^    ([a-z]+\/|[^#]*[^ #]).*/\1/p' "$REPO/README.md" | sed 's/  *#.*//; s/^\([a-z]*\/\).*/\1/')"
	for dir in hook engine cli man conf tests; do [ -d "$REPO/$dir" ]; done
}

@test "what is printed from the man pages can be copied" {
	for page in vmaffinity.8 vmaffinity.ini.5; do
		mandoc -Tutf8 -Owidth=120 "$REPO/man/$page" | sed 's/.\x08//g' >page
		for ((n = 1; n <= $(blocks $page | wc -l); n++)); do
			while IFS= read -r line; do
				[ -z "${line// /}" ] || grep -qF -- "     $line" page || { echo "$line"; false; }
			done < <(block $page "$n")
		done
	done
}

@test "README: the map" {
	rm -r root
	small
	console README.md 1
}

@test "README: the rules" {
	host_with v2-nodes
	rules_are README.md 2
	planned db1 "vcpu=3 iothreads=1" emulator=0-1 vcpu0=2 vcpu1=4 vcpu2=6 iothread1=0-1
	[ "$(jq -r ".guests[].memory.nodes" <<<"$output")" = 1 ]
	planned web-7 vcpu=2 emulator=0-1 vcpu0=2-7 vcpu1=2-7
	planned other vcpu=1 emulator=0-1 vcpu0=-
	planned very-long-guest-name-1 vcpu=1 emulator=0-1 vcpu0=keep
	planned any "uuid=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11" emulator=0-1 vcpu0=keep
}

@test "README: the commands" {
	host_with v2-nodes
	rules_are README.md 2
	printf '[web-*]\nvcpu = 3\n\n[cpus]\nhousekeeping = 0,9999\n' >draft.ini
	console README.md 3
}

@test "README: a gaming desktop" {
	host_with desktop-8p-16e
	rules_are README.md 5
	echo "<domain><name>game</name><vcpu>14</vcpu><cpu><topology sockets='1' cores='7' threads='2'/></cpu></domain>" >game.xml
	run -0 --separate-stderr vmaffinity plan --sysroot root --xml game.xml --json
	same "16-31 2 3 4 5 6 7 8 9 10 11 12 13 14 15" "$(jq -r '[.guests[].groups[].cpus] | join(" ")' <<<"$output")"
	host_with ccx
	printf '[game]\nvcpus = l3:0\nplacement = one-to-one\n' >root/etc/vmaffinity.ini
	planned game vcpu=2 emulator=- vcpu0=0 vcpu1=2
}

@test "README: databases beside a pool" {
	host_with smt-nodes
	rules_are README.md 6
	planned db-1 vcpu=4 emulator=0-1,8-9 vcpu0=10 vcpu1=12 vcpu2=14 vcpu3=11
	[ "$(jq -r ".guests[].memory.nodes" <<<"$output")" = 1 ]
	planned web vcpu=1 emulator=0-1,8-9 vcpu0=2-7
}

@test "examples: the rules are README's" {
	for example in gaming-desktop:5 databases:6; do
		diff <(block README.md "${example#*:}") <(grep -v '^;' "$REPO/conf/examples/${example%:*}.ini" | sed 1d)
	done
}

@test "examples: Ansible puts rules in place, once; rules with a fault or a warning are refused" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	local play=$REPO/conf/examples/ansible
	host_with smt-nodes
	export LC_ALL=C.UTF-8 HOME=$PWD ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1 PATH=$PWD/bin:$PATH
	echo "localhost ansible_connection=local ansible_remote_tmp=$PWD/tmp ansible_python_interpreter=/usr/bin/python3" | sed '1i [kvm]' >hosts
	# on this host; apply only says that it was run
	cat >bin/vmaffinity <<-END
		#!/bin/bash
		[ "\$1" != apply ] || { echo applied >>"$PWD/applied"; exit; }
		exec "$BUILD/vmaffinity" "\$@" --sysroot "$PWD/root"
	END
	role() { run -"$1" ansible-playbook -i hosts -e "vmaffinity_package='' vmaffinity_directory=$PWD/rules.d" "${@:2}" "$play/site.yml"; }
	role 0 || { echo "$output"; false; }
	[[ $output == *"localhost "*" changed=3 "*" failed=0 "* ]]
	same applied "$(cat applied)"
	same "[cpus]
host = core:0
guests = all ^@host

[*]
emulator = @host
iothreads = @host
vcpus = @guests" "$(sed 1,2d rules.d/50-ansible.ini)"
	role 0 || { echo "$output"; false; }
	[[ $output == *"localhost "*" changed=0 "*" failed=0 "* ]]
	same applied "$(cat applied)"
	cp rules.d/50-ansible.ini before.ini
	role 2 -e '{"vmaffinity_rules": [{"match": "db", "vcpu": "9"}]}'
	[[ $output == *"unknown key 'vcpu'; did you mean 'vcpus'?"* ]]
	role 2 -e '{"vmaffinity_rules": [{"match": "db", "vcpus": "^0 0-3"}]}'
	[[ $output == *"'^0' precedes other CPUs"* ]]
	cmp before.ini rules.d/50-ansible.ini
	same applied "$(cat applied)"
	role 0 -e '{"vmaffinity_rules": [{"match": "db", "vcpus": "^0 0-3"}], "vmaffinity_validate": "sh -c '"'vmaffinity check %s; test \$? -le 1'"'"}'
	grep -q "vcpus = ^0 0-3" rules.d/50-ansible.ini
}

@test "README: a fleet" {
	cp "$REPO/tests/fixtures/machines/v2-nodes.txt" rack1.txt
	cp "$REPO/tests/fixtures/machines/smt-nodes.txt" rack2.txt
	printf '[web]\nvcpus = 9999\n' >fleet.ini
	printf '[*]\nvcpus = 2-3\n' >good.ini
	console README.md 7
}

@test "vmaffinity(8): the commands" {
	rules_are vmaffinity.8 1
	printf '[db1]\nvcpus = 1\n' >new.ini
	for cpu in 0 1 2 3 4 5 6 7; do
		mkdir -p root/sys/devices/system/cpu/cpu$cpu/topology
		echo "$((cpu % 4)),$((cpu % 4 + 4))" >root/sys/devices/system/cpu/cpu$cpu/topology/core_cpus_list
	done
	for n in 2 3 4 5; do console vmaffinity.8 $n; done
}

@test "vmaffinity.ini(5): the first example" {
	rules_are vmaffinity.ini.5 1
	planned web-1 "vcpu=2 iothreads=2" emulator=0-1 vcpu0=2-7 vcpu1=2-7 iothread1=0-1 iothread2=0-1
	planned db1 "vcpu=3" emulator=0-1 vcpu0=2 vcpu1=4-7 vcpu2=4-7
	planned web "" emulator=0-1 vcpu0=-
}

@test "vmaffinity.ini(5): order" {
	rules_are vmaffinity.ini.5 2
	planned db1 vcpu=4 emulator=- vcpu0=4-7 vcpu1=4-7 vcpu2=keep vcpu3=5
	planned db2 vcpu=4 emulator=- vcpu0=4-7 vcpu1=4-7 vcpu2=6-7 vcpu3=5
	planned web vcpu=2 emulator=- vcpu0=0 vcpu1=0-3
}

@test "vmaffinity.ini(5): match" {
	rules_are vmaffinity.ini.5 3
	planned web-1 "" emulator=- vcpu0=0-3
	for name in lab-1 test0; do planned $name "" emulator=- vcpu0=4-7; done
	for name in lab test10 testx "machines of the laboratory"; do planned "$name" "" ""; done
	planned other uuid=6F1C0D5A-5D2C-4B0E-9F0E-0B1D7C1F3A11 emulator=- vcpu0=4-7
}

@test "vmaffinity.ini(5): CPU sets" {
	rules_are vmaffinity.ini.5 4
	planned any vcpu=2 emulator=0 vcpu0=1,3,5 vcpu1=2,4-6
}

@test "vmaffinity.ini(5): topology words" {
	host_with smp-interleaved
	rules_are vmaffinity.ini.5 5
	planned db1 vcpu=2 emulator=0,4 vcpu0=1,3 vcpu1=0-1,3
	planned other "" emulator=0,4 vcpu0=2,6
}

@test "vmaffinity.ini(5): the topology words, one by one" {
	host_with smp-interleaved
	while read -r item cpus; do
		echo "$item"
		# shellcheck disable=SC2001 # a pattern
		[[ $item == *[=_]* ]] || grep -qF -- "$(sed 's/-/\\-/g' <<<"${item%%:*}:")" "$REPO/man/vmaffinity.ini.5"
		printf '[*]\nvcpus = %s\n' "${item//_/ }" >root/etc/vmaffinity.ini
		planned any "" emulator=- "vcpu0=$cpus"
	done <<-'END'
		node:0 0,2,4,6
		package:1 1,3,5,7
		socket:1 1,3,5,7
		l3:0 0,2,4,6
		ccx:1 1,3,5,7
		core:1 2,6
		pu:1 4
		core:0,2-3 0-1,3-5,7
		core:2- 1,3,5,7
		node:0.core:1 2,6
		core:all.pu:0 0-3
		core:0,2 0-1,4-5
		core:0_2 0,2,4
	END
	printf '[*]\nvcpus = core:0, 2\n' >root/etc/vmaffinity.ini
	finds "error: /etc/vmaffinity.ini:2:17: is '2' a CPU, or one more of 'core:0'? For a CPU put a blank in place of the comma, else write the word again" --sysroot root
}

@test "vmaffinity.ini(5): one to one" {
	host_with v2-nodes
	rules_are vmaffinity.ini.5 6
	planned db1 vcpu=3 emulator=- vcpu0=4 vcpu1=6 vcpu2=5
	printf '<domain><name>db1</name><vcpu>4</vcpu><cpu><topology sockets="1" cores="2" threads="2"/></cpu></domain>' >smt.xml
	run -0 --separate-stderr vmaffinity plan --sysroot root --xml smt.xml --json
	same "4 5 6 7" "$(jq -r '[.guests[0].groups[1:][].cpus] | join(" ")' <<<"$output")"
}

@test "vmaffinity.ini(5): CPUs of its own" {
	host_with v2-exclusive
	rules_are vmaffinity.ini.5 7
	planned db9 vcpu=1 emulator=0-1 vcpu0=6
	same "6-7" "$(jq -r '.guests[0].groups[1].exclusive' <<<"$output")"
	guest db9 vcpu=3 >planned.xml
	run -2 vmaffinity plan --sysroot root --xml planned.xml
	[[ $output == *"has only 2 free: 6-7; db1 holds 4-5"* ]]
}

@test "vmaffinity.ini(5): memory" {
	two_nodes
	rules_are vmaffinity.ini.5 8
	planned db1 vcpu=2 emulator=- vcpu0=0-3 vcpu1=0-3
	[ "$(jq -r ".guests[].memory.nodes" <<<"$output")" = 0 ]
	planned web vcpu=2 emulator=- vcpu0=- vcpu1=-
	[ "$(jq -r ".guests[].memory.nodes" <<<"$output")" = 0-1 ]
}

@test "vmaffinity.ini(5): a real-time guest, one left alone" {
	rules_are vmaffinity.ini.5 9
	planned rt1 vcpu=3 emulator=0 vcpu0=6 vcpu1=7 vcpu2=-
	mkdir root/etc/vmaffinity.d
	rm root/etc/vmaffinity.ini
	printf '[*]\nvcpus = 1\nemulator = 0\n' >root/etc/vmaffinity.d/50-fleet.ini
	block vmaffinity.ini.5 10 >root/etc/vmaffinity.d/90-local.ini
	finds "" --sysroot root
	planned appliance "iothreads=1" emulator=keep vcpu0=keep iothread1=keep
	planned other "iothreads=1" emulator=0 vcpu0=1 iothread1=-
}

@test "vmaffinity.ini(5): mistakes" {
	block vmaffinity.ini.5 11 >web.ini
	finds "$(block vmaffinity.ini.5 12)" web.ini
}

@test "vmaffinity.ini(5): the items of a CPU set, one by one" {
	host 0-7 6-7
	while read -r item cpus; do
		printf '[cpus]\nNAME = 1,5\n[*]\nvcpus = %s\n' "$item" >root/etc/vmaffinity.ini
		planned any "" emulator=- "vcpu0=$cpus"
	done <<-'END'
		7 7
		0-3 0-3
		0-31:2/4 0-1,4-5
		all 0-7
		isolated 6-7
		@NAME 1,5
		all,^2 0-1,3-7
		^@NAME,^0-2,all 3-4,6-7
	END
}

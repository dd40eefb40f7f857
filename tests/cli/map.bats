#!/usr/bin/env bats
# vmaffinity map: what it draws of hosts and guests that are files below root/. Who is where by definition is in
# tests/unit/map/test_occupancy.c; real guests are in tests/e2e/map.bats.
# shellcheck disable=SC2154,SC2153,SC2016 # set by run; $DEAD; scripts as text

load cli
load map

setup()
{
	cli_setup
	rm -r root
}

map() { vmaffinity map --sysroot root "$@"; }

# picture NAME [ARGUMENT...]: the map is as pictures/NAME.txt. UPDATE=1 rewrites that: look at it.
picture()
{
	local file=$BATS_TEST_DIRNAME/pictures/$1.txt
	run -0 --separate-stderr map "${@:2}"
	same "" "$stderr"
	[ -z "${UPDATE:-}" ] || printf '%s\n' "$output" >"$file"
	same "$(cat "$file")" "$output"
}

# recorded NAME: a machine of tests/fixtures/machines, and libvirt's place for guests.
recorded()
{
	host_with "$1"
	mkdir -p root/run/libvirt/qemu
}

middle()
{
	local i
	topology 2 4 4 2
	for i in {1..5}; do
		runs "web-$i" "${i}000" emulator=0-1,32-33 iothread1=0-1,32-33 vcpu0-3=2-7,34-39
	done
	runs db1 7000 emulator=0-1,32-33 vcpu0-3=16+ vcpu4-7=48+
	runs db2 8000 emulator=0-1,32-33 vcpu0-3=20-23,52-55
	runs rt 9000 emulator=0-1,32-33 vcpu0=24 vcpu1=24
	echo 28-31,60-63 >root/sys/devices/system/cpu/isolated
}

large()
{
	local i threads=()
	topology 2 8 8 2
	for ((i = 0; i < 20; i++)); do
		runs web-$i $((2000 + 20 * i)) emulator=0-3,128-131 iothread1=0-3,128-131 vcpu0-3=4-31,132-159
	done
	runs big 10000 emulator=0-3,128-131 vcpu0-31=64+ vcpu32-63=192+
	runs hpc 20000 emulator=0-3,128-131 vcpu0-15=32+
	for ((i = 0; i < 16; i++)); do threads+=("vcpu$((2 * i))=$((96 + i))" "vcpu$((2 * i + 1))=$((224 + i))"); done
	runs smt 30000 emulator=0-3,128-131 "${threads[@]}"
}

@test "8 CPUs: each core, its threads side by side, who is there; overcommitted, isolated, free" {
	small
	picture 8
}

# bats test_tags=sanitized
@test "64 CPUs: neighbouring cores of the same content in one row" {
	middle
	picture 64
}

@test "256 CPUs, 23 guests: no wider than 80 columns, on two screens" {
	large
	picture 256-full
	[ "$(wc -l <<<"$output")" -le 48 ]
	[ "$(wc -L <<<"$output")" -le 80 ]
}

@test "a row ends where something differs: numbers, ids, one CPU that is isolated, another guest" {
	topology 1 1 24 1
	echo 21 >root/sys/devices/system/cpu/isolated
	runs a 2000 vcpu0-3=0+ vcpu4=5 vcpu5-7=6+ vcpu9-10=9+
	runs b 3000 vcpu0-1=11+ vcpu3=13 vcpu2=14
	runs c 4000 vcpu0=15 vcpu1=15 vcpu2=16 vcpu3=16
	picture row-ends
}

@test "vCPUs that float over their core's threads are condensed, too" {
	topology 1 1 32 2
	local i groups=()
	for ((i = 0; i < 16; i++)); do
		groups+=("vcpu$((2 * i))=$((8 + i)),$((40 + i))" "vcpu$((2 * i + 1))=$((8 + i)),$((40 + i))")
	done
	runs pair 2000 emulator=0,32 "${groups[@]}"
	picture float-in-core
}

@test "a CPU in many sets: counted there, named below" {
	topology 1 1 8 1
	local i
	for i in {0..5}; do runs "g$i" $((1000 + 10 * i)) emulator=0 "vcpu0=$i-7" vcpu1=$((i + 1)); done
	picture crowded
}

@test "offline CPUs, nodes without CPUs, P and E cores: recorded machines" {
	for name in 1-cpu 256 arm-flat ccx dies holes hybrid-cores node-without-cpus offline packages-interleaved smt-adjacent smt-off \
		v2-offline; do
		recorded $name
		picture "$name"
	done
}

@test "8 threads a core: next to one another where they fit, else below" {
	topology 1 1 2 8
	runs web 2000 emulator=0 vcpu0-7=1+
	picture smt8
	same 8 "$(on_terminal 250 | sed -n 2p | grep -o CPU | wc -l)"
}

@test "an iothread's number is whatever it is" {
	topology 1 1 2 1
	runs web 2000 emulator=0 iothread1=1 iothread8191=1 iothread100000=1
	run -0 map
	[[ $output == *"  1  web iothread100000,1,8191"* ]]
}

@test "no topology in /sys but the CPUs: a row each" {
	mkdir -p root/sys/devices/system/cpu root/run/libvirt/qemu
	for file in online present; do echo 0-3 >root/sys/devices/system/cpu/$file; done
	echo 2 >root/sys/devices/system/cpu/isolated
	picture flat
}

@test "the threads' affinity is what counts, not the group's mask" {
	topology 1 1 4 1
	runs web 2000 emulator=0-3 vcpu0-1=0-3
	thread 2001 3
	run -0 map
	[[ $output == *$'\n  core 3    3  web vcpu0\n'* ]]
	[[ $output == *$'\nevery CPU: web emulator vcpu1' ]]
	# of a group with several threads: wherever one of them may run
	echo 2009 >>root/sys/fs/cgroup/machine/qemu-1-web.libvirt-qemu/vcpu0/cgroup.threads
	thread 2009 1
	run -0 map
	[[ $output == *$'\n  core 1    1  web vcpu0\n'*$'\n  core 3    3  web vcpu0\n'* ]]
	# none: the mask
	: >root/sys/fs/cgroup/machine/qemu-1-web.libvirt-qemu/vcpu0/cgroup.threads
	echo 2 >root/sys/fs/cgroup/machine/qemu-1-web.libvirt-qemu/vcpu0/cpuset.cpus.effective
	run -0 map
	[[ $output == *$'\n  core 2    2  web vcpu0\n'* ]]
}

@test "no guest, and no place of libvirt's for them" {
	topology 1 1 2 1
	rm -r root/run
	run -0 --separate-stderr map
	same "" "$stderr"
	same "2 CPUs online, 2 cores; 0 guests" "${lines[0]}"
	same "[]" "$(map --json | jq -c .guests)"
}

@test "guests that have ended, or are about to, are passed over" {
	small
	printf 2000 >root/run/libvirt/qemu/db1.pid # which nobody holds locked
	rm root/proc/3000/cgroup                   # web-1: PF_EXITING
	echo '3000 (qemu) S 1 1 1 0 -1 4 0' >root/proc/3000/stat
	run -0 --separate-stderr map
	same "" "$stderr"
	[[ ${lines[0]} == *"; 1 guest" && $output != *db1* && $output != *web-1* ]]
}

# bats test_tags=sanitized
@test "a guest that cannot be looked at: the others are shown; said on stderr and below, status 3" {
	small
	echo x >root/sys/fs/cgroup/machine/qemu-1-db1.libvirt-qemu/vcpu1/cpuset.cpus
	reason="db1: /sys/fs/cgroup/machine/qemu-1-db1.libvirt-qemu: vcpu1/cpuset.cpus: 'x' is not a CPU list: a CPU number is missing"
	run -3 --separate-stderr map
	same "vmaffinity: $reason" "$stderr"
	[[ ${lines[0]} == *"; 2 guests" && $output == *$'\nnot shown: db1: '* ]]
	[[ $output == *web-1* && $output != *"db1 "* ]]
	run -3 --separate-stderr map --json
	same "lab web-1 $reason" "$(jq -r '.guests[] | .guest + (if .error then ": " + .error else "" end)' <<<"$output" | paste -sd ' ')"
	run -3 --separate-stderr map --svg map.svg
	same "vmaffinity: $reason" "$stderr"
	texts map.svg | grep -q '^not shown: db1: '
}

@test "a host that cannot be read: status 3 and the reason" {
	mkdir root
	cannot "vmaffinity: /sys/devices/system/cpu/online: No such file or directory" map
}

uncoloured() { sed 's/\x1b\[[0-9;]*m//g'; }

on_terminal() { terminal "$1" "$BUILD/vmaffinity" map --sysroot root "${@:2}"; }

@test "colours on a terminal only, not with NO_COLOR; without them the same is said" {
	small
	plain=$(map)
	unset NO_COLOR
	coloured=$(on_terminal 80)
	[[ $plain != *$'\e'* && $coloured == *$'\e[1;31m2!'* && $coloured == *$'\e[36m3 '* && $coloured == *$'\e[2m7 '* ]]
	same "$plain" "$(uncoloured <<<"$coloured")"
	same "$plain" "$(NO_COLOR=1 on_terminal 80)"
}

@test "terminals of any width: no line is longer, nothing is lost" {
	middle
	unset NO_COLOR
	words() { uncoloured | grep -oE '[^ ]+' | sort; }
	for width in 50 60 72 100 132 200; do
		on_terminal $width >drawn
		[ "$(uncoloured <drawn | wc -L)" -le $width ]
		same "$(map | sed 2d | words)" "$(sed 2d drawn | words)"
	done
}

# bats test_tags=sanitized
@test "--json: CPUs with their place and state, sets with who is in them" {
	small
	echo 0-6 >root/sys/devices/system/cpu/online
	map --json >out
	same "db1 lab web-1" "$(jq -r '.guests[].guest' out | paste -sd ' ')"
	same '0 0 0 0 0 taken false
1 0 0 0 1 shared false
2 0 0 0 2 overcommitted false
3 0 0 0 3 free true
4 0 0 0 0 taken false
5 0 0 0 1 shared false
6 0 0 0 2 overcommitted false
7 null null null null offline false' "$(jq -r '.cpus[] | "\(.cpu) \(.node) \(.package) \(.l3) \(.core) \(.state) \(.isolated)"' out)"
	same '1 true 1 false db1.vcpu0
2 true 1 false web-1.vcpu2
5 true 1 false db1.vcpu1
0,4 true 0 false db1.emulator db1.iothread1 web-1.emulator
2,6 true 3 true web-1.vcpu0 web-1.vcpu1
0-6 false 6 false lab.emulator lab.vcpu0' "$(jq -r '.sets[] | "\(.cpus) \(.confined) \(.vcpus) \(.overcommitted) \([.groups[] | .guest + "." + .group] | join(" "))"' out)"
}

@test "names of guests are made safe for a terminal and for JSON" {
	topology 1 1 2 1
	runs $'e\e[31mvil' 2000 vcpu0=0
	runs zürich 3000 vcpu0=1
	map >out
	printable_only out
	grep -qF '0  e\x1b[31mvil vcpu0' out
	grep -q '1  zürich vcpu0' out
	map --json | jq -e '[.guests[].guest] == ["e\\x1b[31mvil", "zürich"]'
}

# texts FILE: what is written in an SVG.
texts() { xmllint --xpath '//*[local-name()="text"]/text()' "$1"; }

# bats test_tags=sanitized
@test "--svg: host, cores, CPUs and who is there, in well-formed XML" {
	small
	run -0 --separate-stderr map --svg map.svg
	same "" "$output$stderr"
	xmllint --noout map.svg
	texts map.svg >words
	for word in "Package 0" "Node 0" "L3 0" "Core 3" "CPU 7" "db1 vcpu1" "! overcommitted" "isolated, free" free \
		"! CPUs 2,6: overcommitted, 3 vCPUs on 2 CPUs" "every CPU: lab emulator vcpu0"; do
		grep -qxF -- "$word" words || { echo "$word"; false; }
	done
	for ((i = 0; i < 8; i++)); do same 1 "$(grep -cx "CPU $i" words)"; done
	# not the invalid one of hwloc 2.9
	grep -qE "viewBox='0 0 [0-9]+ *[0-9]+ *'" map.svg
	# again, over what is there
	echo old >map.svg
	map --svg map.svg
	xmllint --noout map.svg
}

# color WORDS: the fill of the box that has this text.
color()
{
	xmllint --xpath "string(//*[local-name()='text' and text()='$1']/preceding-sibling::*[local-name()='rect'][1]/@fill)" map.svg
}

@test "--svg: a guest's boxes and its entry in the legend have one colour, no other guest's; host and date are above" {
	topology 1 1 4 1
	runs db1 2000 emulator=0 vcpu0=1
	runs "db1 2" 3000 vcpu0=2
	runs web 4000 vcpu0=3
	mkdir -p root/proc/sys/kernel
	echo "kvm-7 & <co>" >root/proc/sys/kernel/hostname
	map --svg map.svg
	xmllint --noout map.svg
	texts map.svg | head -n 1 >title
	grep -qE '^kvm-7 \\x26 \\x3cco\\x3e, [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$' title || { cat title; false; }
	rgb() { printf 'rgb(%d,%d,%d)' "0x${1:1:2}" "0x${1:3:2}" "0x${1:5:2}"; }
	for guest in db1 "db1 2" web; do [ -n "$(color "$guest")" ]; done
	same "$(rgb "$(color db1)")" "$(color "db1 vcpu0")"
	same "$(rgb "$(color "db1 2")")" "$(color "db1 2 vcpu0")"
	same "$(rgb "$(color web)")" "$(color "web vcpu0")"
	same 3 "$(for guest in db1 "db1 2" web; do color "$guest"; done | sort -u | wc -l)"
	# a captured host has the name of its file
	vmaffinity map --against "$REPO/tests/fixtures/machines/amd-two-l3.txt" --svg map.svg
	texts map.svg >words
	same amd-two-l3.txt "$(head -n 1 words)"
	grep -qx "16 MB L3 0" words
	grep -qx "8 MB L3 1" words
	vmaffinity map --against "$REPO/tests/fixtures/machines/desktop-8p-16e.txt" --svg map.svg
	same "8 16" "$(texts map.svg | grep -c '^P core [0-9]*$') $(texts map.svg | grep -c '^E core [0-9]*$')"
}

@test "--svg: a sheet is neither a strip nor a column, whatever the host" {
	topology 1 2 8 2
	runs a-guest-with-a-long-name 1000 emulator=8-15,24-31 vcpu0-7=0+ vcpu8-15=16+
	sheet() # the ratio of its sides, in tenths
	{
		map --svg map.svg
		local ratio
		ratio=$(sed -nE "s/^<svg .* width='([0-9]+)' height='([0-9]+)'.*/\1 \2/p" map.svg | awk '{ printf "%d", 10 * $1 / $2 }')
		[ "$ratio" -ge 10 ] && [ "$ratio" -le 25 ] || { echo "$ratio"; false; }
	}
	sheet
	rm -r root
	large
	sheet
	rm -r root
	topology 1 1 4 1
	sheet
}

@test "a name takes the columns that a terminal gives it; L3s of several sizes show them" {
	topology 1 1 2 2
	runs 日本語日本語 2000 vcpu0=0
	runs naïve 3000 vcpu0=1 vcpu1=2
	map >out
	# the second threads of both cores begin in one column
	same 1 "$(sed -n 's/^\(  core .*  \)[23]  [a-z].*/\1/p' out |
		python3 -c 'import sys, unicodedata
for line in sys.stdin.read().splitlines(): print(sum(1 + (unicodedata.east_asian_width(c) == "W") for c in line))' | sort -u | wc -l)"
	same 2 "$(grep -c '^  core ' out)"
	run -0 vmaffinity map --against "$REPO/tests/fixtures/machines/amd-two-l3.txt"
	grep -qx "  L3 0 (16 MB)" <<<"$output"
	grep -qx "  L3 1 (8 MB)" <<<"$output"
}

@test "--svg: all recorded machines, and a large one" {
	large
	map --svg large.svg
	same 256 "$(texts large.svg | grep -cE '^CPU [0-9]+$')"
	same 128 "$(texts large.svg | grep -cE '^Core [0-9]+$')"
	for file in "$REPO"/tests/fixtures/machines/*.txt; do
		name=$(basename "$file" .txt)
		recorded "$name"
		find root/run/libvirt/qemu -type f -delete
		[ -e root/sys/devices/system/cpu/online ] || continue
		map --svg "$name.svg"
		cpus=$(map --json | jq '[.cpus[] | select(.state != "offline")] | length')
		same "$cpus" "$(texts "$name.svg" | grep -cE '^CPU [0-9]+$')"
	done
}

@test "--svg: names of guests are text, whatever is in them" {
	topology 1 1 2 1
	runs "<script>x<!--&amp;\"'" 2000 emulator=0 vcpu0=0
	runs '<b>&' 3000 vcpu0=0-1
	map --svg map.svg
	xmllint --noout map.svg
	same "" "$(xmllint --xpath '//*[local-name()="script"]' map.svg 2>/dev/null || true)"
	texts map.svg >words
	grep -qF '\x3cscript\x3e' words
	grep -qxF 'every CPU: \x3cb\x3e\x26 vcpu0' words
}

@test "--svg: a file that cannot be written: the reason, status 3" {
	small
	mkdir directory
	cannot "vmaffinity: directory: Is a directory" map --svg directory
	cannot "vmaffinity: nowhere/map.svg: No such file or directory" map --svg nowhere/map.svg
	cannot "vmaffinity: /dev/full: No space left on device" map --svg /dev/full
	map --svg /dev/stdout | xmllint --noout -
}

@test "--svg: a picture replaces the old one only when it is complete; '-' is standard output" {
	small
	mkdir pictures
	echo old >pictures/map.svg
	chmod 640 pictures/map.svg
	exec 9<pictures/map.svg
	map --svg pictures/map.svg
	same old "$(cat <&9)"
	exec 9<&-
	# a link stays one, also where what it leads to has no name any more, as /dev/stdout may
	ln -s pictures/map.svg link.svg
	map --svg link.svg
	xmllint --noout pictures/map.svg
	[ -L link.svg ]
	ln -s /proc/self/fd/8 gone.svg
	exec 8>unnamed.svg
	rm unnamed.svg
	map --svg gone.svg
	exec 8>&-
	[ -L gone.svg ]
	same 640 "$(stat -c %a pictures/map.svg)"
	same map.svg "$(ls pictures)"
	(umask 027; map --svg new.svg)
	same 640 "$(stat -c %a new.svg)"
	map --svg - | cmp - new.svg
	[ ! -e - ]
	cannot "vmaffinity: standard output: not all could be written" bash -c '"$1" map --sysroot root --svg - >/dev/full' - "$BUILD/vmaffinity"
	# a file system that is full, below a mount point that also a chroot has
	unshare --mount --propagation unchanged bash -c 'mount --make-rprivate /proc && cd /proc/fs &&
		mount -t tmpfs -o size=4k full . && cd /proc/fs && echo old >map.svg &&
		! "$1" map --sysroot "$2" --svg map.svg && cat map.svg && ls -A' - "$BUILD/vmaffinity" "$PWD/root" >out 2>&1
	same "vmaffinity: map.svg: No space left on device"$'\n'old$'\n'map.svg "$(cat out)"
}

@test "--svg: lstopo missing, failing, or drawing nothing: said, status 2, no file" {
	small
	mkdir -p own/etc own/run
	"${CC:-cc}" -D_GNU_SOURCE -o own/logd "$BATS_TEST_DIRNAME/../e2e/logd.c"
	cp -r root own/root
	# the file is hidden by a directory in its place
	while IFS='|' read -r text message; do
		printf %b "$text" >own/lstopo
		chmod +x own/lstopo
		# shellcheck disable=SC2016 # the inner shell expands it
		run -3 --separate-stderr "$BATS_TEST_DIRNAME/private.sh" own "$BASH" -c '
			if [ -s /proc/fs/lstopo ]; then
				mount --bind /proc/fs/lstopo /usr/bin/lstopo-no-graphics
			else
				mkdir -p /run/bin && cp -P /usr/bin/* /run/bin 2>/dev/null
				rm -f /run/bin/lstopo-no-graphics && mount --bind /run/bin /usr/bin
			fi || exit 125
			"$1" map --sysroot /proc/fs/root --svg /proc/fs/map.svg' - "$BUILD/vmaffinity" 3>&-
		same "vmaffinity: /usr/bin/lstopo-no-graphics $message" "$stderr"
		[ ! -e own/map.svg ]
	done <<-'END'
		|draws the picture, and is not there: install the package hwloc-nox (Debian, Ubuntu) or hwloc (Fedora)
		#!/bin/sh\necho no such option >&2; exit 3\n|ended with status 3: no such option
		#!/bin/sh\nkill -SEGV $$\n|was ended by signal 11
		#!/bin/sh\nexit 0\n|drew nothing
	END
}

@test "misuse" {
	mkdir root
	refused "map: --json and --svg exclude each other" map --sysroot root --json --svg x
	refused "map: unexpected argument 'web'" map web
}

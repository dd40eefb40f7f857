#!/usr/bin/env bats
# vmaffinity import: the rules that say what guests' XML says.
# shellcheck disable=SC2154,SC2153 # set by run; $DEAD

load cli

setup()
{
	cli_setup
	host_with smt-nodes
}

import() { vmaffinity import --sysroot root "$@"; }

TAKE_OUT="
; Once these rules are in force, the pins may be taken out of the XML. That is wise
; where a guest is to start, or migrate to, where the CPUs are others: libvirt applies
; the XML's pins before any hook, and one to a CPU that is not there fails the start.
; It is not while something else reads them, such as a hook that keeps the host off
; the guests' CPUs. To take out:"

@test "every XML of the golden cases: check finds no error, plan gives what the XML pins, no difference" {
	host_with v2-256 # once: 256 CPUs are thousands of files
	plans >pairs
	"$REPO/tests/checks/xml_pins.py" <pairs >compared || { cat compared; false; }
	sed 's/^/# /' compared >&3
	[ "$(wc -l <pairs)" -gt 140 ]
	[ "$(sed -E 's/.* ([0-9]+) sets.*/\1/' compared)" -ge 15 ]
}

# plans: imports each XML, checks the rules and plans by them; prints the XML's path and the plan's. Left out is XML of no
# guest, and what libvirt could not start on such a host.
plans()
(
	trap - DEBUG # of bats: slow
	number=0
	for file in "$REPO"/tests/golden/cases/*/domain.xml; do
		number=$((number + 1)) status=0
		import --xml "$file" >rules.ini 2>/dev/null || continue
		vmaffinity check --sysroot root rules.ini --xml "$file" >found || status=$?
		! grep -q "which this host does not have" found || continue
		if [ "$status" -gt 1 ] || grep -q "this rule to" found; then
			cat "$file" rules.ini found >&2
			return 1
		fi
		vmaffinity plan --sysroot root --config rules.ini --xml "$file" --json >"$number.json" || [ $? = 1 ] || return 1
		echo "$file $number.json"
	done
)

@test "words where they are exact, numbers elsewhere; runs of vCPUs and iothreads; memory" {
	guest db1 vcpu=6 iothreads=3 emulatorpin=0-7 pins='0:8-15 1:8-15 2:1 3:2 4:0-15 5:0-15' iothreadpin='1:1 2:1 3:0-14' |
		sed 's,<cputune,<numatune><memory mode="strict" nodeset="1"/></numatune>&,' >db1.xml
	run -0 --separate-stderr import --xml db1.xml
	same "; The pins in the XML of 1 of 1 guests, as vmaffinity import found them.

[db1]
emulator = node:0
vcpu0-1 = node:1
vcpu2 = 1
vcpu3 = 2
vcpu4-5 = all
iothread1-2 = 1
iothread3 = 0-14
memory = 1
$TAKE_OUT
;   virsh edit 'db1': <emulatorpin>, <vcpupin>, <iothreadpin>, <numatune>" "$output"
	same "" "$stderr"
	run -0 import --xml db1.xml --against "$REPO/tests/fixtures/machines/v2-256.txt"
	[[ $output == *"emulator = 0-7"*"vcpu0-1 = 8-15"* ]]
}

@test "a CPU for each vCPU is one-to-one where that places them so, else a key for each" {
	host_with smt-nodes # a core is 0 and 1, 2 and 3, ...
	local siblings="<cpu><topology sockets='1' cores='2' threads='2'/></cpu></domain>"
	keys() { import --xml g.xml | sed -n '/^\[g\]/,/^$/p' | sed '1d;$d'; }
	guest g vcpu=4 pins='0:2 1:3 2:4 3:5' | sed "s,</domain>,$siblings," >g.xml
	same $'vcpus = 2-5\nplacement = one-to-one' "$(keys)"
	guest g vcpu=4 pins='0:2 1:3 2:4 3:5' >g.xml # cores first
	same $'vcpu0 = 2\nvcpu1 = 3\nvcpu2 = 4\nvcpu3 = 5' "$(keys)"
	guest g vcpu=4 pins='0:2 1:4 2:6 3:3' >g.xml
	same $'vcpus = 2-4,6\nplacement = one-to-one' "$(keys)"
	guest g vcpu=4 pins='0:3 1:2 2:4 3:5' | sed "s,</domain>,$siblings," >g.xml
	same $'vcpu0 = 3\nvcpu1 = 2\nvcpu2 = 4\nvcpu3 = 5' "$(keys)"
	guest g vcpu=2 pins='0:2 1:2' >g.xml
	same "vcpus = 2" "$(keys)"
}

@test "guests that are alike share a rule: a pattern if it matches just these, else their names" {
	for name in web-1 web-2 web-10; do guest $name vcpu=2 cpuset=2-3 >$name.xml; done
	guest mail cpuset=2 >mail.xml
	guest db cpuset=2 >db.xml
	guest box >box.xml
	guest auto cpuset=5 | sed 's/<vcpu/& placement="auto"/' >auto.xml
	files=(); for name in web-10 web-1 mail web-2 db box auto; do files+=(--xml "$name.xml"); done
	run -0 --separate-stderr import "${files[@]}"
	same "; The pins in the XML of 5 of 7 guests, as vmaffinity import found them.

[imported 1]
match = db, mail
emulator = 2
vcpus = 2

; 3 guests
[web-*]
emulator = 2-3
vcpus = 2-3

; Without pins, and without a rule:
;   auto: numad places it at each start
;   box
$TAKE_OUT
;   virsh edit 'db': cpuset= of <vcpu>
;   virsh edit 'mail': cpuset= of <vcpu>
;   virsh edit 'web-1': cpuset= of <vcpu>
;   virsh edit 'web-2': cpuset= of <vcpu>
;   virsh edit 'web-10': cpuset= of <vcpu>" "$output"
	guest web-3 >web-3.xml # which the pattern would match, too
	run -0 import "${files[@]}" --xml web-3.xml
	[[ $output == *$'\n[imported 2]\nmatch = web-1, web-2, web-10\n'* ]]
}

@test "many guests and long lists: lines that the rules take" {
	host_with v2-256
	files=()
	for name in alpha beta gamma delta epsilon zeta eta theta iota kappa lambda my ny xi omikron pi rho; do
		guest "$name" vcpu=2 cpuset="$(seq -s , 0 2 254)" >"$name.xml"
		files+=(--xml "$name.xml")
	done
	import "${files[@]}" >rules.ini
	run ! grep -E '^.{150}' rules.ini
	for name in alpha rho; do
		run -0 vmaffinity plan --sysroot root --config rules.ini --xml $name.xml --json
		same "$(seq -s , 0 2 254)" "$(jq -r '.guests[0].groups[2].cpus' <<<"$output")"
	done
}

@test "names that are no pattern, or no name of a section" {
	guest 'a,b*[c]' cpuset=1 uuid=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11 >1.xml
	guest 'x y;z' cpuset=2 >2.xml
	guest global cpuset=3 >3.xml
	guest $'evil\x7f' cpuset=4 >4.xml
	run -0 --separate-stderr import --xml 1.xml --xml 2.xml --xml 3.xml --xml 4.xml
	echo "$output" >rules.ini
	printable_only rules.ini
	grep -qx 'match = uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11' rules.ini
	grep -qx 'match = name:x?y?z' rules.ini
	for n in 1 2 3 4; do
		run -0 vmaffinity plan --sysroot root --config rules.ini --xml $n.xml --json
		same "$n $n" "$(jq -r '.guests[].groups[].cpus' <<<"$output" | paste -sd ' ')"
	done
}

@test "guests that libvirt knows, by name, and what cannot be read" {
	printf '<node>%s%s</node>' "$(guest db1 vcpu=2 pins='0:1 1:2')" "$(guest web)" |
		sed 's/type="kvm"/type="test"/; s/<vcpu/<memory>8192<\/memory><os><type>hvm<\/type><\/os>&/' >node.xml
	run -0 --separate-stderr import --connect "test://$PWD/node.xml"
	[[ $output == *"; The pins in the XML of 1 of 2 guests"*$'\n[db1]\nvcpus = 1-2\nplacement = one-to-one\n'*$'\n;   web\n'* ]]
	run -3 --separate-stderr import --connect "test://$PWD/node.xml" db1 x
	same "vmaffinity: x: Domain not found" "$stderr"
	[[ $output == *"1 of 1 guests"* ]]
	cannot "vmaffinity: $NO_DAEMON" import --connect "$DEAD"
	echo '<network/>' >network.xml
	run -3 --separate-stderr import --xml network.xml --xml nowhere
	same "vmaffinity: network.xml: the XML is not a <domain>
vmaffinity: nowhere: No such file or directory" "$stderr"
	refused "import: GUEST and --xml exclude each other" import --xml x db1
	cannot "vmaffinity: nowhere: No such file or directory" import --xml network.xml --against nowhere
}

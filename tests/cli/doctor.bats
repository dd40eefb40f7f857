#!/usr/bin/env bats
# vmaffinity doctor: a tree that is well, and each fault made in it. What needs a daemon and programs that run is in
# tests/e2e/doctor.bats.
# shellcheck disable=SC2154,SC2016,SC2059,SC2103 # set by run: stderr, lines; scripts and formats as text

load cli

HOOK=root/etc/libvirt/hooks/qemu

# Debian 13 with a libvirtd that was started after the hook was installed, two guests, and rules.
setup()
{
	cli_setup
	rm -r root
	mkdir root
	"$REPO/tests/fixtures/expand.py" "$REPO/tests/fixtures/machines/v2-systemd.txt" root
	mkdir -p root/etc/libvirt/hooks root/usr/sbin root/proc/812/attr root/proc/sys/kernel
	install -m 755 "$BUILD/vmaffinity-guard" $HOOK
	install -m 755 "$BUILD/vmaffinity-hook" root/usr/sbin/vmaffinity-hook
	echo cpuset cpu io memory >root/sys/fs/cgroup/cgroup.controllers
	echo 6.1.0 >root/proc/sys/kernel/osrelease
	echo libvirtd >root/proc/812/comm
	daemon_started "$(($(date +%s) + 100))"
	printf '[*]\nemulator = 0\nvcpus = 1-7\n' >root/etc/vmaffinity.ini
	as_ruled
}

# Puts what those rules say into the masks and threads of all guests.
as_ruled()
{
	local group cpus tid
	while read -r group; do
		cpus=1-7
		[[ $group != */emulator ]] || cpus=0
		tee "$group/cpuset.cpus" "$group"/cpuset*effective* <<<$cpus >/dev/null
		while read -r tid; do
			mkdir -p "root/proc/$tid"
			printf 'Name:\tx\nCpus_allowed_list:\t%s\nMems_allowed_list:\t0\n' $cpus >"root/proc/$tid/status"
			echo "$tid (x) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 4 0 9 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 -1 0 0 0 0 0 0" >"root/proc/$tid/stat"
		done < <(cat "$group"/cgroup.threads "$group"/tasks 2>/dev/null)
	done < <(find root/sys/fs/cgroup -type d \( -name emulator -o -name 'vcpu[0-9]*' \))
}

# daemon_started SECOND: of the host's clock; it booted a day before.
daemon_started()
{
	printf 'cpu 1 2 3\nbtime %s\n' $(($1 - 86400)) >root/proc/stat
	# a name may hold blanks and brackets
	echo "812 (lib) v) S 1 812 812 0 -1 4194560 8 0 0 0 4 5 0 0 20 0 17 0 $((86400 * $(getconf CLK_TCK))) 99 88" >root/proc/812/stat
}

# said STATUS: doctor ends so; LEVEL, check and text of all that is no PASS, with what to do, one line each.
said()
{
	run "-$1" --separate-stderr vmaffinity doctor --sysroot root
	same "" "$stderr"
	output=$(grep -v '^PASS' <<<"$output" || true)
}

# well: nothing but PASS.
well()
{
	said 0
	same "" "$output"
}

# is LEVEL CHECK TEXT REMEDY: that is the one thing that is wrong. A NOTE is no finding.
is()
{
	local status=1
	[ "$1" != NOTE ] || status=0
	said $status
	same "$(printf '%s  %-9s  %s' "$1" "$2" "$3"; [ -z "$4" ] || printf '\n%17s%s' '-> ' "$4")" "$output"
}

@test "a host that is well" {
	run -0 vmaffinity doctor --sysroot root
	same "\
PASS  hook       /etc/libvirt/hooks/qemu is in place and executable
PASS  worker     /usr/sbin/vmaffinity-hook is in place and executable
PASS  daemon     libvirtd (812) was started after the hook was installed
PASS  cpuset     the kernel has the cpuset controller, cgroup v2 at /sys/fs/cgroup
PASS  cpuset     running guests: 2, each with its cpusets
PASS  rules      1 rule in 1 file, without an error
PASS  cpus       machine.slice allows every CPU that the rules name
PASS  guests     running guests with a rule: 2, all as ruled" "$output"
}

# bats test_tags=sanitized
@test "as JSON" {
	rm $HOOK
	run -1 vmaffinity doctor --sysroot root --json
	same '"FAIL hook" "PASS daemon" "PASS cpuset" "PASS cpuset" "PASS rules" "PASS cpus" "PASS guests"' \
		"$(jq '.findings[] | .level + " " + .check' <<<"$output" | paste -sd ' ')"
	same 'vmaffinity enable puts it in place' "$(jq -r '.findings[0].remedy' <<<"$output")"
	same "there is no hook: neither /etc/libvirt/hooks/qemu nor /etc/libvirt/hooks/qemu.d/50-vmaffinity" "$(jq -r '.findings[0].text' <<<"$output")"
	same null "$(jq '.findings[1].remedy' <<<"$output")"
}

@test "no hook" {
	rm $HOOK
	is FAIL hook "there is no hook: neither /etc/libvirt/hooks/qemu nor /etc/libvirt/hooks/qemu.d/50-vmaffinity" "vmaffinity enable puts it in place"
	mkdir $HOOK # a directory is none
	said 1
	[[ $output == "FAIL  hook       /etc/libvirt/hooks/qemu belongs to another program, and vmaffinity's hook is not installed"* ]]
}

@test "the hook is not executable" {
	chmod 644 $HOOK
	is FAIL hook "/etc/libvirt/hooks/qemu is not executable, so libvirt does not run it" "chmod 755 /etc/libvirt/hooks/qemu"
}

@test "the hook may be changed by others" {
	chmod 775 $HOOK
	is FAIL hook "/etc/libvirt/hooks/qemu can be changed by others than root (owner 0, mode 0775)" \
		"chown root:root /etc/libvirt/hooks/qemu; chmod 755 /etc/libvirt/hooks/qemu"
	chmod 755 $HOOK
	chown 65534 $HOOK
	said 1
	[[ $output == "FAIL  hook       /etc/libvirt/hooks/qemu can be changed by others than root (owner 65534, mode 0755)"* ]]
	chown 0 $HOOK
	chmod 757 root/usr/sbin/vmaffinity-hook
	said 1
	[[ $output == "FAIL  worker     /usr/sbin/vmaffinity-hook can be changed by others than root (owner 0, mode 0757)"* ]]
}

@test "the hook is of another version" {
	sed -i 's/vmaffinity-guard [0-9.]*/vmaffinity-guard 0.0.9/' $HOOK
	version=$(vmaffinity --version)
	is WARN hook "/etc/libvirt/hooks/qemu is from vmaffinity 0.0.9, and this is ${version#* }" "vmaffinity enable replaces it"
	sed -i 's/vmaffinity-guard [0-9.]* /vmaffinity-guard 0.0.9\x00/' $HOOK # before it told its worker
	said 1
	[[ $output == "WARN  hook       /etc/libvirt/hooks/qemu is from vmaffinity (unknown), and this is "* ]]
}

# other NAME: a hook of another program.
other()
{
	mkdir -p "$(dirname "$HOOK$1")"
	printf '#!/bin/sh\n# not vmaffinity-guard 0.1.0 /usr/sbin/vmaffinity-hook\n' >"$HOOK$1"
	chmod 755 "$HOOK$1"
}

# bats test_tags=sanitized
@test "another hook in the place" {
	other ""
	said 1
	same "\
NOTE  hook       /etc/libvirt/hooks/qemu, of another program, runs as well; if it fails, libvirt kills the guest
FAIL  hook       /etc/libvirt/hooks/qemu belongs to another program, and vmaffinity's hook is not installed
              -> vmaffinity enable leaves that hook alone and goes to /etc/libvirt/hooks/qemu.d/50-vmaffinity" "$output"
	mkdir $HOOK.d
	install -m 755 "$BUILD/vmaffinity-guard" $HOOK.d/50-vmaffinity
	is NOTE hook "/etc/libvirt/hooks/qemu, of another program, runs as well; if it fails, libvirt kills the guest" ""
	chmod 644 $HOOK # libvirt does not run that
	well
	rm $HOOK
	well
	ln -s /nowhere $HOOK
	well
}

@test "what else libvirt runs in qemu.d" {
	for name in 50-vmaffinity~ qemu.dpkg-old .50-x.swp x.rpmsave; do
		other ".d/$name"
		is WARN hook "/etc/libvirt/hooks/qemu.d/$name looks like a leftover, and libvirt runs it as a hook: it runs every executable file there" \
			"rm '/etc/libvirt/hooks/qemu.d/$name', or move it out of /etc/libvirt/hooks/qemu.d"
		chmod 644 "$HOOK.d/$name"
		well
		rm "$HOOK.d/$name"
	done
	other .d/10-network
	is NOTE hook "/etc/libvirt/hooks/qemu.d/10-network, of another program, runs as well; if it fails, libvirt kills the guest" ""
	rm $HOOK.d/10-network
	mkdir $HOOK.d/directory.bak
	ln -s /nowhere $HOOK.d/dangling~
	mkfifo -m 755 $HOOK.d/fifo~
	well
	mv $HOOK root/usr/lib-hook
	ln -s "$PWD/root/usr/lib-hook" $HOOK # libvirt follows links
	well
	cp -L $HOOK $HOOK.d/50-vmaffinity
	is WARN hook "/etc/libvirt/hooks/qemu.d/50-vmaffinity is vmaffinity's hook a second time: libvirt runs both" "rm '/etc/libvirt/hooks/qemu.d/50-vmaffinity'"
}

# cannot_run CONTENT FAULT: doctor fails a hook of that content (in printf's words), without running it.
cannot_run()
{
	printf "$1" >$HOOK.d/10-other
	chmod 755 $HOOK.d/10-other
	is FAIL hook "/etc/libvirt/hooks/qemu.d/10-other cannot be run: it $2. libvirt refuses every start and, at its next restart, kills every running guest" \
		"remove it, or install it again from where it came"
}

@test "another hook that cannot be run" {
	mkdir -p $HOOK.d root/bin root/usr/bin
	cannot_run '' "is empty"
	cannot_run '#' "begins with neither '#!' nor the mark of a program"
	cannot_run 'echo no\n' "begins with neither '#!' nor the mark of a program"
	cannot_run '\xef\xbb\xbf#!/bin/sh\n' "begins with neither '#!' nor the mark of a program"
	cannot_run '#! \nexit 0\n' "names no interpreter after '#!'"
	cannot_run '#!/bin/bash\nexit 0\n' "has the interpreter '/bin/bash', which is not there or not executable"
	install -m 644 /dev/null root/bin/bash
	cannot_run '#!/bin/bash' "has the interpreter '/bin/bash', which is not there or not executable"
	chmod 755 root/bin/bash
	cannot_run '#!/bin/bash\r\nexit 0\r\n' "has the interpreter '/bin/bash\\r', which is not there or not executable; the script has the line ends of Windows"
	install -m 755 /dev/null root/usr/bin/env
	cannot_run '#!/usr/bin/env python3\n' "has the interpreter 'python3', which is not there or not executable"
	cannot_run '#!/usr/bin/env bash -e\n' "has the interpreter 'bash -e', which is not there or not executable"
	for text in '#!/bin/bash' '#! \t/bin/bash -e \n' '#!/usr/bin/env bash\n' '#!/usr/bin/env -S python3 -u\n' '\177ELF' '#!/elsewhere/sh\n'; do
		printf "$text" >$HOOK.d/10-other
		is NOTE hook "/etc/libvirt/hooks/qemu.d/10-other, of another program, runs as well; if it fails, libvirt kills the guest" ""
	done
	: >$HOOK.d/10-other
	chmod 644 $HOOK.d/10-other # libvirt does not run that
	well
}

@test "another hook that runs qemu.d itself" {
	mkdir $HOOK.d
	mv $HOOK $HOOK.d/50-vmaffinity
	for text in 'for h in /etc/libvirt/hooks/qemu.d/*; do "$h" "$@"; done' 'for h in "$HOOKS"/qemu.d/*; do' 'for h in "${0}.d"/*; do :; done; ls ${DIR}/qemu.d/"*"' \
		'run-parts --arg="$1" /etc/libvirt/hooks/qemu.d' '	run-parts "$d/qemu.d/" && exit'; do
		printf '#!/bin/sh\n%s\n' "$text" >$HOOK
		chmod 755 $HOOK
		is WARN hook "/etc/libvirt/hooks/qemu runs the hooks in /etc/libvirt/hooks/qemu.d, which libvirt 6.5 and later also runs: each runs twice, and perhaps once without the guest's XML" \
			"remove that loop from /etc/libvirt/hooks/qemu"
	done
	# what many guides have: directories of a guest's own
	for text in '# for h in qemu.d/*; do' 'HOOKPATH="$BASEDIR/qemu.d/$GUEST/$HOOK"; find "$HOOKPATH" -type f' 'run-parts "$BASEDIR/qemu.d/$1/$2"' 'for h in qemu.d/*/prepare; do'; do
		printf '#!/bin/sh\n%s\n' "$text" >$HOOK
		is NOTE hook "/etc/libvirt/hooks/qemu, of another program, runs as well; if it fails, libvirt kills the guest" ""
	done
}

@test "names that others chose cannot reach the terminal" {
	other $'.d/a\e[2Jb~'
	said 1
	[[ $output == *'/a\x1b[2Jb~ looks like a leftover'* ]]
}

@test "the worker is missing, or not executable" {
	chmod 644 root/usr/sbin/vmaffinity-hook
	is FAIL worker "/usr/sbin/vmaffinity-hook is not an executable file" "reinstall vmaffinity: sudo ./install.sh"
	rm root/usr/sbin/vmaffinity-hook
	is FAIL worker "the hook runs /usr/sbin/vmaffinity-hook, which is not there: No such file or directory" "reinstall vmaffinity: sudo ./install.sh"
}

@test "nothing in a tree is run" {
	printf '#!/bin/sh\n>%s/was-run\n' "$PWD" >root/usr/sbin/vmaffinity-hook
	well
	[ ! -e was-run ]
}

@test "no daemon" {
	rm -r root/proc/812
	is WARN daemon "no libvirt daemon is running" "systemctl start libvirtd (or virtqemud); without it no guest starts"
	# A socket for which systemd listens.
	mkdir -p root/proc/1/net
	for socket in libvirt-sock virtqemud-sock; do
		echo "0000000000000000: 00000002 00000000 00010000 0001 01 20001 /run/libvirt/$socket" >root/proc/1/net/unix
		said 1
		true >"root/run/libvirt/$socket"
		well
		sed -i 's/00010000/00000000/' root/proc/1/net/unix
		said 1
	done
}

@test "the daemon was there before the hook" {
	daemon_started 1700000000
	hooked=$(date -d "@$(stat -c %Z $HOOK)" '+%F %T')
	is WARN daemon "libvirtd (812) has run since $(date -d @1700000000 '+%F %T'), and the hook was installed or changed at $hooked: it is unknown if it has been reloaded since" \
		"kill -HUP 812 unless that has been done; no guest is touched"
	mkdir -p root/run/systemd/system
	echo virtqemud >root/proc/812/comm
	said 1
	[[ $output == "WARN  daemon     virtqemud (812) has run since "*"-> systemctl reload virtqemud unless that has been done; no guest is touched" ]]
	rm root/proc/812/stat
	said 1
	[[ $output == "WARN  daemon     cannot read when virtqemud (812) started: "* ]]
}

@test "the daemon knows of any hook that was there before it: the oldest counts" {
	other ""
	mkdir $HOOK.d
	sleep 2.1
	daemon_started "$(date +%s)"
	sleep 0.1
	install -m 755 "$BUILD/vmaffinity-guard" $HOOK.d/50-vmaffinity
	said 0
	[[ $output == "NOTE  hook "* ]]
	rm $HOOK
	said 1
	[[ $output == "WARN  daemon "* ]]
}

# worker_at PATH: the hook runs that one.
worker_at()
{
	sed -i "s|/usr/sbin/vmaffinity-hook\x00|$1\x00|g" $HOOK
	mkdir -p "root${1%/*}"
	cp -p root/usr/sbin/vmaffinity-hook "root$1"
}

@test "AppArmor" {
	mkdir -p root/sys/module/apparmor/parameters
	echo Y >root/sys/module/apparmor/parameters/enabled
	echo 'libvirtd (enforce)' >root/proc/812/attr/current
	run -0 vmaffinity doctor --sysroot root
	[[ $output == *"PASS  apparmor   libvirtd is confined by AppArmor, and may run /usr/sbin/vmaffinity-hook"* ]]
	worker_at /opt/sbin/hook
	is FAIL apparmor "libvirtd is confined by AppArmor, which does not let it run /opt/sbin/hook" \
		"install below /usr (PREFIX=/usr), or add '/opt/sbin/hook PUx,' to /etc/apparmor.d/local/usr.sbin.libvirtd and run 'apparmor_parser -r /etc/apparmor.d/usr.sbin.libvirtd'"
	for label in 'libvirtd (complain)' unconfined; do
		echo "$label" >root/proc/812/attr/current
		well
	done
	echo 'libvirtd (enforce)' >root/proc/812/attr/current
	mkdir -p root/etc/apparmor.d/local
	echo '  /opt/sbin/hook PUx,' >root/etc/apparmor.d/local/usr.sbin.libvirtd
	well
	rm -r root/etc/apparmor.d
	echo N >root/sys/module/apparmor/parameters/enabled
	well
}

@test "no cpuset" {
	echo cpu io memory cpusets >root/sys/fs/cgroup/cgroup.controllers
	said 1
	[[ $output == "FAIL  cpuset     the kernel has no cpuset controller: it is not in /sys/fs/cgroup/cgroup.controllers"$'\n'*"-> take 'cgroup_disable=cpuset' off the kernel's command line"* ]]
	sed -i '/cgroup/d' root/proc/self/mountinfo
	said 1
	[[ $output == "FAIL  cpuset     no cgroup hierarchy with the cpuset controller is mounted"* ]]
}

@test "cpuset is not delegated to a guest" {
	base=root/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt
	rm "$base/vcpu3/cpuset.cpus"
	is FAIL cpuset "guest 'web' cannot be pinned: /sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt: vcpu3/cpuset.cpus: controller cpuset is not available here" \
		"see that \"cpuset\" is in cgroup_controllers of /etc/libvirt/qemu.conf, if that is set, and in cgroup.subtree_control above the guest; then start the guest again"
}

@test "cgroup v1" {
	rm -r root/sys root/proc/self root/proc/1[0-9]* root/run
	"$REPO/tests/fixtures/expand.py" "$REPO/tests/fixtures/machines/v1-systemd.txt" root
	as_ruled
	run -0 vmaffinity doctor --sysroot root
	[[ $output == *"PASS  cpuset     the kernel has the cpuset controller, cgroup v1 at /sys/fs/cgroup/cpuset"* ]]
	[[ $output == *"PASS  cpus       machine.slice allows every CPU that the rules name"* ]]
}

# bats test_tags=sanitized
@test "rules: errors, owner, mode, none" {
	printf '[*]\nvcpus = 1-\nvcpuz = 1\n' >root/etc/vmaffinity.ini
	said 1
	same "\
FAIL  rules      /etc/vmaffinity.ini:3: unknown key 'vcpuz'; did you mean 'vcpus'?
              -> correct it; while there is an error, no rule is applied
FAIL  rules      /etc/vmaffinity.ini:2:11: a CPU number is missing
              -> correct it; while there is an error, no rule is applied" "$output"
	{ echo '[*]' && yes 'x = 1' | head -n 1500; } >root/etc/vmaffinity.ini
	said 1
	[ "$(grep -c ^FAIL <<<"$output")" = 11 ]
	[[ $output == *"FAIL  rules      and 1490 more errors in the rules"$'\n'*"-> vmaffinity check" ]]
	echo '[*]' >root/etc/vmaffinity.ini
	chmod 666 root/etc/vmaffinity.ini
	is FAIL rules "/etc/vmaffinity.ini: group or others may write it (mode 0666); run chmod go-w on it" "correct it; while there is an error, no rule is applied"
	chmod 644 root/etc/vmaffinity.ini
	chown 65534 root/etc/vmaffinity.ini
	is FAIL rules "/etc/vmaffinity.ini: belongs to user 65534, not to root; run chown root on it" "correct it; while there is an error, no rule is applied"
	rm root/etc/vmaffinity.ini
	is NOTE rules "there is no /etc/vmaffinity.ini, and no file in /etc/vmaffinity.d" "write one, if guests are to be pinned: man 5 vmaffinity.ini"
	cp "$REPO/conf/vmaffinity.ini" root/etc
	is NOTE rules "there is no rule in /etc/vmaffinity.ini and /etc/vmaffinity.d" "write one, if guests are to be pinned: man 5 vmaffinity.ini"
}

@test "a partition of its own that allows less" {
	mkdir root/sys/fs/cgroup/machine.slice/machine-{rt,all}.slice
	echo 4-7 >root/sys/fs/cgroup/machine.slice/machine-rt.slice/cpuset.cpus.effective
	echo 0-7 >root/sys/fs/cgroup/machine.slice/machine-all.slice/cpuset.cpus.effective
	is NOTE cpus "machine-rt.slice allows only 4-7 to the guests in it" "vmaffinity check names the rules that it limits"
}

@test "cgroup v1 does not give a CPU back that was offline" {
	rm -r root
	mkdir root
	"$REPO/tests/fixtures/expand.py" "$REPO/tests/fixtures/machines/v1-lost.txt" root
	mkdir root/etc
	install -m 644 /dev/stdin root/etc/vmaffinity.ini <<<$'[*]\nvcpu1 = 3'
	run -1 vmaffinity doctor --sysroot root
	[[ $output == *"\
WARN  cpus       /etc/vmaffinity.ini:2: vcpu1 wants 3, but machine.slice allows only 0-2,4-7
              -> change the rule, or give the cgroup its CPUs back, which cgroup v1 does not after they were offline: echo 0-7 >/sys/fs/cgroup/cpuset/machine.slice/cpuset.cpus; then vmaffinity apply"* ]]
}

@test "machine.slice is narrower than the rules" {
	echo 0-3 >root/sys/fs/cgroup/machine.slice/cpuset.cpus.effective
	is WARN cpus "/etc/vmaffinity.ini:3: vcpus wants 1-7, but machine.slice allows only 0-3" "change the rule, or widen the cgroup (for a slice, with AllowedCPUs=)"
	printf '[*]\nemulator = isolated\nvcpus = keep\n' >root/etc/vmaffinity.ini
	said 1
	[[ $output == "WARN  cpus       /etc/vmaffinity.ini:2:12: 'isolated': this host has no isolated CPUs"* ]]
	rm -r root/sys/fs/cgroup/machine.slice root/run/libvirt # before the first guest
	printf '[*]\nvcpus = 4-8\n' >root/etc/vmaffinity.ini
	is WARN cpus "/etc/vmaffinity.ini:2: vcpus wants 4-8, but this host has only CPUs 0-7" "change the rule"
	echo 0-6 >root/sys/devices/system/cpu/online
	printf '[*]\nvcpus = 4-7\n' >root/etc/vmaffinity.ini
	is WARN cpus "/etc/vmaffinity.ini:2: vcpus wants 4-7, but 7 is offline" "change the rule, or write 1 to /sys/devices/system/cpu/cpuN/online"
}

@test "a kernel with sticky masks" {
	for release in 6.2.0 6.12.41+deb13-amd64 7.0 10.1 5.14.0-427.el9.x86_64; do
		echo "$release" >root/proc/sys/kernel/osrelease
		is NOTE kernel "kernel $release keeps each thread's own affinity beside its cpuset: writing cpuset.cpus by hand is not enough (vmaffinity sets both)" ""
	done
	for release in 6.1.0-44-amd64 5.14.0-generic 4.18.0-553.el8.x86_64 x; do
		echo "$release" >root/proc/sys/kernel/osrelease
		well
	done
}

@test "irqbalance, numad, tuned" {
	mkdir root/proc/90 root/proc/91 root/proc/92 root/proc/93x
	echo irqbalance >root/proc/90/comm
	is NOTE neighbour "irqbalance (90) runs: it may put interrupts on the CPUs of pinned guests" "name those CPUs in IRQBALANCE_BANNED_CPULIST if that matters"
	echo numad >root/proc/91/comm
	echo tuned >root/proc/92/comm
	echo tuned >root/proc/93x/comm
	said 0
	[ "$(grep -c ^NOTE <<<"$output")" = 3 ]
	[[ $output == *"numad (91) runs: it moves guests' threads and memory"*"tuned (92) runs: "* ]]
	rm root/etc/vmaffinity.ini # no rules: nothing runs against them
	said 0
	[ "$(grep -c ^NOTE <<<"$output")" = 1 ]
}

@test "a tree with nothing in it, and one without end" {
	rm -r root
	mkdir root
	said 1
	[[ $output == *"WARN  processes  /proc: No such file or directory"* ]]
	cannot "vmaffinity: nowhere: No such file or directory" vmaffinity doctor --sysroot nowhere
	refused "'doctor' has no option '--xml'" doctor --xml x
	refused "doctor: unexpected argument 'x'" doctor x
}

@test "guests that are not as ruled are counted and named" {
	echo 2 >root/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/vcpu2/cpuset.cpus
	is FAIL guests "1 of 2 running guests with a rule is not as ruled: 'web'" "vmaffinity status shows what differs, vmaffinity apply sets it"
	printf '[web]\nemulator = 0\n[db1]\nvcpus = 2\n' >root/etc/vmaffinity.ini
	is FAIL guests "1 of 2 running guests with a rule is not as ruled: 'db1'" "vmaffinity status shows what differs, vmaffinity apply sets it"
	printf '[web]\nemulator = 0\n[none]\nvcpus = 2\n' >root/etc/vmaffinity.ini
	run -0 vmaffinity doctor --sysroot root
	[[ $output == *"PASS  guests     running guests with a rule: 1, all as ruled"* ]]
}

@test "a rule that needs the XML: it is read from libvirt's status file" {
	printf '[x]\nmatch = uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11\nvcpus = 2\n' >root/etc/vmaffinity.ini
	echo "<domstatus state='running' pid='1201'><x/>$(guest web uuid=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11 vcpu=4)</domstatus>" >root/run/libvirt/qemu/web.xml
	echo "<domstatus state='running' pid='1301'>$(guest db1 uuid=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a12 vcpu=2)</domstatus>" >root/run/libvirt/qemu/db1.xml
	is FAIL guests "1 of 1 running guests with a rule is not as ruled: 'web'" "vmaffinity status shows what differs, vmaffinity apply sets it"
	echo "<domstatus state='running' pid='1201'></domstatus>" >root/run/libvirt/qemu/web.xml
	is WARN guests "guests that could not be compared with the rules: 1: 'web'" "vmaffinity status GUEST says why"
}

@test "as another user than root: what cannot be seen is said" {
	local copy
	copy=$(mktemp -d /tmp/vmaffinity-doctor.XXXXXX)
	chmod 755 "$copy"
	cp -a root "$BUILD/vmaffinity" "$copy"
	cd "$copy"
	run -1 setpriv --reuid=65534 --regid=65534 --clear-groups ./vmaffinity doctor --sysroot root
	cd - >/dev/null
	rm -r "$copy"
	same "\
WARN  user       doctor is not run as root: it cannot see guests' XML, what only root may read below /etc/libvirt, or if a daemon is that of a container
              -> run doctor as root" "$(grep -v ^PASS <<<"$output")"
}

@test "a daemon with an /etc/libvirt or a /run/libvirt of its own is not this host's" {
	ln -s ../.. root/proc/812/root
	well
	rm root/proc/812/root
	mkdir -p root/proc/812/root/{etc,run}
	ln -s ../../../../etc/libvirt root/proc/812/root/etc/libvirt
	ln -s ../../../../run/libvirt root/proc/812/root/run/libvirt
	well
	local own
	for own in etc run; do
		rm root/proc/812/root/$own/libvirt
		mkdir root/proc/812/root/$own/libvirt
		is WARN daemon "no libvirt daemon is running" "systemctl start libvirtd (or virtqemud); without it no guest starts"
		rmdir root/proc/812/root/$own/libvirt
		is WARN daemon "no libvirt daemon is running" "systemctl start libvirtd (or virtqemud); without it no guest starts"
		ln -s ../../../../$own/libvirt root/proc/812/root/$own/libvirt
		well
	done
}

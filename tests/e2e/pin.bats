#!/usr/bin/env bats
# A guest ends exactly on the CPUs that the rules name, however it came to run.

bats_require_minimum_version 1.5.0
load lib

setup() { case_setup; }
teardown() { case_teardown; }

# The emulator on CPU 0, all vCPUs on 1, the iothreads on both.
split_rules()
{
	rules <<-'END'
		[*]
		emulator  = 0
		vcpus     = 1
		iothreads = 0-1
	END
}

# bats test_tags=vm
@test "a guest that starts is pinned" {
	split_rules
	guest_start g vcpus=2 iothreads=1
	assert_groups g emulator vcpu0 vcpu1 iothread1
	assert_guest g 0 1 0-1
	assert_vcpuinfo g 0 1
	assert_vcpuinfo g 1 1
	v emulatorpin --domain g >&2 # libvirt's own record: for the reader of a failure
}

@test "without rules a guest is left as libvirt made it" {
	guest_start g vcpus=2 iothreads=1
	assert_guest g "$HOST_CPUS" "$HOST_CPUS" "$HOST_CPUS"
	assert_log_lines 0
}

# bats test_tags=vm
@test "a running guest is pinned when the daemon is killed and started again" {
	guest_start g vcpus=2 iothreads=1
	assert_guest g "$HOST_CPUS" "$HOST_CPUS" "$HOST_CPUS"
	split_rules
	host_kill
	host_start
	assert_running g
	assert_guest g 0 1 0-1
	assert_vcpuinfo g 0 1
}

@test "a running guest follows changed rules when the daemon is restarted" {
	split_rules
	guest_start g vcpus=2 iothreads=1
	rules <<-'END'
		[*]
		emulator  = 1
		vcpu0     = 0
		vcpu1     = 0-1
		iothreads = 1
	END
	daemon_restart
	assert_running g
	assert_pinned g emulator 1
	assert_pinned g vcpu0 0
	assert_pinned g vcpu1 0-1
	assert_pinned g iothread1 1
	assert_vcpuinfo g 0 0
	assert_vcpuinfo g 1 0-1
}

@test "a reload of the daemon leaves guests alone" {
	guest_start g vcpus=2 iothreads=1
	split_rules
	host_reload
	guest_start h
	assert_guest h 0 1
	assert_guest g "$HOST_CPUS" "$HOST_CPUS" "$HOST_CPUS"
}

# bats test_tags=vm
@test "a guest restored from a file is pinned" {
	guest_start g vcpus=2 iothreads=1
	v save --domain g --file "$E2E_DIR/g.save" >/dev/null
	split_rules
	v restore --file "$E2E_DIR/g.save" >/dev/null
	rm "$E2E_DIR/g.save"
	assert_running g
	assert_guest g 0 1 0-1
	assert_vcpuinfo g 1 1
}

@test "a guest started from its managed save is pinned" {
	guest_start g vcpus=2 iothreads=1
	v managedsave --domain g >/dev/null
	split_rules
	v start --domain g
	assert_running g
	assert_guest g 0 1 0-1
}

@test "a guest that the daemon starts by itself is pinned" {
	split_rules
	guest_define g vcpus=2 iothreads=1
	v autostart --domain g >/dev/null
	host_stop
	rm -f /run/libvirt/qemu/autostarted
	host_start
	eventually assert_running g 2>/dev/null
	assert_guest g 0 1 0-1
}

@test "a paused guest is pinned and stays paused" {
	split_rules
	guest_define g vcpus=2
	v start --domain g --paused
	[ "$(v domstate --domain g)" = paused ]
	assert_guest g 0 1
	daemon_restart
	[ "$(v domstate --domain g)" = paused ]
	assert_guest g 0 1
}

@test "pins in the guest's XML that disagree give way, every thread included" {
	rules <<-'END'
		[*]
		emulator  = 0-1
		vcpu0     = 0-1
		vcpu1     = 0
		vcpu2     = 1
		iothread1 = 0-1
		iothread2 = 0
	END
	guest_start g vcpus=3 cpuset=1 vcpupin="0:0 1:1 2:0-1" emulatorpin=1 iothreads=2 iothreadpin="1:0 2:1"
	assert_pinned g emulator 0-1
	assert_pinned g vcpu0 0-1
	assert_pinned g vcpu1 0
	assert_pinned g vcpu2 1
	assert_pinned g iothread1 0-1
	assert_pinned g iothread2 0
	assert_vcpuinfo g 0 0-1
	assert_vcpuinfo g 1 0
	assert_vcpuinfo g 2 1
}

@test "<vcpu cpuset=> that overlaps the rule gives way" {
	rules <<-'END'
		[*]
		emulator = 0-1
		vcpus    = 0-1
	END
	guest_start g vcpus=2 cpuset=0
	assert_guest g 0-1 0-1
}

# bats test_tags=vm
@test "a mask that virsh vcpupin made sticky on a running guest gives way" {
	split_rules
	guest_start g vcpus=2 iothreads=1
	v vcpupin --domain g --vcpu 0 --cpulist 0 --live
	v emulatorpin --domain g --cpulist 1 --live
	v iothreadpin --domain g --iothread 1 --cpulist 1 --live
	assert_pinned g vcpu0 0
	daemon_restart
	assert_guest g 0 1 0-1
}

@test "keep leaves what libvirt set" {
	rules <<-'END'
		[*]
		emulator = 0
		vcpus    = 1
		[g*]
		vcpu1    = keep
		emulator = keep
	END
	guest_start g1 vcpus=2 vcpupin="0:0 1:0" emulatorpin=1
	assert_pinned g1 emulator 1
	assert_pinned g1 vcpu0 1
	assert_pinned g1 vcpu1 0
}

@test "the rules of a directory come after the main file" {
	split_rules
	mkdir -p "$RULES_DIR"
	printf '[g]\nvcpus = 0\n' >"$RULES_DIR/50-site.ini"
	guest_start g vcpus=2
	guest_start h vcpus=2
	assert_guest g 0 0
	assert_guest h 0 1
}

@test "a rule by uuid pins that guest only" {
	rules <<-'END'
		[by uuid]
		match = uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11
		vcpus = 1
	END
	guest_start g uuid=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11
	guest_start h
	assert_guest g "$HOST_CPUS" 1
	assert_guest h "$HOST_CPUS" "$HOST_CPUS"
}

# bats test_tags=vm
@test "hotplugged vCPUs and iothreads are pinned at the next reconnect" {
	split_rules
	guest_start g vcpus=4 current=2 iothreads=1
	v setvcpus --domain g --count 4 --live
	v iothreadadd --domain g --id 7 --live
	assert_groups g emulator vcpu0 vcpu1 vcpu2 vcpu3 iothread1 iothread7
	assert_pinned g vcpu2 "$HOST_CPUS"
	daemon_restart
	assert_running g
	assert_guest g 0 1 0-1
	assert_vcpuinfo g 3 1
}

@test "a second run over a pinned guest writes nothing" {
	local trace=$E2E_DIR/trace
	guest_start g vcpus=2 iothreads=1 vcpupin="0:0 1:0" emulatorpin=1
	split_rules
	reconnect g traced "$trace"
	assert_guest g 0 1 0-1
	show "first run: $(changes_in "$trace" | wc -l) calls that change something"
	[ "$(changes_in "$trace" | wc -l)" -ge 3 ] # the trace does show them
	reconnect g traced "$trace"
	show "second run: $(changes_in "$trace" | wc -l)"
	[ -z "$(changes_in "$trace")" ]
	assert_guest g 0 1 0-1
}

@test "a guest that no rule matches costs no look at /sys or at cgroups" {
	local trace=$E2E_DIR/trace
	guest_start g vcpus=2
	printf '[other-*]\nvcpus = 1\n' | rules
	reconnect g traced "$trace"
	# what a sanitizer wants to know of its own process does not count
	run -1 grep -E 'openat\(.*(/sys|cgroup|"/proc/[0-9])' "$trace"
	printf '[g]\nvcpus = 1\n' | rules
	reconnect g traced "$trace"
	grep -q 'cpuset\.cpus' "$trace" # the trace does show them
}

@test "a rule of plain numbers reads no topology" {
	local trace=$E2E_DIR/trace
	guest_start g vcpus=2
	split_rules
	reconnect g traced "$trace"
	assert_guest g 0 1
	grep -q 'cpuset\.cpus' "$trace"
	run -1 grep -E '/sys/devices/system/node|cpu/cpu[0-9]|"cpu[0-9]|"node[0-9]|topology' "$trace"
}

@test "one log line for a guest that changed, none for one that did not" {
	split_rules
	guest_start g vcpus=2 iothreads=1
	assert_log_lines 1
	assert_log '\bg\b'
	show_log
	guest_start h
	assert_log_lines 2
	log_mark
	daemon_restart
	assert_running h
	assert_log_lines 0
}

@test "XML larger than a pipe holds" {
	split_rules
	guest_start g vcpus=2 iothreads=1 padding=300000
	[ "$(v dumpxml --domain g | wc -c)" -gt 300000 ]
	assert_guest g 0 1 0-1
	v dumpxml --domain g >"$E2E_DIR/g.xml"
	rules <<-'END'
		[*]
		vcpus = 0
	END
	daemon_restart
	assert_running g
	assert_pinned g vcpu1 0
}

# libvirt keeps in <metadata> what its own parser takes, and hands it to the hook.
@test "metadata of other programs, whatever it is named, does not leave a guest unpinned" {
	local what
	split_rules
	for what in "<e:x xmlns:e='my app'/>" "<x xmlns='urn:e2e'><undeclared:y/></x>" "<😀 xmlns='urn:e2e'/>" \
		"<x xmlns='urn:e2e'>&#x1F600;<name>h</name></x>" \
		"<x xmlns='urn:e2e'><![CDATA[</metadata><vcpu>99</vcpu>]]><!-- </metadata> --></x>"; do
		guest_define g vcpus=2 iothreads=1 metadata="$what"
		v start --domain g
		v dumpxml --domain g >"$E2E_DIR/g.xml"
		grep -q '<metadata>' "$E2E_DIR/g.xml" || fail "$what: libvirt dropped it"
		assert_guest g 0 1 0-1 || fail "$what"
		guests_remove
	done
}

@test "a lock that is never given back: not pinned, and the process that holds it is named" {
	local holder
	split_rules
	guest_define g vcpus=2 iothreads=1
	python3 -c '
import fcntl, time
file = open("/run/vmaffinity.lock", "a")
fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/e2e-locked", "w")
time.sleep(60)' 3>&- &
	holder=$!
	eventually test -e /run/e2e-locked
	v start --domain g
	assert_log "not pinned, runs on: /run/vmaffinity.lock: after 5 s process $holder \\(python3[0-9.]*\\) still holds the lock on this guest"
	assert_log_lines 1
	show_log
	kill $holder
	rm /run/e2e-locked
	v dumpxml --domain g >"$E2E_DIR/g.xml"
	worker g reconnect <"$E2E_DIR/g.xml"
	assert_guest g 0 1 0-1
}

# The number of starts under the race below; 100 are run by hand before a release.
RACES=${E2E_RACES:-5}

# racer FILE: as an ordinary user, holds a read lock on all but byte 0 of each FILE that is there in turn, and says how
# many it had.
racer()
{
	# shellcheck disable=SC2016 # Perl's variables
	exec setpriv --reuid=65534 --regid=65534 --clear-groups perl -MFcntl -e '
		my ($file, $inode, $count, $held) = ($ARGV[0], 0, 0);
		$SIG{TERM} = sub { print "$count\n"; exit };
		for (;; select(undef, undef, undef, 0.0005)) {
			# not opened again: to close it would give up the lock
			next if ((stat $file)[1] // $inode) == $inode;
			open(my $new, "<", $file) or next;
			my $lock = pack("ssx4qqlx4", F_RDLCK, 0, 1, 0, 0);
			fcntl($new, F_SETLK, $lock) or next;
			($held, $inode) = ($new, (stat $new)[1]);
			$count++;
		}' "$1" 3>&- 4>&-
}

# The kernel lists locks in their order, so the other user has to be first: the daemon waits once the file is there.
@test "another user locks the rest of the pid file while the guest starts: never taken for the guest" {
	local racer before n
	split_rules
	guest_define g vcpus=2 iothreads=1
	racer /run/libvirt/qemu/g.pid >"$E2E_DIR/raced" &
	racer=$!
	before=$(grep ^Cpus_allowed: /proc/$racer/status)
	cc -D_GNU_SOURCE -shared -fPIC -o "$E2E_DIR/slow_pid_file.so" "$E2E_SOURCE/slow_pid_file.c"
	host_stop
	LD_PRELOAD=$E2E_DIR/slow_pid_file.so host_start
	log_mark
	for n in $(seq "$RACES"); do
		v start --domain g
		assert_guest g 0 1 0-1 || fail "start $n"
		guest_stop g
	done
	[ "$(grep ^Cpus_allowed: /proc/$racer/status)" = "$before" ]
	kill $racer
	wait $racer
	assert_log_lines "$RACES"
	show "starts: $RACES, all as ruled; locked by the other user: $(cat "$E2E_DIR/raced")"
	[ "$(cat "$E2E_DIR/raced")" -ge "$RACES" ]
}

@test "two workers at once on one guest, 20 rounds" {
	local round one other xml=$E2E_DIR/two.xml
	guest_start g vcpus=4 iothreads=2
	v dumpxml --domain g >"$xml"
	for round in {1..20}; do
		one=$((round % 2)) other=$(((round + 1) % 2))
		printf '[*]\nemulator = %s\nvcpus = %s\niothreads = 0-1\n' $one $other | rules
		worker g reconnect <"$xml" &
		worker g reconnect <"$xml"
		wait $!
		assert_guest g $one $other 0-1
	done
}

@test "six guests started at once, then a restart of the daemon with six running" {
	local n pids=()
	split_rules
	for n in 1 2 3 4 5 6; do guest_define "g$n" vcpus=2 iothreads=1; done
	for n in 1 2 3 4 5 6; do
		v start --domain "g$n" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	for n in 1 2 3 4 5 6; do assert_guest "g$n" 0 1 0-1; done
	assert_log_lines 6
	printf '[*]\nemulator = 1\nvcpus = 0\niothreads = 0\n' | rules
	log_mark
	host_kill
	host_start
	daemon_done
	for n in 1 2 3 4 5 6; do
		assert_running "g$n"
		assert_guest "g$n" 1 0 0
	done
	assert_log_lines 6
}

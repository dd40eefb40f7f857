#!/usr/bin/env bats
# No fault of ours harms a guest. Each row of FAULTS: its name; what breaks the host (shell
# code); what the log must say of it (extended regular expression; - for nothing).
# After each: the guest runs, in the same process; its masks and affinities are as before,
# or with "ruled" in front of the name as the rules say, the fault being one that may not matter.

load lib

# shellcheck disable=SC2016 # expanded where it is run
FAULTS='
worker deleted            ~ rm $WORKER                                    ~ \bg\b.*No such file
worker of mode 000        ~ chmod 000 $WORKER                             ~ \bg\b.*ermission denied
worker a text file        ~ echo hello | fake_worker                      ~ \bg\b.*(xec format|format error|cannot be executed)
worker empty              ~ fake_worker </dev/null                        ~ \bg\b.*(xec format|format error|cannot be executed)
worker a directory        ~ rm $WORKER && mkdir $WORKER                   ~ \bg\b.*ermission denied
a library missing         ~ sed -i s/libinih/libiniX/ $WORKER             ~ \bg\b.*(127|librar)
wrong architecture        ~ other_architecture                            ~ \bg\b.*(xec format|format error|cannot be executed)
interpreter missing       ~ echo "#!/nonexistent" | fake_worker           ~ \bg\b.*No such file
worker cut in half        ~ truncate -s 4096 $WORKER                      ~ \bg\b
SIGSEGV                   ~ script "kill -SEGV \$\$"                      ~ \bg\b.*([Ss]egmentation fault|signal 11)
SIGABRT                   ~ script "kill -ABRT \$\$"                      ~ \bg\b.*([Aa]bort|signal 6)
SIGKILL before it works   ~ script "cat >/dev/null; kill -KILL \$\$"      ~ \bg\b.*([Kk]illed|signal 9)
no memory for libraries   ~ limited "ulimit -v 2048"                      ~ \bg\b
out of memory             ~ yes "#" | head -c 3000000 >>$RULES; limited "ulimit -v 4096" ~ out of memory|Cannot allocate memory
no file descriptors       ~ limited "ulimit -n 3"                         ~ \bg\b
a hang                    ~ script "exec sleep 1000"                      ~ \bg\b.*did not end
it leaves a child behind  ~ script "sleep 1000 & exit 0"                  ~ -
exit 1                    ~ script "exit 1"                               ~ -
exit 113                  ~ script "exit 113"                             ~ -
exit 200                  ~ script "exit 200"                             ~ \bg\b.*200
noise                     ~ script "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 0" ~ -
rules malformed           ~ echo "vcpus 1" >>$RULES                       ~ vmaffinity\.ini:[0-9]+
a value malformed         ~ printf "[g]\nvcpus = 1-\n" >>$RULES           ~ vmaffinity\.ini:[0-9]+
an unknown key            ~ printf "[g]\nvcpuz = 1\n" >>$RULES            ~ vmaffinity\.ini:[0-9]+.*vcpu
rules of mode 666         ~ chmod 666 $RULES                              ~ vmaffinity\.ini
rules of group writable   ~ chmod 664 $RULES                              ~ vmaffinity\.ini
rules of another owner    ~ chown 65534 $RULES                            ~ vmaffinity\.ini
rules a directory         ~ rm $RULES && mkdir $RULES                     ~ vmaffinity\.ini.*director
rules a FIFO              ~ rm $RULES && mkfifo $RULES                    ~ vmaffinity\.ini
rules a symlink           ~ cp $RULES $E2E_DIR/x && ln -sf $E2E_DIR/x $RULES ~ vmaffinity\.ini
rules a dangling symlink  ~ ln -sf /nonexistent $RULES                    ~ vmaffinity\.ini
rules of 5 MiB            ~ head -c 5242880 /dev/zero | tr "\\0" ";" >>$RULES ~ vmaffinity\.ini.*4 ?MiB
rules full of NULs        ~ head -c 4096 /dev/zero >>$RULES               ~ vmaffinity\.ini:[0-9]+
rules of 70,000 sections  ~ seq -f "[r%.0f]" 70000 >>$RULES               ~ vmaffinity\.ini.*65,?536
a second file malformed   ~ mkdir $RULES_DIR && echo "[" >$RULES_DIR/9.ini ~ 9\.ini:1
a CPU that is not there   ~ printf "[g]\nvcpus = 8191\n" >>$RULES         ~ \bg\b.*8191
a mask read-only          ~ read_only vcpu1                               ~ \bg\b.*vcpu1.*ead-only
ruled: the log gone       ~ host_log_stop                                 ~ -
ruled: the lock a directory ~ rm -f /run/vmaffinity.lock && mkdir /run/vmaffinity.lock ~ \bg\b
ruled: no end of line     ~ printf %s "$(cat $RULES)" >$RULES             ~ \bg\b
'

# The faults that are tried with "started" and "restored".
STARTED='worker deleted|worker of mode 000|worker a text file|a library missing|wrong architecture|SIGSEGV|SIGKILL before it works|a hang|it leaves a child behind|exit 1|rules malformed|rules of mode 666|rules a directory|rules a FIFO|a CPU that is not there|ruled: the log gone'

setup() { case_setup; }

teardown()
{
	repair
	case_teardown
}

script() { printf '#!/bin/sh\n%s\n' "$1" | fake_worker; }

# The real worker under a limit of the shell.
limited()
{
	cp -a "$WORKER" "$WORKER.real"
	script "$1; exec $WORKER.real \"\$@\""
}

# ELF e_machine, two bytes at 18: SPARC.
other_architecture()
{
	printf '\2\0' | dd of="$WORKER" bs=1 seek=18 conv=notrunc status=none
}

# One mask file that the worker cannot write: bound over itself, in a namespace that is the worker's. libvirt would take
# that mount for the whole hierarchy's, with cgroup v2, and end the guest.
read_only()
{
	local file
	file=$(guest_cgroup g)/$1/cpuset.cpus
	cp -a "$WORKER" "$WORKER.real"
	fake_worker <<-END
		#!/bin/sh
		[ -n "\$BOUND" ] || exec env BOUND=1 unshare --mount "\$0" "\$@"
		mount --bind -o ro '$file' '$file' && exec $WORKER.real "\$@"
	END
}

repair()
{
	[ -S /dev/log ] || host_log_start
	rm -f "$WORKER.real"
	[ ! -d /run/vmaffinity.lock ] || rmdir /run/vmaffinity.lock
	product_restore
	no_rules
}

trim() { sed 's/^[[:space:]]*//; s/[[:space:]]*$//' <<<"$1"; }

# check_fault NAME CODE LOG reconnect|started|restored
check_fault()
{
	local name=$1 code=$2 log=$3 op=$4 before="" pid
	repair
	guest_pid g >/dev/null 2>&1 || v start --domain g || return 1
	printf '[*]\nemulator = 0\nvcpus = 0\n' | rules
	case $op in
	reconnect)
		reconnect g || return 1
		pid=$(guest_pid g) && assert_guest g 0 0 || return 1
		before=$(snapshot g)
		;;
	started) guest_stop g || return 1 ;;
	restored) v save --domain g --file "$E2E_DIR/g.save" >/dev/null || return 1 ;;
	esac
	printf '[*]\nemulator = 1\nvcpus = 1\n' | rules
	log_mark
	eval "$code" || fail "the fault cannot be made" || return 1
	case $op in
	reconnect) daemon_restart ;;
	started) v start --domain g ;;
	restored) v restore --file "$E2E_DIR/g.save" >/dev/null ;;
	esac || return 1
	show "$op, $name:"
	assert_running g || return 1
	[ "$op" != reconnect ] || [ "$(guest_pid g)" = "$pid" ] || fail "another process" || return 1
	case $name:$op in
	ruled:*) assert_guest g 1 1 ;;
	*:reconnect) assert_unchanged g "$before" ;;
	*) assert_guest g "$HOST_CPUS" "$HOST_CPUS" ;;
	esac || return 1
	[ -S /dev/log ] || return 0
	show_log
	[ "$log" = - ] || assert_log "$log"
}

# outcome NAME LOG OP: what is to be, in a word or two.
outcome()
{
	local told=", log says why"
	[ "$2" != - ] || told=""
	case $1:$3 in
	ruled:*) echo "as ruled" ;;
	*:reconnect) echo "as before$told" ;;
	*) echo "unpinned$told" ;;
	esac
}

# check_faults OP [NAMES]: all rows, or those whose names stand between |s; fails if one did. Their outcome
# goes to the survival matrix (run.sh).
check_faults()
{
	local name code log result failed=0 rows=0
	guest_start g vcpus=2
	while IFS='~' read -r name code log; do
		name=$(trim "$name")
		[ -n "$name" ] || continue
		[ -z "${2:-}" ] || [[ "|$2|" == *"|$name|"* ]] || continue
		# of a guest that does not run there is no mask yet; 113 is the worker's word for a start refused by the rules
		[ "$1" = reconnect ] || [[ $code != *read_only* && $name != "exit 113" ]] || continue
		log=$(trim "$log")
		rows=$((rows + 1))
		result=$(outcome "$name" "$log" "$1")
		check_fault "$name" "$code" "$log" "$1" || {
			failed=$((failed + 1))
			result=FAILED
			echo "^^^ $1, $name" >&2
		}
		echo "${name#ruled: }~$1~$result" >>"$E2E_DIR/matrix"
	done <<<"$FAULTS"
	show "$rows faults, $failed failed"
	[ "$rows" -gt 0 ] && [ "$failed" = 0 ]
}

# E2E_FAULTS: the names to try at a reconnect, E2E_FAULTS_AT_START: those on the other paths; empty: all.
# bats test_tags=vm
@test "the daemon restarted over a running guest, with every fault" {
	check_faults reconnect "${E2E_FAULTS-}"
}

# bats test_tags=vm
@test "a guest started, with the faults that matter there" {
	check_faults started "${E2E_FAULTS_AT_START-$STARTED}"
}

@test "a guest restored from a file, with the faults that matter there" {
	check_faults restored "${E2E_FAULTS_AT_START-$STARTED}"
}

@test "the worker killed midway: the guest lives, and the next reconnect puts it right" {
	local k
	printf '[*]\nemulator = 0\nvcpus = 0\n' | rules
	guest_start g vcpus=2
	cp -a "$WORKER" "$WORKER.real"
	for k in 1 2 3; do
		printf '[*]\nemulator = 1\nvcpus = 1\n' | rules
		script "exec strace -E $TRACED_ENV -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:signal=SIGKILL:when=$k $WORKER.real \"\$@\""
		log_mark
		daemon_restart
		assert_running g
		show_log
		assert_log '\bg\b.*([Kk]illed|signal 9)'
		cp -a "$WORKER.real" "$WORKER"
		daemon_restart
		assert_running g
		assert_guest g 1 1
		printf '[*]\nemulator = 0\nvcpus = 0\n' | rules
		daemon_restart
		assert_guest g 0 0
	done
}

@test "/run read-only: pinned without a lock, which is logged" {
	printf '[*]\nemulator = 0\nvcpus = 0\n' | rules
	guest_start g vcpus=2
	printf '[*]\nemulator = 1\nvcpus = 1\n' | rules
	log_mark
	v dumpxml --domain g >"$E2E_DIR/g.xml"
	rm -f /run/vmaffinity.lock
	# in a namespace more, where the remount does not meet the files that libvirt has open
	run unshare --mount --propagation unchanged sh -c 'mount -o remount,bind,ro /run && exec "$@"' sh \
		"$GUARD" g reconnect begin - <"$E2E_DIR/g.xml"
	[ "$status" = 0 ]
	assert_running g
	show_log
	assert_log '\bg: going on without a lock: .*/run/vmaffinity\.lock: Read-only file system'
	assert_guest g 1 1
}

@test "six guests, the worker hanging for all of them: one limit, not six" {
	local n
	printf '[*]\nvcpus = 0\n' | rules
	for n in 0 1 2 3 4 5; do guest_start "g$n"; done
	script "trap : TERM; while :; do sleep 1; done"
	log_mark
	export V_TIMEOUT=30
	daemon_restart
	for n in 0 1 2 3 4 5; do
		assert_running "g$n"
		assert_guest "g$n" "$HOST_CPUS" 0
	done
	[ "$(log_since | grep -c '\bg[0-9]\b')" = 6 ]
}

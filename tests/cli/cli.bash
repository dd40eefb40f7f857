# shellcheck shell=bash disable=SC2034,SC2154 # for the cases; set by run
# Functions for the cases of the programs: each test has a directory of its own, a made-up host of
# eight CPUs in root/, and the built programs below $BUILD.

bats_require_minimum_version 1.5.0

REPO=$(realpath "$BATS_TEST_DIRNAME/../..")
BUILD=$(cd "$REPO" && realpath "${BUILD:-build}")
DEAD='qemu+unix:///system?socket=/nonexistent' # where no libvirt daemon answers

NO_DAEMON="no libvirt daemon answers at $DEAD: is libvirtd or virtqemud running? (Failed to connect socket to '/nonexistent': No such file or directory)"

cli_setup()
{
	umask 022
	export LC_ALL=C
	unset LIBVIRT_DEFAULT_URI
	cd "$BATS_TEST_TMPDIR" || return 1
	host 0-7
	guest web-1 'vcpu=4' 'iothreads=2' >web-1.xml
}

vmaffinity() { timeout 60 "$BUILD/vmaffinity" "$@"; }

# host ONLINE [ISOLATED [PRESENT]]: what /sys says of the CPUs, below root/.
host()
{
	mkdir -p root/sys/devices/system/cpu root/etc
	echo "$1" >root/sys/devices/system/cpu/online
	echo "${2:-}" >root/sys/devices/system/cpu/isolated
	echo "${3:-0-7}" >root/sys/devices/system/cpu/present
}

# host_with MACHINE: root/ is that machine of tests/fixtures.
host_with()
{
	rm -rf root
	mkdir -p root/etc
	"$REPO/tests/fixtures/expand.py" "$REPO/tests/fixtures/machines/$1.txt" root
}

# guest NAME [KEY=VALUE...]: a guest's XML. Keys: vcpu, current, cpuset, iothreads, uuid, id, and pins ("0:1 1:2-3"),
# emulatorpin, iothreadpin.
guest()
{
	local name=$1 word vcpu=1 current="" cpuset="" iothreads=0 uuid="" id="" pins="" emulatorpin="" iothreadpin=""
	shift
	for word; do printf -v "${word%%=*}" %s "${word#*=}"; done
	printf '<domain type="kvm"%s>\n<name>%s</name>\n' "${id:+ id=\"$id\"}" "$name"
	[ -z "$uuid" ] || printf '<uuid>%s</uuid>\n' "$uuid"
	printf '<vcpu%s%s>%s</vcpu>\n' "${cpuset:+ cpuset=\"$cpuset\"}" "${current:+ current=\"$current\"}" "$vcpu"
	printf '<iothreads>%s</iothreads>\n<cputune>\n' "$iothreads"
	for word in $pins; do printf '<vcpupin vcpu="%s" cpuset="%s"/>\n' "${word%%:*}" "${word#*:}"; done
	for word in $iothreadpin; do printf '<iothreadpin iothread="%s" cpuset="%s"/>\n' "${word%%:*}" "${word#*:}"; done
	[ -z "$emulatorpin" ] || printf '<emulatorpin cpuset="%s"/>\n' "$emulatorpin"
	printf '</cputune>\n</domain>\n'
}

# rules TEXT: to rules.ini, with \n for a new line.
rules() { printf '%b' "$1" >rules.ini; }

# same EXPECTED ACTUAL: equal, or the difference is shown.
same()
{
	[ "$1" = "$2" ] || {
		diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") | cat -v >&2
		return 1
	}
}

# fails STATUS MESSAGE COMMAND...: ends so, nothing on stdout, and just that on stderr.
fails()
{
	local message=$2
	run "-$1" --separate-stderr "${@:3}"
	same "$message" "$stderr"
	same "" "$output"
}

# cannot MESSAGE COMMAND...: something could not be looked at.
cannot() { fails 3 "$@"; }

# refused MESSAGE ARGUMENT...: vmaffinity takes these arguments for a misuse.
refused()
{
	local of=""
	case ${2:-} in
	plan | check | apply | release | record | status | map | doctor | watch | import | capture | enable | disable) of=" $2" ;;
	esac
	fails 2 "vmaffinity: $1"$'\n'"Try 'vmaffinity$of --help'" vmaffinity "${@:2}"
}

# findings ARGUMENT...: runs check, which must end as its findings say and with a line on what it looked at; $output is the
# findings alone.
findings()
{
	local wanted=0
	run --separate-stderr vmaffinity check "$@"
	same "" "$stderr"
	[[ ${lines[-1]} == "looked at "[1-9n]* ]] || fail "no line on what was looked at: ${lines[-1]}" || return 1
	output=$(sed '$d' <<<"$output")
	[ -z "$output" ] || wanted=1
	! grep -q '^error: ' <<<"$output" || wanted=2
	same "$wanted" "$status"
}

# finds FINDINGS ARGUMENT...: check finds just that.
finds()
{
	findings "${@:2}"
	same "$1" "$output"
}

# printable_only FILE: no control character but newlines, and well-formed UTF-8 (C1 controls and marks that reorder count
# as control characters).
printable_only()
{
	iconv -f UTF-8 -t UTF-8 "$1" >/dev/null &&
		! LC_ALL=C grep -qaP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$1"
}

# A real terminal of $1 columns for the stdout of the rest.
terminal()
{
	python3 - "$@" <<-'END'
		import fcntl, os, pty, struct, sys, termios
		master, slave = pty.openpty()
		fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 50, int(sys.argv[1]), 0, 0))
		if os.fork() == 0:
		    os.close(master)
		    os.dup2(slave, 1)
		    os.execvp(sys.argv[2], sys.argv[2:])
		os.close(slave)
		data = b''
		while True:
		    try:
		        more = os.read(master, 65536)
		    except OSError:
		        break
		    if not more:
		        break
		    data += more
		sys.stdout.buffer.write(data.replace(b'\r\n', b'\n'))
	END
}

#!/usr/bin/env bats
# A guest is who libvirt and the kernel say: nothing that its owner can put into its XML keeps it from being pinned.

bats_require_minimum_version 1.5.0
load lib

UUID=6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11
MODULE=/usr/lib/vmaffinity/xml.so

setup() { case_setup; }

teardown()
{
	[ ! -e "$MODULE.away" ] || mv "$MODULE.away" "$MODULE"
	rm -f "$WORKER.real"
	case_teardown
}

by_name() { printf '[*]\nemulator = 1\nvcpus = 1\n' | rules; }
by_uuid() { printf '[x]\nmatch = uuid:%s\nemulator = 1\nvcpus = 1\n' $UUID | rules; }

# A text of $2 bytes, of the character $1.
many() { head -c "$2" /dev/zero | tr '\0' "$1"; }

# start_pinned NAME XML-FILE: the guest starts pinned by a rule by name, and by one by UUID.
start_pinned()
{
	local how
	for how in by_name by_uuid; do
		"$how"
		log_mark
		v define --file "$2" >/dev/null || return 1
		v start --domain "$1" || fail "$how" || return 1
		assert_guest "$1" 1 1 || fail "$how" || return 1
		guest_stop "$1" || return 1
		v undefine --domain $UUID >/dev/null || return 1
	done
}

# libvirt goes on to another name once such a guest has ended, so each rule has a guest of its own.
@test "a name with a raw CR" {
	by_name
	guest_xml a vcpus=2 | sed 's,<name>a</name>,<name>a\&#13;b</name>,' >"$E2E_DIR/cr.xml"
	v define --file "$E2E_DIR/cr.xml" >/dev/null
	v start --domain $'a\rb'
	assert_guest $'a\rb' 1 1
	by_uuid
	guest_xml c vcpus=2 uuid=$UUID | sed 's,<name>c</name>,<name>c\&#13;d</name>,' >"$E2E_DIR/cr.xml"
	v define --file "$E2E_DIR/cr.xml" >/dev/null
	v start --domain $'c\rd'
	assert_guest $'c\rd' 1 1
}

@test "metadata 255 deep, of fifth-edition names, with undeclared prefixes" {
	local deep what
	deep="$(printf '<x>%.0s' {1..252})$(printf '</x>%.0s' {1..252})"
	for what in "<e:x xmlns:e='urn:e2e'>$deep</e:x>" $'<e:\xf0\x9f\x98\x80 xmlns:e="urn:e2e"/>' "<foo:bar foo:a='1'/>"; do
		guest_xml g uuid=$UUID vcpus=2 metadata="$what" >"$E2E_DIR/g.xml"
		start_pinned g "$E2E_DIR/g.xml"
	done
}

# set_metadata COUNT FORMAT: so many elements of metadata, each a call of its own with 4 MB in the place of %s. A client
# cannot define as much at once.
set_metadata()
{
	local n
	guest_define g uuid=$UUID vcpus=2
	many a 4000000 | sed "s,.*,$2," >"$E2E_DIR/meta"
	for ((n = 1; n <= $1; n++)); do
		/usr/bin/python3 - "$n" "$E2E_DIR/meta" <<-'END'
			import libvirt, sys
			domain = libvirt.open('qemu:///system').lookupByName('g')
			domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, open(sys.argv[2]).read(), 'e' + sys.argv[1],
			                   'urn:e2e:' + sys.argv[1], libvirt.VIR_DOMAIN_AFFECT_CONFIG)
		END
	done
}

start_pinned_with_metadata()
{
	local how
	for how in by_name by_uuid; do
		"$how"
		v start --domain g || fail "$how" || return 1
		assert_guest g 1 1 || fail "$how" || return 1
		guest_stop g || return 1
	done
}

@test "20 MB of metadata, set as 5 times 4 MB" {
	set_metadata 5 '<x>&</x>'
	[ "$(stat -c %s /etc/libvirt/qemu/g.xml)" -gt 20000000 ]
	start_pinned_with_metadata
}

@test "four attributes of 4 MB each" {
	set_metadata 4 "<x a='&'/>"
	start_pinned_with_metadata
}

@test "an attribute of 15 MiB" {
	guest_define g uuid=$UUID vcpus=2
	by_uuid
	v start --domain g
	v dumpxml --domain g >"$E2E_DIR/live.xml"
	{ sed '/<memory /,$d' "$E2E_DIR/live.xml"; printf "<metadata><e:x xmlns:e='urn:e' a='"; many a 15728640; printf "'/></metadata>\n"; sed -n '/<memory /,$p' "$E2E_DIR/live.xml"; } >"$E2E_DIR/large.xml"
	printf '[x]\nmatch = uuid:%s\nemulator = 0\nvcpus = 0\n' $UUID | rules
	"$WORKER" g reconnect begin - <"$E2E_DIR/large.xml"
	assert_guest g 0 0
	by_name
	"$WORKER" g reconnect begin - <"$E2E_DIR/large.xml"
	assert_guest g 1 1
}

@test "unreadable XML: by name pinned, by UUID refused with the reason if on-error = fail" {
	guest_start g uuid=$UUID vcpus=2
	printf '[global]\non-error = fail\n[*]\nemulator = 1\nvcpus = 1\n' | rules
	echo '<domain' | "$WORKER" g started begin -
	assert_guest g 1 1
	printf '[global]\non-error = fail\n[x]\nmatch = uuid:%s\nvcpus = 0\n' $UUID | rules
	log_mark
	run -113 --separate-stderr "$WORKER" g started begin - <<<'<domain'
	# shellcheck disable=SC2154 # set by run
	[[ $stderr == "vmaffinity: start refused (on-error = fail): rules with 'uuid:' are left out, its UUID is not known: the XML is not well-formed: "* ]]
	assert_log '\bg\b.*start refused.*not well-formed'
	assert_guest g 1 1
}

@test "a rule by name opens neither the module nor libxml2; one by UUID does" {
	local trace=$E2E_DIR/trace
	guest_start g uuid=$UUID vcpus=2
	by_name
	reconnect g strace -E "$TRACED_ENV" -f -qq -e trace=openat,open -o "$trace"
	assert_guest g 1 1
	run -1 grep -E 'libxml2|xml\.so' "$trace"
	by_uuid
	reconnect g strace -E "$TRACED_ENV" -f -qq -e trace=openat,open -o "$trace"
	grep -q "$MODULE" "$trace"
	grep -q libxml2 "$trace"
}

@test "the module away: guests are pinned by name, and others logged" {
	mv $MODULE $MODULE.away
	guest_define g uuid=$UUID vcpus=2
	by_name
	v start --domain g
	assert_guest g 1 1
	guest_stop g
	by_uuid
	log_mark
	v start --domain g
	assert_running g
	assert_guest g "$HOST_CPUS" "$HOST_CPUS"
	assert_log "\\bg\\b.*not all rules are followed.*$MODULE: No such file"
}

# Only for the worker, in a mount namespace of its own: libvirt needs the library, too.
@test "libxml2 itself away: guests are pinned by name, and others logged" {
	local library
	library=$(ldd $MODULE | sed -nE 's/^[[:space:]]*libxml2[^ ]* => ([^ ]+).*/\1/p')
	[ -e "$library" ]
	cp -a "$WORKER" "$WORKER.real"
	fake_worker <<-END
		#!/bin/sh
		[ -n "\$BOUND" ] || exec env BOUND=1 unshare --mount "\$0" "\$@"
		mount --bind /dev/null '$(realpath "$library")' && exec $WORKER.real "\$@"
	END
	guest_define g uuid=$UUID vcpus=2
	by_name
	v start --domain g
	assert_guest g 1 1
	guest_stop g
	by_uuid
	log_mark
	v start --domain g
	assert_running g
	assert_guest g "$HOST_CPUS" "$HOST_CPUS"
	show_log
	assert_log "\\bg\\b.*not all rules are followed.*$MODULE cannot be loaded: .*libxml2.*"
}
